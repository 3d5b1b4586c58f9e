"""The walk by market, tiers, assets, precision and monitoring."""

from __future__ import annotations

from bench.pages.benchmarks.cases import Run

_HOW = ("discrete", "continuous")
# label, case but for the monitoring, and the case that it is compared with
_YEAR = (
    ("GBM, four tiers", "gbm, {}", ""),
    ("one tier", "gbm, {}, one tier", "gbm, {}"),
    ("sixteen tiers", "gbm, {}, 16 tiers", "gbm, {}"),
    ("double precision", "gbm, {}, double", "gbm, {}"),
)
_MONTHS = (
    ("GBM", "gbm, 120 days, {}", ""),
    ("Heston", "heston, 120 days, {}", "gbm, 120 days, {}"),
    ("Bates", "bates, 120 days, {}", "gbm, 120 days, {}"),
    ("FilteredHistorical", "filtered, 120 days, {}", "gbm, 120 days, {}"),
)
_BOOKS = (
    ("one asset, long", "one asset, {}", ""),
    ("two assets, long", "two assets, {}", "one asset, {}"),
    ("ten assets, long and short", "ten assets, {}", "one asset, {}"),
)


def walks(run: Run) -> list[str]:
    """Return the tables."""
    merton, over = run["merton, daily, continuous"], run.over("merton, daily, continuous", "gbm, daily, continuous")
    five = run["merton, five days in one step, two threads"]
    return [
        "One thread, single precision, continuous monitoring exact in law where the market allows it.",
        "",
        *_table("a year in 252 steps, ns a path-step", _YEAR, run),
        "",
        *_table("a tenfold perpetual over 120 daily steps, four tiers, ns a path-step", _MONTHS, run),
        "",
        *_table("a book of correlated assets in 100 steps, four tiers, ns an asset-step", _BOOKS, run),
        "",
        f"- Merton, 12 jumps a year, 365 daily steps, continuous: {merton.spread()} ns a path-step, {over} GBM.",
        f"- Merton, five days in one exact step, {five.noted('threads')} threads: {five.spread('paths')} ns a path.",
    ]


def _table(title: str, rows: tuple[tuple[str, str, str], ...], run: Run) -> list[str]:
    lines = [f"| {title} | discrete | over the first | continuous | over the first |", "|---|---|---|---|---|"]
    for label, name, other in rows:
        cells = []
        for how in _HOW:
            cells += [run[name.format(how)].spread(), run.over(name.format(how), other.format(how)) if other else ""]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return lines

"""Whole tasks: rare events, histories and fits, thresholds, backtests, processes."""

from __future__ import annotations

from bench.pages.benchmarks.cases import Run, ratio
from kernel.report.numbers import three_figures

_LENGTHS = ("five years of days", "two years of hours")
_PROOFS = ("merton", "filtered_historical", "auto")


def whole(run: Run) -> list[str]:
    """Return the table."""
    rows = [*_rare(run), *_histories(run), *_thresholds(run), *_processes(run)]
    return ["| task | time |", "|---|---|", *(f"| {what} | {time} |" for what, time in rows)]


def _rare(run: Run) -> list[tuple[str, str]]:
    def seconds(how: str) -> float:  # to a standard error of 1%
        case = run[f"rare breach, {how}"]
        return float(case.median * (case.noted("error") / 0.01) ** 2)

    plain, tilted = seconds("plain"), seconds("tilted")
    what = f"liquidation with probability {run['rare breach, tilted'].noted('probability'):.1e}, to 1%"
    return [
        (f"{what}: plain", f"{three_figures(plain)} s"),
        (f"{what}: with `importance`", f"{three_figures(1e3 * tilted)} ms, {ratio(plain / tilted)} as fast"),
    ]


def _histories(run: Run) -> list[tuple[str, str]]:
    fits = [f"{kind} fit, {length}" for length in _LENGTHS for kind in ("Merton", "Kou")]
    proof = "backtest of 1,500 days, refit every 7, 100,000 paths a day"
    return [
        (f"reading {run['reading'].noted('rows'):,} hourly bars from CSV", run["reading"].seconds()),
        *((f"{fit}, with errors", run[fit].seconds()) for fit in fits),
        *((f"{proof}: `{market}`", run[f"backtest, {market}"].seconds()) for market in _PROOFS),
    ]


def _thresholds(run: Run) -> list[tuple[str, str]]:
    curve = run["threshold curve"]
    levels, paths = curve.noted("levels"), curve.noted("paths")
    return [
        (f"`threshold_curve`, {levels:,} levels of {paths:,} paths, sorting included", curve.seconds()),
        ("`calibrate_margin`, maintenance and initial, a million paths each", run["calibrate_margin"].seconds()),
        ("`calibrate_ladder`, two tiers, seven simulations of 200,000 paths", run["calibrate_ladder"].seconds()),
    ]


def _processes(run: Run) -> list[tuple[str, str]]:
    names = {
        "margin --help": "`margin --help`",
        "margin run, warm": "`margin run`, a million paths, kernels on disk",
        "margin run, cold cache": "`margin run`, a million paths, nothing compiled yet",
    }
    rows = [(label, run[name].seconds()) for name, label in names.items()]
    memory = run.find("100 million paths")  # needs Linux
    if memory is not None:
        more = memory.noted("large_mib") - memory.noted("small_mib")
        what = "100 million paths as a summary; peak memory above that of a million"
        rows.append((what, f"{memory.seconds()}; {more:.0f} MiB"))
    return rows

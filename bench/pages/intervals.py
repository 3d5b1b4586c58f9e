"""Write docs/intervals.md: how often intervals of Expected Shortfall and Value at Risk hold the truth.

python -m bench.pages.intervals
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import kernel
from bench.oracles import gbm, tails
from bench.pages.markdown import wrapped
from bench.timings import jobs
from kernel.simulation.summary import Summary

TARGET = Path(__file__).parents[2] / "docs" / "intervals.md"
RUNS, SIMULATED, SEEDS = 20_000, 2_000, 400
TAIL_LOSSES, LEVELS = (10, 20, 50, 100, 300), (0.5, 0.9, 0.975, 0.99)
_AT_ONCE = 1_000  # runs
LEVEL, VOLATILITY = 0.99, 0.65
SPOT = 60_000.0
SIDES = {"long": 1.0, "short": -1.0}
LADDER = kernel.Ladder({"liquidation": 1.0})


def drawn(law: tails.Law, level: float, tail: int, runs: int, seed: int) -> Iterator[kernel.Outcome]:
    """Draw outcomes of so many paths that `tail` losses are expected above Value at Risk."""
    paths, generator = round(tail / (1 - level)), np.random.default_rng(seed)
    nothing: Any = np.empty((0, 0))
    for first in range(0, runs, _AT_ONCE):
        for losses in law.worst(paths, tail + 1, min(_AT_ONCE, runs - first), generator):
            yield kernel.SummaryOutcome(
                paths=paths, horizon=1.0, assets=("A",), tiers=(), opening_equity=1.0, provenance={},
                summary=Summary(paths, losses, nothing, nothing),
            )  # fmt: skip


def held(law: tails.Law, level: float, tail: int, runs: int, seed: int) -> tuple[float, float]:
    """Return the share of intervals of Expected Shortfall that hold the truth, and that of symmetric ones."""
    truth = law.expected_shortfall(level)
    found = np.array([kernel.expected_shortfall(one, level) for one in drawn(law, level, tail, runs, seed)])
    value, error, low, high = found.T
    symmetric = np.abs(value - truth) <= 1.96 * error
    return float(np.mean((low <= truth) & (truth <= high))), float(np.mean(symmetric))


def _covered() -> list[str]:
    rows = [f"| law | level | {' | '.join(map(str, TAIL_LOSSES))} |", "|---|---|" + "---|" * len(TAIL_LOSSES)]
    for number, law in enumerate(tails.laws()):
        for level in LEVELS:
            shares = [held(law, level, tail, RUNS, 1_000 * number + tail) for tail in TAIL_LOSSES]
            cells = " | ".join(f"{100 * own:.1f} ({100 * symmetric:.1f})" for own, symmetric in shares)
            rows.append(f"| {law.name} | {100 * level:g}% | {cells} |")
    return rows


def _run(side: str, horizon: float, seed: int, **settings: Any) -> kernel.Outcome:
    market = kernel.Gbm(assets=["A"], spot=SPOT, volatility=VOLATILITY)
    position = kernel.Linear("A", quantity=SIDES[side], entry_price=SPOT)
    account = kernel.Account(cash=SPOT, positions=[position], maintenance_rate=0.005)
    given = {"horizon": horizon, "steps": 1, "monitoring": "discrete", "threads": 1, "seed": seed}
    return kernel.simulate(market, account, LADDER, **given, **settings)  # type: ignore[arg-type]


DRAWN: dict[str, dict[str, Any]] = {
    "antithetic, 1,000 paths": {"sampling": "antithetic", "paths": 1_000},
    "antithetic, 5,000 paths": {"sampling": "antithetic", "paths": 5_000},
    "sobol, 2,048 paths": {"sampling": "sobol", "paths": 2_048},
    "sobol, 16,384 paths": {"sampling": "sobol", "paths": 16_384},
    "importance, 128 paths": {"importance": LEVEL, "paths": 128},
    "importance, 1,024 paths": {"importance": LEVEL, "paths": 1_024},
}


def _sampled() -> list[str]:
    books = [("long", jobs.FIVE_DAYS), ("short", jobs.FIVE_DAYS), ("short", 1.0)]
    heads = [f"{side}, {'a year' if horizon == 1 else 'five days'}" for side, horizon in books]
    rows = [f"| paths | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    for name, settings in DRAWN.items():
        cells = []
        for side, horizon in books:
            truth = gbm.expected_shortfall(LEVEL, SIDES[side], SPOT, SPOT, 0.0, VOLATILITY, horizon)
            estimates = (
                kernel.expected_shortfall(_run(side, horizon, seed, **settings), LEVEL) for seed in range(SIMULATED)
            )
            cells.append(f"{100 * np.mean([one.low <= truth <= one.high for one in estimates]):.1f}")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return rows


Draw = Callable[[int], kernel.Outcome]


def quantile_errors(draw: Draw, levels: tuple[float, ...], seeds: int) -> list[tuple[float, float]]:
    """Return, by level, the stated error of Value at Risk over its root mean square error, and how often it is held."""
    truths = [gbm.value_at_risk(level, 1.0, SPOT, SPOT, 0.0, VOLATILITY, jobs.FIVE_DAYS) for level in levels]
    outcomes = (draw(seed) for seed in range(seeds))
    found = np.array([[kernel.value_at_risk(outcome, level) for level in levels] for outcome in outcomes])
    value, error, low, high = np.moveaxis(found, 2, 0)
    actual = np.sqrt(np.mean((value - truths) ** 2, axis=0))
    covers = np.mean((low <= truths) & (truths <= high), axis=0)
    return list(zip((error.mean(axis=0) / actual).tolist(), covers.tolist(), strict=True))


def _quantiles() -> list[str]:
    levels = (0.5, 0.6, 0.9, 0.99)
    rows = [f"| paths | {' | '.join(f'{100 * level:g}%' for level in levels)} |", "|---|" + "---|" * len(levels)]
    for sampling, paths in (("plain", 4_000), ("antithetic", 4_000), ("sobol", 4_096), ("sobol", 65_536)):

        def draw(seed: int, sampling: str = sampling, paths: int = paths) -> kernel.Outcome:
            return _run("long", jobs.FIVE_DAYS, seed, sampling=sampling, paths=paths, precision="double")

        cells = [
            f"{ratio:.2f} ({100 * share:.1f})" if ratio < 100 else f"beyond 100 ({100 * share:.1f})"
            for ratio, share in quantile_errors(draw, levels, SEEDS)
        ]
        rows.append(f"| {sampling}, {paths:,} | {' | '.join(cells)} |")
    return rows


def _within(runs: int) -> str:
    return f"{196 * math.sqrt(0.95 * 0.05 / runs):.1f}"


def main() -> None:
    """Write the page."""
    text = [
        "# Intervals",
        "",
        "Written by `python -m bench.pages.intervals`: how often intervals that are to hold the truth in 95% of runs",
        "do so.",
        "",
        "## Expected Shortfall from few losses in the tail",
        "",
        *wrapped(f"""Percent of {RUNS:,} samples, known to within {_within(RUNS)}, by the number of losses above Value
            at Risk; in brackets the symmetric interval of 1.96 standard errors. Truths in closed form; the lognormal is
            the loss of a short position over a year at a volatility of 100%, the jumps are 0.3 in the mean, of 2 ± 1.5
            volatilities. Fewer than ten losses have no interval."""),
        "",
        *_covered(),
        "",
        *wrapped("""Few losses seldom have the worst among them: Expected Shortfall is then too low and its error too
            small, both at once. The interval takes the skewness of max(loss - VaR, 0) into account (Hall 1992),
            Fisher's of the losses in the tail: it reaches further up than down, at ten losses about twice as far in all
            as the symmetric one, at fifty 1.1 times. `standard_error` is the plain one."""),
        "",
        "## Expected Shortfall under other sampling",
        "",
        *wrapped(f"""Expected Shortfall 99% of one asset under GBM at a volatility of {VOLATILITY:.0%}, one step,
            percent of {SIMULATED:,} runs, known to within {_within(SIMULATED)}. With replicates the skewness is that of
            their means, and Student's t stands for the normal; of weighted paths it is that of weighted excesses."""),
        "",
        *_sampled(),
        "",
        "## Value at Risk: the stated error over the actual one",
        "",
        *wrapped(f"""Mean stated standard error over the root mean square error, {SEEDS} seeds, known to within 7%, and
            in brackets percent of intervals that hold the truth: the long position over five days, whose close decides.
            Under antithetic pairs the two middle losses are twins, and their middle is nearly the median: the error is
            that of an interval between neighbours, which is as narrow as intervals get here."""),
        "",
        *_quantiles(),
        "",
    ]
    TARGET.write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()

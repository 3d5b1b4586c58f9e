"""Write docs/sampling.md: what antithetic pairs and Sobol points are worth, by book and by measure.

python -m bench.pages.sampling
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import kernel
from bench.oracles import gbm
from bench.pages.markdown import two_figures
from bench.timings import jobs

RUNS, COVERED = 60, 400
TARGET = Path(__file__).parents[2] / "docs" / "sampling.md"
PATHS = {"plain": 2**16, "antithetic": 65_500, "sobol": 2**16}
LEVEL, TIER = 0.99, "call"
LONG = kernel.Account(
    cash=6_000.0, positions=[kernel.Linear("BTC", quantity=1.0, entry_price=60_000.0)], maintenance_rate=0.005
)
LADDER = kernel.Ladder({"call": 5.0, "liquidation": 1.0})
DRIFT, VOLATILITY = 0.1, 0.65
GBM = kernel.Gbm(assets=["BTC"], spot=60_000.0, drift=DRIFT, volatility=VOLATILITY)
SHIFT = -14.0  # of the drift, in the outcomes that are weighted: to about the 1% quantile of the close

Measure = Callable[[kernel.Outcome], kernel.Estimate]
MEASURES: dict[str, Measure] = {
    "mean loss": lambda outcome: kernel.Estimate(float(np.mean(outcome.loss, dtype=np.float64)), 0.0, 0.0, 0.0),  # type: ignore[arg-type]
    "VaR 50%": lambda outcome: kernel.value_at_risk(outcome, 0.5),
    "VaR 99%": lambda outcome: kernel.value_at_risk(outcome, LEVEL),
    "ES 99%": lambda outcome: kernel.expected_shortfall(outcome, LEVEL),
    "call": lambda outcome: kernel.breach_probability(outcome, TIER),
    "median time": lambda outcome: kernel.breach_time_quantile(outcome, TIER, 0.5),
}


def _books() -> list[tuple[str, jobs.Job]]:
    def one(market: kernel.Market, steps: int) -> jobs.Job:
        return jobs.Job(market, LONG, LADDER, {"horizon": jobs.FIVE_DAYS, "steps": steps, "threads": 1})

    def ten(steps: int) -> jobs.Job:
        return jobs.book_of_ten(1, horizon=0.1, steps=steps)

    year = jobs.perpetual(True, 1, jobs.FIVE_DAYS, 1).market
    return [
        ("GBM, one step", one(GBM, 1)),
        ("GBM, five steps", one(GBM, 5)),
        ("GBM, 120 steps", one(GBM, 120)),
        ("ten assets, long and short, one step", ten(1)),
        ("ten assets, long and short, five steps", ten(5)),
        ("Merton, 12 jumps a year, one step", one(year, 1)),
        ("Heston, five steps", one(jobs.four_months("heston", 1).market, 5)),
    ]


def _values(job: jobs.Job, sampling: str) -> np.ndarray[Any, Any]:
    """Return the measures [measure, run] of runs that differ by the seed."""
    outcomes = (job.run(sampling=sampling, paths=PATHS[sampling], seed=seed) for seed in range(RUNS))
    return np.array([[measure(outcome).value for measure in MEASURES.values()] for outcome in outcomes]).T


def gains() -> list[str]:
    """Tell how many times fewer paths give the error of plain sampling."""
    rows = [f"| book | sampling | {' | '.join(MEASURES)} |", "|---|---|" + "---|" * len(MEASURES)]
    for name, job in _books():
        plain = _values(job, "plain").var(axis=1, ddof=1) * PATHS["plain"]
        for sampling in ("antithetic", "sobol"):
            own = _values(job, sampling).var(axis=1, ddof=1) * PATHS[sampling]
            cells = " | ".join(two_figures(ratio) for ratio in plain / own)
            rows.append(f"| {name} | {sampling} | {cells} |")
    return rows


def times() -> list[str]:
    """Time a path under each sampling, on one thread."""
    rows = ["| book | plain, ns a path | antithetic | sobol |", "|---|---|---|---|"]
    for name, job in _books():
        rounds = [[_seconds(job, sampling) for sampling in PATHS] for _ in range(10)]
        took = dict(zip(PATHS, map(min, zip(*rounds, strict=True)), strict=True))
        plain = took["plain"] / PATHS["plain"]
        others = " | ".join(f"{took[one] / PATHS[one] / plain:.2f}x" for one in ("antithetic", "sobol"))
        rows.append(f"| {name} | {plain * 1e9:,.0f} | {others} |")
    return rows


def _seconds(job: jobs.Job, sampling: str) -> float:
    start = time.perf_counter()
    job.run(sampling=sampling, paths=PATHS[sampling])
    return time.perf_counter() - start


def weighted(paths: int, seed: int) -> kernel.Outcome:
    """Simulate under another drift, and weight the paths back by their likelihood ratios at the close."""
    moved = replace(GBM, drift=DRIFT + SHIFT)
    job = jobs.Job(moved, LONG, LADDER, {"horizon": jobs.FIVE_DAYS, "steps": 1, "monitoring": "discrete"})
    outcome = job.run(paths=paths, seed=seed)
    h = SHIFT / VOLATILITY**2
    growth = h * (DRIFT - VOLATILITY**2 / 2) + (h * VOLATILITY) ** 2 / 2
    assert outcome.terminal_price is not None  # noqa: S101 - paths are kept
    assert outcome.breach_time is not None  # noqa: S101
    ratio = np.exp(growth * jobs.FIVE_DAYS - h * np.log(outcome.terminal_price[0].astype(np.float64) / 60_000.0))
    return replace(outcome, weight=ratio, breach_weight=np.where(np.isnan(outcome.breach_time), 0.0, ratio))


def coverage() -> list[str]:
    """Count how often 95% intervals hold the truth, where it is known in closed form: discrete, so closes decide."""
    arguments = (1.0, 60e3, 60e3, DRIFT, VOLATILITY, jobs.FIVE_DAYS)
    barrier = math.log(54_000.0 / (1 - LADDER.tiers[TIER] * 0.005) / 60_000.0)
    spread, nu = VOLATILITY * math.sqrt(jobs.FIVE_DAYS), DRIFT - VOLATILITY**2 / 2
    hit = 0.5 * math.erfc(-(barrier - nu * jobs.FIVE_DAYS) / spread / math.sqrt(2))
    truths = {
        "VaR 99%": gbm.value_at_risk(LEVEL, *arguments),
        "ES 99%": gbm.expected_shortfall(LEVEL, *arguments),
        "call": hit,
    }
    rows = ["| paths | VaR 99% | ES 99% | breach |", "|---|---|---|---|"]
    for name, draw in _drawn().items():
        found = np.zeros(3)
        for seed in range(COVERED):
            outcome = draw(seed)
            estimates = [MEASURES[measure](outcome) for measure in truths]
            found += [one.low <= truth <= one.high for one, truth in zip(estimates, truths.values(), strict=True)]
        rows.append(f"| {name} | {' | '.join(f'{100 * one / COVERED:.1f}%' for one in found)} |")
    return rows


def _drawn() -> dict[str, Callable[[int], kernel.Outcome]]:
    def drawn(sampling: str, paths: int, steps: int) -> Callable[[int], kernel.Outcome]:
        job = jobs.Job(
            GBM, LONG, LADDER, {"horizon": jobs.FIVE_DAYS, "steps": steps, "monitoring": "discrete", "paths": paths}
        )
        return lambda seed: job.run(sampling=sampling, seed=seed)

    return {
        "plain, 10,000, one step": drawn("plain", 10_000, 1),
        "antithetic, 10,000, one step": drawn("antithetic", 10_000, 1),
        "sobol, 4,096, one step": drawn("sobol", 2**12, 1),
        "sobol, 16,384, one step": drawn("sobol", 2**14, 1),
        "sobol, 65,536, one step": drawn("sobol", 2**16, 1),
        "weighted, 10,000, one step": lambda seed: weighted(10_000, seed),
    }


def main() -> None:
    """Write the page."""
    text = [
        "# Sampling",
        "",
        "Written by `python -m bench.pages.sampling`: what `simulate(..., sampling=)` is worth.",
        "",
        "## How many times fewer paths give the error of plain sampling",
        "",
        f"Ratios of variances over {RUNS} seeds, of about {PATHS['sobol']:,} paths each, known to within a half.",
        "A tenfold long perpetual over five days (ten assets: 36.5 days), continuous monitoring; `call` is the",
        "probability of one, `median time` that of its breach.",
        "",
        *gains(),
        "",
        "- Antithetic pairs help where a path's gain is its twin's loss: means and medians. They leave the tail as",
        "  it is: of the worst 1% hardly two are twins, but of independent paths hardly two would be either.",
        "- Sobol points help what follows from closing prices without a jump: along their first dimension each",
        "  replicate has one path in every stratum of the book's closing value. Jumps are not on the points, nor the",
        "  variances of Heston and Bates: a tail that they decide gains little.",
        "- Breaches between two steps are decided by the bridge, which stays random. More steps put more of them on",
        "  the points, and cost more.",
        "- The gain of Sobol points grows with the number of paths, that of pairs does not.",
        "",
        "## What they cost",
        "",
        "Beside plain sampling, one thread, best of ten rounds. Each scrambling takes about 0.03 ms a dimension (steps",
        "times assets), 32 of them 1 ms. SciPy draws points under Python's lock: many threads wait for each other.",
        "",
        *times(),
        "",
        "## Whether the intervals hold",
        "",
        f"Share of {COVERED} runs whose 95% interval holds the truth in closed form: GBM in one step, discrete",
        "monitoring, so that the close decides. Weighted: simulated under another drift, with likelihood ratios at",
        f"the close. A share of 95% is known to within {196 * math.sqrt(0.95 * 0.05 / COVERED):.1f}%. Intervals of VaR",
        "reach one loss further on either side, so they hold too often where stratified losses leave hardly any error.",
        "",
        *coverage(),
        "",
    ]
    TARGET.write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()

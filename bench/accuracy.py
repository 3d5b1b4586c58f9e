"""Write docs/accuracy.md: how far continuous monitoring is from the truth, by market and number of steps.

python -m bench.accuracy
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import kernel
from bench import accuracy_heston, jobs
from tests.oracles import gbm, kou

PATHS = 2_000_000
TARGET = Path(__file__).parents[1] / "docs" / "accuracy.md"
KOU = (0.0, 0.5, 20.0, 0.4, 0.03, 0.05)  # drift, volatility, intensity, probability and mean up, mean down
LONG = kernel.Account(
    cash=6_000.0, positions=[kernel.Linear("BTC", quantity=1.0, entry_price=60_000.0)], maintenance_rate=0.005
)
LADDER = kernel.Ladder({"warning": 10.0, "liquidation": 1.0})


def _percent(estimate: kernel.Estimate) -> str:
    return f"{100 * estimate.value:.3f} ± {100 * estimate.standard_error:.3f}"


def _barrier(level: float) -> float:
    """Return the log price at which equity is `level` times the requirement: S - 54,000 = level * 0.005 S."""
    return math.log(54_000.0 / (1 - level * 0.005) / 60_000.0)


def one_asset() -> list[str]:
    """Compare one-asset breach probabilities over five days with closed form and transform."""
    markets: list[tuple[str, kernel.Market, Callable[[float], float]]] = [
        (
            "GBM",
            kernel.Gbm(assets=["BTC"], spot=60_000.0, volatility=0.65),
            lambda barrier: float(gbm.hit_probability(barrier, -(0.65**2) / 2, 0.65, jobs.FIVE_DAYS)),
        ),
        (
            "Kou",
            kernel.Kou(
                assets=["BTC"], spot=60_000.0, volatility=0.5, jump_intensity=20.0, up_probability=0.4, up_mean=0.03,
                down_mean=0.05,
            ),
            lambda barrier: float(kou.hit_probability(barrier, *KOU, jobs.FIVE_DAYS)),
        ),
    ]  # fmt: skip
    rows = [
        "| market | tier | truth | 1 step | 5 steps | 120 steps | 5 steps, discrete |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, market, truth in markets:
        runs = [
            kernel.simulate(
                market, LONG, LADDER, horizon=jobs.FIVE_DAYS, steps=steps, paths=PATHS, monitoring=how, record="summary"
            )
            for steps, how in ((1, "continuous"), (5, "continuous"), (120, "continuous"), (5, "discrete"))
        ]
        for tier, level in LADDER.tiers.items():
            cells = " | ".join(_percent(kernel.breach_probability(run, tier)) for run in runs)
            rows.append(f"| {name} | {tier} | {100 * truth(_barrier(level)):.3f} | {cells} |")
    return rows


def _books() -> list[tuple[str, jobs.Job]]:
    pair = kernel.Gbm(assets=["BTC", "ETH"], spot=[60e3, 3e3], volatility=[0.65, 0.8], correlation=[[1, 0.8], [0.8, 1]])
    settings = {"horizon": jobs.FIVE_DAYS, "steps": 1, "paths": PATHS}
    both = [kernel.Linear("BTC", 1.0, 60e3), kernel.Linear("ETH", 20.0, 3e3)]
    hedged = [kernel.Linear("BTC", 1.0, 60e3), kernel.Linear("ETH", -20.0, 3e3)]
    ladder = kernel.Ladder({"liquidation": 1.0})
    ten = jobs.book_of_ten(PATHS // 4, horizon=0.1, steps=1, threads=None)
    together = kernel.Account(cash=12e3, positions=both, maintenance_rate=0.005)
    against = kernel.Account(cash=8e3, positions=hedged, maintenance_rate=0.005)
    wild = kernel.Gbm(assets=["A", "B"], spot=100.0, volatility=[2.0, 0.5])
    alike = kernel.Gbm(assets=["A", "B"], spot=100.0, volatility=0.65, correlation=[[1, 1], [1, 1]])
    long_both = kernel.Account(
        cash=-120.0, positions=[kernel.Linear("A", 1.0), kernel.Linear("B", 1.0)], maintenance_rate=0.05
    )
    basis = kernel.Account(
        cash=-90.0, positions=[kernel.Linear("A", 3.0), kernel.Linear("B", -2.0)], maintenance_rate=0.005
    )
    ninety_days = settings | {"horizon": 90 / 365}
    return [
        ("long two assets", jobs.Job(pair, together, ladder, settings)),
        ("long one, short the other", jobs.Job(pair, against, ladder, settings)),
        ("ten assets, long and short", ten),
        ("volatilities 200% and 50%, uncorrelated, 90 days", jobs.Job(wild, long_both, ladder, ninety_days)),
        ("long 3, short 2 of perfectly correlated assets", jobs.Job(alike, basis, ladder, settings)),
    ]  # fmt: skip


def several_assets() -> list[str]:
    """Compare the bridge of several assets with itself on a fine grid, and with discrete monitoring."""
    grid = (1, 4, 16, 64)
    steps_each = " | ".join(f"{steps} step{'s' if steps > 1 else ''}" for steps in grid)
    rows = [f"| book | monitoring | {steps_each} | 1,024 steps |", "|---|---|" + "---|" * (len(grid) + 1)]
    for name, job in _books():
        for how in ("continuous", "discrete"):
            runs = [job.run(steps=steps, monitoring=how, record="summary") for steps in (*grid, 1_024)]
            cells = " | ".join(_percent(kernel.breach_probability(run, "liquidation")) for run in runs)
            rows.append(f"| {name} | {how} | {cells} |")
    return rows


def main() -> None:
    """Write the page."""
    text = [
        "# Accuracy",
        "",
        "Written by `python -m bench.accuracy`. Breach probabilities in percent, ± one standard error.",
        "",
        "## One asset: exact at any number of steps",
        "",
        f"A tenfold long perpetual over five days, {PATHS:,} paths, against first passage in closed form (GBM) and the",
        "transform of Kou and Wang (2003).",
        "",
        *one_asset(),
        "",
        "## Several assets: a bridge of local variance",
        "",
        "Liquidation over five days unless it says so (ten assets: 36.5 days). The distance of a tier is the logarithm",
        "of what counts for it over what counts against it; its bridge takes the variance from the mean of both ends.",
        "The same seed does not give the same paths at another number of steps: columns differ by Monte Carlo error.",
        "",
        "The last two books are hard ones: within a step the mix of what is held changes much on the way to the tier.",
        "Choose the steps so that the volatility of the most volatile asset times the root of a step is at most 0.1.",
        "",
        *several_assets(),
        "",
        *accuracy_heston.page(),
    ]
    TARGET.write_text("\n".join(text))


if __name__ == "__main__":
    main()

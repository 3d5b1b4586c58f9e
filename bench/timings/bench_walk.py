"""How fast is the walk: by monitoring, precision, market, tiers and assets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kernel
from bench.timings import jobs

PATHS = 1 << 17
MONITORING = ("discrete", "continuous")


def tiered(count: int, how: str) -> jobs.Job:
    """Return the year down so many tiers, between the same first and last levels; one tier is the last."""
    levels = np.linspace(0.1, 0.6, count)[::-1]
    ladder = kernel.Ladder({f"tier {k}": float(level) for k, level in enumerate(levels)}, metric="equity_fraction")
    return jobs.year(PATHS, monitoring=how)._replace(ladder=ladder)


def few(count: int, how: str) -> jobs.Job:
    """Return a book like that of ten, of fewer assets, all held long at ten times the equity."""
    job = jobs.book_of_ten(PATHS // (4 * count), monitoring=how)
    names = job.market.assets[:count]
    market = kernel.Gbm(assets=names, spot=100.0, volatility=0.6, correlation=0.5 * np.eye(count) + 0.5)
    positions = [kernel.Linear(name, quantity=2.0) for name in names]
    account = kernel.Account(cash=-180.0 * count, positions=positions, maintenance_rate=0.01)
    return job._replace(market=market, account=account)


CASES = {
    "gbm, discrete": jobs.year(PATHS),
    "gbm, continuous": jobs.year(PATHS, monitoring="continuous"),
    "gbm, discrete, double": jobs.year(PATHS, precision="double"),
    "gbm, continuous, double": jobs.year(PATHS, monitoring="continuous", precision="double"),
    **{
        f"gbm, {how}, {word}": tiered(count, how)
        for how in MONITORING
        for count, word in ((1, "one tier"), (16, "16 tiers"))
    },
    "gbm, daily, continuous": jobs.perpetual(False, PATHS, 1.0, 365, threads=1),
    "merton, daily, continuous": jobs.perpetual(True, PATHS, 1.0, 365, threads=1),
    "merton, five days in one step, two threads": jobs.perpetual(True, 1 << 20, jobs.FIVE_DAYS, 1, threads=2),
    **{
        f"{model}, 120 days, {how}": jobs.four_months(model, PATHS, monitoring=how)
        for model in ("gbm", "heston", "bates", "filtered")
        for how in MONITORING
    },
    **{
        f"{word}, {how}": few(count, how) for count, word in ((1, "one asset"), (2, "two assets")) for how in MONITORING
    },
    **{f"ten assets, {how}": jobs.book_of_ten(1 << 14, monitoring=how) for how in MONITORING},
}


@pytest.mark.parametrize("name", CASES)
def test_walk(benchmark: Any, name: str) -> None:
    """Time a job; compiling is done before, by a run of the same kernel."""
    job = CASES[name]
    job.run(paths=1)
    benchmark.extra_info.update(
        name=name,
        contender="kernel",
        threads=job.settings.get("threads"),
        paths=job.settings["paths"],
        steps=job.steps,
    )
    benchmark.pedantic(job.run, rounds=10, warmup_rounds=1)

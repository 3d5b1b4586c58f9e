"""How fast is the walk: by monitoring, precision, market, assets and threads, and beside NumPy."""

from __future__ import annotations

from typing import Any

import pytest

from bench import jobs

PATHS = 1 << 17
CASES = {
    "gbm, discrete": jobs.year(PATHS),
    "gbm, discrete, two threads": jobs.year(PATHS, threads=2),
    "gbm, continuous": jobs.year(PATHS, monitoring="continuous"),
    "gbm, discrete, double": jobs.year(PATHS, precision="double"),
    "gbm, continuous, double": jobs.year(PATHS, monitoring="continuous", precision="double"),
    "gbm, daily, continuous": jobs.perpetual(False, PATHS, 1.0, 365, threads=1),
    "merton, daily, continuous": jobs.perpetual(True, PATHS, 1.0, 365, threads=1),
    "merton, five days in one step, two threads": jobs.perpetual(True, 1 << 20, jobs.FIVE_DAYS, 1, threads=2),
    **{
        f"{model}, 120 days, {how}": jobs.four_months(model, PATHS, monitoring=how)
        for model in ("gbm", "heston", "bates", "filtered")
        for how in ("discrete", "continuous")
    },
    "ten assets, discrete": jobs.book_of_ten(1 << 14, monitoring="discrete"),
    "ten assets, continuous": jobs.book_of_ten(1 << 14),
}


@pytest.mark.parametrize("name", CASES)
def test_walk(benchmark: Any, name: str) -> None:
    """Time a job; compiling is done before, by a run of the same kernel."""
    job = CASES[name]
    job.run(paths=1)
    benchmark.extra_info.update(name=name, steps=job.steps, paths=job.settings["paths"])
    benchmark.pedantic(job.run, rounds=10, warmup_rounds=1)


def test_numpy(benchmark: Any) -> None:
    """Time the NumPy version of the first job."""
    benchmark.extra_info.update(name="numpy, discrete", steps=PATHS * jobs.STEPS, paths=PATHS)
    benchmark.pedantic(jobs.walk_in_numpy, args=(PATHS,), rounds=5, warmup_rounds=1)

"""What one exact step is worth: five days of Merton against discrete grids, with their bias."""

from __future__ import annotations

from typing import Any

import pytest

import kernel
from bench import jobs

GRIDS = {"5 minutes": 1440, "1 hour": 120, "1 day": 5}


def test_exact_step(benchmark: Any) -> None:
    """Time one step, and note its breach probability and error."""
    job = jobs.perpetual(True, 1 << 20, jobs.FIVE_DAYS, 1)
    estimate = kernel.breach_probability(job.run(), "liquidation")
    benchmark.extra_info.update(name="exact", probability=estimate.value, error=estimate.standard_error)
    benchmark.pedantic(job.run, rounds=5, warmup_rounds=1)


@pytest.mark.parametrize("grid", GRIDS)
def test_grid(benchmark: Any, grid: str) -> None:
    """Time a grid, and note its breach probability and error."""
    job = jobs.perpetual(True, 1 << 20, jobs.FIVE_DAYS, GRIDS[grid], monitoring="discrete")
    estimate = kernel.breach_probability(job.run(), "liquidation")
    benchmark.extra_info.update(name=grid, probability=estimate.value, error=estimate.standard_error)
    benchmark.pedantic(job.run, rounds=1)

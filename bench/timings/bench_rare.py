"""What a tilt is worth: 43 minutes of Merton, in which one perpetual in ten thousand is liquidated."""

from __future__ import annotations

from typing import Any

import pytest

import kernel
from bench.timings import jobs

SHORT = 43 / 1440 / 365
CASES = {"plain": (1 << 23, {"record": "summary"}), "tilted": (1 << 18, {"importance": "liquidation"})}


@pytest.mark.parametrize("how", CASES)
def test_rare_breach(benchmark: Any, how: str) -> None:
    """Time a simulation, its pilot run too, and note the probability and its relative error."""
    paths, changes = CASES[how]
    job = jobs.perpetual(True, paths, SHORT, 1, **changes)
    estimate = kernel.breach_probability(job.run(), "liquidation")
    benchmark.extra_info.update(
        name=f"rare breach, {how}", probability=estimate.value, error=estimate.standard_error / estimate.value
    )
    benchmark.pedantic(job.run, rounds=5, warmup_rounds=1)

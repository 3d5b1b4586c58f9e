"""How long do the measures of ten million losses take, with their errors, beside NumPy's figures without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kernel
from bench.timings import jobs
from bench.timings.turns import CLOCK, measure, replay

pytestmark = pytest.mark.benchmark(timer=CLOCK.read)
PATHS, LEVEL, ROUNDS = 10_000_000, 0.99, 5
WHAT = ("value_at_risk", "expected_shortfall")
CASES = [*(f"{what}, {who}" for what in WHAT for who in ("kernel", "numpy")), "both, kernel"]


@pytest.fixture(scope="module")
def measured() -> dict[str, list[float]]:
    """Simulate the losses, and measure all in turns."""
    outcome = jobs.perpetual(True, PATHS, jobs.FIVE_DAYS, 1).run()
    losses = outcome.loss
    assert losses is not None  # noqa: S101 - the outcome has paths

    def tail_mean() -> float:
        return float(losses[losses >= np.quantile(losses, LEVEL)].mean(dtype=np.float64))

    def both() -> tuple[kernel.Estimate, kernel.Estimate]:
        return kernel.value_at_risk(outcome, LEVEL), kernel.expected_shortfall(outcome, LEVEL)

    cases: dict[str, Callable[[], Any]] = {
        "value_at_risk, kernel": lambda: kernel.value_at_risk(outcome, LEVEL),
        "value_at_risk, numpy": lambda: np.quantile(losses, LEVEL),
        "expected_shortfall, kernel": lambda: kernel.expected_shortfall(outcome, LEVEL),
        "expected_shortfall, numpy": tail_mean,
        "both, kernel": both,
    }
    return measure(cases, ROUNDS)


@pytest.mark.parametrize("name", CASES)
def test_measures(benchmark: Any, measured: dict[str, list[float]], name: str) -> None:
    """Report a measure."""
    contender = name.split(", ")[1]
    benchmark.extra_info.update(name=f"measures, {name}", contender=contender, threads=1, paths=PATHS, steps=PATHS)
    replay(benchmark, measured[name])

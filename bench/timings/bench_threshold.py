"""From targets to levels: a curve of thresholds, and calibrations of margin and ladder."""

from __future__ import annotations

from typing import Any

import numpy as np

import kernel
from bench.timings import jobs

LEVELS, PATHS = 1_000, 10**6
DAY = 1 / 365


def test_curve(benchmark: Any) -> None:
    """Time a curve of an outcome whose worst metrics are not sorted yet."""
    outcome = jobs.perpetual(True, PATHS, jobs.FIVE_DAYS, 1, worst=True).run()
    probabilities = np.geomspace(1e-5, 0.5, LEVELS)

    def curve() -> None:
        outcome.__dict__.pop("worst_ascending", None)
        kernel.threshold_curve(outcome, probabilities)

    benchmark.extra_info.update(name="threshold curve", levels=LEVELS, paths=PATHS)
    benchmark.pedantic(curve, rounds=10, warmup_rounds=1)


def test_margin(benchmark: Any) -> None:
    """Time maintenance and initial rates by first passage."""
    job = jobs.perpetual(True, 1, jobs.FIVE_DAYS, 1)

    def calibrate() -> None:
        kernel.calibrate_margin(job.market, job.account, liquidation_period=2 * DAY, probability=0.01, paths=PATHS)

    benchmark.extra_info.update(name="calibrate_margin")
    benchmark.pedantic(calibrate, rounds=5, warmup_rounds=1)


def test_ladder(benchmark: Any) -> None:
    """Time two tiers that leave a day and four hours."""
    job = jobs.perpetual(True, 1, jobs.FIVE_DAYS, 1)
    responses = {"warning": kernel.Response(DAY, 0.3), "call": kernel.Response(DAY / 6, 0.2)}

    def calibrate() -> None:
        kernel.calibrate_ladder(job.market, job.account, responses, horizon=jobs.FIVE_DAYS)

    benchmark.extra_info.update(name="calibrate_ladder")
    benchmark.pedantic(calibrate, rounds=5, warmup_rounds=1)

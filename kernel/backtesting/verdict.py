"""What a test of forecasts says, and what it takes."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel import checks
from kernel.errors import Problems
from kernel.measures.estimate import binomial_log_mass

SIGNIFICANCE = 0.05
"""A p-value below it fails: of right forecasts at most one in twenty, by each test; fewer where few are expected."""


class Verdict(NamedTuple):
    """A test's statistic, its p-value, and what that says."""

    statistic: float
    p_value: float
    """Of a statistic at least as bad if the forecasts are right; NaN where there is nothing to test."""
    word: str
    """passes, fails, or undecided."""


def judged(statistic: float, p_value: float) -> Verdict:
    """Hold a p-value against the significance.

    Example:
        >>> judged(4.2, 0.04).word
        'fails'
    """
    if math.isnan(p_value):
        return Verdict(statistic, p_value, "undecided")
    return Verdict(statistic, p_value, "fails" if p_value < SIGNIFICANCE else "passes")


def binomial_cumulative(count: int, trials: int, probability: float) -> float:
    """Return the probability of at most `count` hits in independent trials, of a probability in (0, 1).

    Example:
        >>> round(binomial_cumulative(4, 250, 0.01), 4)
        0.8922
    """
    return min(1.0, math.fsum(np.exp(binomial_log_mass(min(count, trials), trials, probability))))


def checked_series(exceptions: ArrayLike, level: Any) -> tuple[NDArray[np.bool_], float]:
    """Return exceptions as truth values by forecast, and the chance that each has at a level.

    Raises:
        InvalidInput: for no exceptions, other axes, or a level outside (0, 1).
    """
    problems, series = Problems(), np.asarray(exceptions)
    if series.ndim != 1 or not series.size or not np.isin(series, (0, 1)).all():
        problems.add("exceptions", "must be truth values, one for each forecast, at least one")
    level = checks.number(problems, "level", level, above=0, below=1)
    problems.raise_any()
    return series.astype(bool), 1 - level

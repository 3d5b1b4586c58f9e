"""When and how likely a tier of the ladder is breached."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernel import checks
from kernel.errors import Problems
from kernel.measures.estimate import Estimate, Z, interval_ranks, proportion, rank
from kernel.outcome import Outcome, require_outcome


def breach_probability(outcome: Outcome, tier: str, by: float | None = None) -> Estimate:
    """Estimate the probability that a tier is breached at or before a time, with Wilson's interval.

    Args:
        outcome: of `simulate`.
        tier: name of a tier.
        by: years, from 0 to the horizon; default: the horizon. A summary counts on a grid of 1,440 cells of the
            horizon; between them it interpolates, or, of discrete monitoring, counts up to the last.

    Raises:
        InvalidInput: for an unknown tier or a time outside the horizon.
    """
    require_outcome(outcome)
    problems = Problems()
    time = outcome.horizon if by is None else checks.number(problems, "by", by, at_least=0, at_most=outcome.horizon)
    problems.raise_any()
    return proportion(outcome.breaches_by(tier, time), outcome.paths)


def breach_time_quantile(outcome: Outcome, tier: str, probability: float) -> Estimate:
    """Estimate a quantile of a tier's breach time, in years, given that it breaches within the horizon.

    The interval comes from order statistics. If no path breaches, all four numbers are NaN.

    Args:
        outcome: of `simulate`.
        tier: name of a tier.
        probability: above 0 and below 1; 0.5 for the median.

    Raises:
        InvalidInput: for an unknown tier or a probability outside its range.
    """
    require_outcome(outcome)
    problems = Problems()
    probability = checks.number(problems, "probability", probability, above=0, below=1)
    problems.raise_any()
    count = int(outcome.breaches_by(tier, outcome.horizon))
    if count == 0:
        return Estimate(math.nan, math.nan, math.nan, math.nan)
    low, high = interval_ranks(probability, count)
    earliest = outcome.breach_order(tier, low) if low >= 1 else 0.0
    latest = outcome.breach_order(tier, high) if high <= count else outcome.horizon
    value = outcome.breach_order(tier, rank(probability, count))
    return Estimate(value, (latest - earliest) / (2 * Z), earliest, latest)


@dataclass(frozen=True, eq=False)
class Survival:
    """The probability of not having breached by each of 1,441 times; unpacks into times and probabilities."""

    times: NDArray[np.float64]
    """Years, from 0 to the horizon."""
    probabilities: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        return iter((self.times, self.probabilities))


def survival(outcome: Outcome, tier: str) -> Survival:
    """Estimate the probability that a tier is not yet breached, over time, with Wilson's intervals.

    Args:
        outcome: of `simulate`.
        tier: name of a tier.

    Raises:
        InvalidInput: for an unknown tier.

    Example:
        `times, probabilities = kernel.survival(outcome, "call")`
    """
    require_outcome(outcome)
    breached = np.cumsum(outcome.breaches_by_cell(tier))
    estimates = np.array([proportion(float(outcome.paths - hits), outcome.paths) for hits in breached])
    return Survival(outcome.cell_times(), *estimates.T)

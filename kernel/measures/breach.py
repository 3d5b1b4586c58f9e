"""When and how likely a tier of the ladder is breached."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kernel import checks
from kernel.errors import Problems
from kernel.measures.estimate import Estimate, Z, interval_ranks, proportion, rank
from kernel.measures.replicates import are_independent, ordered, reach, share, spread, spreads, weighted
from kernel.simulation.outcome import Outcome, require_outcome
from kernel.tables import Tabular, table_of

if TYPE_CHECKING:
    import pyarrow as pa


def breach_probability(outcome: Outcome, tier: str, by: float | str | None = None) -> Estimate:
    """Estimate the probability that a tier is breached at or before a time, with Wilson's interval.

    Args:
        outcome: of `simulate`.
        tier: name of a tier.
        by: years, from 0 to the horizon, or a text such as "1d"; default: the horizon. A summary counts on a grid of
            1,440 cells of the horizon; between them it interpolates, or, of discrete monitoring, counts up to the last.

    Raises:
        InvalidInput: for an unknown tier or a time outside the horizon.
    """
    require_outcome(outcome)
    problems = Problems()
    time = outcome.horizon if by is None else checks.years(problems, "by", by, at_least=0, at_most=outcome.horizon)
    problems.raise_any()
    if not are_independent(outcome):
        times, weights = _times(outcome, tier)
        contributions = weighted(weights, times <= times.dtype.type(time))
        return _share(outcome, contributions)
    return proportion(outcome.breaches_by(tier, time), outcome.paths)


def _times(outcome: Outcome, tier: str) -> tuple[NDArray[np.floating], NDArray[np.float64] | None]:
    """Return every path's breach time, infinity for never, and its likelihood ratio there, 0 for never."""
    k = outcome.tier_index(tier)
    if outcome.breach_time is None:
        raise TypeError("an outcome with replicates or likelihood ratios has paths")
    never = np.isnan(outcome.breach_time[k])
    times = np.where(never, np.inf, outcome.breach_time[k])
    if outcome.breach_weight is None:
        return times, None
    return times, np.where(never, 0.0, outcome.breach_weight[k].astype(np.float64))


def _share(outcome: Outcome, contributions: NDArray[np.float64]) -> Estimate:
    largest = float(contributions.max()) or 1.0
    return share(float(contributions.mean()), spread(contributions, outcome), largest, outcome)


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
    if not are_independent(outcome):
        return _sampled_quantile(outcome, tier, probability)
    count = int(outcome.breaches_by(tier, outcome.horizon))
    if count == 0:
        return Estimate(math.nan, math.nan, math.nan, math.nan)
    low, high = interval_ranks(probability, count)
    earliest = outcome.breach_order(tier, low) if low >= 1 else 0.0
    latest = outcome.breach_order(tier, high) if high <= count else outcome.horizon
    value = outcome.breach_order(tier, rank(probability, count))
    return Estimate(value, (latest - earliest) / (2 * Z), earliest, latest)


def _sampled_quantile(outcome: Outcome, tier: str, probability: float) -> Estimate:
    times, weights = _times(outcome, tier)
    breached, most = np.isfinite(times), reach(outcome.replicates)
    if not breached.any():
        return Estimate(math.nan, math.nan, math.nan, math.nan)
    found = ordered(times[breached], None if weights is None else weights[breached])
    mass = probability * found.mass[-1]
    value = found.at(mass)  # the end of a step, where only those count; a bridge's noise hides half a gap elsewhere
    error = spread(weighted(weights, (times <= value) - probability * breached), outcome)
    low, high = found.around(mass, most * error * outcome.paths)
    low, high = max(low, 0.0), min(high, outcome.horizon)
    return Estimate(value, (high - low) / (2 * most), low, high)


@dataclass(frozen=True, eq=False)
class Survival(Tabular):
    """The probability of not having breached by each of 1,441 times: a table, that unpacks into its first two columns.

    So `times, probabilities = kernel.survival(outcome, "call")`, and `pandas.DataFrame.from_arrow(survival)` has all.
    """

    times: NDArray[np.float64]
    """Years, from 0 to the horizon."""
    probabilities: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    provenance: dict[str, Any] | None = field(default=None, repr=False)
    """Of the outcome."""

    def to_arrow(self) -> pa.Table:
        """Return a row for each time: time in years, probability, standard_error, low and high.

        Its schema carries the provenance of the outcome as JSON under "margin_kernel".
        """
        columns = {"time": self.times, "probability": self.probabilities, "standard_error": self.standard_error}
        return table_of({**columns, "low": self.low, "high": self.high}, self.provenance)

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
    if not are_independent(outcome):
        return _sampled_survival(outcome, tier)
    breached = np.cumsum(outcome.breaches_by_cell(tier))
    estimates = np.array([proportion(float(outcome.paths - hits), outcome.paths) for hits in breached])
    value, error, low, high = estimates.T
    return Survival(outcome.cell_times(), value, error, low, high, outcome.provenance)


def _sampled_survival(outcome: Outcome, tier: str) -> Survival:
    """Reckon as `breach_probability` does, for all cells in one pass over the paths."""
    (times, weights), edges = _times(outcome, tier), outcome.cell_times()
    weights, ends = np.isfinite(times) * 1.0 if weights is None else weights, edges.astype(times.dtype)
    cells = np.searchsorted(ends, times)  # the last: never
    sums, largest = np.zeros(edges.size + 1), np.zeros(edges.size + 1)
    np.add.at(sums, cells, weights)
    np.maximum.at(largest, cells, weights)
    values = np.cumsum(sums)[:-1] / outcome.paths
    errors = spreads(times, weights, ends, outcome)
    most = np.maximum.accumulate(largest)[:-1]
    breached = [share(*numbers, outcome) for numbers in zip(values, errors, np.where(most > 0, most, 1.0), strict=True)]
    value, error, low, high = np.array(breached).T
    return Survival(edges, 1 - value, error, 1 - high, 1 - low, outcome.provenance)

"""When and how likely a tier of the ladder is breached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kernel import checks
from kernel.checks.text import brief
from kernel.errors import Problems
from kernel.measures.estimate import Estimate
from kernel.measures.quantities import breach_times, responses
from kernel.simulation.outcome import Outcome, require_outcome
from kernel.simulation.path_outcome import require_paths
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
    return breach_times(outcome, tier).share_at_most(time)


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
    return breach_times(outcome, tier).quantile_of_reached(probability)


def response_time(outcome: Outcome, from_tier: str, to_tier: str, quantile: float) -> Estimate:
    """Estimate a quantile of the time from a tier's first breach to a deeper one's, in years, given that it follows.

    A gap that passes both tiers at once leaves no time: 0. The interval comes from order statistics. If the deeper tier
    is breached on no path, all four numbers are NaN.

    Args:
        outcome: of `simulate`, with an escalation or without; not a summary.
        from_tier: name of a tier.
        to_tier: name of a deeper one.
        quantile: a probability above 0 and below 1; 0.5 for the median.

    Raises:
        InvalidInput: for a summary, an unknown tier, one that is not deeper, or a quantile outside its range.

    Example:
        `kernel.response_time(outcome, "call", "liquidation", 0.1)`
    """
    require_outcome(outcome)
    paths, problems = require_paths(outcome), Problems()
    quantile = checks.number(problems, "quantile", quantile, above=0, below=1)
    if paths.tier_index(to_tier) <= paths.tier_index(from_tier):
        problems.add("to_tier", f"must be deeper than {brief(from_tier)}, not {brief(to_tier)}")
    problems.raise_any()
    return responses(paths, from_tier, to_tier).quantile_of_reached(quantile)


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
    times = outcome.cell_times()
    value, error, low, high = breach_times(outcome, tier).survival(times)
    return Survival(times, value, error, low, high, outcome.provenance)

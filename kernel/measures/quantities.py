"""The quantities of an outcome as samples: losses, breach times, lowest metrics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kernel.measures.independent import IndependentSample
from kernel.measures.sample import Sample
from kernel.measures.weighted import WeightedSample
from kernel.simulation.outcome import Outcome
from kernel.simulation.path_outcome import PathOutcome

_OF_ONE = 3  # ranks, of a level and of its interval's ends


def losses(outcome: Outcome) -> Sample:
    """Return the paths' losses, opening minus closing equity."""
    if isinstance(outcome, PathOutcome) and _depend(outcome):
        return WeightedSample(outcome.loss, outcome.weight, outcome.replicates, outcome.untilted)

    def order(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
        lowest = int(ranks.min())
        return outcome.worst_losses(outcome.paths - lowest + 1)[ranks - lowest]

    def count(bounds: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([float(outcome.paths - outcome.losses_above(bound)) for bound in bounds.tolist()])

    return IndependentSample(outcome.paths, order, count)


def breach_times(outcome: Outcome, tier: str) -> Sample:
    """Return the paths' breach times of a tier, in years.

    Raises:
        InvalidInput: if there is no such tier.
    """
    k = outcome.tier_index(tier)
    if isinstance(outcome, PathOutcome) and _depend(outcome):
        never = np.isnan(outcome.breach_time[k])
        weights = outcome.breach_weight
        return WeightedSample(
            values=np.where(never, np.inf, outcome.breach_time[k]),
            weights=None if weights is None else np.where(never, 0.0, weights[k].astype(np.float64)),
            replicates=outcome.replicates,
            untilted=outcome.untilted,
            least=0.0,
            most=outcome.horizon,
        )

    def order(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array([outcome.breach_order(tier, rank) for rank in ranks.tolist()])

    def count(bounds: NDArray[np.float64]) -> NDArray[np.float64]:
        return outcome.breaches_by(tier, bounds)

    return IndependentSample(outcome.paths, order, count, 0.0, outcome.horizon)


def lowest_metrics(outcome: Outcome, row: int) -> Sample:
    """Return the paths' lowest metrics by a time, worst_times[row]."""
    if isinstance(outcome, PathOutcome) and _depend(outcome):
        return WeightedSample(outcome.worst[row], outcome.weight, outcome.replicates, outcome.untilted)

    def order(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
        if isinstance(outcome, PathOutcome) and ranks.size > _OF_ONE:  # sorted once, for further curves too
            return np.asarray(outcome.worst_ascending[row][ranks - 1], np.float64)
        return outcome.lowest_worst(int(ranks.max()), row)[ranks - 1]

    def count(bounds: NDArray[np.float64]) -> NDArray[np.float64]:
        lowest = outcome.lowest_worst(outcome.paths, row)
        return np.searchsorted(lowest, bounds, side="right").astype(np.float64)

    return IndependentSample(outcome.paths, order, count)


def _depend(outcome: PathOutcome) -> bool:
    """Tell whether paths count by likelihood ratios, or depend on each other within replicates."""
    return outcome.weight is not None or outcome.replicates > 0

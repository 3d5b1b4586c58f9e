"""What the estimates need of a simulation whose paths are not kept."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel.errors import InvalidInput, Problem
from kernel.simulation.outcome import Outcome
from kernel.simulation.path_outcome import NO_PATHS
from kernel.simulation.summary import CELLS, Summary, lowest_of

if TYPE_CHECKING:
    import pyarrow as pa

_SAME = 1e-9 * CELLS  # cells: how far apart two times may be that are one


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class SummaryOutcome(Outcome):
    """What the estimates need of a simulation's paths: the worst losses, and breaches counted by cells of the horizon.

    Its paths count the same, and independently of each other.
    """

    summary: Summary = field(repr=False)
    # Not fields: for those who ask any outcome for its arrays
    loss = terminal_price = breach_time = worst = weight = breach_weight = None

    def worst_losses(self, count: int) -> NDArray[np.float64]:
        """Return the `count` largest losses, ascending.

        Raises:
            InvalidInput: if fewer were kept.
        """
        losses = self.summary.losses
        if count > losses.size:
            level = 1 - losses.size / self.paths
            raise InvalidInput(
                [Problem("level", f"is below what this summary kept (about {level:.4g}): simulate with it in `levels`")]
            )
        return np.sort(np.partition(losses, losses.size - count)[losses.size - count :]).astype(np.float64)

    def lowest_worst(self, count: int, row: int) -> NDArray[np.float64]:
        """Return the `count` lowest of the paths' worst metrics by worst_times[row], ascending.

        Raises:
            InvalidInput: if fewer were kept.
        """
        worst = self.summary.worst[row]
        if count > worst.size:
            share = f"the share that this summary kept (about {worst.size / self.paths:.4g})"
            message = f"is above {share}: simulate with 1 less it, or lower, in `levels`"
            raise InvalidInput([Problem("probability", message)])
        return lowest_of(worst, count)

    def losses_above(self, bound: float) -> int:
        """Count the paths that lose more than a bound.

        Raises:
            InvalidInput: if only larger losses were kept.
        """
        losses = self.summary.losses
        if losses.size < self.paths and bound < losses.min():
            kept = f"is below what this summary kept (about {losses.min():.6g})"
            raise InvalidInput([Problem("bound", f"{kept}: simulate with record='paths', or lower `levels`")])
        return int(np.count_nonzero(losses > losses.dtype.type(bound)))

    def breaches_by(self, tier: str, by: ArrayLike) -> NDArray[np.float64]:
        """Count the paths that breached at or before each of some rising times, in years.

        Between the grid's times it interpolates, or, of discrete monitoring, counts up to the last.
        """
        cumulative = self._breached(tier)
        places = CELLS * np.atleast_1d(by).astype(np.float64) / self.horizon
        if self.provenance["inputs"]["simulation"]["monitoring"] == "discrete":  # nothing happens between grid points
            return cumulative[np.floor(places + _SAME).astype(np.int64)].astype(np.float64)
        whole = np.rint(places)
        between = np.interp(places, np.arange(CELLS + 1), cumulative)
        return np.where(np.abs(places - whole) < _SAME, cumulative[whole.astype(np.int64)], between)

    def breach_order(self, tier: str, rank: int) -> float:
        """Return the `rank`-th earliest breach time (from 1), in years.

        It interpolates within a cell; of discrete monitoring it takes the grid point in it, if there is but one.
        """
        cumulative = self._breached(tier)
        cell = int(np.searchsorted(cumulative, rank))
        run = self.provenance["inputs"]["simulation"]
        if run["monitoring"] == "discrete" and run["steps"] <= CELLS:
            return float(self.horizon * math.floor(cell * run["steps"] / CELLS + 1e-9) / run["steps"])
        below = int(cumulative[cell - 1]) if cell else 0
        share = (rank - below) / (int(cumulative[cell]) - below) if cell else 0.0
        return self.horizon * math.fsum([cell - 1, share]) / CELLS if cell else 0.0

    def _breached(self, tier: str) -> NDArray[np.int64]:
        """Return how many paths have breached by the end of each cell; cell 0 is time 0."""
        return np.cumsum(self.summary.breaches[self.tier_index(tier)])

    def to_arrow(self) -> pa.Table:
        """Refuse: there are no paths.

        Raises:
            InvalidInput: always.
        """
        raise InvalidInput([NO_PATHS])

"""The paths of a simulation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel.errors import InvalidInput, Problem
from kernel.simulation.outcome import Outcome
from kernel.simulation.summary import count_by, lowest_of
from kernel.tables import table_of

if TYPE_CHECKING:
    import pyarrow as pa

NO_PATHS = Problem("outcome", 'is a summary, which has no paths: simulate with record="paths"')


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class PathOutcome(Outcome):
    """The paths of a simulation: float32 or float64 as the precision was.

    Paths that were sampled in replicates, or under a tilt, stand for the market's law only with what says so here:
    `kernel.measures` has it in every estimate.
    """

    loss: NDArray[np.floating] = field(repr=False)
    """[path] opening minus closing equity."""
    terminal_price: NDArray[np.floating] = field(repr=False)
    """[asset, path]"""
    breach_time: NDArray[np.floating] = field(repr=False)
    """[tier, path] years, NaN: never."""
    worst: NDArray[np.floating] = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    """[time, path] the lowest metric by each of `worst_times`: at or below a tier's level where that is breached."""
    weight: NDArray[np.floating] | None = field(default=None, repr=False)
    """[path] likelihood ratio at the horizon, of mean 1 under the law that was sampled; None: that is the market's."""
    breach_weight: NDArray[np.floating] | None = field(default=None, repr=False)
    """[tier, path] likelihood ratio when the tier breaches; 0: never. It is there where `weight` is."""
    untilted: int = 0
    """How many paths, the first of each replicate or else of all, importance sampling walked without its tilt."""
    replicates: int = 0
    """How many equal blocks of consecutive paths are randomised independently of each other; 0: every path is."""

    def worst_losses(self, count: int) -> NDArray[np.float64]:
        """Return the `count` largest losses, ascending."""
        first = self.loss.size - count
        return np.sort(np.partition(self.loss, first)[first:]).astype(np.float64)

    def lowest_worst(self, count: int, row: int) -> NDArray[np.float64]:
        """Return the `count` lowest of the paths' worst metrics by worst_times[row], ascending."""
        return lowest_of(self.worst[row], count)

    @cached_property
    def worst_ascending(self) -> NDArray[np.floating]:
        """Return the worst metrics by each of `worst_times`, [time, rank], sorted once."""
        return np.sort(self.worst, axis=1)

    def breach_times(self, tier: str) -> NDArray[np.floating]:
        """Return the times of the paths that breached, in path order."""
        times: NDArray[np.floating] = self.breach_time[self.tier_index(tier)]
        return np.asarray(times[~np.isnan(times)])

    def losses_above(self, bound: float) -> int:
        """Count the paths that lose more than a bound."""
        return int(np.count_nonzero(self.loss > self.loss.dtype.type(bound)))

    def breaches_by(self, tier: str, by: ArrayLike) -> NDArray[np.float64]:
        """Count the paths that breached at or before each of some rising times, in years."""
        times = self.breach_times(tier)
        ends = np.atleast_1d(by).astype(times.dtype)
        if ends.size == 1:  # of a million times in 0.1 ms; in 14 ms where they are searched for
            return np.array([np.count_nonzero(times <= ends[0])], np.float64)
        return np.cumsum(count_by(times, ends)[: ends.size], dtype=np.float64)

    def breach_order(self, tier: str, rank: int) -> float:
        """Return the `rank`-th earliest breach time (from 1), in years."""
        return float(np.partition(self.breach_times(tier), rank - 1)[rank - 1])

    def to_arrow(self) -> pa.Table:
        """Return loss, terminal_price.<asset> and breach_time.<tier> (null: never) as an Arrow table.

        Beside them stand, where they were kept, worst.<days>d, and of importance sampling weight and
        breach_weight.<tier>: without these its paths say nothing of the market. Times are float64 years and at most
        the horizon, which in single precision may round up. The schema carries the provenance as JSON under
        "margin_kernel".
        """
        times = np.minimum(self.breach_time.astype(np.float64), self.horizon)
        columns: dict[str, Any] = {"loss": self.loss}
        columns |= _named("terminal_price", self.assets, self.terminal_price)
        columns |= _named("breach_time", self.tiers, times)
        columns |= _named("worst", [f"{365 * time:.12g}d" for time in self.worst_times], self.worst)
        if self.weight is not None and self.breach_weight is not None:
            columns |= {"weight": self.weight, **_named("breach_weight", self.tiers, self.breach_weight)}
        return table_of(columns, self.provenance)


def _named(name: str, kinds: Iterable[str], rows: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
    return {f"{name}.{kind}": row for kind, row in zip(kinds, rows, strict=True)}


def require_paths(outcome: Outcome) -> PathOutcome:
    """Return an outcome that has paths.

    Raises:
        InvalidInput: of a summary.
    """
    if not isinstance(outcome, PathOutcome):
        raise InvalidInput([NO_PATHS])
    return outcome

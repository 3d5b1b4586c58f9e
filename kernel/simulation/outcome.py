"""What a simulation returns: its paths, or a summary of them."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel.checks.text import brief
from kernel.errors import InvalidInput, Problem
from kernel.simulation.summary import CELLS, Summary, cell_edges, count_by
from kernel.tables import Tabular, table_of

if TYPE_CHECKING:
    import pyarrow as pa

_SAME = 1e-9 * CELLS  # cells: how far apart two times may be that are one


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome(Tabular):
    """What came of a simulation: a `PathOutcome`, or with `record="summary"` a `SummaryOutcome`.

    Of a summary the arrays over paths, such as `loss`, are None.
    """

    paths: int
    horizon: float
    """Years."""
    assets: tuple[str, ...]
    tiers: tuple[str, ...]
    opening_equity: float
    provenance: dict[str, Any] = field(repr=False)
    """Versions, seed, parameters and their hash: what it takes to run this again."""
    worst_times: tuple[float, ...] = ()
    """Years, by which the worst metric was kept."""
    notes: tuple[str, ...] = ()
    """Sentences: what the opening settles before anything moves, such as tiers that are breached from the start."""

    @abstractmethod
    def worst_losses(self, count: int) -> NDArray[np.float64]:
        """Return the `count` largest losses, ascending.

        Raises:
            InvalidInput: if a summary kept fewer.
        """

    @abstractmethod
    def lowest_worst(self, count: int, row: int) -> NDArray[np.float64]:
        """Return the `count` lowest of the paths' worst metrics by worst_times[row], ascending.

        Raises:
            InvalidInput: if a summary kept fewer.
        """

    @abstractmethod
    def losses_above(self, bound: float) -> int:
        """Count the paths that lose more than a bound.

        Raises:
            InvalidInput: if a summary kept only larger losses.
        """

    @abstractmethod
    def breaches_by(self, tier: str, by: ArrayLike) -> NDArray[np.float64]:
        """Count the paths that breached at or before each of some rising times, in years.

        Between its grid times a summary interpolates, or, of discrete monitoring, counts up to the last.
        """

    @abstractmethod
    def breach_order(self, tier: str, rank: int) -> float:
        """Return the `rank`-th earliest breach time (from 1), in years.

        A summary interpolates within a cell; of discrete monitoring it takes the grid point in it, if there is but one.
        """

    def tier_index(self, tier: str) -> int:
        """Return the position of a tier.

        Raises:
            InvalidInput: if there is no such tier.
        """
        if not isinstance(tier, str) or tier not in self.tiers:
            raise InvalidInput([Problem("tier", f"must be one of {', '.join(self.tiers)}, not {brief(tier)}")])
        return self.tiers.index(tier)

    def cell_times(self) -> NDArray[np.float64]:
        """Return the times, in years, at which the cells of the grid end."""
        return cell_edges(self.horizon, np.float64).astype(np.float64)


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
        return _lowest(self.worst[row], count)

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
        return _lowest(worst, count)

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
        raise _no_paths()


def _lowest(values: NDArray[np.floating], count: int) -> NDArray[np.float64]:
    return np.sort(np.partition(values, count - 1)[:count]).astype(np.float64)


def _named(name: str, kinds: Iterable[str], rows: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
    return {f"{name}.{kind}": row for kind, row in zip(kinds, rows, strict=True)}


def _no_paths() -> InvalidInput:
    return InvalidInput([Problem("outcome", 'is a summary, which has no paths: simulate with record="paths"')])


def require_outcome(value: object) -> None:
    """Refuse what is not an outcome.

    Raises:
        InvalidInput: naming what was given.
    """
    if not isinstance(value, Outcome):
        raise InvalidInput([Problem("outcome", f"must be what kernel.simulate returned, not {type(value).__name__}")])


def require_paths(outcome: Outcome) -> PathOutcome:
    """Return an outcome that has paths.

    Raises:
        InvalidInput: of a summary.
    """
    if not isinstance(outcome, PathOutcome):
        raise _no_paths()
    return outcome

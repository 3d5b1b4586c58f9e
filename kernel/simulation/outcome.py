"""What a simulation returns."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kernel.checks.text import brief
from kernel.errors import InvalidInput, Problem
from kernel.simulation.chunks import CELLS, Summary, cell_edges, count_breaches
from kernel.tables import Tabular, table_of

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome(Tabular):
    """The paths of a simulation, or what the estimates need of them.

    With `record="paths"` the arrays are there, float32 or float64 as the precision was; with `record="summary"`
    they are None, and the worst losses and the breaches counted by cells of the horizon stand in for them.
    """

    paths: int
    horizon: float
    """Years."""
    assets: tuple[str, ...]
    tiers: tuple[str, ...]
    opening_equity: float
    provenance: dict[str, Any] = field(repr=False)
    """Versions, seed, parameters and their hash: what it takes to run this again."""
    loss: NDArray[np.floating] | None = field(default=None, repr=False)
    """[path] opening minus closing equity."""
    terminal_price: NDArray[np.floating] | None = field(default=None, repr=False)
    """[asset, path]"""
    breach_time: NDArray[np.floating] | None = field(default=None, repr=False)
    """[tier, path] years, NaN: never."""
    weight: NDArray[np.floating] | None = field(default=None, repr=False)
    """[path] likelihood ratio at the horizon, of mean 1 under the law that was sampled; None: that is the market's."""
    breach_weight: NDArray[np.floating] | None = field(default=None, repr=False)
    """[tier, path] likelihood ratio when the tier breaches; 0: never."""
    untilted: int = 0
    """How many paths, the first of each replicate or else of all, importance sampling walked without its tilt."""
    replicates: int = 0
    """How many equal blocks of consecutive paths are randomised independently of each other; 0: every path is."""
    worst: NDArray[np.floating] | None = field(default=None, repr=False)
    """[time, path] the lowest metric by each of `worst_times`: at or below a tier's level where that is breached."""
    worst_times: tuple[float, ...] = ()
    """Years."""
    summary: Summary | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    """Sentences: what the opening settles before anything moves, such as tiers that are breached from the start."""

    def worst_losses(self, count: int) -> NDArray[np.float64]:
        """Return the `count` largest losses, ascending.

        Raises:
            InvalidInput: if a summary kept fewer.
        """
        losses = self.loss if self.loss is not None else self._kept().losses
        if count > losses.size:
            level = 1 - self._kept().losses.size / self.paths
            raise InvalidInput(
                [Problem("level", f"is below what this summary kept (about {level:.4g}): simulate with it in `levels`")]
            )
        return np.sort(np.partition(losses, losses.size - count)[losses.size - count :]).astype(np.float64)

    def lowest_worst(self, count: int, row: int) -> NDArray[np.float64]:
        """Return the `count` lowest of the paths' worst metrics by worst_times[row], ascending.

        Raises:
            InvalidInput: if a summary kept fewer.
        """
        worst = (self.worst if self.worst is not None else self._kept().worst)[row]
        if count > worst.size:
            share = f"the share that this summary kept (about {worst.size / self.paths:.4g})"
            message = f"is above {share}: simulate with 1 less it, or lower, in `levels`"
            raise InvalidInput([Problem("probability", message)])
        return np.sort(np.partition(worst, count - 1)[:count]).astype(np.float64)

    @cached_property
    def worst_ascending(self) -> NDArray[np.floating]:
        """Return the worst metrics by each of `worst_times`, [time, rank], sorted once."""
        if self.worst is None:
            raise TypeError("only an outcome with paths has their worst metrics")
        return np.sort(self.worst, axis=1)

    def _kept(self) -> Summary:
        if self.summary is None:
            raise TypeError("an outcome has either arrays or a summary")
        return self.summary

    def tier_index(self, tier: str) -> int:
        """Return the position of a tier.

        Raises:
            InvalidInput: if there is no such tier.
        """
        if not isinstance(tier, str) or tier not in self.tiers:
            raise InvalidInput([Problem("tier", f"must be one of {', '.join(self.tiers)}, not {brief(tier)}")])
        return self.tiers.index(tier)

    def breach_times(self, tier: str) -> NDArray[np.floating] | None:
        """Return the times of the paths that breached, in path order, or None of a summary."""
        if self.breach_time is None:
            self.tier_index(tier)
            return None
        times: NDArray[np.floating] = self.breach_time[self.tier_index(tier)]
        return np.asarray(times[~np.isnan(times)])

    def breaches_by_cell(self, tier: str) -> NDArray[np.int64]:
        """Count breaches within each cell of the time grid; cell 0 is time 0."""
        k = self.tier_index(tier)
        if self.breach_time is not None:
            return np.asarray(count_breaches(self.breach_time[k : k + 1], self.horizon)[0])
        return np.asarray(self._kept().breaches[k])

    def cell_times(self) -> NDArray[np.float64]:
        """Return the times, in years, at which the cells of the grid end."""
        return cell_edges(self.horizon, np.float64).astype(np.float64)

    def breaches_by(self, tier: str, by: float) -> float:
        """Count the paths that breached at or before `by` years.

        Between its grid times a summary interpolates, or, of discrete monitoring, counts up to the last.
        """
        times = self.breach_times(tier)
        if times is not None:
            return float(np.count_nonzero(times <= times.dtype.type(by)))
        cumulative = np.cumsum(self.breaches_by_cell(tier))
        position = CELLS * by / self.horizon
        if self.provenance["inputs"]["simulation"]["monitoring"] == "discrete":  # nothing happens between grid points
            return float(cumulative[math.floor(position + 1e-9 * CELLS)])
        if abs(position - round(position)) < 1e-9 * CELLS:
            return float(cumulative[round(position)])
        return float(np.interp(position, np.arange(CELLS + 1), cumulative))

    def breach_order(self, tier: str, rank: int) -> float:
        """Return the `rank`-th earliest breach time (from 1), in years.

        A summary interpolates within a cell; of discrete monitoring it takes the grid point in it, if there is but one.
        """
        times = self.breach_times(tier)
        if times is not None:
            return float(np.partition(times, rank - 1)[rank - 1])
        cumulative = np.cumsum(self.breaches_by_cell(tier))
        cell = int(np.searchsorted(cumulative, rank))
        run = self.provenance["inputs"]["simulation"]
        if run["monitoring"] == "discrete" and run["steps"] <= CELLS:
            return float(self.horizon * math.floor(cell * run["steps"] / CELLS + 1e-9) / run["steps"])
        below = int(cumulative[cell - 1]) if cell else 0
        share = (rank - below) / (int(cumulative[cell]) - below) if cell else 0.0
        return self.horizon * math.fsum([cell - 1, share]) / CELLS if cell else 0.0

    def to_arrow(self) -> pa.Table:
        """Return loss, terminal_price.<asset> and breach_time.<tier> (null: never) as an Arrow table.

        Beside them stand, where they were kept, worst.<days>d, and of importance sampling weight and
        breach_weight.<tier>: without these its paths say nothing of the market. Times are float64 years and at most
        the horizon, which in single precision may round up. The schema carries the provenance as JSON under
        "margin_kernel".

        Raises:
            InvalidInput: for a summary, which has no paths.
        """
        if self.loss is None or self.terminal_price is None or self.breach_time is None:
            raise InvalidInput([Problem("outcome", 'is a summary, which has no paths: simulate with record="paths"')])
        times = np.minimum(self.breach_time.astype(np.float64), self.horizon)
        columns: dict[str, Any] = {"loss": self.loss}
        columns |= _named("terminal_price", self.assets, self.terminal_price)
        columns |= _named("breach_time", self.tiers, times)
        if self.worst is not None:
            columns |= _named("worst", [f"{365 * time:.12g}d" for time in self.worst_times], self.worst)
        if self.weight is not None and self.breach_weight is not None:
            columns |= {"weight": self.weight, **_named("breach_weight", self.tiers, self.breach_weight)}
        return table_of(columns, self.provenance)


def _named(name: str, kinds: Iterable[str], rows: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
    return {f"{name}.{kind}": row for kind, row in zip(kinds, rows, strict=True)}


def require_outcome(value: object) -> None:
    """Refuse what is not an outcome.

    Raises:
        InvalidInput: naming what was given.
    """
    if not isinstance(value, Outcome):
        raise InvalidInput([Problem("outcome", f"must be what kernel.simulate returned, not {type(value).__name__}")])

"""What a simulation returns: its paths, or a summary of them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel.checks.text import brief
from kernel.errors import InvalidInput, Problem
from kernel.simulation.summary import cell_edges
from kernel.tables import Tabular


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


def require_outcome(value: object) -> None:
    """Refuse what is not an outcome.

    Raises:
        InvalidInput: naming what was given.
    """
    if not isinstance(value, Outcome):
        raise InvalidInput([Problem("outcome", f"must be what kernel.simulate returned, not {type(value).__name__}")])

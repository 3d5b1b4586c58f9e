"""Linear accounts on several assets: the kernels add up what the positions are worth and require."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from kernel.accounts.books.linear import LinearBook
from kernel.accounts.opening import CurvedOpening
from kernel.accounts.watch import Book, Readings, Watch, Watched

_AT_ONCE = 4  # assets that the kernels sum in one sweep


@dataclass(frozen=True, eq=False)
class MetricReadings(Readings):
    """The metric of readings that are the metric."""

    levels: NDArray[np.float64]
    knows_breach_price: ClassVar[bool] = False

    def unrounded(self, reading: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the readings."""
        return reading


class LinearOnSeveral(Book):
    """Linear positions on any number of assets under a flat rate."""

    def holds(self, watched: Watched) -> bool:
        """Tell whether the account is linear."""
        return not isinstance(watched.opening, CurvedOpening)

    def build(self, watched: Watched, real: DTypeLike) -> Watch:
        """Cast the coefficients of margin and requirement."""
        opening, ladder, size = watched.opening, watched.ladder, watched.spot.size
        base, requirement = opening.denominator(ladder)
        levels = np.append(ladder.levels, -np.inf).astype(real)
        padding = (0, -size % _AT_ONCE)
        values, requirements = (np.pad(weights, padding).astype(real) for weights in (opening.value, requirement))
        cast: Any = np.dtype(real).type
        money = cast(opening.fixed), cast(base)
        book = LinearBook(watched.spot, opening.value, values, requirements, *money, levels)
        return Watch(book, opening.breached(ladder), MetricReadings(ladder.levels))

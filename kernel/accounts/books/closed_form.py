"""Barriers in closed form: a linear account on one asset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from kernel.accounts.books.barrier import BarrierBook
from kernel.accounts.opening import CurvedOpening
from kernel.accounts.watch import Book, Readings, Watch, Watched


@dataclass(frozen=True, eq=False)
class LinearReadings(Readings):
    """The metric of readings that are log prices times `side`."""

    levels: NDArray[np.float64]
    side: float
    fixed: float
    """Margin at a price of 0, currency."""
    value: float
    """Currency per unit of relative price."""
    base: float
    """Denominator at a price of 0."""
    requirement: float
    """Currency per unit of relative price."""
    knows_breach_price: ClassVar[bool] = True

    def unrounded(self, reading: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return margin / denominator."""
        price = np.exp(self.side * reading.astype(np.float64))
        return np.asarray((self.fixed + self.value * price) / (self.base + self.requirement * price))


class ClosedFormBarriers(Book):
    """Linear positions on one asset under a flat rate: the price of each tier is the root of a linear function."""

    def holds(self, watched: Watched) -> bool:
        """Tell whether the account is linear, on one asset."""
        return watched.spot.size == 1 and not isinstance(watched.opening, CurvedOpening)

    def build(self, watched: Watched, real: DTypeLike) -> Watch:
        """Solve fixed + weight exp(x) = 0 for the log price x of each tier not yet breached.

        Such a tier has fixed + weight > 0, so it lies below the opening price if fixed < 0 < weight, above it if
        weight < 0 < fixed, and is out of reach otherwise. The sign of `fixed` is the same for all: one side, that on
        which the metric falls.
        """
        opening, ladder = watched.opening, watched.ladder
        base, requirement = opening.denominator(ladder)
        value, required = opening.value[0], requirement[0]
        side = 1.0 if value * base >= opening.fixed * required else -1.0  # does the metric rise with the price?
        fixed, weight = opening.fixed - ladder.levels * base, value - ladder.levels * required
        opening_tier = opening.breached(ladder)
        reachable = fixed * weight < 0
        reachable[:opening_tier] = False
        barrier = np.full(fixed.size + 1, -np.inf)
        barrier[:-1][reachable] = -np.abs(np.log(-fixed[reachable] / weight[reachable]))
        cast: Any = np.dtype(real).type
        book = BarrierBook(watched.spot, opening.value, cast(side), barrier.astype(real))
        readings = LinearReadings(ladder.levels, side, opening.fixed, float(value), base, float(required))
        return Watch(book, opening_tier, readings)

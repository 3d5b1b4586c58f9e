"""Values in rising order with their weights, and what stands at a share of them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROUNDING = 1e-12  # of the sum of all weights: 0.99 of a million paths is 990,000


class Ordered(NamedTuple):
    """Values in rising order, and the sum of the weights up to each."""

    values: NDArray[np.floating]
    mass: NDArray[np.float64]
    middle: NDArray[np.float64]
    """Half of each value's own weight less: where it stands, if all values fill their strata (Hazen 1914)."""

    def at(self, mass: float) -> float:
        """Return the smallest value at which the mass is reached."""
        k = int(np.searchsorted(self.mass, mass - ROUNDING * self.mass[-1]))
        return float(self.values[min(k, self.values.size - 1)])

    def mass_at(self, bounds: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the mass at or below each bound."""
        return np.append(0.0, self.mass)[np.searchsorted(self.values, bounds, side="right")]

    def between(self, mass: float) -> float:
        """Return the value at a mass, interpolated between neighbours.

        The smallest at which it is reached is half a gap too low: nothing beside the error of independent paths, but as
        much as all of it near the median, where pairs and strata leave no other.
        """
        return self._value(self._place(mass))

    def around(self, mass: float, half: float) -> tuple[float, float]:
        """Return the values for half less and half more mass, each moved outwards by one; infinite where there is none.

        With no spread at all that is an interval between neighbours.
        """
        return self._value(self._place(mass - half) - 1), self._value(self._place(mass + half) + 1)

    def _place(self, mass: float) -> float:
        """Return the place of a mass among the values, from 0; between two where it is between their middles."""
        k = int(np.searchsorted(self.middle, mass))
        if k in {0, self.values.size}:
            return float(max(k - 1, 0))
        return float(k - (self.middle[k] - mass) / (self.middle[k] - self.middle[k - 1]))

    def _value(self, place: float) -> float:
        last = self.values.size - 1
        if not 0 <= place <= last:
            return math.copysign(math.inf, place)
        k = min(int(place), max(last - 1, 0))
        low, high = float(self.values[k]), float(self.values[min(k + 1, last)])
        return low + (place - k) * (high - low)


def ordered(values: NDArray[np.floating], weights: NDArray[np.floating] | None) -> Ordered:
    """Sort values with their weights: 1 each, if none are given."""
    if weights is None:
        mass = np.arange(1.0, values.size + 1)
        return Ordered(np.sort(values), mass, mass - 0.5)
    order = np.argsort(values, kind="stable")  # what is tied may weigh differently
    own = weights[order].astype(np.float64)
    mass = np.cumsum(own)
    return Ordered(values[order], mass, mass - own / 2)

"""Events that are a matter of the prices: a tier's breach, a loss of some size."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from kernel.accounts.account import Worth

Worths = Callable[[NDArray[np.float64]], Worth]
"""An account's worth at relative prices [asset, ...]."""


class Condition(Protocol):
    """An event that has happened where its gap is at most 0."""

    @property
    def name(self) -> str:
        """Return what to call it in a message."""

    @property
    def weight(self) -> NDArray[np.float64]:
        """Return [asset] the gap's slope at the opening prices, in currency per unit of relative price."""

    def gap(self, prices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far relative prices, [asset] or [asset, path], are from it, in currency."""


class Plane(NamedTuple):
    """An event of a linear account: fixed + weight @ relative prices is at most 0."""

    name: str
    fixed: float
    weight: NDArray[np.float64]

    def gap(self, prices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return fixed + weight @ prices."""
        return np.asarray(self.fixed + self.weight @ prices)


class TierBreach(NamedTuple):
    """The breach of a tier: margin - level * denominator is at most 0."""

    name: str
    weight: NDArray[np.float64]
    worth: Worths
    level: float
    base: float | None
    """The denominator, where it is one number; None: it is what the account requires."""

    def gap(self, prices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return margin - level * denominator."""
        worth = self.worth(prices)
        return np.asarray(worth.margin - self.level * (worth.required if self.base is None else self.base))


class Loss(NamedTuple):
    """A loss of some size: equity - floor is at most 0."""

    name: str
    weight: NDArray[np.float64]
    worth: Worths
    floor: float
    """Equity that is left, currency."""

    def gap(self, prices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return equity - floor."""
        return np.asarray(self.worth(prices).equity - self.floor)

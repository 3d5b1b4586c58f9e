"""What is watched of an account: what a book is asked for, and what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from kernel.accounts.account import Account
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import Opening, open_account, worth_at
from kernel.errors import Problems

FARTHEST_LOG_PRICE = 40.0  # relative: a price 10**17 times the opening one, or as small a part of it


class Watched(NamedTuple):
    """An account under a ladder, on the prices that it is watched at; picklable."""

    account: Account
    ladder: Ladder
    assets: tuple[str, ...]
    spot: NDArray[np.float64]
    opening: Opening
    horizon: float = 0.0
    """Years."""
    lowest: float = -FARTHEST_LOG_PRICE
    """Log of the relative price, of the first asset, below which hardly any path goes within the horizon."""
    highest: float = FARTHEST_LOG_PRICE
    keeps_worst: bool = False
    """Whether the worst metric of each path is wanted, which is read from its worst price."""


def watched_at(account: Account, ladder: Ladder, assets: tuple[str, ...], spot: NDArray[np.float64]) -> Watched:
    """Return what is watched where no horizon is known, and any price may be reached."""
    return Watched(account, ladder, assets, spot, open_account(account, assets, spot))


class Readings(ABC):
    """How the lowest readings of a book become the worst metric; picklable."""

    levels: NDArray[np.float64]
    """[tier]"""
    knows_breach_price: ClassVar[bool]
    """Whether a breach happens at one price, which the book's levels tell: its readings are log prices."""

    @abstractmethod
    def unrounded(self, reading: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the metric of readings, [path]."""

    def metric(self, reading: NDArray[np.floating], breached: NDArray[np.integer]) -> NDArray[np.floating]:
        """Return the metric of [path] lowest readings, on the right side of each tier, which rounding might cross.

        breached: [path] how many tiers were breached.
        """
        metric = self.unrounded(reading).astype(reading.dtype, copy=False)
        bounds = np.concatenate([[np.inf], self.levels, [-np.inf]]).astype(reading.dtype)
        above = np.nextafter(bounds, bounds.dtype.type(np.inf))
        return np.asarray(np.clip(metric, above[breached + 1], bounds[breached]))


class Closing(NamedTuple):
    """The losses of an account that is not linear, reckoned from closing prices: the kernels know linear ones."""

    account: Account
    assets: tuple[str, ...]
    opening_equity: float
    horizon: float
    """Years."""

    def losses(self, terminal_price: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return opening less closing equity, [path], at closing prices [asset, path]."""
        ones = np.ones(len(self.assets))
        worth = worth_at(self.account, self.assets, ones, terminal_price.astype(np.float64), self.horizon)
        return np.asarray(self.opening_equity - worth.equity)


class Watch(NamedTuple):
    """What the kernels watch, and what their readings mean."""

    book: NamedTuple
    opening_tier: int
    """The first tier that is not breached at the opening prices."""
    readings: Readings
    closing: Closing | None = None
    """None: the kernels reckon the losses."""


class Book(ABC):
    """A way to watch an account: `holds` says of which, `build` makes it."""

    @abstractmethod
    def holds(self, watched: Watched) -> bool:
        """Tell whether this is a way to watch the account."""

    def check(self, problems: Problems, watched: Watched) -> None:  # noqa: B027 - most take any that they hold
        """Note what of an account that it holds it cannot watch after all."""

    @abstractmethod
    def build(self, watched: Watched, real: DTypeLike) -> Watch:
        """Return what the kernels watch, in the precision `real`; the account has passed `check`."""

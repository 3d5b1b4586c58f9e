"""Steps that look like a split of shares that the prices were not adjusted for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_RATIOS = (
    *((new, 1) for new in (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50)),
    *((3, 2), (4, 3), (5, 2), (5, 3), (5, 4)),
)
_LOGS = np.log([new / old for new, old in _RATIOS])
_UNLIKELY = 10.0  # usual moves: a step as long is none of the market's
_BEYOND = 3.0  # times the largest of the steps that look like no split
_NEAR = 4.0  # usual moves, which the market makes besides
_USUAL = 1.4826  # medians of absolute returns: a normal law's standard deviation
_LEAST_NEAR = 1e-3  # where prices hardly move
_MOST = 0.01  # of the steps


class Split(NamedTuple):
    """A step that looks like a split."""

    step: int
    shares: str
    """New for old, such as "2:1"."""


def likely_splits(prices: NDArray[np.float64]) -> list[Split]:
    """Find the steps of one asset, [time], that are just a split's and that the other returns make wildly unlikely.

    A step is taken for a split if it is ten usual moves long and three times as long as any that is none, and the
    market's own move, which comes on top, is a usual one. A crash on that one day looks alike.

    Example:
        >>> prices = np.array([100.0, 101.0, 100.5, 50.0, 50.4, 50.1, 50.6])
        >>> likely_splits(prices)
        [Split(step=2, shares='2:1')]
    """
    moves = np.diff(np.log(prices))
    usual = _USUAL * float(np.median(np.abs(moves)))
    off = np.abs(np.abs(moves)[:, None] - _LOGS)
    nearest = off.argmin(axis=1)
    near = off.min(axis=1) <= max(_NEAR * usual, _LEAST_NEAR)
    candidates = near & (np.abs(moves) > _UNLIKELY * usual)
    largest = float(np.abs(moves[~candidates]).max(initial=0.0))
    found = np.flatnonzero(candidates & (np.abs(moves) > _BEYOND * largest))
    if found.size > max(1.0, _MOST * moves.size):
        return []
    return [Split(int(k), _shares(int(nearest[k]), moves[k])) for k in found]


def _shares(ratio: int, move: float) -> str:
    new, old = _RATIOS[ratio] if move < 0 else _RATIOS[ratio][::-1]
    return f"{new}:{old}"

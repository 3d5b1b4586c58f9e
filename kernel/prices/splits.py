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
    """Find the steps of one asset's prices, [time], that are just a split's and wildly unlikely beside the others.

    A step is taken for a split if it is ten usual moves long and three times as long as any that is none, and the
    market's own move, which comes on top, is a usual one. A crash on that one day looks alike.

    Example:
        >>> prices = np.array([100.0, 101.0, 100.5, 50.0, 50.4, 50.1, 50.6])
        >>> likely_splits(prices)
        [Split(step=2, shares='2:1')]
    """
    moves = np.diff(np.log(prices))
    sizes = np.abs(moves)
    usual = _USUAL * float(np.median(sizes))
    long = np.flatnonzero(sizes > _UNLIKELY * usual)
    off = np.abs(sizes[long, None] - _LOGS)
    near = off.min(axis=1) <= max(_NEAR * usual, _LEAST_NEAR)
    candidates, ratios = long[near], off[near].argmin(axis=1)
    largest = float(np.delete(sizes, candidates).max(initial=0.0))
    likely = sizes[candidates] > _BEYOND * largest
    if likely.sum() > max(1.0, _MOST * sizes.size):
        return []
    found = zip(candidates[likely].tolist(), ratios[likely].tolist(), strict=True)
    return [Split(step, _shares(ratio, moves[step])) for step, ratio in found]


def _shares(ratio: int, move: float) -> str:
    new, old = _RATIOS[ratio] if move < 0 else _RATIOS[ratio][::-1]
    return f"{new}:{old}"

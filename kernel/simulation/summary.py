"""What a simulation keeps of paths that it does not keep: their worst losses, and breaches counted by time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

# Cells of the time grid on which a summary counts breaches: minutes of a day; a half, third, fifth, ... of a horizon.
CELLS = 1440
_SAMPLED, _MARGIN = 16, 1.1


class Summary(NamedTuple):
    """What the estimates need of a range of paths."""

    paths: int
    losses: NDArray[np.floating]  # the worst, in no order
    breaches: NDArray[np.int64]  # [tier, cell] breaches within the cells of the time grid; cell 0 is time 0
    worst: NDArray[np.floating]  # [time, any] the lowest of the paths' worst metrics, in no order
    zeros: int = 0  # paths that end at a price of 0: see `count_zeros`


def count_zeros(terminal_price: NDArray[np.floating]) -> int:
    """Count the paths, [asset, path], that end at a price of 0: so low that the precision has no number for it."""
    return int(np.count_nonzero((terminal_price == 0).any(axis=0)))


class _Largest:
    """The `kept` largest of values that come in parts: most of the others are dropped as they come."""

    def __init__(self, kept: int) -> None:
        self._kept, self._least, self._size = kept, -np.inf, 0  # as many as are kept exceed the least
        self._parts: list[NDArray[np.floating]] = []

    def add(self, values: NDArray[np.floating]) -> None:
        """Take a part; it is not copied."""
        self._take(values if self._least == -np.inf else _above(values, self._least))
        if self._size > 4 * self._kept:
            self._raise_least()

    def values(self) -> NDArray[np.floating]:
        """Return the largest, in no order, in an array of their own; all, where there are no more."""
        if self._size > 2 * self._kept:
            self._raise_least()
        values = np.concatenate(self._parts)
        return values if values.size <= self._kept else np.partition(values, values.size - self._kept)[-self._kept :]

    def _take(self, values: NDArray[np.floating]) -> None:
        self._parts.append(values)
        self._size += values.size

    def _raise_least(self) -> None:
        """Guess from a sample what somewhat more than are kept exceed: to find the largest takes five times as long."""
        values = np.concatenate(self._parts)
        sample = values[::_SAMPLED]
        rank = max(sample.size - int(_MARGIN * self._kept / _SAMPLED) - 1, 0)
        least = np.partition(sample, rank)[rank]
        if np.count_nonzero(values > least) >= self._kept:
            left = _above(values, least)
        else:
            left = np.partition(values, values.size - self._kept)[-self._kept :]
            least = left.min()
        self._parts, self._size, self._least = [], 0, least
        self._take(left)


def _above(values: NDArray[np.floating], least: np.floating | float) -> NDArray[np.floating]:
    return values[np.flatnonzero(values > least)]  # a third of the time of a mask


class Total:
    """Summaries added up to that of all their paths, with the `kept` worst losses and lowest metrics."""

    def __init__(self, kept: int) -> None:
        self._kept, self._paths, self._zeros, self._losses = kept, 0, 0, _Largest(kept)
        self._worst: list[_Largest] = []
        self._breaches: NDArray[np.int64] | int = 0

    def add(self, part: Summary) -> None:
        """Add what came of further paths."""
        self._paths += part.paths
        self._zeros += part.zeros
        self._breaches = self._breaches + part.breaches
        self._losses.add(part.losses)
        self._worst = self._worst or [_Largest(self._kept) for _ in part.worst]
        for lowest, row in zip(self._worst, part.worst, strict=True):
            lowest.add(-row)

    def summary(self) -> Summary:
        """Return the sum."""
        losses = self._losses.values()
        worst = [-lowest.values() for lowest in self._worst]
        lowest = np.reshape(worst, (-1, losses.size))
        return Summary(self._paths, losses, np.asarray(self._breaches), lowest, self._zeros)


def cell_edges(horizon: float, real: DTypeLike) -> NDArray[np.floating]:
    """Return the times, [cell], up to which each cell counts, in the precision of the breach times."""
    return (horizon * (np.arange(CELLS + 1) / CELLS)).astype(real)


def count_breaches(breach_time: NDArray[np.floating], horizon: float) -> NDArray[np.int64]:
    """Count breach times [tier, path] by cell: [tier, cell], cell j holding (edge j-1, edge j]."""
    edges = cell_edges(horizon, breach_time.dtype)
    return np.array([count_by(times[~np.isnan(times)], edges) for times in breach_time]).reshape(-1, CELLS + 1)


def count_by(times: NDArray[np.floating], edges: NDArray[np.floating]) -> NDArray[np.int64]:
    """Count times by the first of some rising edges that they are not after; later ones, if any, behind the last."""
    return np.bincount(np.searchsorted(edges, times, side="left"), minlength=edges.size)


def lowest_of(values: NDArray[np.floating], count: int) -> NDArray[np.float64]:
    """Return the `count` lowest of some values, ascending."""
    return np.sort(np.partition(values, count - 1)[:count]).astype(np.float64)

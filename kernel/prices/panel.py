"""Prices of several assets at the times that all of them have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.errors import InvalidInput, Problem, Problems
from kernel.prices.rows import Rows
from kernel.prices.times import Times, written
from kernel.tables.read import listed
from kernel.text import counted, was

_MOST_UNUSABLE = 0.1  # of the rows of an asset
_LEAST_SHARED = 0.5  # of the times of the longer of two files


class Panel(NamedTuple):
    """Prices on a common grid of times."""

    assets: tuple[str, ...]
    files: tuple[str, ...]
    noun: str
    times: Times
    prices: NDArray[np.float64]
    """[time, asset]; NaN: missing."""
    number: NDArray[np.int64]
    """[time, asset] line or row in its file; 0: none."""

    def named(self, chosen: NDArray[np.bool_], asset: int) -> str:
        """Name the chosen times by an asset's lines, or by themselves where it has none."""
        there = self.number[chosen, asset] > 0
        if there.all():
            return listed(self.noun, np.sort(self.number[chosen, asset]))
        return listed("time", np.array([written(time) for time in self.times[chosen]]))

    def taken(self, which: NDArray[np.bool_] | slice) -> Panel:
        """Take some of the times."""
        return self._replace(times=self.times[which], prices=self.prices[which], number=self.number[which])


def join(parts: Sequence[Rows]) -> Panel:
    """Put the rows of files side by side, at every time that any of them has."""
    times = np.unique(np.concatenate([part.times for part in parts]))
    prices, number = [], []
    for part in parts:
        place = np.searchsorted(times, part.times)
        there = np.full((times.size, len(part.assets)), np.nan)
        there[place] = part.prices
        prices.append(there)
        lines = np.zeros((times.size, len(part.assets)), dtype=np.int64)
        lines[place] = part.number[:, None]
        number.append(lines)
    assets = tuple(asset for part in parts for asset in part.assets)
    files = tuple(part.name for part in parts for _ in part.assets)
    return Panel(assets, files, parts[0].noun, times, np.hstack(prices), np.hstack(number))


def trim(notes: list[str], panel: Panel) -> Panel:
    """Keep the range in which every asset is traded.

    Raises:
        InvalidInput: if there is none.
    """
    traded = ~(np.isnan(panel.prices) | (panel.prices == 0))
    if not traded.any(axis=0).all():
        problems = Problems()
        for name, file, ever in zip(panel.assets, panel.files, traded.any(axis=0), strict=True):
            if not ever:
                problems.add("history", f"{file}: {name} has no price in range")
        problems.raise_any()
    first, last = traded.argmax(axis=0), len(traded) - 1 - traded[::-1].argmax(axis=0)
    low, high = int(first.max()), int(last.min())
    late, early = panel.assets[int(first.argmax())], panel.assets[int(last.argmin())]
    if low > high:
        message = f"{early} ends on {written(panel.times[high])}, before {late} starts on {written(panel.times[low])}"
        raise InvalidInput([Problem("history", f"the assets are never there together: {message}")])
    if low > 0:
        notes.append(f"{late} starts on {written(panel.times[low])}: {counted(low, 'row')} before {was(low)} left out.")
    after = len(traded) - 1 - high
    if after:
        notes.append(
            f"{early} ends on {written(panel.times[high])}: {counted(after, 'row')} after {was(after)} left out."
        )
    return panel.taken(slice(low, high + 1))


def check_clocks(panel: Panel) -> None:
    """Compare each file's times to the first one's.

    Raises:
        InvalidInput: if they share few.
    """
    first = panel.number[:, 0] > 0
    for name, lines in zip(panel.files[1:], panel.number.T[1:], strict=True):
        other = lines > 0
        shared, largest = int((first & other).sum()), int(max(first.sum(), other.sum()))
        if shared < _LEAST_SHARED * largest:
            alone = [written(panel.times[int(one.argmax())]) for one in (first & ~other, other & ~first)]
            count = f"of {largest:,} times in their common range they share {shared:,}"
            example = " and ".join(
                f"{file} has {time}"
                for file, time, one in zip((panel.files[0], name), alone, (first & ~other, other & ~first), strict=True)
                if one.any()
            )
            message = (
                f"{panel.files[0]} and {name} stand on two clocks: {count}; {example} alone: give both the same times"
            )
            raise InvalidInput([Problem("history", message)])


def drop_unusable(problems: Problems, notes: list[str], panel: Panel) -> tuple[Panel, NDArray[np.bool_]]:
    """Leave out the times at which an asset has no price above 0; return also the steps that then span one."""
    usable = panel.prices > 0
    for asset, name in enumerate(panel.assets):
        bad = ~usable[:, asset]
        if not bad.any():
            continue
        negative = int((panel.prices[:, asset] < 0).sum())
        missing = int(np.isnan(panel.prices[:, asset]).sum())
        kinds = ((missing, "missing"), (int(bad.sum()) - missing, "not above 0"))
        why = " and ".join(f"{count:,} {kind}" if count < bad.sum() else kind for count, kind in kinds if count)
        if bad.mean() > _MOST_UNUSABLE:
            mend = (
                "does the column hold returns?"
                if 2 * negative > bad.sum()
                else "leave it out, or choose first and last"
            )
            share = f"{bad.sum():,} of {bad.size:,} prices of {name} ({100 * bad.mean():.0f}%)"
            problems.add("history", f"{panel.files[asset]}: {share} are {why}: {panel.named(bad, asset)}: {mend}")
        else:
            count = int(bad.sum())
            notes.append(
                f"{counted(count, 'price')} of {name} {was(count)} {why}, the row left out: {panel.named(bad, asset)}."
            )
    kept = np.array(usable.all(axis=1))
    return panel.taken(kept), np.diff(np.flatnonzero(kept)) > 1

"""Prices of several assets at the times that all of them have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.checks.text import counted, was
from kernel.errors import InvalidInput, Problem, Problems
from kernel.prices.rows import Rows
from kernel.prices.times import Times, written
from kernel.tables import listed

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
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    """[time, asset] of the bars; NaN: unknown."""
    number: NDArray[np.int64]
    """[time, asset] line or row in its file; 0: none."""

    @property
    def name(self) -> str:
        """The files' names."""
        return ", ".join(dict.fromkeys(self.files))

    def named(self, chosen: NDArray[np.bool_], asset: int) -> str:
        """Name the chosen times by an asset's lines, or by themselves where it has none."""
        there = self.number[chosen, asset] > 0
        if there.all():
            return listed(self.noun, np.sort(self.number[chosen, asset]))
        return listed("time", np.array([written(time) for time in self.times[chosen]]))

    def taken(self, which: NDArray[np.bool_] | slice) -> Panel:
        """Take some of the times."""
        by_time = ("times", "prices", "lows", "highs", "number")
        return self._replace(**{name: getattr(self, name)[which] for name in by_time})


def join(parts: Sequence[Rows]) -> Panel:
    """Put the rows of files side by side, at every time that any of them has."""
    times = np.unique(np.concatenate([part.times for part in parts]))
    places = [np.searchsorted(times, part.times) for part in parts]

    def beside(by_part: Sequence[NDArray[Any]], missing: float) -> NDArray[Any]:
        joined = np.full((times.size, sum(map(len, (part.assets for part in parts)))), missing, by_part[0].dtype)
        first = 0
        for place, own in zip(places, by_part, strict=True):
            joined[place, first : first + own.shape[1]] = own
            first += own.shape[1]
        return joined

    return Panel(
        assets=tuple(asset for part in parts for asset in part.assets),
        files=tuple(part.name for part in parts for _ in part.assets),
        noun=parts[0].noun,
        times=times,
        prices=beside([part.prices for part in parts], np.nan),
        lows=beside([part.lows for part in parts], np.nan),
        highs=beside([part.highs for part in parts], np.nan),
        number=beside([np.repeat(part.number[:, None], len(part.assets), axis=1) for part in parts], 0),
    )


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
        what = f"{counted(after, 'row')} after {was(after)} left out, of the others as well."
        notes.append(f"{early} ends on {written(panel.times[high])}: {what}")
    return panel.taken(slice(low, high + 1))


def check_clocks(panel: Panel) -> None:
    """Compare each file's times to the first one's.

    Raises:
        InvalidInput: if they share few.
    """
    there = panel.number > 0
    for asset, name in enumerate(panel.files):
        shared, largest = int((there[:, 0] & there[:, asset]).sum()), int(there[:, [0, asset]].sum(axis=0).max())
        if shared < _LEAST_SHARED * largest:
            only = ((panel.files[0], there[:, 0] & ~there[:, asset]), (name, there[:, asset] & ~there[:, 0]))
            examples = [
                f"{file} alone has {written(panel.times[times.argmax()])}" for file, times in only if times.any()
            ]
            count = f"they share {shared:,} of {largest:,} times in their common range"
            message = f"{panel.files[0]} and {name} stand on two clocks: {count}; {', '.join(examples)}"
            raise InvalidInput([Problem("history", f"{message}: give both the same times")])


def drop_unusable(problems: Problems, notes: list[str], panel: Panel) -> tuple[Panel, NDArray[np.bool_]]:
    """Leave out the times at which an asset has no price above 0; return also the steps that then span one."""
    usable = panel.prices > 0
    for asset in np.flatnonzero(~usable.all(axis=0)).tolist():
        bad, price = ~usable[:, asset], panel.prices[:, asset]
        name, file, count = panel.assets[asset], panel.files[asset], int(bad.sum())
        kinds = {"missing": int(np.isnan(price).sum()), "not above 0": int((price <= 0).sum())}
        why = " or ".join(f"{kind} ({n:,})" if n < count else kind for kind, n in kinds.items() if n)
        if bad.mean() <= _MOST_UNUSABLE:
            left = f"{counted(count, 'row')} {was(count)} left out, where {name} is {why}"
            notes.append(f"{left}: {panel.named(bad, asset)}.")
            continue
        mend = "does the column hold returns?" if 2 * (price < 0).sum() > count else "leave it out, or choose a range"
        share = f"{count:,} of {bad.size:,} prices of {name} ({100 * bad.mean():.0f}%)"
        problems.add("history", f"{file}: {share} are {why}: {panel.named(bad, asset)}: {mend}")
    kept = np.array(usable.all(axis=1))
    return panel.taken(kept), np.diff(np.flatnonzero(kept)) > 1

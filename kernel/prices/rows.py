"""The rows of one file in the order of their times, each time once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Problems
from kernel.prices.bars import extremes, look_at
from kernel.prices.cells import read_numbers
from kernel.prices.columns import Columns, choose
from kernel.prices.times import Times, column_of, read_times, written
from kernel.tables import Sheet
from kernel.tables.read import listed
from kernel.text import counted, was

_MOST_DISPLACED = 0.01  # of the steps: a slip of the writer; beyond it, the file is not what it seems
_ZERO = np.timedelta64(0, "us")


class Rows(NamedTuple):
    """Prices of one file in the range asked for."""

    name: str
    noun: str
    assets: tuple[str, ...]
    alone: str
    """What the file as such would be called: its symbol, or its name without suffixes."""
    times: Times
    prices: NDArray[np.float64]
    """[time, asset]; NaN: missing."""
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    """[time, asset] of the bars; NaN: unknown."""
    number: NDArray[np.int64]
    extent: str
    """From when to when the whole file goes, for people."""


def read_rows(
    problems: Problems,
    notes: list[str],
    sheet: Sheet,
    columns: Columns,
    time: str | None,
    bounds: tuple[np.datetime64, np.datetime64],
) -> Rows | None:
    """Read what counts of a file; note what was mended, and what has to be. None: it cannot be read further."""
    found = Problems()
    called = column_of(found, sheet, time)
    chosen = choose(found, sheet, called or "", columns)
    if found.found or called is None:
        problems.found.extend(found.found)
        return None
    times = read_times(found, sheet, called)
    inside = (times >= bounds[0]) & (times < bounds[1])
    prices = np.column_stack([read_numbers(found, sheet, one, inside) for one in chosen.columns.values()])
    problems.found.extend(found.found)
    readable = times[~np.isnat(times)]
    extent = f"{written(readable.min())} to {written(readable.max())}" if readable.size else ""
    if found.found:
        return None
    notes.extend(chosen.notes)
    notes.extend(look_at(sheet, chosen.columns, times, inside & ~np.isnan(prices).any(axis=1)))
    assets, lows_highs = tuple(chosen.columns), extremes(sheet, chosen.columns, prices)
    rows = Rows(sheet.name, sheet.noun, assets, chosen.alone, times, prices, *lows_highs, sheet.number, extent)
    return _once(problems, notes, _ordered(problems, notes, _taken(rows, inside)))


def _taken(rows: Rows, which: NDArray[np.bool_] | NDArray[np.intp]) -> Rows:
    by_row = ("times", "prices", "lows", "highs", "number")
    return rows._replace(**{name: getattr(rows, name)[which] for name in by_row})


def _ordered(problems: Problems, notes: list[str], rows: Rows) -> Rows:
    """Turn rows that are newest first, and put right the few that stand out of order."""
    steps = np.diff(rows.times)
    if (steps < _ZERO).sum() > (steps > _ZERO).sum():
        rows = _taken(rows, np.arange(rows.times.size)[::-1])
        steps = np.diff(rows.times)
        notes.append("It stands newest first: its rows were turned round.")
    back = steps < _ZERO
    if not back.any():
        return rows
    named = listed(rows.noun, np.sort(rows.number[1:][back]))
    if back.mean() > _MOST_DISPLACED:
        problems.add("time", f"{rows.name}: {named}: times must rise throughout, or fall throughout: sort the file")
    rows = _taken(rows, np.argsort(rows.times, kind="stable"))
    notes.append(f"{counted(int(back.sum()), 'row')} stood out of order ({named}) and went where its time says.")
    return rows


def _once(problems: Problems, notes: list[str], rows: Rows) -> Rows:
    """Leave out rows that repeat the one before; note times with several prices."""
    same = np.diff(rows.times) == _ZERO
    if not same.any():
        return rows
    before, after = rows.prices[:-1], rows.prices[1:]
    equal = ((before == after) | (np.isnan(before) & np.isnan(after))).all(axis=1)
    if (same & ~equal).any():
        k = int((same & ~equal).argmax())
        first, second = sorted(rows.number[k : k + 2])
        count = int((same & ~equal).sum())
        where = f"{rows.noun}s {first} and {second} are both of {written(rows.times[k])}, with different prices"
        more = f" ({count} such pairs)" if count > 1 else ""
        problems.add("time", f"{rows.name}: {where}{more}: which is right? (local times repeat an hour in autumn)")
    again = np.append(False, same & equal)
    named = listed(rows.noun, np.sort(rows.number[again]))
    if again.any():
        notes.append(
            f"{counted(int(again.sum()), 'row')} repeated another and {was(int(again.sum()))} left out: {named}."
        )
    return _taken(rows, ~again)

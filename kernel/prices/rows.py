"""The rows of one file in the order of their times, each time once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.checks.text import counted, near, was
from kernel.errors import Problems
from kernel.prices.bars import extremes, look_at
from kernel.prices.columns import Chosen, Columns, choose
from kernel.prices.fields import Field, fields_of
from kernel.prices.figures import Figures
from kernel.prices.stamps import Stamps, read_stamps, stamps_of
from kernel.prices.symbols import Symbols, symbols_of
from kernel.prices.times import Times, written
from kernel.tables import Sheet, listed

_MOST_DISPLACED = 0.01  # of the steps: a slip of the writer; beyond it, the file is not what it seems
_ZERO = np.timedelta64(0, "us")


class Rows(NamedTuple):
    """Prices of one file in the range asked for."""

    name: str
    noun: str
    assets: tuple[str, ...]
    file_asset: str
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
) -> list[Rows]:
    """Read what counts of a file, the assets that stand one below the other apart.

    Note what was mended, and what has to be; nothing is returned that cannot be read further.
    """
    own, own_notes = Problems(), list(sheet.notes)
    fields = fields_of(sheet.header)
    stamps = stamps_of(own, sheet, fields, time)
    for place in () if stamps is None else stamps:
        if place is not None:
            fields[place] = Field("stamp")
    figures, symbols = Figures(sheet), symbols_of(own, sheet, fields)
    stacked = len(symbols.names) > 1
    chosen = choose(own, figures, fields, symbols.names[0], columns)
    if stacked and not own.found:
        _check_stacked(own, sheet, symbols, chosen, columns)
    if own.found or stamps is None:
        problems.found.extend(own.found)
        return []
    times = read_stamps(own, own_notes, sheet, stamps)
    inside = (times >= bounds[0]) & (times < bounds[1])
    for place in chosen.places.values():
        figures.look_at(own, place, inside)
    problems.found.extend(own.found)
    if own.found:
        return []
    whole = _whole(figures, fields, chosen, times)
    notes += [*own_notes, *chosen.notes, *_notes_on_header(sheet, chosen, stamps)]
    if not stacked:
        known = inside & ~np.isnan(whole.prices).any(axis=1)
        notes += look_at(figures, fields, chosen.places, times, known)
        return [_once(problems, notes, _ordered(problems, notes, _taken(whole, inside)))]
    notes.append(
        f"It holds {counted(len(symbols.names), 'asset')} one below the other, told apart by {symbols.column!r}."
    )
    return _apart(problems, notes, whole, symbols, inside)


def _whole(figures: Figures, fields: Sequence[Field], chosen: Chosen, times: Times) -> Rows:
    sheet, assets = figures.sheet, tuple(chosen.places)
    prices = np.column_stack([figures.of(place) for place in chosen.places.values()])
    readable = times[~np.isnat(times)]
    extent = f"{written(readable.min())} to {written(readable.max())}" if readable.size else ""
    lows_highs = extremes(figures, fields, chosen.places, prices)
    return Rows(sheet.name, sheet.noun, assets, chosen.file_asset, times, prices, *lows_highs, sheet.number, extent)


def _check_stacked(problems: Problems, sheet: Sheet, symbols: Symbols, chosen: Chosen, columns: Columns) -> None:
    """Ask for one column for all assets, or one for each of those that are wanted."""
    holds = f"{sheet.name} holds several assets one below the other ({symbols.listed})"
    if isinstance(columns, Mapping):
        unknown = [name for name in columns if name not in symbols.names]
        if unknown:
            problems.add("columns", f"{holds}: none is {unknown[0]!r}{near(unknown[0], symbols.names)}")
    elif len(chosen.places) > 1:
        listed = ", ".join(repr(sheet.header[place]) for place in chosen.places.values())
        problems.add("columns", f"{holds}: name one column of prices for all of them, not {listed}")


def _apart(
    problems: Problems, notes: list[str], whole: Rows, symbols: Symbols, inside: NDArray[np.bool_]
) -> list[Rows]:
    """Give each asset its own rows."""
    parts, own_notes = list[Rows](), list[str]()
    single = len(whole.assets) == 1 and whole.assets[0] not in symbols.names[1:]
    for k, name in enumerate(symbols.names):
        if not single and name not in whole.assets:
            continue
        column = 0 if single else whole.assets.index(name)
        own = whole._replace(
            assets=(name,),
            file_asset=name,
            **{field: getattr(whole, field)[:, [column]] for field in ("prices", "lows", "highs")},
        )
        rows = _taken(own, inside & (symbols.of == k))
        parts.append(_once(problems, own_notes, _ordered(problems, own_notes, rows)))
    notes += dict.fromkeys(own_notes)
    return parts


def _notes_on_header(sheet: Sheet, chosen: Chosen, stamps: Stamps) -> list[str]:
    """Tell of names that more than one column has, none of them of prices or times."""
    used = {sheet.header[place] for place in (*chosen.places.values(), stamps.date)}
    twice = [name for name, count in Counter(sheet.header).items() if name and count > 1 and name not in used]
    return [f"It has more than one column {name!r}: see which is meant before it is used." for name in twice]


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

"""Which columns of a file are prices, and of what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from kernel.errors import Problems
from kernel.prices.cells import is_number, is_text
from kernel.tables import Sheet
from kernel.text import near

_ADJUSTED = ("adj close", "adj. close", "adj_close", "adjclose", "adjusted close", "adjusted_close")
_CLOSE = ("close", "close price", "closing price", "price")
_FIELDS = (*_ADJUSTED, *_CLOSE, "open", "high", "low", "last")
_SYMBOL = ("symbol", "ticker", "pair")

Columns = str | Sequence[str] | Mapping[str, str] | None


class Chosen(NamedTuple):
    """Columns of prices by their assets."""

    columns: dict[str, str]
    alone: str
    """What the file as such is called: the symbol that it states on every row, or its name without suffixes."""
    notes: tuple[str, ...] = ()


def choose(problems: Problems, sheet: Sheet, time: str, columns: Columns) -> Chosen:
    """Take the columns that are stated, or find them out; note what is missing or ambiguous."""
    alone = _symbol(problems, sheet)
    if columns is not None and not isinstance(columns, str | Sequence | Mapping):
        problems.add("columns", f"must be a column's name, a list of them, or a mapping from assets, not {columns!r}")
        return Chosen({}, alone)
    if isinstance(columns, Mapping):
        chosen = Chosen(dict(columns), alone)
    elif columns is None:
        chosen = _found(problems, sheet, time, alone)
    else:
        listed = (columns,) if isinstance(columns, str) else tuple(columns)
        chosen = Chosen({_asset(name, alone if len(listed) == 1 else name): name for name in listed}, alone)
    if columns is not None and not chosen.columns:
        problems.add("columns", "must name at least one column of prices")
    for name in chosen.columns.values():
        if name not in sheet.header:
            problems.add("columns", f"{sheet.name} has no column {name!r}{near(str(name), sheet.header)}")
        elif sheet.header.count(name) > 1:
            problems.add("columns", f"{sheet.name} has more than one column {name!r}")
    return chosen


def prefix_of(column: str) -> str:
    """Return what stands before the field in ASSET:field, colon included.

    Example:
        >>> prefix_of("BTC:close")
        'BTC:'
    """
    asset, colon, field = column.rpartition(":")
    return asset + colon if field.strip().lower() in _FIELDS else ""


def is_close(column: str) -> bool:
    """Say whether a column is called a close, adjusted or not, so that the extremes of its bar come before it."""
    return column.rpartition(":")[2].strip().lower() in (*_ADJUSTED, *_CLOSE)


def _asset(column: str, otherwise: str) -> str:
    """Name an asset after its column, unless that is but a field of bars."""
    if prefix_of(column):
        return prefix_of(column)[:-1]
    return otherwise if column.strip().lower() in _FIELDS else column


def _symbol(problems: Problems, sheet: Sheet) -> str:
    """Return the symbol that a file states on every row, or else its name; note several symbols."""
    column = next((name for name in sheet.header if name.lower() in _SYMBOL), None)
    symbols = sorted({str(cell) for cell in sheet.cells(column)} - {""}) if column else []
    if len(symbols) > 1:
        listed = ", ".join(symbols[:3]) + (", ..." if len(symbols) > 3 else "")  # noqa: PLR2004 - shown
        problems.add("columns", f"{sheet.name} holds several assets one below the other ({listed}): give each its file")
    return symbols[0] if symbols else sheet.stem


def _found(problems: Problems, sheet: Sheet, time: str, alone: str) -> Chosen:
    """Find closing prices: ASSET:close of several assets, bars of one, or the single column of numbers."""
    lowered = {name: name.strip().lower() for name in sheet.header if name != time}
    beside = {
        prefix_of(name)[:-1]: name for name, low in lowered.items() if low.rpartition(":")[2] in _CLOSE and ":" in low
    }
    if beside:
        return Chosen(beside, alone)
    adjusted, close = ([name for name, low in lowered.items() if low in names] for names in (_ADJUSTED, _CLOSE))
    if len(adjusted) == 1 and len(close) <= 1:
        told = f"{adjusted[0]!r} is taken, not {close[0]!r}: it counts dividends and splits." if close else ""
        return Chosen({alone: adjusted[0]}, alone, (told,) if told else ())
    numeric = [name for name in lowered if _is_numeric(sheet, name)]
    single = next(
        (names for names in ([name for name in close if lowered[name] == "close"], close, numeric) if names), []
    )
    if len(single) == 1 and not adjusted:
        return Chosen({_asset(single[0], alone) if single is numeric else alone: single[0]}, alone)
    listed = ", ".join(map(repr, lowered)) or "no other"
    what = "which columns hold prices? Name them" if numeric else "no column holds numbers besides the times"
    problems.add("columns", f"{sheet.name}: {what}: it has {listed}")
    return Chosen({}, alone)


def _is_numeric(sheet: Sheet, column: str) -> bool:
    """Say whether the first cell that is there is a number."""
    cells = sheet.cells(column)
    if isinstance(cells, np.ndarray):
        return cells.dtype.kind == "f"
    given = next((cell for cell in cells if is_text(cell)), "")
    return is_number(given)

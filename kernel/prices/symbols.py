"""Assets that stand one below the other in a file, told apart by a column of their symbols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Problems
from kernel.prices.fields import Field
from kernel.prices.numbers import is_missing, is_price
from kernel.tables import Sheet

_FEWEST_ROWS = 3
_SHOWN = 3


class Symbols(NamedTuple):
    """Which asset each row is of."""

    column: str
    names: tuple[str, ...]
    """One asset's, or those of several in the order in which they stand."""
    of: NDArray[np.intp]
    """[row] places in names."""

    @property
    def listed(self) -> str:
        """Name the first ones."""
        return ", ".join(self.names[:_SHOWN]) + (", ..." if len(self.names) > _SHOWN else "")


def symbols_of(problems: Problems, sheet: Sheet, fields: Sequence[Field]) -> Symbols:
    """Return the assets that a file's rows state, or else its own name."""
    for place in (place for place, field in enumerate(fields) if field == Field("symbol")):
        cells = sheet.at(place)
        if isinstance(cells, np.ndarray) and cells.dtype.kind not in "iu":
            continue
        texts = [str(cell).strip() for cell in cells]
        given = {text: None for text in texts if not is_missing(text)}
        if not given or (len(given) == 1 and sheet.header[place].strip().lower() == "name"):
            continue  # of a currency, or of a company
        if all(is_price(text) and not text.isdecimal() for text in given):
            continue  # prices of an asset whose own name is such a word
        rank = {name: k for k, name in enumerate(given)}
        of = np.array([0 if len(given) == 1 else rank.get(text, -1) for text in texts], dtype=np.intp)
        symbols = Symbols(sheet.header[place], tuple(given), of)
        _check(problems, sheet, symbols)
        return symbols
    return Symbols("", (sheet.stem,), np.zeros(sheet.number.size, dtype=np.intp))


def _check(problems: Problems, sheet: Sheet, symbols: Symbols) -> None:
    if len(symbols.names) == 1:
        return
    holds = f"{sheet.name} holds several assets one below the other, told apart by {symbols.column!r}"
    if (symbols.of < 0).any():
        problems.add("columns", f"{holds}, which is empty in {sheet.named(symbols.of < 0)}")
        return
    short = np.flatnonzero(np.bincount(symbols.of) < _FEWEST_ROWS)
    if short.size:
        shown = ", ".join(symbols.names[k] for k in short[:_SHOWN]) + (", ..." if short.size > _SHOWN else "")
        message = f"{holds} ({symbols.listed}), of which {shown} {'has' if short.size == 1 else 'have'}"
        problems.add("columns", f"{message} fewer than {_FEWEST_ROWS} rows: leave them out, or give each its file")

"""The columns of a sheet as numbers, each read once, all of them in the one style of their file."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Problems
from kernel.prices.numbers import currency, is_missing, is_price, may_be_grouped, number, plain, styles
from kernel.tables import Cells, Sheet

_SAMPLE = 200  # cells of a column, when another's style is in doubt

Numbers = NDArray[np.float64]


class Figures:
    """Numbers of a sheet's columns by their place in the header."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self._read: dict[int, Numbers] = {}
        self._doubts: dict[int, str] = {}
        self._proved: list[set[str]] | None = None
        self._proofs = Counter[str]()

    def of(self, place: int) -> Numbers:
        """Return a column, NaN where it is missing or no number."""
        if place not in self._read:
            cells = self.sheet.at(place)
            if not isinstance(cells, np.ndarray):
                self._read[place] = self._texts(place, cells)
            else:
                times = cells.dtype.kind == "M"
                self._read[place] = np.full(cells.size, np.nan) if times else cells.astype(np.float64)
        return self._read[place]

    def look_at(self, problems: Problems, place: int, inside: NDArray[np.bool_]) -> None:
        """Note what is there and no finite number in the rows inside, or could be two numbers."""
        numbers, cells, column = self.of(place), self.sheet.at(place), repr(self.sheet.header[place])
        if place in self._doubts:
            problems.add("columns", f"{self.sheet.name}: {column} {self._doubts[place]}")
            return
        missing = np.isnan(numbers)
        if not isinstance(cells, np.ndarray):
            for k in np.flatnonzero(missing).tolist():
                missing[k] = is_missing(cells[k])
        elif cells.dtype.kind == "M":
            missing = np.isnat(cells)
        broken = inside & ~np.isfinite(numbers) & ~missing
        if broken.any():
            message = f"must be a plain, finite number such as 1234.5, not {str(cells[int(broken.argmax())])!r}"
            problems.add("columns", f"{self.sheet.name}: {self.sheet.named(broken)}: {column} {message}")

    def is_priced(self, place: int) -> bool:
        """Say whether the first cells that are there could be prices."""
        cells = self.sheet.at(place)
        if isinstance(cells, np.ndarray):
            return cells.dtype.kind in "fiu" and not np.isnan(cells).all()
        given = list(islice((cell for cell in cells if not is_missing(cell)), 20))
        return bool(given) and is_price(given[0]) and sum(map(is_price, given)) > len(given) // 2

    def is_counter(self, place: int) -> bool:
        """Say whether a column counts its rows."""
        numbers = self.of(place)
        steps = np.diff(numbers[np.isfinite(numbers)])
        return steps.size > 1 and bool((steps == steps[0]).all()) and abs(steps[0]) == 1

    def _texts(self, place: int, cells: Cells) -> Numbers:
        quick = _plain_numbers(cells)
        if quick is not None and not (len(cells) and all(may_be_grouped(cell) for cell in islice(cells, _SAMPLE))):
            return quick
        given = [cell for cell in cells if not is_missing(cell)]
        if quick is not None or all(math.isfinite(plain(cell)) for cell in given):
            comma = self._elsewhere(place) == {","} and all(may_be_grouped(cell) for cell in given)
            return np.array([number(cell, ",") if comma else plain(cell) for cell in cells], dtype=np.float64)
        proved = styles(given)
        if len(proved) > 1:
            self._doubts[place] = f"has numbers with decimal points and with decimal commas, such as {_first(given)!r}"
        if not proved:
            proved = self._elsewhere(place)
            unsure = next((cell for cell in given if "," in cell and is_price(cell)), None)
            if len(proved) != 1 and unsure is not None:
                what = f"holds {unsure!r}: is its comma for thousands or for decimals?"
                self._doubts[place] = f"{what} Write it without thousands, with a decimal point"
        signs = {sign for sign in map(currency, given) if sign}
        if len(signs) > 1:
            self._doubts[place] = f"has prices in several currencies: {', '.join(sorted(signs))}"
        decimal = "," if proved == {","} else "."
        return np.array([number(cell, decimal) for cell in cells], dtype=np.float64)

    def _elsewhere(self, place: int) -> set[str]:
        """Return the decimal signs that the first cells of the other columns prove."""
        if self._proved is None:
            columns = [self.sheet.at(k) for k in range(len(self.sheet.header))]
            self._proved = [
                set() if isinstance(column, np.ndarray) else styles(islice(column, _SAMPLE)) for column in columns
            ]
            self._proofs.update(sign for proved in self._proved for sign in proved)
        own = self._proved[place]
        return {sign for sign, count in self._proofs.items() if count > (sign in own)}


def _plain_numbers(texts: Cells) -> Numbers | None:
    """Read numbers as Python writes them, None if one is not; a third of the time of a check on each."""
    try:
        quick = np.fromiter(map(float, texts), dtype=np.float64, count=len(texts))
    except (TypeError, ValueError):
        return None
    return quick if "_" not in "".join(texts) else None


def _first(cells: Sequence[str]) -> str:
    return next((cell for cell in cells if "," in cell), cells[0])

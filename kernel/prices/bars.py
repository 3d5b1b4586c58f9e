"""What the other columns of bars tell about a close: whether it can be believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Problems
from kernel.prices.cells import read_numbers
from kernel.prices.columns import prefix_of
from kernel.prices.times import Times, written
from kernel.tables import Sheet

_BAR = ("open", "high", "low", "close")
_ROUNDING = 1e-6  # of the close

Numbers = NDArray[np.float64]


def look_at(sheet: Sheet, columns: Mapping[str, str], times: Times, inside: NDArray[np.bool_]) -> list[str]:
    """Return a sentence for each kind of bar that looks wrong, in the rows that count."""
    notes: list[str] = []
    for asset, column in columns.items():
        lowered = {name.strip().lower(): name for name in reversed(sheet.header)}
        prefix = prefix_of(column).lower()
        volume = next((name for low, name in lowered.items() if low.startswith(f"{prefix}volume")), None)
        bar = [lowered.get(prefix + field) for field in _BAR]
        if all(bar) and volume:
            _, high, low, close, traded = numbers = [_numbers(sheet, str(name)) for name in (*bar, volume)]
            of = f" of {asset}" if len(columns) > 1 else ""
            notes += _outside(sheet, of, inside, high, low, close)
            notes += _idle(sheet, of, inside & (traded == 0) & (high == low))
            notes += _repeated(sheet, of, times, inside & (traded > 0) & (high > low), np.column_stack(numbers))
    return notes


def _numbers(sheet: Sheet, column: str) -> Numbers:
    nowhere = np.zeros(sheet.number.size, dtype=bool)  # what is no number there is nothing to refuse
    return read_numbers(Problems(), sheet, column, nowhere)


def _outside(
    sheet: Sheet, of: str, inside: NDArray[np.bool_], high: Numbers, low: Numbers, close: Numbers
) -> Iterator[str]:
    wrong = inside & ((close > high + _ROUNDING * close) | (close < low - _ROUNDING * close))
    if wrong.any():
        yield f"{wrong.sum():,} closes{of} lie outside their bar's low and high: {sheet.named(wrong)}."


def _idle(sheet: Sheet, of: str, idle: NDArray[np.bool_]) -> Iterator[str]:
    if idle.any():
        yield f"{idle.sum():,} bars{of} have no volume, their price is the one before: {sheet.named(idle)}."


def _repeated(sheet: Sheet, of: str, times: Times, traded: NDArray[np.bool_], bars: Numbers) -> Iterator[str]:
    """Tell of bars with volume that stand at two times: chance does not repeat five numbers."""
    rows = np.flatnonzero(traded & np.isfinite(bars).all(axis=1))
    rows = rows[np.unique(times[rows], return_index=True)[1]]
    _, kind, count = np.unique(bars[rows].view("V40")[:, 0], return_inverse=True, return_counts=True)
    again = rows[count[kind] > 1]
    if again.size:
        first, second = times[rows[kind == kind[np.flatnonzero(count[kind] > 1)[0]]]][:2]
        marked = np.zeros(times.size, dtype=bool)
        marked[again] = True
        example = f"{written(first)} and {written(second)} have the same one"
        yield f"{again.size:,} bars{of} stand at two times, one of them wrong: {sheet.named(marked)} ({example})."

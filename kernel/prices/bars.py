"""What the other columns of bars tell about a close: how far prices went before it, and whether to believe it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Problems
from kernel.prices.cells import read_numbers
from kernel.prices.columns import is_close, prefix_of
from kernel.prices.times import Times, written
from kernel.tables import Sheet
from kernel.text import counted, was

_ROUNDING = 1e-6  # of the close

Numbers = NDArray[np.float64]


def extremes(sheet: Sheet, columns: Mapping[str, str], prices: Numbers) -> tuple[Numbers, Numbers]:
    """Return the lows and the highs of the bars that end with the prices, [row, asset]; NaN where they are unknown.

    They are unknown beside a price that is no close, and where a bar is impossible. Beside an adjusted close they are
    adjusted by the same factor.
    """
    lows, highs = np.full(prices.shape, np.nan), np.full(prices.shape, np.nan)
    for asset, column in enumerate(columns.values()):
        bars = _bars(sheet, prefix_of(column).lower())
        if not (is_close(column) and {"high", "low", "close"} <= bars.keys()):
            continue
        close, price = bars["close"], prices[:, asset]
        known = (bars["low"] > 0) & (bars["high"] < np.inf) & (price > 0) & ~_outside(bars)
        factor = np.divide(price, close, out=np.full(close.size, np.nan), where=known)
        lows[:, asset] = np.minimum(factor * bars["low"], price)
        highs[:, asset] = np.maximum(factor * bars["high"], price)
    return lows, highs


def look_at(sheet: Sheet, columns: Mapping[str, str], times: Times, inside: NDArray[np.bool_]) -> list[str]:
    """Return a sentence for each kind of bar that looks wrong, in the rows that count."""
    notes: list[str] = []
    for asset, column in columns.items():
        bars = _bars(sheet, prefix_of(column).lower())
        of = f" of {asset}" if len(columns) > 1 else ""
        for which, what in _suspects(bars, times, inside):
            verb = was(int(which.sum()))
            notes.append(f"{counted(int(which.sum()), 'bar')}{of} {what} {verb} kept: {sheet.named(which)}.")
    return notes


def _bars(sheet: Sheet, prefix: str) -> dict[str, Numbers]:
    """Return the columns of bars, those that are there; the volume is the first column so called."""
    lowered = {name.strip().lower(): name for name in reversed(sheet.header)}
    named = {field: lowered.get(prefix + field) for field in ("open", "high", "low", "close")}
    named["volume"] = next((lowered[low] for low in reversed(lowered) if low.startswith(f"{prefix}volume")), None)
    nowhere = np.zeros(sheet.number.size, dtype=bool)  # a cell that is no number is nothing to refuse here
    return {field: read_numbers(Problems(), sheet, name, nowhere) for field, name in named.items() if name is not None}


def _outside(bars: dict[str, Numbers]) -> NDArray[np.bool_]:
    rounding = _ROUNDING * bars["close"]
    return (bars["close"] > bars["high"] + rounding) | (bars["close"] < bars["low"] - rounding)


def _suspects(bars: dict[str, Numbers], times: Times, inside: NDArray[np.bool_]) -> list[tuple[NDArray[np.bool_], str]]:
    suspects = []
    if {"high", "low", "close"} <= bars.keys():
        suspects.append((inside & _outside(bars), "with a close outside low and high"))
    if {"open", "high", "low", "close", "volume"} <= bars.keys():
        flat, traded = bars["high"] == bars["low"], bars["volume"] > 0
        suspects.append((inside & flat & (bars["volume"] == 0), "without any volume"))
        suspects.append(_repeated(np.column_stack(list(bars.values())), times, inside & ~flat & traded))
    return [(which, what) for which, what in suspects if which.any()]


def _repeated(bars: Numbers, times: Times, traded: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], str]:
    """Find the bars that stand at two times: chance does not repeat five numbers."""
    rows = np.flatnonzero(traded & np.isfinite(bars).all(axis=1))
    rows = rows[np.unique(times[rows], return_index=True)[1]]
    _, kind, count = np.unique(bars[rows].view("V40")[:, 0], return_inverse=True, return_counts=True)
    twice, marked = count[kind] > 1, np.zeros(times.size, dtype=bool)
    marked[rows[twice]] = True
    if not twice.any():
        return marked, ""
    first, second = times[rows[kind == kind[twice.argmax()]]][:2]
    return marked, f"that stand at two times, such as {written(first)} and {written(second)}, one of them wrong,"

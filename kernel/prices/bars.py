"""What the other columns of bars tell about a close: how far prices went before it, and whether to believe it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kernel.checks.text import counted, was
from kernel.prices.fields import CLOSES, Field, places_of
from kernel.prices.figures import Figures, Numbers
from kernel.prices.times import Times, written

_ROUNDING = 1e-6  # of the close
_RAW = ("open", "high", "low", "close", "volume")
_ADJUSTED = ("adjusted low", "adjusted high")


def extremes(
    figures: Figures, fields: Sequence[Field], places: Mapping[str, int], prices: Numbers
) -> tuple[Numbers, Numbers]:
    """Return the lows and the highs of the bars that end with the prices, [row, asset]; NaN where they are unknown.

    They are unknown beside a price that is no close, and where a bar is impossible. Beside an adjusted close they are
    adjusted by the same factor.
    """
    lows, highs = np.full(prices.shape, np.nan), np.full(prices.shape, np.nan)
    by_field = places_of(fields)
    for asset, place in enumerate(places.values()):
        bars, price = _bars(figures, fields, by_field, place), prices[:, asset]
        role = fields[place].role
        if role != "adjusted":
            bars["close"] = price
        elif {"adjusted low", "adjusted high"} <= bars.keys():
            bars |= {"low": bars["adjusted low"], "high": bars["adjusted high"], "close": price}
        if role not in CLOSES or not {"high", "low", "close"} <= bars.keys():
            continue
        close = bars["close"]
        known = (bars["low"] > 0) & (bars["high"] < np.inf) & (price > 0) & (close > 0) & _is_inside(bars)
        factor = np.divide(price, close, out=np.full(close.size, np.nan), where=known)
        lows[:, asset] = np.minimum(factor * bars["low"], price)
        highs[:, asset] = np.maximum(factor * bars["high"], price)
    return lows, highs


def look_at(
    figures: Figures, fields: Sequence[Field], places: Mapping[str, int], times: Times, inside: NDArray[np.bool_]
) -> list[str]:
    """Return a sentence for each kind of bar that looks wrong, in the rows that count."""
    notes, by_field = list[str](), places_of(fields)
    for asset, place in places.items():
        bars = {role: one for role, one in _bars(figures, fields, by_field, place).items() if role in _RAW}
        of = f" of {asset}" if len(places) > 1 else ""
        for which, what in _suspects(bars, times, inside):
            verb = was(int(which.sum()))
            named = figures.sheet.named(which)
            notes.append(f"{counted(int(which.sum()), 'bar')}{of} {what} {verb} kept: {named}.")
    return notes


def _bars(
    figures: Figures, fields: Sequence[Field], by_field: Mapping[Field, list[int]], place: int
) -> dict[str, Numbers]:
    """Return the columns of the bars around a price by their roles; none of which there are two, but the first volume.

    Without a column called a close, the price itself is one if that is what its own name says.
    """
    bars: dict[str, Numbers] = {}
    for role in (*_RAW, *_ADJUSTED):
        same = by_field.get(Field(role, fields[place].asset), [])
        if len(same) == 1 or (same and role == "volume"):
            bars[role] = figures.of(same[0])
    if "close" not in bars and fields[place].role in CLOSES and fields[place].role != "adjusted":
        bars["close"] = figures.of(place)
    return bars


def _is_inside(bars: dict[str, Numbers]) -> NDArray[np.bool_]:
    """Say which closes lie between low and high; where one of the three is missing, none does."""
    rounding = _ROUNDING * bars["close"]
    inside = (bars["close"] <= bars["high"] + rounding) & (bars["close"] >= bars["low"] - rounding)
    return np.array(inside, dtype=np.bool_)


def _suspects(bars: dict[str, Numbers], times: Times, inside: NDArray[np.bool_]) -> list[tuple[NDArray[np.bool_], str]]:
    suspects = []
    if {"high", "low", "close"} <= bars.keys():
        complete = np.isfinite(bars["high"] + bars["low"] + bars["close"])
        suspects.append((inside & complete & ~_is_inside(bars), "with a close outside low and high"))
    if set(_RAW) <= bars.keys():
        flat, traded = bars["high"] == bars["low"], bars["volume"] > 0
        suspects.append((inside & flat & (bars["volume"] == 0), "without any volume"))
        suspects.append(_repeated(np.column_stack([bars[role] for role in _RAW]), times, inside & ~flat & traded))
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

"""The bodies of operations for structs that have none of their own."""

from __future__ import annotations

import numpy as np
from numba.extending import overload

from kernel._core.jit import INLINE, default
from kernel._core.operations import (
    act,
    at,
    base_of,
    cash_of,
    distances,
    level_of,
    lowest_reading,
    may_breach,
    move_state,
    open_state,
    read,
    score,
    screen,
    screen_end,
)

_ROUNDS = 64  # of a search for the lowest level: some to find a level that stands, the others to close in on it
_FIRST, _LEAST = 2.0**-10, 1e-6  # how far below the lowest known the search begins, as a share of it; of its size


@default(open_state)
def _open_no_state(struct, lanes, assets, n):
    pass


@default(move_state)
def _move_no_state(step, seed, s, lanes, assets, n):
    pass


@default(act)
def _act_not(rules, book, lanes, assets, n):
    pass


@default(level_of)
def _level_of_all(book, lanes, i, tier):
    return book.level[tier]


@overload(cash_of, strict=False, jit_options=INLINE)
def _cash_of(book, lanes):
    return (lambda book, lanes: lanes.cash) if "cash" in lanes.fields else (lambda book, lanes: book.cash)


@overload(base_of, strict=False, jit_options=INLINE)
def _base_of(book, lanes):
    return (lambda book, lanes: lanes.base) if "base" in lanes.fields else (lambda book, lanes: book.base)


@default(screen)
def _screen_distances(book, covariance, lanes, assets, span, exponent, n):
    distances(book, covariance, lanes, assets, n)
    start, end, variance, level, flag = (
        lanes.start_distance,
        lanes.end_distance,
        lanes.variance,
        lanes.level,
        lanes.flag,
    )
    never = level.dtype.type(-np.inf)
    for i in range(n):
        flag[i] = (start[i] * end[i] <= variance[i] * at(span, i) * at(exponent, i)) & (level[i] > never)


@default(screen_end)
def _screen_reading(book, lanes, assets, n):
    read(book, lanes, assets, n)
    reading, level, flag = lanes.reading, lanes.level, lanes.flag
    for i in range(n):
        flag[i] = reading[i] <= level[i]


@default(may_breach)
def _screen_all(book, covariance, lanes, assets, span, ceiling, n):
    screen(book, covariance, lanes, assets, span, ceiling, n)


@default(lowest_reading)
def _search_lowest(book, covariance, lanes, assets, n):
    """Step down from the lowest level that is known, twice as far each time, then halve between breached and not."""
    read(book, lanes, assets, n)
    level, reading, lowest, span, exponent = lanes.level, lanes.reading, lanes.lowest, lanes.span, lanes.exponent
    saved, high, low = lanes.scratch[3], lanes.scratch[4], lanes.scratch[5]
    real = level.dtype.type
    half, least, never, step = real(0.5), real(_LEAST), real(-np.inf), real(_FIRST)
    for i in range(n):
        saved[i], high[i], low[i] = level[i], min(lowest[i], reading[i]), never
    for _ in range(_ROUNDS):
        for i in range(n):
            below = high[i] - step * max(abs(high[i]), least)
            level[i] = below if low[i] == never else half * (high[i] + low[i])
        distances(book, covariance, lanes, assets, n)
        start, end, variance = lanes.start_distance, lanes.end_distance, lanes.variance
        for i in range(n):
            breached = start[i] * end[i] <= variance[i] * span[i] * exponent[i]
            high[i], low[i] = level[i] if breached else high[i], low[i] if breached else level[i]
        step += step
    for i in range(n):
        reading[i], level[i] = high[i], saved[i]


@default(score)
def _score_at_end(book, tilt, growth, lanes, assets, bridged, n):
    stop, reading, ratio = lanes.stop, lanes.reading, lanes.ratio
    for j in range(n):
        reading[j] = growth * stop[j] + ratio[j]
    for a in range(assets.size):
        exponent, log_spot = tilt[a], assets[a].log_spot
        for j in range(n):
            reading[j] -= exponent * log_spot[j]

"""What the walk needs of a linear account: barriers on one asset's log price, or values and requirements of many."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernel._core.jit import block, implements
from kernel._core.operations import at, distances, mark, screen
from kernel._core.special import exp, fma, log


class BarrierBook(NamedTuple):
    """Linear positions on one asset: each tier is a barrier on the log price, all on one side."""

    spot: np.ndarray  # [asset] opening price, float64
    quantity: np.ndarray  # [asset] currency per unit of relative price, float64
    side: np.float32  # +1: barriers below the opening price; -1: above
    level: np.ndarray  # [tier + 1] barriers times side, falling; the last is never reached


@implements(mark, BarrierBook)
def _mark_barrier(book, assets, n):
    side, asset = book.side, assets[0]
    log_spot, before, after = asset.log_spot, asset.before, asset.after
    for i in range(n):
        before[i] = after[i]
        after[i] = side * log_spot[i]


@implements(distances, BarrierBook)
def _distances_barrier(book, factor, lanes, assets, n):
    before, after, level = assets[0].before, assets[0].after, lanes.level
    near, far, variance = lanes.near, lanes.far, lanes.variance
    square = factor[0, 0] * factor[0, 0]
    for i in range(n):
        near[i], far[i], variance[i] = before[i] - level[i], after[i] - level[i], square


@implements(screen, BarrierBook)
def _screen_barrier(book, factor, lanes, assets, span, exponent, n):
    before, after, level, flag = assets[0].before, assets[0].after, lanes.level, lanes.flag
    square = factor[0, 0] * factor[0, 0]
    for i in range(n):
        room = square * at(span, i) * at(exponent, i)
        flag[i] = (before[i] - level[i]) * (after[i] - level[i]) <= room


class LinearBook(NamedTuple):
    """Linear positions on several assets: a tier is breached when value - level * requirement <= 0."""

    spot: np.ndarray  # [asset] opening price, float64
    quantity: np.ndarray  # [asset] currency per unit of relative price, float64
    value: np.ndarray  # [asset] the same in the walk's precision
    requirement: np.ndarray  # [asset] requirement per unit of relative price
    cash: np.float32  # equity that does not move with prices
    base: np.float32  # requirement that does not move with prices
    level: np.ndarray  # [tier + 1] levels of the metric, falling; the last is -inf


@implements(mark, LinearBook)
def _mark_linear(book, assets, n):
    for a in range(assets.size):
        log_spot, before, after = assets[a].log_spot, assets[a].before, assets[a].after
        for i in range(n):
            before[i] = after[i]
            after[i] = exp(log_spot[i])


@block
def _sum_signs(book, lanes, assets, n, end):
    """Sum the positive and the negative parts of value - level * requirement at one end of the segment."""
    level, plus, minus = lanes.level, lanes.plus[end], lanes.minus[end]
    zero = level.dtype.type(0)
    for i in range(n):
        fixed = fma(-level[i], book.base, book.cash)
        plus[i], minus[i] = max(fixed, zero), max(-fixed, zero)
    for a in range(assets.size):
        value, requirement = book.value[a], book.requirement[a]
        price = assets[a].after if end else assets[a].before
        for i in range(n):
            part = fma(-level[i], requirement, value) * price[i]
            plus[i] += max(part, zero)
            minus[i] += max(-part, zero)


@block
def _share_risk(book, lanes, assets, n):
    """Fill share: the mean, over the two ends, of each asset's part in the sum on its side of zero."""
    level, zero, half = lanes.level, lanes.level.dtype.type(0), lanes.level.dtype.type(0.5)
    plus_before, plus_after, minus_before, minus_after = lanes.plus[0], lanes.plus[1], lanes.minus[0], lanes.minus[1]
    for a in range(assets.size):
        value, requirement = book.value[a], book.requirement[a]
        before, after, share = assets[a].before, assets[a].after, assets[a].share
        for i in range(n):
            weight = fma(-level[i], requirement, value)
            first = plus_before[i] if weight >= zero else minus_before[i]
            last = plus_after[i] if weight >= zero else minus_after[i]
            share[i] = half * weight * (before[i] / first + after[i] / last)


@implements(distances, LinearBook)
def _distances_linear(book, factor, lanes, assets, n):
    """Measure distance as log(positive part / negative part).

    With one risky term on either side this coordinate is a Brownian motion and its bridge exact; with more, its
    variance is taken from the mean of each asset's share at the two ends of the segment.
    """
    _sum_signs(book, lanes, assets, n, 0)
    _sum_signs(book, lanes, assets, n, 1)
    _share_risk(book, lanes, assets, n)
    near, far, variance, room = lanes.near, lanes.far, lanes.variance, lanes.room
    plus, minus, zero = lanes.plus, lanes.minus, lanes.level.dtype.type(0)
    for i in range(n):
        near[i], far[i] = log(plus[0, i] / minus[0, i]), log(plus[1, i] / minus[1, i])
        variance[i] = zero
    for b in range(assets.size):
        for i in range(n):
            room[i] = zero
        for a in range(b, assets.size):
            weight, share = factor[a, b], assets[a].share
            for i in range(n):
                room[i] = fma(weight, share[i], room[i])
        for i in range(n):
            variance[i] = fma(room[i], room[i], variance[i])


@implements(screen, LinearBook)
def _screen_linear(book, factor, lanes, assets, span, exponent, n):
    level, flag, never = lanes.level, lanes.flag, lanes.level.dtype.type(-np.inf)
    if at(exponent, 0) == 0:  # an array of zeros has no caller: only the end counts
        _sum_signs(book, lanes, assets, n, 1)
        plus, minus = lanes.plus[1], lanes.minus[1]
        for i in range(n):
            flag[i] = (plus[i] <= minus[i]) & (level[i] > never)
        return
    distances(book, factor, lanes, assets, n)
    near, far, variance = lanes.near, lanes.far, lanes.variance
    for i in range(n):
        flag[i] = (near[i] * far[i] <= variance[i] * at(span, i) * at(exponent, i)) & (level[i] > never)

"""Linear positions on several assets: values and requirements, and the distance to a tier."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from kernel._core.covariance import Fixed, Local, bridge_variance, volatility
from kernel._core.fields import Field, Fields
from kernel._core.jit import block, implements, point
from kernel._core.operations import (
    add_loss,
    at,
    base_of,
    cash_of,
    distances,
    is_number,
    lowest_reading,
    mark,
    may_breach,
    read,
    score,
    screen,
)
from kernel._core.special import exp, fma, log
from kernel.accounts.books.loss import lose_linearly

_ROUNDS = 6  # of the search for the lowest level within a segment


class LinearBook(NamedTuple):
    """Linear positions on several assets: a tier is breached when value - level * requirement <= 0."""

    spot: np.ndarray  # [asset] opening price, float64
    quantity: np.ndarray  # [asset] currency per unit of relative price, float64
    value: np.ndarray  # [asset, and zeros to a multiple of 4] the same in the walk's precision
    requirement: np.ndarray  # [as value] requirement per unit of relative price
    cash: np.float32  # equity that does not move with prices, at the opening
    base: np.float32  # requirement that does not move with prices, at the opening
    level: np.ndarray  # [tier + 1] levels of the metric, falling; the last is -inf

    @staticmethod
    def lane_fields() -> Fields:
        """Declare sums over the assets, and what they are made of."""
        return Fields(
            lane=(
                Field("positive", "block", None, 2),  # by end of the segment: the terms above zero of value - level *
                Field("negative", "block", None, 2),  # requirement, and those below, negated
            ),
            asset=(
                Field("share", "block"),  # of an asset's term in the sum on its side of zero
                Field("loading", "block"),  # of the distance on one of the normals
            ),
        )


@implements(mark, LinearBook)
def _mark_linear(book, assets, n):
    for a in range(assets.size):
        log_spot, before, after = assets[a].log_spot, assets[a].before, assets[a].after
        for i in range(n):
            before[i] = after[i]
            after[i] = exp(log_spot[i])


@point
def _part(value, requirement, level, price):
    return fma(-level, requirement, value) * price


@block
def _sum_signs(book, lanes, assets, n, end):
    """Sum the positive and the negative parts of value - level * requirement at one end of the segment."""
    level, plus, minus = lanes.level, lanes.positive[end], lanes.negative[end]
    cash, base, zero, last = cash_of(book, lanes), base_of(book, lanes), level.dtype.type(0), assets.size - 1
    for i in range(n):
        fixed = fma(-level[i], at(base, i), at(cash, i))
        plus[i], minus[i] = max(fixed, zero), max(-fixed, zero)
    for a in range(0, assets.size, 4):  # four assets a sweep: the sums are loaded and stored a quarter as often
        v0, v1, v2, v3 = book.value[a], book.value[a + 1], book.value[a + 2], book.value[a + 3]
        r0, r1, r2, r3 = book.requirement[a], book.requirement[a + 1], book.requirement[a + 2], book.requirement[a + 3]
        p0, p1 = _price(assets[a], end), _price(assets[min(a + 1, last)], end)
        p2, p3 = _price(assets[min(a + 2, last)], end), _price(assets[min(a + 3, last)], end)
        for i in range(n):
            w, x = _part(v0, r0, level[i], p0[i]), _part(v1, r1, level[i], p1[i])
            y, z = _part(v2, r2, level[i], p2[i]), _part(v3, r3, level[i], p3[i])
            plus[i] += (max(w, zero) + max(x, zero)) + (max(y, zero) + max(z, zero))
            minus[i] += (max(-w, zero) + max(-x, zero)) + (max(-y, zero) + max(-z, zero))


@point
def _price(asset, end):
    return asset.after if end else asset.before


@implements(may_breach, LinearBook)
def _may_breach_linear(book, covariance, lanes, assets, span, ceiling, n):
    """Bound the variance: no more than the largest asset's, times the square of the sum of all shares."""
    real, largest = book.level.dtype.type, lanes.variance
    largest[:n] = 0
    for a in range(assets.size):
        square, local = real(0), volatility(covariance, assets[a])
        for b in range(a + 1):
            square += covariance.factor[a, b] * covariance.factor[a, b]
        square = square if is_number(local) else square + square  # the most that a bridge's is
        for i in range(n):
            largest[i] = max(largest[i], square * at(local, i) * at(local, i))
    _sum_signs(book, lanes, assets, n, 0)
    _sum_signs(book, lanes, assets, n, 1)
    level, flag, plus, minus = lanes.level, lanes.flag, lanes.positive, lanes.negative
    cash, base = cash_of(book, lanes), base_of(book, lanes)
    zero, half, margin, never = real(0), real(0.5), real(1e-4), real(-np.inf)
    for i in range(n):
        fixed = fma(-level[i], at(base, i), at(cash, i))
        long, short = max(fixed, zero), max(-fixed, zero)
        shares = (plus[0, i] - long) / plus[0, i] + (minus[0, i] - short) / minus[0, i]
        shares += (plus[1, i] - long) / plus[1, i] + (minus[1, i] - short) / minus[1, i]
        most = half * shares + margin
        start, end = log(plus[0, i] / minus[0, i]), log(plus[1, i] / minus[1, i])
        flag[i] = (start * end <= most * most * largest[i] * at(span, i) * ceiling[i]) & (level[i] > never)


@block
def _invert_sums(lanes, n):
    """Fill both distances, and turn each sum into half its reciprocal."""
    half = lanes.level.dtype.type(0.5)
    start, end, plus, minus = lanes.start_distance, lanes.end_distance, lanes.positive, lanes.negative
    for i in range(n):
        start[i], end[i] = log(plus[0, i] / minus[0, i]), log(plus[1, i] / minus[1, i])
    for k in range(2):
        for i in range(n):
            plus[k, i], minus[k, i] = half / plus[k, i], half / minus[k, i]


@block
def _share_risk(book, lanes, assets, n):
    """Fill share: the mean, over the two ends, of each asset's part in the sum on its side of zero."""
    level, zero, plus, minus = lanes.level, lanes.level.dtype.type(0), lanes.positive, lanes.negative
    for a in range(assets.size):
        value, requirement = book.value[a], book.requirement[a]
        before, after, share = assets[a].before, assets[a].after, assets[a].share
        for i in range(n):
            weight = fma(-level[i], requirement, value)
            first = plus[0, i] if weight >= zero else minus[0, i]
            last = plus[1, i] if weight >= zero else minus[1, i]
            share[i] = weight * fma(before[i], first, after[i] * last)


@implements(distances, LinearBook)
def _distances_linear(book, covariance, lanes, assets, n):
    """Measure distance as log(positive part / negative part).

    With one risky term on either side this coordinate is a Brownian motion and its bridge exact; with more, its
    variance is taken from the mean of each asset's share at the two ends of the segment.
    """
    _sum_signs(book, lanes, assets, n, 0)
    _sum_signs(book, lanes, assets, n, 1)
    _invert_sums(lanes, n)
    _share_risk(book, lanes, assets, n)
    variance, loading, zero = lanes.variance, lanes.scratch[0], lanes.level.dtype.type(0)
    variance[:n] = zero
    for b in range(assets.size):
        loading[:n] = zero
        for a in range(b, assets.size):
            weight, share, local = covariance.factor[a, b], assets[a].share, volatility(covariance, assets[a])
            for i in range(n):
                loading[i] = fma(weight * at(local, i), share[i], loading[i])
        for i in range(n):
            variance[i] = fma(loading[i], loading[i], variance[i])
    _let_variance_move(covariance, lanes, assets, n)


def _let_variance_move(covariance, lanes, assets, n):
    """Turn the variance of the distance into the bridge's, where the variances move with the prices."""
    raise NotImplementedError


@implements(_let_variance_move, Fixed)
def _let_variance_stand(covariance, lanes, assets, n):
    pass


@block
def _move_with_distance(covariance, lanes, assets, a, n):
    """Fill scratch[0]: how asset a's log price moves with the distance, in its volatility, times its share."""
    moved, own = lanes.scratch[0], assets[a].share
    moved[:n] = lanes.level.dtype.type(0)
    for b in range(a + 1):
        weight, loading = covariance.factor[a, b], assets[b].loading
        for i in range(n):
            moved[i] = fma(weight, loading[i], moved[i])
    for i in range(n):
        moved[i] *= own[i]


@implements(_let_variance_move, Local)
def _let_variance_move_local(covariance, lanes, assets, n):
    """Sum, over the assets, the slope of the distance's variance by theirs times how theirs move with the distance."""
    zero, half, tiny = lanes.level.dtype.type(0), lanes.level.dtype.type(0.5), lanes.level.dtype.type(1e-30)
    moved, slope, variance = lanes.scratch[0], lanes.scratch[1], lanes.variance
    start, end = lanes.start_distance, lanes.end_distance
    slope[:n] = zero
    for b in range(assets.size):
        loading = assets[b].loading
        loading[:n] = zero
        for a in range(b, assets.size):
            weight, share, local = covariance.factor[a, b], assets[a].share, assets[a].volatility
            for i in range(n):
                loading[i] = fma(weight * local[i], share[i], loading[i])
    for a in range(assets.size):
        _move_with_distance(covariance, lanes, assets, a, n)
        for b in range(assets.size):
            response, share, local = covariance.response[a, b], assets[b].share, assets[b].volatility
            for i in range(n):
                slope[i] = fma(response * local[i] * share[i], moved[i], slope[i])
    for i in range(n):
        distance = half * (start[i] + max(end[i], zero))
        variance[i] = bridge_variance(variance[i], slope[i] / max(variance[i], tiny), distance)


@implements(screen, LinearBook)
def _screen_linear(book, covariance, lanes, assets, span, exponent, n):
    level, flag, never = lanes.level, lanes.flag, lanes.level.dtype.type(-np.inf)
    if is_number(exponent):
        _sum_signs(book, lanes, assets, n, 1)
        plus, minus = lanes.positive[1], lanes.negative[1]
        for i in range(n):
            flag[i] = (plus[i] <= minus[i]) & (level[i] > never)
        return
    distances(book, covariance, lanes, assets, n)
    start, end, variance = lanes.start_distance, lanes.end_distance, lanes.variance
    for i in range(n):
        flag[i] = (start[i] * end[i] <= variance[i] * at(span, i) * at(exponent, i)) & (level[i] > never)


@implements(read, LinearBook)
def _read_linear(book, lanes, assets, n):
    reading, required, cash, base = lanes.reading, lanes.scratch[0], cash_of(book, lanes), base_of(book, lanes)
    for i in range(n):
        reading[i], required[i] = at(cash, i), at(base, i)
    for a in range(assets.size):
        value, requirement, after = book.value[a], book.requirement[a], assets[a].after
        for i in range(n):
            reading[i] = fma(value, after[i], reading[i])
            required[i] = fma(requirement, after[i], required[i])
    for i in range(n):
        reading[i] /= required[i]


@block
def _measure_depths(book, covariance, lanes, assets, n):
    """Fill start_distance with how far the segment's lowest point lies above the lanes' levels.

    With a lower level the positive part grows and the negative part shrinks, each by the requirements in it: the first
    two rows of scratch get those over the parts, at the mean of both ends.
    """
    distances(book, covariance, lanes, assets, n)
    start, end, variance, span = lanes.start_distance, lanes.end_distance, lanes.variance, lanes.span
    exponent, level, growth, loss = lanes.exponent, lanes.level, lanes.scratch[0], lanes.scratch[1]
    cash, base, zero, half = cash_of(book, lanes), base_of(book, lanes), level.dtype.type(0), level.dtype.type(0.5)
    for i in range(n):
        middle, gap = half * (start[i] + end[i]), half * (start[i] - end[i])
        start[i] = middle - math.sqrt(gap * gap + variance[i] * span[i] * exponent[i])
        above = fma(-level[i], at(base, i), at(cash, i)) >= zero
        growth[i] = at(base, i) * (lanes.positive[0, i] + lanes.positive[1, i]) if above else zero
        loss[i] = zero if above else at(base, i) * (lanes.negative[0, i] + lanes.negative[1, i])
    for a in range(assets.size):
        value, requirement, before, after = book.value[a], book.requirement[a], assets[a].before, assets[a].after
        for i in range(n):
            above = fma(-level[i], requirement, value) >= zero
            first = lanes.positive[0, i] if above else lanes.negative[0, i]
            last = lanes.positive[1, i] if above else lanes.negative[1, i]
            part = requirement * fma(before[i], first, after[i] * last)
            growth[i] += part if above else zero
            loss[i] += zero if above else part


@implements(lowest_reading, LinearBook)
def _lowest_reading_linear(book, covariance, lanes, assets, n):
    """Solve for the level, between bounds that close in on it.

    A level lower by t multiplies the ratio of the parts by (1 + t growth) / (1 - t loss): solved for t, that is exact
    with one risky term, and stays within the levels that can occur.
    """
    level, depth, growth, loss = lanes.level, lanes.start_distance, lanes.scratch[0], lanes.scratch[1]
    saved, high, low = lanes.scratch[3], lanes.scratch[4], lanes.scratch[5]
    one, half, never = level.dtype.type(1), level.dtype.type(0.5), level.dtype.type(-np.inf)
    for i in range(n):
        saved[i], level[i] = level[i], lanes.lowest[i]
        high[i], low[i] = level[i], never
    for _ in range(_ROUNDS):
        _measure_depths(book, covariance, lanes, assets, n)
        for i in range(n):
            passed = depth[i] <= 0
            high[i], low[i] = level[i] if passed else high[i], low[i] if passed else level[i]
            ratio = exp(-depth[i])
            solved = level[i] - (ratio - one) / (growth[i] + ratio * loss[i])
            between = half * (high[i] + low[i]) if low[i] > never else high[i]
            level[i] = solved if (solved <= high[i]) & (solved >= low[i]) else between
    for i in range(n):
        lanes.reading[i], level[i] = min(level[i], high[i]), saved[i]


@implements(score, LinearBook)
def _score_linear(book, tilt, growth, lanes, assets, bridged, n):
    stop, reading, ratio = lanes.stop, lanes.reading, lanes.ratio
    for j in range(n):
        reading[j] = growth * stop[j] + ratio[j]
    for a in range(assets.size):
        exponent, after = tilt[a], assets[a].after
        for j in range(n):
            reading[j] = fma(-exponent, log(after[j]), reading[j])


@implements(add_loss, LinearBook)
def _add_loss_linear(book, a, lanes, n):
    lose_linearly(book.quantity[a], lanes, n)

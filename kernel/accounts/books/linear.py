"""Linear positions on several assets: values and requirements, and the distance to a tier."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from kernel._core.covariance import volatility
from kernel._core.fields import Field, Fields
from kernel._core.jit import block, implements
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
    screen_end,
)
from kernel._core.special import exp, fma, log
from kernel.accounts.books.linear_terms import invert_sums, let_variance_move, share_risk, sum_signs
from kernel.accounts.books.loss import lose_linearly

_ROUNDS = 6  # of the search for the lowest reading


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
    sum_signs(book, lanes, assets, n, 0)
    sum_signs(book, lanes, assets, n, 1)
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


@implements(distances, LinearBook)
def _distances_linear(book, covariance, lanes, assets, n):
    """Measure distance as log(positive part / negative part).

    With one risky term on either side this coordinate is a Brownian motion and its bridge exact; with more, its
    variance is taken from the mean of each asset's share at the two ends of the segment.
    """
    sum_signs(book, lanes, assets, n, 0)
    sum_signs(book, lanes, assets, n, 1)
    invert_sums(lanes, n)
    share_risk(book, lanes, assets, n)
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
    let_variance_move(covariance, lanes, assets, n)


@implements(screen, LinearBook)
def _screen_linear(book, covariance, lanes, assets, span, exponent, n):
    level, flag, never = lanes.level, lanes.flag, lanes.level.dtype.type(-np.inf)
    distances(book, covariance, lanes, assets, n)
    start, end, variance = lanes.start_distance, lanes.end_distance, lanes.variance
    for i in range(n):
        flag[i] = (start[i] * end[i] <= variance[i] * at(span, i) * at(exponent, i)) & (level[i] > never)


@implements(screen_end, LinearBook)
def _screen_end_linear(book, lanes, assets, n):
    sum_signs(book, lanes, assets, n, 1)
    level, flag, never = lanes.level, lanes.flag, lanes.level.dtype.type(-np.inf)
    plus, minus = lanes.positive[1], lanes.negative[1]
    for i in range(n):
        flag[i] = (plus[i] <= minus[i]) & (level[i] > never)


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

"""The terms of a distance to a tier of linear positions: sums on either side of zero, shares, variances.

A tier is breached when the sum of cash - level * base and, over the assets, (value - level * requirement) * price is at
most 0.
"""

from __future__ import annotations

from kernel._core.covariance import Fixed, Local, bridge_variance
from kernel._core.jit import block, implements, point
from kernel._core.operations import at, base_of, cash_of
from kernel._core.special import fma, log


@point
def _part(value, requirement, level, price):
    return fma(-level, requirement, value) * price


@block
def sum_signs(book, lanes, assets, n, end):
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


@block
def invert_sums(lanes, n):
    """Fill both distances, and turn each sum into half its reciprocal."""
    half = lanes.level.dtype.type(0.5)
    start, end, plus, minus = lanes.start_distance, lanes.end_distance, lanes.positive, lanes.negative
    for i in range(n):
        start[i], end[i] = log(plus[0, i] / minus[0, i]), log(plus[1, i] / minus[1, i])
    for k in range(2):
        for i in range(n):
            plus[k, i], minus[k, i] = half / plus[k, i], half / minus[k, i]


@block
def share_risk(book, lanes, assets, n):
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


def let_variance_move(covariance, lanes, assets, n):
    """Turn the variance of the distance into the bridge's, where the variances move with the prices."""
    raise NotImplementedError


@implements(let_variance_move, Fixed)
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


@implements(let_variance_move, Local)
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

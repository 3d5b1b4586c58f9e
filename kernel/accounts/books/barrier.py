"""An account on one asset: each tier is a barrier on the log price."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernel._core.covariance import bridge_depth, bridge_variance, variance_slope, volatility
from kernel._core.jit import implements
from kernel._core.operations import (
    add_loss,
    at,
    distances,
    lowest_reading,
    mark,
    read,
    score,
    screen,
)
from kernel.accounts.books.loss import lose_linearly


class BarrierBook(NamedTuple):
    """Linear positions on one asset: each tier is a barrier on the log price, all on one side."""

    spot: np.ndarray  # [asset] opening price, float64
    quantity: np.ndarray  # [asset] currency per unit of relative price, float64
    side: np.float32  # +1: barriers below the opening price; -1: above
    level: np.ndarray  # [tier + 1] barriers times side, falling; the last is never reached

    @staticmethod
    def knows_lowest() -> bool:
        """Say that the lowest reading of a bridge is a closed form."""
        return True


@implements(mark, BarrierBook)
def _mark_barrier(book, assets, n):
    side, asset = book.side, assets[0]
    log_spot, before, after = asset.log_spot, asset.before, asset.after
    for i in range(n):
        before[i] = after[i]
        after[i] = side * log_spot[i]


@implements(distances, BarrierBook)
def _distances_barrier(book, covariance, lanes, assets, n):
    before, after, level = assets[0].before, assets[0].after, lanes.level
    start, end, variance = lanes.start_distance, lanes.end_distance, lanes.variance
    factor, local, slope = covariance.factor[0, 0], volatility(covariance, assets[0]), variance_slope(covariance, 0)
    real = level.dtype.type
    half, zero = book.side * real(0.5), real(0)
    for i in range(n):
        deviation, a, c = factor * at(local, i), before[i] - level[i], after[i] - level[i]
        start[i], end[i] = a, c
        variance[i] = bridge_variance(deviation * deviation, slope, half * (a + max(c, zero)))


@implements(screen, BarrierBook)
def _screen_barrier(book, covariance, lanes, assets, span, exponent, n):
    before, after, level, flag = assets[0].before, assets[0].after, lanes.level, lanes.flag
    factor, local, slope = covariance.factor[0, 0], volatility(covariance, assets[0]), variance_slope(covariance, 0)
    real = level.dtype.type
    half, zero = book.side * real(0.5), real(0)
    for i in range(n):
        deviation, a, c = factor * at(local, i), before[i] - level[i], after[i] - level[i]
        variance = bridge_variance(deviation * deviation, slope, half * (a + max(c, zero)))
        flag[i] = a * c <= variance * at(span, i) * at(exponent, i)


@implements(read, BarrierBook)
def _read_barrier(book, lanes, assets, n):
    after, reading = assets[0].after, lanes.reading
    for i in range(n):
        reading[i] = after[i]


@implements(lowest_reading, BarrierBook)
def _lowest_reading_barrier(book, covariance, lanes, assets, n):
    before, after, reading = assets[0].before, assets[0].after, lanes.reading
    span, exponent = lanes.span, lanes.exponent
    factor, local, slope = covariance.factor[0, 0], volatility(covariance, assets[0]), variance_slope(covariance, 0)
    half, side = reading.dtype.type(0.5), book.side
    for i in range(n):
        deviation, gap = factor * at(local, i), half * (before[i] - after[i])
        depth = bridge_depth(deviation * deviation, slope, side, gap, span[i] * exponent[i])
        reading[i] = half * (before[i] + after[i]) - depth


@implements(score, BarrierBook)
def _score_barrier(book, tilt, growth, lanes, assets, bridged, n):
    after, level, reading, slope = assets[0].after, lanes.level, lanes.reading, -tilt[0] * book.side
    for j in range(n):
        reading[j] = slope * (level[j] if bridged else after[j])


@implements(add_loss, BarrierBook)
def _add_loss_barrier(book, a, lanes, n):
    lose_linearly(book.quantity[a], lanes, n)

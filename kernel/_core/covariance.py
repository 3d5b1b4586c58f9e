"""The covariance of a diffusion: one for all lanes, or volatilities that each lane has for itself over a step."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba.core import types
from numba.extending import overload

from kernel._core.fields import Field, Fields
from kernel._core.jit import INLINE, implements

_FARTHEST = np.float32(1e3)  # a level that is never reached is infinitely far


class Fixed(NamedTuple):
    """One covariance for all lanes."""

    factor: np.ndarray  # [asset, asset] its lower Cholesky factor, per year


class Local(NamedTuple):
    """A correlation for all lanes; each has its own assets[:].volatility over the step.

    Over a short time, variance a and log price b covary by response[a, b] * volatility a * volatility b.
    """

    factor: np.ndarray  # [asset, asset] lower Cholesky factor of the correlation
    response: np.ndarray  # [asset, other] how far an asset's variance moves with another's price, times correlation

    @staticmethod
    def lane_fields() -> Fields:
        """Declare what a step's move_state fills: drift and volatility of the log price over the step, per year."""
        return Fields(asset=(Field("rate", "address"), Field("volatility", "address")))


def volatility(covariance, asset):
    """Return what a row of the factor is to be multiplied by: an array over lanes, or the number 1."""
    raise NotImplementedError


def variance_slope(covariance, a):
    """Return how far the variance of asset a moves with its own log price, or the integer 0 where variances do not."""
    raise NotImplementedError


def bridge_variance(variance, slope, distance):
    """Return the variance with which a bridge meets a level `distance` away, the mean of that from its two ends.

    Where the variance moves with the log price, by `slope`, the bridge's distances are to be measured in volatilities
    on the way, half-way at variance - slope * distance / 2; the product of both distances then stands over this
    variance, which is held between half and twice that of the step.
    """
    raise NotImplementedError


@overload(bridge_variance, jit_options=INLINE)
def _bridge_variance(variance, slope, distance):
    if isinstance(slope, types.Integer):
        return lambda variance, slope, distance: variance

    def bend(variance, slope, distance):
        half = type(variance)(0.5)
        distance = min(max(distance, -_FARTHEST), _FARTHEST)
        return min(max(variance - half * slope * distance, half * variance), variance + variance)

    return bend


def bridge_depth(variance, slope, side, gap, chance):
    """Return how far below the middle of its two ends the lowest point of a bridge lies.

    That is the u with u**2 = gap**2 + bridge_variance(variance, slope, side * u) * chance.

    Args:
        variance: per year.
        slope: see `variance_slope`.
        side: +1 for a lowest point, -1 for a highest.
        gap: from the middle of the ends to each of them.
        chance: the span times the exponential variate.
    """
    raise NotImplementedError


@overload(bridge_depth, jit_options=INLINE)
def _bridge_depth(variance, slope, side, gap, chance):
    if isinstance(slope, types.Integer):
        return lambda variance, slope, side, gap, chance: math.sqrt(gap * gap + variance * chance)

    def solve(variance, slope, side, gap, chance):
        quarter = type(variance)(0.25)
        lean = quarter * side * slope * chance
        free = math.sqrt(lean * lean + gap * gap + variance * chance) - lean  # where the variance is within its bounds
        return math.sqrt(gap * gap + bridge_variance(variance, slope, side * free) * chance)

    return solve


@implements(volatility, Fixed)
def _volatility_fixed(covariance, asset):
    return covariance.factor.dtype.type(1)


@implements(volatility, Local)
def _volatility_local(covariance, asset):
    return asset.volatility


@implements(variance_slope, Fixed)
def _variance_slope_fixed(covariance, a):
    return 0


@implements(variance_slope, Local)
def _variance_slope_local(covariance, a):
    return covariance.response[a, a]

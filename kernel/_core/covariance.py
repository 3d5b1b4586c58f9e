"""The covariance of a diffusion: one for all lanes, or volatilities that each lane has for itself over a step."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba.core import types
from numba.extending import overload

from kernel._core.jit import INLINE, implements

_DEEPEST = np.float32(1e3)  # a level that is never reached is infinitely far


class Fixed(NamedTuple):
    """One covariance for all lanes."""

    factor: np.ndarray  # [asset, asset] its lower Cholesky factor, per year


class Local(NamedTuple):
    """A correlation for all lanes; each has its own assets[:].volatility over the step.

    Over a short time, variance a and log price b covary by lift[a, b] * volatility a * volatility b.
    """

    factor: np.ndarray  # [asset, asset] lower Cholesky factor of the correlation
    lift: np.ndarray  # [asset, other] correlation of an asset's variance with another's price, times how much it moves


def volatility(covariance, asset):
    """Return what a row of the factor is to be multiplied by: an array over lanes, or the number 1."""
    raise NotImplementedError


def skew(covariance, a):
    """Return how far the variance of asset a moves with its own log price, or the integer 0 where variances do not."""
    raise NotImplementedError


def bent(variance, skew, depth):
    """Return the variance with which a bridge meets a level `depth` away, the mean of that from its two ends.

    Where the variance moves with the log price, the bridge's distances are to be measured in volatilities on the
    way, half-way at variance - skew * distance / 2; the product of both distances then stands over this variance,
    which is held between half and twice that of the step.
    """
    raise NotImplementedError


@overload(bent, jit_options=INLINE)
def _bent(variance, skew, depth):
    if isinstance(skew, types.Integer):
        return lambda variance, skew, depth: variance

    def bend(variance, skew, depth):
        half = type(variance)(0.5)
        depth = min(max(depth, -_DEEPEST), _DEEPEST)
        return min(max(variance - half * skew * depth, half * variance), variance + variance)

    return bend


def reach(variance, skew, side, gap, chance):
    """Return how far beyond the middle of its ends a bridge goes, whose ends are `gap` from there.

    That is the u with u**2 = gap**2 + bent(variance, skew, side * u) * chance; side: +1 for down, -1 for up; chance:
    the span times the exponential variate.
    """
    raise NotImplementedError


@overload(reach, jit_options=INLINE)
def _reach(variance, skew, side, gap, chance):
    if isinstance(skew, types.Integer):
        return lambda variance, skew, side, gap, chance: math.sqrt(gap * gap + variance * chance)

    def solve(variance, skew, side, gap, chance):
        quarter = type(variance)(0.25)
        lean = quarter * side * skew * chance
        free = math.sqrt(lean * lean + gap * gap + variance * chance) - lean  # where the bend is within its bounds
        return math.sqrt(gap * gap + bent(variance, skew, side * free) * chance)

    return solve


def carry(covariance, dense, sparse, chosen, count):
    """Copy what the chosen lanes have for themselves from the assets `dense` to the first lanes of `sparse`."""
    raise NotImplementedError


@implements(volatility, Fixed)
def _volatility_fixed(covariance, asset):
    return covariance.factor.dtype.type(1)


@implements(volatility, Local)
def _volatility_local(covariance, asset):
    return asset.volatility


@implements(skew, Fixed)
def _skew_fixed(covariance, a):
    return 0


@implements(skew, Local)
def _skew_local(covariance, a):
    return covariance.lift[a, a]


@implements(carry, Fixed)
def _carry_fixed(covariance, dense, sparse, chosen, count):
    pass


@implements(carry, Local)
def _carry_local(covariance, dense, sparse, chosen, count):
    for a in range(dense.size):
        for j in range(count):
            i = chosen[j]
            sparse[a].rate[j], sparse[a].volatility[j] = dense[a].rate[i], dense[a].volatility[i]

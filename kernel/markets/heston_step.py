"""A step of stochastic volatility: the variance, and the log price that follows it (Andersen 2008)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel._core.fields import Fields
from kernel._core.jit import block, implements
from kernel._core.lanes import flagged, whole_vectors
from kernel._core.noise import VARIANCE, draw_words, to_normals
from kernel._core.normal import log1p, to_exponential
from kernel._core.operations import advance, covariance, move_state, open_state
from kernel._core.special import fma, log
from kernel.markets.local_diffusion import MOVING_VARIANCE, LocalStep

QUADRATIC = 1.5  # the largest ratio of variance to squared mean for which a squared normal stands for the variance
MOST_TILT = 0.5  # of the bound beyond which the expected price is infinite: from here on its square is


class HestonStep(NamedTuple):
    """The law of each asset's variance a step later, how its log price follows, and the factor of the shocks."""

    law: NDArray[np.void]  # [asset] numbers by the names of Heston._law
    shocks: NDArray[np.floating]  # [asset, asset] lower Cholesky factor of the variance shocks' correlation
    local: LocalStep

    @staticmethod
    def lane_fields() -> Fields:
        """Declare the variance and the normals that move it."""
        return MOVING_VARIANCE


@implements(open_state, HestonStep)
def _open_state(step, lanes, assets, n):
    for a in range(assets.size):
        assets[a].variance[:n] = step.law[a].opening


@block
def _draw_shocks(step, seed, moment, lanes, assets, n):
    """Fill assets[:].shock with the normals, correlated, of four steps."""
    for row in range(assets.size):
        a = assets.size - 1 - row  # in falling order: each needs the raw shocks of those before it
        draw_words(seed, lanes.path, moment, a, VARIANCE, n, lanes.words)
        to_normals(lanes.words, 2, n, assets[a].shock)
    for row in range(assets.size):
        a = assets.size - 1 - row
        for slot in range(4):
            shock, weight = assets[a].shock[slot], step.shocks[a, a]
            for i in range(n):
                shock[i] *= weight
            for b in range(a):
                weight, other = step.shocks[a, b], assets[b].shock[slot]
                for i in range(n):
                    shock[i] = fma(weight, other[i], shock[i])


@block
def _square_normals(law, lanes, asset, slot, n):
    """Move the variance by a squared normal, where that meets mean and variance; flag the lanes where it does not.

    lanes.scratch takes by how much it is above its mean, the ratio of its variance to its squared mean, and
    log E[exp(tilt v)] - tilt E[v]: what the drift of the log price has to give back.
    """
    decay, pull, slope, base, tilt = law.decay, law.pull, law.slope, law.base, law.tilt
    real = type(decay)
    zero, half, one, two, most = real(0), real(0.5), real(1), real(2), real(MOST_TILT)
    variance, z, moved = asset.variance, asset.shock[slot], asset.volatility
    above, ratio, give, flag = lanes.scratch[0], lanes.scratch[1], lanes.scratch[2], lanes.flag
    for i in range(n):
        m = fma(decay, variance[i], pull)
        psi = fma(slope, variance[i], base) / (m * m)
        flag[i] = psi > real(QUADRATIC)
        inverse = two / psi
        rest = max(inverse - one, zero)
        square = rest + math.sqrt(inverse * rest)
        scale = m / (one + square)
        centre = math.sqrt(square)
        root = centre + z[i]
        moved[i] = scale * root * root
        above[i] = scale * (fma(z[i], z[i], -one) + two * centre * z[i])  # the difference would be lost to rounding
        y = min((tilt + tilt) * scale, most)
        give[i] = half * (square * y * y / (one - y) - (y + log1p(-y)))
        ratio[i] = psi


@block
def _thin_exponentials(law, lanes, asset, slot, n):
    """Move the variance of the flagged lanes, where it is near zero: to zero, or by an exponential variate."""
    decay, pull, tilt, variance, z, moved = (
        law.decay,
        law.pull,
        law.tilt,
        asset.variance,
        asset.shock[slot],
        asset.volatility,
    )
    real = type(tilt)
    zero, one, two, most = real(0), real(1), real(2), real(MOST_TILT)
    above, ratio, give, chosen = lanes.scratch[0], lanes.scratch[1], lanes.scratch[2], lanes.chosen
    count, m, psi, normal = flagged(lanes, n), lanes.scratch[3], lanes.scratch[4], lanes.scratch[5]
    for j in range(count):
        i = chosen[j]
        m[j], psi[j], normal[j] = fma(decay, variance[i], pull), ratio[i], z[i]
    for j in range(whole_vectors(count, chosen.size)):
        chance = two / (psi[j] + one)  # that the variance is not zero
        scale = m[j] / chance
        y = min(tilt * scale, most)
        normal[j] = scale * max(to_exponential(normal[j]) + log(chance), zero)
        psi[j] = log1p(chance * y / (one - y)) - tilt * m[j]
    for j in range(count):
        i = chosen[j]
        moved[i], above[i], give[i] = normal[j], normal[j] - m[j], psi[j]


@block
def _follow(law, lanes, asset, n):
    """Set the log price's drift and volatility over the step from the variance at its two ends."""
    drift, late, early, frequency = law.drift, law.late, law.early, law.frequency
    half = type(drift)(0.5)
    variance, rate, moved, above, give = (
        asset.variance,
        asset.rate,
        asset.volatility,
        lanes.scratch[0],
        lanes.scratch[2],
    )
    for i in range(n):
        before, after = variance[i], moved[i]
        mean = after - above[i]
        rate[i] = fma(late, above[i], fma(-early, mean + before, fma(-frequency, give[i], drift)))
        variance[i] = after
        moved[i] = math.sqrt(half * (before + after))


@implements(move_state, HestonStep)
def _move_state(step, seed, s, lanes, assets, n):
    """Draw the variance by Andersen's quadratic-exponential scheme with martingale correction.

    Andersen (2008), "Simple and efficient simulation of the Heston stochastic volatility model", sections 3.2 and
    4.3, with the variance over the step taken as the mean of its ends.
    """
    if s & 3 == 0:
        _draw_shocks(step, seed, np.uint64(s >> 2), lanes, assets, n)
    for a in range(assets.size):
        _square_normals(step.law[a], lanes, assets[a], s & 3, n)
        _thin_exponentials(step.law[a], lanes, assets[a], s & 3, n)
        _follow(step.law[a], lanes, assets[a], n)


@implements(advance, HestonStep)
def _advance(step, segment, assets, n):
    advance(step.local, segment, assets, n)


@implements(covariance, HestonStep)
def _covariance(step):
    return covariance(step.local)

"""A step of filtered historical simulation: resampled residuals, and the variance that they move."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel._core.covariance import Local
from kernel._core.fields import Fields
from kernel._core.jit import block, implements
from kernel._core.noise import ALL_ASSETS, RESAMPLE, draw_words
from kernel._core.operations import advance, at, covariance, move_state, open_state
from kernel._core.special import fma
from kernel.markets.local_diffusion import MOVING_VARIANCE


class FilteredStep(NamedTuple):
    """The recursion of each asset's variance, the residuals, and what each volatility adds to the expected growth."""

    law: NDArray[np.void]  # [asset] numbers by the names in FilteredHistorical.step
    residuals: NDArray[np.floating]  # [asset, time]
    growth: NDArray[np.floating]  # [asset, node] log of the mean of exp(volatility of a step * residual)
    block: int
    covariance: Local

    @staticmethod
    def lane_fields() -> Fields:
        """Declare the variance, and the words that pick the times of four blocks."""
        return MOVING_VARIANCE


@implements(open_state, FilteredStep)
def _open_state(step, lanes, assets, n):
    for a in range(assets.size):
        assets[a].variance[:n] = step.law[a].opening


@block
def _pick(step, seed, s, lanes, n):
    """Fill lanes.words[0] with the time whose residuals each lane takes: blocks of times in a circle."""
    number, within = s // step.block, s % step.block
    if within == 0 and number & 3 == 0:
        draw_words(seed, lanes.path, np.uint64(number >> 2), ALL_ASSETS, RESAMPLE, n, lanes.kept_words)
    word, pick, size = lanes.kept_words[number & 3], lanes.words[0], np.uint64(step.residuals.shape[1])
    for i in range(n):
        time = ((np.uint64(word[i]) * size) >> np.uint64(32)) + np.uint64(within)
        pick[i] = np.uint32(time - size if time >= size else time)


@block
def _look_up(residuals, growth, scale, variance, lanes, n):
    """Fill scratch with the picked residuals, and with the growth that they bring at the lane's variance.

    What is looked up stands in loops of its own: the vectoriser leaves them alone. Indices are unsigned, or Numba
    would ask of each whether it counts from the end.
    """
    pick, node, residual, mean = lanes.words[0], lanes.words[1], lanes.scratch[0], lanes.scratch[1]
    place, low, high = lanes.scratch[2], lanes.scratch[3], lanes.scratch[4]
    for i in range(n):
        residual[i] = residuals[pick[i]]
    for i in range(n):
        exact = math.sqrt(variance[i]) * scale
        whole = np.int32(exact)
        node[i], place[i] = np.uint32(whole), exact - type(exact)(whole)
    for i in range(n):
        low[i], high[i] = growth[node[i]], growth[node[i] + np.uint32(1)]
    for i in range(n):
        mean[i] = fma(high[i] - low[i], place[i], low[i])


@implements(move_state, FilteredStep)
def _move_state(step, seed, s, lanes, assets, n):
    """Take the picked residuals, less the growth that they bring on average; move the variance by GARCH(1,1)."""
    _pick(step, seed, s, lanes, n)
    for a in range(assets.size):
        law, variance, rate, local = step.law[a], assets[a].variance, assets[a].rate, assets[a].volatility
        _look_up(step.residuals[a], step.growth[a], law.scale, variance, lanes, n)
        omega, alpha, beta, most = law.omega, law.alpha, law.beta, law.most
        drift, root, frequency = law.drift, law.root, law.frequency
        residual, mean = lanes.scratch[0], lanes.scratch[1]
        for i in range(n):
            deviation = math.sqrt(variance[i])
            rate[i] = fma(frequency, fma(deviation * root, residual[i], -mean[i]), drift)
            local[i] = deviation
            variance[i] = min(fma(fma(alpha * residual[i], residual[i], beta), variance[i], omega), most)


@implements(advance, FilteredStep)
def _advance(step, segment, assets, n):
    for a in range(assets.size):
        log_spot, rate = assets[a].log_spot, assets[a].rate
        for i in range(n):
            log_spot[i] += rate[i] * at(segment.span, i)


@implements(covariance, FilteredStep)
def _covariance(step):
    return step.covariance

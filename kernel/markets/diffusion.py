"""Correlated Brownian log prices: the struct and the step that the markets share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernel._core.jit import implements
from kernel._core.operations import advance, at, factor, intensity, jump
from kernel._core.special import fma


class DiffusionStep(NamedTuple):
    """Drift of the log price and lower Cholesky factor of its covariance, per year."""

    drift: np.ndarray
    factor: np.ndarray


@implements(advance, DiffusionStep)
def _advance(step, segment, assets, n):
    slot, span, root = segment.slot, segment.span, segment.root
    for a in range(assets.size):
        drift, log_spot = step.drift[a], assets[a].log_spot
        for i in range(n):
            log_spot[i] = fma(drift, at(span, i), log_spot[i])
        for b in range(a + 1):
            weight, noise = step.factor[a, b], assets[b].noise[slot]
            for i in range(n):
                log_spot[i] = fma(weight * at(root, i), noise[i], log_spot[i])


@implements(factor, DiffusionStep)
def _factor(step):
    return step.factor


@implements(intensity, DiffusionStep)
def _intensity(step):
    return 0.0


@implements(jump, DiffusionStep)
def _jump(step, seed, lanes, assets, n):
    pass

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
        drift, f, log_spot, z = step.drift[a], step.factor[a], assets[a].log_spot, assets[0].noise[slot]
        weight = f[0]
        for i in range(n):
            # the move first: added by itself, a drift smaller than log_spot's last digit would be lost, or doubled
            log_spot[i] += fma(weight * at(root, i), z[i], drift * at(span, i))
        b = 1
        while b + 2 <= a:  # three noises a sweep: the log prices are loaded and stored a third as often
            x, y, z = assets[b].noise[slot], assets[b + 1].noise[slot], assets[b + 2].noise[slot]
            u, v, w = f[b], f[b + 1], f[b + 2]
            for i in range(n):
                move = fma(u, x[i], fma(v, y[i], w * z[i]))
                log_spot[i] = fma(at(root, i), move, log_spot[i])
            b += 3
        while b <= a:
            weight, z = f[b], assets[b].noise[slot]
            for i in range(n):
                log_spot[i] = fma(weight * at(root, i), z[i], log_spot[i])
            b += 1


@implements(factor, DiffusionStep)
def _factor(step):
    return step.factor


@implements(intensity, DiffusionStep)
def _intensity(step):
    return 0.0


@implements(jump, DiffusionStep)
def _jump(step, seed, lanes, assets, n):
    pass


def move_as_diffusion(struct: type) -> None:
    """Let a struct with the fields `diffusion` and `intensity` move as its diffusion does between jumps."""

    @implements(advance, struct)
    def _advance_inner(step, segment, assets, n):
        advance(step.diffusion, segment, assets, n)

    @implements(factor, struct)
    def _factor_inner(step):
        return factor(step.diffusion)

    @implements(intensity, struct)
    def _intensity_inner(step):
        return step.intensity

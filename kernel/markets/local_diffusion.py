"""Correlated log prices whose drifts and volatilities each lane has for itself, constant over a step of the grid."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel._core.covariance import Local
from kernel._core.fields import Field, Fields
from kernel._core.jit import implements
from kernel._core.operations import advance, at, covariance
from kernel._core.special import fma

# What markets hold whose variance moves from step to step; of all of them together, so that they share a record type:
# what is compiled for one takes two seconds for another.
MOVING_VARIANCE = Fields(
    lane=(Field("kept_words", "block", np.uint32, 4),),  # random words of four steps
    asset=(
        Field("variance", "block"),  # state, per year
        Field("shock", "block", None, 4),  # by slot: standard normals that move the state
    ),
)


class LocalStep(NamedTuple):
    """How the diffusion between two grid points follows from assets[:].rate and .volatility."""

    own: NDArray[np.floating]  # [asset] share of the volatility that the price's own noise has; the rate has the rest
    factor: NDArray[np.floating]  # [asset, asset] lower Cholesky factor of the own noises' correlation
    covariance: Local  # of the prices


@implements(advance, LocalStep)
def _advance(step, segment, assets, n):
    """Move by the rate and the own noise; assets in falling order."""
    slot, span, root = segment.slot, segment.span, segment.root
    for a in range(assets.size):
        log_spot, rate, local = assets[a].log_spot, assets[a].rate, assets[a].volatility
        weight, z = step.own[a] * step.factor[a, 0], assets[0].noise[slot]
        for i in range(n):
            log_spot[i] += fma(weight * local[i] * at(root, i), z[i], rate[i] * at(span, i))
        for b in range(1, a + 1):
            weight, z = step.own[a] * step.factor[a, b], assets[b].noise[slot]
            for i in range(n):
                log_spot[i] = fma(weight * local[i] * at(root, i), z[i], log_spot[i])


@implements(covariance, LocalStep)
def _covariance(step):
    return step.covariance

"""The covariance of a diffusion: one for all lanes, or volatilities that each lane has for itself over a step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernel._core.jit import implements


class Fixed(NamedTuple):
    """One covariance for all lanes."""

    factor: np.ndarray  # [asset, asset] its lower Cholesky factor, per year


class Local(NamedTuple):
    """A correlation for all lanes; each has its own assets[:].volatility over the step."""

    factor: np.ndarray  # [asset, asset] lower Cholesky factor of the correlation


def volatility(covariance, asset):
    """Return what a row of the factor is to be multiplied by: an array over lanes, or the number 1."""
    raise NotImplementedError


def carry(covariance, dense, sparse, chosen, count):
    """Copy what the chosen lanes have for themselves from the assets `dense` to the first lanes of `sparse`."""
    raise NotImplementedError


@implements(volatility, Fixed)
def _volatility_fixed(covariance, asset):
    return covariance.factor.dtype.type(1)


@implements(volatility, Local)
def _volatility_local(covariance, asset):
    return asset.volatility


@implements(carry, Fixed)
def _carry_fixed(covariance, dense, sparse, chosen, count):
    pass


@implements(carry, Local)
def _carry_local(covariance, dense, sparse, chosen, count):
    for a in range(dense.size):
        for j in range(count):
            i = chosen[j]
            sparse[a].rate[j], sparse[a].volatility[j] = dense[a].rate[i], dense[a].volatility[i]

"""The slow, obvious walk under Heston's and Bates's models: a fine grid, all paths of a chunk at a time.

It shares no code with the package, nor its noise. The variance takes the full-truncation Euler step of Lord, Koekkoek
and van Dijk (2010), A comparison of biased simulation schemes for stochastic volatility models, Quantitative Finance
10(2); between grid points the log price is a Brownian bridge of the step's variance. Both errors are of the order of
the step: take several thousand steps a year.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from bench.oracles.heston import Law

Vector = NDArray[np.float64]

CHUNK = 20_000


class Paths(NamedTuple):
    """Where the paths closed, and how surely each had fallen to each barrier."""

    close: Vector  # [path] log price relative to spot
    hit: Vector  # [barrier, path] probability of a hit by the horizon given the path's grid points


def heston_paths(
    law: Law, horizon: float, steps: int, paths: int, seed: int, barriers: Sequence[float] = (), every: int = 0
) -> Paths:
    """Walk `paths` paths past `barriers` < 0, log prices relative to spot.

    every: steps from one look at the barriers to the next; 0: they are watched continuously.
    """
    noise = np.random.default_rng(seed)
    sizes = [min(CHUNK, paths - first) for first in range(0, paths, CHUNK)]
    chunks = [_walk(law, horizon / steps, steps, size, noise, barriers, every) for size in sizes]
    return Paths(np.concatenate([c.close for c in chunks]), np.concatenate([c.hit for c in chunks], axis=1))


def _walk(law: Law, h: float, steps: int, paths: int, noise: Generator, barriers: Sequence[float], every: int) -> Paths:
    drift = law.drift - law.jump_intensity * math.expm1(law.jump_mean + law.jump_volatility**2 / 2)
    x, v = np.zeros(paths), np.full(paths, law.variance)
    alive = np.ones((len(barriers), paths))
    for step in range(1, steps + 1):
        variance = np.maximum(v, 0.0)
        spread = np.sqrt(variance * h)
        a, b = noise.standard_normal((2, paths))
        w = law.correlation * a + math.sqrt(1.0 - law.correlation**2) * b
        end = x + (drift - variance / 2) * h + spread * w
        v = v + law.mean_reversion * (law.long_variance - variance) * h + law.volatility_of_variance * spread * a
        start, x = x, end + _jumps(law, h, paths, noise)
        for k, barrier in enumerate(barriers):
            if every:
                alive[k] *= (x > barrier) | (step % every > 0)
            else:
                alive[k] *= _bridge_survival(start - barrier, end - barrier, variance * h) * (x > barrier)
    return Paths(x, 1.0 - alive)


def _bridge_survival(start: Vector, end: Vector, variance: Vector) -> Vector:
    """Return the probability that a Brownian bridge of `variance` between two distances stays above zero."""
    distances = np.maximum(start, 0.0) * np.maximum(end, 0.0)
    return -np.expm1(-2.0 * distances / np.maximum(variance, 1e-300))


def _jumps(law: Law, h: float, paths: int, noise: Generator) -> Vector | float:
    """Return the sum of each path's jumps in a step, all of them taken at its end."""
    if law.jump_intensity == 0.0:
        return 0.0
    count = noise.poisson(law.jump_intensity * h, paths)
    return count * law.jump_mean + np.sqrt(count) * law.jump_volatility * noise.standard_normal(paths)

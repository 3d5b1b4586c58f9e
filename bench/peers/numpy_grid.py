"""First passage on a grid of steps in NumPy, under GBM or Merton's jumps, as its users would write it well.

Single precision, in place, on chunks that stay in the outer cache, a thread for each processor: with shorter calls the
threads wait for the interpreter's lock. The log price is counted in standard deviations of a step, and the barrier
moves against the drift, so that a step is one sum, one comparison and one "or". The jumps of a chunk in a step are one
Poisson number, and go to paths drawn at random: jumps are rare, and nothing is spent on paths that have none. To drop
paths once they are decided took as long as it saved.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from bench.peers import numpy_normals

CHUNK = 65_536  # measured, ns a path-step, one thread and two:
# own normals: 16,384 12.0 and 12.4 (6.5 to 12), 32,768 12.0 and 6.5, 65,536 12.1 and 6.8, 131,072 11.7 and 6.2;
# by hand: 16,384 6.1 and 4.7, 32,768 5.6 and 3.6, 65,536 5.1 and 3.0, 131,072 5.1 and 3.5


class Law(NamedTuple):
    """The log price, as a year has it."""

    drift: float
    volatility: float
    jump_intensity: float
    jump_mean: float
    jump_volatility: float


def _breaches(
    law: Law,
    barrier: float,
    dt: float,
    steps: int,
    paths: int,
    seed: np.random.SeedSequence,
    normals: numpy_normals.Source,
) -> int:
    """Count the paths of a chunk that are at or below the barrier at the end of a step."""
    of_normals, of_jumps = seed.spawn(2)
    fill, random = normals(of_normals, paths), np.random.Generator(np.random.SFC64(of_jumps))
    scale = law.volatility * math.sqrt(dt)
    levels = ((barrier - law.drift * dt * np.arange(1, steps + 1)) / scale).astype(np.float32)
    jumps = random.poisson(paths * law.jump_intensity * dt, steps)
    x, z = np.zeros((2, paths), np.float32)
    below, breached = np.zeros((2, paths), np.bool_)
    for level, count in zip(levels, jumps.tolist(), strict=True):
        fill(z)
        x += z
        if count:
            sizes = random.normal(law.jump_mean / scale, law.jump_volatility / scale, count).astype(np.float32)
            np.add.at(x, random.integers(0, paths, count), sizes)
        np.less_equal(x, level, out=below)
        breached |= below
    return int(np.count_nonzero(breached))


def breach_probability(
    law: Law,
    barrier: float,
    horizon: float,
    steps: int,
    paths: int,
    threads: int = 1,
    normals: numpy_normals.Source = numpy_normals.own,
    seed: int = 42,
) -> float:
    """Return the share of paths that are at or below a log price at the end of one of the steps."""
    share = math.ceil(paths / (threads * math.ceil(paths / (threads * CHUNK))))  # as many chunks for each thread
    starts = range(0, paths, share)
    seeds = np.random.SeedSequence(seed).spawn(len(starts))

    def chunk(k: int) -> int:
        size = min(share, paths - starts[k])
        return _breaches(law, barrier, horizon / steps, steps, size, seeds[k], normals)

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(chunk, range(len(starts)))) / paths

"""First passage in continuous time in NumPy, under GBM or Merton's jumps, without steps, as one would write it by hand.

Between two log prices that are both above the barrier, a diffusion goes to it or below with probability
exp(-2 (x - barrier) (y - barrier) / variance), whatever its drift (the Brownian bridge; Glasserman 2003, section 6.4).
So a path without jumps takes one normal, for its end, and one exponential. Paths that jump are taken by how often they
do: how many there are of each is one multinomial number, the jumps' times are sorted uniforms, and between them lie
bridges. Single precision, on chunks that stay in the outer cache; normals are Box and Muller's pairs, exponentials the
logarithms of uniforms. It has one thread: a million paths took two as long or longer (GBM 6.4 and 11.0 ms, at best 6.1
and 6.3; Merton 17 and 22, at best 16.5 and 21).

It gives the probability of one tier, and nothing else: no times, no equity.
"""

from __future__ import annotations

import math

import numpy as np

from bench.peers import numpy_normals
from bench.peers.numpy_grid import Law
from bench.peers.numpy_normals import Reals

# Measured, ms a million paths: 16,384 12.0 (Merton 41), 32,768 7.1 (33), 65,536 6.4 (17), 131,072 6.0 (20).
CHUNK = 65_536


class _Noise:
    """What a chunk draws from."""

    def __init__(self, seed: np.random.SeedSequence, paths: int) -> None:
        of_normals, of_others = seed.spawn(2)
        self._fill = numpy_normals.by_hand(of_normals, paths)
        self.random = np.random.Generator(np.random.SFC64(of_others))

    def normals(self, size: int) -> Reals:
        """Return standard normals."""
        drawn = np.empty(size, np.float32)
        self._fill(drawn)
        return drawn

    def minus_exponentials(self, size: int) -> Reals:
        """Return exponentials of mean one, negative."""
        drawn = self.random.random(size, np.float32)
        np.subtract(np.float32(1), drawn, out=drawn)  # in (0, 1]
        return np.log(drawn, out=drawn)


def _without_jumps(law: Law, barrier: float, horizon: float, paths: int, noise: _Noise) -> int:
    """Count the paths that breach, of those that do not jump."""
    distance, rare = noise.normals(paths), noise.minus_exponentials(paths)
    distance *= np.float32(law.volatility * math.sqrt(horizon))
    distance += np.float32(law.drift * horizon - barrier)  # of the end to the barrier: below it, any exponential does
    distance *= np.float32(2 * barrier / (law.volatility**2 * horizon))
    return int(np.count_nonzero(distance >= rare))


def _with_jumps(law: Law, barrier: float, horizon: float, paths: int, jumps: int, noise: _Noise) -> int:
    """Count the paths that breach, of those that jump so many times."""
    times = np.sort(noise.random.random((jumps, paths), np.float32), axis=0) * np.float32(horizon)
    rows = np.concatenate([np.zeros((1, paths), np.float32), times, np.full((1, paths), horizon, np.float32)])
    distance, breached = np.full(paths, -barrier, np.float32), np.zeros(paths, np.bool_)
    for k, span in enumerate(np.diff(rows, axis=0)):
        variance = np.float32(law.volatility**2) * span
        end = distance + np.float32(law.drift) * span + np.sqrt(variance) * noise.normals(paths)
        breached |= np.float32(-2) * distance * end >= variance * noise.minus_exponentials(paths)
        distance = end
        if k < jumps:
            distance += np.float32(law.jump_mean) + np.float32(law.jump_volatility) * noise.normals(paths)
            breached |= distance <= 0
    return int(np.count_nonzero(breached))


def _breaches(law: Law, barrier: float, horizon: float, paths: int, seed: np.random.SeedSequence) -> int:
    """Count the paths of a chunk that are at or below the barrier at any time."""
    noise, mean = _Noise(seed, paths), law.jump_intensity * horizon
    if not mean:
        return _without_jumps(law, barrier, horizon, paths, noise)
    most = math.ceil(mean + 12 * math.sqrt(mean) + 12)  # beyond lies less than rounding
    shares = [math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(most)]
    without, *others = noise.random.multinomial(paths, shares).tolist()
    found = _without_jumps(law, barrier, horizon, without, noise)
    return found + sum(_with_jumps(law, barrier, horizon, n, k, noise) for k, n in enumerate(others, start=1) if n)


def breach_probability(law: Law, barrier: float, horizon: float, paths: int, seed: int = 42) -> float:
    """Return the share of paths that are at or below a negative log price at any time up to the horizon."""
    starts = range(0, paths, CHUNK)
    seeds = np.random.SeedSequence(seed).spawn(len(starts))
    found = (_breaches(law, barrier, horizon, min(CHUNK, paths - starts[k]), seeds[k]) for k in range(len(starts)))
    return sum(found) / paths

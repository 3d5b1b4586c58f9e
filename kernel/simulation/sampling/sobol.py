"""Normals from scrambled Sobol points: the same for a path whatever the range of paths that is asked for."""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.special import ndtri
from scipy.stats.qmc import Sobol

from kernel.simulation.sampling.ordering import build_bridge, rotate

_BITS = 32
_AT_ONCE = 2**17  # numbers: a megabyte, for the processor's cache
_FEWEST_AT_ONCE = 16  # paths


class SobolNormals(NamedTuple):
    """The normals of every path's steps; picklable."""

    seed: int
    size: int  # paths of a replicate, which has a scrambling of its own
    steps: int
    rotation: NDArray[np.float64]  # [asset, component]

    def between(self, first: int, last: int, real: DTypeLike) -> NDArray[np.floating]:
        """Return the normals [step, asset, path] of the paths [first, last)."""
        normals = np.empty((self.steps, len(self.rotation), last - first), real)
        path = first
        while path < last:
            replicate, within = divmod(path, self.size)
            count = min(self.size - within, last - path)
            self._fill(normals[:, :, path - first : path - first + count], replicate, within)
            path += count
        return normals

    def _fill(self, normals: NDArray[np.floating], replicate: int, within: int) -> None:
        """Fill normals of one replicate from its point `within` on, a cache's worth at a time."""
        dimensions, paths = self.steps * len(self.rotation), normals.shape[2]
        engine = deepcopy(_engine(self.seed, replicate, dimensions))
        if within > 0:
            engine.fast_forward(within)
        width = max(_AT_ONCE // dimensions, _FEWEST_AT_ONCE)
        for start in range(0, paths, width):
            count = min(width, paths - start)
            normals[:, :, start : start + count] = self._ordered(_draw(engine, count))

    def _ordered(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn points [path, dimension] into the normals [step, asset, path]: dimensions by time first."""
        uniforms = np.ascontiguousarray(points.T)
        uniforms += 0.5**_BITS / 2  # off zero, and symmetric
        normals: NDArray[np.float64] = ndtri(uniforms, out=uniforms).reshape(self.steps, len(self.rotation), -1)
        if len(self.rotation) > 1:
            normals[0] = rotate(normals[0], self.rotation)
        build_bridge(normals)
        return normals


@lru_cache(maxsize=4)
def _engine(seed: int, replicate: int, dimensions: int) -> Sobol:
    """Return a replicate's engine before its first point; draw from copies of it. It takes 0.03 ms a dimension."""
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(replicate,)))
    return Sobol(dimensions, scramble=True, bits=_BITS, seed=generator)


def _draw(engine: Sobol, count: int) -> NDArray[np.float64]:
    """Draw the next points [path, dimension]; SciPy warns where the first draw is no power of two."""
    if engine.num_generated > 0 or count & (count - 1) == 0:
        return np.asarray(engine.random(count))
    return np.concatenate([engine.random(1), engine.random(count - 1)])

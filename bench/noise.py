"""The kernel's noise alone, compiled as calls from Python: its inner functions cannot be called from there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from kernel._core import noise
from kernel._core.lanes import LANES_ONE_ASSET


@njit(error_model="numpy", nogil=True)
def words(seed: Any, path: Any, moment: Any, groups: int, out: Any) -> None:
    """Make four words for each of a block's paths, so many times."""
    for group in range(groups):
        moment[:] = group
        noise.draw_words(seed, path, moment, 0, np.uint64(0), path.size, out)


@njit(error_model="numpy", nogil=True)
def normals(seed: Any, path: Any, moment: Any, groups: int, out: Any, drawn: Any) -> None:
    """Make four normals, in the precision of `drawn`, for each of a block's paths, so many times."""
    for group in range(groups):
        moment[:] = group
        noise.draw_words(seed, path, moment, 0, np.uint64(0), path.size, out)
        noise.to_normals(out, 2, path.size, drawn)


def block() -> tuple[Any, Any, Any]:
    """Return the addresses, and room for the words, of a block as the walk has it: path, moment, words."""
    path = np.arange(LANES_ONE_ASSET, dtype=np.uint64)
    return path, np.zeros_like(path), np.empty((4, LANES_ONE_ASSET), np.uint32)

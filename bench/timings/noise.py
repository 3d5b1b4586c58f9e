"""The kernel's noise alone, compiled as calls from Python: its inner functions cannot be called from there."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernel._core import noise
from kernel._core.jit import entry
from kernel._core.lanes import COLUMN_ONE_ASSET


def lanes(real: Any) -> int:
    """Return how many paths the walk has in a block, in a precision."""
    return COLUMN_ONE_ASSET // np.dtype(real).itemsize


@entry
def words(seed: Any, path: Any, groups: int, out: Any) -> None:
    """Make four words for each of a block's paths, so many times."""
    for group in range(groups):
        noise.draw_words(seed, path, np.uint64(group), 0, np.uint64(0), path.size, out)


@entry
def normals(seed: Any, path: Any, groups: int, out: Any, drawn: Any) -> None:
    """Make four normals, in the precision of `drawn`, for each of a block's paths, so many times."""
    for group in range(groups):
        noise.draw_words(seed, path, np.uint64(group), 0, np.uint64(0), path.size, out)
        noise.to_normals(out, 2, path.size, drawn)


def block(real: Any) -> tuple[Any, Any]:
    """Return the addresses, and room for the words, of a block as the walk has it: path, words."""
    return np.arange(lanes(real), dtype=np.uint64), np.empty((4, lanes(real)), np.uint32)

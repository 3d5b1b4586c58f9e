"""Random numbers at an address: (seed; path, moment, row, stream) -> words, normals, exponentials.

Nothing here has state. The counter of Philox is (path, moment, row, stream + path's upper bits): `moment` counts
groups of four steps, jumps, tiers or diffusions according to the stream, `row` is the asset, 0 for what is drawn for
all of them.
"""

from __future__ import annotations

import numpy as np

from kernel._core.jit import block
from kernel._core.operations import at
from kernel._core.philox import philox4x32
from kernel._core.special import box_muller, fma, log, uniform, view

DIFFUSION, BRIDGE, JUMP, JUMP_SIZE, PASSAGE, VARIANCE, RESAMPLE, EVENT = (np.uint64(stream) for stream in range(8))
ALL_ASSETS = np.int64(0)  # the row of what is drawn once; typed: a literal is a type of its own, compiled once more
MAX_PATHS = 2**56
MAX_STEPS = 2**34

_LOW, _UPPER, _PATH_SHIFT = np.uint64(0xFFFFFFFF), np.uint64(0xFFFFFFFFFFFFFF00), np.uint64(24)


@block
def draw_words(seed, path, moment, row, stream, n, words):
    """Fill words[4, :n] with uint32 at the addresses of n lanes.

    path: uint64 array; moment: the same, or one for all lanes, which saves a tenth of Philox's work; row: either.
    """
    for i in range(n):
        low, last = path[i] & _LOW, ((path[i] >> _PATH_SHIFT) & _UPPER) | stream
        four = philox4x32(low, at(moment, i), np.uint64(at(row, i)), last, seed)
        words[0, i], words[1, i], words[2, i], words[3, i] = four


@block
def to_normals(words, pairs, n, normals):
    """Turn the first two (pairs = 1) or all four words of n lanes into as many independent standard normals.

    pairs: a literal, so that the rows are known when compiling: else they might be the same, and the loop stays scalar.
    """
    unit = normals.dtype.type(1)
    for pair in range(pairs):
        k = 2 * pair
        for i in range(n):
            normals[k, i], normals[k + 1, i] = box_muller(words[k, i], words[k + 1, i], unit)


@block
def to_exponentials(words, n, mean, exponentials):
    """Turn one word of each of n lanes into an exponential variate."""
    real = exponentials.dtype.type
    unit, scale = real(1), real(-mean)
    for i in range(n):
        exponentials[i] = scale * log(uniform(words[i], unit))


@block
def to_ceilings(words, n, mean, ceilings):
    """Fill ceilings[:n] with what `to_exponentials` of the same words does not exceed, from the binary exponent alone.

    The logarithm would cost as much as the rest of a step; few lanes need more than this bound. The roundings of
    both sides, at most 2e-6 together, are allowed for.
    """
    real, slope = ceilings.dtype.type, np.float32(-mean * np.log(2.0))
    for i in range(n):
        binary = np.int32(view(uniform(words[i], np.float32(1)), np.int32) >> np.int32(23)) - np.int32(127)
        ceilings[i] = real(fma(np.float32(binary), slope, np.float32(4e-6)))

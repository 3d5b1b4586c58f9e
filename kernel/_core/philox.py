"""Philox4x32-10: four random words as a pure function of a counter and a key.

Salmon, Moraes, Dror, Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", section 3.3.
"""

from __future__ import annotations

import numpy as np

from kernel._core.jit import point

_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_MULTIPLY_0, _MULTIPLY_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


@point
def _round(c0, c1, c2, c3, k0, k1):
    # 32-bit words in 64-bit slots whose upper halves hold rubbish: the mask before the product is free (vpmuludq)
    a, b = _MULTIPLY_0 * (c0 & _LOW), _MULTIPLY_1 * (c2 & _LOW)
    return (b >> _HALF) ^ c1 ^ k0, b, (a >> _HALF) ^ c3 ^ k1, a


@point
def philox4x32(c0, c1, c2, c3, key):
    """Return four uint32 words for a counter of four uint32 (as uint64) and a uint64 key."""
    k0, k1 = key & _LOW, key >> _HALF
    for _ in range(10):
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
        k0, k1 = k0 + _WEYL_0, k1 + _WEYL_1
    return np.uint32(c0 & _LOW), np.uint32(c1 & _LOW), np.uint32(c2 & _LOW), np.uint32(c3 & _LOW)

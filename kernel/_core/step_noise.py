"""The noise of four steps of a block, which share an address."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernel._core.jit import block
from kernel._core.noise import ALL_ASSETS, BRIDGE, DIFFUSION, draw_words, to_normals


class Normals(NamedTuple):
    """Where the normals that drive the steps come from."""

    mirrored: bool  # each odd path takes those of the even one before it, negated
    given: np.ndarray  # [step, asset, path - first] made beforehand; empty: the walk draws its own


@block
def _negate_odd(lanes, n):
    """Negate both normals of each pair of words, on odd paths: the second word's top bit turns its angle by half."""
    path, top = lanes.path, np.uint64(31)
    for k in (1, 3):
        words = lanes.words[k]
        for i in range(n):
            words[i] ^= np.uint32((path[i] & np.uint64(1)) << top)


@block
def _take_four_steps(given, s, first, n, assets):
    """Copy the normals of up to four steps from the column `first` of those made beforehand."""
    for a in range(assets.size):
        for slot in range(min(4, given.shape[0] - s)):
            noise, normals = assets[a].noise[slot], given[s + slot, a]
            for i in range(n):
                noise[i] = normals[first + i]


@block
def draw_four_steps(seed, s, bridged, normals, first, n, lanes, assets):
    """Fill the normals, and the words of the bridge, of the steps from s on."""
    moment = np.uint64(s >> 2)
    if normals.given.size > 0:
        _take_four_steps(normals.given, s, first, n, assets)
    else:
        for a in range(assets.size):
            draw_words(seed, lanes.pair, moment, a, DIFFUSION, n, lanes.words)
            if normals.mirrored:
                _negate_odd(lanes, n)
            to_normals(lanes.words, 2, n, assets[a].noise)
    if bridged:
        draw_words(seed, lanes.path, moment, ALL_ASSETS, BRIDGE, n, lanes.chance)

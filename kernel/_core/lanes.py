"""The state of a set of lanes: a dense block of paths, or the few of a block that meet a jump or a tier.

One NumPy record holds a set, so a kernel passes one pointer where a NamedTuple of arrays would pass, and count
references to, two dozen: that cost 5 ns a path-step. Another record holds what there is per asset.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros
from numpy.typing import NDArray

from kernel._core.jit import block, point

# Bytes of a column of lanes: as many paths are walked together as it holds, 2048 of one asset in single precision.
# Enough to spread what a step costs at any width (calls, the search for breaches), few enough that their state
# stays in the second-level cache: docs/performance.md has the widths that were tried.
COLUMN_ONE_ASSET = 8192
COLUMN_MANY_ASSETS = 4096


@cache  # Numba knows a type again by the object: to type one anew takes a millisecond
def lanes_dtype(real: np.dtype[Any], width: int) -> np.dtype[np.void]:
    """Describe a set of lanes in the precision `real`; what is true of one lane stands in one column."""
    fields = [
        ("source", np.int64, ""),  # the column that the lane was copied from
        ("waiting", np.int64, ""),  # its column in the queue of passages
        ("path", np.uint64, ""),  # address of the path
        ("pair", np.uint64, ""),  # address of the path's diffusion: two antithetic paths share one
        ("moment", np.uint64, ""),  # address of the noise in its stream
        ("tier", np.int64, ""),  # next tier not yet breached
        ("jumps", np.uint64, ""),  # jumps so far
        ("next_jump", np.float64, ""),  # years
        ("start", np.float64, ""),  # a segment of the lane's own: as in Segment
        ("stop", np.float64, ""),
        ("span", real, ""),
        ("root", real, ""),
        ("level", real, ""),  # the book's level of the next tier
        ("lowest", real, ""),  # the lowest reading so far, where it is kept
        ("reading", real, ""),  # of the book, as its levels are
        ("saved", real, ""),  # scratch
        ("ratio", real, ""),  # log likelihood ratio of the segment's end: not 0 where a jump ends it
        ("exponent", real, ""),  # exponential variate of mean 1/2: the bridge's share of chance
        ("chance", np.uint32, 4),  # by step of the four: the word that the exponential variate comes from
        ("ceiling", real, ""),  # what the variate does not exceed
        ("near", real, ""),  # distance to the level at the start of the segment
        ("far", real, ""),  # and at its end
        ("variance", real, ""),  # of that distance, per year
        ("plus", real, 2),  # scratch of the book
        ("minus", real, 2),
        ("room", real, ""),
        ("slope", real, ""),
        ("lot", np.uint32, 4),  # words of a market that resamples
        ("words", np.uint32, 4),  # scratch
        ("chosen", np.int64, ""),  # scratch: columns picked by flag
        ("jumped", np.int64, ""),  # columns that jump during the segment
        ("flag", np.uint8, ""),  # the lane is wanted by what follows
    ]
    apart: Any = np.dtype(
        [(name, kind, (rows, width) if rows else (width,)) for name, kind, rows in fields], align=True
    )
    eights = np.dtype((np.uint64, (width // 8,))), apart.fields["flag"][1]  # the flags again, eight in one number
    together: Any = {**apart.fields, "eight_flags": eights}
    whole: np.dtype[np.void] = np.dtype(together, align=True)
    return whole


@cache
def assets_dtype(real: np.dtype[Any], width: int) -> np.dtype[np.void]:
    """Describe what a set of lanes holds for one asset."""
    fields = [
        ("log_spot", real, (width,)),  # log of price over opening price
        ("before", real, (width,)),  # what the book marks at the start of the segment
        ("after", real, (width,)),  # and at its end
        ("share", real, (width,)),  # scratch of the book
        ("noise", real, (4, width)),  # by slot: standard normals
        # of markets whose volatility differs by lane
        ("variance", real, (width,)),  # state, in the market's own unit
        ("rate", real, (width,)),  # drift of the log price over the step, per year
        ("volatility", real, (width,)),  # of the log price over the step, per root of a year
        ("shock", real, (4, width)),  # by slot: standard normals that move the state
    ]
    return np.dtype(fields, align=True)


class Workspace(NamedTuple):
    """Scratch of one walk: the block, the lanes that jump, the lanes that breach, the passages waiting."""

    lanes: NDArray[np.void]  # [3]
    assets: NDArray[np.void]  # [3, asset]
    queue: NDArray[np.void]  # [1]
    depth: NDArray[np.floating]  # [tier, passage]


class Segment(NamedTuple):
    """A stretch of time without jumps: each field one number for all lanes, or an array over lanes."""

    start: float  # years, float64
    stop: float  # years, float64
    span: np.float32  # stop - start
    root: np.float32  # its square root
    slot: int  # which of the four addressed normals drives it


@point
def whole_vectors(n, width):
    """Round n lanes up to whole vectors: the lanes beyond hold rubbish, which costs less than a scalar remainder."""
    return min((n + 15) & ~15, width)


@block
def flagged(lanes, n):
    """List the flagged lanes in `chosen`, in order: eight flags are looked at together, since most are unset."""
    flag, eight_flags, chosen, count = lanes.flag, lanes.eight_flags, lanes.chosen, 0
    for i in range(n, min((n + 7) & ~7, flag.size)):
        flag[i] = 0
    for group in range((n + 7) // 8):
        eight = eight_flags[group]
        while eight != 0:  # each byte is 0 or 1: no branch depends on which
            chosen[count] = 8 * group + np.int64(trailing_zeros(eight) >> np.uint64(3))
            eight &= eight - np.uint64(1)
            count += 1
    return count


@block
def lower(lanes, n):
    """Note readings that are the lowest so far."""
    lowest, reading = lanes.lowest, lanes.reading
    for i in range(n):
        lowest[i] = min(lowest[i], reading[i])

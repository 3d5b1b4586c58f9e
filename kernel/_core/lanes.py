"""The state of a set of lanes: a dense block of paths, or those of a block that meet an event or a tier.

One NumPy record holds a set, so a kernel passes one pointer where a NamedTuple of arrays would pass, and count
references to, two dozen: that cost 5 ns a path-step. Another record holds what there is per asset.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros
from numpy.typing import DTypeLike, NDArray

from kernel._core.fields import Field, Fields, aligned_zeros, record
from kernel._core.jit import block, point

# Bytes of a column of lanes: as many paths are walked together as it holds, 2048 of one asset in single precision.
# Enough to spread what a step costs at any width (calls, the search for breaches), few enough that their state
# stays in the second-level cache: docs/performance.md has the widths that were tried.
COLUMN_ONE_ASSET = 8192
COLUMN_MANY_ASSETS = 4096
_SETS = 4  # of a workspace

_LANE = (
    Field("tier", "tier", np.int64),  # next tier not yet breached
    Field("level", "tier"),  # the book's level of the next tier
    Field("lowest", "state"),  # the lowest reading so far, where it is kept
    Field("jumps", "state", np.uint64),  # so far
    Field("next_jump", "state", np.float64),  # years
    Field("source", "address", np.int64),  # the column that the lane was copied from
    Field("waiting", "segment", np.int64),  # its column in the queue of passages
    Field("path", "address", np.uint64),  # address of the path
    Field("start", "segment", np.float64),  # a segment of the lane's own: as in Segment
    Field("stop", "segment", np.float64),
    Field("span", "segment"),
    Field("ratio", "segment"),  # log likelihood ratio of the segment's end: not 0 where a jump ends it
    Field("exponent", "segment"),  # exponential variate of mean 1/2: the bridge's share of chance
    Field("root", "block"),  # of the span
    Field("pair", "block", np.uint64),  # address of the path's diffusion: two antithetic paths share one
    Field("moment", "block", np.uint64),  # address of the noise in its stream
    Field("chance", "block", np.uint32, 4),  # by step of the four: the word that the exponential variate comes from
    Field("ceiling", "block"),  # what the variate does not exceed
    Field("reading", "block"),  # of the book, as its levels are
    Field("start_distance", "block"),  # to the level at the start of the segment
    Field("end_distance", "block"),
    Field("variance", "block"),  # of that distance, per year
    Field("loss", "block", np.float64),  # at the horizon
    Field("relative_price", "block", np.float64),  # of one asset there: over its opening price
    # scratch: an operation finds rubbish in it; rows 3 to 5 outlive its calls of `distances`, `read` and `screen`
    Field("scratch", "block", None, 6),
    Field("words", "block", np.uint32, 4),  # scratch for noise
    Field("chosen", "block", np.int64),  # scratch: columns picked by flag
    Field("departed", "block", np.int64),  # columns that left the block during the segment
    Field("flag", "block", np.uint8),  # the lane is wanted by what follows
)
_ASSET = (
    Field("log_spot", "state"),  # log of price over opening price
    Field("before", "mark"),  # what the book marks at the start of the segment
    Field("after", "mark"),  # and at its end
    Field("noise", "block", None, 4),  # by slot: standard normals
)


@cache  # Numba knows a type again by the object: to type one anew takes a millisecond
def lanes_dtype(real: np.dtype[Any], width: int, declared: tuple[Field, ...] = ()) -> np.dtype[np.void]:
    """Describe a set of lanes in the precision `real`; what is true of one lane stands in one column."""
    return record(real, width, (*declared, *_LANE))


@cache
def assets_dtype(real: np.dtype[Any], width: int, declared: tuple[Field, ...] = ()) -> np.dtype[np.void]:
    """Describe what a set of lanes holds for one asset."""
    return record(real, width, (*declared, *_ASSET))


class Workspace(NamedTuple):
    """Scratch of one walk: sets of lanes, and the passages waiting for their times."""

    lanes: NDArray[np.void]  # [set]: the block, the lanes that meet events, those that breach, those at a timer
    assets: NDArray[np.void]  # [set, asset]
    queue: NDArray[np.void]  # [1]
    depth: NDArray[np.floating]  # [tier, passage]


class Lanes(NamedTuple):
    """A set of lanes."""

    lanes: Any  # record of lanes_dtype
    assets: Any  # [asset] records of assets_dtype


class Segment(NamedTuple):
    """A stretch of time without events: each field one number for all lanes, or an array over lanes."""

    start: float  # years, float64
    stop: float  # years, float64
    span: np.float32  # stop - start
    root: np.float32  # its square root
    slot: int  # which of the four addressed normals drives it
    step: int  # of the grid


def new_lanes(real: DTypeLike, assets: int, fields: Fields) -> tuple[NDArray[np.void], NDArray[np.void], int]:
    """Allocate the lanes and assets of a workspace; return them and how many lanes there are in a set."""
    kind: np.dtype[Any] = np.dtype(real)
    width = (COLUMN_ONE_ASSET if assets == 1 else COLUMN_MANY_ASSETS) // kind.itemsize
    lanes = aligned_zeros((_SETS,), lanes_dtype(kind, width, fields.lane))
    return lanes, aligned_zeros((_SETS, assets), assets_dtype(kind, width, fields.asset)), width


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

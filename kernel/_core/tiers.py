"""Settle which tiers the flagged lanes breached in a segment, and hand over what their times need."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba.core import types
from numba.extending import overload
from numpy.typing import NDArray

from kernel._core.bridge import resolve
from kernel._core.copies import copy_segment, keep_breached, return_settled, select
from kernel._core.jit import INNER, block
from kernel._core.lanes import Lanes, flagged, whole_vectors
from kernel._core.noise import to_exponentials
from kernel._core.operations import act, distances, level_of, score, screen, screen_end


class Ledger(NamedTuple):
    """Where breaches are written: known times at once, times within a bridge through the queue."""

    breach: NDArray[np.floating]  # [tier, path - offset] years
    offset: int
    queue: Any  # record of passages_dtype
    depth: NDArray[np.floating]  # [tier, passage] distance from start to tier, in standard deviations of the segment
    score: NDArray[np.floating]  # [tier, path - offset] log likelihood ratios at the breaches; no tier: not wanted
    tilt: NDArray[np.floating]  # [asset] and their growth per year, see `score`
    growth: float
    rules: NamedTuple  # what happens at a breach
    selected: Lanes  # those being settled
    held: Lanes  # those at a timer


def _take_segment(segment, lanes, n, selected):
    """Give the first n selected lanes the segment of those listed in lanes.chosen."""
    raise NotImplementedError


def _take_common_segment(segment, lanes, n, selected):
    start, stop, span, ratio = selected.start, selected.stop, selected.span, selected.ratio
    for j in range(n):
        start[j], stop[j], span[j], ratio[j] = segment.start, segment.stop, segment.span, 0


def _take_own_segments(segment, lanes, n, selected):
    for j in range(n):
        copy_segment(lanes, lanes.chosen[j], selected, j)


@overload(_take_segment, strict=False, jit_options=INNER)
def _choose_segment(segment, *_):
    arrays = isinstance(segment[segment.fields.index("span")], types.Array)
    return _take_own_segments if arrays else _take_common_segment


@block
def gather(rules, lanes, assets, segment, n, selected):
    """Copy the flagged lanes and their segment into `selected`; return how many there are.

    segment: one for all lanes of a block, or that of a set whose lanes have their own.
    """
    count = flagged(lanes, n)
    select(rules, lanes, assets, lanes.chosen, count, selected.lanes, selected.assets)
    _take_segment(segment, lanes, count, selected.lanes)
    source = selected.lanes.source
    for j in range(count):
        source[j] = lanes.chosen[j]
    return count


@block
def take_exponents(lanes, slot, selected, n):
    """Fill selected.exponent[:n], the bridge's share of chance, from the words of the lanes it was copied from."""
    for j in range(n):
        selected.words[0, j] = lanes.chance[slot, selected.source[j]]
    to_exponentials(selected.words[0], whole_vectors(n, selected.path.size), 0.5, selected.exponent)


@block
def drop_unflagged(rules, lanes, assets, n):
    """Move the flagged of the first n lanes to the front; return how many there are."""
    count = flagged(lanes, n)
    keep_breached(rules, lanes, assets, lanes.chosen, count, lanes, assets)
    return count


@block
def read_levels(book, lanes, n):
    """Set the levels of the lanes to those of their next tiers."""
    for i in range(n):
        lanes.level[i] = level_of(book, lanes, i, lanes.tier[i])


@block
def _enqueue(lanes, n, queue):
    """Give each lane a column of the queue."""
    for j in range(n):
        q = queue.count + j
        lanes.waiting[j], queue.path[q], queue.first[q] = q, lanes.path[j], lanes.tier[j]
        queue.start[q], queue.stop[q] = lanes.start[j], lanes.stop[j]
    queue.count += n


@block
def _note_depths(lanes, n, queue, depth):
    """Write how deep each lane's tier and the lowest point of its segment lie."""
    real = depth.dtype.type
    half, one, four, zero, tiny = real(0.5), real(1), real(4), real(0), real(1e-30)
    start, end, variance, span, exponent = (
        lanes.start_distance,
        lanes.end_distance,
        lanes.variance,
        lanes.span,
        lanes.exponent,
    )
    above, fall, rise = lanes.scratch[0], lanes.scratch[1], lanes.scratch[2]
    for j in range(n):
        q, tier = lanes.waiting[j], lanes.tier[j]
        above[j] = depth[tier - 1, q] if tier > queue.first[q] else zero
    for j in range(n):  # in a loop of its own, without look-ups: the vectoriser leaves those alone
        scale = one / math.sqrt(max(variance[j] * span[j], tiny))
        a, c = max(start[j] * scale, above[j]), end[j] * scale
        low = half * (a + c - math.sqrt((c - a) * (c - a) + four * exponent[j]))
        low = min(low, zero, c)
        above[j], fall[j], rise[j] = a, a - low, c - low
    for j in range(n):
        q, tier = lanes.waiting[j], lanes.tier[j]
        depth[tier, q], queue.last[q] = above[j], tier
        queue.fall[q], queue.rise[q] = fall[j], rise[j]


@block
def _score(book, lanes, assets, source_assets, bridged, n, ledger):
    """Write the log likelihood ratios at the breaches; the log prices are where the lanes were copied from."""
    for a in range(assets.size):
        log_spot, known = assets[a].log_spot, source_assets[a].log_spot
        for j in range(n):
            log_spot[j] = known[lanes.source[j]]
    score(book, ledger.tilt, ledger.growth, lanes, assets, bridged, n)
    for j in range(n):
        ledger.score[lanes.tier[j], np.int64(lanes.path[j]) - ledger.offset] = lanes.reading[j]


@block
def settle(book, covariance, lanes, assets, n, bridged, ledger, seed):
    """Breach the next tier of the n lanes in ledger.selected and every deeper one that their segment passes.

    lanes, assets: where they were copied from; what may have changed of them is copied back.
    """
    selected, selected_assets, breach, live = ledger.selected.lanes, ledger.selected.assets, ledger.breach, n
    if bridged:
        _enqueue(selected, live, ledger.queue)
    while live > 0:
        if bridged:
            distances(book, covariance, selected, selected_assets, live)
            _note_depths(selected, live, ledger.queue, ledger.depth)
        if ledger.score.shape[0] > 0:
            _score(book, selected, selected_assets, assets, bridged, live, ledger)
        for j in range(live):
            if not bridged:
                breach[selected.tier[j], np.int64(selected.path[j]) - ledger.offset] = selected.stop[j]
            selected.tier[j] += 1
        act(ledger.rules, book, selected, selected_assets, live)
        read_levels(book, selected, live)
        return_settled(ledger.rules, selected, selected_assets, live, lanes, assets)
        if bridged:
            screen(book, covariance, selected, selected_assets, selected.span, selected.exponent, live)
        else:
            screen_end(book, selected, selected_assets, live)
        live = drop_unflagged(ledger.rules, selected, selected_assets, live)
    if ledger.queue.count + selected.path.size > ledger.queue.path.size:
        resolve(ledger.queue, ledger.depth, seed, ledger.offset, breach)

"""Settle which tiers the flagged lanes breached in a segment, and hand over what their times need."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel._core.bridge import resolve
from kernel._core.covariance import carry
from kernel._core.jit import block
from kernel._core.lanes import flagged, whole_vectors
from kernel._core.noise import to_exponentials
from kernel._core.operations import at, distances, score, screen


class Ledger(NamedTuple):
    """Where breaches are written: known times at once, times within a bridge through the queue."""

    breach: NDArray[np.floating]  # [tier, path - offset] years
    offset: int
    queue: Any  # record of passages_dtype
    depth: NDArray[np.floating]  # [tier, passage] distance from start to tier, in standard deviations of the segment
    score: NDArray[np.floating]  # [tier, path - offset] log likelihood ratios at the breaches; no tier: not wanted
    tilt: NDArray[np.floating]  # [asset] and their growth per year, see `score`
    growth: float
    few: Any  # record of lanes_dtype: the lanes being settled
    few_assets: NDArray[np.void]


@block
def gather(covariance, lanes, assets, segment, n, few, few_assets):
    """Copy the flagged lanes and their segment into `few`; return how many there are."""
    count = flagged(lanes, n)
    for j in range(count):
        i = lanes.chosen[j]
        few.source[j], few.path[j] = i, lanes.path[i]
        few.tier[j], few.level[j], few.exponent[j] = lanes.tier[i], lanes.level[i], lanes.exponent[i]
        few.start[j], few.stop[j], few.span[j] = at(segment.start, i), at(segment.stop, i), at(segment.span, i)
        few.ratio[j] = lanes.ratio[i]
    for a in range(assets.size):
        dense, sparse = assets[a], few_assets[a]
        for j in range(count):
            i = lanes.chosen[j]
            sparse.before[j], sparse.after[j] = dense.before[i], dense.after[i]
    carry(covariance, assets, few_assets, lanes.chosen, count)
    return count


@block
def take_exponents(lanes, slot, few, n):
    """Fill few.exponent[:n], the bridge's share of chance, from the words of the lanes it was copied from."""
    for j in range(n):
        few.words[0, j] = lanes.chance[slot, few.source[j]]
    to_exponentials(few.words[0], whole_vectors(n, few.path.size), 0.5, few.exponent)


@block
def drop_unflagged(covariance, few, few_assets, n):
    """Move the flagged lanes to the front; return how many there are."""
    kept = flagged(few, n)
    for j in range(kept):
        i = few.chosen[j]
        few.source[j], few.waiting[j], few.path[j] = few.source[i], few.waiting[i], few.path[i]
        few.tier[j], few.level[j], few.exponent[j] = few.tier[i], few.level[i], few.exponent[i]
        few.start[j], few.stop[j], few.span[j], few.ratio[j] = few.start[i], few.stop[i], few.span[i], few.ratio[i]
    for a in range(few_assets.size):
        before, after = few_assets[a].before, few_assets[a].after
        for j in range(kept):
            i = few.chosen[j]
            before[j], after[j] = before[i], after[i]
    carry(covariance, few_assets, few_assets, few.chosen, kept)
    return kept


@block
def _enqueue(few, n, queue):
    """Give each lane of `few` a column of the queue."""
    for j in range(n):
        q = queue.count + j
        few.waiting[j], queue.path[q], queue.first[q] = q, few.path[j], few.tier[j]
        queue.start[q], queue.stop[q] = few.start[j], few.stop[j]
    queue.count += n


@block
def _note_depths(few, n, queue, depth):
    """Write how deep each lane's tier and the lowest point of its segment lie."""
    real = depth.dtype.type
    half, one, four, zero, tiny = real(0.5), real(1), real(4), real(0), real(1e-30)
    near, far, above, fall, rise = few.near, few.far, few.saved, few.room, few.slope
    variance, span, exponent = few.variance, few.span, few.exponent
    for j in range(n):
        q, tier = few.waiting[j], few.tier[j]
        above[j] = depth[tier - 1, q] if tier > queue.first[q] else zero
    for j in range(n):  # in a loop of its own, without look-ups: the vectoriser leaves those alone
        scale = one / math.sqrt(max(variance[j] * span[j], tiny))
        a, c = max(near[j] * scale, above[j]), far[j] * scale
        low = half * (a + c - math.sqrt((c - a) * (c - a) + four * exponent[j]))
        low = min(low, zero, c)
        above[j], fall[j], rise[j] = a, a - low, c - low
    for j in range(n):
        q, tier = few.waiting[j], few.tier[j]
        depth[tier, q], queue.last[q] = above[j], tier
        queue.fall[q], queue.rise[q] = fall[j], rise[j]


@block
def settle(book, covariance, lanes, n, bridged, ledger, seed):
    """Breach the next tier of the n lanes in ledger.few and every deeper one that their segment passes.

    lanes: where they were copied from; its tiers and levels move on.
    """
    few, few_assets, breach, live = ledger.few, ledger.few_assets, ledger.breach, n
    if bridged:
        _enqueue(few, live, ledger.queue)
    while live > 0:
        if bridged:
            distances(book, covariance, few, few_assets, live)
            _note_depths(few, live, ledger.queue, ledger.depth)
        if ledger.score.shape[0] > 0:
            score(book, ledger.tilt, ledger.growth, few, few_assets, bridged, live)
            for j in range(live):
                ledger.score[few.tier[j], np.int64(few.path[j]) - ledger.offset] = few.reading[j]
        for j in range(live):
            tier, i = few.tier[j], few.source[j]
            if not bridged:
                breach[tier, np.int64(few.path[j]) - ledger.offset] = few.stop[j]
            few.tier[j], few.level[j] = tier + 1, book.level[tier + 1]
            lanes.tier[i], lanes.level[i] = tier + 1, book.level[tier + 1]
        if bridged:
            screen(book, covariance, few, few_assets, few.span, few.exponent, live)
        else:
            screen(book, covariance, few, few_assets, few.span, few.span.dtype.type(0), live)
        live = drop_unflagged(covariance, few, few_assets, live)
    if ledger.queue.count + few.path.size > ledger.queue.path.size:
        resolve(ledger.queue, ledger.depth, seed, ledger.offset, breach)

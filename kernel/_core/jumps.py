"""Steps with jumps inside: the diffusion is walked from jump to jump, and each jump is looked at by itself."""

from __future__ import annotations

import math

import numpy as np
from numba.extending import overload

from kernel._core.covariance import carry
from kernel._core.jit import INNER, block
from kernel._core.lanes import Segment, flagged, lower, whole_vectors
from kernel._core.noise import ALL_ASSETS, JUMP, draw_words, to_exponentials, to_normals
from kernel._core.operations import advance, covariance, fathom, jump, mark, read, screen
from kernel._core.special import log, uniform
from kernel._core.tiers import gather, settle, take_exponents

_AFTER, _SIZE = 0, 1  # slots of a jump's normals: the diffusion that follows it, its size


@block
def _advance_clock(step, lanes, n):
    """Draw the jump after the one at lanes.start; always in double precision, so that both precisions jump alike."""
    start, next_jump, words, mean = lanes.start, lanes.next_jump, lanes.words, 1.0 / step.intensity
    for i in range(n):
        next_jump[i] = start[i] - mean * log(uniform(words[3, i], 1.0))


def _if_jumping(jumping, plain):
    """Choose a body, when compiling, by whether the struct of the market's step has an intensity of jumps."""

    def choose(step, *_):
        return jumping if "intensity" in step.fields else plain

    return choose


def open_clock(step, seed, lanes, n):
    """Draw the time of every lane's first jump, if the market jumps."""
    raise NotImplementedError


def cross(step, book, plan, seed, lanes, assets, segment, n, leapers, leaper_assets, ledger):
    """Move the lanes over a segment, through the jumps in it; return how many jumped, their columns in `jumped`."""
    raise NotImplementedError


def _open_jumping(step, seed, lanes, n):
    for i in range(n):
        lanes.start[i], lanes.jumps[i] = 0.0, np.uint64(0)
    draw_words(seed, lanes.path, np.uint64(0), ALL_ASSETS, JUMP, n, lanes.words)
    _advance_clock(step, lanes, n)


@block
def _board(step, lanes, assets, segment, n, few, few_assets):
    """Copy the lanes that jump during the segment into `few`, before they move; return how many there are."""
    flag, next_jump = lanes.flag, lanes.next_jump
    for i in range(n):
        flag[i] = next_jump[i] < segment.stop
    count = flagged(lanes, n)
    for j in range(count):
        i = lanes.chosen[j]
        lanes.jumped[j] = i
        few.source[j], few.path[j] = i, lanes.path[i]
        few.tier[j], few.level[j], few.lowest[j] = lanes.tier[i], lanes.level[i], lanes.lowest[i]
        few.start[j], few.next_jump[j], few.jumps[j] = segment.start, next_jump[i], lanes.jumps[i]
    for a in range(assets.size):
        dense, sparse = assets[a], few_assets[a]
        for j in range(count):
            i = lanes.chosen[j]
            sparse.log_spot[j], sparse.noise[_AFTER, j] = dense.log_spot[i], dense.noise[segment.slot, i]
    carry(covariance(step), assets, few_assets, lanes.chosen, count)
    return count


@block
def _land(step, lanes, assets, segment, few, few_assets, n):
    """Return the lanes without another jump in this segment to the block; keep the others."""
    kept = 0
    for j in range(n):
        i = few.source[j]
        few.flag[j] = few.next_jump[j] < segment.stop
        if few.flag[j]:
            few.chosen[kept] = j
            kept += 1
        else:
            lanes.tier[i], lanes.level[i], lanes.lowest[i] = few.tier[j], few.level[j], few.lowest[j]
            lanes.next_jump[i], lanes.jumps[i] = few.next_jump[j], few.jumps[j]
    for a in range(assets.size):
        dense, sparse = assets[a], few_assets[a]
        for j in range(n):
            if not few.flag[j]:
                dense.log_spot[few.source[j]] = sparse.log_spot[j]
        for k in range(kept):
            j = few.chosen[k]
            sparse.log_spot[k], sparse.after[k] = sparse.log_spot[j], sparse.after[j]
    carry(covariance(step), few_assets, few_assets, few.chosen, kept)
    for k in range(kept):
        j = few.chosen[k]
        few.source[k], few.path[k], few.tier[k], few.level[k] = few.source[j], few.path[j], few.tier[j], few.level[j]
        few.next_jump[k], few.jumps[k], few.lowest[k] = few.next_jump[j], few.jumps[j], few.lowest[j]
    return kept


@block
def _draw_jump(step, seed, few, assets, n):
    """Draw, at the jump's address, its normals, the diffusion and bridge after it, and the time of the next one."""
    for j in range(n):
        few.ratio[j] = 0
        few.jumps[j] += np.uint64(1)
        few.moment[j], few.start[j] = few.jumps[j], few.next_jump[j]
    whole = whole_vectors(n, few.path.size)
    for row in range(assets.size):
        a = assets.size - 1 - row  # asset 0 comes last: its words also hold the bridge and the clock
        draw_words(seed, few.path, few.moment, a, JUMP, whole, few.words)
        to_normals(few.words, 1, whole, assets[a].noise)
    to_exponentials(few.words[2], whole, 0.5, few.exponent)
    _advance_clock(step, few, whole)


@block
def _start_pieces(few, segment, jump_ratio, n):
    """Let each lane's segment run to its next jump or to the end of the block's."""
    start, stop, span, root, real = few.start, few.stop, few.span, few.root, few.span.dtype.type
    for j in range(n):
        stop[j] = min(few.next_jump[j], segment.stop)
        few.ratio[j] = jump_ratio if few.next_jump[j] < segment.stop else 0.0
        span[j] = real(stop[j] - start[j])
        root[j] = math.sqrt(span[j])


@block
def _leap(step, book, plan, seed, lanes, assets, segment, few, few_assets, n, ledger):
    """Walk the lanes of `few` through their jumps to the end of the segment."""
    spread, zero, bridged, sounded = (
        covariance(step),
        few.span.dtype.type(0),
        plan.bridged,
        plan.bridged and plan.sounded,
    )
    mark(book, few_assets, n)
    if bridged:
        take_exponents(lanes, segment.slot, few, n)
    while n > 0:
        _start_pieces(few, segment, plan.jump_ratio, n)
        piece = Segment(few.start, few.stop, few.span, few.root, _AFTER)
        advance(step, piece, few_assets, n)
        mark(book, few_assets, n)
        if bridged:
            screen(book, spread, few, few_assets, few.span, few.exponent, n)
            count = gather(spread, few, few_assets, piece, n, ledger.few, ledger.few_assets)
            settle(book, spread, few, count, bridged, ledger, seed)
        if sounded:
            fathom(book, spread, few, few_assets, n)
            lower(few, n)
        n = _land(step, lanes, assets, segment, few, few_assets, n)
        _draw_jump(step, seed, few, few_assets, n)
        jump(step, seed, few, few_assets, n)
        mark(book, few_assets, n)
        if bridged:
            instant = Segment(few.start, few.start, few.span, few.root, _AFTER)
            screen(book, spread, few, few_assets, few.span, zero, n)
            count = gather(spread, few, few_assets, instant, n, ledger.few, ledger.few_assets)
            settle(book, spread, few, count, np.bool_(False), ledger, seed)
        if sounded:
            read(book, few, few_assets, n)
            lower(few, n)


def _cross_jumping(step, book, plan, seed, lanes, assets, segment, n, leapers, leaper_assets, ledger):
    jumping = _board(step, lanes, assets, segment, n, leapers, leaper_assets)
    advance(step, segment, assets, n)
    if jumping > 0:
        _leap(step, book, plan, seed, lanes, assets, segment, leapers, leaper_assets, jumping, ledger)
    return jumping


def _cross_plain(step, book, plan, seed, lanes, assets, segment, n, leapers, leaper_assets, ledger):
    advance(step, segment, assets, n)
    return 0


def _open_plain(step, seed, lanes, n):
    pass


overload(open_clock, strict=False, jit_options=INNER)(_if_jumping(_open_jumping, _open_plain))
overload(cross, strict=False, jit_options=INNER)(_if_jumping(_cross_jumping, _cross_plain))

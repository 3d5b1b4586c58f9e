"""Steps with events inside: lanes leave their block, walk from event to event, and come back at the end of the step.

The next event of a lane is the earliest of its next jump and its next timer. A market whose step has no intensity of
jumps has none, and there are timers only for rules that declare the column NEXT_TIMER: which it is, is decided when
compiling, so a walk without events is compiled without this.
"""

from __future__ import annotations

import math

import numpy as np
from numba.extending import overload

from kernel._core.copies import keep_moving, leave_block, return_moved
from kernel._core.jit import INNER, block
from kernel._core.lanes import Segment, flagged, lower, whole_vectors
from kernel._core.noise import ALL_ASSETS, JUMP, draw_words, to_exponentials, to_normals
from kernel._core.operations import advance, covariance, jump, lowest_reading, mark, read, screen, screen_end
from kernel._core.special import log, uniform
from kernel._core.tiers import gather, settle, take_exponents
from kernel._core.timers import cut_at_timers, keep_origins, meets_timer, open_timers, rejoin, serve_timers

_AFTER = 0  # slot of the normals that drive a lane between its events


def open_events(step, seed, lanes, n):
    """Draw the time of every lane's first jump, if the market jumps."""
    raise NotImplementedError


def cross(step, book, plan, seed, lanes, assets, segment, n, events, ledger):
    """Move the lanes over a segment, through the events in it; return how many had any, their columns in `departed`."""
    raise NotImplementedError


def _meet_jumps(step, book, plan, seed, segment, lanes, assets, n, ledger):
    """Let each lane jump, if the market jumps, and settle the tiers that it passes by that."""
    raise NotImplementedError


@block
def _advance_clock(step, lanes, n):
    """Draw the jump after the one at lanes.start; always in double precision, so that both precisions jump alike."""
    start, next_jump, words, mean = lanes.start, lanes.next_jump, lanes.words, 1.0 / step.intensity
    for i in range(n):
        next_jump[i] = start[i] - mean * log(uniform(words[3, i], 1.0))


def _open_jumping(step, seed, lanes, n):
    for i in range(n):
        lanes.start[i], lanes.jumps[i] = 0.0, np.uint64(0)
    draw_words(seed, lanes.path, np.uint64(0), ALL_ASSETS, JUMP, n, lanes.words)
    _advance_clock(step, lanes, n)


def _open_without_jumps(step, seed, lanes, n):
    next_jump, jumps = lanes.next_jump, lanes.jumps
    for i in range(n):
        next_jump[i], jumps[i] = np.inf, np.uint64(0)


@block
def _leave_block(rules, lanes, assets, segment, n, events):
    """Copy the lanes that meet an event during the segment, before they move; return how many there are."""
    flag, next_jump, to = lanes.flag, lanes.next_jump, events.lanes
    for i in range(n):
        flag[i] = next_jump[i] < segment.stop
    meets_timer(lanes, segment, n)
    count = flagged(lanes, n)
    leave_block(rules, lanes, assets, lanes.chosen, count, to, events.assets)
    for j in range(count):
        i = lanes.chosen[j]
        lanes.departed[j], to.source[j], to.start[j] = i, i, segment.start
    for a in range(assets.size):
        here, there = assets[a], events.assets[a]
        for j in range(count):
            there.noise[_AFTER, j] = here.noise[segment.slot, lanes.chosen[j]]
    open_timers(to, count)
    return count


@block
def _return_to_block(rules, lanes, assets, segment, events, n):
    """Return the lanes to the block, and keep those that have another event in this segment; return how many."""
    own, own_assets = events.lanes, events.assets
    return_moved(rules, own, own_assets, n, lanes, assets)
    flag, next_jump = own.flag, own.next_jump
    for j in range(n):
        flag[j] = next_jump[j] < segment.stop
    meets_timer(own, segment, n)
    kept = flagged(own, n)
    keep_moving(rules, own, own_assets, own.chosen, kept, own, own_assets)
    return kept


@block
def _draw_jump(step, seed, lanes, assets, n):
    """Draw, at the jump's address, its normals, the diffusion and bridge after it, and the time of the next one."""
    for j in range(n):
        lanes.ratio[j] = 0
        lanes.jumps[j] += np.uint64(1)
        lanes.moment[j] = lanes.jumps[j]
        lanes.start[j] = lanes.stop[j] = lanes.next_jump[j]  # a moment, until the next piece is walked
    whole = whole_vectors(n, lanes.path.size)
    for row in range(assets.size):
        a = assets.size - 1 - row  # asset 0 comes last: its words also hold the bridge and the clock
        draw_words(seed, lanes.path, lanes.moment, a, JUMP, whole, lanes.words)
        to_normals(lanes.words, 1, whole, assets[a].noise)
    to_exponentials(lanes.words[2], whole, 0.5, lanes.exponent)
    _advance_clock(step, lanes, whole)


@block
def _start_pieces(lanes, segment, jump_ratio, n):
    """Let each lane's segment run to its next jump or to the end of the block's."""
    start, stop, span, root, real = lanes.start, lanes.stop, lanes.span, lanes.root, lanes.span.dtype.type
    for j in range(n):
        stop[j] = min(lanes.next_jump[j], segment.stop)
        lanes.ratio[j] = jump_ratio if lanes.next_jump[j] < segment.stop else 0.0
        span[j] = real(stop[j] - start[j])
        root[j] = math.sqrt(span[j])


@block
def _walk_piece(step, book, plan, seed, lanes, assets, segment, n, ledger):
    """Move the lanes to their next event, and settle the tiers that they breach on the way."""
    spread, bridged = covariance(step), plan.bridged
    _start_pieces(lanes, segment, plan.jump_ratio, n)
    keep_origins(segment, lanes, assets, n)
    piece = Segment(lanes.start, lanes.stop, lanes.span, lanes.root, _AFTER, segment.step)
    advance(step, piece, assets, n)
    cut_at_timers(spread, seed, bridged, segment, lanes, assets, n)
    mark(book, assets, n)
    if bridged:
        screen(book, spread, lanes, assets, lanes.span, lanes.exponent, n)
        count = gather(ledger.rules, lanes, assets, piece, n, ledger.selected)
        settle(book, spread, lanes, assets, count, bridged, ledger, seed)
        if plan.keeps_lowest:
            lowest_reading(book, spread, lanes, assets, n)
            lower(lanes, n)


@block
def _walk_events(step, book, plan, seed, lanes, assets, segment, events, n, ledger):
    """Walk the lanes that left the block from event to event, to the end of the segment."""
    own, own_assets, bridged = events.lanes, events.assets, plan.bridged
    mark(book, own_assets, n)
    if bridged:
        take_exponents(lanes, segment.slot, own, n)
    while n > 0:
        _walk_piece(step, book, plan, seed, own, own_assets, segment, n, ledger)
        n = _return_to_block(ledger.rules, lanes, assets, segment, events, n)
        jumping = serve_timers(book, covariance(step), seed, bridged, segment, own, own_assets, n, ledger)
        _meet_jumps(step, book, plan, seed, segment, own, own_assets, jumping, ledger)
        rejoin(ledger, own, own_assets, jumping, n)


def _jump(step, book, plan, seed, segment, lanes, assets, n, ledger):
    _draw_jump(step, seed, lanes, assets, n)
    open_timers(lanes, n)
    jump(step, seed, lanes, assets, n)
    mark(book, assets, n)
    if plan.bridged:
        instant = Segment(lanes.start, lanes.start, lanes.span, lanes.root, _AFTER, segment.step)
        screen_end(book, lanes, assets, n)
        count = gather(ledger.rules, lanes, assets, instant, n, ledger.selected)
        settle(book, covariance(step), lanes, assets, count, np.bool_(False), ledger, seed)
        if plan.keeps_lowest:
            read(book, lanes, assets, n)
            lower(lanes, n)


def _no_jump(step, book, plan, seed, segment, lanes, assets, n, ledger):
    pass


def _cross_events(step, book, plan, seed, lanes, assets, segment, n, events, ledger):
    count = _leave_block(ledger.rules, lanes, assets, segment, n, events)
    advance(step, segment, assets, n)
    if count > 0:
        _walk_events(step, book, plan, seed, lanes, assets, segment, events, count, ledger)
    return count


def _cross_whole(step, book, plan, seed, lanes, assets, segment, n, events, ledger):
    advance(step, segment, assets, n)
    return 0


def _open_nothing(step, seed, lanes, n):
    pass


def _jumps(step, *_):
    return "intensity" in step.fields


def _has_events(step, *args):
    return _jumps(step) or any("next_timer" in getattr(each, "fields", ()) for each in args)


def _choose(operation, *cases):
    """Register the body whose condition, of the types of the arguments, is the first that holds when compiling."""

    def choose(*args):
        return next(body for condition, body in cases if condition(*args))

    overload(operation, strict=False, jit_options=INNER)(choose)


def _else(*_):
    return True


_choose(open_events, (_jumps, _open_jumping), (_has_events, _open_without_jumps), (_else, _open_nothing))
_choose(cross, (_has_events, _cross_events), (_else, _cross_whole))
_choose(_meet_jumps, (_jumps, _jump), (_else, _no_jump))

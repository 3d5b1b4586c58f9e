"""Timers: times at which rules want to see a lane inside a step, on the Brownian bridge that it walks there.

A diffusion's end is known before it is cut, so a timer changes no price at the end of a step or at a jump. The noise of
a cut has an address of its own, the diffusion's number on the path and the cut's in the diffusion, so one more or less
moves nothing else. With discrete monitoring a timer is seen at the end of the step in which it is due.

All of this is compiled only for rules that declare the column NEXT_TIMER.
"""

from __future__ import annotations

import math

import numpy as np
from numba.extending import overload

from kernel._core.copies import append_lanes, keep_moving
from kernel._core.covariance import volatility
from kernel._core.jit import INNER, block
from kernel._core.lanes import Segment, flagged, whole_vectors
from kernel._core.noise import ALL_ASSETS, EVENT, draw_words, to_exponentials, to_normals
from kernel._core.operations import at, expire, mark, screen_end
from kernel._core.tiers import gather, read_levels, settle

_ROW = np.uint64(16)  # bits of a row that name the asset; the others count the cuts


def meets_timer(lanes, segment, n):
    """Flag, besides those that are, the lanes whose timer is due by the end of a segment of the block."""
    raise NotImplementedError


def open_timers(lanes, n):
    """Begin a diffusion that no timer has cut yet."""
    raise NotImplementedError


def keep_origins(segment, lanes, assets, n):
    """Keep the log prices before they move; a lane that has the whole segment before it takes just that."""
    raise NotImplementedError


def cut_at_timers(covariance, seed, bridged, segment, lanes, assets, n):
    """End the lanes' segments at timers that are due sooner, at a point of the bridge to the end that is known."""
    raise NotImplementedError


def serve_timers(book, covariance, seed, bridged, segment, lanes, assets, n, ledger):
    """Let the rules act on the lanes at a timer, in the set ledger.held; return how many others stay: at a jump."""
    raise NotImplementedError


def rejoin(ledger, lanes, assets, n, count):
    """Put the lanes of ledger.held behind the first n of a set that has `count` lanes in all."""
    raise NotImplementedError


def _if_timed(operation, timed, plain):
    """Choose a body, when compiling, by whether the record of lanes has a column for timers."""

    def choose(*args):
        fields = [name for kind in args for name in getattr(getattr(kind, "dtype", kind), "fields", ())]
        return timed if "next_timer" in fields or "known_end" in fields else plain

    overload(operation, strict=False, jit_options=INNER)(choose)


def _meets_timer(lanes, segment, n):
    flag, next_timer = lanes.flag, lanes.next_timer
    for i in range(n):
        flag[i] |= next_timer[i] <= segment.stop


def _open_timers(lanes, n):
    pinned, timers = lanes.pinned, lanes.timers
    for i in range(n):
        pinned[i], timers[i] = 0, 0


def _keep_origins(segment, lanes, assets, n):
    start, stop, span, root = lanes.start, lanes.stop, lanes.span, lanes.root
    for i in range(n):
        whole = (start[i] == segment.start) & (stop[i] == segment.stop)
        span[i], root[i] = segment.span if whole else span[i], segment.root if whole else root[i]
    for a in range(assets.size):
        origin, log_spot = assets[a].origin, assets[a].log_spot
        for i in range(n):
            origin[i] = log_spot[i]


@block
def _find_cuts(bridged, segment, lanes, n):
    """Fill scratch[0] with the share of its segment after which each lane is cut, 1: not; return how many are."""
    start, stop, span, root, next_timer = lanes.start, lanes.stop, lanes.span, lanes.root, lanes.next_timer
    share, width, real, count = lanes.scratch[0], lanes.scratch[1], lanes.span.dtype.type, 0
    for i in range(n):
        due = next_timer[i] <= segment.stop
        time = max(next_timer[i], start[i]) if bridged else segment.stop
        cut = due & (time <= stop[i])
        whole = stop[i] - start[i]
        before = (time - start[i]) / whole if cut & (whole > 0.0) else 1.0
        share[i], width[i] = before, math.sqrt(before * (1.0 - before) * whole)
        lanes.pinned[i] = cut
        if cut:
            stop[i], lanes.ratio[i], count = time, 0, count + 1
            span[i] = real(time - start[i])
            root[i] = math.sqrt(span[i])
    return count


def _cut_at_timers(covariance, seed, bridged, segment, lanes, assets, n):
    pinned, share, width = lanes.pinned, lanes.scratch[0], lanes.scratch[1]
    for a in range(assets.size):
        log_spot, known_end = assets[a].log_spot, assets[a].known_end
        for i in range(n):  # a diffusion that was cut before goes on to the end that it had
            known_end[i] = known_end[i] if pinned[i] else log_spot[i]
            log_spot[i] = known_end[i]
    if _find_cuts(bridged, segment, lanes, n) == 0:
        return
    for a in range(assets.size):
        _draw_cuts(seed, a, segment, lanes, n)
        to_normals(lanes.words, 1, n, assets[a].noise)
    one = width.dtype.type(1)
    for a in range(assets.size):
        log_spot, origin, end = assets[a].log_spot, assets[a].origin, assets[a].known_end
        local = volatility(covariance, assets[a])
        for i in range(n):
            log_spot[i] -= (one - share[i]) * (end[i] - origin[i])
        for b in range(a + 1):
            weight, z = covariance.factor[a, b], assets[b].noise[0]
            for i in range(n):
                log_spot[i] += weight * at(local, i) * width[i] * z[i]


@block
def _draw_cuts(seed, asset, segment, lanes, n):
    """Draw words at the address of each lane's cut; a diffusion's number counts the steps and jumps before it."""
    moment, row, jumps, timers = lanes.moment, lanes.row, lanes.jumps, lanes.timers
    for i in range(n):
        moment[i], row[i] = np.uint64(segment.step) + jumps[i], (timers[i] << _ROW) | np.uint64(asset)
    draw_words(seed, lanes.path, moment, row, EVENT, n, lanes.words)


@block
def _take_out(rules, bridged, segment, lanes, assets, n, held, held_assets):
    """Move the lanes at a timer to `held`, and close the ranks of the others; return how many these are."""
    pinned, flag, next_timer, stop = lanes.pinned, lanes.flag, lanes.next_timer, lanes.stop
    for i in range(n):
        now = bridged | (stop[i] >= segment.stop)
        flag[i] = (pinned[i] == 0) & (next_timer[i] <= stop[i]) & now  # set during the segment, for a time in it
        pinned[i] |= flag[i]
    for a in range(assets.size):
        known_end, log_spot = assets[a].known_end, assets[a].log_spot
        for i in range(n):
            known_end[i] = log_spot[i] if flag[i] else known_end[i]
    for i in range(n):
        flag[i] = pinned[i]
    count = flagged(lanes, n)
    keep_moving(rules, lanes, assets, lanes.chosen, count, held, held_assets)
    for i in range(n):
        flag[i] = 1 - pinned[i]
    left = flagged(lanes, n)
    keep_moving(rules, lanes, assets, lanes.chosen, left, lanes, assets)
    return left


def _serve_timers(book, covariance, seed, bridged, segment, lanes, assets, n, ledger):
    own, own_assets = ledger.held.lanes, ledger.held.assets
    left = _take_out(ledger.rules, bridged, segment, lanes, assets, n, own, own_assets)
    count = n - left
    if count > 0:
        expire(ledger.rules, book, own, own_assets, count)
        read_levels(book, own, count)
        mark(book, own_assets, count)
        screen_end(book, own, own_assets, count)
        now = Segment(own.stop, own.stop, own.span, own.root, 0, segment.step)
        breached = gather(ledger.rules, own, own_assets, now, count, ledger.selected)
        settle(book, covariance, own, own_assets, breached, np.bool_(False), ledger, seed)
        _draw_cuts(seed, ALL_ASSETS, segment, own, count)
        to_exponentials(own.words[2], whole_vectors(count, own.path.size), 0.5, own.exponent)
        for i in range(count):
            own.start[i] = own.stop[i]
            own.timers[i] += np.uint64(1)
    return left


def _rejoin(ledger, lanes, assets, n, count):
    own, own_assets = ledger.held.lanes, ledger.held.assets
    append_lanes(own, own_assets, count - n, lanes, assets, n)


def _pass_lanes(lanes, segment, n):
    pass


def _pass_open(lanes, n):
    pass


def _pass_origins(segment, lanes, assets, n):
    pass


def _pass_cuts(covariance, seed, bridged, segment, lanes, assets, n):
    pass


def _all_stay(book, covariance, seed, bridged, segment, lanes, assets, n, ledger):
    return n


def _pass_rejoin(ledger, lanes, assets, n, count):
    pass


_if_timed(meets_timer, _meets_timer, _pass_lanes)
_if_timed(open_timers, _open_timers, _pass_open)
_if_timed(keep_origins, _keep_origins, _pass_origins)
_if_timed(cut_at_timers, _cut_at_timers, _pass_cuts)
_if_timed(serve_timers, _serve_timers, _all_stay)
_if_timed(rejoin, _rejoin, _pass_rejoin)

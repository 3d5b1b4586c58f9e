"""What happened to a block in a segment: tiers breached, lowest readings lowered."""

from __future__ import annotations

import numpy as np
from numba.extending import overload

from kernel._core.jit import INNER, block
from kernel._core.lanes import lower
from kernel._core.noise import to_ceilings, to_exponentials
from kernel._core.operations import covariance, lowest_reading, may_breach, read, screen, screen_end
from kernel._core.tiers import drop_unflagged, gather, settle, take_exponents


@block
def lower_lowest(step, book, plan, lanes, assets, segment, n, departed, ledger):
    """Lower the lowest readings to those within a segment, but for lanes that left the block in it and know theirs."""
    if plan.bridged:
        _lower_within(book, step, lanes, assets, segment, n, departed, ledger)
    else:
        read(book, lanes, assets, n)
    lower(lanes, n)


def _lower_within(book, step, lanes, assets, segment, n, departed, ledger):
    """Lower the lowest readings to those on the bridge; lanes.reading is then lower where the end is."""
    raise NotImplementedError


def _read_all(book, step, lanes, assets, segment, n, departed, ledger):
    to_exponentials(lanes.chance[segment.slot], n, 0.5, lanes.exponent)
    lanes.span[:n] = segment.span
    lowest_reading(book, covariance(step), lanes, assets, n)
    for j in range(departed):
        lanes.reading[lanes.departed[j]] = np.inf


def _search_some(book, step, lanes, assets, segment, n, departed, ledger):
    """Choose the lanes that pass their lowest reading: to find them, it is for once the level to be passed."""
    spread, level, lowest = covariance(step), lanes.level, lanes.lowest
    own, own_assets = ledger.selected.lanes, ledger.selected.assets
    for i in range(n):
        level[i], lowest[i] = lowest[i], level[i]
    may_breach(book, spread, lanes, assets, segment.span, lanes.ceiling, n)
    count = _gather_remaining(lanes, assets, segment, n, departed, ledger)
    for i in range(n):
        level[i], lowest[i] = lowest[i], level[i]
    screen(book, spread, own, own_assets, own.span, own.exponent, count)
    count = drop_unflagged(ledger.rules, own, own_assets, count)
    for j in range(count):
        own.lowest[j] = own.level[j]
    lowest_reading(book, spread, own, own_assets, count)
    for j in range(count):
        i = own.source[j]
        lowest[i] = min(lowest[i], own.reading[j])
    read(book, lanes, assets, n)  # of a path that hardly trembles the end is lower than what rounding lets be found


@overload(_lower_within, strict=False, jit_options=INNER)
def _choose_lowest(book, *_):
    return _read_all if getattr(book.instance_class, "knows_lowest", bool)() else _search_some


@block
def _gather_remaining(lanes, assets, segment, n, departed, ledger):
    """Copy the flagged lanes that did not leave the block, with their share of chance; return how many there are."""
    for j in range(departed):
        lanes.flag[lanes.departed[j]] = 0
    count = gather(ledger.rules, lanes, assets, segment, n, ledger.selected)
    take_exponents(lanes, segment.slot, ledger.selected.lanes, count)
    return count


@block
def watch(step, book, plan, seed, lanes, assets, segment, n, departed, ledger):
    """Find and settle the tiers that the block breached in a segment, but for lanes that left it and are settled."""
    spread, selected = covariance(step), ledger.selected
    if not plan.bridged:
        screen_end(book, lanes, assets, n)
        count = gather(ledger.rules, lanes, assets, segment, n, selected)
    else:
        to_ceilings(lanes.chance[segment.slot], n, 0.5, lanes.ceiling)
        may_breach(book, spread, lanes, assets, segment.span, lanes.ceiling, n)
        count = _gather_remaining(lanes, assets, segment, n, departed, ledger)
        own = selected.lanes
        screen(book, spread, own, selected.assets, own.span, own.exponent, count)
        count = drop_unflagged(ledger.rules, own, selected.assets, count)
    settle(book, spread, lanes, assets, count, plan.bridged, ledger, seed)

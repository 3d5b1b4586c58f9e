"""The one fused loop: blocks of paths, steps, lanes."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from kernel._core import defaults  # noqa: F401 - registers them
from kernel._core.bridge import passages_dtype, resolve
from kernel._core.cells import count_by_cell
from kernel._core.events import cross, open_events
from kernel._core.fields import Fields
from kernel._core.jit import block, kernel
from kernel._core.lanes import Lanes, Segment, Workspace, new_lanes
from kernel._core.operations import add_loss, mark, move_state, open_state, read
from kernel._core.special import exp
from kernel._core.step_noise import draw_four_steps
from kernel._core.tiers import Ledger, read_levels
from kernel._core.watch import lower_lowest, watch


class Plan(NamedTuple):
    """The time grid, how it is watched, and which tiers are breached from the start."""

    horizon: float  # years
    steps: int
    bridged: bool  # continuous monitoring; else the grid points only
    opening_tier: int  # the first tier not breached at time 0
    keeps_lowest: bool  # the lowest readings are wanted
    tilt: np.ndarray  # [asset] exponents of the likelihood ratios at breaches, and their growth per year, see `score`
    growth: float
    jump_ratio: float  # of a tilt: log of a jump's likelihood ratio, its size unknown


class Arrays(NamedTuple):
    """Where results go: column path - offset."""

    loss: np.ndarray  # [path]
    terminal_price: np.ndarray  # [asset, path]
    breach_time: np.ndarray  # [tier, path]
    worst: np.ndarray  # [time, path] lowest readings of the book so far
    score: np.ndarray  # [tier, path] log likelihood ratios at breaches; no tier: not wanted
    worst_step: np.ndarray  # [time] steps after which `worst` is noted
    breaches: np.ndarray  # [tier, cell] counts, see `count_by_cell`; no tier: not wanted
    edge: np.ndarray  # [cell] years up to which each cell counts
    offset: int


@block
def _open(step, book, rules, plan, seed, mirrored, origin, n, lanes, assets):
    """Set a block's lanes to time 0."""
    path, pair, tier, ratio = lanes.path, lanes.pair, lanes.tier, lanes.ratio
    for i in range(n):
        path[i], pair[i] = np.uint64(origin + i), np.uint64((origin + i) >> mirrored)
        tier[i], ratio[i] = plan.opening_tier, 0
    for a in range(assets.size):
        assets[a].log_spot[:n] = 0
    open_state(step, lanes, assets, n)
    open_state(book, lanes, assets, n)
    open_state(rules, lanes, assets, n)
    read_levels(book, lanes, n)
    mark(book, assets, n)
    if plan.keeps_lowest:
        read(book, lanes, assets, n)
        lowest, reading = lanes.lowest, lanes.reading
        for i in range(n):
            lowest[i] = reading[i]
    open_events(step, seed, lanes, n)


@block
def _open_ledger(plan, origin, n, out):
    """Write time 0 for the tiers breached from the start, never for the others."""
    for k in range(out.breach_time.shape[0]):
        time = 0.0 if k < plan.opening_tier else np.nan
        for i in range(n):
            out.breach_time[k, origin - out.offset + i] = time


@block
def _note_worst(lanes, steps, n, origin, out):
    """Write the lowest readings at the times that are kept."""
    first = origin - out.offset
    for k in range(out.worst_step.size):
        if out.worst_step[k] == steps:
            for i in range(n):
                out.worst[k, first + i] = lanes.lowest[i]


@block
def _close(book, lanes, assets, n, origin, out):
    """Write closing prices and losses, reckoned in double precision."""
    loss, relative, first = lanes.loss, lanes.relative_price, origin - out.offset
    loss[:n] = 0.0
    for a in range(assets.size):
        spot, log_spot = book.spot[a], assets[a].log_spot
        for i in range(n):
            relative[i] = exp(np.float64(log_spot[i]))
            out.terminal_price[a, first + i] = spot * relative[i]
        add_loss(book, a, lanes, n)
    for i in range(n):
        out.loss[first + i] = loss[i]


@kernel
def walk(step, book, rules, plan, seed, normals, first, last, out, work):
    """Walk the paths [first, last) and write their losses, closing prices and breach times.

    Args:
        step: a market's step.
        book: an account's book.
        rules: what happens at breaches and timers; NoRules: nothing.
        plan: Plan.
        seed: uint64.
        normals: Normals.
        first: path.
        last: path.
        out: Arrays.
        work: Workspace whose queue is empty; whatever else is in it is written before it is read.
    """
    lanes, assets, queue = work.lanes[0], work.assets[0], work.queue[0]
    events, selected = Lanes(work.lanes[1], work.assets[1]), Lanes(work.lanes[2], work.assets[2])
    held = Lanes(work.lanes[3], work.assets[3])
    ledger = Ledger(
        out.breach_time, out.offset, queue, work.depth, out.score, plan.tilt, plan.growth, rules, selected, held
    )
    real, width = lanes.level.dtype.type, lanes.path.size
    span, root = real(plan.horizon / plan.steps), real(math.sqrt(plan.horizon / plan.steps))
    for origin in range(first, last, width):
        n = min(width, last - origin)
        _open(step, book, rules, plan, seed, normals.mirrored, origin, n, lanes, assets)
        _open_ledger(plan, origin, n, out)
        for s in range(plan.steps):
            if s & 3 == 0:
                draw_four_steps(seed, s, plan.bridged, normals, origin - first, n, lanes, assets)
            start, stop = plan.horizon * (s / plan.steps), plan.horizon * ((s + 1) / plan.steps)
            move_state(step, seed, s, lanes, assets, n)
            segment = Segment(start, stop, span, root, s & 3, s)
            departed = cross(step, book, plan, seed, lanes, assets, segment, n, events, ledger)
            mark(book, assets, n)
            watch(step, book, plan, seed, lanes, assets, segment, n, departed, ledger)
            if plan.keeps_lowest:
                lower_lowest(step, book, plan, lanes, assets, segment, n, departed, ledger)
                _note_worst(lanes, s + 1, n, origin, out)
        _close(book, lanes, assets, n, origin, out)
    resolve(queue, work.depth, seed, out.offset, out.breach_time)
    if out.breaches.shape[0] > 0:
        count_by_cell(out.breach_time, out.edge, first - out.offset, last - out.offset, lanes.chosen, out.breaches)


def new_workspace(real: DTypeLike, assets: int, tiers: int, fields: Fields) -> Workspace:
    """Allocate the scratch of one walk; fields: what its step, book and rules declare, see `fields_of`."""
    lanes, marks, width = new_lanes(real, assets, fields)
    kind: np.dtype[Any] = np.dtype(real)
    return Workspace(
        lanes=lanes,
        assets=marks,
        queue=np.zeros(1, passages_dtype(kind, 2 * width)),
        depth=np.zeros((tiers, 2 * width), kind),
    )

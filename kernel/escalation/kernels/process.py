"""What happens at a breach and after it, path by path: the compiled state machine of an escalation.

A lane that breaches a tier, or has something due, is followed through its piece of the diffusion, whose end is known,
from event to event and forward in time: as nothing of the piece beyond an event has been revealed (strong Markov), the
rest of it is a bridge of its own. So one step over five days has the law of a step a second. Accounts and times are in
double precision: single precision's years step by seconds.
"""

from __future__ import annotations

import math

import numpy as np

from kernel._core.covariance import volatility
from kernel._core.jit import block, implements, point
from kernel._core.noise import EVENT, words_at
from kernel._core.operations import at, awaits, finish, follow, follows, open_state
from kernel._core.special import box_muller, log, uniform
from kernel.escalation.kernels.instant import look_at, next_due
from kernel.escalation.kernels.position import NONE, equity_at, open_path, settle
from kernel.escalation.records import CALL_OPEN, CLOSE_OUT_PENDING, MOST_EVENTS, EscalationRules

_TINY = 1e-300


@implements(open_state, EscalationRules)
def _open_untouched(rules, lanes, assets, n):
    for i in range(n):
        lanes.due[i] = 0.0 if rules.opens_in_breach else np.inf


@implements(follows, EscalationRules)
def _follows(rules):
    return True


@implements(awaits, EscalationRules)
def _awaits(rules, lanes, stop, n):
    flag, due = lanes.flag, lanes.due
    for i in range(n):
        flag[i] |= due[i] <= at(stop, i)


@point
def _first_passage(above, below, spread, normal, u):
    """Draw at which share of a bridge it first passes a level, which it does pass.

    It starts `above` the level and ends `below` it on either side, with variance `spread` on the way. The time before
    over the time after is inverse Gaussian of mean above / below and shape above**2 / spread; drawn as Michael,
    Schucany and Haas (1976), Generating random variates using transformations with multiple roots, The American
    Statistician 30(2), in a form that allows below = 0.
    """
    half = normal * normal * spread / (2.0 * above)
    early = above / (below + half + math.sqrt(half * (half + 2.0 * below)) + _TINY)
    if u * (above + early * below) <= above:
        return early / (1.0 + early)
    return above * above / (above * above + below * below * early)


@point
def follow_piece(rules, one, row, breach, column, seed, piece, start, stop, x, end, variance, exponent):
    """Walk a path through a piece of its diffusion from `x` at `start` to `end` at `stop`, from event to event.

    exponent: the piece's share of chance, as the block drew it: used while nothing has cut the piece.
    """
    time, number, whole = start, np.uint64(0), True
    while one.left > 0.0 and one.events < MOST_EVENTS:
        due, level = next_due(one), one.barrier
        timed, until, there = due <= stop, stop, end
        words = words_at(seed, np.uint64(one.path), piece, number, EVENT)
        number += np.uint64(1)
        if timed:
            _, other = box_muller(words[0], words[1], 1.0)
            until = max(due, time)
            share = (until - time) / (stop - time) if stop > time else 1.0
            there = x + share * (end - x) + math.sqrt(variance * share * (1.0 - share) * (stop - time)) * other
        chance = exponent if whole and not timed else -0.5 * log(uniform(words[2], 1.0))
        whole = False
        above, below, spread = x - level, there - level, variance * (until - time)
        if level > -np.inf and above * below <= spread * chance:
            if above > 0.0 and level < np.inf:
                normal, _ = box_muller(words[0], words[1], 1.0)
                share = _first_passage(above, abs(below), spread, normal, uniform(words[3], 1.0))
                time, x = time + share * (until - time), level
        elif timed:
            time, x = until, there
        else:
            return
        look_at(rules, one, row, breach, column, seed, time, x)


@block
def _look_at_once(rules, one, row, breach, column, seed, time, x):
    look_at(rules, one, row, breach, column, seed, time, x)


@implements(follow, EscalationRules)
def _follow(rules, book, covariance, lanes, assets, n, bridged, ledger, seed):
    """Follow the first n lanes through their segments, or look at them at its end where that is an instant."""
    before, after, local = assets[0].before, assets[0].after, volatility(covariance, assets[0])
    factor = np.float64(covariance.factor[0, 0])
    for j in range(n):
        row = _row_of(rules, lanes, j)
        one, start, stop = rules.state[row], lanes.start[j], lanes.stop[j]
        column = one.path - ledger.offset
        if rules.opens_in_breach and one.events == 0:
            _look_at_once(rules, one, row, ledger.breach, column, seed, 0.0, 0.0)
        if bridged:
            deviation, piece = factor * np.float64(at(local, j)), np.uint64(lanes.step[j]) + lanes.jumps[j]
            follow_piece(
                rules,
                one,
                row,
                ledger.breach,
                column,
                seed,
                piece,
                start,
                stop,
                np.float64(before[j]),
                np.float64(after[j]),
                deviation * deviation,
                np.float64(lanes.exponent[j]),
            )
        else:
            _look_at_once(rules, one, row, ledger.breach, column, seed, stop, np.float64(after[j]))
        lanes.tier[j], lanes.due[j], lanes.level[j] = one.tier, next_due(one), one.barrier


@point
def _row_of(rules, lanes, j):
    """Return the row of a lane's path in the states, a new one where nothing has happened to it yet."""
    column = np.int64(lanes.path[j]) - rules.offset
    row = rules.row[column]
    if row < 0:
        row = rules.rows[0]
        rules.rows[0] += 1
        rules.row[column] = row
        open_path(rules, rules.state[row], np.int64(lanes.path[j]))
    return row


@implements(finish, EscalationRules)
def _finish(rules, lanes, n):
    """Reckon what the paths come to at the horizon, those to which something happened."""
    for i in range(n):
        row = rules.row[np.int64(lanes.path[i]) - rules.offset]
        if row < 0:
            continue
        one = rules.state[row]
        equity = equity_at(rules, one, lanes.relative_price[i])
        if one.left > 0.0 and one.waiting != NONE:
            settle(one, CLOSE_OUT_PENDING, one.begun)
        elif one.call != NONE:
            settle(one, CALL_OPEN, one.made)
        one.closing_equity = equity
        lanes.loss[i] = rules.fixed + rules.value + one.paid_in - equity

"""What happens at a breach and after it, path by path: the compiled state machine of an escalation.

A lane that breaches a tier, or has something due, is followed through its piece of the diffusion, whose end is known,
from event to event and forward in time: as nothing of the piece beyond an event has been revealed (strong Markov), the
rest of it is a bridge of its own. So one step over five days has the law of a step a second. Accounts and times are in
double precision: single precision's years step by seconds.

The rules are those of `kernel.escalation.Escalation`, one instant after the other as `look_at` goes through them.
"""

from __future__ import annotations

import math

import numpy as np

from kernel._core.covariance import volatility
from kernel._core.jit import block, implements, point
from kernel._core.noise import CLIENT, EVENT, words_at
from kernel._core.operations import at, awaits, finish, follow, follows, open_state
from kernel._core.special import box_muller, log, uniform
from kernel.escalation.records import (
    CALL_CURED,
    CALL_MET,
    CALL_MISSED,
    CALL_OPEN,
    CLOSE_OUT_PENDING,
    CLOSED,
    CLOSED_IN_DEBT,
    MOST_EVENTS,
    NOTICED,
    REDUCED,
    UNTOUCHED,
    EscalationRules,
)

_NONE = -1
_ROUNDING = 1e-10  # of the size of what is compared: a metric this near a level stands at it
_CUBIC = 27.0 / 4.0
_TINY = 1e-300
_TICK = 1e-12  # of a time over a clock's tick


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


# What the account is worth


@point
def _equity(rules, one, price):
    return one.cash + one.left * rules.value * price


@point
def _notional(rules, one, price):
    return one.left * abs(rules.value) * price


@point
def _required(rules, one, price):
    """Return what the metric is a multiple of: the maintenance margin, or the opening equity."""
    return rules.base + one.left * rules.requirement * price


@point
def _excess(rules, one, level, price):
    """Return by how much the equity is above a level of the metric: 0 where rounding alone tells them apart."""
    required = _required(rules, one, price)
    excess = _equity(rules, one, price) - level * required
    size = abs(one.cash) + _notional(rules, one, price) + abs(level) * abs(required)
    return 0.0 if abs(excess) <= _ROUNDING * size else excess


@point
def _barrier(rules, one):
    """Return the log price, times side, at which the next armed tier breaches: infinite for none, and for any price."""
    if one.tier >= rules.level.size or one.left == 0.0:
        return -np.inf
    level = rules.level[one.tier]
    weight = one.left * abs(rules.value - level * rules.requirement)
    fixed = rules.side * (one.cash - level * rules.base)
    if rules.side > 0.0:
        return log(-fixed / weight) if fixed < 0.0 else -np.inf
    return -log(-fixed / weight) if fixed < 0.0 else np.inf


# Payments and deadlines


@point
def _settle(one, end, time):
    one.end, one.end_time = end, time


@point
def _pay(rules, one, time, price):
    """Make a payment that is due; tell whether that ends the call."""
    if one.call == _NONE or one.payment_due > time:
        return False
    if _excess(rules, one, rules.calls[one.call].restore, price) >= 0.0:
        one.calls_cured += 1
        _settle(one, CALL_CURED, time)
        one.call = _NONE
        return True
    one.cash += one.payment
    one.paid_in += one.payment
    one.payment_due = np.inf
    if one.payment < one.demand:
        return False
    one.calls_met += 1
    _settle(one, CALL_MET, time)
    one.call = _NONE
    return True


@point
def _end_cure_period(rules, one, row, time, price):
    """Decide about a call whose deadline has come; tell whether that ends it without a close-out."""
    if one.call == _NONE or one.deadline > time:
        return False
    tier, one.call = one.call, _NONE
    if _excess(rules, one, rules.level[tier], price) > 0.0:
        one.calls_cured += 1
        _settle(one, CALL_CURED, time)
        return True
    one.calls_missed += 1
    _settle(one, CALL_MISSED, time)
    _begin_close_out(rules, one, row, 2 * tier + 1, time, price)
    return False


@point
def _cancel_call(one):
    if one.call != _NONE:
        one.call = _NONE
        one.calls_cancelled += 1


# Fills


@point
def _fill(rules, one, row, time, price):
    """Fill a close-out that is due, or drop it; tell whether one was due."""
    if one.waiting == _NONE or one.fill_due > time:
        return False
    k, one.waiting = one.waiting, _NONE
    action = rules.close_outs[k]
    recovered = action.recheck and _excess(rules, one, rules.level[k // 2], price) > 0.0
    share = 0.0 if recovered else _share_to_sell(rules, one, action, price)
    if share == 0.0:
        return True
    _sell(rules, one, action, share, time, price)
    if action.cooldown > 0.0:
        rules.ready[row, k] = time + action.cooldown
        if k % 2 == 0:
            one.look = min(one.look, time + action.cooldown)
    elif k % 2 == 0:
        rules.ready[row, k] = np.inf  # not before its tier re-arms
    return True


@point
def _sell(rules, one, action, share, time, price):
    sold, before = share * _notional(rules, one, price), _equity(rules, one, price)
    slippage = (action.slippage + action.impact * math.sqrt(sold)) * sold
    left = max(0.0, before - slippage)
    fee = min(action.fee * sold, left)
    cost = min(action.cost + action.cost_share * sold, left - fee)
    lost = slippage + fee + cost
    one.slippage += slippage
    one.fees += fee
    one.costs += cost
    if one.first_close_out != one.first_close_out:
        one.first_close_out = time
    if share < 1.0:
        one.cash += share * one.left * rules.value * price - lost
        one.left *= 1.0 - share
        _settle(one, REDUCED, time)
        return
    one.cash, one.left = before - lost, 0.0
    if action.to_venue and one.cash > 0.0:
        one.fees += one.cash
        one.cash = 0.0
    _cancel_call(one)
    one.waiting = _NONE
    _settle(one, CLOSED_IN_DEBT if one.cash < 0.0 else CLOSED, time)


@point
def _share_to_sell(rules, one, action, price):
    """Return the share that a close-out sells at a price; see `kernel.escalation.fill.share_to_sell`."""
    share, notional = action.share, _notional(rules, one, price)
    if action.restore == action.restore:
        if _excess(rules, one, action.restore, price) >= 0.0:
            return 0.0
        target = action.restore * _required(rules, one, price)
        share = _least_share(action, target, target - _equity(rules, one, price), notional)
    return 1.0 if (1.0 - share) * notional < action.minimum - _TICK * notional else share


@point
def _least_share(action, target, gap, notional):
    a, c = target - (action.fee + action.slippage + action.cost_share) * notional, gap + action.cost
    b = action.impact * notional * math.sqrt(notional)
    if a <= 0.0 or _CUBIC * b * b * c > a * a * a:
        return 1.0
    if b == 0.0:
        return min(c / a, 1.0)
    angle = math.acos(min(max(-1.5 * b / a * math.sqrt(3.0 * c / a), -1.0), 1.0))
    cosine = math.cos(angle / 3.0)
    return min(0.75 * c / (a * cosine * cosine), 1.0)


# The ladder


@point
def _begin_close_out(rules, one, row, k, time, price):
    """Let close-out k wait for its fill, unless the one that waits already goes first."""
    action = rules.close_outs[k]
    due = (max(time, rules.ready[row, k]) if k % 2 == 1 else time) + action.latency
    if action.batch > 0.0:
        ticks = due / action.batch
        near = np.rint(ticks)
        ticks = near if abs(ticks - near) <= _TICK * max(1000.0, near) else math.ceil(ticks)
        due = ticks * action.batch
    if one.waiting != _NONE:
        if k <= one.waiting:
            return
        other = rules.close_outs[one.waiting]
        if due > one.fill_due and _share_to_sell(rules, one, action, price) <= _share_to_sell(rules, one, other, price):
            return
    if one.call != _NONE and one.call < k // 2:
        _cancel_call(one)
    one.waiting, one.fill_due, one.begun = k, due, time
    if one.end == UNTOUCHED:
        _settle(one, NOTICED, time)


@point
def _make_call(rules, one, tier, seed, time, price):
    """Make a call, unless one stands that is as deep, or a deeper close-out is under way."""
    action = rules.calls[tier]
    if one.call >= tier or one.waiting > 2 * tier:
        return
    demand = -_excess(rules, one, action.restore, price)
    if demand < action.minimum_transfer:
        return
    _cancel_call(one)
    cost = min(action.cost, max(0.0, _equity(rules, one, price)))
    one.cash -= cost
    one.costs += cost
    demand += cost
    words = words_at(seed, np.uint64(one.path), np.uint64(one.calls_made), np.uint64(0), CLIENT)
    pays = uniform(words[0], 1.0) < rules.meets[tier, min(one.calls_made, rules.meets.shape[1] - 1)]
    amount = min(action.share * demand, action.capacity - one.paid_in) if pays else 0.0
    one.calls_made += 1
    in_time = amount > 0.0 and action.delay <= action.cure_period
    one.call, one.demand, one.payment = tier, demand, amount
    one.payment_due = time + action.delay if in_time else np.inf
    one.deadline, one.made = time + action.cure_period, time
    if one.end == UNTOUCHED:
        _settle(one, NOTICED, time)


@point
def _end_cooldown(rules, one, row, time):
    """Forget cooldowns that have ended; tell whether there were any."""
    if one.look > time:
        return False
    one.look = np.inf
    for tier in range(rules.level.size):
        ready = rules.ready[row, 2 * tier]
        if time < ready < one.look:
            one.look = ready
    return True


@point
def _breach_tiers(rules, one, breach, column, time, price):
    """Breach the armed tiers that the metric has passed; return how many are in breach."""
    breached = 0
    while breached < rules.level.size and _excess(rules, one, rules.level[breached], price) <= 0.0:
        breached += 1
    for tier in range(one.tier, breached):
        if breach[tier, column] != breach[tier, column]:
            breach[tier, column] = time
        if rules.notice[tier] and one.end == UNTOUCHED:
            _settle(one, NOTICED, time)
    return breached


@point
def _rearm(rules, one, row, breached):
    """Arm the tiers below the metric; of close-outs that wait for that, too."""
    one.tier = breached
    for tier in range(breached, rules.level.size):
        if rules.ready[row, 2 * tier] == np.inf:
            rules.ready[row, 2 * tier] = 0.0


@point
def _look_at_ladder(rules, one, row, seed, time, price, afresh, breach, column):
    """See which tiers are breached, and let the deepest of them act that has anything left to do."""
    first, breached = one.tier, _breach_tiers(rules, one, breach, column, time, price)
    one.tier = max(first, breached)
    if afresh:
        first = 0
        _rearm(rules, one, row, breached)
    for tier in range(breached - 1, first - 1, -1):
        sells, calls = rules.close_outs[2 * tier].exists, rules.calls[tier].exists
        if calls or (sells and rules.ready[row, 2 * tier] < np.inf):
            if sells and rules.ready[row, 2 * tier] <= time:
                _begin_close_out(rules, one, row, 2 * tier, time, price)
            if calls:
                _make_call(rules, one, tier, seed, time, price)
            return


@point
def _next_due(one):
    """Return when something is due next, whatever the price does."""
    if one.left == 0.0:
        return np.inf
    time = one.look
    if one.call != _NONE:
        time = min(time, one.payment_due, one.deadline)
    return min(time, one.fill_due) if one.waiting != _NONE else time


@block
def look_at(rules, one, row, breach, column, seed, time, x):
    """Let everything happen that happens at an instant: payments, deadlines, fills, new breaches, in this order."""
    price = math.exp(rules.side * x)
    while one.left > 0.0 and one.events < MOST_EVENTS:
        one.events += 1
        done = _pay(rules, one, time, price)
        done |= _end_cure_period(rules, one, row, time, price)
        done |= _fill(rules, one, row, time, price)
        done |= _end_cooldown(rules, one, row, time)
        if one.left > 0.0:
            _look_at_ladder(rules, one, row, seed, time, price, done, breach, column)
        if _next_due(one) > time:
            return


# Between instants


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


@block
def follow_piece(rules, one, row, breach, column, seed, piece, start, stop, x, end, variance, exponent):
    """Walk a path through a piece of its diffusion from `x` at `start` to `end` at `stop`, from event to event.

    exponent: the piece's share of chance, as the block drew it: used while nothing has cut the piece.
    """
    time, number, whole = start, np.uint64(0), True
    while one.left > 0.0 and one.events < MOST_EVENTS:
        due, level = _next_due(one), _barrier(rules, one)
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


@implements(follow, EscalationRules)
def _follow(rules, book, covariance, lanes, assets, n, bridged, ledger, seed):
    """Follow the first n lanes through their segments, or look at them at its end where that is an instant."""
    before, after, local = assets[0].before, assets[0].after, volatility(covariance, assets[0])
    factor = np.float64(covariance.factor[0, 0])
    for j in range(n):
        row = _row_of(rules, lanes, j)
        one, start, stop = rules.state[row], lanes.start[j], lanes.stop[j]
        column = one.path - ledger.offset
        if bridged:
            deviation, piece = factor * np.float64(at(local, j)), np.uint64(lanes.step[j]) + lanes.jumps[j]
            if rules.opens_in_breach and one.events == 0:
                look_at(rules, one, row, ledger.breach, column, seed, 0.0, 0.0)
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
            if rules.opens_in_breach and one.events == 0:
                look_at(rules, one, row, ledger.breach, column, seed, 0.0, 0.0)
            look_at(rules, one, row, ledger.breach, column, seed, stop, np.float64(after[j]))
        lanes.tier[j], lanes.due[j], lanes.level[j] = one.tier, _next_due(one), _barrier(rules, one)


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


@point
def open_path(rules, one, path):
    """Set the state of a path to time 0, where it is not zero."""
    one.path, one.cash, one.left = path, rules.fixed, 1.0
    one.call, one.waiting = _NONE, _NONE
    one.look = one.payment_due = one.deadline = one.fill_due = np.inf
    one.first_close_out = one.end_time = np.nan


@implements(finish, EscalationRules)
def _finish(rules, lanes, n):
    """Reckon what the paths come to at the horizon, those to which something happened."""
    for i in range(n):
        row = rules.row[np.int64(lanes.path[i]) - rules.offset]
        if row < 0:
            continue
        one = rules.state[row]
        equity = _equity(rules, one, lanes.relative_price[i])
        if one.left > 0.0 and one.waiting != _NONE:
            _settle(one, CLOSE_OUT_PENDING, one.begun)
        elif one.call != _NONE:
            _settle(one, CALL_OPEN, one.made)
        one.closing_equity = equity
        lanes.loss[i] = rules.fixed + rules.value + one.paid_in - equity

"""One instant of a path: payments, deadlines, fills, cooldowns and breaches, in this order.

The rules are those of `kernel.escalation.Escalation`.
"""

from __future__ import annotations

import math

import numpy as np

from kernel._core.jit import point
from kernel._core.noise import CLIENT, words_at
from kernel._core.special import uniform
from kernel.escalation.kernels.position import (
    NONE,
    barrier,
    cancel_call,
    equity_at,
    excess_over,
    sell,
    settle,
    share_to_sell,
)
from kernel.escalation.records import CALL_CURED, CALL_MET, CALL_MISSED, MOST_EVENTS, NOTICED, UNTOUCHED

_TICK = 1e-12  # of a time over a clock's tick


@point
def _end_call(one, end, time):
    """End the open call in one of its ways."""
    one.call = NONE
    settle(one, end, time)


@point
def _pay(rules, one, time, price):
    """Make a payment that is due; tell whether that ends the call."""
    if one.call == NONE or one.payment_due > time:
        return False
    if excess_over(rules, one, rules.calls[one.call].restore, price) >= 0.0:
        one.calls_cured += 1
        _end_call(one, CALL_CURED, time)
        return True
    one.cash += one.payment
    one.paid_in += one.payment
    one.payment_due = np.inf
    if one.payment < one.demand:
        return False
    one.calls_met += 1
    _end_call(one, CALL_MET, time)
    return True


@point
def _end_cure_period(rules, one, row, time, price):
    """Decide about a call whose deadline has come; tell whether that ends it without a close-out."""
    if one.call == NONE or one.deadline > time:
        return False
    tier = one.call
    if excess_over(rules, one, rules.level[tier], price) > 0.0:
        one.calls_cured += 1
        _end_call(one, CALL_CURED, time)
        return True
    one.calls_missed += 1
    _end_call(one, CALL_MISSED, time)
    _begin_close_out(rules, one, row, 2 * tier + 1, time, price)
    return False


@point
def _fill(rules, one, row, time, price):
    """Fill a close-out that is due, or drop it; tell whether one was due."""
    if one.waiting == NONE or one.fill_due > time:
        return False
    k, one.waiting = one.waiting, NONE
    action = rules.close_outs[k]
    recovered = action.recheck and excess_over(rules, one, rules.level[k // 2], price) > 0.0
    share = 0.0 if recovered else share_to_sell(rules, one, action, price)
    if share == 0.0:
        return True
    sell(rules, one, action, share, time, price)
    if action.cooldown > 0.0:
        rules.ready[row, k] = time + action.cooldown
        if k % 2 == 0:
            one.look = min(one.look, time + action.cooldown)
    elif k % 2 == 0:
        rules.ready[row, k] = np.inf  # not before its tier re-arms
    return True


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
    if one.waiting != NONE:
        if k <= one.waiting:
            return
        other = rules.close_outs[one.waiting]
        if due > one.fill_due and share_to_sell(rules, one, action, price) <= share_to_sell(rules, one, other, price):
            return
    if one.call != NONE and one.call < k // 2:
        cancel_call(one)
    one.waiting, one.fill_due, one.begun = k, due, time
    if one.end == UNTOUCHED:
        settle(one, NOTICED, time)


@point
def _make_call(rules, one, tier, seed, time, price):
    """Make a call, unless one stands that is as deep, or a deeper close-out is under way."""
    action = rules.calls[tier]
    if one.call >= tier or one.waiting > 2 * tier:
        return
    demand = -excess_over(rules, one, action.restore, price)
    if demand < action.minimum_transfer:
        return
    cancel_call(one)
    cost = min(action.cost, max(0.0, equity_at(rules, one, price)))
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
        settle(one, NOTICED, time)


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
    while breached < rules.level.size and excess_over(rules, one, rules.level[breached], price) <= 0.0:
        breached += 1
    for tier in range(one.tier, breached):
        if breach[tier, column] != breach[tier, column]:
            breach[tier, column] = time
        if rules.notice[tier] and one.end == UNTOUCHED:
            settle(one, NOTICED, time)
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
def next_due(one):
    """Return when something is due next, whatever the price does."""
    if one.left == 0.0:
        return np.inf
    time = one.look
    if one.call != NONE:
        time = min(time, one.payment_due, one.deadline)
    return min(time, one.fill_due) if one.waiting != NONE else time


@point
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
        if next_due(one) > time:
            break
    one.barrier = barrier(rules, one)

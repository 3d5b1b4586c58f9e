"""The account of a path: what it is worth, where its next tier stands, and what a close-out sells."""

from __future__ import annotations

import math

import numpy as np

from kernel._core.jit import point
from kernel._core.special import log
from kernel.escalation.records import CLOSED, CLOSED_IN_DEBT, REDUCED

NONE = -1
_ROUNDING = 1e-10  # of the size of what is compared: a metric this near a level stands at it
_CUBIC = 27.0 / 4.0
_TICK = 1e-12  # of a time over a clock's tick


@point
def equity_at(rules, one, price):
    """Return cash and the value of what is held, at a price over the opening price."""
    return one.cash + one.left * rules.value * price


@point
def notional_at(rules, one, price):
    """Return the gross value of what is held."""
    return one.left * abs(rules.value) * price


@point
def required_at(rules, one, price):
    """Return what the metric is a multiple of: the maintenance margin, or the opening equity."""
    return rules.base + one.left * rules.requirement * price


@point
def excess_over(rules, one, level, price):
    """Return by how much the equity is above a level of the metric: 0 where rounding alone tells them apart."""
    required = required_at(rules, one, price)
    excess = equity_at(rules, one, price) - level * required
    size = abs(one.cash) + notional_at(rules, one, price) + abs(level) * abs(required)
    return 0.0 if abs(excess) <= _ROUNDING * size else excess


@point
def barrier(rules, one):
    """Return the log price, times side, at which the next armed tier breaches: infinite for none, and for any price."""
    if one.tier >= rules.level.size or one.left == 0.0:
        return -np.inf
    level = rules.level[one.tier]
    weight = one.left * abs(rules.value - level * rules.requirement)
    fixed = rules.side * (one.cash - level * rules.base)
    if rules.side > 0.0:
        return log(-fixed / weight) if fixed < 0.0 else -np.inf
    return -log(-fixed / weight) if fixed < 0.0 else np.inf


@point
def settle(one, end, time):
    """Note how the path stands since a time."""
    one.end, one.end_time = end, time


@point
def cancel_call(one):
    """Cancel the open call, if there is one."""
    if one.call != NONE:
        one.call = NONE
        one.calls_cancelled += 1


@point
def share_to_sell(rules, one, action, price):
    """Return the share that a close-out sells at a price; see `kernel.escalation.fill.share_to_sell`."""
    share, notional = action.share, notional_at(rules, one, price)
    if action.restore == action.restore:
        if excess_over(rules, one, action.restore, price) >= 0.0:
            return 0.0
        target = action.restore * required_at(rules, one, price)
        share = _least_share(action, target, target - equity_at(rules, one, price), notional)
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


@point
def sell(rules, one, action, share, time, price):
    """Sell a share of what is held: slippage always, fee and cost out of the equity that is left."""
    sold, before = share * notional_at(rules, one, price), equity_at(rules, one, price)
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
        settle(one, REDUCED, time)
        return
    one.cash, one.left = before - lost, 0.0
    if action.to_venue and one.cash > 0.0:
        one.fees += one.cash
        one.cash = 0.0
    cancel_call(one)
    one.waiting = NONE
    settle(one, CLOSED_IN_DEBT if one.cash < 0.0 else CLOSED, time)


@point
def open_path(rules, one, path):
    """Set the state of a path to time 0, where it is not zero."""
    one.path, one.cash, one.left = path, rules.fixed, 1.0
    one.call, one.waiting = NONE, NONE
    one.look = one.payment_due = one.deadline = one.fill_due = np.inf
    one.first_close_out = one.end_time = np.nan
    one.barrier = barrier(rules, one)

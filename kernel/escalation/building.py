"""From what people state of an escalation to what the kernels run."""

from __future__ import annotations

import math

import numpy as np

from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import CurvedOpening, Opening
from kernel.errors import Problems
from kernel.escalation.call import Call
from kernel.escalation.close_out import CloseOut
from kernel.escalation.escalation import Escalation
from kernel.escalation.kernels import process  # noqa: F401 - registers what the rules do
from kernel.escalation.records import CALL, CLOSE_OUT, STATE, EscalationRules


def check_account(problems: Problems, opening: Opening, ladder: Ladder) -> None:
    """Note accounts whose actions are not simulated: those on several assets, and those that are not linear."""
    if isinstance(opening, CurvedOpening):
        problems.add("escalation", "needs linear positions under a flat rate: with others breaches are noted alone")
    elif opening.value.size > 1:
        problems.add("escalation", f"needs positions on one asset, not on {opening.value.size}")
    elif ladder.metric == "margin_ratio" and opening.value[0] > 0:
        most = float(opening.value[0] / opening.requirement[0])
        for name, level in ladder.tiers.items():
            if level >= most:
                message = f"must be below {most:g}, the metric of positions without debt, for its actions"
                problems.add(f"ladder.tiers.{name}", f"{message}, not {level:g}")


def rules_of(escalation: Escalation, ladder: Ladder, opening: Opening) -> EscalationRules:
    """Return the rules for a linear account on one asset, without room for the states of paths."""
    base, requirement = opening.denominator(ladder)
    tiers = escalation.on(ladder)
    calls, close_outs = np.zeros(len(tiers), CALL), np.zeros(2 * len(tiers), CLOSE_OUT)
    answers = max((len(tier.call.client.probabilities) for tier in tiers if tier.call is not None), default=1)
    meets = np.zeros((len(tiers), answers))
    for k, tier in enumerate(tiers):
        if tier.call is not None:
            calls[k] = _call(tier.call)
            meets[k] = [tier.call.client.probability(number) for number in range(answers)]
        for place, action in ((2 * k, tier.close_out), (2 * k + 1, tier.unmet)):
            if action is not None:
                close_outs[place] = _close_out(action)
    return EscalationRules(
        fixed=float(opening.fixed),
        value=float(opening.value[0]),
        requirement=float(requirement[0]),
        base=float(base),
        side=1.0 if opening.value[0] > 0 else -1.0,
        opens_in_breach=opening.breached(ladder) > 0,
        level=ladder.levels.astype(np.float64),
        notice=np.array([tier.notice for tier in tiers]),
        calls=calls,
        close_outs=close_outs,
        meets=meets,
        row=np.zeros(0, np.int32),
        rows=np.zeros(1, np.int64),
        state=np.zeros(0, STATE),
        ready=np.zeros((0, 2 * len(tiers))),
        offset=0,
    )


def _call(call: Call) -> tuple[object, ...]:
    client = call.client
    times = float(call.cure_period), float(client.delay)
    return True, call.restore, *times, client.share, client.capacity, call.minimum_transfer, call.cost


def _close_out(action: CloseOut) -> tuple[object, ...]:
    restore = math.nan if action.restore is None else action.restore
    share = 1.0 if action.share is None else action.share
    impact = 0.0 if action.impact is None else float(action.impact.rate(1.0))  # of a sale of one unit of currency
    flags = True, action.recheck, action.remainder == "venue"
    rates = action.fee, action.slippage, action.cost_share, impact, action.cost
    clock = 0.0 if action.batch is None else float(action.batch)
    return *flags, restore, share, float(action.latency), *rates, float(action.cooldown), clock, action.minimum

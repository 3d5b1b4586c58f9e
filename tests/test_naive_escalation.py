"""The naive escalation, rule by rule, against numbers reckoned by hand.

The account holds 10 units against a debt of 700, under a rate of 10%: at a price p its equity is 10 p - 700, its
requirement p, its margin ratio 10 - 700 / p: 3 at 100, 2 at 87.5, 1.25 at 80, 0 at 70. Years are called hours here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kernel
from kernel import Call, Client, CloseOut, Escalation, Ladder, Notice, SquareRootImpact
from kernel.errors import InvalidInput
from tests import naive_escalation as naive
from tests.naive_escalation import ENDS, Account, Curve, Grid, Outcome, run

HELD = Account(cash=-700.0, quantity=10.0, maintenance_rate=0.1)
LADDER = Ladder({"warning": 2.5, "call": 2.0, "liquidation": 1.0})
ALWAYS, NEVER = Client(meets=1.0), Client(meets=0.0)
WARNS, CALLS, LIQUIDATES = 700 / 7.5, 87.5, 700 / 9  # prices of the breaches
FALL = Curve(1.0, (0.0, 100.0, -0.3))  # to 74.08


def constant(*prices: float, horizon: float = 10.0) -> Curve:
    """Return a path that jumps to each of the prices, an hour apart."""
    return Curve(horizon, *((float(hour), price, 0.0) for hour, price in enumerate(prices)))


def walked(path: naive.Path, actions: Any, account: Account = HELD, ladder: Ladder = LADDER, **given: Any) -> Outcome:
    """Run a path of which every client that may pays, unless uniforms are given."""
    return run(path, account, ladder, Escalation(actions), given.get("uniforms", [0.5] * 20_000))


def ended(outcome: Outcome) -> tuple[str, float]:
    """Return the end by name, and its time."""
    return ENDS[outcome.end], outcome.end_time


def kinds(outcome: Outcome, *wanted: str) -> list[tuple[str, float]]:
    """Return events, or those that are wanted, with their times."""
    return [(one.kind, one.time) for one in outcome.events if not wanted or one.kind in wanted]


def call(restore: float = 3.0, cure_period: float = 2.0, client: Client = ALWAYS, **more: Any) -> Call:
    """Return a call whose close-out, if it is missed, sells all."""
    return Call(restore, cure_period, client, **{"unmet": CloseOut(), **more})


# --- notices


def test_a_notice_is_recorded_and_nothing_else() -> None:
    """Breaches have their exact times, and the money is that of an account left alone."""
    outcome = walked(FALL, {"warning": Notice()})
    assert outcome.breach_time == pytest.approx([math.log(100 / p) / 0.3 for p in (WARNS, CALLS, LIQUIDATES)])
    assert ended(outcome) == ("noticed", pytest.approx(math.log(100 / WARNS) / 0.3))
    assert outcome.closing_equity == pytest.approx(1_000 * math.exp(-0.3) - 700)
    assert outcome.loss == pytest.approx(1_000 - 1_000 * math.exp(-0.3))
    assert (outcome.calls_made, outcome.liquidated_share, outcome.paid_in) == (0, 0, 0)


def test_a_breach_without_an_action_leaves_a_path_untouched() -> None:
    """A tier that does nothing has its breach time, and no end."""
    outcome = walked(FALL, {"liquidation": Notice()}, ladder=Ladder({"call": 2.0, "liquidation": 0.0}))
    assert outcome.breach_time[0] == pytest.approx(math.log(100 / CALLS) / 0.3)
    assert ended(outcome) == ("untouched", pytest.approx(math.nan, nan_ok=True))


# --- calls that are paid


def test_calls_paid_at_once_are_a_geometric_ladder_of_prices() -> None:
    """Each payment makes the next call come at 7/8 of the price: 87.5, 76.5625, 66.99; each demands that price."""
    outcome = walked(Curve(1.0, (0.0, 100.0, -0.45)), {"call": call()})
    prices = [87.5, 87.5 * 0.875, 87.5 * 0.875**2]
    made = [one for one in outcome.events if one.kind == "call"]
    assert [one.price for one in made] == pytest.approx(prices)
    assert [one.amount for one in made] == pytest.approx(prices)
    assert [one.time for one in made] == pytest.approx([math.log(100 / p) / 0.45 for p in prices])
    assert (outcome.calls_made, outcome.calls_met, outcome.paid_in) == (3, 3, pytest.approx(sum(prices)))
    assert ended(outcome) == ("call met", pytest.approx(math.log(100 / prices[-1]) / 0.45))


def test_only_the_first_breach_of_a_tier_has_its_time() -> None:
    """The second call breaches the same tier, whose time stays that of the first."""
    outcome = walked(Curve(1.0, (0.0, 100.0, -0.45)), {"call": call()})
    assert outcome.breach_time[1] == pytest.approx(math.log(100 / 87.5) / 0.45)


def test_a_payment_comes_after_its_delay() -> None:
    """The demand is of the breach's prices, the payment an hour later, whatever the price is then."""
    outcome = walked(constant(100, 87.5, 84), {"call": call(client=Client(1.0, delay=1.0))})
    assert kinds(outcome) == [("call", 1.0), ("payment", 2.0), ("met", 2.0)]
    assert outcome.paid_in == 87.5


def test_a_call_that_the_market_has_met_is_not_paid() -> None:
    """The metric stands at `restore` when the payment is due: cured, and the tier re-arms for a second call."""
    client = Client(1.0, delay=1.0)
    outcome = walked(constant(100, 87.5, 100, 87.5, 87.5), {"call": call(client=client)})
    assert kinds(outcome) == [("call", 1), ("cured", 2), ("call", 3), ("payment", 4), ("met", 4)]
    assert (outcome.calls_cured, outcome.calls_met, outcome.paid_in) == (1, 1, 87.5)


def test_a_call_above_its_level_but_below_restore_is_paid() -> None:
    """At 95 the metric is 2.63: above the tier's level, not yet at `restore`: the payment is made."""
    outcome = walked(constant(100, 87.5, 95), {"call": call(client=Client(1.0, delay=1.0))})
    assert (outcome.calls_met, outcome.paid_in) == (1, 87.5)


def test_a_part_payment_is_credited_and_the_deadline_decides() -> None:
    """Half of 87.5 takes the metric to 2.5: cured at the deadline; at 84 it is 2.19, at 80 1.80: missed."""
    half = call(client=Client(1.0, share=0.5), unmet=CloseOut(share=0.5))
    for price, how in ((87.5, "cured"), (84.0, "cured"), (80.0, "missed")):
        outcome = walked(constant(100, 87.5, price), {"call": half})
        assert kinds(outcome)[:3] == [("call", 1), ("payment", 1), (how, 3)]
        assert outcome.paid_in >= 43.75


def test_a_demand_is_met_only_in_full() -> None:
    """A capacity of 100 pays the first call and 12.5 of the second, which the deadline finds cured, at 2.16."""
    client = Client(1.0, capacity=100.0)
    outcome = walked(constant(100, 87.5, 76.5625), {"call": call(client=client)})
    assert kinds(outcome)[:5] == [("call", 1), ("payment", 1), ("met", 1), ("call", 2), ("payment", 2)]
    assert (outcome.calls_met, outcome.calls_cured, outcome.paid_in) == (1, 1, 100.0)


def test_a_client_without_capacity_pays_nothing() -> None:
    """Nothing is due then, so that a recovery to `restore` is seen at the deadline only."""
    outcome = walked(constant(100, 87.5, 100), {"call": call(client=Client(1.0, capacity=0.0, delay=0.5))})
    assert kinds(outcome) == [("call", 1), ("cured", 3)]


def test_a_delay_as_long_as_the_cure_period_is_in_time_and_a_longer_one_is_not() -> None:
    """Two hours of two are in time; two and a bit are not, and the deadline decides."""
    in_time = walked(constant(100, 87.5), {"call": call(client=Client(1.0, delay=2.0))})
    late = walked(constant(100, 87.5), {"call": call(client=Client(1.0, delay=2.01))})
    recovered = walked(constant(100, 87.5, 90), {"call": call(client=Client(1.0, delay=2.01))})
    assert (in_time.calls_met, late.calls_met, late.calls_missed) == (1, 0, 1)
    assert (recovered.calls_cured, recovered.paid_in, late.paid_in) == (1, 0, 0)


def test_the_client_answers_each_call_with_its_own_probability() -> None:
    """Uniforms below 0.9, 0.5, 0.5 ... pay; the last probability stands for all later calls."""
    actions = {"call": call(3.0, 0.5, Client(meets=[0.9, 0.5]), unmet=CloseOut(share=0.01))}
    path = constant(100, 87.5, 100, 85, 100, 70, 100, 60, horizon=8)
    for uniforms, ends in (
        ([0.95, 0.4, 0.6, 0.4], ["missed", "met", "missed", "met"]),
        ([0.89, 0.6, 0.49, 0.5], ["met", "missed", "met", "missed"]),
    ):
        outcome = walked(path, actions, uniforms=[*uniforms, 0.0, 0.0, 0.0])
        assert [one.kind for one in outcome.events if one.kind in {"met", "missed"}][:4] == ends


def test_the_demand_of_an_equity_fraction_is_of_the_opening_equity() -> None:
    """At 0.5 of an opening 300 it demands 0.8 x 300 - 150 = 90; half of what is held sold moves no metric."""
    ladder = Ladder({"call": 0.5}, metric="equity_fraction")
    outcome = walked(constant(100, 85), {"call": call(0.8, client=Client(1.0, delay=1.0))}, ladder=ladder)
    assert (outcome.paid_in, outcome.breach_time[0]) == (90.0, 1.0)
    fall = walked(FALL, {"call": [CloseOut(share=0.5), Notice()]}, ladder=ladder)
    assert fall.breach_time[0] == pytest.approx(math.log(100 / 85) / 0.3)
    assert fall.liquidated_share == 0.5


def test_a_short_account_breaches_upwards() -> None:
    """Short 10 with 1,300: 2 at 1300 / 12; a call restores 3."""
    short = Account(cash=1_300.0, quantity=-10.0, maintenance_rate=0.1)
    outcome = walked(Curve(1.0, (0.0, 100.0, 0.2)), {"call": call()}, account=short)
    breach = 1_300 / 12
    assert outcome.breach_time[1] == pytest.approx(math.log(breach / 100) / 0.2)
    assert outcome.events[0].amount == pytest.approx(3 * breach - (1_300 - 10 * breach))


def test_a_demand_below_the_minimum_transfer_is_not_made() -> None:
    """87.5 is demanded at 87.5, or nothing; when the ladder is read afresh the demand may have grown."""
    assert walked(constant(100, 87.5), {"call": call(minimum_transfer=87.5)}).calls_met == 1
    small = walked(constant(100, 87.5, 80), {"call": call(minimum_transfer=87.6, cost=1.0)})
    assert (small.calls_made, small.costs, ended(small)[0]) == (0, 0, "untouched")
    actions = {"call": call(minimum_transfer=100), "warning": CloseOut(share=0.1, latency=2.0)}
    assert kinds(walked(constant(100, 93, 87.5, 80), actions), "call") == [("call", 3)]


def test_the_cost_of_a_call_is_part_of_the_demand() -> None:
    """5 is paid first, the demand is 92.5, and the metric stands at 3 after it."""
    outcome = walked(constant(100, 87.5), {"call": call(cost=5.0)})
    assert (outcome.costs, outcome.paid_in, outcome.closing_equity) == (5.0, 92.5, 262.5)


def test_the_cost_of_a_call_is_paid_out_of_what_is_left() -> None:
    """At 70.2 the equity is 2: of a cost of 5 that is paid; at 65 nothing is."""
    for price, paid in ((70.2, 2.0), (65.0, 0.0)):
        outcome = walked(constant(100, price), {"call": call(cost=5.0, client=Client(1.0, delay=3.0))})
        assert outcome.costs == pytest.approx(paid)


# --- calls that are not paid


def test_a_call_that_nobody_meets_is_missed_where_the_price_stands_at_the_breach() -> None:
    """At the deadline the metric at the level itself is not above it."""
    for price, how in ((87.5, "missed"), (87.6, "cured"), (87.4, "missed")):
        outcome = walked(constant(100, 87.5, price), {"call": call(client=NEVER)})
        assert kinds(outcome)[:2] == [("call", 1), (how, 3)]


def test_a_missed_call_leads_to_its_close_out() -> None:
    """At 87.5 it sells (218.75 - 175) / (218.75 - 3.5) of all for a fee of 0.4%."""
    unmet = CloseOut(restore=2.5, fee=0.004)
    outcome = walked(constant(100, 87.5), {"call": call(client=NEVER, unmet=unmet)})
    share = 43.75 / 215.25
    assert kinds(outcome) == [("call", 1), ("missed", 3), ("begun", 3), ("close-out", 3)]
    assert outcome.liquidated_share == pytest.approx(share)
    assert outcome.fees == pytest.approx(0.004 * 875 * share)
    assert outcome.closing_equity / ((1 - share) * 87.5) == pytest.approx(2.5)
    assert ended(outcome) == ("reduced", 3)


def test_a_missed_call_leads_to_the_deepest_close_out_by_default() -> None:
    """Without an `unmet` the liquidation's is done, here with its latency."""
    actions = {"call": Call(3.0, 2.0, NEVER), "liquidation": CloseOut(latency=1.0)}
    outcome = walked(constant(100, 87.5), actions)
    assert kinds(outcome) == [("call", 1), ("missed", 3), ("begun", 3), ("close-out", 4)]
    assert (ended(outcome), outcome.closing_equity) == (("closed", 4), 175)


def test_a_missed_call_whose_close_out_is_dropped_stays_missed() -> None:
    """The price has recovered by the fill, which is checked again."""
    unmet = CloseOut(latency=1.0, recheck=True)
    outcome = walked(constant(100, 87.5, 87.5, 87.5, 100), {"call": call(client=NEVER, unmet=unmet)})
    assert kinds(outcome, "close-out", "dropped") == [("dropped", 4)]
    assert (ended(outcome), outcome.calls_missed) == (("call missed", 3), 1)


def test_no_cure_period_is_a_close_out_at_the_breach() -> None:
    """What is not paid at once is missed at once."""
    outcome = walked(FALL, {"call": call(3.0, 0.0, NEVER)})
    assert (ended(outcome)[0], outcome.closing_equity) == ("closed", pytest.approx(175))


def test_a_deeper_action_cancels_the_call() -> None:
    """The payment that was to come two hours after the call is not made; a notice cancels nothing."""
    slow = call(client=Client(1.0, delay=2.0))
    outcome = walked(constant(100, 87.5, 77), {"call": slow, "liquidation": CloseOut(latency=0.5)})
    assert kinds(outcome)[:4] == [("call", 1), ("cancelled", 2), ("begun", 2), ("close-out", 2.5)]
    assert (outcome.paid_in, outcome.calls_cancelled) == (0, 1)
    noticed = walked(constant(100, 87.5, 77), {"call": slow, "liquidation": Notice()})
    assert (noticed.calls_met, noticed.calls_cancelled) == (1, 0)


def test_a_deeper_call_cancels_a_call() -> None:
    """Each call is a demand of its own, and one is open at a time."""
    actions = {"call": call(3.0, 5.0, NEVER), "liquidation": call(2.5, 5.0, NEVER)}
    outcome = walked(constant(100, 87.5, 77, horizon=4), actions)
    assert kinds(outcome) == [("call", 1), ("cancelled", 2), ("call", 2)]
    assert (outcome.calls_cancelled, outcome.calls_open, ended(outcome)) == (1, 1, ("call open", 2))


# --- close-outs: how much


def test_a_close_out_restores_the_metric_after_its_own_costs() -> None:
    """At 77 the metric is 0.91: with slippage, fee, a share and a flat cost it stands at 1.5 after the fill."""
    action = CloseOut(restore=1.5, fee=0.006, slippage=0.002, cost=1.0, cost_share=0.001)
    outcome = walked(constant(100, 77), {"liquidation": action})
    share = (1.5 * 77 - 70 + 1) / (1.5 * 77 - 0.009 * 770)
    assert outcome.liquidated_share == pytest.approx(share)
    assert outcome.closing_equity / ((1 - share) * 77) == pytest.approx(1.5)
    assert (outcome.slippage, outcome.fees) == (pytest.approx(1.54 * share), pytest.approx(4.62 * share))
    assert outcome.costs == pytest.approx(1 + 0.77 * share)


def test_impact_is_part_of_the_costs() -> None:
    """The metric stands at `restore` with slippage that grows with the root of what is sold."""
    impact = SquareRootImpact(coefficient=1.0, daily_volume=1_000.0, daily_volatility=0.02)
    outcome = walked(constant(100, 77), {"liquidation": CloseOut(restore=1.5, impact=impact)})
    sold = outcome.liquidated_share * 770
    assert outcome.slippage == pytest.approx(0.02 * math.sqrt(sold / 1_000) * sold)
    assert outcome.closing_equity / ((1 - outcome.liquidated_share) * 77) == pytest.approx(1.5)


def test_all_is_sold_where_no_share_restores() -> None:
    """A fee of 20% exceeds 1.5 x 10%: selling lowers the metric, and all is sold; so it is without equity."""
    assert walked(constant(100, 77), {"liquidation": CloseOut(restore=1.5, fee=0.2)}).liquidated_share == 1
    assert walked(constant(100, 69), {"liquidation": CloseOut(restore=1.5)}).liquidated_share == 1


def test_nothing_is_sold_where_the_metric_stands_at_restore() -> None:
    """The price has recovered by the fill: that is no close-out, checked again or not."""
    outcome = walked(constant(100, 77, 100), {"liquidation": CloseOut(restore=1.5, latency=1.0)})
    assert (outcome.liquidated_share, ended(outcome)) == (0, ("noticed", 1))
    assert math.isnan(outcome.first_close_out)


def test_what_recheck_drops() -> None:
    """At 85 the metric is 1.76, above the liquidation's level: with a recheck nothing is sold, without it all is."""
    for recheck, sold in ((True, 0), (False, 1)):
        action = CloseOut(latency=1.0, recheck=recheck)
        assert walked(constant(100, 77, 85), {"liquidation": action}).liquidated_share == sold


def test_a_small_rest_is_sold_as_well() -> None:
    """Half of 770 is left, or nothing where less than 386 may not be."""
    for minimum, sold in ((385, 0.5), (386, 1.0)):
        action = CloseOut(share=0.5, minimum=minimum)
        assert walked(constant(100, 77), {"liquidation": action}).liquidated_share == sold


def test_what_a_whole_close_out_leaves_is_the_clients_or_the_venues() -> None:
    """At 77 it is 70 less a fee of 7.7."""
    for remainder, closing, fees in (("client", 62.3, 7.7), ("venue", 0.0, 70.0)):
        outcome = walked(constant(100, 77), {"liquidation": CloseOut(fee=0.01, remainder=remainder)})
        assert (outcome.closing_equity, outcome.fees) == (pytest.approx(closing), pytest.approx(fees))
        assert ended(outcome) == ("closed", 1)
    part = walked(constant(100, 77), {"liquidation": CloseOut(share=0.5, remainder="venue")})
    assert (part.closing_equity, part.fees) == (70, 0)


def test_the_rest_of_an_account_in_debt_goes_to_nobody() -> None:
    """At 65 it owes 50, whoever were to have the rest."""
    outcome = walked(constant(100, 65), {"liquidation": CloseOut(remainder="venue")})
    assert (outcome.bad_debt, outcome.closing_equity, ended(outcome)) == (50, -50, ("closed in debt", 1))


def test_slippage_is_always_paid_and_the_rest_out_of_what_is_left() -> None:
    """Of 70 slippage takes 7.7, a fee of 5% 38.5, and 23.8 is left of a cost of 30; at 69 only slippage is paid."""
    action = CloseOut(fee=0.05, slippage=0.01, cost=30.0)
    outcome = walked(constant(100, 77), {"liquidation": action})
    assert (outcome.slippage, outcome.fees, outcome.costs) == pytest.approx((7.7, 38.5, 23.8))
    assert (outcome.closing_equity, outcome.bad_debt) == (0, 0)
    outcome = walked(constant(100, 69), {"liquidation": action})
    assert (outcome.slippage, outcome.fees, outcome.costs) == (pytest.approx(6.9), 0, 0)
    assert (outcome.bad_debt, outcome.shortfall) == (pytest.approx(16.9), 0)


def test_the_loss_is_before_anybody_forgives_it() -> None:
    """It is opening equity + paid in - closing equity, also of an account in debt."""
    actions = {"call": call(), "liquidation": CloseOut()}
    outcome = walked(constant(100, 87.5, 60), actions)
    assert (outcome.closing_equity, outcome.loss) == (-12.5, 300 + 87.5 + 12.5)


def test_what_an_account_owes_that_is_not_closed_is_a_shortfall() -> None:
    """At 65 it owes 50 at the horizon, nobody having sold it."""
    outcome = walked(constant(100, 65), {"liquidation": Notice()})
    assert (outcome.bad_debt, outcome.shortfall) == (0, 50)


# --- close-outs: when


def test_a_close_out_is_filled_after_its_latency_at_the_prices_of_then() -> None:
    """It begins at the exact breach, and sells what restores 1.5 at the price half an hour later."""
    outcome = walked(Curve(2.0, (0.0, 100.0, -0.3)), {"liquidation": CloseOut(restore=1.5, latency=0.1)})
    begun = math.log(100 / LIQUIDATES) / 0.3
    price = 100 * math.exp(-0.3 * (begun + 0.1))
    assert kinds(outcome)[:2] == [("begun", pytest.approx(begun)), ("close-out", pytest.approx(begun + 0.1))]
    share = (1.5 * price - (10 * price - 700)) / (1.5 * price)
    assert outcome.events[1].amount == pytest.approx(share * 10 * price)
    assert outcome.first_close_out == pytest.approx(begun + 0.1)


def test_batches_fill_at_the_next_tick() -> None:
    """Ticks are multiples since the opening; a fill that is due at a tick takes it, rounding or not."""
    for latency, batch, filled in ((0.0, 0.75, 1.5), (0.5, 0.75, 1.5), (0.6, 0.75, 2.25), (0.05, 0.15, 1.05)):
        action = CloseOut(latency=latency, batch=batch)
        outcome = walked(constant(100, 77), {"liquidation": action})
        assert outcome.first_close_out == pytest.approx(filled, rel=1e-12)


def test_a_close_out_acts_again_after_its_cooldown() -> None:
    """At 70.5 (0.071) it sells a tenth, and again an hour after each fill, until the price has recovered."""
    action = CloseOut(share=0.1, cooldown=1.0, latency=0.25)
    outcome = walked(constant(100, 70.5, 70.5, 70.5, 70.5, 100), {"liquidation": action})
    assert kinds(outcome, "close-out") == [("close-out", time) for time in (1.25, 2.5, 3.75, 5)]
    assert kinds(outcome, "begun") == [("begun", time) for time in (1, 2.25, 3.5, 4.75)]
    assert outcome.liquidated_share == pytest.approx(1 - 0.9**4)


def test_a_close_out_without_a_cooldown_acts_once_until_its_tier_re_arms() -> None:
    """The metric stays below: it does not act again. A call met at a tier above re-arms it."""
    outcome = walked(constant(100, 70.5, 70.4, 100, 70.3), {"liquidation": CloseOut(share=0.1)})
    assert kinds(outcome, "close-out") == [("close-out", 1)]
    actions = {"liquidation": CloseOut(share=0.1), "call": call()}
    outcome = walked(constant(100, 70.5, 54), actions)
    assert kinds(outcome, "close-out", "met") == [("close-out", 1), ("met", 1), ("close-out", 2), ("met", 2)]


def test_a_breach_within_the_cooldown_acts_when_it_ends() -> None:
    """Sold at 1, the tier breaches again at 2; its cooldown ends at 3.5: it acts then, if still breached."""
    action = CloseOut(restore=1.5, cooldown=2.5)
    outcome = walked(constant(100, 77, 70, 70), {"liquidation": action})
    assert kinds(outcome, "close-out")[1:] == [("close-out", 3.5)]
    outcome = walked(constant(100, 77, 72, 85, 70), {"liquidation": action})
    assert kinds(outcome, "close-out")[1:] == [("close-out", 4)]


def test_the_close_out_of_a_missed_call_waits_for_its_cooldown() -> None:
    """A call is missed every hour; what it leads to begins two hours after it was done."""
    unmet = CloseOut(share=0.1, cooldown=2.0)
    outcome = walked(constant(100, 77, horizon=6), {"call": call(3.0, 1.0, NEVER, unmet=unmet)})
    assert kinds(outcome) == [
        ("call", 1),
        ("missed", 2),
        ("begun", 2),
        ("close-out", 2),
        ("call", 2),
        ("missed", 3),
        ("begun", 3),
        ("close-out", 4),
        ("call", 4),
        ("missed", 5),
        ("begun", 5),
        ("close-out", 6),
        ("call", 6),
    ]


def test_one_close_out_waits_and_a_deeper_one_replaces_it() -> None:
    """The liquidation sells more than the tenth that waits: it takes its place, though it is filled later."""
    tenth = CloseOut(share=0.1, latency=2.0)
    path = constant(100, 87.5, 77, horizon=6)
    outcome = walked(path, {"call": tenth, "liquidation": CloseOut(share=0.5, latency=3.0)})
    assert kinds(outcome, "close-out") == [("close-out", 5)]
    assert outcome.liquidated_share == 0.5


def test_a_deeper_close_out_that_is_later_and_sells_no_more_does_not_replace() -> None:
    """It is not done; when the other is, the ladder is read afresh, and it begins."""
    tenth = CloseOut(share=0.1, latency=2.0)
    path = constant(100, 87.5, 70.5)
    outcome = walked(path, {"call": tenth, "liquidation": CloseOut(share=0.1, latency=1.5)})
    assert kinds(outcome)[:4] == [("begun", 1), ("close-out", 3), ("begun", 3), ("close-out", 4.5)]
    earlier = walked(path, {"call": tenth, "liquidation": CloseOut(share=0.1, latency=0.5)})
    assert kinds(earlier, "close-out") == [("close-out", 2.5), ("close-out", 4.5)]


def test_a_shallower_close_out_does_not_replace_a_deeper_one() -> None:
    """The unmet of a call is deeper than its own tier's close-out, and shallower than the liquidation."""
    both = [CloseOut(share=0.1, latency=5.0), call(3.0, 1.0, NEVER, unmet=CloseOut(share=0.2, latency=3.0))]
    outcome = walked(constant(100, 87.5), {"call": both})
    assert kinds(outcome)[:4] == [("begun", 1), ("call", 1), ("missed", 2), ("begun", 2)]
    assert kinds(outcome, "close-out")[0] == ("close-out", 5)
    actions = {"warning": CloseOut(share=0.1), "liquidation": CloseOut(latency=1.0)}
    assert walked(constant(100, 77), actions).events[0].tier == 2


def test_an_account_closed_whole_stays_closed() -> None:
    """Nothing is called, sold or breached after it; its open call is cancelled."""
    actions = {"call": [CloseOut(latency=1.0), call(3.0, 5.0, NEVER)], "liquidation": Notice()}
    outcome = walked(constant(100, 87.5, 87.5, 50), actions)
    assert kinds(outcome)[-2:] == [("close-out", 2), ("cancelled", 2)]
    assert (ended(outcome), outcome.closing_equity) == (("closed", 2), 175)
    assert math.isnan(outcome.breach_time[2])


# --- jumps, the opening, one instant


def test_a_jump_acts_once_on_the_deepest_tier() -> None:
    """From 3 to 0.91 all three tiers are breached; the liquidation acts, no call is made before it."""
    actions = {"warning": CloseOut(share=0.1), "call": call(), "liquidation": CloseOut(latency=0.5)}
    outcome = walked(constant(100, 77), actions)
    assert outcome.breach_time.tolist() == [1, 1, 1]
    assert kinds(outcome) == [("begun", 1), ("close-out", 1.5)]


def test_a_jump_passes_notices_by() -> None:
    """The deepest tier only records: the call above it is made; both notices are recorded."""
    outcome = walked(constant(100, 77), {"warning": Notice(), "call": call(), "liquidation": Notice()})
    assert [(one.kind, one.tier) for one in outcome.events[:3]] == [("notice", 0), ("notice", 2), ("call", 1)]


def test_tiers_in_breach_at_the_opening_act_at_time_0() -> None:
    """At 80 (1.25) the call is made at once, the liquidation not."""
    outcome = walked(constant(80), {"call": call(), "liquidation": CloseOut()})
    assert kinds(outcome)[0] == ("call", 0)
    assert outcome.breach_time[:2].tolist() == [0, 0]


def test_the_ladder_is_read_afresh_when_an_action_is_done() -> None:
    """A liquidation that restores 1.5 leaves the account below the call's tier: a call is made anew at once."""
    actions = {"call": call(3.0, 5.0, NEVER), "liquidation": CloseOut(restore=1.5)}
    outcome = walked(constant(100, 87.5, 77), actions)
    assert kinds(outcome)[:5] == [("call", 1), ("cancelled", 2), ("begun", 2), ("close-out", 2), ("call", 2)]


def test_a_call_met_below_its_tier_is_made_anew() -> None:
    """An hour after the call the price is 70: 87.5 takes the metric to 1.25, and 122.5 more is demanded."""
    outcome = walked(constant(100, 87.5, 70), {"call": call(client=Client(1.0, delay=1.0))})
    assert kinds(outcome, "call", "met") == [("call", 1), ("met", 2), ("call", 2), ("met", 3)]
    assert outcome.paid_in == pytest.approx(87.5 + 122.5)


def test_a_fresh_look_makes_no_second_call_and_none_above_a_close_out_that_waits() -> None:
    """The warning's cooldown ends at 3: a call that is open stands; a liquidation that waits is to be filled first."""
    warns = CloseOut(share=0.1, cooldown=2.0)
    actions = {"warning": warns, "call": call(3.0, 5.0, NEVER)}
    assert walked(constant(100, 93, 83, horizon=4), actions).calls_made == 1
    actions = {"warning": warns, "call": call(3.0, 9.0, NEVER), "liquidation": CloseOut(share=0.1, latency=1.5)}
    path = Curve(4.0, (0, 100, 0), (1, 93, 0), (2, 66, 0), (2.5, 75, 0))
    assert kinds(walked(path, actions), "call", "close-out") == [("close-out", 1), ("close-out", 3.5), ("call", 3.5)]


def test_a_missed_call_is_not_made_anew_while_a_close_out_waits() -> None:
    """The warning's half is to be filled at 5, before the tenth that the miss leads to: the next call is then."""
    actions = {
        "warning": CloseOut(share=0.5, latency=4.0),
        "call": call(3.0, 1.0, NEVER, unmet=CloseOut(share=0.1, latency=3.0)),
    }
    outcome = walked(constant(100, 93, 87.5, 77, horizon=5), actions)
    assert kinds(outcome, "call", "missed", "close-out") == [("call", 2), ("missed", 3), ("close-out", 5), ("call", 5)]


def test_no_call_is_made_above_a_close_out_that_cools_down() -> None:
    """The liquidation is at it: the call comes when its cooldown has ended above its level."""
    actions = {"call": call(3.0, 5.0, NEVER), "liquidation": CloseOut(share=0.1, cooldown=1.0)}
    outcome = walked(constant(100, 70.5, 80, horizon=3), actions)
    assert kinds(outcome) == [("begun", 1), ("close-out", 1), ("call", 2)]


def test_at_one_instant_payments_come_before_deadlines_before_fills_before_breaches() -> None:
    """At 3: a payment meets the call before its deadline; the fill then finds the metric restored."""
    both = [CloseOut(restore=2.2, latency=2.0), call(3.0, 2.0, Client(1.0, delay=2.0))]
    outcome = walked(constant(100, 87.5), {"call": both})
    assert kinds(outcome) == [("begun", 1), ("call", 1), ("payment", 3), ("met", 3), ("dropped", 3)]
    unpaid = [CloseOut(restore=2.2, latency=2.0), call(3.0, 2.0, NEVER, unmet=CloseOut())]
    outcome = walked(constant(100, 87.5), {"call": unpaid})
    assert kinds(outcome)[2:] == [("missed", 3), ("begun", 3), ("close-out", 3)]
    assert outcome.liquidated_share == 1
    jumped = walked(constant(100, 87.5, 70.5), {"call": CloseOut(share=0.1, latency=1.0), "liquidation": CloseOut()})
    assert kinds(jumped)[:3] == [("begun", 1), ("close-out", 2), ("begun", 2)]


def test_what_is_due_at_the_horizon_is_done_and_what_is_later_is_not() -> None:
    """A payment, a deadline, a fill at the horizon are done; a moment later they are open or pending."""
    slow = {"call": call(3.0, 3.0, Client(1.0, delay=2.0))}
    assert walked(constant(100, 87.5, horizon=3), slow).calls_met == 1
    early = walked(constant(100, 87.5, horizon=2.9), slow)
    assert (early.calls_open, early.paid_in, ended(early)) == (1, 0, ("call open", 1))
    late = {"liquidation": CloseOut(latency=2.0)}
    assert ended(walked(constant(100, 77, horizon=3), late)) == ("closed", 3)
    pending = walked(constant(100, 77, 65, horizon=2.9), late)
    assert (ended(pending), pending.shortfall, pending.bad_debt) == (("close-out pending", 1), 50, 0)


def test_a_stop_loss_is_a_close_out_at_a_higher_level() -> None:
    """At 2.5 half is sold, which takes the metric to 5 and the call's price down to 70 / 0.8."""
    outcome = walked(FALL, {"warning": CloseOut(share=0.5), "call": Notice()})
    assert kinds(outcome)[0] == ("begun", pytest.approx(math.log(100 / WARNS) / 0.3))
    equity, held = 10 * WARNS - 700, 5 * WARNS
    debt = held - equity
    assert math.isnan(outcome.breach_time[1]) == (debt / (5 * 0.8) < 100 * math.exp(-0.3))


def test_too_many_events_are_an_error() -> None:
    """A call missed at once whose close-out never restores would go on for ever at one instant."""
    actions = {"call": call(3.0, 0.0, NEVER, unmet=CloseOut(share=1e-6))}
    with pytest.raises(naive.TooManyEventsError):
        walked(constant(100, 60), actions)


# --- grids, and anything


def test_a_fine_grid_agrees_with_the_curve() -> None:
    """On a deterministic path the grid's counts are the curve's, and its amounts and times near."""
    actions = {
        "warning": Notice(),
        "call": Call(3.0, 0.2, Client([1.0, 0.0], delay=0.05), unmet=CloseOut(restore=2.5, fee=0.004)),
        "liquidation": CloseOut(restore=1.5, latency=0.01, fee=0.006),
    }
    curve = Curve(1.0, (0.0, 100.0, -0.4), (0.6, 80.0, 0.3), (0.8, 70.0, -0.5))
    times = np.linspace(0.0, 1.0, 100_001)
    grid = Grid(times, np.array([curve.price(time) for time in times]))
    exact, near = walked(curve, actions), walked(grid, actions)
    assert [one.kind for one in exact.events] == [one.kind for one in near.events]
    for name in ("paid_in", "liquidated_share", "fees", "closing_equity", "end_time"):
        assert getattr(near, name) == pytest.approx(getattr(exact, name), rel=1e-3)


DURATIONS = st.sampled_from([0.0, 0.01, 0.1, 0.3])
AMOUNTS = st.sampled_from([0.0, 1.0, 20.0])
RATES = st.sampled_from([0.0, 0.002, 0.05])


@st.composite
def close_outs(draw: st.DrawFn, level: float) -> CloseOut:
    """Draw a close-out of a tier."""
    kind = draw(st.sampled_from(["restore", "share", "all"]))
    impact = SquareRootImpact(1.0, 1_000.0, 0.02) if draw(st.booleans()) else None
    return CloseOut(
        restore=max(level, 0.0) + draw(st.sampled_from([0.2, 1.0])) if kind == "restore" else None,
        share=draw(st.sampled_from([0.1, 0.5, 1.0])) if kind == "share" else None,
        latency=draw(DURATIONS),
        recheck=draw(st.booleans()),
        fee=draw(RATES),
        slippage=draw(RATES),
        impact=impact,
        cooldown=draw(DURATIONS),
        batch=draw(st.sampled_from([None, 0.02, 0.3])),
        minimum=draw(AMOUNTS),
        remainder=draw(st.sampled_from(["client", "venue"])),
        cost=draw(AMOUNTS),
        cost_share=draw(RATES),
    )


@st.composite
def calls(draw: st.DrawFn, level: float) -> Call:
    """Draw a call of a tier."""
    client = Client(
        meets=draw(st.lists(st.sampled_from([0.0, 0.3, 1.0]), min_size=1, max_size=3)),
        delay=draw(DURATIONS),
        share=draw(st.sampled_from([0.5, 1.0])),
        capacity=draw(st.sampled_from([0.0, 50.0, math.inf])),
    )
    return Call(
        restore=level + draw(st.sampled_from([0.3, 1.0])),
        cure_period=draw(DURATIONS),
        client=client,
        unmet=draw(close_outs(level)),
        minimum_transfer=draw(AMOUNTS),
        cost=draw(AMOUNTS),
    )


@st.composite
def escalations(draw: st.DrawFn) -> Escalation:
    """Draw an escalation of the ladder."""
    actions: dict[str, Any] = {}
    for tier, level in LADDER.tiers.items():
        kind = draw(st.sampled_from(["none", "notice", "call", "close-out", "both"]))
        if kind in {"call", "both"}:
            actions.setdefault(tier, []).append(draw(calls(level)))
        if kind in {"close-out", "both"}:
            actions.setdefault(tier, []).append(draw(close_outs(level)))
        if kind in {"notice", "both"}:
            actions.setdefault(tier, []).append(Notice())
    return Escalation(actions or {"call": Notice()})


@st.composite
def paths(draw: st.DrawFn) -> naive.Path:
    """Draw a curve with jumps, or a random walk on a grid."""
    if draw(st.booleans()):
        starts = sorted(draw(st.sets(st.floats(0.01, 0.99), max_size=5)))
        return Curve(1.0, *((s, draw(st.floats(40, 140)), draw(st.floats(-2, 2))) for s in [0.0, *starts]))
    noise = np.random.default_rng(draw(st.integers(0, 2**32))).standard_normal(300)
    prices = 100 * np.exp(draw(st.floats(0.1, 1.0)) / math.sqrt(300) * np.cumsum([0.0, *noise]))
    return Grid(np.linspace(0.0, 1.0, 301), prices)


HELDS = st.sampled_from([HELD, Account(1_300.0, -10.0, 0.1)])


@settings(max_examples=400, deadline=None)
@given(escalations(), paths(), HELDS, st.lists(st.floats(0, 1), min_size=50, max_size=50))
def test_money_is_conserved_and_counts_add_up(
    escalation: Escalation, path: naive.Path, account: Account, uniforms: list[float]
) -> None:
    """On any path under any escalation: no NaN, no money from nowhere, and an end that agrees with the rest."""
    try:
        found = run(path, account, LADDER, escalation, uniforms * 400)
    except naive.TooManyEventsError:  # at one instant, of calls missed at once; the kernel refuses it likewise
        return
    cash, held = account.cash, account.quantity
    for event in found.events:
        if event.kind == "payment":
            cash += event.amount
        if event.kind == "close-out":
            sold = math.copysign(min(event.amount / event.price, abs(held)), held)
            cash, held = cash + sold * event.price, held - sold
    spent = found.fees + found.slippage + found.costs
    last = path.price(path.horizon)
    assert found.closing_equity == pytest.approx(cash + held * last - spent, abs=1e-6)
    _check_consistent(found)


def _check_consistent(found: Outcome) -> None:
    money = [getattr(found, name) for name in ("paid_in", "fees", "slippage", "costs", "bad_debt", "shortfall")]
    assert np.isfinite([*money, found.closing_equity, found.loss]).all()
    assert min(money) >= 0
    assert 0 <= found.liquidated_share <= 1
    settled = found.calls_met + found.calls_cured + found.calls_missed + found.calls_cancelled
    assert found.calls_made == settled + found.calls_open
    assert found.calls_open <= 1
    end = ENDS[found.end]
    assert math.isnan(found.end_time) == (end == "untouched")
    assert end.startswith("closed") == (found.liquidated_share == 1)
    assert (end == "closed in debt") == (found.bad_debt > 0)
    assert math.isnan(found.first_close_out) == (found.liquidated_share == 0)
    assert max(found.bad_debt, found.shortfall) == max(0.0, -found.closing_equity)
    kinds_of = {kind: sum(one.kind == kind for one in found.events) for kind in ("call", "met", "missed", "payment")}
    assert (kinds_of["call"], kinds_of["met"], kinds_of["missed"]) == (
        found.calls_made,
        found.calls_met,
        found.calls_missed,
    )
    times = [one.time for one in found.events]
    assert times == sorted(times)


def test_an_escalation_is_checked_before_it_is_walked() -> None:
    """What the machine relies on, a close-out for every missed call, the escalation sees to."""
    problems = kernel.errors.Problems()
    Escalation({"call": Call(3.0, 1.0, NEVER)}).check(problems, LADDER)
    with pytest.raises(InvalidInput, match=r"^escalation\.call\.unmet: is required"):
        problems.raise_any()

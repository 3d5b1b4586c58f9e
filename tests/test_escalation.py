"""Escalations as people state them: what is refused and how, what a config states, what a close-out sells."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kernel
from kernel import Call, Client, CloseOut, Escalation, Ladder, Notice, SquareRootImpact
from kernel.errors import InvalidInput, Problems
from kernel.escalation.fill import fill_costs, share_to_sell

LADDER = Ladder({"warning": 3.0, "call": 2.0, "liquidation": 1.0})
CLIENT = Client(meets=0.7, delay="2h")
STATED = {
    "warning": Notice(),
    "call": Call(restore=3.0, cure_period="8h", client=CLIENT, unmet=CloseOut(restore=2.5, fee=0.004)),
    "liquidation": CloseOut(restore=1.5, latency="60s", fee=0.006, slippage=0.002),
}
HOUR = 1 / 8760


def lines(build: Any) -> list[str]:
    """Return what is wrong with an input, line by line."""
    with pytest.raises(InvalidInput) as caught:
        build()
    return str(caught.value).splitlines()


def misfits(actions: Any, ladder: Ladder = LADDER, **known: float) -> list[str]:
    """Return what does not suit a ladder."""
    problems = Problems()
    Escalation(actions).check(problems, ladder, **known)
    return [str(problem) for problem in problems.found]


def test_an_escalation_that_suits_its_ladder_has_no_problems() -> None:
    """The stated one is right, its durations are years."""
    assert misfits(STATED, horizon=5 / 365, deviation=0.1, metric_unit=0.005) == []
    call = Escalation(STATED).by_tier["call"][0]
    assert isinstance(call, Call)
    assert (call.cure_period, call.client.delay) == pytest.approx((8 * HOUR, 2 * HOUR))
    assert CloseOut(latency="60s").latency == pytest.approx(HOUR / 60)


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: Client(1.2), "meets: must be at most 1, not 1.2"),
        (lambda: Client([0.5, -0.1]), "meets: must be at least 0, not -0.1"),
        (lambda: Client([]), "meets: must be at least one probability, such as 0.7"),
        (lambda: Client("often"), "meets: must be one number, not 'often'"),
        (lambda: Client(1.0, delay=-1.0), "delay: must be at least 0, not -1"),
        (lambda: Client(1.0, delay="2"), "delay: must have a unit, such as '5d' or '12h'; 2 years is '2y'"),
        (lambda: Client(1.0, share=0.0), "share: must be above 0, not 0"),
        (lambda: Client(1.0, share=1.1), "share: must be at most 1, not 1.1"),
        (lambda: Client(1.0, capacity=-1.0), "capacity: must be at least 0, not -1"),
        (lambda: Client(1.0, capacity=math.nan), "capacity: must be finite, not nan"),
        (lambda: Call(3.0, "-1h", CLIENT), "cure_period: must be a number with the unit s, m, h, d, w or y, such as"),
        (lambda: Call(3.0, -0.1, CLIENT), "cure_period: must be at least 0, not -0.1"),
        (lambda: Call(math.nan, 0.1, CLIENT), "restore: must be finite, not nan"),
        (lambda: Call(3.0, 0.1, 0.7), "client: must be a kernel.Client, such as Client(meets=0.7), not 0.7"),  # type: ignore[arg-type]
        (lambda: Call(3.0, 0.1, CLIENT, unmet=Notice()), "unmet: must be a kernel.CloseOut, or be left out"),  # type: ignore[arg-type]
        (lambda: Call(3.0, 0.1, CLIENT, minimum_transfer=-1), "minimum_transfer: must be at least 0, not -1"),
        (lambda: Call(3.0, 0.1, CLIENT, cost=-1), "cost: must be at least 0, not -1"),
        (lambda: CloseOut(restore=1.5, share=0.5), "share: is stated beside a restore: leave one of them out"),
        (lambda: CloseOut(share=0.0), "share: must be above 0, not 0"),
        (lambda: CloseOut(share=1.5), "share: must be at most 1, not 1.5"),
        (lambda: CloseOut(restore=0.0), "restore: must be above 0, not 0"),
        (lambda: CloseOut(latency="-60s"), "latency: must be a number with the unit s, m, h, d, w or y, such as"),
        (lambda: CloseOut(cooldown=-1.0), "cooldown: must be at least 0, not -1"),
        (lambda: CloseOut(batch=0.0), "batch: must be above 0, not 0"),
        (lambda: CloseOut(fee=-0.1), "fee: must be at least 0, not -0.1"),
        (lambda: CloseOut(slippage=1.1), "slippage: must be at most 1, not 1.1"),
        (lambda: CloseOut(cost_share=2.0), "cost_share: must be at most 1, not 2"),
        (lambda: CloseOut(minimum=-1.0), "minimum: must be at least 0, not -1"),
        (lambda: CloseOut(recheck="yes"), "recheck: must be true or false, not 'yes'"),  # type: ignore[arg-type]
        (lambda: CloseOut(remainder="fund"), "remainder: must be client or venue, not 'fund'"),
        (lambda: CloseOut(impact=0.1), "impact: must be a kernel.SquareRootImpact, or be left out, not 0.1"),  # type: ignore[arg-type]
        (lambda: SquareRootImpact(0.0, 1.0, 1.0), "coefficient: must be above 0, not 0"),
        (lambda: SquareRootImpact(1.0, -1.0, 1.0), "daily_volume: must be above 0, not -1"),
        (lambda: Escalation({}), "actions: must map at least one tier to an action"),
        (lambda: Escalation([Notice()]), "actions: must map at least one tier to an action"),  # type: ignore[arg-type]
        (lambda: Escalation({"call": "call"}), "call: must be kernel.Notice(), kernel.Call(...) or"),  # type: ignore[dict-item]
        (lambda: Escalation({"call": []}), "call: must be kernel.Notice(), kernel.Call(...) or"),
        (lambda: Escalation({"call": [CloseOut(), CloseOut()]}), "call: must have at most one CloseOut, not 2"),
    ],
)
def test_what_is_wrong_by_itself_is_one_line(build: Any, expected: str) -> None:
    """Each problem is one line that begins with its field."""
    (line,) = lines(build)
    assert line.startswith(expected)


def test_all_problems_come_at_once() -> None:
    """Three wrong settings are three lines."""
    assert [line.partition(":")[0] for line in lines(lambda: CloseOut(fee=-1, latency=-1, share=2))] == [
        "fee",
        "latency",
        "share",
    ]


CALL = {"restore": 3.0, "cure_period": 0.1, "client": CLIENT}


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ({"cal": Notice()}, "escalation.cal: is not a tier of the ladder; did you mean call?"),
        (
            {"call": Call(**{**CALL, "restore": 2.0}, unmet=CloseOut())},
            "escalation.call.restore: must be above the level of call (2), not 2",
        ),
        (
            {"call": Call(**CALL, unmet=CloseOut(restore=1.5))},
            "escalation.call.unmet.restore: must be above the level of call (2), not 1.5",
        ),
        (
            {"liquidation": [Notice(), CloseOut(restore=0.5)]},
            "escalation.liquidation[1].restore: must be above the level of liquidation (1), not 0.5",
        ),
        (
            {"call": Call(**CALL)},
            "escalation.call.unmet: is required, such as kernel.CloseOut(): no tier has a close-out in its place",
        ),
        (
            {"call": Call(**CALL), "liquidation": CloseOut(restore=1.5)},
            "escalation.call.unmet: is required: the close-out of liquidation restores 1.5, not above call (2)",
        ),
    ],
)
def test_what_does_not_suit_the_ladder_is_one_line(actions: Any, expected: str) -> None:
    """Each problem names the tier and the setting."""
    assert misfits(actions) == [expected]


def test_restoring_by_selling_needs_the_margin_ratio() -> None:
    """Selling does not move an equity fraction; a share can be sold, and a call made."""
    ladder = Ladder({"call": 0.5}, metric="equity_fraction")
    (line,) = misfits({"call": CloseOut(restore=0.8)}, ladder)
    assert line.startswith('escalation.call.restore: needs metric="margin_ratio"')
    assert misfits({"call": [Call(0.8, 0.1, CLIENT), CloseOut(share=0.5)]}, ladder) == []


def test_what_would_act_too_often_is_refused_at_the_door() -> None:
    """A call that hardly restores, a close-out too: with a deviation of 0.5 they would act 40,000 times."""
    known = {"horizon": 1.0, "deviation": 0.5, "metric_unit": 0.01}
    often = Call(2.005, 0.1, Client(1.0), unmet=CloseOut())
    (line,) = misfits({"call": often}, **known)
    assert line.startswith("escalation.call.restore: must leave at most 10,000 actions on a path, not some 40,")
    (line,) = misfits({"liquidation": CloseOut(restore=1.005)}, **known)
    assert "restore more, or state a cooldown" in line
    (line,) = misfits({"liquidation": CloseOut(share=0.001)}, **known)
    assert line.startswith("escalation.liquidation.cooldown: must leave at most 10,000 actions")
    assert misfits({"liquidation": CloseOut(share=0.001, cooldown="1h")}, **known) == []
    assert misfits({"call": Call(2.005, 0.1, Client(1.0, delay="2h"), unmet=CloseOut())}, **known) == []
    assert misfits({"liquidation": CloseOut(share=0.001)}) == []


def test_the_close_out_of_a_missed_call_is_by_default_the_deepest() -> None:
    """What each tier does is resolved once, in the order of the ladder."""
    call = Call(3.0, 0.1, CLIENT)
    warning, called, liquidation = Escalation({"call": [Notice(), call], "liquidation": CloseOut()}).on(LADDER)
    assert warning == (False, None, None, None)
    assert called == (True, call, None, CloseOut())
    assert liquidation == (False, None, CloseOut(), None)
    stated = Escalation({"call": Call(3.0, 0.1, CLIENT, CloseOut(share=0.5)), "liquidation": CloseOut()}).on(LADDER)
    assert stated[1].unmet == CloseOut(share=0.5)


def test_notices_alone_touch_no_account() -> None:
    """An escalation of notices is passive, any other is not."""
    assert Escalation({"warning": Notice(), "call": [Notice()]}).is_passive
    assert not Escalation({"warning": Notice(), "call": [Notice(), CloseOut()]}).is_passive


def test_plain_values_state_the_same_escalation() -> None:
    """Through strict JSON and back nothing is lost; what has its default is left out."""
    impact = SquareRootImpact(coefficient=1.0, daily_volume=1e9, daily_volatility=0.03)
    actions = {
        **STATED,
        "call": [Notice(), Call(3.0, "8h", Client([0.9, 0.5], share=0.5), minimum_transfer=10.0, cost=1.0)],
        "liquidation": CloseOut(share=0.5, impact=impact, batch="1h", remainder="venue", recheck=True),
    }
    for one in (Escalation(STATED), Escalation(actions)):
        stated = json.loads(json.dumps(one.parameters(), allow_nan=False))
        assert Escalation.of(stated) == one
    assert Escalation({"call": Notice()}).parameters() == {"call": {"action": "notice"}}
    assert Escalation(STATED).parameters()["call"]["client"] == {"meets": 0.7, "delay": 2 * HOUR}


def test_a_config_states_an_escalation() -> None:
    """Durations are texts, parts are tables; several actions of a tier are a list of tables."""
    call = {"action": "call", "restore": 3.0, "cure_period": "8h", "client": {"meets": 0.7, "delay": "2h"}}
    stated = {
        "warning": {"action": "notice"},
        "call": {**call, "unmet": {"restore": 2.5, "fee": 0.004}},
        "liquidation": [{"action": "close_out", "restore": 1.5, "latency": "60s", "fee": 0.006, "slippage": 0.002}],
    }
    assert Escalation.of(stated) == Escalation(STATED)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"call": 3}, ["call: must be a table with an action: notice or call or close_out, not 3"]),
        ({"call": {"restore": 3.0}}, ["call.action: is required: notice or call or close_out"]),
        ({"call": {"action": "cal"}}, ["call.action: must be notice, call or close_out, not 'cal'"]),
        ({"call": {"action": "notice", "fee": 1}}, ["call.fee: is not a setting here"]),
        (
            {"call": {"action": "close_out", "restor": 1.5, "fee": -1}},
            ["call.restor: is not a setting here; did you mean restore?", "call.fee: must be at least 0, not -1"],
        ),
        (
            {"call": {"action": "call", "restore": 3.0, "client": {"delay": "2h"}}},
            ["call.client.meets: is required", "call.cure_period: is required"],
        ),
        (
            {"call": {"action": "call", "restore": 3.0, "cure_period": "x", "client": {"meets": 2}}},
            [
                "call.client.meets: must be at most 1, not 2",
                "call.cure_period: must be a number with the unit s, m, h, d, w or y, such as '5d', not 'x'",
            ],
        ),
        (
            {"call": [{"action": "notice"}, {"action": "close_out", "impact": 3}]},
            ["call[1].impact: must be a table of settings, not 3"],
        ),
        ([], ["must be a table of actions by tier, not []"]),
    ],
)
def test_what_is_wrong_in_a_config_is_one_line_each(stated: Any, expected: list[str]) -> None:
    """Fields have the path that the config has."""
    assert lines(lambda: Escalation.of(stated)) == expected


@given(
    equity=st.floats(-50, 200),
    requirement=st.floats(0.1, 100),
    notional=st.floats(1, 5_000),
    restore=st.floats(0.1, 5),
    rates=st.tuples(st.floats(0, 0.1), st.floats(0, 0.1), st.floats(0, 10)),
    impact=st.sampled_from([None, *(SquareRootImpact(c, 1_000.0, 0.05) for c in (0.01, 0.3, 3.0))]),
)
def test_the_share_sold_is_the_least_that_restores(
    equity: float,
    requirement: float,
    notional: float,
    restore: float,
    rates: tuple[float, float, float],
    impact: SquareRootImpact | None,
) -> None:
    """On a fine grid of shares none below it restores the metric; at it, if it is not all, the metric stands there."""
    action = CloseOut(restore=restore, fee=rates[0], slippage=rates[1], cost=rates[2], impact=impact)
    share = float(share_to_sell(action, equity, requirement, notional))
    shares = np.linspace(0.0, 1.0, 5_001)

    def excess(k: Any) -> Any:
        rate = action.fee + action.slippage
        if impact is not None:
            rate = rate + impact.coefficient * impact.daily_volatility * np.sqrt(k * notional / impact.daily_volume)
        return equity - action.cost * (k > 0) - rate * k * notional - restore * requirement * (1 - k)

    size = 1e-9 * (abs(equity) + restore * requirement + notional)
    if share == 0:
        assert excess(0.0) >= -size
        return
    assert (excess(shares[shares < share - 1e-3]) <= size).all()
    if share < 1:
        assert abs(excess(share)) <= size
        costs = fill_costs(action, share * notional, equity)
        left = equity - float(sum(costs))
        assert left == pytest.approx(restore * requirement * (1 - share), abs=size)


def test_the_shares_of_many_accounts_are_sold_at_once() -> None:
    """Arrays broadcast; each has the share that it has alone."""
    action = CloseOut(restore=1.5, fee=0.006, slippage=0.002)
    equity = np.array([70.0, -10.0, 200.0])
    assert share_to_sell(action, equity, 77.0, 770.0) == pytest.approx([45.5 / (115.5 - 6.16), 1.0, 0.0])


@pytest.mark.parametrize(
    ("latency", "batch", "start", "filled"),
    [("60s", None, 0.0, HOUR / 60), ("60s", "1h", 0.0, HOUR), ("1h", "1h", 0.0, HOUR), ("1h", "1h", 1e-9, 2 * HOUR)],
)
def test_a_fill_waits_for_its_tick(latency: str, batch: str | None, start: float, filled: float) -> None:
    """A fill that is due at a tick takes it."""
    assert CloseOut(latency=latency, batch=batch).fill_time(start) == pytest.approx(filled, rel=1e-12)


def test_ticks_are_found_at_any_count() -> None:
    """Each second of five days is a tick; a millisecond after one is not."""
    second = HOUR / 3600
    action = CloseOut(batch="1s")
    for count in (1, 7, 86_399, 432_000):
        assert round(action.fill_time(count * second) / second) == count
        assert round(action.fill_time((count + 1e-3) * second) / second) == count + 1


def test_the_public_names_are_there() -> None:
    """What people state is in `kernel`."""
    assert kernel.Escalation is Escalation
    assert {"Notice", "Call", "Client", "CloseOut", "SquareRootImpact", "Escalation"} <= set(dir(kernel))

"""The compiled escalation against the naive one: path by path on curves, where nothing is left to chance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kernel
from kernel._core.jit import entry
from kernel._core.noise import CLIENT, words_at
from kernel._core.special import uniform
from kernel.accounts.opening import open_account
from kernel.escalation.building import rules_of
from kernel.escalation.process import follow_piece, look_at, open_path
from tests import naive_escalation as naive

SEED, SPOT, HORIZON = np.uint64(5), 100.0, 1.0
COUNTS = ("calls_made", "calls_met", "calls_cured", "calls_missed", "calls_cancelled")
AMOUNTS = ("paid_in", "fees", "slippage", "costs")


@entry
def _answer(seed: Any, call: Any) -> Any:
    return uniform(words_at(seed, np.uint64(0), call, np.uint64(0), CLIENT)[0], 1.0)


@entry
def _walk(rules: Any, breach: Any, seed: Any, starts: Any, stops: Any, firsts: Any, lasts: Any) -> None:
    one = rules.state[0]
    open_path(rules, one, 0)
    for k in range(starts.size):
        look_at(rules, one, 0, breach, 0, seed, starts[k], firsts[k])
        follow_piece(rules, one, 0, breach, 0, seed, np.uint64(k), starts[k], stops[k], firsts[k], lasts[k], 0.0, 0.5)


Piece = tuple[float, float, float]


def compared(account: naive.Account, ladder: kernel.Ladder, escalation: kernel.Escalation, *pieces: Piece) -> None:
    """Check that both walk a curve alike; its pieces are (start, price at the start, rate of growth)."""
    position = kernel.Linear("A", account.quantity)
    held = kernel.Account(cash=account.cash, positions=[position], maintenance_rate=account.maintenance_rate)
    opening = open_account(held, ("A",), np.array([SPOT]))
    rules = rules_of(escalation, ladder, opening).for_paths(0, 1)
    starts = np.array([piece[0] for piece in pieces])
    stops = np.append(starts[1:], HORIZON)
    firsts = np.array([math.log(price / SPOT) for _, price, _ in pieces])
    lasts = firsts + np.array([rate for _, _, rate in pieces]) * (stops - starts)
    breach = np.full((len(ladder.names), 1), np.nan)
    _walk(rules, breach, SEED, starts, stops, rules.side * firsts, rules.side * lasts)
    answers = [_answer(SEED, np.uint64(call)) for call in range(50)]
    found = naive.run(naive.Curve(HORIZON, *pieces), account, ladder, escalation, answers)
    state, price = rules.state[0], math.exp(lasts[-1])
    assert [int(state[name]) for name in COUNTS] == [getattr(found, name) for name in COUNTS]
    assert int(state["call"] >= 0) == found.calls_open
    size = abs(account.cash) + abs(account.quantity) * SPOT
    np.testing.assert_allclose(
        [float(state[name]) for name in AMOUNTS],
        [getattr(found, name) for name in AMOUNTS],
        rtol=1e-6,
        atol=1e-7 * size,
    )
    equity = float(state["cash"] + state["left"] * rules.value * price)
    assert equity == pytest.approx(found.closing_equity, rel=1e-6, abs=1e-7 * size)
    np.testing.assert_allclose(breach[:, 0], found.breach_time, rtol=1e-6, atol=1e-9)
    assert float(state["first_close_out"]) == pytest.approx(found.first_close_out, rel=1e-6, nan_ok=True)
    assert 1.0 - float(state["left"]) == pytest.approx(found.liquidated_share, abs=1e-6)


LADDER = kernel.Ladder({"warning": 3.0, "call": 2.0, "liquidation": 1.0})
LONG = naive.Account(cash=-85.0, quantity=1.0, maintenance_rate=0.03)
SHORT = naive.Account(cash=115.0, quantity=-1.0, maintenance_rate=0.03)
CALL = kernel.Call(restore=3.0, cure_period=0.2, client=kernel.Client(meets=1.0, delay=0.05))
CASES = {
    "a call met": ({"call": CALL, "liquidation": kernel.CloseOut()}, [(0.0, 100.0, -0.25)]),
    "calls cured by the market": (
        {"call": CALL, "liquidation": kernel.CloseOut()},
        [(0.0, 100.0, -0.2), (0.6, 87.0, 0.9)],
    ),
    "a call missed": (
        {"call": kernel.Call(3.0, 0.1, kernel.Client(0.0), unmet=kernel.CloseOut(restore=2.5, fee=0.004))},
        [(0.0, 100.0, -0.15)],
    ),
    "part payments": (
        {"call": kernel.Call(3.0, 0.1, kernel.Client(1.0, share=0.4)), "liquidation": kernel.CloseOut(restore=1.5)},
        [(0.0, 100.0, -0.2)],
    ),
    "close-outs again and again": (
        {"liquidation": kernel.CloseOut(share=0.3, cooldown=0.02, fee=0.01, cost=0.1)},
        [(0.0, 100.0, -0.3)],
    ),
    "latency, a clock and a gap": (
        {"call": kernel.Notice(), "liquidation": kernel.CloseOut(latency=0.01, batch=0.125, slippage=0.01)},
        [(0.0, 100.0, -0.1), (0.3, 80.0, -0.5)],
    ),
    "impact and the venue": (
        {
            "liquidation": kernel.CloseOut(
                restore=2.0, impact=kernel.SquareRootImpact(1.0, 1e5, 0.5), remainder="venue", minimum=20.0
            )
        },
        [(0.0, 100.0, -0.3)],
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("account", [LONG, SHORT], ids=["long", "short"])
def test_curves_are_walked_as_the_naive_machine_walks_them(case: str, account: naive.Account) -> None:
    """Counts, amounts, breach times and shares of one path agree, for longs and, with the curve turned, for shorts."""
    actions, pieces = CASES[case]
    turned = [
        (start, price if account.quantity > 0 else 1e4 / price, rate * np.sign(account.quantity))
        for start, price, rate in pieces
    ]
    compared(account, LADDER, kernel.Escalation(actions), *turned)


times = st.sampled_from([0.0, 0.013, 0.057, 0.21])
rates = st.sampled_from([0.0, 0.002, 0.011])
close_outs = st.builds(
    lambda how, latency, recheck, fee, slippage, cooldown, batch, minimum, remainder, cost, impact: kernel.CloseOut(
        **how,
        latency=latency,
        recheck=recheck,
        fee=fee,
        slippage=slippage,
        cooldown=cooldown,
        batch=batch,
        minimum=minimum,
        remainder=remainder,
        cost=cost,
        impact=impact,
    ),
    st.sampled_from([{}, {"share": 0.31}, {"share": 0.77}, {"restore": 3.7}, {"restore": 4.9}]),
    times,
    st.booleans(),
    rates,
    rates,
    times,
    st.sampled_from([None, 0.037]),
    st.sampled_from([0.0, 15.0]),
    st.sampled_from(["client", "venue"]),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([None, kernel.SquareRootImpact(1.0, 1e5, 0.3)]),
)
calls = st.builds(
    kernel.Call,
    restore=st.sampled_from([3.3, 4.1]),
    cure_period=st.sampled_from([0.031, 0.17]),
    client=st.builds(
        kernel.Client,
        meets=st.sampled_from([0.0, 0.5, 1.0, (0.9, 0.2)]),
        delay=times,
        share=st.sampled_from([1.0, 0.6]),
        capacity=st.sampled_from([math.inf, 9.0]),
    ),
    unmet=close_outs,
    minimum_transfer=st.sampled_from([0.0, 1.5]),
    cost=st.sampled_from([0.0, 0.2]),
)
actions = st.one_of(
    st.just(kernel.Notice()),
    calls,
    close_outs,
    st.tuples(st.just(kernel.Notice()), calls, close_outs).map(list),
    st.tuples(calls, close_outs).map(list),
)
moves = st.lists(st.tuples(st.floats(-0.9, 0.9), st.floats(-0.07, 0.07)), min_size=1, max_size=6)


@given(
    by_tier=st.fixed_dictionaries({}, optional={"warning": actions, "call": actions, "liquidation": actions}).filter(
        bool
    ),
    moves=moves,
    account=st.sampled_from([LONG, SHORT]),
)
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_random_escalations_are_walked_as_the_naive_machine_walks_them(
    by_tier: dict[str, Any], moves: list[tuple[float, float]], account: naive.Account
) -> None:
    """So do those of escalations drawn at random, on curves with jumps."""
    starts = np.linspace(0.0, HORIZON, len(moves) + 1)[:-1] + 0.00731 * (np.arange(len(moves)) > 0)
    stops, price, pieces = np.append(starts[1:], HORIZON), SPOT, []
    for start, stop, (rate, jump) in zip(starts.tolist(), stops.tolist(), moves, strict=True):
        price *= math.exp(jump if start > 0 else 0.0)
        pieces.append((start, price, rate))
        price *= math.exp(rate * (stop - start))
    compared(account, LADDER, kernel.Escalation(by_tier), *pieces)

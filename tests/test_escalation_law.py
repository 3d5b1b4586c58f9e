"""Escalations in law: closed forms of calls and close-outs, any steps, any threads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

import kernel

SPOT, RATE, VOLATILITY, HORIZON = 100.0, 0.02, 0.6, 20 / 365
MARKET = kernel.Gbm(assets=["A"], spot=SPOT, drift=0.0, volatility=VOLATILITY)
JUMPING = kernel.Merton(
    assets=["A"], spot=SPOT, drift=0.1, volatility=0.5, jump_intensity=20.0, jump_mean=-0.03, jump_volatility=0.05
)
ACCOUNT = kernel.Account(cash=-90.0, positions=[kernel.Linear("A", 1.0)], maintenance_rate=RATE)
LADDER = kernel.Ladder({"warning": 4.0, "call": 2.0, "liquidation": 1.0})
PATHS = 200_000
FEW_ERRORS = 4.0  # of a normal: a false alarm in 16,000 comparisons; there are some thirty


def simulate(escalation: kernel.Escalation, market: Any = MARKET, **settings: Any) -> kernel.EscalationOutcome:
    """Simulate the account under an escalation."""
    stated: dict[str, Any] = {"horizon": HORIZON, "steps": 1, "paths": PATHS, "seed": 3, **settings}
    outcome = kernel.simulate(market, ACCOUNT, LADDER, escalation=escalation, **stated)
    assert isinstance(outcome, kernel.EscalationOutcome)
    return outcome


def near(values: NDArray[Any], truth: float) -> None:
    """Check that a mean is within its error of the truth."""
    error = values.std() / math.sqrt(values.size)
    assert abs(values.mean() - truth) <= FEW_ERRORS * error


def passage(barrier: float, horizon: float) -> float:
    """Return the probability that a driftless price falls to a barrier, relative to the opening, within a horizon.

    Harrison (1985), Brownian Motion and Stochastic Flow Systems, section 1.8.
    """
    level, drift, deviation = math.log(barrier), -0.5 * VOLATILITY**2, VOLATILITY * math.sqrt(horizon)
    reflected = math.exp(2 * drift * level / VOLATILITY**2) * norm.cdf((level + drift * horizon) / deviation)
    return float(norm.cdf((level - drift * horizon) / deviation) + reflected)


CALLED = 0.9 / (1 - 2.0 * RATE)  # relative price at which the tier of level 2 stands


def test_full_payments_at_once_make_calls_a_geometric_ladder() -> None:
    """The n-th call is the first passage of a price (1 - restore rate) / (1 - level rate) times the one before."""
    call = kernel.Call(restore=4.0, cure_period="1d", client=kernel.Client(meets=1.0))
    outcome = simulate(kernel.Escalation({"call": call, "liquidation": kernel.CloseOut()}))
    ratio = (1 - 4.0 * RATE) / (1 - 2.0 * RATE)
    assert (outcome.calls_made == outcome.calls_met).all()
    for number in range(1, 6):
        barrier = CALLED * ratio ** (number - 1)
        near(outcome.calls_made >= number, passage(barrier, HORIZON))
    paid = sum(2.0 * RATE * CALLED * SPOT * ratio**k * passage(CALLED * ratio**k, HORIZON) for k in range(40))
    near(outcome.paid_in, paid)


@pytest.mark.parametrize("steps", [1, 7])
def test_a_close_out_after_a_latency_leaves_a_put_as_bad_debt(steps: int) -> None:
    """Bad debt is Black's put on the price at the breach, over the latency, struck at what is owed."""
    latency = 1 / 365
    outcome = simulate(kernel.Escalation({"liquidation": kernel.CloseOut(latency=latency)}), steps=steps)
    breached, deviation = 0.9 / (1 - RATE) * SPOT, VOLATILITY * math.sqrt(latency)
    upper = math.log(breached / 90.0) / deviation + 0.5 * deviation
    put = 90.0 * norm.cdf(deviation - upper) - breached * norm.cdf(-upper)
    near(outcome.bad_debt, passage(breached / SPOT, HORIZON - latency) * put)
    filled = ~np.isnan(outcome.first_close_out)
    near(filled, passage(breached / SPOT, HORIZON - latency))
    assert (outcome.liquidated_share[filled] == 1.0).all()


def test_calls_that_nobody_meets_are_missed_where_the_price_stands_lower_at_the_deadline() -> None:
    """Of calls whose deadline comes, a share Phi(volatility root(cure period) / 2) is missed, and the rest cured."""
    cure = 2 / 365
    call = kernel.Call(restore=4.0, cure_period=cure, client=kernel.Client(meets=0.0), unmet=kernel.CloseOut())
    outcome = simulate(kernel.Escalation({"call": call}))
    once = outcome.calls_made == 1
    decided = once & (outcome.calls_open == 0)
    missed = outcome.calls_missed[outcome.breach_time[1] <= HORIZON - cure] > 0
    first = np.where(outcome.calls_made > 1, False, True)[outcome.breach_time[1] <= HORIZON - cure] & missed
    assert decided.any()
    near(first, float(norm.cdf(0.5 * VOLATILITY * math.sqrt(cure))))


EVERYTHING = kernel.Escalation(
    {
        "warning": kernel.Notice(),
        "call": kernel.Call(
            restore=3.5,
            cure_period="8h",
            client=kernel.Client(meets=[0.8, 0.5], delay="2h", share=0.9),
            unmet=kernel.CloseOut(restore=2.5, fee=0.004),
        ),
        "liquidation": kernel.CloseOut(restore=1.5, latency="60s", fee=0.006, slippage=0.002, cooldown="30s"),
    }
)
ARRAYS = (
    "calls_made",
    "calls_cured",
    "calls_missed",
    "calls_cancelled",
    "paid_in",
    "liquidated_share",
    "fees",
    "bad_debt",
)


@pytest.mark.parametrize("market", [MARKET, JUMPING], ids=["gbm", "merton"])
def test_the_law_does_not_depend_on_the_steps(market: Any) -> None:
    """One step and two hundred agree in every array's mean, and in the means of the breach times."""
    one, many = (simulate(EVERYTHING, market, steps=steps, seed=steps) for steps in (1, 200))
    for name in ARRAYS:
        first, second = (np.asarray(getattr(outcome, name), float) for outcome in (one, many))
        error = math.sqrt((first.var() + second.var()) / PATHS)
        assert abs(first.mean() - second.mean()) <= FEW_ERRORS * error, name
    for tier in range(3):
        times = [
            outcome.breach_time[tier][~np.isnan(outcome.breach_time[tier])].astype(float) for outcome in (one, many)
        ]
        error = math.sqrt(sum(each.var() / each.size for each in times))
        assert abs(times[0].mean() - times[1].mean()) <= FEW_ERRORS * error


@pytest.mark.parametrize("market", [MARKET, JUMPING], ids=["gbm", "merton"])
def test_the_same_bits_for_any_threads_and_further_paths(market: Any) -> None:
    """Threads, and more paths than a chunk has, change no bit; nor is any path taken for another."""
    alone, shared = (simulate(EVERYTHING, market, threads=threads, steps=3) for threads in (1, 2))
    fewer = simulate(EVERYTHING, market, steps=3, paths=PATHS // 7)
    for name in (*ARRAYS, "loss", "breach_time", "end", "end_time", "first_close_out", "closing_equity"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(shared, name))
        np.testing.assert_array_equal(getattr(alone, name)[..., : PATHS // 7], getattr(fewer, name))
    touched = ~np.isnan(alone.breach_time).all(axis=0)
    np.testing.assert_array_equal(alone.end > 0, touched)
    np.testing.assert_allclose(
        alone.loss, alone.opening_equity + alone.paid_in - alone.closing_equity, atol=1e-4 * SPOT, rtol=1e-5
    )


def test_notices_alone_leave_the_plain_ladder() -> None:
    """Every array is that of the ladder without actions, bit for bit; the ends are those noticed."""
    notices = kernel.Escalation({"call": kernel.Notice()})
    outcome = simulate(notices, JUMPING)
    plain = kernel.simulate(JUMPING, ACCOUNT, LADDER, horizon=HORIZON, steps=1, paths=PATHS, seed=3)
    for name in ("loss", "terminal_price", "breach_time"):
        np.testing.assert_array_equal(getattr(outcome, name), getattr(plain, name))
    np.testing.assert_array_equal(outcome.end == 1, ~np.isnan(plain.breach_time[1]))
    assert (outcome.calls_made == 0).all()


@pytest.mark.parametrize("precision", ["single", "double"])
def test_few_paths_differ_between_precisions(precision: str) -> None:
    """All but one path in some thousands end alike in both precisions."""
    other = simulate(EVERYTHING, JUMPING, precision="double")
    outcome = simulate(EVERYTHING, JUMPING, precision=precision)
    assert (outcome.end != other.end).mean() <= 1e-4


def test_levels_beyond_an_account_without_debt_are_named_once() -> None:
    """A long without debt has a metric of one over its rate: a tier above that cannot be acted on, and is told so."""
    account = kernel.Account(cash=10.0, positions=[kernel.Linear("A", 1.0)], maintenance_rate=0.5)
    with pytest.raises(kernel.InvalidInput) as refused:
        kernel.simulate(
            MARKET,
            account,
            LADDER,
            escalation=kernel.Escalation({"call": kernel.CloseOut()}),
            horizon="1d",
            steps=1,
            paths=1,
        )
    message = "must be below 2, the metric of positions without debt, for its actions, not 4"
    assert str(refused.value.problems[0]) == f"ladder.tiers.warning: {message}"

"""The laws of prices, losses and breach times, against closed forms, series and transforms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import kernel
from bench.oracles import gbm, kou, merton
from tests.cases import ALARM, GBM, HORIZON, KOU, LADDER, LONG, MERTON, SHORT, barriers, run, strays

NU = 0.1 - 0.65**2 / 2
GRID = [(1, "single"), (7, "single"), (64, "single"), (1, "double"), (7, "double")]
KOU_PARAMETERS = (0.05, 0.5, 40.0, 0.4, 0.03, 0.05)
MERTON_PARAMETERS = (0.1, 0.65, 40.0, -0.02, 0.06)


@pytest.mark.parametrize(("steps", "precision"), GRID)
def test_gbm_closing_prices_are_lognormal(steps: int, precision: str) -> None:
    """The log return over the horizon is normal with mean nu T and variance sigma^2 T."""
    outcome = run(GBM, steps=steps, precision=precision)
    standard = (np.log(outcome.terminal_price[0] / 60_000.0) - NU * HORIZON) / (0.65 * math.sqrt(HORIZON))
    assert stats.kstest(standard, "norm").pvalue > 1e-5
    assert strays(float(outcome.terminal_price.mean()), 60_000 * math.exp(0.1 * HORIZON), 60_000 * 0.076 / 632) < ALARM


@pytest.mark.parametrize("account", [LONG, SHORT], ids=["long", "short"])
@pytest.mark.parametrize(("steps", "precision"), GRID)
def test_gbm_breach_probabilities(account: kernel.Account, steps: int, precision: str) -> None:
    """Each tier is breached by any time with the probability of first passage, at any number of steps."""
    outcome = run(GBM, account, steps=steps, precision=precision)
    for tier, barrier in zip(LADDER.names, barriers(account), strict=True):
        for by in (HORIZON / 10, HORIZON / 2, HORIZON):
            estimate = kernel.breach_probability(outcome, tier, by)
            truth = float(gbm.hit_probability(barrier, NU, 0.65, by))
            assert strays(estimate.value, truth, math.sqrt(truth * (1 - truth) / outcome.paths)) < ALARM


@pytest.mark.parametrize("account", [LONG, SHORT], ids=["long", "short"])
@pytest.mark.parametrize("steps", [1, 7])
def test_gbm_breach_times_have_the_law_of_first_passage(account: kernel.Account, steps: int) -> None:
    """Given a breach, its time has the whole law of first passage, not just its quantiles."""
    outcome = run(GBM, account, steps=steps)
    for times, barrier in zip(outcome.breach_time, barriers(account), strict=True):
        reached = float(gbm.hit_probability(barrier, NU, 0.65, HORIZON))
        level = gbm.hit_probability(barrier, NU, 0.65, times[~np.isnan(times)].astype(float)) / reached
        assert stats.kstest(level, "uniform").pvalue > 1e-5


@pytest.mark.parametrize("steps", [1, 7])
def test_gbm_tiers_are_breached_jointly_as_they_should(steps: int) -> None:
    """Breach times of two tiers have the joint law of two first passages."""
    outcome, (high, _, low, _) = run(GBM, steps=steps), barriers(LONG)
    early, late = outcome.breach_time[0], outcome.breach_time[2]
    for s, t in ((0.2, 0.3), (0.1, 0.9), (0.5, 1.0)):
        truth = gbm.joint_hit_probability(high, low, NU, 0.65, s * HORIZON, t * HORIZON)
        hits = np.mean((early <= s * HORIZON) & (late <= t * HORIZON))
        assert strays(float(hits), truth, math.sqrt(truth * (1 - truth) / outcome.paths)) < ALARM


@pytest.mark.parametrize("steps", [1, 7])
def test_gbm_breach_and_closing_price_are_jointly_right(steps: int) -> None:
    """The law of (no breach, closing price) is that of the reflection principle."""
    outcome, barrier = run(GBM, steps=steps), barriers(LONG)[1]
    log_return = np.log(outcome.terminal_price[0] / 60_000.0)
    for close in (-0.06, 0.0, 0.05):
        truth = gbm.survival_and_close(barrier, close, NU, 0.65, HORIZON)
        share = float(np.mean(np.isnan(outcome.breach_time[1]) & (log_return <= close)))
        assert strays(share, truth, math.sqrt(truth * (1 - truth) / outcome.paths)) < ALARM


@pytest.mark.parametrize("quantity", [1.0, -1.0])
def test_gbm_value_at_risk_and_expected_shortfall(quantity: float) -> None:
    """VaR and ES meet their closed forms within their errors, and their errors are not idle."""
    outcome = run(GBM, LONG if quantity > 0 else SHORT)
    for level in (0.9, 0.99, 0.999):
        for measure, oracle in (
            (kernel.value_at_risk, gbm.value_at_risk),
            (kernel.expected_shortfall, gbm.expected_shortfall),
        ):
            estimate = measure(outcome, level)
            truth = oracle(level, quantity, 60_000.0, 60_000.0, 0.1, 0.65, HORIZON)
            assert strays(estimate.value, truth, estimate.standard_error) < ALARM
            assert 0 < estimate.standard_error < 0.02 * truth


@pytest.mark.parametrize("steps", [1, 7])
@pytest.mark.parametrize("strike", [50_000.0, 60_000.0, 66_000.0])
def test_merton_european_prices(steps: int, strike: float) -> None:
    """Calls and puts priced from the closing prices meet Merton's series."""
    prices = run(MERTON, steps=steps, precision="double").terminal_price[0]
    for kind, sign in (("call", 1.0), ("put", -1.0)):
        payoff = np.maximum(sign * (prices - strike), 0.0)
        truth = merton.price(kind, 60_000.0, strike, *MERTON_PARAMETERS, HORIZON)
        assert strays(float(payoff.mean()), truth, float(payoff.std()) / math.sqrt(prices.size)) < ALARM


@pytest.mark.parametrize("steps", [1, 7, 64])
def test_merton_tail(steps: int) -> None:
    """VaR and ES of a long position meet those of the Poisson mixture."""
    outcome = run(MERTON, steps=steps)
    for level in (0.95, 0.999):
        estimate = kernel.value_at_risk(outcome, level)
        assert (
            strays(estimate.value, merton.value_at_risk(level, 60_000.0, *MERTON_PARAMETERS, HORIZON), estimate[1])
            < ALARM
        )
        estimate = kernel.expected_shortfall(outcome, level)
        truth = merton.expected_shortfall(level, 60_000.0, *MERTON_PARAMETERS, HORIZON)
        assert strays(estimate.value, truth, estimate.standard_error) < ALARM


@pytest.mark.parametrize("account", [LONG, SHORT], ids=["long", "short"])
@pytest.mark.parametrize(("steps", "precision"), GRID)
def test_kou_breach_probabilities(account: kernel.Account, steps: int, precision: str) -> None:
    """Each tier is breached by any time with the probability of the Kou-Wang transform, jumps included."""
    outcome = run(KOU, account, steps=steps, precision=precision)
    for tier, barrier in zip(LADDER.names, barriers(account), strict=True):
        for by in (HORIZON / 4, HORIZON):
            estimate = kernel.breach_probability(outcome, tier, by)
            truth = kou.hit_probability(barrier, *KOU_PARAMETERS, by)
            assert strays(estimate.value, truth, math.sqrt(truth * (1 - truth) / outcome.paths)) < ALARM


@pytest.mark.parametrize("steps", [1, 7])
def test_jumps_breach_tiers_at_one_instant_as_often_as_they_should(steps: int) -> None:
    """The share of breaches of the first tier that a jump makes meets the transform of the overshoot."""
    outcome, (first, second, *_) = run(KOU, steps=steps, precision="double"), barriers(LONG)
    times = outcome.breach_time
    truth = kou.hit_by_jump_probability(first, *KOU_PARAMETERS, HORIZON, overshoot=first - second)
    at_once = float(np.mean(times[0] == times[1]))
    assert strays(at_once, truth, math.sqrt(truth * (1 - truth) / outcome.paths)) < ALARM


@pytest.mark.parametrize("market", [GBM, MERTON, KOU], ids=["gbm", "merton", "kou"])
@pytest.mark.parametrize("account", [LONG, SHORT], ids=["long", "short"])
def test_the_law_does_not_depend_on_the_steps(market: kernel.Market, account: kernel.Account) -> None:
    """One step and 64 steps give the same law of losses and of every tier's breach time."""
    coarse, fine = run(market, account, steps=1), run(market, account, steps=64, seed=1)
    assert stats.ks_2samp(coarse.loss, fine.loss).pvalue > 1e-5
    for few, many in zip(coarse.breach_time, fine.breach_time, strict=True):
        never = 2 * HORIZON
        assert stats.ks_2samp(np.nan_to_num(few, nan=never), np.nan_to_num(many, nan=never)).pvalue > 1e-5


def test_discrete_monitoring_breaches_at_grid_times_only_and_less_often() -> None:
    """A venue that marks at grid points sees fewer breaches, all of them at those points."""
    seen, missed = run(MERTON, steps=8, monitoring="discrete"), run(MERTON, steps=8)
    times = seen.breach_time[~np.isnan(seen.breach_time)]
    grid = (HORIZON * (np.arange(1, 9) / 8)).astype(np.float32)
    assert np.isin(times, grid).all()
    assert (seen.loss == missed.loss).all()
    assert (np.isnan(seen.breach_time).sum(axis=1) > np.isnan(missed.breach_time).sum(axis=1)).all()


def test_an_account_on_one_asset_of_several_is_exact_too() -> None:
    """In a market of two assets, an account on one of them breaches by the closed form in a single step."""
    market = kernel.Gbm(
        assets=["ETH", "BTC"], spot=[3e3, 6e4], drift=0.1, volatility=[0.9, 0.65], correlation=[[1, 0.8], [0.8, 1]]
    )
    for account in (LONG, SHORT):
        outcome = run(market, account, steps=1)
        for tier, barrier in zip(LADDER.names, barriers(account), strict=True):
            truth = float(gbm.hit_probability(barrier, NU, 0.65, HORIZON))
            estimate = kernel.breach_probability(outcome, tier)
            assert strays(estimate.value, truth, math.sqrt(truth * (1 - truth) / outcome.paths)) < ALARM

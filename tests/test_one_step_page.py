"""What writes docs/one_step.md: its forecasts and its table."""

from __future__ import annotations

import math

import numpy as np
import pytest

import kernel
from bench.pages.one_step import Row, law, many_steps, one_step, table
from tests.test_choice import DAY, prices_of


def test_shares_stray_by_errors_of_independent_trials() -> None:
    """One passed in 400 more than expected is by how much a binomial strays; beyond three errors it is bold."""
    row = Row("Gbm", "ewma", 400, np.array([0.05, 0.01, 0.1, 0.0125]), 1.0)
    np.testing.assert_allclose(
        row.strays, [0, 0, 0.05 / math.sqrt(0.05 * 0.95 / 400), 0.0025 / math.sqrt(0.0099 / 400)], atol=1e-9
    )
    (line,) = table([row])[2:-1]
    assert line == "| Gbm | ewma | 400 | 1.00 | 5.00% (+0.0) | 1.00% (+0.0) | **10.00% (+4.6)** | 1.25% (+0.5) |"


def test_forecasts_meet_the_returns_of_the_row_after() -> None:
    """Each return past the window is compared once, those over gaps not; of normal ones the size is right to 10%."""
    returns = 0.02 * np.random.default_rng(1).standard_normal(1_000)
    gaps = np.arange(1_000) == 500
    history = kernel.History(assets=("asset",), prices=prices_of(returns), dt=DAY, gaps=gaps)
    row = one_step(history, "Gbm", "ewma")
    assert row.forecasts == 599
    assert row.mean_square == pytest.approx(1, abs=0.1)
    assert np.abs(row.strays).max() < 4.5
    assert many_steps(history, "ewma", 10).forecasts == 59


def test_a_jump_passes_on_its_side_alone() -> None:
    """A fall of half the price right after the window passes both low quantiles, and neither high one."""
    returns = 0.02 * np.random.default_rng(1).standard_normal(602)
    returns[601] = -0.7
    row = one_step(kernel.History(assets=("asset",), prices=prices_of(returns), dt=DAY), "FilteredHistorical", "ewma")
    before = one_step(
        kernel.History(assets=("asset",), prices=prices_of(returns[:-1]), dt=DAY), "FilteredHistorical", "ewma"
    )
    np.testing.assert_allclose(row.passed * row.forecasts - before.passed * before.forecasts, [1, 1, 0, 0], atol=1e-9)


def test_the_law_is_the_markets() -> None:
    """Quantiles are those of simulated steps of both markets."""
    prices = prices_of(0.02 * np.random.default_rng(2).standard_t(4, 300))
    account = kernel.Account(cash=0.0, positions=[kernel.Linear("asset", 1.0)], maintenance_rate=0.01)
    for kind in (kernel.FilteredHistorical, kernel.Gbm):
        market = kind.fit(prices, dt=DAY, volatility="ewma").market  # type: ignore[attr-defined]
        outcome = kernel.simulate(market, account, kernel.Ladder({"call": 1.0}), horizon=DAY, steps=1, paths=100_000)
        moves = np.log(outcome.terminal_price[0] / market.spot[0])
        quantiles, variance = law(market, DAY)
        shares = (moves[:, None] < quantiles).mean(axis=0)
        np.testing.assert_allclose(shares, [0.05, 0.01, 0.95, 0.99], atol=4.5 * math.sqrt(0.05 / 100_000) + 1 / 300)
        assert moves.var() == pytest.approx(variance, rel=0.1)

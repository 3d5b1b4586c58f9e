"""The size of the law of the next return, by EWMA and by GARCH: against known truths, and against what came on prices.

Value at Risk is minus a low quantile of the next log return under the market's law, reckoned from its fields; what
comes after a fit is taken up by `Fit.after`, as in backtests.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

import kernel
from tests.test_choice import DAY, prices_of

Vector = NDArray[np.float64]
Method = Literal["ewma", "garch"]
LEVELS = np.array([0.05, 0.01])
SP500 = Path(__file__).parents[1] / "examples" / "sp500.csv"


class Truth(NamedTuple):
    """A law of independent returns."""

    draw: Callable[[np.random.Generator, int], Vector]
    cumulative: Callable[[Vector], Vector]
    variance: float


def _with_zeros(random: np.random.Generator, n: int) -> Vector:
    returns = random.standard_normal(n)
    returns[np.arange(n) % 7 >= 5] = 0.0
    return returns


TRUTHS = {
    "normal": Truth(lambda random, n: random.standard_normal(n), norm.cdf, 1.0),
    "t4": Truth(lambda random, n: random.standard_t(4, n), lambda x: student.cdf(x, 4), 2.0),
    "t3": Truth(lambda random, n: random.standard_t(3, n), lambda x: student.cdf(x, 3), 3.0),
    "zeros": Truth(_with_zeros, lambda x: 5 / 7 * norm.cdf(x), 5 / 7),
}


def lower_quantiles(market: Any) -> Vector:
    """Return the 5% and 1% quantiles of the next log return of one asset."""
    deviation, growth = market.volatility[0] * math.sqrt(DAY), market.drift[0] * DAY
    if isinstance(market, kernel.Gbm):
        return np.asarray(growth - deviation**2 / 2 + deviation * norm.ppf(LEVELS))
    moves = deviation * np.asarray(market.residuals)[:, 0]
    return np.asarray(growth - np.log(np.exp(moves).mean()) + np.quantile(moves, LEVELS))


def forecasts(returns: Vector, kind: Any, method: Method, window: int, refit: int) -> list[tuple[int, Any]]:
    """Return (row of the next return, market) of each forecast, refitted now and then."""
    made: list[tuple[int, Any]] = []
    for row in range(window, len(returns), refit):
        fit = kind.fit(prices_of(returns[row - window : row]), dt=DAY, volatility=method)
        made += [(k, fit.after(returns[row:k, None])) for k in range(row, min(row + refit, len(returns)))]
    return made


@pytest.mark.parametrize("kind", [kernel.FilteredHistorical, kernel.Gbm], ids=["filtered", "gbm"])
@pytest.mark.parametrize("method", ["ewma", "garch"])
@pytest.mark.parametrize("law", TRUTHS)
def test_the_next_return_is_as_large_as_stated(law: str, method: Method, kind: Any) -> None:
    """Squares over stated variances are 1 on average, by the known variance of the returns, within 10%; 30% for t3.

    Eight histories, each fitted once and followed for 500 returns more. Student-t returns with three degrees have no
    fourth moment: what a thousand of them say of the variance strays that far.
    """
    truth, ratios = TRUTHS[law], []
    for seed in range(8):
        returns = 0.02 * truth.draw(np.random.default_rng(seed), 1_500)
        made = forecasts(returns, kind, method, 1_000, 500)[::10]
        ratios += [4e-4 * truth.variance / (market.volatility[0] ** 2 * DAY) for _, market in made]
    assert np.mean(ratios) == pytest.approx(1, abs=0.3 if law == "t3" else 0.1)


@pytest.mark.parametrize("method", ["ewma", "garch"])
@pytest.mark.parametrize("law", TRUTHS)
def test_value_at_risk_is_passed_as_often_as_stated(law: str, method: Method) -> None:
    """The known probability of a return beyond 95% and 99% Value at Risk is 5% and 1% on average, within a tenth.

    At 99% within two tenths: of a thousand residuals, ten lie beyond.
    """
    truth, chances = TRUTHS[law], []
    for seed in range(8):
        returns = 0.02 * truth.draw(np.random.default_rng(seed), 1_500)
        made = forecasts(returns, kernel.FilteredHistorical, method, 1_000, 500)[::10]
        chances += [truth.cumulative(lower_quantiles(market) / 0.02) for _, market in made]
    np.testing.assert_array_less(np.abs(np.mean(chances, axis=0) / LEVELS - 1), [0.1, 0.2])


@pytest.mark.parametrize("method", ["ewma", "garch"])
def test_simulated_losses_are_the_stated_ones(method: Method) -> None:
    """Value at Risk of a simulated step is the law's quantile, its standard deviation the volatility."""
    returns = 0.02 * np.random.default_rng(3).standard_t(3, 1_000)
    market = kernel.FilteredHistorical.fit(prices_of(returns), dt=DAY, volatility=method).market
    account = kernel.Account(cash=0.0, positions=[kernel.Linear("asset", 1.0)], maintenance_rate=0.01)
    outcome = kernel.simulate(market, account, kernel.Ladder({"call": 1.0}), horizon=DAY, steps=1, paths=200_000)
    moves = np.log(outcome.terminal_price[0] / np.asarray(market.spot)[0])
    assert moves.std() == pytest.approx(np.asarray(market.volatility)[0] * math.sqrt(DAY), rel=0.03)
    beyond = (moves[:, None] < lower_quantiles(market)).mean(axis=0)
    assert beyond == pytest.approx(LEVELS, abs=4.5 * math.sqrt(0.05 / 200_000) + 0.001)


@pytest.mark.parametrize("size", [5, 10, 20, 40])
@pytest.mark.parametrize("method", ["ewma", "garch"])
@pytest.mark.parametrize("law", TRUTHS)
def test_a_large_return_does_not_lower_value_at_risk(law: str, method: Method, size: int) -> None:
    """A history that ends with a fall of so many deviations has the larger Value at Risk, at both levels."""
    returns = 0.02 * TRUTHS[law].draw(np.random.default_rng(2), 1_000)
    fallen = np.append(returns, -size * returns.std())
    before, after = (
        lower_quantiles(kernel.FilteredHistorical.fit(prices_of(one), dt=DAY, volatility=method).market)
        for one in (returns, fallen)
    )
    assert (after <= before).all()


@pytest.mark.parametrize("shape", ["normal", "heavy"])
def test_prices_that_stand_still_on_two_days_of_seven_have_the_historys_size(shape: str) -> None:
    """Volatility is the sample's, Value at Risk the history's, within 5%; a degenerate Student-t law is noted."""
    random = np.random.default_rng(5)
    normal, heavy = 0.02 * random.standard_normal(2_000), 0.01 * random.standard_t(4, 2_000)
    returns = normal if shape == "normal" else heavy
    returns[np.arange(2_000) % 7 >= 5] = 0.0
    for kind in (kernel.Gbm, kernel.FilteredHistorical):
        fit: Any = kind.fit(prices_of(returns), dt=DAY, volatility="garch")  # type: ignore[attr-defined]
        assert fit.market.volatility[0] == pytest.approx(returns.std() / math.sqrt(DAY), rel=0.05)
        degenerate = "the Student-t law degenerates (28 % of the returns are alike): GARCH is fitted by"
        assert any(note.startswith(degenerate) for note in fit.notes) == (shape == "heavy")
    np.testing.assert_allclose(lower_quantiles(fit.market), np.quantile(returns, LEVELS), rtol=0.05)


@pytest.mark.parametrize("share", [0.6, 0.8, 0.9])
def test_ticks_leave_the_size(share: float) -> None:
    """However many returns are zero, up to nine of ten, the volatility is the sample's within 10%: no clusters."""
    random = np.random.default_rng(6)
    returns = 0.01 * random.standard_t(4, 2_000)
    returns[random.random(2_000) < share] = 0.0
    fit = kernel.Gbm.fit(prices_of(returns), dt=DAY, volatility="garch")
    assert np.asarray(fit.market.volatility)[0] == pytest.approx(returns.std() / math.sqrt(DAY), rel=0.1)
    assert any("the Student-t law degenerates" in note for note in fit.notes)


def test_many_steps_grow_as_the_note_says() -> None:
    """Over 20 steps the variance of simulated log returns is the sum of those that alpha + beta makes, within 3%."""
    returns = 0.02 * np.random.default_rng(7).standard_normal(500)
    market: Any = kernel.FilteredHistorical.fit(prices_of(returns), dt=DAY, volatility="ewma").market
    account = kernel.Account(cash=0.0, positions=[kernel.Linear("asset", 1.0)], maintenance_rate=0.01)
    outcome = kernel.simulate(
        market, account, kernel.Ladder({"call": 1.0}), horizon=20 * DAY, steps=20, paths=400_000, monitoring="discrete"
    )
    growth = market.alpha[0] + market.beta[0]
    assert growth > 1.002
    expected = market.volatility[0] ** 2 * DAY * np.sum(growth ** np.arange(20.0))
    assert np.log(outcome.terminal_price[0]).var() == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("method", ["ewma", "garch"])
def test_value_at_risk_of_stocks_is_passed_as_often_as_stated(method: Method) -> None:
    """Of 1,515 days of the S&P 500, out of sample, as many as expected pass 95% and 99%, within 3 standard errors."""
    prices = np.loadtxt(SP500, delimiter=",", skiprows=1, usecols=1)
    returns = np.diff(np.log(prices))
    made = forecasts(returns, kernel.FilteredHistorical, method, 1_000, 100)
    passed = np.mean([returns[row] < lower_quantiles(market) for row, market in made], axis=0)
    errors = np.sqrt(LEVELS * (1 - LEVELS) / len(made))
    assert len(made) == 1_515
    assert (np.abs(passed - LEVELS) < 3 * errors).all()


@pytest.mark.parametrize("method", ["ewma", "garch"])
def test_value_at_risk_of_wild_returns_is_passed_as_often_as_stated(method: Method) -> None:
    """The same on 4,000 steps of clustered returns with Student-t innovations of 2.5 degrees, as hourly prices have."""
    random, variance, returns = np.random.default_rng(8), 1e-4, []
    for noise in random.standard_t(2.5, 5_000) * math.sqrt(0.2):
        returns.append(math.sqrt(variance) * noise)
        variance = 2e-6 + 0.1 * returns[-1] ** 2 + 0.88 * variance
    moves = np.array(returns)
    made = forecasts(moves, kernel.FilteredHistorical, method, 1_000, 250)
    passed = np.mean([moves[row] < lower_quantiles(market) for row, market in made], axis=0)
    assert (np.abs(passed - LEVELS) < 3 * np.sqrt(LEVELS * (1 - LEVELS) / len(made))).all()

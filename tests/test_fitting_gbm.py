"""The fit of geometric Brownian motion, with the volatility of the history or of now."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, multivariate_normal

import kernel
from bench.pages.recovery import DAY, TRUTHS, numbers_of, prices_of
from kernel.fitting.garch import fit_garch
from tests.cases import ALARM

PAIR = TRUTHS[0]
PRICES = prices_of(PAIR, 3)
RETURNS = np.diff(np.log(PRICES), axis=0)


def test_the_truth_is_within_the_stated_errors() -> None:
    """Every number of a known market is found again within 4.5 of its errors."""
    fit = kernel.Gbm.fit(PRICES, dt=DAY, assets=["A", "B"])
    found, true = (
        dict(numbers_of({name: getattr(market, name) for name in fit.standard_errors}, ("A", "B")))
        for market in (fit.market, PAIR.market)
    )
    for name, error in numbers_of(fit.standard_errors, ("A", "B")):
        assert error > 0
        assert abs(found[name] - true[name]) < ALARM * error, name


def test_the_likelihood_is_the_normal_one() -> None:
    """It is SciPy's multivariate normal at the estimates, with two numbers an asset and one a pair."""
    fit = kernel.Gbm.fit(PRICES, dt=DAY)
    normal = multivariate_normal(RETURNS.mean(axis=0), np.cov(RETURNS.T, bias=True))
    assert fit.log_likelihood == pytest.approx(normal.logpdf(RETURNS).sum())
    assert (fit.parameters, fit.observations) == (5, len(RETURNS))
    assert fit.bic == pytest.approx(5 * np.log(len(RETURNS)) - 2 * fit.log_likelihood)
    assert kstest(fit.transforms[:, 0], "uniform").pvalue > 0.01
    np.testing.assert_allclose(fit.transforms[:, 1], fit.laws[1].cumulative(RETURNS[:, 1]))


def test_exponential_weights_give_volatility_and_correlation_of_now() -> None:
    """Variance and covariance are the recursion's of RiskMetrics (1996), the variance at the size of the returns."""
    fit = kernel.Gbm.fit(PRICES, dt=DAY, volatility="ewma", decay=0.9)
    moves = RETURNS - RETURNS.mean(axis=0)
    covariance, ratios = np.diag(np.average(moves[:75] ** 2, axis=0, weights=0.94 ** np.arange(75))), []
    for move in moves:
        ratios.append(move**2 / np.diag(covariance))
        covariance = 0.9 * covariance + 0.1 * np.outer(move, move)
    volatility = np.sqrt(np.mean(ratios, axis=0) * np.diag(covariance) / DAY)
    np.testing.assert_allclose(fit.market.volatility, volatility, rtol=1e-9)
    rho = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert np.asarray(fit.market.correlation)[0, 1] == pytest.approx(rho, rel=1e-9)


@pytest.mark.parametrize(("decay", "rows"), [(0.94, 300), (0.97, 60), (0.99, 35), (0.999, 200)])
def test_the_error_of_exponential_weights_is_the_spread_of_estimates(decay: float, rows: int) -> None:
    """Over 300 histories of normal returns, short ones and slow weights too; a little large for quick weights.

    The spread of 300 estimates is known to 4%.
    """
    random = np.random.default_rng(5)
    fits = [
        kernel.Gbm.fit(np.exp(np.cumsum(random.normal(0.0, 0.02, rows))), dt=DAY, volatility="ewma", decay=decay)
        for _ in range(300)
    ]
    spread = np.std([fit.market.volatility for fit in fits])
    stated = np.mean([fit.standard_errors["volatility"] for fit in fits])
    assert 0.85 < stated / spread < 1.3


def test_errors_hold_for_fat_tails() -> None:
    """Of Student-t returns the stated errors are the spread of estimates over 400 histories, to 15%.

    Those of normal returns would be too small by a factor of 1.7 for the volatility.
    """
    random = np.random.default_rng(6)
    found, stated = [], []
    for _ in range(400):
        common, own = random.standard_t(6, (2, 1_000, 2))
        moves = 0.02 * np.column_stack([common[:, 0], 0.6 * common[:, 0] + 0.8 * own[:, 1]])
        fit = kernel.Gbm.fit(np.exp(np.cumsum(moves, axis=0)), dt=DAY, assets=["A", "B"])
        found.append([fit.market.volatility[0], fit.market.drift[0], fit.market.correlation[0, 1]])  # type: ignore[index,call-overload]
        errors = fit.standard_errors
        stated.append([errors["volatility"][0], errors["drift"][0], errors["correlation"][0, 1]])
    np.testing.assert_allclose(np.mean(stated, axis=0), np.std(found, axis=0), rtol=0.15)


def test_the_expected_price_grows_as_it_did_whatever_the_volatility_of_now() -> None:
    """With exponential weights or GARCH the drift is the growth of the mean price over a step."""
    growth = np.log(np.exp(RETURNS).mean(axis=0)) / DAY
    for method in ("ewma", "garch"):
        fit = kernel.Gbm.fit(PRICES, dt=DAY, volatility=method)  # type: ignore[arg-type]
        np.testing.assert_allclose(fit.market.drift, growth)


def test_garch_gives_the_volatility_of_the_next_step() -> None:
    """The market's volatility is the forecast, and the transforms take each step's own."""
    fit = kernel.Gbm.fit(PRICES, dt=DAY, volatility="garch")
    each = [fit_garch(moves, "garch") for moves in RETURNS.T]
    np.testing.assert_allclose(fit.market.volatility, [np.sqrt(one.next_variance / DAY) for one in each])
    assert np.asarray(fit.market.correlation)[0, 1] == pytest.approx(0.7, abs=ALARM * 0.51 / np.sqrt(len(RETURNS)))
    assert (fit.standard_errors["volatility"] > 0).all()
    assert fit.parameters == 9


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"volatility": "now"}, "volatility: must be average, ewma or garch, not 'now'"),
        ({"volatility": "ewma", "decay": 1.0}, "decay: must be below 1, not 1"),
        ({"volatility": "garch"}, "prices: must have at least 250 rows for garch, not 100"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], words: str) -> None:
    """The message names the setting and what would be right."""
    with pytest.raises(kernel.InvalidInput, match=words):
        kernel.Gbm.fit(PRICES[:100], dt=DAY, **settings)  # type: ignore[arg-type]


def test_numbers_that_a_market_does_not_take_are_set_to_the_end() -> None:
    """A step of a billionth of a year gives a volatility beyond every range: it is cut, noted and has no error."""
    fit = kernel.Gbm.fit(PRICES[:, 0], dt=1e-9)
    assert np.asarray(fit.market.volatility)[0] == 100.0
    assert np.isnan(fit.standard_errors["volatility"]).all()
    assert any(note.startswith("volatility would be") for note in fit.notes)


def test_assets_that_move_as_one_are_noted() -> None:
    """A singular correlation is fine for a market; its likelihood has no bound."""
    fit = kernel.Gbm.fit(PRICES[:, [0, 0]], dt=DAY)
    assert fit.notes == ("some assets move as one: the log likelihood has no bound",)
    assert np.isfinite(fit.log_likelihood)

"""Merton's likelihood and its fit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal, norm, poisson

import kernel
from bench.pages.recovery import DAY, TRUTHS, Truth, numbers_of, prices_of
from kernel.fitting import merton
from kernel.fitting.likelihood import Vector
from tests.cases import ALARM

MERTONS = [truth for truth in TRUTHS if isinstance(truth.market, kernel.Merton)]
STARTS = {1: [-1.0, 0.1, -0.3, -0.4, 0.5], 2: [-1.0, 0.1, 0.0, -0.3, 0.4, -0.5, -0.4, 0.2, 0.5, -0.7, 0.3]}


def some_returns(size: int) -> NDArray[np.float64]:
    """Draw fat-tailed returns."""
    return np.random.default_rng(3).standard_t(4, (60, size))


def value_of(theta: Vector, returns: NDArray[np.float64]) -> float:
    """Return the log likelihood alone."""
    return merton.log_likelihood(theta, returns, merton.monomials_of(returns))[0]


@pytest.mark.parametrize("size", [1, 2])
def test_the_likelihood_is_that_of_a_naive_mixture(size: int) -> None:
    """It is the log of a sum over jump counts of Poisson probabilities times normal densities, both SciPy's."""
    theta, returns = np.array(STARTS[size]), some_returns(size)
    own = merton.unpack(theta, size)
    total = 0.0
    for row in returns:
        total += np.log(
            sum(
                poisson.pmf(k, own.intensity)
                * multivariate_normal.pdf(
                    row,
                    own.mean + k * own.jump_mean,
                    own.factor @ own.factor.T + k * own.jump_factor @ own.jump_factor.T,
                )
                for k in range(40)
            )
        )
    assert value_of(theta, returns) == pytest.approx(total, rel=1e-10)


@pytest.mark.parametrize("size", [1, 2])
def test_the_gradient_is_the_likelihoods(size: int) -> None:
    """Finite differences agree with it to their own error."""
    theta, returns = np.array(STARTS[size]), some_returns(size)
    gradient = merton.log_likelihood(theta, returns, merton.monomials_of(returns))[1]
    np.testing.assert_allclose(gradient, approx_fprime(theta, lambda x: value_of(x, returns), 1e-7), atol=2e-3)
    forth, back = ([value_of(theta + way, returns) for way in side * np.eye(theta.size)] for side in (1e-4, -1e-4))
    np.testing.assert_allclose(gradient, (np.array(forth) - back) / 2e-4, atol=1e-5)


@pytest.mark.parametrize("truth", MERTONS, ids=lambda truth: truth.name)
def test_the_truth_is_within_the_stated_errors(truth: Truth) -> None:
    """Every number of a known market is found again within 4.5 of its errors, and those are small."""
    fit = kernel.Merton.fit(prices_of(truth, 77), dt=truth.dt, assets=truth.market.assets)
    errors = dict(numbers_of(fit.standard_errors, fit.market.assets))
    names = fit.standard_errors
    found, true = (
        dict(numbers_of({name: getattr(market, name) for name in names}, market.assets))
        for market in (fit.market, truth.market)
    )
    for name, error in errors.items():
        assert abs(found[name] - true[name]) < ALARM * error, name
    assert errors["jump_intensity"] < 0.5 * found["jump_intensity"]
    assert fit.notes == ()
    assert fit.observations == truth.rows - 1
    assert fit.parameters == len(errors)


def test_laws_are_those_of_the_model() -> None:
    """Density and distribution are the Poisson mixture of the fitted numbers, and the transforms are of them."""
    truth = MERTONS[1]
    prices = prices_of(truth, 5)
    fit = kernel.Merton.fit(prices, dt=DAY)
    market, returns = fit.market, np.diff(np.log(prices[:, 0]))
    mean, deviation = float(market.jump_mean[0]), float(market.jump_volatility[0])  # type: ignore[index, call-overload]
    volatility, drift = float(market.volatility[0]), float(market.drift[0])  # type: ignore[index, call-overload]
    growth = market.jump_intensity * np.expm1(mean + deviation**2 / 2)
    k = np.arange(40)
    weights = poisson.pmf(k, market.jump_intensity * DAY)
    centre = (drift - volatility**2 / 2 - growth) * DAY + k * mean
    spread = np.sqrt(volatility**2 * DAY + k * deviation**2)
    x = np.array([-0.2, -0.01, 0.0, 0.05])
    np.testing.assert_allclose(fit.laws[0].density(x), norm.pdf(x[:, None], centre, spread) @ weights, rtol=1e-9)
    np.testing.assert_allclose(fit.laws[0].cumulative(x), norm.cdf(x[:, None], centre, spread) @ weights, rtol=1e-9)
    np.testing.assert_allclose(fit.transforms[:, 0], fit.laws[0].cumulative(returns))
    assert fit.log_likelihood == pytest.approx(np.log(fit.laws[0].density(returns)).sum())
    assert quad(fit.laws[0].density, -1, 1, limit=200)[0] == pytest.approx(1.0)


def test_a_history_without_jumps_says_so() -> None:
    """Jumps that gain nothing are noted by how little, and have no errors; the volatility stays usable."""
    prices = prices_of(Truth("", kernel.Gbm(assets=["A"], spot=1.0, volatility=0.5), 1_001), 4)
    fit = kernel.Merton.fit(prices, dt=DAY)
    assert any("jumps gain nothing over none" in note for note in fit.notes)
    assert np.isnan(fit.standard_errors["jump_intensity"])
    assert np.isnan(fit.standard_errors["jump_mean"]).all()
    assert fit.market.volatility[0] < 0.55  # type: ignore[index, operator, call-overload]
    gain = fit.log_likelihood - kernel.Gbm.fit(prices, dt=DAY).log_likelihood
    assert 0 <= gain < 4
    assert any(f"by {gain:.2f} alone" in note for note in fit.notes)


def test_duplicated_assets_are_fitted_at_the_bound() -> None:
    """Assets that move as one have a correlation of 1, and a note."""
    one = prices_of(MERTONS[1], 2)[:500]
    fit = kernel.Merton.fit(np.hstack([one, one]), dt=DAY, assets=["A", "B"])
    assert np.asarray(fit.market.correlation)[0, 1] > 0.99
    assert any("volatility of B sits at the bound" in note for note in fit.notes)


def test_a_short_history_is_refused() -> None:
    """Five parameters want more than a handful of returns."""
    with pytest.raises(kernel.InvalidInput, match="at least 31 rows, not 4"):
        kernel.Merton.fit([1.0, 2.0, 1.5, 1.7], dt=DAY)
    with pytest.raises(kernel.InvalidInput, match="must move: asset always makes the same step"):
        kernel.Merton.fit(2.0 ** np.arange(40), dt=DAY)

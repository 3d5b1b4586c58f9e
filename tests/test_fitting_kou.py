"""Kou's density by Fourier inversion, and its fit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.stats import exponnorm, norm, poisson

import kernel
from bench.pages.recovery import DAY, TRUTHS, Truth, numbers_of, prices_of
from kernel.fitting import kou
from kernel.fitting.fourier import grid_for, spline_values, splines
from tests.cases import ALARM

KOUS = [truth for truth in TRUTHS if isinstance(truth.market, kernel.Kou)]
OWN = kou.Parameters(0.3, 0.1, 0.5, 0.4, 0.9, 1.2)


def test_a_density_of_which_the_closed_form_is_known_is_met() -> None:
    """Merton's mixture, through the same transform and splines, is SciPy's to a millionth of its peak."""
    intensity, mean, deviation, jump_mean, jump_deviation = 0.3, 0.1, 0.5, -0.4, 1.5
    grid = grid_for(40.0, 0.5 / 12)
    w = grid.frequencies
    psi = 1j * mean * w - 0.5 * (deviation * w) ** 2
    psi += intensity * (np.exp(1j * jump_mean * w - 0.5 * (jump_deviation * w) ** 2) - 1)
    x, k = np.linspace(-8, 8, 401), np.arange(30)
    exact = norm.pdf(x[:, None], mean + k * jump_mean, np.sqrt(deviation**2 + k * jump_deviation**2))
    found = spline_values(splines(np.exp(psi)[None], grid), grid, x)[:, 0]
    np.testing.assert_allclose(found, exact @ poisson.pmf(k, intensity), atol=1e-6)


def test_kous_density_is_the_inverted_integral() -> None:
    """SciPy's quadrature of the characteristic function, written out anew, gives the same density."""
    intensity, mean, deviation, p, up, down = OWN

    def integrand(w: float, x: float) -> float:
        jumps = p / (1 - 1j * up * w) + (1 - p) / (1 + 1j * down * w) - 1
        return float(np.exp(1j * w * (mean - x) - 0.5 * (deviation * w) ** 2 + intensity * jumps).real / np.pi)

    x = np.array([-6.0, -1.3, 0.0, 0.4, 2.5, 7.0])
    exact = [quad(integrand, 0, 40, args=(one,), limit=400, epsabs=1e-12)[0] for one in x]
    np.testing.assert_allclose(kou.density(OWN, x)[:, 0], exact, atol=1e-6)


def test_rare_jumps_leave_one_at_most() -> None:
    """With few jumps a step the density is a normal and one with an exponential added, SciPy's exponnorm."""
    own = OWN._replace(intensity=1e-4)
    x = np.array([-5.0, -2.0, 0.0, 2.0, 5.0])
    risen = exponnorm.pdf(x, own.up_mean / own.deviation, own.mean, own.deviation)
    fallen = exponnorm.pdf(-x, own.down_mean / own.deviation, -own.mean, own.deviation)
    one = own.up_probability * risen + (1 - own.up_probability) * fallen
    exact = np.exp(-1e-4) * (norm.pdf(x, own.mean, own.deviation) + 1e-4 * one)
    np.testing.assert_allclose(kou.density(own, x)[:, 0], exact, rtol=1e-3, atol=1e-8)


def test_the_gradient_is_the_likelihoods() -> None:
    """Finite differences agree with it, for two assets of one intensity."""
    returns = np.random.default_rng(3).standard_t(4, (60, 2))
    theta = np.array([-1.0, 0.1, -0.6, 0.2, 0.3, 0.1, 0.0, -0.5, -0.3, 0.0, 0.4])
    gradient = kou.log_likelihood(theta, returns)[1]
    differences = approx_fprime(theta, lambda x: kou.log_likelihood(x, returns)[0], 1e-5)
    np.testing.assert_allclose(gradient, differences, atol=5e-3)


@pytest.mark.parametrize("truth", KOUS, ids=lambda truth: truth.name)
def test_the_truth_is_within_the_stated_errors(truth: Truth) -> None:
    """Every number of a known market is found again within 4.5 of its errors, and those are small."""
    fit = kernel.Kou.fit(prices_of(truth, 77), dt=truth.dt, assets=truth.market.assets)
    errors = dict(numbers_of(fit.standard_errors, fit.market.assets))
    found, true = (
        dict(numbers_of({name: getattr(market, name) for name in fit.standard_errors}, market.assets))
        for market in (fit.market, truth.market)
    )
    for name, error in errors.items():
        assert abs(found[name] - true[name]) < ALARM * error, name
    assert errors["jump_intensity"] < 0.3 * found["jump_intensity"]
    assert fit.parameters == len(errors)


def test_laws_are_those_of_the_model() -> None:
    """The density integrates to the distribution and the likelihood, and the transforms are of it."""
    prices = prices_of(KOUS[0], 5)[:1_000]
    fit, returns = kernel.Kou.fit(prices, dt=DAY), np.diff(np.log(prices[:, 0]))
    (law,) = fit.laws
    assert fit.log_likelihood == pytest.approx(np.log(law.density(returns)).sum(), abs=1e-3)
    np.testing.assert_allclose(fit.transforms[:, 0], law.cumulative(returns))
    for low, high in ((-0.1, 0.0), (0.0, 0.05), (-1.0, 1.0)):
        area = quad(law.density, low, high, limit=200, points=[0.0])[0]
        assert law.cumulative(high) - law.cumulative(low) == pytest.approx(area, abs=1e-7)
    assert 0 < fit.transforms.min() < fit.transforms.max() < 1


def test_assets_that_independent_jumps_cannot_tie_are_refused() -> None:
    """Jumps of sizes of their own carry no correlation: assets that move as one are no market of Kou's."""
    one = prices_of(KOUS[0], 2)[:600]
    with pytest.raises(kernel.InvalidInput, match="prices: cannot be fitted by kou together"):
        kernel.Kou.fit(np.hstack([one, one]), dt=DAY)


def test_a_short_history_is_refused() -> None:
    """Six parameters want more than a handful of returns."""
    with pytest.raises(kernel.InvalidInput, match="at least 31 rows, not 4"):
        kernel.Kou.fit([1.0, 2.0, 1.5, 1.7], dt=DAY)

"""Filtered historical simulation fitted to a history: arch is the oracle of its volatility."""

from __future__ import annotations

import numpy as np
import pytest
from arch import arch_model
from scipy.stats import kstest
from scipy.stats import t as student

import kernel
from kernel.fitting.filtered import StudentLaw
from tests.test_choice import DAY, clustered, prices_of

RETURNS = clustered(1_200, 11)


def test_garch_is_that_of_arch() -> None:
    """Parameters, next volatility and residuals are those of arch's fit, at the size that its residuals say."""
    fit = kernel.FilteredHistorical.fit(prices_of(RETURNS), dt=DAY)
    found = arch_model(100 * RETURNS, dist="t").fit(disp="off")
    market, residuals = fit.market, np.asarray(found.std_resid)
    size = np.mean(residuals**2)
    assert market.alpha == pytest.approx(size * found.params["alpha[1]"], rel=1e-2)  # type: ignore[comparison-overlap]
    assert market.beta == pytest.approx(found.params["beta[1]"], rel=1e-2)  # type: ignore[comparison-overlap]
    forecast = size * found.forecast(horizon=1).variance.iloc[-1, 0]
    assert np.asarray(market.volatility)[0] == pytest.approx(np.sqrt(forecast / DAY) / 100, rel=5e-3)
    assert np.abs(np.asarray(market.residuals)[:, 0] - residuals / np.sqrt(size)).max() < 0.02
    assert fit.log_likelihood == pytest.approx(found.loglikelihood + len(RETURNS) * np.log(100), abs=0.05)


def test_known_parameters_are_recovered() -> None:
    """The truth lies within 4.5 stated errors of the estimates, and the volatility of now is no average."""
    fit = kernel.FilteredHistorical.fit(prices_of(clustered(5_000, 12)), dt=DAY)
    for name, truth in (("alpha", 0.12), ("beta", 0.85), ("omega", 4e-4 * 0.03 / DAY)):
        estimate, error = np.asarray(getattr(fit.market, name))[0], fit.standard_errors[name][0]
        assert abs(estimate - truth) < 4.5 * error


def test_ewma_is_the_recursion() -> None:
    """The variance of the next step is that of a loop over the returns, times what their squares are of such variances.

    The variance before the first is the weighted mean of the first 75 squares.
    """
    market = kernel.FilteredHistorical.fit(prices_of(RETURNS), dt=DAY, volatility="ewma", decay=0.97).market
    moves = RETURNS - RETURNS.mean()
    variance, ratios = np.average(moves[:75] ** 2, weights=0.94 ** np.arange(75)), []
    for move in moves:
        ratios.append(move**2 / variance)
        variance = 0.97 * variance + 0.03 * move**2
    size = np.mean(ratios)
    assert size > 1.01
    assert np.asarray(market.volatility)[0] == pytest.approx(np.sqrt(size * variance / DAY), rel=1e-9)
    assert (market.alpha, market.beta, market.omega) == (pytest.approx(0.03 * size), 0.97, 0.0)


def test_simulated_steps_are_the_history_at_the_volatility_of_now() -> None:
    """One step of the market is a residual times the volatility of now: its quantiles are those of the residuals."""
    market = kernel.FilteredHistorical.fit(prices_of(RETURNS), dt=DAY).market
    account = kernel.Account(cash=0.0, positions=[kernel.Linear("asset", 1.0)], maintenance_rate=0.01)
    outcome = kernel.simulate(
        market, account, kernel.Ladder({"call": 1.0}), horizon=DAY, steps=1, paths=200_000, monitoring="discrete"
    )
    moves = np.log(outcome.terminal_price[0] / np.asarray(market.spot)[0])
    steps = np.sqrt(DAY) * np.asarray(market.volatility)[0] * np.asarray(market.residuals)[:, 0]
    for share in (0.01, 0.1, 0.5, 0.9, 0.99):
        level = np.quantile(steps, share)
        centred = moves - moves.mean() + steps.mean()
        assert abs((centred <= level).mean() - share) < 4.5 * np.sqrt(share * (1 - share) / moves.size) + 1e-3


def test_transforms_are_uniform_where_the_model_is_true() -> None:
    """Of returns made by GARCH with Student-t innovations the transforms pass a Kolmogorov-Smirnov test (1e-3)."""
    fit = kernel.FilteredHistorical.fit(prices_of(clustered(3_000, 13)), dt=DAY)
    assert kstest(fit.transforms[:, 0], "uniform").pvalue > 1e-3


def test_the_law_of_a_step_is_a_mixture_of_student_laws() -> None:
    """Density and distribution are SciPy's, averaged over the deviations; the variance is the mean one."""
    law, x = StudentLaw(0.001, np.array([0.01, 0.03]), 6.0), np.linspace(-0.1, 0.1, 9)
    scales = law.deviations * np.sqrt(4 / 6)
    each = [student(6.0, loc=0.001, scale=scale) for scale in scales]
    np.testing.assert_allclose(law.density(x), np.mean([one.pdf(x) for one in each], axis=0))
    np.testing.assert_allclose(law.cumulative(x), np.mean([one.cdf(x) for one in each], axis=0))


@pytest.mark.parametrize(
    ("settings", "field"), [({"volatility": "average"}, "volatility"), ({"volatility": "ewma", "decay": 1.0}, "decay")]
)
def test_wrong_settings_are_named(settings: dict[str, object], field: str) -> None:
    """A method that there is not, and a decay outside (0, 1), are refused by name."""
    with pytest.raises(kernel.InvalidInput) as caught:
        kernel.FilteredHistorical.fit(prices_of(RETURNS), dt=DAY, **settings)  # type: ignore[arg-type]
    assert [problem.field for problem in caught.value.problems] == [field]

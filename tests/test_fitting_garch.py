"""GARCH and EWMA: the recursion, against arch and a naive loop."""

from __future__ import annotations

import sys
from typing import Literal

import numpy as np
import pytest
from arch.univariate import EWMAVariance, ZeroMean, arch_model
from numpy.typing import NDArray
from scipy.stats import t as student

import kernel
from kernel.fitting.garch import fit_garch
from tests.cases import ALARM

TRUTH = {"omega": 4e-5, "alpha": 0.1, "beta": 0.85, "mean": 0.001, "degrees": 6.0}


def simulated(n: int, seed: int) -> NDArray[np.float64]:
    """Draw returns of a GARCH(1,1) with Student-t innovations."""
    shocks = np.random.default_rng(seed).standard_t(6.0, n) * np.sqrt(4 / 6)
    returns, variance = np.empty(n), 8e-4
    for k in range(n):
        move = np.sqrt(variance) * shocks[k]
        returns[k], variance = 0.001 + move, 4e-5 + 0.1 * move**2 + 0.85 * variance
    return returns


RETURNS = simulated(4_000, 1)


def test_the_truth_is_within_the_stated_errors() -> None:
    """Every parameter is found again within 4.5 of its errors."""
    found = fit_garch(RETURNS, "garch")
    for name, value in TRUTH.items():
        assert abs(getattr(found, name) - value) < ALARM * found.standard_errors[name], name
    assert found.notes == ()
    assert found.parameters == 5


def test_variances_are_archs_and_those_of_a_loop() -> None:
    """The variances of all steps and of the next are arch's at the size of the returns, and follow from one another."""
    returns = RETURNS[:1_500]
    found = fit_garch(returns, "garch")
    theirs = arch_model(100 * returns, mean="Constant", vol="GARCH", p=1, q=1, dist="t", rescale=False).fit(disp="off")
    size = np.mean(np.asarray(theirs.std_resid) ** 2)
    np.testing.assert_allclose(np.sqrt(found.variances), np.sqrt(size) * theirs.conditional_volatility / 100, rtol=2e-3)
    ahead = float(theirs.forecast(horizon=1).variance.iloc[-1, 0])
    assert found.next_variance == pytest.approx(size * ahead / 1e4, rel=5e-3)
    assert found.log_likelihood == pytest.approx(theirs.loglikelihood + len(returns) * np.log(100), abs=0.01)
    variance = found.variances[0]
    for k, move in enumerate(returns - found.mean):
        assert variance == pytest.approx(found.variances[k], rel=1e-9)
        variance = found.omega + found.alpha * move**2 + found.beta * variance
    assert variance == pytest.approx(found.next_variance, rel=1e-9)


def test_ewma_is_archs() -> None:
    """Exponentially weighted variances are arch's EWMAVariance at the size of the returns, whatever the decay."""
    moves = RETURNS[:500] - RETURNS[:500].mean()
    for decay in (0.94, 0.8):
        theirs = ZeroMean(100 * moves, volatility=EWMAVariance(decay), rescale=False).fit(disp="off")
        found = fit_garch(RETURNS[:500], "ewma", decay)
        size = np.mean(np.asarray(theirs.std_resid) ** 2)
        np.testing.assert_allclose(found.variances, size * theirs.conditional_volatility**2 / 1e4, rtol=1e-9)
        assert (found.omega, found.alpha, found.beta) == (0.0, pytest.approx(size * (1 - decay)), decay)


def test_ewmas_degrees_are_likeliest() -> None:
    """Among Student-t laws of variance 1 no other degrees make its residuals likelier; the likelihood is theirs."""
    found = fit_garch(RETURNS, "ewma")

    def value(degrees: float) -> float:
        scale = np.sqrt(found.variances * (degrees - 2) / degrees)
        return float(student.logpdf(RETURNS, degrees, found.mean, scale).sum())

    assert found.log_likelihood == pytest.approx(value(found.degrees))
    assert value(found.degrees) > max(value(found.degrees * 1.05), value(found.degrees / 1.05))


@pytest.mark.parametrize("method", ["ewma", "garch"])
def test_residuals_are_the_returns_over_their_volatilities(method: Literal["ewma", "garch"]) -> None:
    """Residual times volatility is the return less the mean, so that nothing is lost of its size; their square is 1."""
    found = fit_garch(RETURNS, method)
    np.testing.assert_allclose(found.residuals * np.sqrt(found.variances), RETURNS - found.mean, atol=1e-15)
    assert np.mean(found.residuals**2) == pytest.approx(1)


def test_the_forecasts_error_is_the_spread_of_forecasts() -> None:
    """Over many histories of the same last month, forecasts stray as the error of one says, within a third."""
    month, forecasts, errors = RETURNS[-60:], [], []
    for seed in range(40):
        found = fit_garch(np.r_[simulated(1_500, 100 + seed), month], "garch")
        forecasts.append(found.next_variance)
        errors.append(found.standard_errors["next_variance"])
    assert np.std(forecasts) == pytest.approx(np.mean(errors), rel=0.35)


def test_independent_returns_are_said_to_show_no_clusters() -> None:
    """Where alpha is 0 the others mean nothing: a note, no errors, and the average as the next variance."""
    returns = np.random.default_rng(1).uniform(-1, 1, 400)
    found = fit_garch(returns, "garch")
    assert any("no clusters" in note for note in found.notes)
    assert np.isnan(found.standard_errors["beta"])
    assert found.next_variance == pytest.approx(returns.var(), rel=0.02)
    assert found.standard_errors["next_variance"] == pytest.approx((returns**2).std() / 20, rel=0.05)


def test_prices_that_stood_still_are_taken() -> None:
    """A long time without any move leaves no variance of 0 to divide by."""
    returns = np.zeros(400)
    returns[200::50], returns[225::50] = 0.01, -0.01
    for method in ("ewma", "garch"):
        found = fit_garch(returns, method)  # type: ignore[arg-type]
        assert (found.variances > 0).all()
        assert np.isfinite(found.residuals).all()
        assert any("volatility is held at a tenth of its average at" in note for note in found.notes)


@pytest.mark.parametrize("halt", [100, 200])
@pytest.mark.parametrize("method", ["ewma", "garch"])
def test_a_halt_does_not_blow_up_what_follows(method: Literal["ewma", "garch"], halt: int) -> None:
    """After three halts filled with the last price the next volatility is still that of the returns, within 30%.

    Left to itself a Student-t likelihood follows such prices down to variances of a 1e-8th.
    """
    returns = 0.02 * np.random.default_rng(1).standard_normal(1_500)
    for first in (300, 600, 900):
        returns[first : first + halt] = 0.0
    found = fit_garch(returns, method)
    assert np.sqrt(found.next_variance) == pytest.approx(0.02, rel=0.3)
    assert np.abs(found.residuals).max() < 25
    degenerate = "the Student-t law degenerates"
    assert any(degenerate in note for note in found.notes) == (method == "garch")


def test_growing_variances_are_said_to_grow() -> None:
    """Alpha and beta beyond 1 are a note with the rate; of returns that go back to an average there is none."""
    found = fit_garch(RETURNS, "ewma")
    assert found.alpha + found.beta > 1
    rate = f"alpha + beta is {found.alpha + found.beta:.5g}: the expected variance grows by "
    assert any(note.startswith(rate) for note in found.growth)
    assert fit_garch(RETURNS, "garch").growth == ()


def test_returns_that_move_as_one_variance_leave_it_where_it_is() -> None:
    """Of equal magnitudes the exponentially weighted variance does not move, and is theirs."""
    found = fit_garch(np.tile([0.01, -0.01], 50), "ewma")
    np.testing.assert_allclose(found.variances, 1e-4)
    assert (found.alpha, found.next_variance) == (pytest.approx(0.06), pytest.approx(1e-4))
    assert "alpha + beta is 1, the end of its range: volatility does not go back to an average" in found.growth


def test_without_arch_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """GARCH without the package that fits it says how to install it."""
    monkeypatch.setitem(sys.modules, "arch", None)
    with pytest.raises(
        kernel.InvalidInput, match=r'garch needs the package arch: pip install "margin-kernel\[garch\]"'
    ):
        fit_garch(RETURNS, "garch")


def test_few_returns_are_refused() -> None:
    """A variance that moves wants a history in which it did."""
    with pytest.raises(kernel.InvalidInput, match="at least 250 rows for garch, not 101"):
        fit_garch(RETURNS[:100], "garch")
    with pytest.raises(kernel.InvalidInput, match="at least 31 rows for ewma, not 11"):
        fit_garch(RETURNS[:10], "ewma")

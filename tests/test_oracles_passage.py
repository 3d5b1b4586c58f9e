"""Check the oracles of first passage and of closing losses against closed forms, transforms, published figures."""

import itertools
import math

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy.stats import multivariate_normal, norm

from bench.oracles import closing, gbm, grid_passage, kou, merton, passage

DRIFT, VOLATILITY, T = 0.05, 0.6, 0.1
NU = DRIFT - 0.5 * VOLATILITY**2
KOU = (0.05, 0.5, 20.0, 0.4, 0.03, 0.05)  # drift, volatility, intensity, up probability, up mean, down mean
MERTON = (0.07, 0.3, 40.0, -0.06, 0.1)  # drift, volatility, intensity, jump mean, jump volatility
NO_JUMPS = passage.normal_jumps(0.0, 0.0, 1.0)


def _merton() -> passage.Diffusion:
    return passage.Diffusion(merton.log_drift(*MERTON), MERTON[1], passage.normal_jumps(*MERTON[2:]))


def _kou() -> passage.Diffusion:
    return passage.Diffusion(kou.law_of(*KOU).log_drift, KOU[1], passage.double_exponential_jumps(*KOU[2:]))


def _normal_exponent(u: NDArray[np.float64]) -> NDArray[np.complex128]:
    return 1j * u * NU - 0.5 * (VOLATILITY * u) ** 2


def _merton_exponent(u: ArrayLike) -> NDArray[np.complex128]:
    return merton.exponent(u, *MERTON)


# --- watched continuously


@pytest.mark.parametrize("barrier", [-0.3, -0.02, 0.15])
def test_passage_without_jumps_is_gbms(barrier: float) -> None:
    """At zero intensity the probability and the median time are the closed forms of geometric Brownian motion."""
    law = passage.Diffusion(NU, VOLATILITY, NO_JUMPS)
    expected = gbm.hit_probability(barrier, NU, VOLATILITY, T)
    assert passage.hit_probability(barrier, law, T) == pytest.approx(expected, abs=1e-8)
    median = gbm.hit_time_quantile(barrier, NU, VOLATILITY, T, 0.5)
    assert passage.hit_time_quantile(barrier, law, T, 0.5) == pytest.approx(median, rel=1e-6)


@pytest.mark.parametrize("barrier", [-0.2, -0.03, 0.1])
@pytest.mark.parametrize("t", [0.002, 0.1])
def test_passage_with_double_exponential_jumps_is_kou_and_wangs(barrier: float, t: float) -> None:
    """With Kou's jumps the probability is that of Kou and Wang's (2003) transform."""
    expected = kou.hit_probability(barrier, *KOU, t)
    assert passage.hit_probability(barrier, _kou(), t) == pytest.approx(expected, abs=1e-8)


def test_passage_is_the_published_figure() -> None:
    """The probability is that of Kou and Wang's (2003) numerical example, at its five digits."""
    law = passage.Diffusion(0.1, 0.2, passage.double_exponential_jumps(3.0, 0.5, 0.02, 0.03))
    assert round(passage.hit_probability(0.3, law, 1.0), 5) == 0.25584


def _limit_of_grids(barrier: float, coarsest: int, grids: int) -> float:
    """Extrapolate grids, each fourfold finer: their error is a series in the root of a step (Richardson 1911)."""
    steps = [coarsest * 4**k for k in range(grids)]
    found = [grid_passage.hit_probabilities(barrier, _merton_exponent, T, n, 1.8)[-1] for n in steps]
    for power in range(1, grids):
        found = [(2**power * fine - coarse) / (2**power - 1) for coarse, fine in itertools.pairwise(found)]
    return float(found[0])


@pytest.mark.parametrize("barrier", [-0.2, 0.1])
def test_passage_with_normal_jumps_is_the_limit_of_grids(barrier: float) -> None:
    """With Merton's jumps it is what the grid's own transform tends to."""
    assert passage.hit_probability(barrier, _merton(), T) == pytest.approx(_limit_of_grids(barrier, 50, 3), abs=5e-5)


@pytest.mark.slow
@pytest.mark.parametrize("barrier", [-0.2, 0.1])
def test_passage_with_normal_jumps_is_the_limit_of_fine_grids(barrier: float) -> None:
    """On finer grids the two meet to six digits."""
    assert passage.hit_probability(barrier, _merton(), T) == pytest.approx(_limit_of_grids(barrier, 100, 4), abs=1e-6)


# --- watched on a grid


def test_grid_passage_of_two_steps_is_bivariate_normal() -> None:
    """After one and two steps the probability is that of a normal and of a bivariate normal."""
    found = grid_passage.hit_probabilities(-0.08, _normal_exponent, T, 2, 2.0)
    variance = VOLATILITY**2 * T / 2
    below = norm.cdf((-0.08 - NU * T / 2) / math.sqrt(variance))
    above = multivariate_normal([-NU * T / 2, -NU * T], variance * np.array([[1, 1], [1, 2]]), maxpts=10**6)
    np.testing.assert_allclose(found, [below, 1.0 - float(above.cdf([0.08, 0.08]))], atol=1e-9)


@pytest.mark.parametrize("barrier", [-0.2, 0.1])
def test_grid_passage_of_one_step_is_mertons_close(barrier: float) -> None:
    """After one step the probability is that of the close, by Merton's series."""
    (found,) = grid_passage.hit_probabilities(barrier, _merton_exponent, T, 1, 2.5)
    below = merton.close_distribution(barrier, *MERTON, T)
    assert found == pytest.approx(below if barrier < 0.0 else 1.0 - below, abs=1e-10)


@pytest.mark.parametrize("barrier", [-0.1, 0.12])
def test_grid_passage_meets_the_continuity_correction(barrier: float) -> None:
    """A fine grid hits as often as continuous monitoring of a barrier moved by Broadie, Glasserman and Kou (1997)."""
    found = grid_passage.hit_probabilities(barrier, _normal_exponent, T, 1_000, 2.0)[-1]
    moved = grid_passage.corrected(barrier, VOLATILITY, T / 1_000)
    assert found == pytest.approx(float(gbm.hit_probability(moved, NU, VOLATILITY, T)), abs=1e-4)
    assert abs(found - float(gbm.hit_probability(barrier, NU, VOLATILITY, T))) > 5e-3


# --- losses at the horizon


@pytest.mark.parametrize("quantity", [2.0, -1.0])
def test_losses_of_a_normal_return_are_gbms(quantity: float) -> None:
    """From the normal's characteristic function VaR and ES are the lognormal closed forms, long and short."""
    law = (lambda u: np.exp(T * (1j * u * NU - 0.5 * (VOLATILITY * u) ** 2)), 3.0)
    position = (0.99, quantity, 100.0)
    closed = (*position, 100.0, DRIFT, VOLATILITY, T)
    assert closing.value_at_risk(*position, *law) == pytest.approx(gbm.value_at_risk(*closed), rel=1e-9)
    assert closing.expected_shortfall(*position, *law) == pytest.approx(gbm.expected_shortfall(*closed), rel=1e-9)


def test_losses_of_normal_jumps_are_mertons() -> None:
    """From its characteristic function Merton's VaR and ES are those of the Poisson mixture."""
    law = (lambda u: complex(np.exp(T * _merton_exponent(u))), 4.0)
    expected = merton.value_at_risk(0.99, 100.0, *MERTON, T)
    assert closing.value_at_risk(0.99, 1.0, 100.0, *law) == pytest.approx(expected, rel=1e-9)
    expected = merton.expected_shortfall(0.99, 100.0, *MERTON, T)
    assert closing.expected_shortfall(0.99, 1.0, 100.0, *law) == pytest.approx(expected, rel=1e-9)


def test_kous_closing_law_prices_his_published_call() -> None:
    """The closing law prices the call of Kou (2002), A jump-diffusion model for option pricing, section 5: 9.14732."""
    rate, volatility, intensity, up, up_mean, down_mean, t = 0.05, 0.16, 1.0, 0.4, 0.1, 0.2, 0.5
    law = kou.law_of(rate, volatility, intensity, up, up_mean, down_mean)
    strike = math.log(98.0 / 100.0)

    def characteristic(u: complex) -> complex:
        return complex(np.exp(t * kou.exponent(u, law)))

    above = 1.0 - closing.distribution(strike, characteristic)
    asset = math.exp(rate * t) - closing.growth_below(strike, characteristic)
    assert round(math.exp(-rate * t) * (100.0 * asset - 98.0 * above), 5) == 9.14732

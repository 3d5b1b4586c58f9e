"""Check the oracles against a third party: published figures, QuantLib, quadrature, a difference scheme, limits."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import QuantLib as ql
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.stats import invgauss, lognorm, norm

from bench.oracles import gbm, kou, merton

SPOT = 100.0
DRIFT, VOLATILITY = 0.05, 0.6
NU = DRIFT - 0.5 * VOLATILITY**2
MERTON = (0.07, 0.3, 4.0, -0.06, 0.1, 0.4)  # drift, volatility, intensity, jump mean, jump volatility, years
KOU = (0.05, 0.5, 20.0, 0.4, 0.03, 0.05)  # drift, volatility, intensity, up probability, up mean, down mean
KOU_WANG = kou.Law(0.1, 0.2, 3.0, 0.5, 0.02, 0.03)


def _black_process(drift: float, volatility: float) -> ql.BlackScholesMertonProcess:
    """Return QuantLib's geometric Brownian motion from SPOT with `drift` as the riskless rate."""
    today, days = ql.Settings.instance().evaluationDate, ql.Actual365Fixed()
    quote = ql.QuoteHandle(ql.SimpleQuote(SPOT))
    none = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, days))
    rate = ql.YieldTermStructureHandle(ql.FlatForward(today, drift, days))
    vol = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), volatility, days))
    return ql.BlackScholesMertonProcess(quote, none, rate, vol)


def _paid_at_expiry(days: int) -> ql.AmericanExercise:
    today = ql.Settings.instance().evaluationDate
    return ql.AmericanExercise(today, today + days, True)


# --- geometric Brownian motion


@pytest.mark.parametrize("barrier", [-0.4, -0.05, 0.03, 0.5])
@pytest.mark.parametrize("days", [2, 73])
def test_gbm_hit_probability_is_quantlibs_one_touch(barrier: float, days: int) -> None:
    """The hit probability is the undiscounted one-touch paid at expiry."""
    kind = ql.Option.Put if barrier < 0.0 else ql.Option.Call
    option = ql.VanillaOption(ql.CashOrNothingPayoff(kind, SPOT * math.exp(barrier), 1.0), _paid_at_expiry(days))
    option.setPricingEngine(ql.AnalyticDigitalAmericanEngine(_black_process(DRIFT, VOLATILITY)))
    expected = option.NPV() * math.exp(DRIFT * days / 365)
    assert gbm.hit_probability(barrier, NU, VOLATILITY, days / 365) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_gbm_hit_probability_is_inverse_gaussian_with_drift_to_the_barrier(side: float) -> None:
    """Under a drift towards the barrier the hitting time is inverse Gaussian, at every time of an array."""
    times = np.array([0.0, 0.01, 0.1, 1.0, 30.0])
    law = _hitting_time(0.2, 0.3, 0.5)
    np.testing.assert_allclose(gbm.hit_probability(side * 0.2, side * 0.3, 0.5, times), law.cdf(times), atol=1e-13)


def _hitting_time(distance: float, rate: float, sigma: float) -> invgauss:
    """Return scipy's inverse Gaussian of mean distance / rate and shape (distance / sigma)^2."""
    shape = (distance / sigma) ** 2
    return invgauss(distance / rate / shape, scale=shape)


def test_gbm_hit_probability_at_the_edges() -> None:
    """A barrier at spot is hit at once, any other not at time 0, and far ones under strong drift do not overflow."""
    assert gbm.hit_probability(0.0, NU, VOLATILITY, 0.0) == 1.0
    assert gbm.hit_probability(-0.1, NU, VOLATILITY, 0.0) == 0.0
    assert gbm.hit_probability(50.0, 40.0, 0.1, 2.0) == pytest.approx(1.0)


@pytest.mark.parametrize(("barrier", "close"), [(-0.2, -0.1), (-0.2, 0.3), (-0.2, -0.3), (0.15, -0.2), (0.15, 0.1)])
def test_gbm_survival_and_close_is_quantlibs_knock_out_digital(barrier: float, close: float) -> None:
    """The joint probability of survival and a low close is the undiscounted knock-out digital put."""
    days = 73
    kind = ql.Barrier.DownOut if barrier < 0.0 else ql.Barrier.UpOut
    payoff = ql.CashOrNothingPayoff(ql.Option.Put, SPOT * math.exp(close), 1.0)
    option = ql.BarrierOption(kind, SPOT * math.exp(barrier), 0.0, payoff, _paid_at_expiry(days))
    option.setPricingEngine(ql.AnalyticBinaryBarrierEngine(_black_process(DRIFT, VOLATILITY)))
    expected = option.NPV() * math.exp(DRIFT * days / 365)
    assert gbm.survival_and_close(barrier, close, NU, VOLATILITY, days / 365) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("barrier", [-0.2, 0.15])
def test_gbm_survival_with_any_close_complements_the_hit(barrier: float) -> None:
    """Survival with any close and a hit are each other's complement."""
    survival = gbm.survival_and_close(barrier, math.inf, NU, VOLATILITY, 0.3)
    assert survival + gbm.hit_probability(barrier, NU, VOLATILITY, 0.3) == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("q", [0.001, 0.5, 0.999, 1.0])
def test_gbm_hit_time_quantile_is_inverse_gaussian(q: float) -> None:
    """The quantile given a hit by t is the inverse Gaussian's at q times its distribution at t."""
    law = _hitting_time(0.2, 0.3, 0.5)
    expected = law.ppf(q * law.cdf(1.5))
    assert gbm.hit_time_quantile(-0.2, -0.3, 0.5, 1.5, q) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("upper", "lower"), [(-0.02, -0.05), (-0.1, -0.3), (-0.3, -0.31)])
@pytest.mark.parametrize("nu", [-2.0, -0.1, 2.0])
def test_gbm_joint_hit_probability_counts_late_first_hits(upper: float, lower: float, nu: float) -> None:
    """Hits of the lower barrier by t split into those whose first tier fell by s and those that survived s."""
    s, t = 0.05, 0.2

    def late(x: float) -> float:
        alive = -math.expm1(-2.0 * upper * (upper - x) / (VOLATILITY**2 * s))
        density = norm.pdf(x, nu * s, VOLATILITY * math.sqrt(s)) * alive
        return float(density * gbm.hit_probability(lower - x, nu, VOLATILITY, t - s))

    centre, spread = max(upper, nu * s), VOLATILITY * math.sqrt(s)
    top = centre + 10.0 * spread
    survivors = quad(late, upper, top, epsabs=1e-12, points=[centre, centre + spread], limit=200)[0]
    expected = gbm.hit_probability(lower, nu, VOLATILITY, t) - survivors
    assert gbm.joint_hit_probability(upper, lower, nu, VOLATILITY, s, t) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("upper", [-1e-5, -0.1, -0.299])
def test_gbm_joint_hit_probability_by_one_date_is_the_deeper_tiers(upper: float) -> None:
    """With one date for both tiers the deeper hit implies the other, however near spot or deep the other lies."""
    expected = gbm.hit_probability(-0.3, NU, VOLATILITY, 0.2)
    assert gbm.joint_hit_probability(upper, -0.3, NU, VOLATILITY, 0.2, 0.2) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("quantity", [2.5, -1.5])
def test_gbm_tail_losses_follow_from_the_close(quantity: float) -> None:
    """VaR is the loss at a lognormal quantile; ES adds to it Black's option on the loss beyond, over 1 - level."""
    level, t, entry, cash = 0.975, 0.1, 90.0, 40.0
    close = lognorm(VOLATILITY * math.sqrt(t), scale=SPOT * math.exp(NU * t))
    strike = float(close.ppf(1.0 - level if quantity > 0.0 else level))
    var = -(quantity * (strike - entry) + cash)
    kind = ql.Option.Put if quantity > 0.0 else ql.Option.Call
    beyond = ql.blackFormula(kind, strike, SPOT * math.exp(DRIFT * t), VOLATILITY * math.sqrt(t))
    position = (level, quantity, entry, SPOT, DRIFT, VOLATILITY, t, cash)
    assert gbm.value_at_risk(*position) == pytest.approx(var, rel=1e-12)
    assert gbm.expected_shortfall(*position) == pytest.approx(var + abs(quantity) * beyond / (1.0 - level), rel=1e-10)


# --- Merton


@pytest.mark.parametrize(
    ("strike", "days", "intensity", "gamma", "expected"),
    [
        (80.0, 36, 1.0, 0.25, 20.67),
        (90.0, 90, 5.0, 0.25, 12.75),
        (100.0, 90, 1.0, 0.50, 5.58),
        (110.0, 36, 5.0, 0.50, 0.58),
        (120.0, 180, 1.0, 0.50, 2.15),
        (80.0, 180, 1.0, 0.75, 23.86),
    ],
)
def test_merton_price_is_haugs(strike: float, days: int, intensity: float, gamma: float, expected: float) -> None:
    """Discounted calls are those of Haug (1998), page 9, where jumps carry the share gamma of a variance of 0.25^2."""
    rate, t, jump_volatility = 0.08, days / 360, 0.25 * math.sqrt(gamma / intensity)
    diffusion = 0.25 * math.sqrt(1.0 - gamma)
    jumps = (intensity, -0.5 * jump_volatility**2, jump_volatility)
    payoff = merton.price("call", SPOT, strike, rate, diffusion, *jumps, t)
    assert payoff * math.exp(-rate * t) == pytest.approx(expected, abs=1e-2)


@pytest.mark.parametrize("strike", [80.0, 100.0, 130.0])
@pytest.mark.parametrize("kind", ["call", "put"])
def test_merton_price_is_quantlibs_bates_with_still_variance(kind: str, strike: float) -> None:
    """Bates's model whose variance hardly moves prices as Merton's."""
    drift, volatility, intensity, jump_mean, jump_volatility, t = MERTON
    process = _black_process(drift, volatility)
    curves = (process.riskFreeRate(), process.dividendYield(), process.stateVariable())
    still = (volatility**2, 1.0, volatility**2, 1e-3, 0.0)
    bates = ql.BatesProcess(*curves, *still, intensity, jump_mean, jump_volatility)
    today = ql.Settings.instance().evaluationDate
    exercise = ql.EuropeanExercise(today + round(365 * t))
    side = ql.Option.Call if kind == "call" else ql.Option.Put
    option = ql.VanillaOption(ql.PlainVanillaPayoff(side, strike), exercise)
    option.setPricingEngine(ql.BatesEngine(ql.BatesModel(bates), 144))
    expected = option.NPV() * math.exp(drift * t)
    payoff = merton.price("call" if kind == "call" else "put", SPOT, strike, *MERTON)
    assert payoff == pytest.approx(expected, abs=2e-5)


def test_merton_price_keeps_parity_and_loses_its_jumps() -> None:
    """Call less put is forward less strike, and at zero intensity the call is Black's."""
    drift, volatility, _, jump_mean, jump_volatility, t = MERTON
    forward = SPOT * math.exp(drift * t)
    parity = merton.price("call", SPOT, 90.0, *MERTON) - merton.price("put", SPOT, 90.0, *MERTON)
    assert parity == pytest.approx(forward - 90.0, abs=1e-10)
    black = ql.blackFormula(ql.Option.Call, 90.0, forward, volatility * math.sqrt(t))
    still = merton.price("call", SPOT, 90.0, drift, volatility, 0.0, jump_mean, jump_volatility, t)
    assert still == pytest.approx(black, rel=1e-12)


@pytest.mark.parametrize("x", [-0.5, -0.1, 0.02, 0.4])
def test_merton_close_distribution_inverts_the_characteristic_function(x: float) -> None:
    """The distribution of the log return is Gil-Pelaez's (1951) integral of its characteristic function."""
    drift, volatility, intensity, m, s, t = MERTON
    nu = drift - 0.5 * volatility**2 - intensity * (math.exp(m + 0.5 * s**2) - 1.0)

    def integrand(u: float) -> float:
        jump = np.exp(1j * u * m - 0.5 * (s * u) ** 2) - 1.0
        exponent = t * (1j * u * nu - 0.5 * (volatility * u) ** 2 + intensity * jump)
        return float(np.imag(np.exp(exponent - 1j * u * x)) / u)

    expected = 0.5 - quad(integrand, 0.0, 60.0, epsabs=1e-12, limit=400)[0] / math.pi
    assert merton.close_distribution(x, *MERTON) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("level", [0.9, 0.99])
def test_merton_tail_losses_follow_from_the_distribution(level: float) -> None:
    """P(close below spot - VaR) is 1 - level, and ES integrates the distribution below that close."""
    var = merton.value_at_risk(level, SPOT, *MERTON)
    cut = math.log1p(-var / SPOT)
    assert merton.close_distribution(cut, *MERTON) == pytest.approx(1.0 - level, abs=1e-12)
    beyond = quad(lambda x: SPOT * math.exp(x) * merton.close_distribution(x, *MERTON), cut - 5.0, cut, epsabs=1e-10)
    expected = var + beyond[0] / (1.0 - level)
    assert merton.expected_shortfall(level, SPOT, *MERTON) == pytest.approx(expected, rel=1e-9)


def test_merton_tail_losses_without_jumps_are_gbms() -> None:
    """At zero intensity VaR and ES are those of geometric Brownian motion."""
    still = (0.99, SPOT, DRIFT, VOLATILITY, 0.0, -0.1, 0.2, 0.1)
    position = (0.99, 1.0, SPOT, SPOT, DRIFT, VOLATILITY, 0.1)
    assert merton.value_at_risk(*still) == pytest.approx(gbm.value_at_risk(*position), rel=1e-11)
    assert merton.expected_shortfall(*still) == pytest.approx(gbm.expected_shortfall(*position), rel=1e-11)


# --- Kou


def _backward_equation(law: kou.Law, barrier: float, t: float, cells: int, touch: float, overshoot: float) -> float:
    """Return P(hit `barrier` > 0 by `t`) from the backward equation u' = A u + c on `cells` cells below the barrier.

    `touch` is the payment for creeping up to the barrier, 1 that for jumping more than `overshoot` beyond it. The
    generator is differenced to second order over ten barriers' depth; time is exact, by the matrix exponential.
    """
    width = 10.0 * barrier / cells
    distance: NDArray[np.float64] = width * np.arange(1, cells, dtype=np.float64)

    def reached(y: NDArray[np.float64]) -> NDArray[np.float64]:
        up = 1.0 - law.up_probability * np.exp(-np.maximum(y, 0.0) / law.up_mean)
        return np.where(y >= 0.0, up, (1.0 - law.up_probability) * np.exp(np.minimum(y, 0.0) / law.down_mean))

    rise = distance[:, None] - distance[None, :]
    generator = law.intensity * (reached(rise + width / 2) - reached(rise - width / 2) - np.eye(cells - 1))
    spread, pull = 0.5 * law.volatility**2 / width**2, 0.5 * law.log_drift / width
    generator += (spread + pull) * np.eye(cells - 1, k=-1) + (spread - pull) * np.eye(cells - 1, k=1)
    generator -= 2.0 * spread * np.eye(cells - 1)
    source = law.intensity * (1.0 - reached(distance + overshoot))
    half_cell = law.intensity * (reached(distance) - reached(distance - width / 2))
    source += touch * half_cell
    source[0] += touch * (spread + pull)
    settled = np.linalg.solve(generator, -source)
    return float((settled - expm(generator * t) @ settled)[cells // 10 - 1])


def _extrapolated(law: kou.Law, barrier: float, t: float, touch: float = 1.0, overshoot: float = 0.0) -> float:
    """Return `_backward_equation` with the error of second order in the cell removed (Richardson 1911)."""
    coarse, fine = (_backward_equation(law, barrier, t, cells, touch, overshoot) for cells in (160, 320))
    return fine + (fine - coarse) / 3.0


def test_kou_hit_probability_is_the_published_figure() -> None:
    """The first passage probability is that of Kou and Wang's (2003) numerical example, at its five digits."""
    assert round(kou.hit_probability_of(0.3, KOU_WANG, 1.0), 5) == 0.25584


def test_kou_hit_probability_solves_the_backward_equation() -> None:
    """The inverted transform solves the integro-differential equation, in Kou and Wang's example too."""
    assert kou.hit_probability_of(0.3, KOU_WANG, 1.0) == pytest.approx(_extrapolated(KOU_WANG, 0.3, 1.0), abs=2e-6)


@pytest.mark.parametrize("barrier", [-0.2, 0.2])
def test_kou_hit_probability_reflects_for_a_lower_barrier(barrier: float) -> None:
    """Either sign of the barrier solves the backward equation, mirrored by hand for the lower one."""
    law = _mirrored_by_hand(barrier)
    assert kou.hit_probability(barrier, *KOU, 0.1) == pytest.approx(_extrapolated(law, 0.2, 0.1), abs=2e-6)


@pytest.mark.parametrize("barrier", [-0.2, 0.2])
@pytest.mark.parametrize("overshoot", [0.0, 0.03])
def test_kou_hit_by_jump_solves_the_backward_equation(barrier: float, overshoot: float) -> None:
    """The share of hits that jump well past the barrier solves the equation that pays only for such jumps."""
    expected = _extrapolated(_mirrored_by_hand(barrier), 0.2, 0.1, 0.0, overshoot)
    assert kou.hit_by_jump_probability(barrier, *KOU, 0.1, overshoot) == pytest.approx(expected, abs=2e-6)


def _mirrored_by_hand(barrier: float) -> kou.Law:
    drift, volatility, intensity, up, up_mean, down_mean = KOU
    jump_growth = up / (1.0 - up_mean) + (1.0 - up) / (1.0 + down_mean) - 1.0
    nu = drift - 0.5 * volatility**2 - intensity * jump_growth
    if barrier > 0.0:
        return kou.Law(nu, volatility, intensity, up, up_mean, down_mean)
    return kou.Law(-nu, volatility, intensity, 1.0 - up, down_mean, up_mean)


def test_kou_inversion_agrees_with_fourier_series() -> None:
    """Stehfest's sum on the real line agrees with de Hoog's Fourier series on a complex one."""
    law = kou.law_of(*KOU)
    expected = mpmath.invertlaplace(lambda a: kou.hit_transform(a, 0.1, law) / a, 0.02, method="dehoog", degree=24)
    assert kou.hit_probability(0.1, *KOU, 0.02) == pytest.approx(float(expected), abs=1e-9)


@pytest.mark.parametrize(("barrier", "t"), list(itertools.product([-0.3, -0.05, 0.1], [0.002, 0.5])))
def test_kou_without_jumps_is_gbm(barrier: float, t: float) -> None:
    """At zero intensity the hit probability is the closed form of geometric Brownian motion."""
    expected = gbm.hit_probability(barrier, NU, VOLATILITY, t)
    assert kou.hit_probability(barrier, DRIFT, VOLATILITY, 0.0, *KOU[3:], t) == pytest.approx(expected, abs=1e-9)


def test_kou_one_sided_jumps_never_jump_over_the_other_barrier() -> None:
    """Without upward jumps an upper barrier is only ever crept up to, yet still hit."""
    down_only = (*KOU[:3], 0.0, *KOU[4:])
    assert kou.hit_by_jump_probability(0.1, *down_only, 0.1) == 0.0
    assert kou.hit_probability(0.1, *down_only, 0.1) == pytest.approx(
        _extrapolated(kou.law_of(*down_only), 0.1, 0.1), abs=2e-6
    )


@pytest.mark.parametrize("n", [1, 2, 3])
def test_kou_log_moment_differentiates_the_cumulant_function(n: int) -> None:
    """Cumulants are derivatives at 0 of the log of E[return^x], whose value at 1 is the compensated growth."""
    drift, volatility, intensity, up, up_mean, down_mean = KOU
    t = 0.25
    nu = (kou.log_moment(1, *KOU, t) / t) - intensity * (up * up_mean - (1.0 - up) * down_mean)

    def cumulants(x: mpmath.mpf) -> mpmath.mpf:
        rise = mpmath.quad(lambda y: mpmath.exp(x * y - y / up_mean), [0, 1, mpmath.inf]) / up_mean
        fall = mpmath.quad(lambda y: mpmath.exp(-x * y - y / down_mean), [0, 1, mpmath.inf]) / down_mean
        return t * (nu * x + (volatility * x) ** 2 / 2 + intensity * (up * rise + (1.0 - up) * fall - 1))

    assert float(cumulants(mpmath.mpf(1))) == pytest.approx(drift * t, abs=1e-10)
    assert kou.log_moment(n, *KOU, t) == pytest.approx(float(mpmath.diff(cumulants, 0, n)), rel=1e-6)

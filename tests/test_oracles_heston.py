"""Check the transforms of Heston's and Bates's models, and the naive walk under them, against third parties."""

from __future__ import annotations

import math

import numpy as np
import pytest
import QuantLib as ql
from scipy.integrate import quad

from bench.oracles import gbm, heston, merton, quantlib_heston
from bench.oracles.heston import PUBLISHED, Law, Published
from bench.oracles.quantlib_heston import SPOT
from tests.cases import ALARM, strays
from tests.naive_heston import heston_paths

MILD = Law(0.09, 2.0, 0.08, 0.3, -0.4, 0.05)
CRYPTO = Law(0.5, 3.0, 0.5, 1.5, -0.3, 0.1)
BATES = CRYPTO._replace(jump_intensity=20.0, jump_mean=-0.02, jump_volatility=0.05)
# A variance of 0.25 that hardly moves, without jumps; and Merton's jumps.
STILL = Law(0.25, 1.0, 0.25, 1e-6, 0.0, 0.07)
JUMPS = (4.0, -0.06, 0.1)


# --- the transforms


@pytest.mark.parametrize("case", PUBLISHED.values(), ids=PUBLISHED.keys())
def test_heston_price_is_the_published_figure(case: Published) -> None:
    """The call is the printed one to its last digit."""
    price = heston.price("call", SPOT, case.strike, case.law, case.t, case.discount_rate)
    assert price == pytest.approx(case.price, abs=case.tolerance)


@pytest.mark.parametrize("case", PUBLISHED.values(), ids=PUBLISHED.keys())
def test_heston_published_figure_is_quantlibs(case: Published) -> None:
    """QuantLib's engines give the printed figures from the same parameters: neither was misread."""
    price = quantlib_heston.call(case.strike, case.law, round(365 * case.t), case.discount_rate)
    assert price == pytest.approx(case.price, abs=max(case.tolerance, 1e-9))


@pytest.mark.parametrize("law", [MILD, CRYPTO, BATES], ids=["mild", "crypto", "bates"])
@pytest.mark.parametrize("days", [5, 30, 730])
@pytest.mark.parametrize("strike", [85.0, 100.0, 110.0])
def test_heston_price_is_quantlibs(strike: float, days: int, law: Law) -> None:
    """The call is QuantLib's, from days to years, with jumps and without."""
    expected = quantlib_heston.call(strike, law, days)
    assert heston.price("call", SPOT, strike, law, days / 365) == pytest.approx(expected, abs=1e-7)


def test_heston_price_keeps_parity() -> None:
    """Call less put is the discounted forward less the discounted strike."""
    call, put = (heston.price(kind, SPOT, 90.0, BATES, 0.4, 0.03) for kind in ("call", "put"))
    assert call - put == pytest.approx(math.exp(-0.012) * (SPOT * math.exp(BATES.drift * 0.4) - 90.0), abs=1e-11)


@pytest.mark.parametrize("strike", [80.0, 100.0, 130.0])
def test_heston_of_still_variance_is_merton(strike: float) -> None:
    """A variance that hardly moves leaves Merton's price, and without jumps Black's."""
    law = STILL._replace(jump_intensity=JUMPS[0], jump_mean=JUMPS[1], jump_volatility=JUMPS[2])
    for still, jumps in ((law, JUMPS), (STILL, (0.0, 0.0, 0.0))):
        expected = merton.price("call", SPOT, strike, still.drift, 0.5, *jumps, 0.4)
        assert heston.price("call", SPOT, strike, still, 0.4) == pytest.approx(expected, abs=1e-10)
        x = math.log(strike / SPOT)
        expected = merton.close_distribution(x, still.drift, 0.5, *jumps, 0.4)
        assert heston.close_distribution(x, still, 0.4) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("x", [-0.4, -0.1, 0.0, 0.25])
@pytest.mark.parametrize("days", [5, 365])
def test_heston_close_distribution_is_quantlibs(x: float, days: int) -> None:
    """The distribution of the log return is that of QuantLib's risk-neutral density calculator."""
    quantlib = ql.HestonRNDCalculator(
        ql.HestonProcess(*quantlib_heston.curves(CRYPTO.drift), *CRYPTO[:5]), 1e-10, 100_000
    )
    expected = quantlib.cdf(math.log(SPOT) + x, days / 365)
    assert heston.close_distribution(x, CRYPTO, days / 365) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("law", [MILD, CRYPTO, BATES], ids=["mild", "crypto", "bates"])
def test_heston_put_integrates_the_close_distribution(law: Law) -> None:
    """A put is the integral of the distribution of the closing price up to its strike."""
    strike, t = 95.0, 0.1
    cut = math.log(strike / SPOT)
    expected = quad(lambda x: SPOT * math.exp(x) * heston.close_distribution(x, law, t), cut - 6.0, cut, epsabs=1e-9)
    assert heston.price("put", SPOT, strike, law, t) == pytest.approx(expected[0], abs=1e-8)


# --- the naive walk


@pytest.mark.parametrize("law", [MILD, BATES], ids=["mild", "bates"])
def test_naive_heston_closes_as_the_transform_says(law: Law) -> None:
    """Calls and the distribution of the close are the transform's within Monte Carlo error, and so is the mean."""
    horizon = 20 / 365
    close = heston_paths(law, horizon, steps=100, paths=200_000, seed=1).close
    prices = SPOT * np.exp(close)
    for strike in (0.0, 95.0, 100.0, 108.0):
        payoffs = np.maximum(prices - strike, 0.0)
        forward = SPOT * math.exp(law.drift * horizon)
        expected = heston.price("call", SPOT, strike, law, horizon) if strike else forward
        assert strays(float(payoffs.mean()), expected, float(payoffs.std()) / math.sqrt(payoffs.size)) < ALARM
    for x in (-0.1, 0.0, 0.05):
        expected = heston.close_distribution(x, law, horizon)
        error = math.sqrt(expected * (1.0 - expected) / close.size)
        assert strays(float(np.mean(close <= x)), expected, error) < ALARM


def test_naive_heston_hits_as_often_as_quantlib_says() -> None:
    """First passage under stochastic volatility is that of QuantLib's difference scheme."""
    days, barriers = 10, [math.log(0.95), math.log(0.85)]
    hit = heston_paths(CRYPTO, days / 365, steps=140, paths=200_000, seed=2, barriers=barriers).hit
    for barrier, hits in zip(barriers, hit, strict=True):
        expected = quantlib_heston.hit_probability(barrier, CRYPTO, days)
        assert strays(float(hits.mean()), expected, float(hits.std()) / math.sqrt(hits.size)) < ALARM


def test_naive_heston_of_still_variance_hits_as_gbm() -> None:
    """Under a variance that hardly moves the bridges make first passage exact on any grid."""
    horizon = 20 / 365
    (hits,) = heston_paths(STILL, horizon, steps=4, paths=200_000, seed=3, barriers=[-0.1]).hit
    expected = float(gbm.hit_probability(-0.1, STILL.drift - 0.125, 0.5, horizon))
    assert strays(float(hits.mean()), expected, float(hits.std()) / math.sqrt(hits.size)) < ALARM


def test_naive_heston_jumps_past_the_barrier() -> None:
    """Without diffusion the barrier falls to the first jump: one minus the chance of none."""
    law = Law(1e-12, 1.0, 1e-12, 1e-9, 0.0, jump_intensity=10.0, jump_mean=-1.0, jump_volatility=1e-6)
    (hits,) = heston_paths(law, 0.05, steps=100, paths=20_000, seed=4, barriers=[-0.4]).hit
    expected = -math.expm1(-0.5)
    assert strays(float(hits.mean()), expected, math.sqrt(expected * (1.0 - expected) / 20_000)) < ALARM

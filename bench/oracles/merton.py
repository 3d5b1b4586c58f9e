"""Closing prices of Merton's (1976) jump-diffusion as a Poisson mixture of lognormals.

Jumps arrive `intensity` times a year and add N(`jump_mean`, `jump_volatility`^2) to the log price. `drift` is the
growth rate of the expected price, E[S(t)] = spot exp(drift t), so the log price drifts between jumps by
drift - volatility^2 / 2 - intensity (exp(jump_mean + jump_volatility^2 / 2) - 1) a year. Times are years,
`volatility` is per square root of a year. Nothing is discounted.

Source: Merton (1976), Option pricing when underlying stock returns are discontinuous, eqs. 16 to 19.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import poisson


class _Mixture(NamedTuple):
    """Normals of the log return by number of jumps: weights, means, standard deviations and E[exp(return)]."""

    weight: NDArray[np.float64]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    growth: NDArray[np.float64]


def log_drift(drift: float, volatility: float, intensity: float, jump_mean: float, jump_volatility: float) -> float:
    """Return the drift of the log price between jumps."""
    return drift - 0.5 * volatility**2 - intensity * math.expm1(jump_mean + 0.5 * jump_volatility**2)


def exponent(
    u: ArrayLike, drift: float, volatility: float, intensity: float, jump_mean: float, jump_volatility: float
) -> NDArray[np.complex128]:
    """Return log E[exp(i `u` X(1))] of the log return at any shape of `u`; an intensity of 0: of a normal one."""
    z = 1j * np.asarray(u)
    jump = np.exp(z * jump_mean + 0.5 * (z * jump_volatility) ** 2) - 1.0
    moved = z * log_drift(drift, volatility, intensity, jump_mean, jump_volatility)
    return np.asarray(moved + 0.5 * (z * volatility) ** 2 + intensity * jump)


def _mixture(
    drift: float, volatility: float, intensity: float, jump_mean: float, jump_volatility: float, t: float
) -> _Mixture:
    """Condition on the number of jumps, leaving out less than 1e-19 of probability and of expected price.

    By Bernstein's inequality for a Poisson count of either mean, intensity t or, weighted by price, that times
    E[exp(jump)].
    """
    jump_growth = math.exp(jump_mean + 0.5 * jump_volatility**2)
    count = intensity * t * max(1.0, jump_growth)
    jumps = np.arange(math.ceil(count + 10.0 * math.sqrt(count) + 30.0), dtype=np.float64)
    spread = np.sqrt(volatility**2 * t + jumps * jump_volatility**2)
    mean = log_drift(drift, volatility, intensity, jump_mean, jump_volatility) * t + jumps * jump_mean
    return _Mixture(poisson.pmf(jumps, intensity * t), mean, spread, np.exp(mean + 0.5 * spread**2))


def _distribution(mixture: _Mixture, x: float) -> float:
    return float(mixture.weight @ ndtr((x - mixture.mean) / mixture.spread))


def _partial_growth(mixture: _Mixture, x: float) -> float:
    """Return E[exp(R); R <= x] of the log return R."""
    return float((mixture.weight * mixture.growth) @ ndtr((x - mixture.mean) / mixture.spread - mixture.spread))


def _quantile(mixture: _Mixture, q: float) -> float:
    """Solve distribution(x) = q between bounds that hold every component's mass within 40 deviations."""
    low = float(np.min(mixture.mean - 40.0 * mixture.spread))
    high = float(np.max(mixture.mean + 40.0 * mixture.spread))
    return float(brentq(lambda x: _distribution(mixture, x) - q, low, high, xtol=1e-14, rtol=1e-14))


def price(
    kind: Literal["call", "put"],
    spot: float,
    strike: float,
    drift: float,
    volatility: float,
    intensity: float,
    jump_mean: float,
    jump_volatility: float,
    t: float,
) -> float:
    """Return the undiscounted expected payoff of a European call or put, in currency.

    Merton (1976), eq. 16 for lognormal jumps, before discounting: the Poisson mixture of Black-Scholes values. With
    `drift` the risk-free rate r, exp(-r t) times this is the option's price.
    """
    mixture = _mixture(drift, volatility, intensity, jump_mean, jump_volatility, t)
    side = 1.0 if kind == "call" else -1.0
    cut = (mixture.mean - math.log(strike / spot)) / mixture.spread
    asset = spot * mixture.growth * ndtr(side * (cut + mixture.spread))
    return float(mixture.weight @ (side * (asset - strike * ndtr(side * cut))))


def close_distribution(
    x: float, drift: float, volatility: float, intensity: float, jump_mean: float, jump_volatility: float, t: float
) -> float:
    """Return P(log(S(t) / spot) <= `x`)."""
    return _distribution(_mixture(drift, volatility, intensity, jump_mean, jump_volatility, t), x)


def value_at_risk(
    level: float,
    spot: float,
    drift: float,
    volatility: float,
    intensity: float,
    jump_mean: float,
    jump_volatility: float,
    t: float,
) -> float:
    """Return the `level`-quantile of the loss spot - S(t) of one unit held long, in currency."""
    mixture = _mixture(drift, volatility, intensity, jump_mean, jump_volatility, t)
    return spot * -math.expm1(_quantile(mixture, 1.0 - level))


def expected_shortfall(
    level: float,
    spot: float,
    drift: float,
    volatility: float,
    intensity: float,
    jump_mean: float,
    jump_volatility: float,
    t: float,
) -> float:
    """Return the mean of the worst 1 - `level` share of the loss spot - S(t) of one unit held long, in currency."""
    mixture = _mixture(drift, volatility, intensity, jump_mean, jump_volatility, t)
    return spot * (1.0 - _partial_growth(mixture, _quantile(mixture, 1.0 - level)) / (1.0 - level))

"""European prices and closing laws of Heston's (1993) and Bates's (1996) models by integrating a transform.

The variance v starts at `variance` and follows dv = `mean_reversion` (`long_variance` - v) dt +
`volatility_of_variance` sqrt(v) dB, the log price moves by sqrt(v) dW, and W and B correlate by `correlation`. Jumps
arrive `jump_intensity` times a year and add N(`jump_mean`, `jump_volatility`^2) to the log price; without them the
model is Heston's. `drift` is the growth rate of the expected price, E[S(t)] = spot exp(drift t). Times are years,
variances and mean reversion per year.

Sources: Heston (1993), A closed-form solution for options with stochastic volatility, Rev. Financial Studies 6;
Bates (1996), Jumps and stochastic volatility, Rev. Financial Studies 9; Albrecher, Mayer, Schoutens and Tistaert
(2007), The little Heston trap, Wilmott Magazine, January (the branch of the characteristic function that is
continuous); Lewis (2001), A simple option formula for general jump-diffusion and other exponential Lévy processes
(the price); Gil-Pelaez (1951), Note on the inversion theorem, Biometrika 38 (the distribution).
"""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from scipy.integrate import quad

# Beyond the frequency at which the transform has fallen below this, nothing of an integral is left in doubles.
_NEGLIGIBLE = 1e-18


class Law(NamedTuple):
    """The law of the log price relative to spot."""

    variance: float
    mean_reversion: float
    long_variance: float
    volatility_of_variance: float
    correlation: float
    drift: float = 0.0
    jump_intensity: float = 0.0
    jump_mean: float = 0.0
    jump_volatility: float = 0.0


def characteristic(u: complex, law: Law, t: float) -> complex:
    """Return E[exp(i `u` log(S(t) / spot))].

    Albrecher et al. (2007), eq. 2, with (beta - d) / sigma^2 written -(u^2 + i u) / (beta + d): nothing cancels as the
    volatility of variance vanishes. Jumps: Bates (1996), eq. 15.
    """
    v, kappa, theta, sigma, rho, drift, intensity, m, s = law
    beta = kappa - 1j * rho * sigma * u
    d = np.sqrt(beta**2 + sigma**2 * (u**2 + 1j * u))
    slope = -(u**2 + 1j * u) / (beta + d)
    g = sigma**2 * slope / (beta + d)
    decay = np.exp(-d * t)
    settled = slope * t - 2.0 / sigma**2 * _log1p(g * (1.0 - decay) / (1.0 - g))
    started = slope * (1.0 - decay) / (1.0 - g * decay)
    jump = np.expm1(1j * u * m - 0.5 * (s * u) ** 2) - 1j * u * math.expm1(m + 0.5 * s**2)
    return complex(np.exp(1j * u * drift * t + kappa * theta * settled + v * started + intensity * t * jump))


def _log1p(z: complex) -> complex:
    """Return log(1 + z) to full precision for small `z` too, which NumPy does for real numbers alone."""
    return complex(0.5 * np.log1p(z.real * (2.0 + z.real) + z.imag**2), math.atan2(z.imag, 1.0 + z.real))


def _integral(integrand: Callable[[float], float], law: Law, t: float) -> float:
    """Integrate over positive frequencies until the transform is negligible."""
    top = 1.0
    while abs(characteristic(top - 0.5j, law, t)) > _NEGLIGIBLE:
        top *= 1.5
    return float(quad(integrand, 0.0, top, epsabs=1e-12, epsrel=1e-11, limit=2000)[0])


def price(
    kind: Literal["call", "put"], spot: float, strike: float, law: Law, t: float, discount_rate: float = 0.0
) -> float:
    """Return the expected payoff of a European call or put, discounted at `discount_rate`, in currency.

    Lewis (2001), eq. 3.11: the transform on the line where the imaginary part of u is -1/2. With `discount_rate` r and
    a drift of r less the dividend yield this is the option's price.
    """
    log_moneyness = math.log(spot / strike)

    def integrand(u: float) -> float:
        transform = np.exp(1j * u * log_moneyness) * characteristic(u - 0.5j, law, t)
        return float(np.real(transform) / (u**2 + 0.25))

    forward = spot * math.exp(law.drift * t)
    call = forward - math.sqrt(spot * strike) / math.pi * _integral(integrand, law, t)
    return math.exp(-discount_rate * t) * (call if kind == "call" else call - forward + strike)


def close_distribution(x: float, law: Law, t: float) -> float:
    """Return P(log(S(t) / spot) <= `x`) by Gil-Pelaez (1951)."""

    def integrand(u: float) -> float:
        return float(np.imag(np.exp(-1j * u * x) * characteristic(u, law, t)) / u)

    return 0.5 - _integral(integrand, law, t) / math.pi


class Published(NamedTuple):
    """A call on a spot of 100 as printed, and half a unit of its last digit."""

    strike: float
    law: Law
    t: float
    discount_rate: float
    price: float
    tolerance: float


# Andersen (2008), Simple and efficient simulation of the Heston stochastic volatility model, J. Comp. Finance 11(3):
# test cases I and II at zero rates.
_ANDERSEN_1 = (Law(0.04, 0.5, 0.04, 1.0, -0.9), 10.0, 0.0)
_ANDERSEN_2 = (Law(0.04, 0.3, 0.04, 0.9, -0.5), 15.0, 0.0)
# Lewis (2019), Heston model reference prices, financepress.com: more digits than a double holds; dividend yield 0.02.
_LEWIS = (Law(0.04, 4.0, 0.25, 1.0, -0.5, -0.01), 1.0, 0.01)
# Broadie and Kaya (2006), Exact simulation of stochastic volatility and other affine jump diffusion processes,
# Operations Research 54(2): their two cases of Heston's model and that with jumps, whose mean they state as
# E[exp(jump)] - 1 = -0.12.
_BROADIE_KAYA_1 = (Law(0.010201, 6.21, 0.019, 0.61, -0.7, 0.0319), 1.0, 0.0319)
_BROADIE_KAYA_2 = (Law(0.09, 2.0, 0.09, 1.0, -0.3, 0.05), 5.0, 0.05)
_JUMPS = (0.11, math.log(1.0 - 0.12) - 0.5 * 0.15**2, 0.15)
_BROADIE_KAYA_JUMPS = (Law(0.008836, 3.99, 0.014, 0.27, -0.79, 0.0319, *_JUMPS), 5.0, 0.0319)

PUBLISHED = {
    "Andersen I, 60": Published(60.0, *_ANDERSEN_1, 44.330, 5e-4),
    "Andersen I, 100": Published(100.0, *_ANDERSEN_1, 13.085, 5e-4),
    "Andersen I, 140": Published(140.0, *_ANDERSEN_1, 0.296, 5e-4),
    "Andersen II, 60": Published(60.0, *_ANDERSEN_2, 45.287, 5e-4),
    "Andersen II, 100": Published(100.0, *_ANDERSEN_2, 16.649, 5e-4),
    "Andersen II, 140": Published(140.0, *_ANDERSEN_2, 5.138, 5e-4),
    "Lewis, 80": Published(80.0, *_LEWIS, 26.774758743998854, 1e-11),
    "Lewis, 100": Published(100.0, *_LEWIS, 16.070154917028834, 1e-11),
    "Lewis, 120": Published(120.0, *_LEWIS, 9.024913483457836, 1e-11),
    "Broadie and Kaya 1": Published(100.0, *_BROADIE_KAYA_1, 6.8061, 5e-5),
    "Broadie and Kaya 2": Published(100.0, *_BROADIE_KAYA_2, 34.9998, 5e-5),
    "Broadie and Kaya, jumps": Published(100.0, *_BROADIE_KAYA_JUMPS, 20.1642, 5e-5),
}

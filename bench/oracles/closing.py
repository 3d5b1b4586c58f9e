"""Quantiles and tail means of the loss at the horizon, from the characteristic function of the log return.

A law is given by its characteristic function, E[exp(i u log(S(t) / spot))], at any complex u with -1 <= Im u <= 0 (at
-i it is the growth of the expected price). Losses are in currency, of a position of `quantity` units, long or, below 0,
short, since the opening at `spot`.

Sources: Gil-Pelaez (1951), Note on the inversion theorem, Biometrika 38; for expected prices below a quantile the same
under the measure that weighs by the price (Geman, El Karoui and Rochet 1995, J. Applied Probability 32).
"""

import cmath
import math
from collections.abc import Callable

from scipy.integrate import quad
from scipy.optimize import brentq

Characteristic = Callable[[complex], complex]

_NEGLIGIBLE = 1e-17


def distribution(x: float, characteristic: Characteristic) -> float:
    """Return P(log(S(t) / spot) <= `x`)."""
    top = 1.0
    while abs(characteristic(top)) > _NEGLIGIBLE * top:
        top *= 1.3

    def integrand(u: float) -> float:
        return (cmath.exp(-1j * u * x) * characteristic(u)).imag / u

    return 0.5 - float(quad(integrand, 0.0, top, epsabs=1e-13, epsrel=1e-12, limit=2000)[0]) / math.pi


def growth_below(x: float, characteristic: Characteristic) -> float:
    """Return E[S(t) / spot; log(S(t) / spot) <= `x`]."""
    growth = characteristic(-1j).real
    return growth * distribution(x, lambda u: characteristic(u - 1j) / growth)


def quantile(q: float, characteristic: Characteristic, bound: float) -> float:
    """Return the `q`-quantile of log(S(t) / spot), which must lie within plus or minus `bound`."""
    return float(brentq(lambda x: distribution(x, characteristic) - q, -bound, bound, xtol=1e-12))


def value_at_risk(level: float, quantity: float, spot: float, characteristic: Characteristic, bound: float) -> float:
    """Return the `level`-quantile of the loss; `bound` as in `quantile`."""
    tail = 1.0 - level if quantity > 0.0 else level
    return -quantity * spot * math.expm1(quantile(tail, characteristic, bound))


def expected_shortfall(
    level: float, quantity: float, spot: float, characteristic: Characteristic, bound: float
) -> float:
    """Return the mean of the worst 1 - `level` share of the loss; `bound` as in `quantile`."""
    tail = 1.0 - level if quantity > 0.0 else level
    below = growth_below(quantile(tail, characteristic, bound), characteristic)
    beyond = below if quantity > 0.0 else characteristic(-1j).real - below
    return -quantity * spot * (beyond / (1.0 - level) - 1.0)

"""From a standard normal to other laws of the same chance, on one lane."""

from __future__ import annotations

import math

from kernel._core.jit import point
from kernel._core.special import exp, fma, log


@point
def log1p(x):
    """Return log(1 + x) for x > -1, also of an x that is lost beside 1 (Kahan's correction of the rounding)."""
    one = type(x)(1)
    w = one + x
    rounded = w - one
    return log(w) * (x / rounded) if rounded != 0 else x


@point
def to_exponential(z):
    """Return the exponential variate -log P(Z > z), of mean 1, that a standard normal z stands for.

    With t = 1 / (1 + x / 2), log(erfc(x) exp(x**2) / t) is smooth in t: here its interpolant of degree 8 in t - 1 at
    the Chebyshev nodes of 0 <= x <= 5, within 5e-8.
    """
    real = type(z)
    x = abs(z) * real(math.sqrt(0.5))
    t = real(1) / fma(real(0.5), x, real(1))
    d = t - real(1)
    p = fma(real(0.157778340739), d, real(0.305358047608))
    p = fma(p, d, real(0.0649068138158))
    p = fma(p, d, real(-0.0178919382169))
    p = fma(p, d, real(0.199636972925))
    p = fma(p, d, real(-0.160853297859))
    p = fma(p, d, real(-0.303210605692))
    p = fma(p, d, real(1.25675885292))
    tail = fma(x, x, real(math.log(2))) - fma(p, d, log(t))
    return tail if z >= 0 else -log1p(-exp(-tail))

"""First passage of any jump-diffusion, watched continuously: collocation in space, a Laplace transform in time.

X(t) = log_drift t + volatility W(t) + the sum of jumps, which arrive `intensity` times a year. For a barrier below X
and x = X - barrier, w(x) = E[exp(-alpha tau)] solves

    volatility^2 / 2 w'' + log_drift w' + intensity (E[w(x + jump)] - w) - alpha w = 0  for x > 0,  w = 1 for x <= 0,

and vanishes far away (Kou and Wang 2003, section 3, for double-exponential jumps). Chebyshev collocation (Trefethen
2000, Spectral Methods in Matlab, chapters 6 and 7) turns that into linear equations, one set for each alpha that the
inversion of the transform in time asks for (Abate and Whitt 2006, A unified framework for numerically inverting Laplace
transforms, INFORMS J. Computing 18, the Euler algorithm). No step in time, no path and no bridge is in it. A barrier
above X is one below -X. Barriers are log prices relative to spot, times years.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import schur, solve_triangular
from scipy.optimize import brentq
from scipy.special import ndtr
from threadpoolctl import threadpool_limits

_NODES = 120
_GAUSS = 80  # points on either side of where the density of a jump may be discontinuous
_EULER = 14  # 0.6 digits each
_TAIL = 1e-14
_one_thread = threadpool_limits.wrap(limits=1, user_api="blas")  # matrices so small are slower on more

Real = NDArray[np.float64]


class Jumps(NamedTuple):
    """Jumps of the log price: how often, their density and distribution, and the range that holds nearly all."""

    intensity: float
    density: Callable[[Real], Real]
    distribution: Callable[[Real], Real]
    lowest: float
    highest: float

    def mirrored(self) -> "Jumps":
        """Return the jumps of -X."""
        density, distribution = self.density, self.distribution
        ends = -self.highest, -self.lowest
        return Jumps(self.intensity, lambda y: density(-y), lambda y: 1.0 - distribution(-y), *ends)


class Diffusion(NamedTuple):
    """The log price, as a year has it."""

    log_drift: float
    volatility: float
    jumps: Jumps


def normal_jumps(intensity: float, mean: float, volatility: float) -> Jumps:
    """Return Merton's (1976) jumps."""
    reach = 8.0 * volatility

    def density(y: Real) -> Real:
        return np.asarray(np.exp(-0.5 * ((y - mean) / volatility) ** 2) / (volatility * math.sqrt(2.0 * math.pi)))

    return Jumps(intensity, density, lambda y: ndtr((y - mean) / volatility), mean - reach, mean + reach)


def double_exponential_jumps(intensity: float, up_probability: float, up_mean: float, down_mean: float) -> Jumps:
    """Return Kou's (2002) jumps."""
    up, down = up_probability, 1.0 - up_probability

    def density(y: Real) -> Real:
        rise = up / up_mean * np.exp(-np.maximum(y, 0.0) / up_mean)
        return np.where(y > 0.0, rise, down / down_mean * np.exp(np.minimum(y, 0.0) / down_mean))

    def distribution(y: Real) -> Real:
        rise = 1.0 - up * np.exp(-np.maximum(y, 0.0) / up_mean)
        return np.where(y > 0.0, rise, down * np.exp(np.minimum(y, 0.0) / down_mean))

    return Jumps(intensity, density, distribution, down_mean * math.log(_TAIL), -up_mean * math.log(_TAIL))


@_one_thread
def hit_probability(barrier: float, law: Diffusion, t: float) -> float:
    """Return P(X reaches or passes `barrier` by `t`): from above for `barrier` < 0, from below for `barrier` > 0."""
    return _Passage(barrier, law, t).by(t)


@_one_thread
def hit_time_quantile(barrier: float, law: Diffusion, t: float, q: float) -> float:
    """Return the `q`-quantile, in years, of the time of the first hit given a hit by `t`; 0 < `q` < 1."""
    passage = _Passage(barrier, law, t)
    target = q * passage.by(t)
    return t * float(brentq(lambda share: passage.by(share * t) - target, 1e-3, 1.0, xtol=1e-9))


class _Passage:
    """The equations for one barrier, good for all times up to `t`."""

    def __init__(self, barrier: float, law: Diffusion, t: float) -> None:
        drift, volatility, jumps = law
        if barrier > 0.0:
            drift, jumps = -drift, jumps.mirrored()
        start, spread = abs(barrier), volatility * math.sqrt(t)
        extent = start + 8.0 * spread + abs(drift) * t + (abs(jumps.lowest) if jumps.intensity else 0.0)
        slope, node = _chebyshev(extent)
        jump, beyond = _jump_operator(node, jumps, extent) if jumps.intensity else (0.0 * slope, 0.0 * node)
        generator = 0.5 * volatility**2 * slope @ slope + drift * slope + jumps.intensity * (jump - np.eye(node.size))
        inner = slice(1, -1)  # the last node is the barrier, where w = 1; the first is far away, where w = 0
        # Schur's form once leaves a triangle to solve for each alpha.
        self._triangle, turn = schur(generator[inner, inner], output="complex")
        self._source = turn.conj().T @ (generator[:, -1] + jumps.intensity * beyond)[inner]
        at_start = _interpolation(node, np.array([start]))[0]
        self._at_start, self._at_barrier = at_start[inner] @ turn, at_start[-1]

    def _transform(self, alpha: complex) -> complex:
        shifted = alpha * np.eye(self._source.size) - self._triangle
        return complex(self._at_start @ solve_triangular(shifted, self._source) + self._at_barrier)

    def by(self, t: float) -> float:
        """Return P(a hit by `t`)."""
        m, weight = _EULER, np.ones(2 * _EULER + 1)
        weight[0], weight[2 * m] = 0.5, 2.0**-m
        for k in range(1, m):
            weight[2 * m - k] = weight[2 * m - k + 1] + 2.0**-m * math.comb(m, k)
        points = [(m * math.log(10.0) / 3.0 + 1j * math.pi * k) / t for k in range(2 * m + 1)]
        terms = [(-1) ** k * weight[k] * (self._transform(a) / a).real for k, a in enumerate(points)]
        return 10.0 ** (m / 3.0) / t * math.fsum(terms)


def _chebyshev(extent: float) -> tuple[Real, Real]:
    """Return the matrix of derivatives and the nodes, from `extent` down to 0 (Trefethen 2000, chapter 6)."""
    k = np.arange(_NODES + 1)
    angle = math.pi * k / _NODES
    side = np.where((k == 0) | (k == _NODES), 2.0, 1.0) * (-1.0) ** k
    # differences of cosines by products of sines: nothing cancels (Weideman and Reddy 2000)
    gap = 2.0 * np.sin((angle[:, None] + angle) / 2) * np.sin((angle - angle[:, None]) / 2)
    slope = np.outer(side, 1.0 / side) / (gap + np.eye(_NODES + 1))
    slope -= np.diag(slope.sum(axis=1))
    return slope * 2.0 / extent, extent * np.cos(angle / 2) ** 2


def _interpolation(node: Real, x: Real) -> Real:
    """Return the matrix, [point, node], that takes values at the nodes to `x` (Berrut and Trefethen 2004, eq. 4.2)."""
    weight = (-1.0) ** np.arange(node.size)
    weight[[0, -1]] *= 0.5
    gap = x[:, None] - node
    exact = gap == 0.0
    terms = weight / np.where(exact, 1.0, gap)
    terms = np.where(exact.any(axis=1)[:, None], exact, terms)
    return np.asarray(terms / terms.sum(axis=1)[:, None])


def _jump_operator(node: Real, jumps: Jumps, extent: float) -> tuple[Real, Real]:
    """Return E[w(x + jump); x + jump > 0] as a matrix on the nodes' values, and P(x + jump <= 0) at the nodes."""
    point, weight = np.polynomial.legendre.leggauss(_GAUSS)
    rows = np.zeros((node.size, node.size))
    for k, x in enumerate(node):
        for low, high in ((max(x + jumps.lowest, 0.0), x), (x, min(x + jumps.highest, extent))):
            half = 0.5 * (high - low)
            if half > 0.0:
                y = low + half * (point + 1.0)
                rows[k] += (half * weight * jumps.density(y - x)) @ _interpolation(node, y)
    return rows, jumps.distribution(-node)

"""Stochastic volatility: the variance reverts to a mean, by a square-root process (Heston 1993)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from kernel import checks
from kernel._core.covariance import Local
from kernel._core.fields import Field, Fields
from kernel._core.jit import block, implements
from kernel._core.lanes import flagged, whole_vectors
from kernel._core.noise import VARIANCE, draw_words, to_normals
from kernel._core.normal import log1p, to_exponential
from kernel._core.operations import advance, covariance, move_state, open_state
from kernel._core.special import fma, log
from kernel.errors import Problems
from kernel.markets.local_diffusion import LocalStep
from kernel.markets.market import Market, Matrix, law_of, lower_factor

_QUADRATIC = 1.5  # the largest ratio of variance to squared mean for which a squared normal stands for the variance
_MOST_TILT = 0.5  # of the bound beyond which the expected price is infinite: from here on its square is
_MOST_REVERSION = 2.0  # mean reversion times step: beyond it the mean of two variances says little of those between


class HestonStep(NamedTuple):
    """The law of each asset's variance a step later, how its log price follows, and the factor of the shocks."""

    law: NDArray[np.void]  # [asset] numbers by the names of Heston._law
    shocks: NDArray[np.floating]  # [asset, asset] lower Cholesky factor of the variance shocks' correlation
    local: LocalStep

    @staticmethod
    def lane_fields() -> Fields:
        """Declare the variance per year and, by slot, the standard normals that move it."""
        return Fields(asset=(Field("variance", "block"), Field("shock", "block", None, 4)))


@implements(open_state, HestonStep)
def _open_state(step, lanes, assets, n):
    for a in range(assets.size):
        assets[a].variance[:n] = step.law[a].opening


@block
def _draw_shocks(step, seed, moment, lanes, assets, n):
    """Fill assets[:].shock with the normals, correlated, of four steps."""
    for row in range(assets.size):
        a = assets.size - 1 - row  # in falling order: each needs the raw shocks of those before it
        draw_words(seed, lanes.path, moment, a, VARIANCE, n, lanes.words)
        to_normals(lanes.words, 2, n, assets[a].shock)
    for row in range(assets.size):
        a = assets.size - 1 - row
        for slot in range(4):
            shock, weight = assets[a].shock[slot], step.shocks[a, a]
            for i in range(n):
                shock[i] *= weight
            for b in range(a):
                weight, other = step.shocks[a, b], assets[b].shock[slot]
                for i in range(n):
                    shock[i] = fma(weight, other[i], shock[i])


@block
def _square_normals(law, lanes, asset, slot, n):
    """Move the variance by a squared normal, where that meets mean and variance; flag the lanes where it does not.

    lanes.scratch takes by how much it is above its mean, the ratio of its variance to its squared mean, and
    log E[exp(tilt v)] - tilt E[v]: what the drift of the log price has to give back.
    """
    decay, pull, slope, base, tilt = law.decay, law.pull, law.slope, law.base, law.tilt
    real = type(decay)
    zero, half, one, two, most = real(0), real(0.5), real(1), real(2), real(_MOST_TILT)
    variance, z, moved = asset.variance, asset.shock[slot], asset.volatility
    above, ratio, give, flag = lanes.scratch[0], lanes.scratch[1], lanes.scratch[2], lanes.flag
    for i in range(n):
        m = fma(decay, variance[i], pull)
        psi = fma(slope, variance[i], base) / (m * m)
        flag[i] = psi > real(_QUADRATIC)
        inverse = two / psi
        rest = max(inverse - one, zero)
        square = rest + math.sqrt(inverse * rest)
        scale = m / (one + square)
        centre = math.sqrt(square)
        root = centre + z[i]
        moved[i] = scale * root * root
        above[i] = scale * (fma(z[i], z[i], -one) + two * centre * z[i])  # the difference would be lost to rounding
        y = min((tilt + tilt) * scale, most)
        give[i] = half * (square * y * y / (one - y) - (y + log1p(-y)))
        ratio[i] = psi


@block
def _thin_exponentials(law, lanes, asset, slot, n):
    """Move the variance of the flagged lanes, where it is near zero: to zero, or by an exponential variate."""
    decay, pull, tilt, variance, z, moved = (
        law.decay,
        law.pull,
        law.tilt,
        asset.variance,
        asset.shock[slot],
        asset.volatility,
    )
    real = type(tilt)
    zero, one, two, most = real(0), real(1), real(2), real(_MOST_TILT)
    above, ratio, give, chosen = lanes.scratch[0], lanes.scratch[1], lanes.scratch[2], lanes.chosen
    count, m, psi, normal = flagged(lanes, n), lanes.scratch[3], lanes.scratch[4], lanes.scratch[5]
    for j in range(count):
        i = chosen[j]
        m[j], psi[j], normal[j] = fma(decay, variance[i], pull), ratio[i], z[i]
    for j in range(whole_vectors(count, chosen.size)):
        chance = two / (psi[j] + one)  # that the variance is not zero
        scale = m[j] / chance
        y = min(tilt * scale, most)
        normal[j] = scale * max(to_exponential(normal[j]) + log(chance), zero)
        psi[j] = log1p(chance * y / (one - y)) - tilt * m[j]
    for j in range(count):
        i = chosen[j]
        moved[i], above[i], give[i] = normal[j], normal[j] - m[j], psi[j]


@block
def _follow(law, lanes, asset, n):
    """Set the log price's drift and volatility over the step from the variance at its two ends."""
    drift, late, early, frequency = law.drift, law.late, law.early, law.frequency
    half = type(drift)(0.5)
    variance, rate, moved, above, give = (
        asset.variance,
        asset.rate,
        asset.volatility,
        lanes.scratch[0],
        lanes.scratch[2],
    )
    for i in range(n):
        before, after = variance[i], moved[i]
        mean = after - above[i]
        rate[i] = fma(late, above[i], fma(-early, mean + before, fma(-frequency, give[i], drift)))
        variance[i] = after
        moved[i] = math.sqrt(half * (before + after))


@implements(move_state, HestonStep)
def _move_state(step, seed, s, lanes, assets, n):
    """Draw the variance by Andersen's quadratic-exponential scheme with martingale correction.

    Andersen (2008), "Simple and efficient simulation of the Heston stochastic volatility model", sections 3.2 and
    4.3, with the variance over the step taken as the mean of its ends.
    """
    if s & 3 == 0:
        _draw_shocks(step, seed, np.uint64(s >> 2), lanes, assets, n)
    for a in range(assets.size):
        _square_normals(step.law[a], lanes, assets[a], s & 3, n)
        _thin_exponentials(step.law[a], lanes, assets[a], s & 3, n)
        _follow(step.law[a], lanes, assets[a], n)


@implements(advance, HestonStep)
def _advance(step, segment, assets, n):
    advance(step.local, segment, assets, n)


@implements(covariance, HestonStep)
def _covariance(step):
    return covariance(step.local)


@dataclass(frozen=True, eq=False, kw_only=True)
class Heston(Market):
    """Prices whose variance v moves: dv = mean_reversion (long_variance - v) dt + volatility_of_variance sqrt(v) dW.

    Each step draws the variance and the price by Andersen's scheme: expected prices are exact, the law of the
    prices has a bias that falls with the step (`docs/accuracy.md` has its size). Between grid points the price is
    taken to move with the mean of the variances at the two ends of the step.

    Args:
        assets: names.
        spot: opening prices, above 0; one for all assets or one each, as all numbers below.
        drift: growth rate of the expected price per year, from -1,000 to 1,000.
        variance: at the opening, per year, from 0 to 100: the square of a volatility.
        mean_reversion: speed at which the variance reverts, per year, from 0.001 to 10,000.
        long_variance: that it reverts to, from 0.000001 to 100.
        volatility_of_variance: from 0.001 to 1,000.
        price_variance_correlation: of the shocks of an asset's price and its variance, from -1 to 1.
        correlation: [asset, asset], of the variance shocks, and of that part of the price shocks that is independent
            of them; it is also that of the prices where all assets have one price_variance_correlation. None:
            independent.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> Heston(assets=["BTC"], spot=60_000.0, variance=0.4, mean_reversion=4.0, long_variance=0.5,
        ...        volatility_of_variance=1.5, price_variance_correlation=-0.3).assets
        ('BTC',)
    """

    between_steps = "approximate"
    example_parameters: ClassVar[Mapping[str, Any]] = {
        "variance": 0.01, "mean_reversion": 1.0, "long_variance": 0.01, "volatility_of_variance": 0.1,
        "price_variance_correlation": 0.0,
    }  # fmt: skip

    variance: ArrayLike
    mean_reversion: ArrayLike
    long_variance: ArrayLike
    volatility_of_variance: ArrayLike
    price_variance_correlation: ArrayLike
    correlation: Matrix | None = None

    def _check(self, problems: Problems, size: int) -> None:
        bounds: dict[str, dict[str, float]] = {
            "variance": {"at_least": 0, "at_most": 100},
            "mean_reversion": {"at_least": 1e-3, "at_most": 10_000},
            "long_variance": {"at_least": 1e-6, "at_most": 100},
            "volatility_of_variance": {"at_least": 1e-3, "at_most": 1_000},
            "price_variance_correlation": {"at_least": -1, "at_most": 1},
        }
        checked = {
            name: checks.numbers(problems, name, getattr(self, name), size, **limits) for name, limits in bounds.items()
        }
        self._set(**checked, correlation=checks.correlation(problems, "correlation", self.correlation, size))

    def _compensator(self) -> NDArray[np.float64]:
        """Return the yearly growth of each expected price that is due to jumps."""
        return np.zeros(len(self.assets))

    def _jumped(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how far jumps move the log prices in a year, on average, and the variance of that."""
        none = np.zeros(len(self.assets))
        return none, none

    def log_moments(self, horizon: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return those at the expected variance, the deviation with a bound on what its own moves add."""
        kappa, theta = np.asarray(self.mean_reversion), np.asarray(self.long_variance)
        area = theta * horizon - (np.asarray(self.variance) - theta) * np.expm1(-kappa * horizon) / kappa
        moved = 0.5 * np.asarray(self.volatility_of_variance) * np.minimum(horizon, 1 / kappa)
        mean, square = self._jumped()
        drift = np.asarray(self.drift) - self._compensator() + mean
        return drift * horizon - 0.5 * area, np.sqrt(area * (1 + moved**2) + np.asarray(square) * horizon)

    def check_grid(self, problems: Problems, horizon: float, steps: int) -> None:
        """Note steps too long for the scheme: the variance has reverted, or the expected price cannot be given back."""
        longest = _MOST_REVERSION / float(np.max(np.asarray(self.mean_reversion)))
        while self._tilted(min(longest, horizon / steps)) > _MOST_TILT:
            longest = 0.5 * min(longest, horizon / steps)
        if horizon / steps > longest * (1 + 1e-9):
            fewest = math.ceil(horizon / longest)
            problems.add(
                "steps", f"must be at least {fewest:,}: the variance of this market moves too far in one of them"
            )

    def _tilted(self, span: float) -> float:
        """Return the largest tilt of the variance's law over a step, as a share of the one that has no expectation."""
        law = self._law(span)
        variance = np.geomspace(1e-6, 1e4, 200)[:, None] * np.asarray(self.long_variance)
        mean = law["decay"] * variance + law["pull"]
        ratio = (law["slope"] * variance + law["base"]) / mean**2
        inverse = 2 / np.minimum(ratio, _QUADRATIC)
        quadratic = 2 * mean / (inverse + np.sqrt(inverse * (inverse - 1)))
        exponential = mean * (1 + ratio) / 2
        return float(np.max(law["tilt"] * np.where(ratio > _QUADRATIC, exponential, quadratic)))

    def loading(self) -> NDArray[np.float64]:
        """Return what the prices' own normals move, at a variance between that of the opening and the long run's."""
        variance = 0.5 * (np.asarray(self.variance) + np.asarray(self.long_variance))
        own = np.sqrt(variance * (1 - np.asarray(self.price_variance_correlation) ** 2))
        return np.asarray(own[:, None] * lower_factor(np.asarray(self.correlation)))

    def step(self, real: DTypeLike, span: float) -> NamedTuple:
        """Return the law of the variance over a step, and what the price takes from it."""
        return self._heston(real, span)

    def _heston(self, real: DTypeLike, span: float) -> HestonStep:
        rho, correlation = np.asarray(self.price_variance_correlation), np.asarray(self.correlation)
        own, factor = np.sqrt(1 - rho**2), lower_factor(correlation).astype(real)
        response = np.asarray(self.volatility_of_variance)[:, None] * correlation * rho
        prices = correlation * (np.outer(rho, rho) + np.outer(own, own))
        local = LocalStep(own.astype(real), factor, Local(lower_factor(prices).astype(real), response.astype(real)))
        return HestonStep(law_of(self._law(span), len(self.assets), real), factor.copy(), local)

    def _law(self, span: float) -> dict[str, NDArray[np.float64]]:
        """Return by the names of Andersen (2008): decay E, tilt A, late K2 and early K3 / 2 over the step."""
        kappa, theta, xi = (
            np.asarray(value) for value in (self.mean_reversion, self.long_variance, self.volatility_of_variance)
        )
        rho, moved = np.asarray(self.price_variance_correlation), -np.expm1(-kappa * span)
        late, early = 0.5 * (kappa * rho / xi - 0.5) + rho / (xi * span), 0.25 * (1 - rho**2)
        return {
            "opening": np.asarray(self.variance),
            "decay": 1 - moved,
            "pull": theta * moved,
            "slope": xi**2 * (1 - moved) * moved / kappa,
            "base": theta * xi**2 * moved**2 / (2 * kappa),
            "drift": np.asarray(self.drift) - self._compensator(),
            "late": late,
            "early": early,
            "tilt": (late + early) * span,
            "frequency": np.full(kappa.shape, 1 / span),
        }

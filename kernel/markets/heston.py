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
from kernel.errors import Problems
from kernel.markets.heston_step import MOST_TILT, QUADRATIC, HestonStep
from kernel.markets.local_diffusion import LocalStep
from kernel.markets.market import Market, Matrix, law_of, lower_factor

_MOST_REVERSION = 2.0  # mean reversion times step: beyond it the mean of two variances says little of those between


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

    def check(self, problems: Problems, size: int) -> Mapping[str, Any]:
        """Check the variance's parameters and the correlation."""
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
        return {**checked, "correlation": checks.correlation(problems, "correlation", self.correlation, size)}

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
        while self._tilted(min(longest, horizon / steps)) > MOST_TILT:
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
        inverse = 2 / np.minimum(ratio, QUADRATIC)
        quadratic = 2 * mean / (inverse + np.sqrt(inverse * (inverse - 1)))
        exponential = mean * (1 + ratio) / 2
        return float(np.max(law["tilt"] * np.where(ratio > QUADRATIC, exponential, quadratic)))

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

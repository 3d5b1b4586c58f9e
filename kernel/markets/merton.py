"""Merton's jump-diffusion: common jump times, jointly normal jumps of the log prices (Merton 1976)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from kernel import checks
from kernel._core.jit import implements
from kernel._core.operations import jump
from kernel._core.special import fma
from kernel.errors import Problems
from kernel.fitting import Fit, fitted
from kernel.history import History, as_history
from kernel.markets.diffusion import DiffusionStep, move_as_diffusion
from kernel.markets.market import Market, lower_factor


class MertonStep(NamedTuple):
    """A diffusion, and jumps whose sizes have a mean and a lower Cholesky factor of their covariance."""

    diffusion: DiffusionStep
    intensity: float
    mean: NDArray[np.floating]
    factor: NDArray[np.floating]


move_as_diffusion(MertonStep)


@implements(jump, MertonStep)
def _jump(step, seed, lanes, assets, n):
    for a in range(assets.size):
        mean, log_spot = step.mean[a], assets[a].log_spot
        for i in range(n):
            log_spot[i] += mean
        for b in range(a + 1):
            weight, noise = step.factor[a, b], assets[b].noise[1]
            for i in range(n):
                log_spot[i] = fma(weight, noise[i], log_spot[i])


@dataclass(frozen=True, eq=False, kw_only=True)
class Merton(Market):
    """Geometric Brownian motion with jumps; when one comes, every asset jumps at once.

    Args:
        assets: names.
        spot: opening prices, above 0.
        drift: growth rate of the expected price per year, jumps compensated, from -1,000 to 1,000.
        volatility: of the diffusion, per square root of a year, above 0, at most 100.
        correlation: of the diffusion, [asset, asset]; None: independent.
        jump_intensity: expected jumps a year, above 0.
        jump_mean: mean of the log-jump, from -5 to 5.
        jump_volatility: standard deviation of the log-jump, from 0 to 5.
        jump_correlation: of the log-jumps, [asset, asset]; None: independent.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> Merton(assets=["BTC"], spot=60_000.0, volatility=0.65, jump_intensity=12.0, jump_mean=-0.02,
        ...        jump_volatility=0.06).assets
        ('BTC',)
    """

    jump_intensity: float
    jump_mean: ArrayLike
    jump_volatility: ArrayLike
    jump_correlation: ArrayLike | None = None

    def _check(self, problems: Problems, size: int) -> None:
        self._set(
            jump_intensity=checks.number(problems, "jump_intensity", self.jump_intensity, above=0),
            jump_mean=checks.numbers(problems, "jump_mean", self.jump_mean, size, at_least=-5, at_most=5),
            jump_volatility=checks.numbers(
                problems, "jump_volatility", self.jump_volatility, size, at_least=0, at_most=5
            ),
            jump_correlation=checks.correlation(problems, "jump_correlation", self.jump_correlation, size),
        )

    def _compensator(self) -> NDArray[np.float64]:
        mean, deviation = np.asarray(self.jump_mean), np.asarray(self.jump_volatility)
        return self.jump_intensity * np.expm1(mean + 0.5 * deviation**2)

    def step(self, real: DTypeLike) -> NamedTuple:
        """Return the diffusion and the jumps, their covariance factored."""
        deviation = np.asarray(self.jump_volatility)
        covariance = np.asarray(self.jump_correlation) * np.outer(deviation, deviation)
        mean = np.asarray(self.jump_mean).astype(real)
        return MertonStep(self._diffusion(real), self.jump_intensity, mean, lower_factor(covariance).astype(real))

    @classmethod
    def fit(
        cls, prices: ArrayLike | History, *, dt: float | None = None, assets: Sequence[str] | None = None
    ) -> Fit[Self]:
        """Estimate by maximum likelihood on the Poisson mixture of joint normals; open at the last prices.

        Diffusion and jumps each have a correlation of their own. Needs SciPy (`pip install "margin-kernel[fit]"`).

        Args:
            prices: a history, or [time] or [time, asset], oldest first, evenly spaced, above 0; at least 31 rows.
            dt: years between two rows; None with a history, which knows it.
            assets: names of the columns; default: "asset", or "asset 1", "asset 2", ...

        Returns:
            The market with its errors; `notes` say what the history does not tell, such as a flat likelihood.

        Raises:
            InvalidInput: naming the rows that cannot be used, or that the history is too short.
            ImportError: without SciPy.

        Example:
            >>> prices = [100.0, 101.0, 99.5, 100.5, 93.0, 92.0, 93.5, 93.0] * 10
            >>> Merton.fit(prices, dt=1 / 365, assets=["BTC"]).market.spot
            array([93.])
        """
        from kernel.fitting import merton  # noqa: PLC0415 - SciPy takes long to import

        history = as_history(prices, dt, assets)
        return fitted(cls, history, merton.estimate(history))

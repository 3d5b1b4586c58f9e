"""Kou's jump-diffusion: common jump times, double-exponential jumps of the log prices (Kou 2002)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from kernel import checks
from kernel._core.jit import implements
from kernel._core.noise import JUMP_SIZE, draw_words
from kernel._core.operations import jump
from kernel._core.special import log, uniform
from kernel.errors import Problems
from kernel.fitting import Fit, fitted
from kernel.markets.diffusion import Diffusion, DiffusionStep, move_as_diffusion
from kernel.prices.history import History, as_history


class KouStep(NamedTuple):
    """A diffusion, and jumps that go up or down by an exponential variate."""

    diffusion: DiffusionStep
    intensity: float
    up_probability: NDArray[np.float64]
    up_mean: NDArray[np.float64]
    down_mean: NDArray[np.float64]


move_as_diffusion(KouStep)


@implements(jump, KouStep)
def _jump(step, seed, lanes, assets, n):
    words = lanes.words
    for a in range(assets.size):
        draw_words(seed, lanes.path, lanes.moment, a, JUMP_SIZE, n, words)
        p, up, down, log_spot = step.up_probability[a], step.up_mean[a], step.down_mean[a], assets[a].log_spot
        for i in range(n):
            u = uniform(words[0, i], 1.0)  # in double precision: 1 - u is the tail of the falls
            size = -up * log(u / p) if u < p else down * log((1.0 - u) / (1.0 - p))
            log_spot[i] += log_spot.dtype.type(size)


@dataclass(frozen=True, eq=False, kw_only=True)
class Kou(Diffusion):
    """Geometric Brownian motion with jumps; when one comes, every asset jumps at once, by sizes of its own.

    Args:
        assets: names.
        spot: opening prices, above 0.
        drift: growth rate of the expected price per year, jumps compensated, from -1,000 to 1,000.
        volatility: of the diffusion, per square root of a year, above 0, at most 100.
        correlation: of the diffusion, [asset, asset]; None: independent.
        jump_intensity: expected jumps a year, above 0.
        up_probability: that a jump goes up, from 0 to 1.
        up_mean: mean of the log-jump up (1 / eta1), above 0 and below 1, or the expected price is infinite.
        down_mean: mean of the log-jump down (1 / eta2), above 0, at most 5.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> Kou(assets=["BTC"], spot=60_000.0, volatility=0.5, jump_intensity=20.0, up_probability=0.4, up_mean=0.03,
        ...     down_mean=0.05).assets
        ('BTC',)
    """

    between_steps = "exact"
    example_parameters: ClassVar[Mapping[str, Any]] = {
        "volatility": 0.1, "jump_intensity": 1.0, "up_probability": 0.5, "up_mean": 0.1, "down_mean": 0.1,
    }  # fmt: skip

    jump_intensity: float
    up_probability: ArrayLike
    up_mean: ArrayLike
    down_mean: ArrayLike

    def check(self, problems: Problems, size: int) -> Mapping[str, Any]:
        """Check the diffusion and the jumps."""
        return {
            **super().check(problems, size),
            "jump_intensity": checks.number(problems, "jump_intensity", self.jump_intensity, above=0),
            "up_probability": checks.numbers(
                problems, "up_probability", self.up_probability, size, at_least=0, at_most=1
            ),
            "up_mean": checks.numbers(problems, "up_mean", self.up_mean, size, above=0, below=1),
            "down_mean": checks.numbers(problems, "down_mean", self.down_mean, size, above=0, at_most=5),
        }

    def _compensator(self) -> NDArray[np.float64]:
        p, up, down = np.asarray(self.up_probability), np.asarray(self.up_mean), np.asarray(self.down_mean)
        return np.asarray(self.jump_intensity * (p / (1 - up) + (1 - p) / (1 + down) - 1))

    def _jumped(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        p, up, down = np.asarray(self.up_probability), np.asarray(self.up_mean), np.asarray(self.down_mean)
        mean, square = p * up - (1 - p) * down, 2 * (p * up**2 + (1 - p) * down**2)
        return self.jump_intensity * mean, self.jump_intensity * square

    def tilted_step(self, real: DTypeLike, exponent: NDArray[np.float64]) -> NamedTuple:
        """Return the diffusion, and the jumps with intensity, probabilities and means moved."""
        p, up, down = (np.asarray(value) for value in (self.up_probability, self.up_mean, self.down_mean))
        moments, rises = self._jump_moments(exponent), p / (1 - exponent * up)
        sizes = (rises / moments, up / (1 - exponent * up), down / (1 + exponent * down))
        return KouStep(self._diffusion(real, exponent), self.jump_intensity * float(np.prod(moments)), *sizes)

    def cumulant(self, exponent: NDArray[np.float64]) -> float:
        """Return that of the diffusion and the jumps (Kou 2002), for -1 / down mean < exponent < 1 / up mean."""
        up, down = np.asarray(self.up_mean), np.asarray(self.down_mean)
        if (exponent * up >= 1).any() or (-exponent * down >= 1).any():
            return math.inf
        jumps = self.jump_intensity * float(np.prod(self._jump_moments(exponent)) - 1)
        return self._diffusion_cumulant(exponent) + jumps

    def _jump_moments(self, exponent: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return E[exp(exponent * log-jump)] of each asset."""
        p, up, down = (np.asarray(value) for value in (self.up_probability, self.up_mean, self.down_mean))
        return np.asarray(p / (1 - exponent * up) + (1 - p) / (1 + exponent * down))

    @classmethod
    def fit(
        cls, prices: ArrayLike | History, *, dt: float | str | None = None, assets: Sequence[str] | None = None
    ) -> Fit[Self]:
        """Estimate by maximum likelihood on the density, a Fourier integral; open at the last prices.

        Of several assets the likelihood is the product of their own, with one common intensity (a composite
        likelihood, Varin, Reid and Firth 2011): its errors are those of the sandwich, and it must not be compared with
        the joint likelihood of another market. The diffusion's correlation is chosen so that the returns covary as
        they did. Needs SciPy (`pip install "margin-kernel[fit]"`).

        Args:
            prices: a history, or [time] or [time, asset], oldest first, evenly spaced, above 0; at least 31 rows.
            dt: years between two rows, or a text such as "1d"; None with a history, which knows it.
            assets: names of the columns; default: "asset", or "asset 1", "asset 2", ...

        Returns:
            The market with its errors; `notes` say what the history does not tell, such as a flat likelihood.

        Raises:
            InvalidInput: naming the rows that cannot be used, or that the history is too short.
            ImportError: without SciPy.

        Example:
            >>> prices = [100.0, 101.0, 99.5, 100.5, 93.0, 92.0, 93.5, 93.0] * 10
            >>> Kou.fit(prices, dt=1 / 365, assets=["BTC"]).market.spot
            array([93.])
        """
        from kernel.fitting import kou  # noqa: PLC0415 - SciPy takes long to import

        history = as_history(prices, dt, assets)
        return fitted(cls, history, kou.estimate(history))

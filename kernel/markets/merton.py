"""Merton's jump-diffusion: common jump times, jointly normal jumps of the log prices (Merton 1976)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from kernel._core.jit import implements
from kernel._core.operations import jump
from kernel.errors import Problems
from kernel.fitting import Fit, fitted
from kernel.markets.diffusion import Diffusion, DiffusionStep, move_as_diffusion
from kernel.markets.normal_jumps import EXAMPLE_JUMPS, JumpSizes, NormalJumps, jump_normally
from kernel.prices.history import History, as_history

_MOST = 700.0  # of a logarithm whose exponential is finite


class MertonStep(NamedTuple):
    """A diffusion, and jumps of normal sizes."""

    diffusion: DiffusionStep
    intensity: float
    sizes: JumpSizes


move_as_diffusion(MertonStep)


@implements(jump, MertonStep)
def _jump(step, seed, lanes, assets, n):
    jump_normally(step.sizes, assets, n)


@dataclass(frozen=True, eq=False, kw_only=True)
class Merton(NormalJumps, Diffusion):
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

    between_steps = "exact"
    example_parameters: ClassVar[Mapping[str, Any]] = {"volatility": 0.1, **EXAMPLE_JUMPS}

    def check(self, problems: Problems, size: int) -> Mapping[str, Any]:
        """Check the diffusion and the jumps."""
        return {**super().check(problems, size), **self._checked_jumps(problems, size)}

    def tilted_step(self, real: DTypeLike, exponent: NDArray[np.float64]) -> NamedTuple:
        """Return the diffusion, and the jumps with intensity and mean moved."""
        intensity = self.jump_intensity * math.exp(self._log_jump_moment(exponent))
        return MertonStep(self._diffusion(real, exponent), intensity, self._jump_sizes(real, exponent))

    def cumulant(self, exponent: NDArray[np.float64]) -> float:
        """Return that of the diffusion and the jumps (Merton 1976)."""
        moment = self._log_jump_moment(exponent)
        jumps = self.jump_intensity * math.expm1(moment) if moment < _MOST else math.inf
        return self._diffusion_cumulant(exponent) + jumps

    @classmethod
    def fit(
        cls, prices: ArrayLike | History, *, dt: float | str | None = None, assets: Sequence[str] | None = None
    ) -> Fit[Self]:
        """Estimate by maximum likelihood on the Poisson mixture of joint normals; open at the last prices.

        Diffusion and jumps each have a correlation of their own. Needs SciPy (`pip install "margin-kernel[fit]"`).

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
            >>> Merton.fit(prices, dt=1 / 365, assets=["BTC"]).market.spot
            array([93.])
        """
        from kernel.fitting import merton  # noqa: PLC0415 - SciPy takes long to import

        history = as_history(prices, dt, assets)
        return fitted(cls, history, merton.estimate(history))

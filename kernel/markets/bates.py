"""Stochastic volatility with jumps of the prices (Bates 1996)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from kernel._core.jit import implements
from kernel._core.operations import jump
from kernel.errors import Problems
from kernel.markets.diffusion import move_as_diffusion
from kernel.markets.heston import Heston
from kernel.markets.heston_step import HestonStep
from kernel.markets.normal_jumps import EXAMPLE_JUMPS, JumpSizes, NormalJumps, jump_normally


class BatesStep(NamedTuple):
    """Heston's diffusion, and jumps of normal sizes."""

    diffusion: HestonStep
    intensity: float
    sizes: JumpSizes


move_as_diffusion(BatesStep)


@implements(jump, BatesStep)
def _jump(step, seed, lanes, assets, n):
    jump_normally(step.sizes, assets, n)


@dataclass(frozen=True, eq=False, kw_only=True)
class Bates(NormalJumps, Heston):
    """`Heston` with the jumps of `Merton`: when one comes, every asset jumps at once; variances do not.

    Args:
        assets: names.
        spot: opening prices, above 0; one for all assets or one each, as all numbers below.
        drift: growth rate of the expected price per year, jumps compensated, from -1,000 to 1,000.
        variance: at the opening, per year, from 0 to 100: the square of a volatility.
        mean_reversion: speed at which the variance reverts, per year, from 0.001 to 10,000.
        long_variance: that it reverts to, from 0.000001 to 100.
        volatility_of_variance: from 0.001 to 1,000.
        price_variance_correlation: of the shocks of an asset's price and its variance, from -1 to 1.
        correlation: [asset, asset], as in `Heston`.
        jump_intensity: expected jumps a year, above 0.
        jump_mean: mean of the log-jump, from -5 to 5.
        jump_volatility: standard deviation of the log-jump, from 0 to 5.
        jump_correlation: of the log-jumps, [asset, asset]; None: independent.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> Bates(assets=["BTC"], spot=60_000.0, variance=0.4, mean_reversion=4.0, long_variance=0.4,
        ...       volatility_of_variance=1.2, price_variance_correlation=-0.3, jump_intensity=6.0, jump_mean=-0.03,
        ...       jump_volatility=0.07).assets
        ('BTC',)
    """

    between_steps = "approximate"
    example_parameters: ClassVar[Mapping[str, Any]] = {**Heston.example_parameters, **EXAMPLE_JUMPS}

    def check(self, problems: Problems, size: int) -> Mapping[str, Any]:
        """Check the diffusion and the jumps."""
        return {**super().check(problems, size), **self._checked_jumps(problems, size)}

    def step(self, real: DTypeLike, span: float) -> NamedTuple:
        """Return Heston's step and the jumps, their covariance factored."""
        return BatesStep(
            self._heston(real, span), self.jump_intensity, self._jump_sizes(real, np.zeros(len(self.assets)))
        )

"""Geometric Brownian motion, correlated over assets (Black and Scholes 1973)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from kernel.fitting import Fit, fitted
from kernel.markets.diffusion import Diffusion
from kernel.prices.history import History, as_history


@dataclass(frozen=True, eq=False, kw_only=True)
class Gbm(Diffusion):
    """Geometric Brownian motion: d log S = (drift - volatility**2 / 2) dt + volatility dW.

    Args:
        assets: names.
        spot: opening prices, above 0; one for all assets or one each, as all numbers below.
        drift: growth rate of the expected price per year, from -1,000 to 1,000.
        volatility: per square root of a year, above 0, at most 100.
        correlation: [asset, asset]; None: independent.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> Gbm(assets=["BTC", "ETH"], spot=[60e3, 3e3], volatility=0.7, correlation=[[1, 0.8], [0.8, 1]]).assets
        ('BTC', 'ETH')
    """

    between_steps = "exact"
    example_parameters: ClassVar[Mapping[str, Any]] = {"volatility": 0.1}

    def _compensator(self) -> NDArray[np.float64]:
        return np.zeros(len(self.assets))

    def tilted_step(self, real: DTypeLike, exponent: NDArray[np.float64]) -> NamedTuple:
        """Return the diffusion alone, its drift moved."""
        return self._diffusion(real, exponent)

    def cumulant(self, exponent: NDArray[np.float64]) -> float:
        """Return that of the diffusion."""
        return self._diffusion_cumulant(exponent)

    @classmethod
    def fit(
        cls,
        prices: ArrayLike | History,
        *,
        dt: float | str | None = None,
        assets: Sequence[str] | None = None,
        volatility: Literal["average", "ewma", "garch"] = "average",
        decay: float = 0.94,
    ) -> Fit[Self]:
        """Estimate drifts, volatilities and correlations; open at the last prices. Needs SciPy.

        Args:
            prices: a history, or [time] or [time, asset], oldest first, evenly spaced, above 0; at least 3 rows.
            dt: years between two rows, or a text such as "1d"; None with a history, which knows it.
            assets: names of the columns; default: "asset", or "asset 1", "asset 2", ...
            volatility: "average" over the history, by maximum likelihood; or now: "ewma", weighted by
                `decay` a step back (RiskMetrics 1996, 31 rows), or "garch", the next step's forecast by GARCH(1,1) with
                Student-t innovations (250 rows; needs arch: `pip install "margin-kernel[garch]"`). What either says is
                multiplied by the root mean square of the returns over their volatilities, so that the market's
                returns are as large as the history's were; with "ewma" a note states that number.
            decay: of "ewma" alone, above 0 and below 1.

        Returns:
            The market with its errors; its transforms are by the volatility of each step.

        Raises:
            InvalidInput: naming the rows that cannot be used, or that the history is too short.
            ImportError: without SciPy.

        Example:
            >>> Gbm.fit([100.0, 102.0, 99.0, 101.0], dt=1 / 365).market.volatility.round(3)
            array([0.448])
        """
        from kernel.fitting import gbm  # noqa: PLC0415 - SciPy takes long to import

        history = as_history(prices, dt, assets)
        return fitted(cls, history, gbm.estimate(history, volatility, decay))

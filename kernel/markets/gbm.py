"""Geometric Brownian motion, correlated over assets (Black and Scholes 1973)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from kernel.history import History, as_history
from kernel.markets.diffusion import Diffusion


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

    def _compensator(self) -> NDArray[np.float64]:
        return np.zeros(len(self.assets))

    def step(self, real: DTypeLike, span: float) -> NamedTuple:
        """Return the diffusion alone."""
        return self._diffusion(real)

    @classmethod
    def fit(cls, prices: ArrayLike | History, *, dt: float | None = None, assets: list[str] | None = None) -> Self:
        """Estimate drifts, volatilities and correlations by maximum likelihood; open at the last prices.

        Args:
            prices: [time] or [time, asset], oldest first, evenly spaced, above 0; at least three rows; or a
                history, as `kernel.read_prices` returns it, without dt and assets.
            dt: years between two rows.
            assets: names of the columns; default: "asset", or "asset 1", "asset 2", ...

        Raises:
            InvalidInput: naming the rows that cannot be used.

        Example:
            >>> Gbm.fit([100.0, 102.0, 99.0, 101.0], dt=1 / 365).volatility.round(3)
            array([0.448])
        """
        history = as_history(prices, dt, assets)
        covariance = np.atleast_2d(np.cov(history.returns, rowvar=False, bias=True)) / history.dt
        volatility = np.sqrt(np.diag(covariance))
        correlation = np.atleast_2d(np.corrcoef(history.returns, rowvar=False))
        np.fill_diagonal(correlation, 1.0)
        return cls(
            assets=history.assets,
            spot=history.last,
            drift=history.returns.mean(axis=0) / history.dt + 0.5 * volatility**2,
            volatility=volatility,
            correlation=0.5 * (correlation + correlation.T),
        )

"""Market impact: what selling much at once adds to the slippage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel import checks
from kernel.errors import Problems
from kernel.escalation.stated import Stated


@dataclass(frozen=True)
class SquareRootImpact(Stated):
    """Slippage that grows with the root of what is sold: coefficient * volatility * root(sold / volume).

    The square-root law of market impact: Almgren, Thum, Hauptmann and Li (2005), Direct estimation of equity market
    impact, Risk 18(7); Donier and Bonart (2015), A million metaorder analysis of market impact on the Bitcoin, Market
    Microstructure and Liquidity 1(2). It lowers the price of the sale alone, and has passed when the next one comes.

    Args:
        coefficient: of order one; above 0.
        daily_volume: traded in a day, in currency as the notional is; above 0.
        daily_volatility: standard deviation of a day's return; above 0.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> impact = SquareRootImpact(coefficient=1.0, daily_volume=1e9, daily_volatility=0.03)
        >>> round(float(impact.rate(1e7)), 12)
        0.003
    """

    coefficient: float
    daily_volume: float
    daily_volatility: float

    def __post_init__(self) -> None:
        problems = Problems()
        for name in ("coefficient", "daily_volume", "daily_volatility"):
            object.__setattr__(self, name, checks.number(problems, name, getattr(self, name), above=0))
        problems.raise_any()

    def rate(self, sold: ArrayLike) -> NDArray[np.float64]:
        """Return the slippage that it adds, as a share of what is sold, [...] in currency."""
        volumes = np.asarray(sold, dtype=np.float64) / self.daily_volume
        return np.asarray(self.coefficient * self.daily_volatility * np.sqrt(volumes))

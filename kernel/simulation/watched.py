"""What is watched in a simulation: an account at a market's opening prices, and how far these may go."""

from __future__ import annotations

import math

import numpy as np

from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import CurvedOpening, open_account
from kernel.accounts.watch import FARTHEST_LOG_PRICE, Watched
from kernel.markets import Market
from kernel.markets.diffusion import Diffusion

_RARE = 36.0  # log of one path in so many, 4e15, that goes farther
_DEVIATIONS = 40.0  # that is taken for, of a law whose tails are not known
_TILTS = np.geomspace(1e-2, 1e4, 121)  # exponents that are tried, 12% apart


def watched_on(market: Market, account: Account, ladder: Ladder, horizon: float, *, keeps_worst: bool) -> Watched:
    """Return what is watched within a horizon in years; keeps_worst: the worst metric of each path is wanted."""
    spot = np.array(market.spot, dtype=np.float64)
    opening = open_account(account, market.assets, spot)
    lowest, highest = farthest(market, horizon) if isinstance(opening, CurvedOpening) else (0.0, 0.0)
    return Watched(account, ladder, tuple(market.assets), spot, opening, horizon, lowest, highest, keeps_worst)


def farthest(market: Market, horizon: float) -> tuple[float, float]:
    """Return the lowest and the highest log price, relative to the opening, that a market of one asset may reach.

    For a market with a cumulant K per year by Doob's inequality: exp(a X - K t) is a martingale, so that for a > 0 the
    path X reaches x within a horizon with probability at most exp(max(K, 0) horizon - a x).

    Args:
        market: its first asset is looked at.
        horizon: years.

    Example:
        >>> import kernel
        >>> low, high = farthest(kernel.Gbm(assets=["A"], spot=1.0, volatility=0.5), 0.04)
        >>> round(low, 2), round(high, 2)
        (-0.85, 0.84)
    """
    if isinstance(market, Diffusion):
        low, high = (_bound(market, horizon, side) for side in (-1.0, 1.0))
    else:
        moments = market.log_moments(horizon)
        if moments is None:
            return -FARTHEST_LOG_PRICE, FARTHEST_LOG_PRICE
        mean, spread = float(moments[0][0]), _DEVIATIONS * float(moments[1][0])
        low, high = spread - mean, spread + mean
    return -float(np.clip(low, 0.0, FARTHEST_LOG_PRICE)), float(np.clip(high, 0.0, FARTHEST_LOG_PRICE))


def _bound(market: Diffusion, horizon: float, side: float) -> float:
    first = np.zeros(len(market.assets))
    first[0] = side
    growths = (max(market.cumulant(tilt * first), 0.0) for tilt in _TILTS)
    bounds = [(growth * horizon + _RARE) / tilt for growth, tilt in zip(growths, _TILTS, strict=True)]
    return min((bound for bound in bounds if math.isfinite(bound)), default=FARTHEST_LOG_PRICE)

"""What a close-out sells, and what that costs: in closed form."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel.escalation.close_out import CloseOut

ROUNDING = 1e-12  # of the size of what is compared
_CUBIC = 27.0 / 4.0


def share_to_sell(
    close_out: CloseOut, equity: ArrayLike, requirement: ArrayLike, notional: ArrayLike
) -> NDArray[np.float64]:
    """Return the share of what is held that a close-out sells, [...], from 0 to 1.

    With E, R, N the equity, requirement and gross notional at the prices of the fill, t the metric to restore, f the
    costs in line with what is sold and C those that are flat, it is the least k in (0, 1] with

        E - C - f k N - i N k^(3/2) = t R (1 - k),

    where the impact costs i k^(1/2) of what is sold: k = (t R - E + C) / (t R - f N) without impact; with it
    y = k^(-1/2) is the largest root of y^3 - (a/c) y + b/c = 0 with a = t R - f N, b = i N, c = t R - E + C (Viete's
    cosine). It is 1 where there is none, or where less than `minimum` would be left, and 0 where the metric stands at
    or above t already.

    Args:
        close_out: what is stated.
        equity: [...] currency.
        requirement: [...] currency; a share of the positions requires that share of it.
        notional: [...] currency, at least 0.

    Example:
        >>> share_to_sell(CloseOut(restore=1.5, fee=0.01), [100.0], [100.0], [2_000.0]).round(4).tolist()
        [0.3846]
    """
    equity, requirement, notional = np.broadcast_arrays(
        *(np.asarray(x, float) for x in (equity, requirement, notional))
    )
    if close_out.restore is None:
        share = np.full(notional.shape, 1.0 if close_out.share is None else close_out.share)
    else:
        share = _least_share(close_out, equity, close_out.restore * requirement, notional)
    left = (1.0 - share) * notional
    dust = (share > 0.0) & (left < close_out.minimum - ROUNDING * notional)
    return np.where(dust, 1.0, share)


def _least_share(
    close_out: CloseOut, equity: NDArray[np.float64], target: NDArray[np.float64], notional: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the least share after which the equity is the target's share that is left."""
    gap, impact = target - equity, close_out.impact
    a, c = target - close_out.rate * notional, gap + close_out.cost
    b = np.zeros_like(notional) if impact is None else impact.rate(notional) * notional
    needed = gap > ROUNDING * (np.abs(target) + np.abs(equity))
    solvable = needed & (a > 0.0) & (_CUBIC * b * b * c <= a * a * a)
    a, c = np.where(solvable, a, 1.0), np.where(solvable, c, 1.0)
    b = np.where(solvable, b, 0.0)
    angle = np.arccos(np.clip(-1.5 * b / a * np.sqrt(3.0 * c / a), -1.0, 1.0))
    root = c / a if impact is None else 0.75 * c / (a * np.cos(angle / 3.0) ** 2)
    return np.where(needed, np.where(solvable, np.minimum(root, 1.0), 1.0), 0.0)


class FillCosts(NamedTuple):
    """What a fill costs, [...] currency."""

    slippage: NDArray[np.float64]
    fee: NDArray[np.float64]
    cost: NDArray[np.float64]


def fill_costs(close_out: CloseOut, sold: ArrayLike, equity: ArrayLike) -> FillCosts:
    """Return what selling costs: slippage always; the fee, then the cost, out of the equity that is left.

    Args:
        close_out: what is stated.
        sold: [...] notional, currency, above 0.
        equity: [...] before the sale, currency.

    Example:
        >>> [float(x) for x in fill_costs(CloseOut(fee=0.02, slippage=0.01, cost=5.0), 1_000.0, 28.0)]
        [10.0, 18.0, 0.0]
    """
    sold, equity = np.asarray(sold, float), np.asarray(equity, float)
    impact = 0.0 if close_out.impact is None else close_out.impact.rate(sold)
    slippage = (close_out.slippage + impact) * sold
    left = np.maximum(equity - slippage, 0.0)
    fee = np.minimum(close_out.fee * sold, left)
    cost = np.minimum(close_out.cost + close_out.cost_share * sold, left - fee)
    return FillCosts(np.asarray(slippage), fee, cost)

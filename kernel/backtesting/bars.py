"""Whether breaches are judged by the lows and highs of the rows' bars or by closes alone, and why."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import open_account
from kernel.checks.text import counted
from kernel.prices.history import History

BREACHES = ("bars", "closes")


class Judged(NamedTuple):
    """What breaches are judged by."""

    by_bars: NDArray[np.bool_]
    """[forecast], false: by closes."""
    reason: str

    @property
    def breaches(self) -> str:
        """Return bars if any forecast is judged by them, else closes."""
        return BREACHES[0] if self.by_bars.any() else BREACHES[1]

    def monitoring(self, forecast: int) -> str:
        """Return how a forecast is to be predicted, so that it is what it is judged by."""
        return "continuous" if self.by_bars[forecast] else "discrete"


def judged(history: History, openings: NDArray[np.int64], rows: int, account: Account, ladder: Ladder) -> Judged:
    """Tell which forecasts the history's lows and highs can judge.

    The metric has to move with one asset alone: then it is worst at the lowest or the highest price, and these are
    known. Of several assets nobody knows whether their lows fell together. Needed are the lows of what is net long, the
    highs of what is net short, in every row of a horizon but the opening one, whose bar is over when the account opens.

    Args:
        history: prices.
        openings: [forecast] rows at which the account opens.
        rows: of the horizon.
        account: stated at the history's last prices.
        ladder: its tiers.

    Example:
        >>> import kernel
        >>> history = History(assets=("A",), prices=[4.0, 3.0, 4.0], lows=[2.0, 2.0, np.nan], dt=1 / 365)
        >>> account = kernel.Account(cash=0.0, positions=[kernel.Linear("A", 1.0)], maintenance_rate=0.1)
        >>> found = judged(history, np.array([0, 1]), 1, account, kernel.Ladder({"call": 1.5}))
        >>> found.by_bars.tolist(), found.reason
        ([True, False], 'the history knows the lows of 1 of 2 horizons; the others are judged by closes')
    """
    nowhere = np.zeros(openings.size, dtype=bool)
    tiers = open_account(account, history.assets, history.last).conditions(ladder)
    weight = np.array([tier.weight for tier in tiers])  # [tier, asset]
    moving = np.flatnonzero(weight.any(axis=0))
    if moving.size != 1:
        many = "the account moves with several assets, whose lows and highs need not fall at the same time"
        return Judged(nowhere, many if moving.size else "no price moves the account")
    (asset,) = moving.tolist()
    named = {"lows": (weight[:, asset] > 0).any(), "highs": (weight[:, asset] < 0).any()}
    needed = [name for name, asked in named.items() if asked]
    missing = [name for name in needed if not _tells(history, name, asset)]
    if missing:
        return Judged(nowhere, f"the history has no {' and '.join(missing)} beyond its closes")
    places = openings[:, None] + np.arange(1, rows + 1)
    known = np.all([np.isfinite(getattr(history, name)[places, asset]).all(axis=1) for name in needed], axis=0)
    words, count = " and ".join(needed), int(np.count_nonzero(known))
    if count == openings.size:
        return Judged(known, f"the history has {words}")
    some = f"the history knows the {words} of {count:,} of {counted(openings.size, 'horizon')}"
    return Judged(known, f"{some}; the others are judged by closes" if count else some)


def _tells(history: History, name: str, asset: int) -> bool:
    """Return whether lows or highs are ever beyond both closes of their step: some feeds repeat the close."""
    extremes, closes = getattr(history, name), history.prices[:, asset]
    if extremes is None:
        return False
    at, before, after = extremes[1:, asset], closes[:-1], closes[1:]
    beyond = at < np.minimum(before, after) if name == "lows" else at > np.maximum(before, after)
    return bool(beyond.any())


def extremes(history: History, places: NDArray[np.int64], by_bars: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the lowest and the highest prices of rows, their closes where forecasts are not judged by bars.

    What is unknown of a bar that judges is not needed: its close stands for it.

    Args:
        history: prices.
        places: [forecast, row]
        by_bars: [forecast]

    Returns:
        [forecast, 2 row, asset]: the first half are lows.

    Example:
        >>> history = History(assets=("A",), prices=[4.0, 3.0, 4.0], lows=[2.0, 2.0, 3.0], dt=1 / 365)
        >>> extremes(history, np.array([[1, 2]]), np.array([True])).ravel().tolist()
        [2.0, 3.0, 3.0, 4.0]
    """
    closes = history.prices[places]
    both = [closes if bars is None else bars[places] for bars in (history.lows, history.highs)]
    return np.concatenate([np.where(by_bars[:, None, None] & np.isfinite(bars), bars, closes) for bars in both], axis=1)

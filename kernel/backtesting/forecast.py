"""One forecast: what a market predicts of an account, and what then happened to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import open_account
from kernel.backtesting.bars import extremes
from kernel.backtesting.shortfall import simulated_contributions
from kernel.markets import Market
from kernel.measures import Estimate, breach_probability, expected_shortfall, value_at_risk
from kernel.prices.history import History
from kernel.simulation.path_outcome import require_paths
from kernel.simulation.settings import Settings
from kernel.simulation.simulate import simulate

SERIES = 5_000
"""Simulated losses that each forecast keeps a part of Z2 from, at most."""


class Realised(NamedTuple):
    """What became of the account over each horizon."""

    losses: NDArray[np.float64]
    """[forecast]"""
    breached: NDArray[np.bool_]
    """[tier, forecast], by the closes of the horizon's rows, the opening included, and by its bars where they judge."""


class Forecast(NamedTuple):
    """What was predicted over one horizon."""

    value_at_risk: list[Estimate]
    """[level]"""
    expected_shortfall: list[Estimate]
    """[level]"""
    breach_probability: list[Estimate]
    """[tier]"""
    transform: float
    """Share of the simulated losses that are at most the realised one."""
    contributions: NDArray[np.float64]
    """[level, series] parts of Z2 of simulated losses."""
    undecided: NDArray[np.bool_]
    """[level], true where the realised loss is within the 95% interval of the Value at Risk."""
    market: Market | None
    """That predicted."""
    paths: int

    def bare(self) -> Forecast:
        """Return it without what only another walk of it needs, or the sum of the contributions."""
        return self._replace(contributions=np.empty(0), market=None)


def realise(
    history: History,
    openings: NDArray[np.int64],
    rows: int,
    account: Account,
    ladder: Ladder,
    by_bars: NDArray[np.bool_] | None = None,
) -> Realised:
    """Return losses and breaches of an account that is opened at the history's last prices, moved as they moved.

    Where bars judge, the metric rises or falls with one price, so that it is worst at an end of what the price passed
    through. The first bar that counts ends with the row after the opening: its low is over all
    prices since the opening close, also where it opened below that.

    Args:
        history: prices.
        openings: [forecast] rows at which the account opens.
        rows: of the horizon.
        account: stated at the history's last prices.
        ladder: its tiers.
        by_bars: [forecast], which are judged by lows and highs too; None: none.

    Example:
        >>> import kernel
        >>> history = History(assets=("A",), prices=[[1.0], [2.0], [1.0]], dt=1 / 365)
        >>> account = kernel.Account(cash=0.0, positions=[kernel.Linear("A", 3.0)], maintenance_rate=0.1)
        >>> ladder = kernel.Ladder({"half": 0.5}, metric="equity_fraction")
        >>> realise(history, np.array([0, 1]), 1, account, ladder)
        Realised(losses=array([-3. ,  1.5]), breached=array([[False,  True]]))
    """
    opening = open_account(account, history.assets, history.last)
    places = openings[:, None] + np.arange(rows + 1)
    relative = history.prices[places] / history.prices[openings][:, None]  # [forecast, row, asset]
    if by_bars is not None and by_bars.any():
        reached = extremes(history, places[:, 1:], by_bars) / history.prices[openings][:, None]
        relative = np.concatenate([relative, reached], axis=1)
    equity, margin, required = opening.totals(relative)
    if ladder.metric == "equity_fraction":
        required = np.full_like(margin, opening.margin)
    breached = np.any(margin <= ladder.levels[:, None, None] * required, axis=2)
    return Realised(equity[:, 0] - equity[:, rows], breached)


def predict(
    market: Market,
    account: Account,
    ladder: Ladder,
    settings: Settings,
    loss: float,
    series: int = SERIES,
) -> Forecast:
    """Simulate one horizon, and measure it against the loss that was realised.

    Args:
        market: opens at the prices that the account is stated at.
        account: see `realise`.
        ladder: its tiers.
        settings: of the simulation; its levels are those of Value at Risk and Expected Shortfall.
        loss: realised.
        series: simulated losses to keep a part of Z2 from, at most.
    """
    outcome = require_paths(simulate(market, account, ladder, **settings.keywords()))
    losses, levels = outcome.loss, settings.levels
    at_risk = [value_at_risk(outcome, level) for level in levels]
    shortfall = [expected_shortfall(outcome, level) for level in levels]
    each = zip(at_risk, shortfall, levels, strict=True)
    return Forecast(
        at_risk,
        shortfall,
        [breach_probability(outcome, tier) for tier in ladder.names],
        np.count_nonzero(losses <= loss) / losses.size,
        np.array([simulated_contributions(losses, var.value, es.value, level, series) for var, es, level in each]),
        np.array([var.low < loss <= var.high for var in at_risk]),
        market,
        outcome.paths,
    )

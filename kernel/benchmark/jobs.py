"""The simulations that are timed: each a market, an account and a ladder that people have."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.instruments import Linear
from kernel.markets import Gbm, Market, Merton
from kernel.simulation.outcome import Outcome
from kernel.simulation.simulate import simulate

STEPS, VOLATILITY, DEBT = 252, 0.8, 0.5
FIVE_DAYS = 5 / 365
TEN = tuple(f"asset {k}" for k in range(10))


class Job(NamedTuple):
    """A simulation, and how many units of work it is."""

    market: Market
    account: Account
    ladder: Ladder
    settings: dict[str, Any]

    def run(self, **changes: Any) -> Outcome:
        """Simulate it."""
        return simulate(self.market, self.account, self.ladder, **{**self.settings, **changes})

    @property
    def steps(self) -> int:
        """Return the path-steps (asset-steps with several assets)."""
        return int(self.settings["paths"] * self.settings["steps"] * len(self.market.assets))


def year(paths: int, **changes: Any) -> Job:
    """Return a year in 252 steps of an asset bought with half its price borrowed, down four tiers of its equity."""
    return Job(
        Gbm(assets=["A"], spot=1.0, drift=0.05, volatility=VOLATILITY),
        Account(cash=-DEBT, positions=[Linear("A", quantity=1.0)], maintenance_rate=0.01),
        Ladder({"first": 0.6, "second": 0.4333, "third": 0.2667, "fourth": 0.1}, metric="equity_fraction"),
        {"horizon": 1.0, "steps": STEPS, "paths": paths, "monitoring": "discrete", "threads": 1, **changes},
    )


def perpetual(jumps: bool, paths: int, horizon: float, steps: int, **changes: Any) -> Job:
    """Return a tenfold long perpetual down four tiers of its margin ratio, with or without twelve jumps a year."""
    common: dict[str, Any] = {"assets": ["BTC"], "spot": 60_000.0, "volatility": 0.65}
    with_jumps: dict[str, Any] = {"jump_intensity": 12.0, "jump_mean": -0.02, "jump_volatility": 0.06}
    return Job(
        Merton(**common, **with_jumps) if jumps else Gbm(**common),
        Account(cash=6_000.0, positions=[Linear("BTC", quantity=1.0, entry_price=60_000.0)], maintenance_rate=0.005),
        Ladder({"warning": 10.0, "call": 5.0, "last call": 2.0, "liquidation": 1.0}),
        {"horizon": horizon, "steps": steps, "paths": paths, **changes},
    )


def book_of_ten(paths: int, **changes: Any) -> Job:
    """Return a book of ten correlated assets, long and short, in a hundred steps of nine hours."""
    sides = [-2.0 if k % 3 == 0 else 2.0 for k in range(10)]
    positions = [Linear(name, quantity=side) for name, side in zip(TEN, sides, strict=True)]
    return Job(
        Gbm(assets=TEN, spot=100.0, volatility=0.6, correlation=0.5 * np.eye(10) + 0.5),
        Account(cash=-100.0, positions=positions, maintenance_rate=0.01),
        Ladder({"warning": 8.0, "call": 5.0, "last call": 2.0, "liquidation": 1.0}),
        {"horizon": 0.1, "steps": 100, "paths": paths, "threads": 1, **changes},
    )

"""The jobs that are timed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import kernel

STEPS, VOLATILITY, DEBT = 252, 0.8, 0.5
FIVE_DAYS = 5 / 365
EXAMPLES = Path(__file__).parents[1] / "examples"
TEN = tuple(f"asset {k}" for k in range(10))


class Job(NamedTuple):
    """A simulation, and how many units of work it is."""

    market: kernel.Market
    account: kernel.Account
    ladder: kernel.Ladder
    settings: dict[str, Any]

    def run(self, **changes: Any) -> kernel.Outcome:
        """Simulate it."""
        return kernel.simulate(self.market, self.account, self.ladder, **{**self.settings, **changes})

    @property
    def steps(self) -> int:
        """Return the path-steps (asset-steps with several assets)."""
        return int(self.settings["paths"] * self.settings["steps"] * len(self.market.assets))


def year(paths: int, **changes: Any) -> Job:
    """Return a year in 252 steps of an asset bought with half its price borrowed, down four tiers of its equity."""
    return Job(
        kernel.Gbm(assets=["A"], spot=1.0, drift=0.05, volatility=VOLATILITY),
        kernel.Account(cash=-DEBT, positions=[kernel.Linear("A", quantity=1.0)], maintenance_rate=0.01),
        kernel.Ladder({"first": 0.6, "second": 0.4333, "third": 0.2667, "fourth": 0.1}, metric="equity_fraction"),
        {"horizon": 1.0, "steps": STEPS, "paths": paths, "monitoring": "discrete", "threads": 1, **changes},
    )


def perpetual(jumps: bool, paths: int, horizon: float, steps: int, **changes: Any) -> Job:
    """Return a tenfold long perpetual down four tiers of its margin ratio, with or without twelve jumps a year."""
    common: dict[str, Any] = {"assets": ["BTC"], "spot": 60_000.0, "volatility": 0.65}
    with_jumps = {"jump_intensity": 12.0, "jump_mean": -0.02, "jump_volatility": 0.06}
    return Job(
        kernel.Merton(**common, **with_jumps) if jumps else kernel.Gbm(**common),
        kernel.Account(
            cash=6_000.0, positions=[kernel.Linear("BTC", quantity=1.0, entry_price=60_000.0)], maintenance_rate=0.005
        ),
        kernel.Ladder({"warning": 10.0, "call": 5.0, "last call": 2.0, "liquidation": 1.0}),
        {"horizon": horizon, "steps": steps, "paths": paths, **changes},
    )


def _moving(variance: float) -> dict[str, Any]:
    names = "variance", "mean_reversion", "long_variance", "volatility_of_variance", "price_variance_correlation"
    return dict(zip(names, (variance, 3.0, variance, 1.5, -0.3), strict=True))


def four_months(model: str, paths: int, **changes: Any) -> Job:
    """Return the perpetual over 120 daily steps, where the variance moves or, under GBM, does not."""
    job = perpetual(False, paths, 120 / 365, 120, threads=1, **changes)
    common: dict[str, Any] = {"assets": ["BTC"], "spot": 60_000.0}
    surprises = np.random.default_rng(0).standard_t(4, (1_000, 1)) * math.sqrt(0.5)
    markets: dict[str, kernel.Market] = {
        "gbm": job.market,
        "heston": kernel.Heston(**common, **_moving(0.42)),
        "bates": kernel.Bates(
            **common, **_moving(0.42), jump_intensity=12.0, jump_mean=-0.02, jump_volatility=0.06
        ),
        "filtered": kernel.FilteredHistorical(
            **common, volatility=0.65, omega=0.0, alpha=0.06, beta=0.94, residuals=surprises, dt=1 / 365
        ),
    }  # fmt: skip
    return job._replace(market=markets[model])


def book_of_ten(paths: int, **changes: Any) -> Job:
    """Return a book of ten correlated assets, long and short, in a hundred steps of nine hours."""
    market = kernel.Gbm(assets=TEN, spot=100.0, volatility=0.6, correlation=0.5 * np.eye(10) + 0.5)
    sides = [-2.0 if k % 3 == 0 else 2.0 for k in range(10)]
    positions = [kernel.Linear(name, quantity=side) for name, side in zip(TEN, sides, strict=True)]
    return Job(
        market,
        kernel.Account(cash=-100.0, positions=positions, maintenance_rate=0.01),
        kernel.Ladder({"warning": 8.0, "call": 5.0, "last call": 2.0, "liquidation": 1.0}),
        {"horizon": 0.1, "steps": 100, "paths": paths, "threads": 1, **changes},
    )


def proof(market: str) -> kernel.Backtest:
    """Return a backtest of the last 1,500 days of the S&P 500, each of 100,000 paths, refitted every 7 days."""
    history = kernel.read_prices(EXAMPLES / "sp500.csv", columns={"SPX": "Adj Close"})
    return kernel.backtest(history.prices[-2_001:], market, dt=history.dt, window=500, refit=7, paths=100_000)

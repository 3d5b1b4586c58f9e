"""Markets, accounts and ladders that several tests share, and how far a sample may stray."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import kernel

# A two-sided alarm at 4.5 standard errors is false once in 147,000 times; the seeds are fixed, so it never returns.
ALARM = 4.5

GBM = kernel.Gbm(assets=["BTC"], spot=60_000.0, drift=0.1, volatility=0.65)
MERTON = kernel.Merton(
    assets=["BTC"],
    spot=60_000.0,
    drift=0.1,
    volatility=0.65,
    jump_intensity=40.0,
    jump_mean=-0.02,
    jump_volatility=0.06,
)
KOU = kernel.Kou(
    assets=["BTC"],
    spot=60_000.0,
    drift=0.05,
    volatility=0.5,
    jump_intensity=40.0,
    up_probability=0.4,
    up_mean=0.03,
    down_mean=0.05,
)
HESTON = kernel.Heston(
    assets=["BTC"],
    spot=60_000.0,
    drift=0.1,
    variance=0.5,
    mean_reversion=3.0,
    long_variance=0.5,
    volatility_of_variance=1.5,
    price_variance_correlation=-0.3,
)
BATES = kernel.Bates(
    assets=["BTC"],
    spot=60_000.0,
    drift=0.1,
    variance=0.4,
    mean_reversion=4.0,
    long_variance=0.3,
    volatility_of_variance=1.2,
    price_variance_correlation=-0.5,
    jump_intensity=20.0,
    jump_mean=-0.02,
    jump_volatility=0.05,
)
LADDER = kernel.Ladder({"warning": 12.0, "call": 6.0, "last_call": 3.0, "liquidation": 1.0})
LONG = kernel.Account(cash=-54_000.0, positions=[kernel.Linear("BTC", quantity=1.0)], maintenance_rate=0.005)
SHORT = kernel.Account(
    cash=6_000.0, positions=[kernel.Linear("BTC", quantity=-1.0, entry_price=60_000.0)], maintenance_rate=0.005
)
HORIZON = 5 / 365
GRID = 18  # steps of the horizon where a market moves in steps of its own
FILTERED = kernel.FilteredHistorical(
    assets=["BTC"],
    spot=60_000.0,
    drift=0.1,
    volatility=0.7,
    omega=0.01,
    alpha=0.08,
    beta=0.9,
    residuals=np.random.default_rng(0).standard_t(4, (500, 1)) * math.sqrt(0.5),
    dt=HORIZON / GRID,
)


def run(market: kernel.Market, account: kernel.Account = LONG, **settings: Any) -> kernel.Outcome:
    """Simulate five days with the shared ladder."""
    return kernel.simulate(market, account, LADDER, **{"horizon": HORIZON, "steps": 1, "paths": 400_000, **settings})


def barriers(account: kernel.Account, spot: float = 60_000.0) -> list[float]:
    """Solve, tier by tier, for the log price at which the margin ratio is the tier's level."""
    return [barrier(account, level, spot) for level in LADDER.tiers.values()]


def barrier(account: kernel.Account, level: float, spot: float = 60_000.0) -> float:
    """Solve for the log price at which equity is level times requirement: one asset, one position."""
    (position,) = account.positions
    fixed = account.cash - position.quantity * position.entry_price
    rate = float(account.maintenance_rate)  # type: ignore[arg-type]
    return math.log(-fixed / (position.quantity - level * rate * abs(position.quantity)) / spot)


def strays(estimate: float, truth: float, standard_error: float) -> float:
    """Return by how many standard errors an estimate is off."""
    return abs(estimate - truth) / standard_error

"""The jobs that are timed, those of `margin bench` among them, and the plain NumPy version of the first of them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import kernel
from kernel.benchmark.jobs import (  # noqa: F401 - the benchmarks find all jobs here
    DEBT,
    FIVE_DAYS,
    STEPS,
    TEN,
    VOLATILITY,
    Job,
    book_of_ten,
    perpetual,
    year,
)

EXAMPLES = Path(__file__).parents[1] / "examples"


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


def proof(market: str) -> kernel.Backtest:
    """Return a backtest of the last 1,500 days of the S&P 500, each of 100,000 paths, refitted every 7 days."""
    history = kernel.read_prices(EXAMPLES / "sp500.csv", columns={"SPX": "Adj Close"})
    return kernel.backtest(history.prices[-2_001:], market, dt=history.dt, window=500, refit=7, paths=100_000)


def walk_in_numpy(paths: int, chunk: int = 16_384) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Walk `year` as a NumPy user would write it well: single precision, in place, chunks that stay in the cache.

    Tiers are barriers on the log price here too, so no step takes an exponential; SFC64 is NumPy's fastest generator.
    """
    generator, dt = np.random.Generator(np.random.SFC64(42)), 1 / STEPS
    drift, scale = np.float32((0.05 - VOLATILITY**2 / 2) * dt), np.float32(VOLATILITY * math.sqrt(dt))
    barriers = np.log(np.array([0.6, 0.4333, 0.2667, 0.1]) * (1 - DEBT) + DEBT).astype(np.float32)
    equity, first = np.empty(paths, np.float32), np.full((4, paths), STEPS, np.int32)
    noise, below = np.empty(chunk, np.float32), np.empty(chunk, np.bool_)
    for start in range(0, paths, chunk):
        n = min(chunk, paths - start)
        z, hit, log_price, tiers = noise[:n], below[:n], np.zeros(n, np.float32), first[:, start : start + n]
        for step in range(STEPS):
            generator.standard_normal(out=z, dtype=np.float32)
            z *= scale
            z += drift
            log_price += z
            for tier, barrier in zip(tiers, barriers, strict=True):
                np.less_equal(log_price, barrier, out=hit)
                np.minimum(tier, step, out=tier, where=hit)
        equity[start : start + n] = np.exp(log_price) - np.float32(DEBT)
    return equity, first

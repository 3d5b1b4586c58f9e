"""The jobs that are timed, those of `margin bench` among them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

import kernel
from kernel.benchmark.jobs import FIVE_DAYS, Job, book_of_ten, perpetual, year  # noqa: F401 - all jobs are found here

EXAMPLES = Path(__file__).parents[2] / "examples"


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

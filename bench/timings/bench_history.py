"""From price files to markets: reading hourly bars, fitting a market to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kernel

ROWS = 20_000
LENGTHS = {"five years of days": (1_826, 1 / 365), "two years of hours": (17_521, 1 / 8760)}


def jumping_prices(rows: int, dt: float) -> np.ndarray:
    """Return prices of a diffusion with frequent jumps, such as those of BTC, as numbers with two decimals."""
    random = np.random.default_rng(0)
    jumps = random.poisson(150 * dt, rows) * random.normal(0.0, 0.04, rows)
    return np.round(60_000 * np.exp(np.cumsum(random.normal(0.0, 0.4 * dt**0.5, rows) + jumps)), 2)


def test_reading(benchmark: Any, tmp_path: Path) -> None:
    """Time a CSV of OHLCV bars, as exchanges write them."""
    prices, path = jumping_prices(ROWS, 1 / 8760), tmp_path / "bars.csv"
    hours = (np.datetime64("2020-01-01T00:00:00") + np.arange(ROWS) * np.timedelta64(1, "h")).astype(str)
    lines = [f"{hour},{p},{1.01 * p:.2f},{0.99 * p:.2f},{p},12.5" for hour, p in zip(hours, prices, strict=True)]
    path.write_text("\n".join(["date,open,high,low,close,volume", *lines]) + "\n", encoding="utf-8")
    benchmark.extra_info.update(name="reading", rows=ROWS)
    benchmark.pedantic(kernel.read_prices, args=(path,), rounds=10, warmup_rounds=1)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("kind", [kernel.Merton, kernel.Kou], ids=["merton", "kou"])
def test_fitting(benchmark: Any, kind: Any, length: str) -> None:
    """Time a fit of one asset, with its errors."""
    rows, dt = LENGTHS[length]
    prices = jumping_prices(rows, dt)
    benchmark.extra_info.update(name=f"{kind.__name__} fit, {length}")
    benchmark.pedantic(kind.fit, args=(prices,), kwargs={"dt": dt}, rounds=5, warmup_rounds=1)

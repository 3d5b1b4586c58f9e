"""A backtest: 1,500 forecasts of a day, with what it takes to refit the market every week."""

from __future__ import annotations

from typing import Any

import pytest

from bench.timings import jobs


@pytest.mark.parametrize("market", ["merton", "filtered_historical", "auto"])
def test_backtest(benchmark: Any, market: str) -> None:
    """Time 1,500 forecasts of 100,000 paths on all processors."""
    benchmark.extra_info.update(name=f"backtest, {market}")
    benchmark.pedantic(jobs.proof, args=(market,), rounds=1)

"""Compile the kernels that the tests share once, with all processors."""

from __future__ import annotations

import gzip
import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

import kernel
import kernel.backtesting
import kernel.benchmark
import kernel.calibration  # as those before it, ahead of tests that put something in the place of `simulate`
from kernel._core.cache import entries
from kernel._core.jit import CACHE_FOLDER
from kernel.simulation.execution.workers import available_threads
from tests.cases import BATES, FILTERED, GBM, HESTON, KOU, LADDER, LONG, MERTON
from tests.limits import pytest_configure, pytest_runtest_protocol
from tests.price_files import Write

__all__ = ["file", "pytest_configure", "pytest_runtest_protocol", "pytest_sessionstart"]


def compile_one(market: kernel.Market, precision: str) -> None:
    """Compile the kernel of a market in a precision."""
    horizon = getattr(market, "dt", 0.1)
    kernel.simulate(market, LONG, LADDER, horizon=horizon, steps=1, paths=1, precision=precision)


def pair(market: kernel.Market) -> kernel.Market:
    """Return the market with a second asset like the first."""
    stated = market.parameters().items()
    of_one = {name: value for name, value in stated if name not in {"model", "correlation", "jump_correlation"}}
    numbers = {name: value[0] if isinstance(value, list) else value for name, value in of_one.items()}
    if isinstance(market, kernel.FilteredHistorical):
        numbers["residuals"] = np.tile(np.asarray(market.residuals), 2)
    return type(market)(**numbers | {"assets": ["BTC", "ETH"]})


def pytest_sessionstart(session: pytest.Session) -> None:
    """Fill an empty cache, before the tests are shared out: it takes three minutes on one processor."""
    of_worker = hasattr(session.config, "workerinput")
    if of_worker or session.config.option.collectonly or CACHE_FOLDER is None or entries(CACHE_FOLDER):
        return
    # A process compiles what kernels of one precision share once: so each takes one precision, as far as they go.
    single = [GBM, MERTON, KOU, HESTON, BATES, FILTERED, pair(GBM), pair(MERTON), pair(KOU), pair(HESTON)]
    double = [GBM, MERTON, KOU, HESTON, FILTERED, pair(GBM), pair(MERTON), pair(KOU), pair(FILTERED)]
    work = [(market, "single") for market in single] + [(market, "double") for market in double]
    with ProcessPoolExecutor(available_threads(), mp_context=get_context("spawn")) as pool:
        list(pool.map(compile_one, *zip(*work, strict=True), chunksize=math.ceil(len(work) / 2)))


@pytest.fixture
def file(tmp_path: Path) -> Write:
    """Write a file of prices."""

    def write(text: str, name: str = "btc.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write

"""What a run depends on around it, and the compiling of what it needs."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from typing import Any, NamedTuple

import llvmlite.binding
import numpy as np

from kernel._core.jit import CACHE_FOLDER, WHY_NO_CACHE
from kernel.accounts import Account, Linear
from kernel.ladder import Ladder
from kernel.markets import Bates, FilteredHistorical, Gbm, Heston, Kou, Market, Merton
from kernel.simulation import simulate
from kernel.text import snake
from kernel.versions import versions
from kernel.workers import available_threads

_ALSO = ("pyarrow", "click", "pydantic", "scipy", "arch")


def environment() -> dict[str, Any]:
    """Return versions, machine, threads and cache folder as plain values."""
    return {
        "versions": versions() | {name: installed(name) for name in _ALSO},
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "cpu": llvmlite.binding.get_host_cpu_name(),
        "threads": available_threads(),
        "cache_folder": cache_folder(),
        **({} if cache_folder() else {"why_no_cache": why_no_cache()}),
    }


def cache_folder() -> str | None:
    """Return where compiled kernels are kept; None: nowhere, and every process compiles anew."""
    return str(CACHE_FOLDER) if CACHE_FOLDER else None


def why_no_cache() -> str:
    """Return why compiled kernels are kept nowhere, folder by folder."""
    return WHY_NO_CACHE


def installed(name: str) -> str | None:
    """Return the version of a package, or None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


class Warmed(NamedTuple):
    """A kernel that is compiled and, where there is a cache folder, kept there."""

    market: str
    assets: int
    precision: str
    seconds: float


def warmed(precisions: tuple[str, ...] = ("single",)) -> Iterator[Warmed]:
    """Compile the kernels of every market, for one asset and for several, and yield each as it is done."""
    for precision, assets, market in product(precisions, (1, 2), _MARKETS):
        start, one = time.perf_counter(), market([f"asset {k}" for k in range(assets)])
        account = Account(cash=0.0, positions=[Linear(name, 1.0) for name in one.assets], maintenance_rate=0.01)
        simulate(one, account, Ladder({"call": 1.0}), horizon=1.0, steps=1, paths=1, precision=precision)
        yield Warmed(snake(type(one).__name__), assets, precision, time.perf_counter() - start)


def _gbm(assets: list[str]) -> Market:
    return Gbm(assets=assets, spot=1.0, volatility=0.1)


def _merton(assets: list[str]) -> Market:
    return Merton(assets=assets, spot=1.0, volatility=0.1, jump_intensity=1.0, jump_mean=0.0, jump_volatility=0.1)


def _kou(assets: list[str]) -> Market:
    rest = {"jump_intensity": 1.0, "up_probability": 0.5, "up_mean": 0.1, "down_mean": 0.1}
    return Kou(assets=assets, spot=1.0, volatility=0.1, **rest)


_VARIANCE = {"variance": 0.01, "mean_reversion": 1.0, "long_variance": 0.01, "volatility_of_variance": 0.1}


def _heston(assets: list[str]) -> Market:
    return Heston(assets=assets, spot=1.0, **_VARIANCE, price_variance_correlation=0.0)


def _bates(assets: list[str]) -> Market:
    rest = {"price_variance_correlation": 0.0, "jump_intensity": 1.0, "jump_mean": 0.0, "jump_volatility": 0.1}
    return Bates(assets=assets, spot=1.0, **_VARIANCE, **rest)


def _filtered_historical(assets: list[str]) -> Market:
    residuals = np.linspace(-1.0, 1.0, 10 * len(assets)).reshape(10, -1)
    return FilteredHistorical(
        assets=assets, spot=1.0, volatility=0.1, omega=0.0, alpha=0.1, beta=0.9, residuals=residuals, dt=1.0
    )


_MARKETS = (_gbm, _merton, _kou, _heston, _bates, _filtered_historical)

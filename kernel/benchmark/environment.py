"""What a run depends on around it, and the compiling of what it needs."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from typing import Any, NamedTuple

import llvmlite.binding

from kernel._core.jit import CACHE_FOLDER, WHY_NO_CACHE, Preparing, preparing
from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.checks.text import snake
from kernel.instruments import Linear
from kernel.markets import MARKETS
from kernel.simulation.execution.workers import available_threads
from kernel.simulation.simulate import simulate
from kernel.versions import versions

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


def preparing_kernels(begin: Callable[[], None] | None = None) -> AbstractContextManager[Preparing]:
    """Note the compiling and loading of kernels within a block; call `begin` once, when any is compiled."""
    return preparing(begin)


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
    for precision, assets, kind in product(precisions, (1, 2), MARKETS.values()):
        start, one = time.perf_counter(), kind.example([f"asset {k}" for k in range(assets)])
        account = Account(cash=0.0, positions=[Linear(name, 1.0) for name in one.assets], maintenance_rate=0.01)
        simulate(one, account, Ladder({"call": 1.0}), horizon=1.0, steps=1, paths=1, precision=precision)
        yield Warmed(snake(kind.__name__), assets, precision, time.perf_counter() - start)

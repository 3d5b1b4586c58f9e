"""A process for each processor, for contenders that hold the interpreter or a pool of threads of their own."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")


def _bind(k: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[k]})


class Processes:
    """So many processes, each kept to one processor; they start before anything is timed."""

    def __init__(self, count: int) -> None:
        spawn = get_context("spawn")
        self._each = [ProcessPoolExecutor(1, spawn, _bind, (k,)) for k in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, what: BaseException | None, where: TracebackType | None
    ) -> None:
        for one in self._each:
            one.shutdown()

    def share(self, function: Callable[[int, int], T], paths: int, count: int) -> list[T]:
        """Return function(its share of the paths, a seed of its own) of each of the first `count` processes."""
        futures = [one.submit(function, paths // count, seed) for seed, one in enumerate(self._each[:count], start=1)]
        return [future.result() for future in futures]

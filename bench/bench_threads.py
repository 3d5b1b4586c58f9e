"""How does the walk scale with threads; the loop by hand and NumPy show what the machine permits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from bench import jobs
from bench.peers import c_walk, numpy_walk
from bench.turns import CLOCK, measure, replay
from kernel.workers import available_threads

pytestmark = pytest.mark.benchmark(timer=CLOCK.read)
PATHS, ROUNDS = 1 << 18, 9
PROCESSORS = available_threads()
COUNTS = sorted({2**k for k in range(PROCESSORS.bit_length())} | {PROCESSORS})
CASES = {f"threads, {who}, {threads}": (who, threads) for threads in COUNTS for who in ("kernel", "c", "numpy")}


def call(who: str, threads: int) -> Callable[[], Any]:
    """Return a call of the contender: the same paths on any number of threads."""
    calls: dict[str, Callable[[], Any]] = {
        "kernel": jobs.year(PATHS, threads=threads).run,
        "c": partial(c_walk.walk, PATHS, threads),
        "numpy": partial(numpy_walk.walk, PATHS, threads),
    }
    return calls[who]


@pytest.fixture(scope="module")
def measured() -> dict[str, list[float]]:
    """Measure all in turns."""
    absent = c_walk.absent()
    return measure({name: call(*case) for name, case in CASES.items() if case[0] != "c" or not absent}, ROUNDS)


@pytest.mark.parametrize("name", CASES)
def test_threads(benchmark: Any, measured: dict[str, list[float]], name: str) -> None:
    """Report a contender on a number of threads."""
    who, threads = CASES[name]
    reason = c_walk.absent()
    if who == "c" and reason is not None:
        pytest.skip(reason)
    steps = jobs.year(PATHS).steps
    benchmark.extra_info.update(
        name=name, contender=who, threads=threads, processors=PROCESSORS, paths=PATHS, steps=steps
    )
    replay(benchmark, measured[name])

"""How fast is the walk beside its peers, and how does each scale: a year of GBM in 252 steps, on one processor to all.

Each processor has as many paths, however many there are; what holds the interpreter or a pool of threads of its own
(JAX, QuantLib) has a process on each. pytest's own table shows seconds of a call, in which QuantLib walks 4,096 paths
a processor and the others 131,072: `bench.pages.benchmarks` divides by the path-steps.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from bench.peers import c_walk, jax_walk, numpy_normals, numpy_walk, quantlib_barrier
from bench.peers.processes import Processes
from bench.timings import jobs
from bench.timings.turns import CLOCK, measure, replay
from kernel.simulation.execution.workers import available_threads

pytestmark = pytest.mark.benchmark(timer=CLOCK.read)
ROUNDS = 9
PROCESSORS = available_threads()
COUNTS = sorted({2**k for k in range(PROCESSORS.bit_length())} | {PROCESSORS})
# Paths for each processor: QuantLib takes a hundred times as long a path.
PATHS = dict.fromkeys(("kernel", "c", "c with exp", "numpy", "numpy by hand", "jax"), 1 << 17) | {"quantlib": 1 << 12}
CASES = {f"peers, {who}, {count}": (who, count) for count in COUNTS for who in PATHS}


def why_absent(who: str) -> str | None:
    """Say what a contender lacks, if it does."""
    package = {"jax": "jax", "quantlib": "QuantLib"}.get(who)
    if package and importlib.util.find_spec(package) is None:
        return f"{package} is not installed"
    return c_walk.absent() if who.startswith("c") else None


def call(who: str, threads: int, processes: Processes) -> Callable[[], Any]:
    """Return a call of the contender that walks its paths."""
    paths = PATHS[who] * threads
    calls: dict[str, Callable[[], Any]] = {
        "kernel": jobs.year(paths, threads=threads).run,
        "c": partial(c_walk.walk, paths, threads),
        "c with exp": partial(c_walk.walk, paths, threads, equity_each_step=True),
        "numpy": partial(numpy_walk.walk, paths, threads),
        "numpy by hand": partial(numpy_walk.walk, paths, threads, numpy_normals.by_hand),
        "jax": partial(processes.share, jax_walk.walked, paths, threads),
        "quantlib": partial(processes.share, quantlib_barrier.price, paths, threads),
    }
    return calls[who]


@pytest.fixture(scope="module")
def measured() -> Iterator[dict[str, list[float]]]:
    """Measure all contenders in turns."""
    with Processes(PROCESSORS) as processes:
        cases = {
            name: call(who, threads, processes) for name, (who, threads) in CASES.items() if why_absent(who) is None
        }
        yield measure(cases, ROUNDS)


@pytest.mark.parametrize("name", CASES)
def test_peers(benchmark: Any, measured: dict[str, list[float]], name: str) -> None:
    """Report a contender on a number of processors."""
    who, threads = CASES[name]
    reason = why_absent(who)
    if reason is not None:
        pytest.skip(reason)
    paths = PATHS[who] * threads
    benchmark.extra_info.update(
        name=name,
        contender=who.split()[0],
        threads=threads,
        processors=PROCESSORS,
        paths=paths,
        steps=jobs.year(paths).steps,
    )
    replay(benchmark, measured[name])

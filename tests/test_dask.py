"""Simulations on Dask: the same bits on worker processes, one of them killed, and an end to every wait."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

import kernel
from kernel.errors import Incomplete
from kernel.simulation import chunks
from kernel.simulation import simulate as simulation
from kernel.simulation.execution import executors
from kernel.simulation.execution.executors import Workers
from tests.cases import GBM, MERTON, run
from tests.test_invariance import same

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("default")  # of Dask and of what it stands on

T = TypeVar("T")
LIMIT = 120.0  # seconds that nothing here comes near


def in_time(function: Callable[[], T]) -> T:
    """Return what a function returns, or fail if it takes too long."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(function).result(LIMIT)
    finally:
        pool.shutdown(wait=False)


@contextmanager
def cluster(folder: Path, workers: int, *, processes: bool) -> Iterator[Any]:
    """Start workers of a thread each, and a client of them."""
    settings = {"dashboard_address": ":0", "local_directory": str(folder)}
    with (
        distributed.LocalCluster(n_workers=workers, threads_per_worker=1, processes=processes, **settings) as started,
        distributed.Client(started, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start two worker processes."""
    with cluster(tmp_path_factory.mktemp("dask"), 2, processes=True) as client:
        yield client


@pytest.fixture
def threads(tmp_path: Path) -> Iterator[Any]:
    """Start one worker, a thread of this process."""
    with cluster(tmp_path, 1, processes=False) as client:
        yield client


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut simulations into chunks of 2,000 paths, whoever walks them."""
    monkeypatch.setattr(simulation, "chunk_size", lambda *_: 2_000)
    monkeypatch.setattr(chunks, "_TRIP_WORK", 1)


def test_worker_processes_give_the_bits_of_threads(processes: Any) -> None:
    """A cluster, given by its executor or its client, gives the arrays and estimates of the own threads."""
    own = run(MERTON, paths=300_000, steps=3)
    assert same(own, in_time(lambda: run(MERTON, paths=300_000, steps=3, executor=processes.get_executor())))
    summary = in_time(lambda: run(MERTON, paths=300_000, steps=3, executor=processes, record="summary"))
    assert kernel.expected_shortfall(own, 0.99) == kernel.expected_shortfall(summary, 0.99)
    assert Workers(processes).count() == 2


@pytest.mark.usefixtures("small_chunks")
def test_a_worker_that_is_killed_does_not_change_a_bit(processes: Any) -> None:
    """A worker killed in the middle loses its chunks to the other, or to its successor."""
    pids, told = list(in_time(lambda: processes.run(os.getpid)).values()), []

    def kill(done: int, paths: int) -> None:
        if not told:
            os.kill(pids[0], signal.SIGKILL)
        told.append(paths - done)

    outcome = in_time(lambda: run(MERTON, paths=100_000, steps=3, executor=processes, progress=kill))
    assert told[0] >= 90_000
    assert same(run(MERTON, paths=100_000, steps=3), outcome)


@pytest.mark.usefixtures("small_chunks")
def test_a_run_that_is_cancelled_does_not_cancel_its_twin(threads: Any) -> None:
    """Two runs of the same chunks share none of them: one goes on when the other is interrupted."""
    begun, stopped = threading.Event(), threading.Event()

    def wait(_: int, __: int) -> None:
        begun.set()
        assert stopped.wait(LIMIT)

    def stop(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as pool:
        twin = pool.submit(run, GBM, paths=20_000, executor=threads, progress=wait)
        assert begun.wait(LIMIT)
        with pytest.raises(KeyboardInterrupt):
            run(GBM, paths=20_000, executor=threads, progress=stop)
        stopped.set()
        assert same(run(GBM, paths=20_000), twin.result(LIMIT))


@pytest.mark.usefixtures("small_chunks")
def test_a_cluster_that_grows_is_given_more(threads: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers are asked for again and again: as many calls are under way as there are threads for, times four."""
    monkeypatch.setattr(executors, "_ASK_AGAIN", 0.0)
    workers = Workers(threads)
    assert (workers.count(), workers.room(10**6), workers.room(2)) == (1, 4, 2)
    threads.cluster.scale(3)
    threads.wait_for_workers(3, LIMIT)
    assert (workers.count(), workers.room(10**6), workers.room(2)) == (3, 12, 3)


@pytest.mark.usefixtures("small_chunks")
def test_a_lost_connection_ends_in_a_sentence(threads: Any) -> None:
    """A cluster that goes away in the middle leaves one sentence, soon, and so does a client that is closed."""
    with pytest.raises(Incomplete, match="executor: ") as lost:
        in_time(lambda: run(GBM, paths=300_000, executor=threads, progress=lambda *_: threads.cluster.close()))
    assert len(lost.value.problems) == 1
    assert "\n" not in str(lost.value)
    threads.close()
    with pytest.raises(Incomplete, match="executor: "):
        in_time(lambda: run(GBM, paths=300_000, executor=threads))


def test_a_cluster_without_workers_is_not_waited_for_in_vain(threads: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no worker comes, for a minute, the run ends with what to do."""
    monkeypatch.setattr(executors, "_PATIENCE", 0.2)
    monkeypatch.setattr(executors, "_PULSE", 0.1)
    threads.cluster.scale(0)
    until = time.monotonic() + LIMIT
    while threads.nthreads() and time.monotonic() < until:
        time.sleep(0.05)
    with pytest.raises(Incomplete, match=r"executor: has had no worker for 0\.2 seconds: start some"):
        in_time(lambda: run(GBM, paths=300_000, executor=threads))


def run_within() -> kernel.Outcome:
    """Simulate on the cluster that runs this."""
    return run(GBM, paths=300_000, executor=distributed.get_client())


def test_a_task_that_simulates_on_its_own_cluster_does_not_wait_for_itself(threads: Any) -> None:
    """On a cluster of one thread a task that simulates there walks the chunks itself."""
    assert same(run(GBM, paths=300_000), threads.submit(run_within, pure=False).result(LIMIT))


def test_a_client_for_coroutines_is_refused() -> None:
    """An asynchronous client, whose results nobody could wait for, is refused with what is needed."""

    class Asynchronous:
        asynchronous = True

        def nthreads(self) -> None: ...

        def submit(self) -> None: ...

        def get_executor(self) -> Any:
            return distributed.cfexecutor.ClientExecutor(self)

    with pytest.raises(kernel.InvalidInput, match="executor: must be of a Dask client that is not asynchronous"):
        run(GBM, executor=Asynchronous())

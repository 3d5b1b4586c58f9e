"""Work on executors: who is asked for workers, how they are kept busy, and how their loss ends."""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from typing import Any

import pytest

import kernel
from kernel.errors import Incomplete, Problem, Problems
from kernel.simulation import chunks
from kernel.simulation import simulate as simulation
from kernel.simulation.check import check_simulation
from kernel.simulation.execution import executors
from kernel.simulation.execution.executors import UNKNOWN, Workers, from_workers
from kernel.simulation.execution.workers import in_order
from tests.cases import GBM, LADDER, LONG, MERTON, run
from tests.test_invariance import same

LIMIT = 60.0  # seconds that nothing here comes near


class Recorded(Executor):
    """A pool of threads that says nothing of its workers, and knows its futures; `wrap` may hold up a call."""

    def __init__(self, wrap: Callable[[int, Callable[[], Any]], Any] = lambda _, call: call()) -> None:
        self.pool, self.wrap = ThreadPoolExecutor(2), wrap
        self.futures: list[Future[Any]] = []
        self.most = 0

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Submit a call, and count those that are under way."""
        number = len(self.futures)
        self.futures.append(self.pool.submit(self.wrap, number, lambda: function(*arguments, **named)))
        self.most = max(self.most, sum(not future.done() for future in self.futures))
        return self.futures[-1]


class Backwards(Executor):
    """Runs nothing until eight calls wait, and then the last first."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **_: Any) -> Future[Any]:
        """Take a call; run all that wait, once they are eight."""
        future: Future[Any] = Future()
        self.waiting.append((future, lambda: function(*arguments)))
        if len(self.waiting) == 8:
            while self.waiting:
                last, call = self.waiting.pop()
                last.set_result(call())
        return future


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut simulations into chunks of 1,000 paths, whoever walks them."""
    monkeypatch.setattr(simulation, "chunk_size", lambda *_: 1_000)
    monkeypatch.setattr(chunks, "_TRIP_WORK", 1)


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Start two worker processes."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


def test_executors_are_asked_for_their_workers(processes: ProcessPoolExecutor) -> None:
    """Pools of threads and processes say how many workers they have; of others some are assumed."""

    class Mpi(Recorded):
        num_workers = 7

    with ThreadPoolExecutor(3) as threads:
        assert Workers(threads).count() == 3
    assert Workers(processes).count() == 2
    assert Workers(Mpi()).count() == 7
    assert Workers(Recorded()).count() == UNKNOWN


@pytest.mark.usefixtures("small_chunks")
def test_one_slow_chunk_does_not_idle_the_others() -> None:
    """A chunk that ends after all others holds none of them up, however many they are, and changes no bit."""
    others, last = threading.Semaphore(0), 299

    def wrap(number: int, call: Callable[[], Any]) -> Any:
        if number == 0:
            for _ in range(last):
                assert others.acquire(timeout=LIMIT)
        try:
            return call()
        finally:
            others.release()

    executor = Recorded(wrap)
    outcome = run(GBM, paths=300_000, executor=executor)
    assert len(executor.futures) == last + 1
    assert executor.most <= 4 * UNKNOWN
    assert same(run(GBM, paths=300_000), outcome)


def test_results_in_order_wait_for_a_slow_one_in_bounded_number() -> None:
    """While one call is slow others go on, until as many results wait as may be under way."""
    started: list[int] = []
    release = threading.Event()

    def work(number: int) -> int:
        started.append(number)
        if number == 0:
            assert release.wait(LIMIT)
        elif number == 7:
            release.set()
        return number

    with ThreadPoolExecutor(2) as pool:
        results = in_order(pool, work, ((number,) for number in range(100)), 4)
        assert next(results) == 0
        assert max(started) < 8 + 4
        assert list(results) == list(range(1, 100))


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("settings", [{"record": "paths"}, {"record": "summary", "worst": True}], ids=str)
def test_the_order_in_which_chunks_end_does_not_change_a_bit(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks that end in another order, and chunks of other sizes, give the same arrays and the same estimates."""
    own = run(MERTON, paths=64_000, **settings)
    outcomes = [run(MERTON, paths=64_000, executor=Backwards(), **settings)]
    for size in (16, 64_000, 999):
        monkeypatch.setattr(simulation, "chunk_size", lambda *_, size=size: size)
        outcomes.append(run(MERTON, paths=64_000, **settings))
    for other in outcomes:
        if own.loss is not None:
            assert same(own, other)
            continue
        for level in (0.95, 0.99, 0.999):
            assert kernel.value_at_risk(own, level) == kernel.value_at_risk(other, level)
            assert kernel.expected_shortfall(own, level) == kernel.expected_shortfall(other, level)
        assert kernel.threshold(own, 0.01) == kernel.threshold(other, 0.01)
        assert kernel.breach_probability(own, "call") == kernel.breach_probability(other, "call")
        assert kernel.breach_time_quantile(own, "call", 0.5) == kernel.breach_time_quantile(other, "call", 0.5)


@pytest.mark.parametrize(
    "settings",
    [{}, {"record": "summary"}, {"sampling": "antithetic"}, {"importance": "liquidation"}, {"precision": "double"}],
    ids=str,
)
def test_processes_give_the_bits_of_threads(settings: dict[str, Any], processes: ProcessPoolExecutor) -> None:
    """Chunks that travel, and are larger, give what the own threads give."""
    own, other = (run(GBM, paths=200_000, steps=3, executor=executor, **settings) for executor in (None, processes))
    for name in ("loss", "terminal_price", "breach_time", "weight", "breach_weight"):
        one, two = getattr(own, name), getattr(other, name)
        assert (one is None and two is None) or one.tobytes() == two.tobytes()
    assert kernel.expected_shortfall(own, 0.99) == kernel.expected_shortfall(other, 0.99)


def test_chunks_that_travel_are_larger_and_leave_some_for_each_worker() -> None:
    """Two trips for each worker, not beyond 16 times the work or 8 MB that come back, and never less than a chunk."""
    stated = {"horizon": 0.1, "steps": 1, "paths": 10**6, "record": "paths"}
    settings = check_simulation(Problems(), stated, market=GBM, account=LONG, ladder=LADDER)
    job = simulation.new_job(GBM, LONG, LADDER, settings)
    assert chunks.trip_size(job, 16_384, 10**6, 2) == 250_000
    assert chunks.trip_size(job, 1_000, 10**6, 2) == 16_000
    assert chunks.trip_size(job, 131_072, 10**9, 2) == 2**23 // chunks.path_bytes(job)
    assert chunks.trip_size(job._replace(summarised=True), 131_072, 10**9, 2) == 131_072 * 16
    assert chunks.trip_size(job, 16_384, 10**6, 1_000) == 16_384
    assert chunks.trip_size(job, 16_384, 10**6, 0) == 16_384 * 16


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_is_under_way_is_cancelled_when_a_run_ends_early(error: type[BaseException]) -> None:
    """An interrupt, or an error of the caller's, cancels the chunks that have not begun, at once."""
    release = threading.Event()

    def wrap(number: int, call: Callable[[], Any]) -> Any:
        assert number == 0 or release.wait(LIMIT)
        return call()

    def stop(_: int, __: int) -> None:
        raise error

    executor = Recorded(wrap)
    try:
        with pytest.raises(error):
            run(GBM, paths=30_000, executor=executor, progress=stop)
        assert sum(future.cancelled() for future in executor.futures) >= len(executor.futures) - 3
        assert len(executor.futures) > 3
    finally:
        release.set()


def sentence(**settings: Any) -> str:
    """Run what is refused as incomplete, and return the one sentence about it."""
    with pytest.raises(Incomplete) as refused:
        run(GBM, **{"paths": 300_000, **settings})
    (problem,) = refused.value.problems
    assert problem.field == "executor"
    assert "\n" not in problem.message
    return problem.message


def test_a_worker_process_that_is_killed_ends_in_a_sentence() -> None:
    """A process pool is broken for good once one of its processes is killed: its owner hears of that."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pid = pool.submit(os.getpid).result()

        def kill(*_: int) -> None:
            with suppress(ProcessLookupError):  # results that it had sent may still come
                os.kill(pid, signal.SIGKILL)

        message = sentence(paths=10**7, executor=pool, progress=kill)
        assert message.startswith("lost a worker, stopped perhaps for the memory")
        assert sentence(executor=pool).startswith("lost a worker")


def _die_while_answering() -> None:
    """Send the head of a result, of a thousand bytes, and die before the rest."""
    frame = sys._getframe()  # noqa: SLF001 - a worker hides where its results go
    while "result_queue" not in frame.f_locals:
        assert frame.f_back is not None
        frame = frame.f_back
    os.write(frame.f_locals["result_queue"]._writer.fileno(), struct.pack("!i", 1_000))  # noqa: SLF001 - as above
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_dies_while_it_answers_ends_in_a_sentence() -> None:
    """Killed in the middle of a result, which the pool would wait for, it breaks the pool all the same."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        with pytest.raises(Incomplete, match="executor: lost a worker"):
            list(from_workers(Workers(pool), _die_while_answering, iter([()]), 1))
        assert sentence(executor=pool).startswith("lost a worker")


@pytest.mark.usefixtures("small_chunks")
def test_an_executor_that_is_shut_down_ends_in_a_sentence() -> None:
    """A pool that is shut down, before or in the middle, is named with what to do."""
    pool = ThreadPoolExecutor(2)
    stop = lambda *_: pool.shutdown(wait=False, cancel_futures=True)  # noqa: E731
    assert "shut" in sentence(executor=pool, progress=stop)
    assert "cannot schedule new futures after shutdown" in sentence(executor=pool)


def test_an_executor_that_refuses_a_call_ends_in_a_sentence() -> None:
    """Whatever an executor raises, and whatever a worker lacks, is told in the first line of its words."""

    class Refusing(Executor):
        def submit(self, *_: Any, **__: Any) -> Future[Any]:
            raise OSError("no route\nto host")

    def lacks(_: int, __: Callable[[], Any]) -> Any:
        raise ModuleNotFoundError("No module named 'kernel'")

    assert "(OSError: no route)" in sentence(executor=Refusing())
    assert "(ModuleNotFoundError: No module named 'kernel')" in sentence(executor=Recorded(lacks))


def test_workers_of_other_versions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker with other versions may have other bits: it is told from one that has the same."""
    found = iter(["1", "2"])
    monkeypatch.setattr(executors, "versions", lambda: {"numba": next(found)})
    assert "a worker has numba 2, not 1" in sentence(paths=100, executor=Recorded())


def test_an_error_of_the_market_is_not_taken_for_one_of_the_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a chunk itself raises comes as it is, with a note of where it was."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("of the market")

    monkeypatch.setattr(chunks, "_walk", lambda _, first, last, *__: fail() if last > first else None)
    with pytest.raises(ZeroDivisionError, match="of the market") as raised:
        run(GBM, paths=100, executor=Recorded())
    assert raised.value.__notes__[0].startswith("on a worker: Traceback")


class _Late(set[threading.Thread]):
    """Threads that are known a while after they have started, as on a busy machine."""

    def add(self, one: threading.Thread) -> None:
        time.sleep(0.3)
        super().add(one)


@pytest.mark.parametrize("known", [set, _Late])
def test_a_call_from_its_own_executor_does_not_wait_for_itself(known: type[set[threading.Thread]]) -> None:
    """In a pool of one thread that simulates on that pool the chunks run in the thread, with the same bits."""
    pool = ThreadPoolExecutor(1)
    pool._threads = known()  # noqa: SLF001 - how a busy machine is made
    try:
        inner = pool.submit(run, GBM, paths=300_000, executor=pool)
        assert same(run(GBM, paths=300_000), inner.result(LIMIT))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def test_a_pool_of_another_process_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool that came over a fork has no threads, and never would return anything."""
    monkeypatch.setattr(executors, "_PULSE", 0.01)
    gone = threading.Thread(target=int)
    gone.start()
    gone.join(LIMIT)

    class Forked(Executor):
        _threads = (gone,)

        def submit(self, *_: Any, **__: Any) -> Future[Any]:
            return Future()

    assert sentence(executor=Forked()).startswith("has no threads in this process")


def test_incomplete_work_travels_as_what_it_is() -> None:
    """The error of incomplete work comes out of another process as itself."""
    travelled = pickle.loads(pickle.dumps(Incomplete([Problem("executor", "is lost")])))
    assert type(travelled) is Incomplete
    assert str(travelled) == "executor: is lost"


def test_a_class_is_no_executor() -> None:
    """An executor's class, for want of brackets, is refused at the door."""
    with pytest.raises(kernel.InvalidInput, match=r"executor: must be a concurrent\.futures\.Executor"):
        run(GBM, executor=ThreadPoolExecutor)

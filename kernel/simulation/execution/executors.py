"""Work on any executor: asked for its workers, kept busy, and never waited for in vain."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from itertools import islice
from multiprocessing import connection
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from kernel.errors import Incomplete, InvalidInput, Problem
from kernel.versions import versions

T = TypeVar("T")

UNKNOWN = 16  # workers of an executor that does not say how many it has
_AHEAD = 4  # calls under way for each worker: one runs, the others are on their way or wait
_PULSE = 1.0  # seconds between two looks at an executor that returns nothing
_ASK_AGAIN, _ANSWER, _PATIENCE = 1.0, 10.0, 60.0  # seconds: clusters grow; to answer; without any worker
_LONGEST = 200  # characters of another package's message
_LOST = "lost a worker, stopped perhaps for the memory that it took: start anew, with fewer or larger ones"


class Workers:
    """An executor: how many workers it has at the moment, and whether they are still there.

    Args:
        executor: any `concurrent.futures.Executor`, such as those of Dask (or its client), loky and `mpi4py.futures`.

    Raises:
        InvalidInput: for a Dask client that only coroutines can use.
    """

    def __init__(self, executor: Any) -> None:
        if hasattr(executor, "get_executor"):  # a Dask client
            executor = executor.get_executor()
        self._executor: Executor = executor
        client = getattr(executor, "_client", None)
        self._client: Any = client if hasattr(client, "nthreads") else None
        if self._client is not None and self._client.asynchronous:
            raise InvalidInput([Problem("executor", "must be of a Dask client that is not asynchronous")])
        self._count, self._asked, self._seen = 0, -_ASK_AGAIN, time.monotonic()
        self._dead: set[int] = set()  # processes, at the last look

    @property
    def are_threads(self) -> bool:
        """Tell whether they are threads of this process, to which no call has to travel."""
        return isinstance(self._executor, ThreadPoolExecutor)

    def count(self) -> int:
        """Return how many calls they can run at once; a cluster, which may grow and shrink, is asked every second.

        Raises:
            Incomplete: if the cluster does not answer.
        """
        if self._client is None:
            stated = getattr(self._executor, "_max_workers", None) or getattr(self._executor, "num_workers", None)
            return stated if isinstance(stated, int) else UNKNOWN
        if time.monotonic() - self._asked >= _ASK_AGAIN:
            with _in_a_sentence():
                self._count = sum(self._client.nthreads(callback_timeout=_ANSWER).values())
            self._asked = time.monotonic()
            self._seen = self._asked if self._count else self._seen
        return self._count

    def room(self, most: int) -> int:
        """Return how many calls to have under way: some for each worker, up to `most`, but one for each in any case."""
        count = max(self.count(), 1)
        return max(count, min(_AHEAD * count, most))

    def include_this_thread(self) -> bool:
        """Tell whether the caller is one of them, who could wait for a turn that it takes up itself."""
        if self._client is None:
            with getattr(self._executor, "_shutdown_lock", nullcontext()):  # which adds a thread that it has started
                return threading.current_thread() in getattr(self._executor, "_threads", ())
        thread = getattr(sys.modules.get("distributed.worker"), "thread_state", None)
        task: Any = getattr(thread, "execution_state", None)  # of the task that this thread runs
        return bool(task) and task["worker"].scheduler.address == self._client.scheduler.address

    def submit(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Schedule a call: one of its own, where Dask would run equal calls of two runs once, and cancel both at once.

        Raises:
            Incomplete: if the executor takes no more.
        """
        own = {"pure": False} if self._client is not None else {}
        with _in_a_sentence():
            return self._executor.submit(function, *arguments, **own)

    def require(self) -> None:
        """See to it that something can still come.

        Raises:
            Incomplete: if nothing can.
        """
        pool = self._executor
        threads = [getattr(pool, "_executor_manager_thread", None), *getattr(pool, "_threads", ())]
        started = [thread for thread in threads if isinstance(thread, threading.Thread)]
        if started and not any(thread.is_alive() for thread in started):
            raise _incomplete("has no threads in this process: make one here, not before a fork")
        self._require_processes()
        if self._client is not None and self.count() == 0 and time.monotonic() - self._seen > _PATIENCE:
            raise _incomplete(f"has had no worker for {_PATIENCE:g} seconds: start some, and wait for them first")

    def _require_processes(self) -> None:
        """Break a pool that does not notice that a process of it has died, as it would have broken by itself.

        It waits for ever for the rest of a result that the process was sending, with the locks that died with it.
        """
        pool: Any = self._executor
        processes = list((getattr(pool, "_processes", None) or {}).values())
        dead = {process.pid for process in processes if connection.wait([process.sentinel], 0)}
        if dead & self._dead:
            for process in processes:
                process.kill()
            pool._result_queue._writer.close()  # noqa: SLF001 - all others are closed by now: who waits sees the end
            pool._executor_manager_thread.join(_ANSWER)  # noqa: SLF001 - it was that, and tells the pool
            raise _incomplete(_LOST)
        self._dead = dead


def _incomplete(message: str) -> Incomplete:
    return Incomplete([Problem("executor", message)])


@contextmanager
def _in_a_sentence() -> Iterator[None]:
    """Turn what goes wrong with an executor into a sentence."""
    try:
        yield
    except (BrokenExecutor, MemoryError) as error:
        raise _incomplete(_LOST) from error
    except CancelledError as error:
        message = "was shut down, restarted or cut off before the work was done: keep it up until it is, or start anew"
        raise _incomplete(message) from error
    except Exception as error:
        first, _, _ = (str(error).strip() or "no message").partition("\n")
        words = f"{type(error).__name__}: {first[:_LONGEST]}"
        message = "is it up, and can its workers import what is simulated?"
        raise _incomplete(f"failed before the work was done ({words}): {message}") from error


class _Raised(NamedTuple):
    """What a call raised by itself, told apart from what befell its worker."""

    error: Exception


def _attempt(asked_by: dict[str, str], function: Callable[..., T], *arguments: Any) -> T | _Raised:
    """Run a call on a worker; raise what may be the worker's fault: what it lacks, or other versions, and other bits.

    All else that the call raises is returned.
    """
    for name, asked in asked_by.items():
        if asked != (own := versions()[name]):
            raise RuntimeError(f"a worker has {name} {own}, not {asked}")
    try:
        return function(*arguments)
    except (ImportError, OSError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - it is raised again where it is awaited
        error.add_note(f"on a worker: {traceback.format_exc()}")
        return _Raised(error)


def from_workers(
    workers: Workers, function: Callable[..., T], calls: Iterator[tuple[Any, ...]], most: int
) -> Iterator[T]:
    """Yield what a function returns of each call's arguments, in any order, as `as_they_come` does.

    Args:
        workers: who run it, each in the versions of this process.
        function: what they run; picklable, as its arguments are.
        calls: the arguments.
        most: calls to have under way, but for one to each worker.

    Raises:
        Incomplete: if the workers are lost before all is done.
    """
    asked_by = versions()

    def submit(*arguments: Any) -> Future[T | _Raised]:
        return workers.submit(_attempt, asked_by, function, *arguments)

    for future in as_they_come(submit, calls, lambda: workers.room(most), workers.require):
        with _in_a_sentence():
            result = future.result()
        if isinstance(result, _Raised):
            raise result.error
        yield result


def as_they_come(
    submit: Callable[..., Future[T]],
    calls: Iterator[tuple[Any, ...]],
    room: Callable[[], int],
    require: Callable[[], None] = lambda: None,
) -> Iterator[Future[T]]:
    """Yield the futures of calls as they are done; cancel the others if that ends early.

    Where one is done the next call is submitted at once, however long another takes; as many as there is room for are
    under way, or done and not taken yet, so that what they return is never more than that.

    Args:
        submit: what schedules a call.
        calls: the arguments of each.
        room: how many may be under way, asked whenever one is done.
        require: called once a second while nothing comes; it raises if nothing can.
    """
    under_way: set[Future[T]] = set()
    done: SimpleQueue[Future[T]] = SimpleQueue()
    try:
        while True:
            for arguments in islice(calls, max(room() - len(under_way), 0)):
                future = submit(*arguments)
                under_way.add(future)
                future.add_done_callback(done.put)
            if not under_way:
                return
            try:
                future = done.get(timeout=_PULSE)
            except Empty:
                require()
                continue
            under_way.remove(future)
            yield future
            del future  # and what it returned
    finally:
        for future in under_way:
            future.cancel()

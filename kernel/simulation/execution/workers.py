"""Who does the work: chunks on threads or on any executor, put together path by path."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import count
from typing import Any, TypeVar

from kernel._core.walk import Arrays
from kernel.simulation.chunks import ChunkResult, ChunkSpec, result_bytes, run_chunk, trip_size
from kernel.simulation.execution.executors import Workers, as_they_come, from_workers
from kernel.simulation.job import Job
from kernel.simulation.summary import Summary, Total

T = TypeVar("T")

_OF_PATHS = ("loss", "terminal_price", "breach_time", "worst", "score")  # the arrays that a chunk fills
_FEW = 3  # chunks that are done sooner than threads are started and woken
_AHEAD = 4  # chunks under way for each thread
_BYTES = 2**30  # of results that other processes may have sent before they are put where they belong


def available_threads() -> int:
    """Return the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def results(
    parts: Sequence[ChunkSpec], size: int, arrays: Arrays | None, executor: Executor | None, threads: int
) -> Generator[ChunkResult]:
    """Cut ranges of paths into chunks and yield their results as they come, with a bounded number of them under way.

    Args:
        parts: ranges of paths, each of a job.
        size: paths of a chunk.
        arrays: where the chunks of this process write, if paths are kept.
        executor: who runs the chunks, or None for threads of our own.
        threads: how many of those.

    Raises:
        Incomplete: if the executor's workers are lost before all is done.
    """
    if executor is not None:
        workers = Workers(executor)
        if not workers.include_this_thread():
            yield from _from(workers, parts, size, arrays)
            return
        threads = 1
    specs = ((spec, arrays) for spec in _cut(parts, size))
    if threads == 1 or sum(-(-(stop - start) // size) for _, start, stop in parts) <= _FEW:
        yield from (run_chunk(*call) for call in specs)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="margin-kernel") as pool:
        for future in as_they_come(lambda *call: pool.submit(run_chunk, *call), specs, lambda: _AHEAD * threads):
            yield future.result()


def _from(workers: Workers, parts: Sequence[ChunkSpec], size: int, arrays: Arrays | None) -> Iterator[ChunkResult]:
    """Yield results of the workers of an executor: threads write where all is kept, others send theirs."""
    job = parts[0].job
    if workers.are_threads:
        calls = ((spec, arrays) for spec in _cut(parts, size))
    else:
        if job.points is None:  # Sobol's normals of a chunk lie in memory together
            size = trip_size(job, size, parts[-1].last, workers.count())
        calls = ((spec, None) for spec in _cut(parts, size))
    yield from from_workers(workers, run_chunk, calls, max(_BYTES // result_bytes(job, size), 1))


def _cut(parts: Sequence[ChunkSpec], size: int) -> Iterator[ChunkSpec]:
    for job, start, stop in parts:
        for first in range(start, stop, size):
            yield ChunkSpec(job, first, min(first + size, stop))


def in_order(
    executor: Executor, function: Callable[..., T], calls: Iterator[tuple[Any, ...]], most: int
) -> Iterator[T]:
    """Yield what a function returns of each call's arguments, in their order.

    At most `most` calls are under way, and as many more results wait for one that takes longer.
    """
    numbers, waiting, following = count(), dict[int, T](), 0

    def numbered(number: int, *arguments: Any) -> tuple[int, T]:
        return number, function(*arguments)

    def room() -> int:
        return min(most, 2 * most - len(waiting))

    submit: Callable[..., Future[tuple[int, T]]] = lambda *call: executor.submit(numbered, *call)  # noqa: E731
    for future in as_they_come(submit, ((next(numbers), *arguments) for arguments in calls), room):
        number, result = future.result()
        waiting[number] = result
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def collect(
    results: Iterator[ChunkResult],
    arrays: Arrays | None,
    job: Job,
    paths: int,
    progress: Callable[[int, int], None] | None,
) -> Arrays | Summary:
    """Put results where they belong, in whatever order they come; return the arrays, or without them the summary.

    That changes no bit: paths have their places, and a summary adds up counts and keeps the largest of all.
    """
    total, done = Total(job.kept), 0
    for first, last, part, summary in results:
        if summary is not None:
            total.add(summary)
        elif arrays is not None and part is not None and part is not arrays:
            for name in _OF_PATHS:
                getattr(arrays, name)[..., first:last] = getattr(part, name)
        if progress is not None:
            progress(done := done + last - first, paths)
    return total.summary() if arrays is None else arrays

"""Who does the work: chunks on threads or on any executor, put together in the order of the paths."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, TypeVar

from kernel._core.walk import Arrays
from kernel.chunks import ChunkResult, ChunkSpec, Job, Summary, Total, run_chunk

T = TypeVar("T")

KEPT = ("loss", "terminal_price", "breach_time", "worst")  # of the arrays, by the outcome's names
_FEW = 3  # chunks that are done sooner than threads are started and woken


def available_threads() -> int:
    """Return the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def results(
    parts: Sequence[ChunkSpec], size: int, arrays: Arrays | None, executor: Executor | None, threads: int
) -> Iterator[ChunkResult]:
    """Cut ranges of paths into chunks and yield their results in order, with a bounded number of them under way."""
    specs = (
        ChunkSpec(job, first, min(first + size, stop))
        for job, start, stop in parts
        for first in range(start, stop, size)
    )
    if executor is not None:
        most = 4 * getattr(executor, "_max_workers", available_threads())
        yield from in_order(executor, run_chunk, ((spec, None) for spec in specs), most)
        return
    if threads == 1 or sum(-(-(stop - start) // size) for _, start, stop in parts) <= _FEW:
        yield from (run_chunk(spec, arrays) for spec in specs)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="margin-kernel") as pool:
        yield from in_order(pool, run_chunk, ((spec, arrays) for spec in specs), 4 * threads)


def in_order(
    executor: Executor, function: Callable[..., T], calls: Iterator[tuple[Any, ...]], most: int
) -> Iterator[T]:
    """Yield what a function returns of each call's arguments, in their order, with at most `most` of them under way."""
    waiting: deque[Future[T]] = deque()
    try:
        for arguments in calls:
            waiting.append(executor.submit(function, *arguments))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def collect(
    results: Iterator[ChunkResult],
    arrays: Arrays | None,
    job: Job,
    paths: int,
    progress: Callable[[int, int], None] | None,
) -> Summary | None:
    """Put results where they belong; sums are taken in the order of the paths."""
    total = Total(job.kept)
    for first, last, part, summary in results:
        if summary is not None:
            total.add(summary)
        elif arrays is not None and part is not None and part is not arrays:
            for name in (*KEPT, "score"):
                getattr(arrays, name)[..., first:last] = getattr(part, name)
        if progress is not None:
            progress(last, paths)
    return total.summary() if job.summarised else None

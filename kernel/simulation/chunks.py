"""The unit of work: a pure function from a range of paths to a mergeable result."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np

from kernel._core.fields import fields_of
from kernel._core.step_noise import Normals
from kernel._core.walk import Arrays, Plan, new_workspace, walk
from kernel.simulation.job import Job
from kernel.simulation.summary import CELLS, Summary, Total, cell_edges, count_zeros

# Steps x assets of one chunk: at most 10 to 40 ms, so long Ctrl-C and progress have to wait; at least three or so, that
# handing out chunks costs little beside them; between them, enough chunks for many threads.
_MOST_WORK, _LEAST_WORK, _CHUNKS = 2**23, 2**21, 32
# Of a chunk that has to travel, which may cost milliseconds: at most times the work, and bytes of paths that come back;
# chunks that are left to each worker.
_TRIP_WORK, _TRIP_BYTES, _TRIPS = 16, 2**23, 2
_COPIES = 8  # of the losses that a summary keeps, while more come
_PER_PATH = 16  # what opening and closing a path costs, in steps
_PER_JUMP = 25
_FEWEST_PATHS, _MOST_PATHS, _BLOCK = 16, 2**17, 2048
_scratch = threading.local()  # of a thread's last walk: megabytes that need not be new for each chunk


class ChunkSpec(NamedTuple):
    """The paths [first, last) of a job."""

    job: Job
    first: int
    last: int


class ChunkResult(NamedTuple):
    """What came of a chunk: its arrays, or their summary."""

    first: int
    last: int
    arrays: Arrays | None
    summary: Summary | None


def chunk_size(paths: int, steps: int, assets: int, jumps: float) -> int:
    """Return the paths of a chunk: of the work alone (jumps: expected on a path), never of the workers."""
    work = (steps + _PER_JUMP * jumps) * assets + _PER_PATH
    most = min(_MOST_WORK / work, _MOST_PATHS)
    least = min(max(_LEAST_WORK / work, _BLOCK), most)
    return int(max(2 ** int(np.log2(max(min(paths / _CHUNKS, most), least, 1))), _FEWEST_PATHS))


def path_bytes(job: Job) -> int:
    """Return the bytes that the results of a path take."""
    weighted = job.plan.tilt.size > 0
    return job.real.itemsize * (1 + job.assets + job.worst_step.size + job.tiers * (2 if weighted else 1))


def trip_size(job: Job, size: int, paths: int, workers: int) -> int:
    """Return the paths of a chunk that has to travel: of `size` where there are just enough of those, else more."""
    share = -(-paths // (_TRIPS * max(workers, 1)))
    most = paths if job.summarised else _TRIP_BYTES // path_bytes(job)
    return max(size, min(_TRIP_WORK * size, most, share))


def result_bytes(job: Job, paths: int) -> int:
    """Return the bytes that come of a chunk of paths."""
    if not job.summarised:
        return path_bytes(job) * paths
    counts = np.dtype(np.int64).itemsize * job.tiers * (CELLS + 1)
    return job.real.itemsize * (1 + job.worst_step.size) * min(job.kept, paths) + counts


def outcome_bytes(job: Job, paths: int, *, weighted: bool) -> int:
    """Return the bytes that the outcome of all paths takes, about: at most, while it is made."""
    if not job.summarised:
        weights = 2 + job.assets + 2 * job.tiers if weighted else 0  # ratios, their logarithms, and those of prices
        return (path_bytes(job) + job.real.itemsize * weights) * paths
    return _COPIES * job.real.itemsize * (1 + job.worst_step.size) * job.kept


def new_arrays(job: Job, first: int, last: int) -> Arrays:
    """Allocate results for the paths [first, last)."""
    paths, weighted = last - first, job.plan.tilt.size > 0
    rows = (job.assets, job.tiers, job.worst_step.size)
    price, time, worst = (np.empty((size, paths), job.real) for size in rows)
    score = np.zeros((job.tiers if weighted else 0, paths), job.real)  # 0 of tiers that are breached at the opening
    counted = job.tiers if job.summarised else 0
    breaches, edge = np.zeros((counted, CELLS + 1), np.int64), cell_edges(job.plan.horizon, job.real)
    return Arrays(np.empty(paths, job.real), price, time, worst, score, job.worst_step, breaches, edge, first)


def _to_metric(job: Job, out: Arrays, first: int, last: int) -> None:
    """Turn the lowest readings of the paths [first, last) into the metric."""
    here = slice(first - out.offset, last - out.offset)
    for k, steps in enumerate(out.worst_step):
        time = out.breach_time.dtype.type(worst_time(job.plan, int(steps)))
        breached = np.count_nonzero(out.breach_time[:, here] <= time, axis=0)
        out.worst[k, here] = job.readings.metric(out.worst[k, here], breached)


def _reckon_losses(job: Job, out: Arrays, first: int, last: int) -> None:
    """Write the losses of the paths [first, last) where the kernels have not."""
    if job.closing is not None:
        here = slice(first - out.offset, last - out.offset)
        out.loss[here] = job.closing.losses(out.terminal_price[:, here])


def worst_time(plan: Plan, steps: int) -> float:
    """Return the time, in years, after a number of steps, as the walk reckons it."""
    return plan.horizon * (steps / plan.steps)


def _walk(job: Job, first: int, last: int, out: Arrays) -> None:
    given = np.empty((0, 0, 0), job.real) if job.points is None else job.points.between(first, last, job.real)
    shape = job.real, job.assets, job.tiers, fields_of(job.step, job.book, job.rules)
    kept, work = getattr(_scratch, "workspace", (None, None))
    if kept != shape:
        work = new_workspace(*shape)
        _scratch.workspace = shape, work
    normals = Normals(job.mirrored, given)
    walk(job.step, job.book, job.rules, job.plan, job.seed, normals, first, last, out, work)


def _arrays_to_summarise(job: Job, first: int, last: int) -> Arrays:
    """Return this thread's arrays for the paths [first, last), with nothing counted: only sums of them are kept."""
    shape = job.real, job.assets, job.tiers, job.worst_step.size, last - first, job.plan.horizon
    kept, arrays = getattr(_scratch, "arrays", (None, None))
    if arrays is None or kept != shape:
        arrays = new_arrays(job, first, last)
        _scratch.arrays = shape, arrays
    arrays.breaches[...] = 0
    return arrays._replace(worst_step=job.worst_step, offset=first)


def run_chunk(spec: ChunkSpec, out: Arrays | None = None) -> ChunkResult:
    """Walk the paths of a chunk on one thread; the same spec gives the same bytes."""
    job, first, last = spec
    if out is None:
        out = (_arrays_to_summarise if job.summarised else new_arrays)(job, first, last)
    _walk(job, first, last, out)
    _reckon_losses(job, out, first, last)
    _to_metric(job, out, first, last)
    if not job.summarised:
        return ChunkResult(first, last, out, None)
    own = Total(job.kept if 2 * job.kept < last - first else last - first)
    own.add(Summary(last - first, out.loss, out.breaches, out.worst, count_zeros(out.terminal_price)))
    return ChunkResult(first, last, None, own.summary())


def warm(job: Job) -> None:
    """Compile or load the kernel for a job, without walking a path."""
    _walk(job, 0, 0, new_arrays(job, 0, 0))

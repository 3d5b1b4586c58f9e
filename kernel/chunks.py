"""The unit of work: a pure function from a range of paths to a mergeable result."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from kernel._core.walk import Arrays, Normals, Plan, new_workspace, walk
from kernel.ladder import Scale

if TYPE_CHECKING:
    from kernel.sampling.sobol import SobolNormals

# Cells of the time grid on which a summary counts breaches: minutes of a day; a half, third, fifth, ... of a horizon.
CELLS = 1440
# Steps x assets of one chunk: at most 10 to 40 ms, so long Ctrl-C and progress have to wait; at least three or so, that
# handing out chunks costs little beside them; between them, enough chunks for many threads.
_MOST_WORK, _LEAST_WORK, _CHUNKS = 2**23, 2**21, 32
_PER_PATH = 16  # what opening and closing a path costs, in steps
_PER_JUMP = 25
_FEWEST_PATHS, _MOST_PATHS, _BLOCK = 16, 2**17, 2048
_scratch = threading.local()  # the workspace of a thread's last walk: megabytes that need not be new for each chunk


class Job(NamedTuple):
    """What all chunks of a simulation share; picklable."""

    step: NamedTuple
    book: NamedTuple
    plan: Plan
    seed: np.uint64
    real: np.dtype[Any]
    assets: int
    tiers: int
    summarised: bool
    kept: int  # worst losses, and lowest metrics, that a summary needs at most
    scale: Scale
    worst_step: NDArray[np.int64]  # steps after which the worst metric so far is kept
    mirrored: bool = False  # antithetic pairs
    points: SobolNormals | None = None


class ChunkSpec(NamedTuple):
    """The paths [first, last) of a job."""

    job: Job
    first: int
    last: int


@dataclass(frozen=True)
class Summary:
    """What the estimates need of a range of paths; two add up to that of both."""

    paths: int
    losses: NDArray[np.floating]  # the worst, in no order
    breaches: NDArray[np.int64]  # [tier, cell] breaches within the cells of the time grid; cell 0 is time 0
    worst: NDArray[np.floating]  # [time, any] the lowest of the paths' worst metrics, in no order

    def trimmed(self, kept: int) -> Summary:
        """Drop all but the `kept` worst losses and metrics."""
        if self.losses.size <= kept:
            return self
        losses = np.partition(self.losses, self.losses.size - kept)[-kept:].copy()
        return replace(self, losses=losses, worst=np.partition(self.worst, kept - 1)[:, :kept].copy())


def merge(parts: Sequence[Summary], kept: int) -> Summary:
    """Add summaries up."""
    losses = np.concatenate([part.losses for part in parts])
    breaches = np.sum([part.breaches for part in parts], axis=0)
    worst = np.concatenate([part.worst for part in parts], axis=1)
    return Summary(sum(part.paths for part in parts), losses, breaches, worst).trimmed(kept)


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


def new_arrays(job: Job, first: int, last: int) -> Arrays:
    """Allocate results for the paths [first, last)."""
    paths, weighted = last - first, job.plan.tilt.size > 0
    rows = (job.assets, job.tiers, job.worst_step.size)
    price, time, worst = (np.empty((size, paths), job.real) for size in rows)
    score = np.zeros((job.tiers if weighted else 0, paths), job.real)  # 0 of tiers that are breached at the opening
    return Arrays(np.empty(paths, job.real), price, time, worst, score, job.worst_step, first)


def cell_edges(horizon: float, real: DTypeLike) -> NDArray[np.floating]:
    """Return the times, [cell], up to which each cell counts, in the precision of the breach times."""
    return (horizon * (np.arange(CELLS + 1) / CELLS)).astype(real)


def count_breaches(breach_time: NDArray[np.floating], horizon: float) -> NDArray[np.int64]:
    """Count breach times [tier, path] by cell: [tier, cell], cell j holding (edge j-1, edge j]."""
    edges = cell_edges(horizon, breach_time.dtype)
    return np.array([_count(times[~np.isnan(times)], edges) for times in breach_time]).reshape(-1, CELLS + 1)


def _count(times: NDArray[np.floating], edges: NDArray[np.floating]) -> NDArray[np.int64]:
    return np.bincount(np.searchsorted(edges, times, side="left"), minlength=edges.size)


def _to_metric(job: Job, out: Arrays, first: int, last: int) -> None:
    """Turn the lowest readings of the paths [first, last) into the metric."""
    here = slice(first - out.offset, last - out.offset)
    for k, steps in enumerate(out.worst_step):
        time = out.breach_time.dtype.type(worst_time(job.plan, int(steps)))
        breached = np.count_nonzero(out.breach_time[:, here] <= time, axis=0)
        out.worst[k, here] = job.scale.metric(out.worst[k, here], breached)


def worst_time(plan: Plan, steps: int) -> float:
    """Return the time, in years, after a number of steps, as the walk reckons it."""
    return plan.horizon * (steps / plan.steps)


def _walk(job: Job, first: int, last: int, out: Arrays) -> None:
    given = np.empty((0, 0, 0), job.real) if job.points is None else job.points.between(first, last, job.real)
    shape = job.real, job.assets, job.tiers
    kept, work = getattr(_scratch, "last", (None, None))
    if kept != shape:
        work = new_workspace(*shape)
        _scratch.last = shape, work
    walk(job.step, job.book, job.plan, job.seed, Normals(job.mirrored, given), first, last, out, work)


def run_chunk(spec: ChunkSpec, out: Arrays | None = None) -> ChunkResult:
    """Walk the paths of a chunk on one thread; the same spec gives the same bytes."""
    job, first, last = spec
    arrays = new_arrays(job, first, last) if out is None else out
    _walk(job, first, last, arrays)
    _to_metric(job, arrays, first, last)
    if not job.summarised:
        return ChunkResult(first, last, arrays, None)
    breaches = count_breaches(arrays.breach_time, job.plan.horizon)
    summary = Summary(last - first, arrays.loss, breaches, arrays.worst)
    return ChunkResult(first, last, None, summary.trimmed(job.kept))


def warm(job: Job) -> None:
    """Compile or load the kernel for a job, without walking a path."""
    _walk(job, 0, 0, new_arrays(job, 0, 0))

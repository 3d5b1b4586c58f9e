"""The unit of work: a pure function from a range of paths to a mergeable result."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from kernel._core.fields import fields_of
from kernel._core.operations import NoRules
from kernel._core.step_noise import Normals
from kernel._core.walk import Arrays, Plan, new_workspace, walk
from kernel.accounts.ladder import Scale

if TYPE_CHECKING:
    from kernel.simulation.sampling.sobol import SobolNormals

# Cells of the time grid on which a summary counts breaches: minutes of a day; a half, third, fifth, ... of a horizon.
CELLS = 1440
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
_SAMPLED, _MARGIN = 16, 1.1
_scratch = threading.local()  # of a thread's last walk: megabytes that need not be new for each chunk


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
    rules: NamedTuple = NoRules()


class ChunkSpec(NamedTuple):
    """The paths [first, last) of a job."""

    job: Job
    first: int
    last: int


class Summary(NamedTuple):
    """What the estimates need of a range of paths."""

    paths: int
    losses: NDArray[np.floating]  # the worst, in no order
    breaches: NDArray[np.int64]  # [tier, cell] breaches within the cells of the time grid; cell 0 is time 0
    worst: NDArray[np.floating]  # [time, any] the lowest of the paths' worst metrics, in no order
    zeros: int = 0  # paths that end at a price of 0: see `count_zeros`


def count_zeros(terminal_price: NDArray[np.floating]) -> int:
    """Count the paths, [asset, path], that end at a price of 0: so low that the precision has no number for it."""
    return int(np.count_nonzero((terminal_price == 0).any(axis=0)))


class _Largest:
    """The `kept` largest of values that come in parts: most of the others are dropped as they come."""

    def __init__(self, kept: int) -> None:
        self._kept, self._least, self._size = kept, -np.inf, 0  # as many as are kept exceed the least
        self._parts: list[NDArray[np.floating]] = []

    def add(self, values: NDArray[np.floating]) -> None:
        """Take a part; it is not copied."""
        self._take(values if self._least == -np.inf else _above(values, self._least))
        if self._size > 4 * self._kept:
            self._raise_least()

    def values(self) -> NDArray[np.floating]:
        """Return the largest, in no order, in an array of their own; all, where there are no more."""
        if self._size > 2 * self._kept:
            self._raise_least()
        values = np.concatenate(self._parts)
        return values if values.size <= self._kept else np.partition(values, values.size - self._kept)[-self._kept :]

    def _take(self, values: NDArray[np.floating]) -> None:
        self._parts.append(values)
        self._size += values.size

    def _raise_least(self) -> None:
        """Guess from a sample what somewhat more than are kept exceed: to find the largest takes five times as long."""
        values = np.concatenate(self._parts)
        sample = values[::_SAMPLED]
        rank = max(sample.size - int(_MARGIN * self._kept / _SAMPLED) - 1, 0)
        least = np.partition(sample, rank)[rank]
        if np.count_nonzero(values > least) >= self._kept:
            left = _above(values, least)
        else:
            left = np.partition(values, values.size - self._kept)[-self._kept :]
            least = left.min()
        self._parts, self._size, self._least = [], 0, least
        self._take(left)


def _above(values: NDArray[np.floating], least: np.floating | float) -> NDArray[np.floating]:
    return values[np.flatnonzero(values > least)]  # a third of the time of a mask


class Total:
    """Summaries added up to that of all their paths, with the `kept` worst losses and lowest metrics."""

    def __init__(self, kept: int) -> None:
        self._kept, self._paths, self._zeros, self._losses = kept, 0, 0, _Largest(kept)
        self._worst: list[_Largest] = []
        self._breaches: NDArray[np.int64] | int = 0

    def add(self, part: Summary) -> None:
        """Add what came of further paths."""
        self._paths += part.paths
        self._zeros += part.zeros
        self._breaches = self._breaches + part.breaches
        self._losses.add(part.losses)
        self._worst = self._worst or [_Largest(self._kept) for _ in part.worst]
        for lowest, row in zip(self._worst, part.worst, strict=True):
            lowest.add(-row)

    def summary(self) -> Summary:
        """Return the sum."""
        losses = self._losses.values()
        worst = [-lowest.values() for lowest in self._worst]
        lowest = np.reshape(worst, (-1, losses.size))
        return Summary(self._paths, losses, np.asarray(self._breaches), lowest, self._zeros)


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
    _to_metric(job, out, first, last)
    if not job.summarised:
        return ChunkResult(first, last, out, None)
    own = Total(job.kept if 2 * job.kept < last - first else last - first)
    own.add(Summary(last - first, out.loss, out.breaches, out.worst, count_zeros(out.terminal_price)))
    return ChunkResult(first, last, None, own.summary())


def warm(job: Job) -> None:
    """Compile or load the kernel for a job, without walking a path."""
    _walk(job, 0, 0, new_arrays(job, 0, 0))

"""NumPy, chunked and threaded, as its users would write it well.

Single precision; every operation in place, on chunks that stay in the outer cache; tiers are barriers on the log price,
so no step takes an exponential, and as each path waits for one tier at a time a step costs one comparison and work on
the few paths that meet theirs. NumPy releases the interpreter while it works, so a thread for each processor walks
every so many-th chunk, with buffers of its own. Between any two operations a thread needs the interpreter's lock: on
chunks of 16,384 threads wait for each other, and two may take as long as one. Each chunk has a generator spawned for
it, so the paths do not depend on the threads. Nine tenths of the time go into `standard_normal`: with normals made by
hand (`bench.peers.numpy_normals`) a step takes half as long.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from bench.peers import Terms, Walked, numpy_normals, terms

CHUNK = 65_536  # measured, ns a path-step, one thread and two:
# own normals: 16,384 14.1 and 14.5 (7.7 to 15), 32,768 13.1 and 9.0, 65,536 13.7 and 7.3, 131,072 13.8 and 7.1;
# by hand: 16,384 7.7 and 6.8, 32,768 7.0 and 5.1, 65,536 6.7 and 4.5, 131,072 6.5 and 4.1, but few chunks to share


class _Buffers:
    """What a thread needs to walk a chunk."""

    def __init__(self, chunk: int) -> None:
        self.log_price, self.noise, self.level = np.empty((3, chunk), np.float32)
        self.hit, self.tier = np.empty(chunk, np.bool_), np.empty(chunk, np.int64)


def _walk(
    job: Terms,
    fill: Callable[[NDArray[np.float32]], None],
    buffers: _Buffers,
    equity: NDArray[np.float32],
    first: NDArray[np.int32],
) -> None:
    """Walk one chunk into equity [path] and first [tier, path]."""
    n, drift, scale = equity.size, np.float32(job.drift), np.float32(job.scale)
    x, z, level = buffers.log_price[:n], buffers.noise[:n], buffers.level[:n]
    hit, tier = buffers.hit[:n], buffers.tier[:n]
    barriers = np.append(job.barriers, -np.inf).astype(np.float32)
    x[:], tier[:], level[:], first[:] = 0, 0, barriers[0], job.steps
    for step in range(job.steps):
        fill(z)
        z *= scale
        z += drift
        x += z
        np.less_equal(x, level, out=hit)
        met = np.flatnonzero(hit)
        while met.size:
            first[tier[met], met] = step
            tier[met] += 1
            level[met] = barriers[tier[met]]
            met = met[x[met] <= level[met]]
    np.exp(x, out=equity)
    equity -= np.float32(job.debt)


def walk(paths: int, threads: int = 1, normals: numpy_normals.Source = numpy_normals.own, seed: int = 42) -> Walked:
    """Walk the job."""
    job, equity, first = terms(), np.empty(paths, np.float32), np.empty((4, paths), np.int32)
    starts = range(0, paths, CHUNK)
    seeds = np.random.SeedSequence(seed).spawn(len(starts))

    def share(thread: int) -> None:
        buffers = _Buffers(CHUNK)
        for k in range(thread, len(starts), threads):
            here = slice(starts[k], starts[k] + CHUNK)
            _walk(job, normals(seeds[k], CHUNK), buffers, equity[here], first[:, here])

    if threads == 1:
        share(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(share, range(threads)))
    return equity, first

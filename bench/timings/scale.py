"""Dask over threads: two worker processes of one thread each and two threads, in turn, elapsed and processor time.

python -m bench.timings.scale [rounds]
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kernel

MARKET = kernel.Gbm(assets=["BTC"], spot=60_000.0, drift=0.1, volatility=0.65)
ACCOUNT = kernel.Account(cash=-54_000.0, positions=[kernel.Linear("BTC", quantity=1.0)], maintenance_rate=0.005)
LADDER = kernel.Ladder({"warning": 12.0, "call": 6.0, "last_call": 3.0, "liquidation": 1.0})
CASES = [(10**6, 50, "summary"), (10**6, 50, "paths"), (10**6, 252, "summary"), (10**7, 252, "summary")]


def processor_seconds(pids: list[int]) -> float:
    """Return what processes have used, from Linux's /proc."""
    fields = [Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split() for pid in pids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


def measured(call: Callable[[], object], pids: list[int]) -> tuple[float, float]:
    """Return the elapsed and the processor time of a call."""
    start, used = time.perf_counter(), processor_seconds(pids)
    call()
    return time.perf_counter() - start, processor_seconds(pids) - used


def compare(client: Any, pids: list[int], case: tuple[int, int, str], rounds: int) -> str:
    """Return a row: the time of threads over that of Dask, as the median of the rounds and of all processor time."""
    paths, steps, record = case
    own: dict[str, Any] = {"horizon": "5d", "steps": steps, "paths": paths, "record": record}
    found = []
    for _ in range(rounds + 1):
        threads = measured(lambda: kernel.simulate(MARKET, ACCOUNT, LADDER, **own, threads=2), pids)
        dask = measured(lambda: kernel.simulate(MARKET, ACCOUNT, LADDER, **own, executor=client), pids)
        found.append((threads, dask))
    elapsed = statistics.median(threads[0] / dask[0] for threads, dask in found[1:])  # the first one warms
    used = sum(threads[1] for threads, _ in found[1:]) / sum(dask[1] for _, dask in found[1:])
    return f"| {paths:,} | {steps} | {record} | {elapsed:.2f} | {used:.2f} |"


def main() -> None:
    """Measure every case, with results fetched through the scheduler and from the workers."""
    from distributed import Client, LocalCluster

    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        for direct in (False, True):
            with Client(cluster, direct_to_workers=direct) as client:
                pids = [os.getpid(), *client.run(os.getpid).values()]
                where = "workers" if direct else "scheduler"
                sys.stdout.write(f"\n| paths | steps | record | elapsed | processor | from the {where}\n")
                for case in CASES:
                    sys.stdout.write(f"{compare(client, pids, case, rounds)}\n")
                    sys.stdout.flush()


if __name__ == "__main__":
    main()

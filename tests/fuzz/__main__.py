"""Try inputs of one kind: `python -m tests.fuzz configs 1000 --seed 1`, or one of them: `--only 17`."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.fuzz.harness import Tally, run_all
from tests.fuzz.kinds import KINDS


def main() -> None:
    """Print what became of them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", type=int)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--traces", action="store_true")
    asked = parser.parse_args()
    kind, start, tally = KINDS[asked.kind], time.perf_counter(), Tally()
    if asked.only is not None:
        with tempfile.TemporaryDirectory() as folder:
            verdict = kind(Path(folder)).try_one(asked.seed, asked.only)
        print(verdict._replace(trace=""), verdict.trace, sep="\n")  # noqa: T201 - that is its work
        return
    for verdict in run_all(kind, asked.seed, asked.count, first=asked.first, processes=asked.processes):
        tally.add(verdict)
        if time.perf_counter() - start > asked.seconds:
            break
    print(tally)  # noqa: T201 - as above
    if asked.traces:
        for example in tally.examples.values():
            print(example.reason, example.shown, example.trace, sep="\n")  # noqa: T201 - as above
    print(f"{time.perf_counter() - start:.0f} s")  # noqa: T201 - as above


if __name__ == "__main__":
    main()

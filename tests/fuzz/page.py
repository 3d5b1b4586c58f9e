"""Write docs/robustness.md: what became of 100,000 inputs at random.

python -m tests.fuzz.page
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from tests.fuzz.harness import MEMORY, SECONDS, Fuzzer, Tally, run_all
from tests.fuzz.kinds import KINDS

COUNTS = {"configs": 30_000, "prices": 25_000, "options": 30_000, "calls": 15_000}
SEED = 12
TARGET = Path(__file__).parents[2] / "docs" / "robustness.md"
_WHAT = {
    "configs": "config files of every market, TOML and JSON, run: values, keys, nesting and bytes changed",
    "prices": "CSV, gzip and Parquet: cells, lines, columns, types and bytes changed; pipes, devices, bombs",
    "options": "arguments of `run`, `threshold`, `validate`, `fit`, `backtest`, `init` and `info`",
    "calls": "calls of what is public, one or two arguments of which are any of some 170 odd values",
}


def tried(kind: type[Fuzzer], count: int) -> Tally:
    """Try inputs of a kind."""
    tally = Tally()
    for verdict in run_all(kind, SEED, count):
        tally.add(verdict)
    print(kind.name, tally, sep="\n", flush=True)  # noqa: T201 - what to mend
    return tally


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=1.0, help="of the inputs, for a trial")
    share, start = parser.parse_args().share, time.perf_counter()
    tallies = {name: tried(kind, max(1, int(share * COUNTS[name]))) for name, kind in KINDS.items()}
    total = sum(tally.outcomes.total() for tally in tallies.values())
    text = [
        "# Robustness",
        "",
        f"Written by `python -m tests.fuzz.page`: {total:,} inputs drawn at random, of seed {SEED}, each with at most",
        "a thousand paths (`tests/fuzz/`). An input passes if it succeeds with legitimate numbers, or is refused in",
        "lines that name the field and print on any terminal: exit code 2 of the command, `kernel.InvalidInput` from",
        f"Python. A traceback, more than {SECONDS:g} s of processor time, more than {MEMORY // 2**30} GiB of memory,",
        "numbers that cannot be (a probability above 1, an Expected Shortfall below Value at Risk, a price that the",
        "file does not have, a parameter other than was stated) or a message that does not read well is a fault.",
        "",
        "| inputs | number | succeeded | refused | faults | longest | most memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, tally in tallies.items():
        found = tally.outcomes
        counts = " | ".join(f"{one:,}" for one in (found.total(), found["success"], found["refused"], found["fault"]))
        longest, most = f"{tally.slowest.seconds:.1f} s", f"{tally.largest.memory / 2**20:.0f} MiB"
        text.append(f"| {name}: {_WHAT[name]} | {counts} | {longest} | {most} |")
    faults = [f"- {name}, number {one.index}: {one.reason}" for name, tally in tallies.items()
              for one in tally.examples.values()]  # fmt: skip
    text += ["", "Faults, one of each kind:" if faults else "No fault is left.", "", *faults]
    text += [
        "The longest is elapsed time, on two processors that others shared. To try one input again:",
        "`python -m tests.fuzz prices --seed 12 --only 17`.",
        "",
        "Limits, which messages name and which stand beside the code that checks them: 1,000 assets, tiers, levels;",
        "100,000 positions; of a price file 10,000 columns and 512 MiB, also unpacked, and then at most 200 times its",
        "size; 100 million cells of a Parquet file; of a config file 64 MiB, and 32 tables and lists in each other;",
        "200 letters of a name.",
        "",
    ]
    TARGET.write_text("\n".join(text), encoding="utf-8")
    print(f"{time.perf_counter() - start:.0f} s")  # noqa: T201 - a script says how long it took


if __name__ == "__main__":
    main()

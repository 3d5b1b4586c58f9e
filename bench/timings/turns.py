"""Time several cases in turns: a machine that others use slows all of them alike.

pytest-benchmark times one case after the other. So the rounds are measured here, each case once a round, and then
replayed to it: its clock shows the time measured, its report and its statistics are its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any


class Clock:
    """Shows a time that only moves on by what was measured."""

    def __init__(self) -> None:
        self._now = 0.0

    def read(self) -> float:
        """Return the seconds so far."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds


CLOCK = Clock()  # pytest-benchmark wants to be told when a test is defined


def measure(cases: Mapping[str, Callable[[], Any]], rounds: int, least: float = 0.05) -> dict[str, list[float]]:
    """Run each case once to warm it up, then as often as fills `least` seconds in each round; return all times."""
    for run in cases.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, run in cases.items():
            spent = 0.0
            while spent < least:
                start = time.perf_counter()
                run()
                seconds[name].append(time.perf_counter() - start)
                spent += seconds[name][-1]
    return seconds


def replay(benchmark: Any, seconds: list[float]) -> None:
    """Report the rounds measured of a case."""
    left = iter(seconds)
    benchmark.pedantic(lambda: CLOCK.advance(next(left)), rounds=len(seconds))

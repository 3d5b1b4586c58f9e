"""Everything in turn, round after round, so that a drift of the machine's speed hits all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from kernel.benchmark.machines import described
from kernel.benchmark.measures import MEASURES, Call, calls, figures

SCHEMA = 1
SECONDS = 45.0
_FEWEST_ROUNDS = 5


def measured(
    timed: Mapping[str, Call] | None = None,
    seconds: float = SECONDS,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure this machine: medians and quartiles of rounds, as plain values.

    Args:
        timed: what is timed; default: that of `calls()`.
        seconds: for which rounds go on, at least five of them; what is compiled or read into memory before does not
            count.
        progress: called with whole seconds done and in all, after each round.

    Example:
        >>> row = measured(calls(paths=16), seconds=0.0)
        >>> row["measures"]["gbm_discrete"]["unit"]
        'ns a path-step'
    """
    start = time.perf_counter()
    timed = timed or calls()
    for call in timed.values():
        call.run()
    begun = time.perf_counter()
    rounds: list[dict[str, float]] = []
    while len(rounds) < _FEWEST_ROUNDS or time.perf_counter() - begun < seconds:
        rounds.append(figures(timed, {name: _timed(call) for name, call in timed.items()}))
        if progress is not None:
            progress(min(int(time.perf_counter() - begun), int(seconds)), int(seconds))
    return {
        "schema": SCHEMA,
        "date": datetime.now(UTC).date().isoformat(),
        **described(),
        "preparing_seconds": round(begun - start, 1),
        "rounds": len(rounds),
        "measures": {name: _spread(unit, [one[name] for one in rounds]) for name, (_, unit) in MEASURES.items()},
    }


def _timed(call: Call) -> float:
    start = time.perf_counter()
    call.run()
    return time.perf_counter() - start


def _spread(unit: str, values: list[float]) -> dict[str, Any]:
    low, median, high = (float(f"{one:.4g}") for one in np.quantile(values, [0.25, 0.5, 0.75]))
    return {"unit": unit, "median": median, "low": low, "high": high}

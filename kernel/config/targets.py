"""Targets of thresholds, such as 1% within 1d: read, and checked against what is to be simulated."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from kernel.checks.text import brief, counted, duration, share, years
from kernel.errors import Problems

_SAME = 1e-6  # of a step: how far from its end a time may be
_MOST_STEPS = 10_000  # that a message recommends


class Targets(NamedTuple):
    """Breach probabilities, and the times by which they are to hold."""

    probabilities: tuple[float, ...]
    by: tuple[float, ...]
    """Years, rising."""


def parse_targets(
    probabilities: Iterable[str], by: Iterable[str], simulation: Mapping[str, Any] | None = None
) -> Targets:
    """Read targets; with the settings of a simulation check that it can tell them.

    Args:
        probabilities: such as "1%" or "0.01".
        by: durations such as "1d"; none: those of the simulation's `worst`, or its horizon.
        simulation: its horizon, steps, paths, worst and importance.

    Raises:
        InvalidInput: with every problem of every target.

    Example:
        >>> parse_targets(["1%", "0.05"], ["73d"]).by
        (0.2,)
    """
    problems = Problems()
    shares = [_probability(problems, text, simulation) for text in probabilities]
    times = [_time(problems, text, simulation) for text in by]
    if not times and simulation is not None:
        times = _stated(simulation)
    problems.raise_any()
    return Targets(tuple(dict.fromkeys(shares)), tuple(sorted(set(times))))


def _probability(problems: Problems, text: str, simulation: Mapping[str, Any] | None) -> float:
    try:
        value = share(text)
    except ValueError:
        problems.add("--probability", f"must be a share such as 1% or 0.01, not {brief(text)}")
        return math.nan
    if not 0 < value < 1:
        problems.add("--probability", f"must be above 0 and below 1 (100%), not {text.strip()}")
    elif simulation is not None and simulation["importance"] is None and value * simulation["paths"] < 1:
        known = f"{counted(simulation['paths'], 'path')} can tell {1 / simulation['paths']:g} at the least"
        problems.add("--probability", f"{text.strip()} is too rare: {known}; use more --paths")
    return value


def _stated(simulation: Mapping[str, Any]) -> list[float]:
    """Return the times by which the simulation itself is to keep worst metrics, or else its horizon."""
    worst = simulation["worst"]
    if isinstance(worst, bool):
        return [float(simulation["horizon"])]
    return [years(time) for time in (worst if isinstance(worst, list) else [worst])]


def _time(problems: Problems, text: str, simulation: Mapping[str, Any] | None) -> float:
    try:
        value = years(text)
    except ValueError as error:
        problems.add("--by", str(error))
        return math.nan
    if simulation is None:
        return value
    horizon, steps = float(simulation["horizon"]), int(simulation["steps"])
    ends = value / horizon * steps
    if value <= 0 or ends > steps + _SAME:
        problems.add("--by", f"must be above 0 and at most the horizon, {duration(horizon)}, not {text.strip()}")
    elif abs(ends - round(ends)) > _SAME:
        more = math.lcm(steps, Fraction(value / horizon).limit_denominator(_MOST_STEPS).denominator)
        grid = f"{steps} steps of {duration(horizon / steps)}" if steps > 1 else "one step"
        mend = f", or add --set simulation.steps={more}" if more <= _MOST_STEPS else ""
        problems.add("--by", f"must be the end of a step, of which the horizon has {grid}, not {text.strip()}{mend}")
    return min(value, horizon)

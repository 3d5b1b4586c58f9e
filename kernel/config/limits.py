"""Stated limits on measures, such as "breach_probability(liquidation) > 0.01": read, checked, compared."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kernel.checks.text import brief, near, share, years
from kernel.errors import InvalidInput, Problem, Problems
from kernel.measures import MEASURES, Estimate, Measure
from kernel.simulation.outcome import Outcome

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_EXPRESSION = re.compile(r"\s*(\w+)\s*(?:\((.*)\))?\s*(>=|<=|>|<)\s*([^<>=()]+?)\s*")
_FORM = "must read like breach_probability(liquidation) > 0.01, with one of > >= < <="


class Limit(NamedTuple):
    """A comparison that must not hold of an outcome."""

    text: str
    measure: Measure
    arguments: dict[str, Any]
    comparison: str
    bound: float

    @property
    def level(self) -> float | None:
        """Return the level of a Value at Risk or Expected Shortfall: a summary must keep it."""
        return next((value for name, value in self.arguments.items() if self.measure.arguments[name] == "level"), None)

    def estimate(self, outcome: Outcome) -> Estimate:
        """Return the measure of an outcome."""
        return self.measure.function(outcome, **self.arguments)

    def violation(self, outcome: Outcome) -> str | None:
        """Return what is wrong with an outcome, or None; the point estimate counts, and NaN violates nothing."""
        value, _, low, high = self.estimate(outcome)
        if not _COMPARISONS[self.comparison](value, self.bound):
            return None
        unit = " years" if self.measure.unit == "years" else ""
        return f"{self.text}: it is {value:.6g}{unit}, 95% interval {low:.6g} to {high:.6g}"


def parse_limits(texts: Iterable[str], tiers: Sequence[str] | None = None, horizon: float | None = None) -> list[Limit]:
    """Read limits; with the tiers and the horizon (in years) of a simulation check their arguments against them.

    Raises:
        InvalidInput: with every problem of every limit.

    Example:
        >>> parse_limits(["value_at_risk(0.99) > 5000"])[0].bound
        5000.0
    """
    problems, limits = Problems(), []
    for text in texts:
        own = Problems()
        with own.under(""):
            limits.append(_parse(own, text))
            _check(own, limits[-1], tiers, horizon)
        for _, message in own.found:
            problems.add("--fail-if", f"{brief(text.strip())}: {message}")
    problems.raise_any()
    return limits


def _parse(problems: Problems, text: str) -> Limit:
    match = _EXPRESSION.fullmatch(text)
    if match is None:
        raise InvalidInput([Problem("", _FORM)])
    name, inside, comparison, bound = match.groups()
    if name not in MEASURES:
        raise InvalidInput([Problem("", f"unknown measure {brief(name)}{near(name, MEASURES)}")])
    measure, parts = MEASURES[name], [part.strip() for part in inside.split(",")] if inside and inside.strip() else []
    arguments = _arguments(problems, measure, parts)
    value = _quantity(problems, bound, "the bound", _READ_BOUND[measure.unit])
    if measure.unit == "probability" and not 0 <= value <= 1 and not math.isnan(value):
        problems.add("", f"a probability is from 0 to 1, such as 0.05 or 5%, not {value:g}")
    return Limit(text.strip(), measure, arguments, comparison, value)


def _arguments(problems: Problems, measure: Measure, parts: list[str]) -> dict[str, Any]:
    """Return a measure's arguments by name; they may be given by position or as name=value."""
    name, names, given = measure.name, list(measure.arguments), dict[str, str]()
    for place, part in enumerate(parts):
        key, equals, value = part.partition("=")
        argument = key.strip() if equals else names[place] if place < len(names) else ""
        if argument not in measure.arguments:
            problems.add("", f"{name} takes {', '.join(names) or 'no arguments'}, not {brief(part)}")
        elif argument in given:
            problems.add("", f"{argument} stands there twice")
        else:
            given[argument] = (value if equals else part).strip().strip("\"'")
    missing = [argument for argument in measure.required if argument not in given]
    if missing and not problems.found:
        problems.add("", f"{name} needs {' and '.join(missing)}")
    return {
        key: value
        if measure.arguments[key] == "tier"
        else _quantity(problems, value, key, _READ[measure.arguments[key]])
        for key, value in given.items()
    }


def _quantity(problems: Problems, text: str, what: str, read: Callable[[str], float]) -> float:
    """Return what is read of a text; else NaN and a problem."""
    try:
        return read(text)
    except ValueError as error:
        problems.add("", f"{what} {error}")
        return math.nan


def _finite(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"must be a number, not {brief(text)}") from None
    if not math.isfinite(value):
        raise ValueError(f"must be finite, not {text}")
    return value


def _share(text: str) -> float:
    """Return a number, or a percentage as a share."""
    value = share(text) if text.rstrip().endswith("%") else _finite(text)
    if not math.isfinite(value):
        raise ValueError(f"must be finite, not {text}")
    return value


def _duration(text: str) -> float:
    """Return a duration with its unit in years; a bare number other than 0 may be of days or of years."""
    try:
        zero = float(text) == 0
    except ValueError:
        zero = False
    return 0.0 if zero else years(text)


# By the kinds of arguments and by the units of measures: what reads their texts
_READ: Mapping[str, Callable[[str], float]] = {
    "level": _share,
    "probability": _share,
    "time": _duration,
    "number": _finite,
}
_READ_BOUND: Mapping[str, Callable[[str], float]] = {
    "currency": _finite,
    "probability": _share,
    "years": _duration,
    "number": _finite,
}


def _check(problems: Problems, limit: Limit, tiers: Sequence[str] | None, horizon: float | None) -> None:
    for name, value in limit.arguments.items():
        kind = limit.measure.arguments[name]
        if kind == "tier" and tiers is not None and value not in tiers:
            problems.add("", f"the ladder has no tier {brief(value)}{near(value, tiers)}")
        if kind == "time" and horizon is not None and (value < 0 or value > horizon):
            problems.add("", f"{name} must be from 0 to the horizon ({horizon * 365:g}d), not {value * 365:g}d")
        if kind in {"level", "probability"} and (value <= 0 or value >= 1):
            problems.add("", f"{name} must be above 0 and below 1, not {value:g}")

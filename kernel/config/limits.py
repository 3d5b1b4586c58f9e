"""Stated limits on measures, such as "breach_probability(liquidation) > 0.01": read, checked, compared."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from kernel.checks.text import brief, near, share, years
from kernel.errors import InvalidInput, Problem, Problems
from kernel.measures import Estimate, breach_probability, breach_time_quantile, expected_shortfall, value_at_risk
from kernel.simulation.outcome import Outcome

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_EXPRESSION = re.compile(r"\s*(\w+)\s*\((.*)\)\s*(>=|<=|>|<)\s*([^<>=()]+?)\s*")
_FORM = "must read like breach_probability(liquidation) > 0.01, with one of > >= < <="


class _Measure(NamedTuple):
    estimate: Callable[..., Estimate]
    arguments: tuple[str, ...]
    required: int


_MEASURES = {
    "breach_probability": _Measure(breach_probability, ("tier", "by"), 1),
    "value_at_risk": _Measure(value_at_risk, ("level",), 1),
    "expected_shortfall": _Measure(expected_shortfall, ("level",), 1),
    "breach_time_quantile": _Measure(breach_time_quantile, ("tier", "probability"), 2),
}


class Limit(NamedTuple):
    """A comparison that must not hold of an outcome."""

    text: str
    measure: str
    arguments: dict[str, Any]
    comparison: str
    bound: float

    @property
    def level(self) -> float | None:
        """Return the level of a Value at Risk or Expected Shortfall: a summary must keep it."""
        level: float | None = self.arguments.get("level")
        return level

    def estimate(self, outcome: Outcome) -> Estimate:
        """Return the measure of an outcome."""
        return _MEASURES[self.measure].estimate(outcome, **self.arguments)

    def violation(self, outcome: Outcome) -> str | None:
        """Return what is wrong with an outcome, or None; the point estimate counts, and NaN violates nothing."""
        value, _, low, high = self.estimate(outcome)
        if not _COMPARISONS[self.comparison](value, self.bound):
            return None
        unit = " years" if self.measure == "breach_time_quantile" else ""
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
        found = Problems()
        with found.under(""):
            limits.append(_parse(found, text))
            _check(found, limits[-1].arguments, tiers, horizon)
        for _, message in found.found:
            problems.add("--fail-if", f"{brief(text.strip())}: {message}")
    problems.raise_any()
    return limits


def _parse(problems: Problems, text: str) -> Limit:
    match = _EXPRESSION.fullmatch(text)
    if match is None:
        raise InvalidInput([Problem("", _FORM)])
    name, inside, comparison, bound = match.groups()
    if name not in _MEASURES:
        raise InvalidInput([Problem("", f"unknown measure {brief(name)}{near(name, _MEASURES)}")])
    arguments = _arguments(problems, name, [part.strip() for part in inside.split(",")] if inside.strip() else [])
    kind = _BOUNDS.get(name, _finite)
    value = _quantity(problems, bound, "the bound", kind)
    if name == "breach_probability" and not 0 <= value <= 1 and not math.isnan(value):
        problems.add("", f"a probability is from 0 to 1, such as 0.05 or 5%, not {value:g}")
    return Limit(text.strip(), name, arguments, comparison, value)


def _arguments(problems: Problems, name: str, parts: list[str]) -> dict[str, Any]:
    """Return a measure's arguments by name; they may be given by position or as name=value."""
    measure, given = _MEASURES[name], {}
    for place, part in enumerate(parts):
        key, equals, value = part.partition("=")
        argument = key.strip() if equals else measure.arguments[place] if place < len(measure.arguments) else ""
        if argument not in measure.arguments:
            allowed = ", ".join(measure.arguments)
            problems.add("", f"{name} takes {allowed}, not {brief(part)}")
        elif argument in given:
            problems.add("", f"{argument} stands there twice")
        else:
            given[argument] = (value if equals else part).strip().strip("\"'")
    missing = [argument for argument in measure.arguments[: measure.required] if argument not in given]
    if missing and not problems.found:
        problems.add("", f"{name} needs {' and '.join(missing)}")
    return {
        key: value if key == "tier" else _quantity(problems, value, key, _ARGUMENTS[key])
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


_ARGUMENTS = {"level": _share, "probability": _share, "by": _duration}
_BOUNDS = {"breach_probability": _share, "breach_time_quantile": _duration}


def _check(problems: Problems, arguments: dict[str, Any], tiers: Sequence[str] | None, horizon: float | None) -> None:
    tier, by = arguments.get("tier"), arguments.get("by")
    if tiers is not None and tier is not None and tier not in tiers:
        problems.add("", f"the ladder has no tier {brief(tier)}{near(tier, tiers)}")
    if horizon is not None and by is not None and (by < 0 or by > horizon):
        problems.add("", f"by must be from 0 to the horizon ({horizon * 365:g}d), not {by * 365:g}d")
    for name in ("level", "probability"):
        value = arguments.get(name)
        if value is not None and (value <= 0 or value >= 1):
            problems.add("", f"{name} must be above 0 and below 1, not {value:g}")

"""Estimates as people read them: as many decimals as their intervals bear."""

from __future__ import annotations

import math
from typing import Any

from kernel.checks.text import unit_of

_MOST_DECIMALS = 6
_ROUNDS_UP = 999.5  # to 1e+03, with three figures


def figure(value: float | None, form: str) -> str:
    """Write a number in a form, or a dash for none."""
    return "-" if value is None else format(value, form)


def three_figures(value: float) -> str:
    """Write a number above 0 with three figures.

    Example:
        >>> three_figures(2.3456), three_figures(23.456), three_figures(2345.6)
        ('2.35', '23.5', '2,346')
    """
    return f"{value:#.3g}".rstrip(".") if value < _ROUNDS_UP else f"{value:,.0f}"


def bounded(estimate: dict[str, float | None]) -> dict[str, float]:
    """Return an estimate with infinities where there is no bound."""
    ends = {"low": -math.inf, "high": math.inf}
    return {key: ends.get(key, math.nan) if value is None else value for key, value in estimate.items()}


def _decimals(estimate: dict[str, float], scale: float, most: int) -> int:
    """Return the decimals that show two figures of an interval's half-width."""
    half = scale * (estimate["high"] - estimate["low"]) / 2
    if not 0 < half < math.inf:
        return min(2, most)
    return max(0, min(most, 1 - math.floor(math.log10(half))))


def _interval(estimate: dict[str, float], scale: float, decimals: int, unit: str) -> str:
    low, high = (
        "-" if math.isinf(estimate[end]) else f"{scale * estimate[end]:,.{decimals}f}" for end in ("low", "high")
    )
    return f"{low} .. {high}{unit}"


def percent(estimate: dict[str, Any]) -> tuple[str, str]:
    """Write a share and its interval in percent."""
    numbers = bounded(estimate)
    decimals = _decimals(numbers, 100, _MOST_DECIMALS)
    value = "0" if numbers["value"] == 0 else f"{100 * numbers['value']:,.{decimals}f} %"
    return value, _interval(numbers, 100, decimals, " %")


def amount(estimate: dict[str, Any]) -> tuple[str, str]:
    """Write a value and its interval."""
    numbers = bounded(estimate)
    decimals = _decimals(numbers, 1, _MOST_DECIMALS)
    return f"{numbers['value']:,.{decimals}f}", _interval(numbers, 1, decimals, "")


def time(estimate: dict[str, Any]) -> tuple[str, str]:
    """Write a duration in years and its interval in the unit that reads best; a dash for none."""
    if estimate["value"] is None:
        return "-", ""
    numbers = bounded(estimate)
    unit, per_year = unit_of(max(numbers["value"], (numbers["high"] - numbers["low"]) / 2))
    decimals = _decimals(numbers, per_year, 3)
    return f"{per_year * numbers['value']:,.{decimals}f} {unit}", _interval(numbers, per_year, decimals, f" {unit}")

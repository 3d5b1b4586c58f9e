"""Axes whose ticks are plain numbers or percents, also on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kernel.figures.words import number, percent

if TYPE_CHECKING:
    from matplotlib.axis import Axis

_MOST_DECADES = 6  # with a number each
_FEWEST = 2  # decades that are numbered without anything between them
_STEPS = 5  # of a linear axis


def linear(axis: Axis, written: Callable[[float], str] = number, most: int = _STEPS) -> None:
    """Give a linear axis at most so many steps, with plain numbers."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - matplotlib takes long to import

    axis.set_major_locator(MaxNLocator(most))
    axis.set_major_formatter(lambda value, _: written(value))


def linear_percent(axis: Axis) -> None:
    """Give a linear axis few ticks in percent."""
    linear(axis, percent)


def logarithmic(axis: Axis, low: float, high: float, written: Callable[[float], str] = number) -> None:
    """Give a logarithmic axis a number at powers of ten, or at 1, 2 and 5 times such where it has few of them.

    Args:
        axis: whose scale is set; its limits are for the caller to set.
        low: the lower limit, above 0.
        high: the upper limit.
        written: how a tick is.
    """
    from matplotlib.ticker import FixedLocator, NullFormatter  # noqa: PLC0415 - matplotlib takes long to import

    major = numbered(low, high)
    between = [digit * 10.0**power for power in _powers(low, high) for digit in range(1, 10)]
    axis.set_major_locator(FixedLocator(major.tolist()))
    axis.set_major_formatter(lambda value, _: written(value))
    axis.set_minor_locator(FixedLocator(between if len(between) <= 9 * _MOST_DECADES else []))
    axis.set_minor_formatter(NullFormatter())


def log_percent(axis: Axis, low: float, high: float) -> None:
    """Do what `logarithmic` does, in percent."""
    logarithmic(axis, low, high, percent)


def numbered(low: float, high: float) -> NDArray[np.float64]:
    """Return the ticks of a logarithmic axis that have a number.

    Example:
        >>> numbered(0.003, 40.0).tolist(), numbered(0.3, 0.7).tolist()
        ([0.01, 0.1, 1.0, 10.0], [0.5])
    """
    decades = np.array([power for power in _powers(low, high) if low <= 10.0**power <= high])
    if decades.size >= _FEWEST:
        return np.asarray(10.0 ** decades[:: math.ceil(decades.size / _MOST_DECADES)].astype(float))
    fine = np.array([digit * 10.0**power for power in _powers(low, high) for digit in (1, 2, 5)])
    return np.asarray(fine[(low <= fine) & (fine <= high)])


def _powers(low: float, high: float) -> range:
    return range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)


def dates(axis: Axis) -> None:
    """Give an axis of times ticks in UTC, written in digits, whatever the locale."""
    from matplotlib import dates as untyped  # noqa: PLC0415 - matplotlib takes long to import

    kinds: Any = untyped
    locator = kinds.AutoDateLocator(minticks=3, maxticks=8)
    day, clock = "%Y-%m-%d", "%H:%M"
    axis.set_major_locator(locator)
    axis.set_major_formatter(
        kinds.ConciseDateFormatter(
            locator,
            formats=["%Y", "%Y-%m", day, clock, clock, "%M:%S.%f"],
            zero_formats=["%Y", "%Y", "%Y-%m", day, clock, "%H:%M:%S"],
            offset_formats=["", "%Y", "%Y-%m", day, day, f"{day} {clock}"],
        )
    )

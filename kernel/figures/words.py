"""Words in figures: names that fit, numbers without powers of ten, durations in one unit, labels moved apart."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kernel.checks.text import UNIT_MINUTES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAME = 24  # characters of a name, at most
_UNITS = ("d", "h", "min")
_YEAR = UNIT_MINUTES["y"]
_WHOLE = 1e-6  # how far from a whole number rounding leaves one
_LEAST, _LEAST_PERCENT, _MOST = 1e-5, 1e-7, 1e7  # sizes that are written without an exponent


def distinct_names(names: Sequence[str], most: int = _NAME) -> list[str]:
    """Return names shortened as far as they stay different, if they are.

    Example:
        >>> distinct_names(["call on Monday", "call no one on Monday"], 12)
        ['call o…Monday', 'call n…Monday']
    """
    longest = max(map(len, names), default=0)
    for length in range(most, longest, 4):
        short = [shortened(name, length) for name in names]
        if len(set(short)) == len(set(names)):
            return short
    return [shortened(name, max(most, longest)) for name in names]


def shortened(name: str, most: int = _NAME) -> str:
    """Return a name on one line, its middle left out where it is long; what our font lacks is a question mark.

    Example:
        >>> shortened("liquidation"), shortened("the very last of all the warnings", 16)
        ('liquidation', 'the very…warnings')
    """
    line = "".join(sign if ord(sign) in _signs() else "?" for sign in " ".join(name.split()))
    half = most // 2
    return line if len(line) <= most else f"{line[:half].rstrip()}…{line[-half:].lstrip()}"


@cache
def _signs() -> frozenset[int]:
    """Return the code points that the figures' font, which comes with matplotlib, has signs for."""
    from matplotlib import get_data_path  # noqa: PLC0415 - matplotlib takes long to import
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415

    return frozenset(FT2Font(str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"))).get_charmap())


def number(value: float, least: float = _LEAST) -> str:
    """Write a number of up to four figures, plain unless it is very small or large.

    Example:
        >>> number(0.00002), number(1_000_000), number(1e-12), number(2.5e30)
        ('0.00002', '1,000,000', '1e-12', '2.5e30')
    """
    if value == 0 or least <= abs(value) < _MOST:
        rounded = float(f"{value:.4g}")
        plain = np.format_float_positional(rounded, trim="-")
        whole, point, rest = plain.partition(".")
        return f"{int(whole):,}" if not point and len(whole.lstrip("-")) > 4 else whole + point + rest  # noqa: PLR2004 - digits
    mantissa, _, power = f"{value:.4g}".partition("e")
    return f"{mantissa}e{int(power)}" if power else mantissa


def percent(share: float, least: float = _LEAST_PERCENT) -> str:
    """Write a share in percent, plain from so many percent on.

    Example:
        >>> percent(0.6), percent(0.00001)
        ('60 %', '0.001 %')
    """
    return f"{number(100 * share, least)} %"


def in_one_unit(durations: Sequence[float]) -> tuple[str, list[str]]:
    """Return a unit, and durations in years written in it: the largest in which all are whole, else what suits them.

    Example:
        >>> in_one_unit([0.5 / 365, 5 / 365])
        ('h', ['12', '120'])
    """
    minutes = np.array(durations) * _YEAR
    for unit in _UNITS:
        counts = minutes / UNIT_MINUTES[unit]
        if np.allclose(counts, np.round(counts), rtol=_WHOLE, atol=_WHOLE) and np.all(counts > _WHOLE):
            return unit, [number(count) for count in counts.tolist()]
    smallest = float(minutes.min()) if minutes.size else 0.0
    unit = next((one for one in _UNITS if smallest >= UNIT_MINUTES[one]), _UNITS[-1])
    return unit, [number(count) for count in (minutes / UNIT_MINUTES[unit]).tolist()]


def size(figure: Figure, text: str, fontsize: float) -> tuple[float, float]:
    """Return the width and height of a text, in inches."""
    drawn = figure.text(0, 0, text, fontsize=fontsize)
    extent = drawn.get_window_extent()
    drawn.remove()
    return extent.width / figure.dpi, extent.height / figure.dpi


def wrapped(figure: Figure, text: str, inches: float, fontsize: float) -> str:
    """Return a text with as many lines as a width asks for."""
    characters, lines = max(len(text), 1), text
    while (wide := size(figure, lines, fontsize)[0]) > inches and characters > 1:
        characters = max(1, min(characters - 1, int(characters * inches / wide)))
        lines = textwrap.fill(text, characters)
    return lines


def spread(wanted: NDArray[np.float64], sizes: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Move labels apart: return centres within a range, in their order, no two overlapping, nearest to those wanted.

    Least squares under minimal distances is a monotone regression of what is wanted less the distances added up, solved
    by pooling adjacent violators (Barlow et al. 1972, section 1.2); ends are clipped to the range.

    Args:
        wanted: [label] centres, ascending.
        sizes: [label] that add up to at most the range.
        low: where the first may begin.
        high: where the last may end.

    Example:
        >>> spread(np.array([1.0, 1.0, 9.0]), np.array([2.0, 2.0, 2.0]), 0.0, 10.0).tolist()
        [1.0, 3.0, 9.0]
    """
    offsets = np.concatenate([[0.0], np.cumsum((sizes[1:] + sizes[:-1]) / 2)])
    pools: list[tuple[float, int]] = []  # sum and count
    for one in (wanted - offsets).tolist():
        total, count = one, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before = pools.pop()
            total, count = total + before[0], count + before[1]
        pools.append((total, count))
    moved = np.concatenate([np.full(count, total / count) for total, count in pools])
    return np.asarray(np.clip(moved, low + sizes[0] / 2, high - sizes[-1] / 2 - offsets[-1]) + offsets)

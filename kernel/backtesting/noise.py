"""What of a backtest's verdicts hangs on the Monte Carlo error of Value at Risk."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.backtesting.coverage import coverage_p_value, coverage_ratio
from kernel.backtesting.traffic_light import YEAR, traffic_light, years_ending
from kernel.backtesting.verdict import SIGNIFICANCE

_MOST_UNDECIDED = 200  # whose every outcome is looked at; of more a verdict is taken to hang on them


class Noise(NamedTuple):
    """How many exceptions the error of Value at Risk leaves open, and what hangs on them."""

    undecided: int
    """Losses within the 95% interval of their Value at Risk."""
    fewest: int
    """Exceptions, if none of them is one."""
    most: int
    """Exceptions, if all of them are."""
    hanging: tuple[str, ...]
    """Of coverage, zone, zone of the last 250, zone of <year>: what is another if they are decided otherwise."""


def noise(
    exceptions: NDArray[np.bool_], undecided: NDArray[np.bool_], times: NDArray[np.datetime64] | None, level: float
) -> Noise:
    """Tell what hangs on the error of Value at Risk.

    Args:
        exceptions: [forecast]
        undecided: [forecast], true where the loss is within the 95% interval of the Value at Risk.
        times: [forecast]; None: unknown.
        level: of the Value at Risk.

    Example:
        >>> series = np.arange(250) % 50 == 0
        >>> noise(series, np.arange(250) == 100, None, 0.99)
        Noise(undecided=1, fewest=4, most=5, hanging=('zone', 'zone of the last 250'))
    """
    count, sure = int(undecided.sum()), int(np.count_nonzero(exceptions & ~undecided))
    return Noise(count, sure, sure + count, tuple(_hanging(exceptions, undecided, times, level)))


def on_which(
    exceptions: NDArray[np.bool_], undecided: NDArray[np.bool_], times: NDArray[np.datetime64] | None, level: float
) -> NDArray[np.bool_]:
    """Return the forecasts, [forecast], on whose noise something hangs; arguments are those of `noise`.

    Example:
        >>> series = np.isin(np.arange(500), [*range(20), 300, 360, 420, 480])  # red; of the last 250 as yet green
        >>> on_which(series, np.isin(np.arange(500), [100, 400]), None, 0.99).nonzero()[0].tolist()
        [400]
    """
    marked = np.zeros(undecided.size, dtype=bool)
    for window in _hanging(exceptions, undecided, times, level).values():
        marked[window] |= undecided[window]
    return marked


def _hanging(
    exceptions: NDArray[np.bool_], undecided: NDArray[np.bool_], times: NDArray[np.datetime64] | None, level: float
) -> dict[str, slice]:
    """Return what hangs on the undecided, by name, with the forecasts that it is of."""
    if not undecided.any():
        return {}
    size, least, most = exceptions.size, exceptions & ~undecided, exceptions | undecided
    zones = {"zone": slice(0, size)}
    if size >= YEAR:
        zones["zone of the last 250"] = slice(size - YEAR, size)
    if times is not None:
        zones |= {f"zone of {year}": window for year, window in years_ending(times)}
    hanging = {"coverage": slice(0, size)} if _coverage_hangs(exceptions, undecided, level) else {}
    return hanging | {
        name: window
        for name, window in zones.items()
        if traffic_light(least[window], level).zone != traffic_light(most[window], level).zone
    }


def _coverage_hangs(exceptions: NDArray[np.bool_], undecided: NDArray[np.bool_], level: float) -> bool:
    """Tell whether conditional coverage both fails and does not, by how the undecided are decided.

    Its p-value falls with its statistic: the smallest and the largest tell.
    """
    if np.count_nonzero(undecided) > _MOST_UNDECIDED:
        return True
    first, last, hits, n11 = np.array(sorted(_counts(exceptions, undecided))).T
    n01, n10 = hits - first - n11, hits - last - n11
    ratios = coverage_ratio(hits, (exceptions.size - 1 - n01 - n10 - n11, n01, n10, n11), exceptions.size, 1 - level)
    fails = [
        coverage_p_value(float(ratio), exceptions.size, 1 - level) < SIGNIFICANCE
        for ratio in (min(ratios), max(ratios))
    ]
    return fails[0] != fails[1]


_Counts = set[tuple[int, int, int, int]]


def _counts(exceptions: NDArray[np.bool_], undecided: NDArray[np.bool_]) -> _Counts:
    """Return what a series can be with its undecided decided: its first, its last, its hits, its hits after hits.

    Example:
        >>> sorted(_counts(np.array([True, False, False]), np.array([False, True, False])))
        [(1, 0, 1, 0), (1, 0, 2, 1)]
    """
    free = np.flatnonzero(undecided)
    edges = np.unique([0, *free, *(free + 1), exceptions.size]).tolist()
    parts = [_free() if undecided[first] else _fixed(exceptions[first:end]) for first, end in pairwise(edges)]
    counts = parts[0]
    for part in parts[1:]:
        counts = {
            (first, end, hits + more, pairs + new + (last & start))
            for first, last, hits, pairs in counts
            for start, end, more, new in part
        }
    return counts


def _free() -> _Counts:
    return {(0, 0, 0, 0), (1, 1, 1, 0)}


def _fixed(series: NDArray[np.bool_]) -> _Counts:
    return {(int(series[0]), int(series[-1]), int(series.sum()), int(np.count_nonzero(series[1:] & series[:-1])))}

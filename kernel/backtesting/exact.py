"""The exact laws of what is counted in independent trials, and the p-values that follow from them.

Where few exceptions are expected, likelihood ratios are far from chi-squared: of 250 right forecasts at 99% that law
has Kupiec's test fail 9.5% instead of 5%. The trials' law is known, so that their counts can be enumerated.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_TIE = 1e-9  # of a statistic: rounding must not tell equal ones apart
_DEVIATIONS, _FURTHER = 9, 20  # what is further from the mean has a probability of less than 1e-15
_BLOCK = 2**18  # patterns at a time: a few MB
_LATEST = 2**62


def bar(statistic: float) -> float:
    """Return what a statistic has to reach to be at least as large as another, but for rounding."""
    return statistic - _TIE * (1 + abs(statistic))


def at_least(statistics: NDArray[np.float64], log_mass: NDArray[np.float64], statistic: float) -> float:
    """Return the probability of a statistic at least as large as one.

    Args:
        statistics: of all that can be.
        log_mass: logarithms of their probabilities.
        statistic: that was seen.

    Example:
        >>> at_least(np.array([0.0, 1.0, 2.0]), np.log([0.5, 0.25, 0.25]), 1.0)
        0.5
    """
    return min(1.0, math.fsum(np.exp(log_mass[statistics >= bar(statistic)])))


def first_at_least(ratio: Callable[[int], float], first: int, probability: float) -> float:
    """Return the probability that the first hit comes when a statistic is at least as large as at `first`.

    Args:
        ratio: the statistic of the first hit; it falls up to the expected time, and rises after it.
        first: trial, from 1.
        probability: of a hit.

    Example:
        >>> round(first_at_least(lambda first: abs(first - 2), 3, 0.5), 6)
        0.75
    """
    seen, turn = bar(ratio(first)), int(1 / probability)
    early = bisect_right(range(1, turn + 1), -seen, key=lambda t: -ratio(t))
    late = turn + 1 + bisect_left(range(turn + 1, _LATEST), seen, key=ratio)
    miss = math.log1p(-probability)
    return min(1.0, -math.expm1(early * miss) + math.exp((late - 1) * miss))


class Patterns(NamedTuple):
    """Series of trials that have the same counts."""

    hits: NDArray[np.int64]
    transitions: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
    """n00, n01, n10, n11, 1 for a hit."""
    log_count: NDArray[np.float64]
    """Logarithms of how many series there are."""


def patterns(trials: int, fewest: int, most: int) -> Iterator[Patterns]:
    """Yield all patterns of series with from `fewest` to `most` hits, but for runs that are all but impossible.

    k hits in r runs can be cut in C(k - 1, r - 1) ways, and the misses between and around them into g runs in
    C(trials - k - 1, g - 1) ways, g from r - 1 to r + 1 by whether the series starts and ends with a hit.

    Example:
        >>> sum(float(np.exp(block.log_count).sum()) for block in patterns(10, 0, 10)).__round__(6)
        1024.0
    """
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])
    deviation = max(k * (trials - k) / trials**1.5 for k in (fewest, most, min(max(trials // 2, fewest), most)))
    spread = math.ceil(_DEVIATIONS * deviation) + _FURTHER
    hits = np.arange(fewest, most + 1)
    for block in np.array_split(hits, math.ceil(hits.size * (8 * spread + 4) / _BLOCK)):
        around = np.rint(block * (trials - block + 1) / trials).astype(np.int64)
        k, r, first, last = np.broadcast_arrays(
            block[:, None, None, None],
            around[:, None, None, None] + np.arange(-spread, spread + 1)[:, None, None],
            *np.ogrid[:2, :2],
        )
        gaps = r + 1 - first - last
        log_count = _log_choose(log_factorial, k - 1, r - 1) + _log_choose(log_factorial, trials - k - 1, gaps - 1)
        there = np.isfinite(log_count)
        k, r, first, last = (part[there] for part in (k, r, first, last))
        n01, n10, n11 = r - first, r - last, k - r
        yield Patterns(k, (trials - 1 - n01 - n10 - n11, n01, n10, n11), log_count[there])


def _log_choose(log_factorial: NDArray[np.float64], of: NDArray[Any], some: NDArray[Any]) -> NDArray[np.float64]:
    """Return logarithms of binomial coefficients; none of none can be cut into no runs: C(-1, -1) is 1."""
    possible = (some >= 0) & (some <= of)
    n, k = np.where(possible, of, 0), np.where(possible, some, 0)
    log = log_factorial[n] - log_factorial[k] - log_factorial[n - k]
    return np.where(possible | ((of == -1) & (some == -1)), log, -np.inf)


def likely_counts(trials: int, probability: float) -> tuple[int, int]:
    """Return the fewest and the most hits that are not all but impossible.

    Example:
        >>> likely_counts(250, 0.01)
        (0, 37)
    """
    mean = trials * probability
    spread = _DEVIATIONS * math.sqrt(mean * (1 - probability)) + _FURTHER
    return max(0, math.floor(mean - spread)), min(trials, math.ceil(mean + spread))

"""Whether exceptions, the losses above the Value at Risk, come as often as they should, and one by one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel.backtesting.verdict import SIGNIFICANCE, Verdict, checked_series, chi_squared_tail, judged


def _log_likelihood(hits: float, misses: float, probability: float) -> float:
    """Return that of independent trials; 0 log 0 is 0."""
    log = (hits * math.log(probability) if hits else 0.0) + (misses * math.log1p(-probability) if misses else 0.0)
    return float(log)


def _ratio(free: float, null: float) -> float:
    return max(2 * (free - null), 0.0)  # rounding


def proportion_of_failures(exceptions: ArrayLike, level: float) -> Verdict:
    """Test whether exceptions have the probability 1 - level (Kupiec 1995): a likelihood ratio, chi-squared(1).

    Args:
        exceptions: [forecast], true where the loss was above the Value at Risk.
        level: of the Value at Risk, in (0, 1).

    Raises:
        InvalidInput: for what is no series, or a level outside its range.

    Example:
        >>> losses_above = np.arange(1043) < 57
        >>> proportion_of_failures(losses_above, 0.95).p_value.__round__(4)
        0.4969
    """
    series, chance = checked_series(exceptions, level)
    hits, count = int(series.sum()), series.size
    statistic = _ratio(_log_likelihood(hits, count - hits, hits / count), _log_likelihood(hits, count - hits, chance))
    return judged(statistic, chi_squared_tail(statistic, 1))


def time_until_first_failure(exceptions: ArrayLike, level: float) -> Verdict:
    """Test whether the first exception came when it should (Kupiec 1995): a likelihood ratio, chi-squared(1).

    One time says little: the test has hardly any power. Without an exception the first is yet to come: if it would
    come too late even with the next forecast the test fails, with the statistic and p-value of that; else it is
    undecided.

    Args:
        exceptions: [forecast], in the order of time.
        level: of the Value at Risk, in (0, 1).

    Raises:
        InvalidInput: for what is no series, or a level outside its range.

    Example:
        >>> time_until_first_failure(np.arange(1, 1044) == 58, 0.95).statistic.__round__(4)
        1.7354
    """
    series, chance = checked_series(exceptions, level)
    came = bool(series.any())
    first = int(series.argmax()) + 1 if came else series.size + 1
    statistic = _ratio(_log_likelihood(1, first - 1, 1 / first), _log_likelihood(1, first - 1, chance))
    p_value = chi_squared_tail(statistic, 1)
    if not came and (first <= 1 / chance or p_value >= SIGNIFICANCE):
        return judged(math.nan, math.nan)
    return judged(statistic, p_value)


def transitions(series: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Count forecasts by what they and the one before them were: n00, n01, n10, n11, 1 for an exception.

    Example:
        >>> transitions(np.array([False, True, True, False, False]))
        (1, 1, 1, 1)
    """
    pairs = 2 * series[:-1].astype(int) + series[1:]
    n00, n01, n10, n11 = np.bincount(pairs, minlength=4).tolist()
    return n00, n01, n10, n11


def independence(exceptions: ArrayLike) -> Verdict:
    """Test whether an exception is as likely after one as after none (Christoffersen 1998): chi-squared(1).

    A likelihood ratio of a first-order Markov chain over independence, given the first forecast. Where no exception
    follows another, its factor 0**0 is 1 (0 log 0 is 0) and the statistic stands; where no forecast follows an
    exception at all, there is nothing to test. With few exceptions the chi-squared law is rough.

    Args:
        exceptions: [forecast], in the order of time; one that was left out between two is passed over.

    Raises:
        InvalidInput: for what is no series.

    Example:
        >>> clustered = np.isin(np.arange(250), [40, 41, 42, 100, 101, 200, 201, 202, 203, 204])
        >>> independence(clustered).word
        'fails'
    """
    series, _ = checked_series(exceptions, 0.5)
    statistic = _independence_ratio(series)
    return judged(statistic, math.nan if math.isnan(statistic) else chi_squared_tail(statistic, 1))


def _independence_ratio(series: NDArray[np.bool_]) -> float:
    n00, n01, n10, n11 = transitions(series)
    if n10 + n11 == 0:
        return math.nan
    free = _log_likelihood(n01, n00, n01 / max(n00 + n01, 1)) + _log_likelihood(n11, n10, n11 / (n10 + n11))
    return _ratio(free, _log_likelihood(n01 + n11, n00 + n10, (n01 + n11) / (series.size - 1)))


def conditional_coverage(exceptions: ArrayLike, level: float) -> Verdict:
    """Test frequency and independence of exceptions together (Christoffersen 1998): chi-squared(2).

    The statistic is that of `proportion_of_failures` plus that of `independence`; the second is 0 where there is
    nothing to test.

    Args:
        exceptions: [forecast], in the order of time.
        level: of the Value at Risk, in (0, 1).

    Raises:
        InvalidInput: for what is no series, or a level outside its range.

    Example:
        >>> conditional_coverage(np.arange(250) % 100 == 50, 0.99).word
        'passes'
    """
    series, _ = checked_series(exceptions, level)
    clusters = _independence_ratio(series)
    statistic = proportion_of_failures(series, level).statistic + (0.0 if math.isnan(clusters) else clusters)
    return judged(statistic, chi_squared_tail(statistic, 2))

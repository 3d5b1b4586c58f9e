"""Whether exceptions, the losses above the Value at Risk, come as often as they should, and one by one.

The statistics are the published ones. Their p-values are exact: of right forecasts exceptions are independent trials of
a known probability, so the chance of a statistic at least as large is a sum over all that can be. Right forecasts fail
each test at most as often as the significance says, and by how much less often the lumps of its statistic tell.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel.backtesting.exact import at_least, first_at_least, likely_counts, patterns
from kernel.backtesting.verdict import SIGNIFICANCE, Verdict, checked_series, judged
from kernel.measures.estimate import binomial_log_mass


def _log_likelihood(hits: Any, misses: Any, probability: Any) -> Any:
    """Return that of independent trials; 0 log 0 is 0."""
    log = np.log(np.where(hits > 0, probability, 1)), np.log1p(-np.where(misses > 0, probability, 0))
    return hits * log[0] + misses * log[1]


def _ratio(free: Any, null: Any) -> Any:
    return np.maximum(2 * (free - null), 0.0)  # rounding


def _failures_ratio(hits: Any, count: int, chance: float) -> Any:
    free = _log_likelihood(hits, count - hits, hits / count)
    return _ratio(free, _log_likelihood(hits, count - hits, chance))


def proportion_of_failures(exceptions: ArrayLike, level: float) -> Verdict:
    """Test whether exceptions have the probability 1 - level: a likelihood ratio (Kupiec 1995).

    Its p-value is the binomial probability of a number of exceptions with a ratio at least as large.

    Args:
        exceptions: [forecast], true where the loss was above the Value at Risk.
        level: of the Value at Risk, in (0, 1).

    Raises:
        InvalidInput: for what is no series, or a level outside its range.

    Example:
        >>> losses_above = np.arange(1043) < 57
        >>> proportion_of_failures(losses_above, 0.95).p_value.__round__(4)
        0.5223
    """
    series, chance = checked_series(exceptions, level)
    count = series.size
    ratios = _failures_ratio(np.arange(count + 1), count, chance)
    statistic = float(ratios[series.sum()])
    return judged(statistic, at_least(ratios, binomial_log_mass(count, count, chance), statistic))


def time_until_first_failure(exceptions: ArrayLike, level: float) -> Verdict:
    """Test whether the first exception came when it should: a likelihood ratio (Kupiec 1995).

    Its p-value is the geometric probability of a first exception with a ratio at least as large. One time says little:
    the test has hardly any power. Without an exception the first is yet to come: if it would come too late even with
    the next forecast the test fails, with the statistic and p-value of that; else it is undecided.

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

    def ratio(first: int) -> float:
        return float(_ratio(_log_likelihood(1, first - 1, 1 / first), _log_likelihood(1, first - 1, chance)))

    came = bool(series.any())
    first = int(series.argmax()) + 1 if came else series.size + 1
    p_value = first_at_least(ratio, first, chance)
    if not came and (first <= 1 / chance or p_value >= SIGNIFICANCE):
        return judged(math.nan, math.nan)
    return judged(ratio(first), p_value)


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
    """Test whether an exception is as likely after one as after none (Christoffersen 1998).

    A likelihood ratio of a first-order Markov chain over independence, given the first forecast. Where no exception
    follows another, its factor 0**0 is 1 (0 log 0 is 0) and the statistic stands; where no forecast follows an
    exception at all, there is nothing to test. The p-value is the share of the orders, of as many exceptions in as many
    forecasts, that have a ratio at least as large: all orders are as likely, whatever the probability of an exception.

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
    statistic = float(_independence_ratio(*transitions(series)))
    if math.isnan(statistic):
        return judged(statistic, math.nan)
    hits, misses = int(series.sum()), int(series.size - series.sum())
    orders = math.lgamma(series.size + 1) - math.lgamma(hits + 1) - math.lgamma(misses + 1)
    each = (
        at_least(np.nan_to_num(_independence_ratio(*pattern.transitions)), pattern.log_count - orders, statistic)
        for pattern in patterns(series.size, hits, hits)
    )
    return judged(statistic, min(1.0, sum(each)))


def _independence_ratio(n00: Any, n01: Any, n10: Any, n11: Any) -> Any:
    """Return the likelihood ratio, NaN where there is nothing to test."""
    after_none, after_one = n00 + n01, n10 + n11
    free = _log_likelihood(n01, n00, n01 / np.maximum(after_none, 1))
    free = free + _log_likelihood(n11, n10, n11 / np.maximum(after_one, 1))
    null = _log_likelihood(n01 + n11, n00 + n10, (n01 + n11) / np.maximum(after_none + after_one, 1))
    return np.where(after_one > 0, _ratio(free, null), math.nan)


def conditional_coverage(exceptions: ArrayLike, level: float) -> Verdict:
    """Test frequency and independence of exceptions together (Christoffersen 1998).

    The statistic is that of `proportion_of_failures` plus that of `independence`; the second is 0 where there is
    nothing to test. The p-value is the probability of series with a statistic at least as large.

    Args:
        exceptions: [forecast], in the order of time.
        level: of the Value at Risk, in (0, 1).

    Raises:
        InvalidInput: for what is no series, or a level outside its range.

    Example:
        >>> conditional_coverage(np.arange(250) % 100 == 50, 0.99).word
        'passes'
    """
    series, chance = checked_series(exceptions, level)
    statistic = float(coverage_ratio(int(series.sum()), transitions(series), series.size, chance))
    return judged(statistic, coverage_p_value(statistic, series.size, chance))


def coverage_ratio(hits: Any, counts: Any, count: int, chance: float) -> Any:
    """Return the statistic of `conditional_coverage`.

    Args:
        hits: exceptions; one number or many, as the counts.
        counts: n00, n01, n10, n11, see `transitions`.
        count: of forecasts.
        chance: of an exception.
    """
    return _failures_ratio(hits, count, chance) + np.nan_to_num(_independence_ratio(*counts))


def coverage_p_value(statistic: float, count: int, chance: float) -> float:
    """Return the probability of a statistic of `conditional_coverage` at least as large.

    Example:
        >>> coverage_p_value(0.0, 100, 0.05)
        1.0
    """
    p_value = 0.0
    for pattern in patterns(count, *likely_counts(count, chance)):
        log_mass = pattern.log_count + pattern.hits * math.log(chance) + (count - pattern.hits) * math.log1p(-chance)
        p_value += at_least(coverage_ratio(pattern.hits, pattern.transitions, count, chance), log_mass, statistic)
    return min(1.0, p_value)

"""An estimate: a value, its standard error and its 95% interval; and the laws they come from."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054  # the normal's 97.5% point
_EXACT_VARIANCE = 1000.0  # above it the normal approximation of a binomial quantile is off by less than a rank
_NO_SKEWNESS = 1e-8  # below it the cubic is the identity, up to rounding


class Estimate(NamedTuple):
    """A Monte Carlo number with its error; `low` and `high` bound the 95% interval."""

    value: float
    standard_error: float
    low: float
    high: float


def rank(level: float, count: int) -> int:
    """Return ceil(level * count), reckoned with the decimal that was written: 0.07 of 100 is 7."""
    return math.ceil(Fraction(repr(level)) * count)


def interval_ranks(level: float, count: int) -> tuple[int, int]:
    """Return ranks (low, high) from 1 that enclose the quantile with 95% probability, whatever the law.

    The number of values at or below the quantile is binomial(count, level); 0 and count + 1 mean: no bound.
    """
    variance = count * level * (1 - level)
    if variance > _EXACT_VARIANCE:
        centre, half = count * level, Z * math.sqrt(variance)
        return math.floor(centre - half), math.ceil(centre + half) + 1
    rare, mirrored = (1 - level, True) if level > 0.5 else (level, False)  # noqa: PLR2004 - the rarer side
    low, high = _binomial_quantile(0.025, rare, count), _binomial_quantile(0.975, rare, count)
    return (count - high, count - low + 1) if mirrored else (low, high + 1)


def _binomial_quantile(probability: float, p: float, count: int) -> int:
    """Return the smallest k with P(binomial(count, p) <= k) >= probability, for a small mean."""
    most = min(count, math.ceil(count * p + 12 * math.sqrt(count * p + 12)))
    return min(int(np.searchsorted(np.cumsum(np.exp(binomial_log_mass(most, count, p))), probability)), count)


def binomial_log_mass(most: int, trials: int, probability: float) -> NDArray[np.float64]:
    """Return the logarithms of the probabilities of 0 to `most` hits.

    Example:
        >>> np.exp(binomial_log_mass(2, 2, 0.5)).round(6)
        array([0.25, 0.5 , 0.25])
    """
    k = np.arange(most)
    ratios = np.log((trials - k) / (k + 1)) + math.log(probability / (1 - probability))
    return trials * math.log1p(-probability) + np.concatenate([[0.0], np.cumsum(ratios)])


def mean(value: float, error: float, skewness: float, z: float = Z) -> Estimate:
    """Estimate a mean, with an interval of z errors by Hall (1992), "On the removal of skewness by transformation".

    The studentised mean T of skewed values is skewed the other way. With a, the values' skewness over the root of their
    number, T + a T**2 / 3 + a**2 T**3 / 27 + a / 6 is normal but for terms of 1 / n, and rises with T everywhere (as
    Johnson's square, 1978, does not): its inverse takes the normal's points back.

    Args:
        value: mean of the values.
        error: its standard error.
        skewness: a.
        z: standard errors that the interval has on either side where there is no skewness.

    Example:
        >>> [round(number, 2) for number in mean(10.0, 1.0, 0.3)]
        [10.0, 1.0, 8.37, 12.65]
    """
    low, high = (value - error * _unskewed(point, skewness) for point in (z, -z))
    return Estimate(value, error, low, high)


def _unskewed(x: float, skewness: float) -> float:
    """Return where the studentised mean is when its normal transform is x."""
    if abs(skewness) < _NO_SKEWNESS:
        return x
    return 3 / skewness * (math.cbrt(1 + skewness * (x - skewness / 6)) - 1)


def proportion(hits: float, count: float, z: float = Z) -> Estimate:
    """Estimate a probability, with Wilson's interval (Wilson 1927) of z standard errors."""
    share = hits / count
    error = math.sqrt(share * (1 - share) / count)
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return Estimate(share, error, max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share)))

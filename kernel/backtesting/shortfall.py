"""Whether losses beyond the Value at Risk are as large as the Expected Shortfall says (Acerbi and Szekely 2014)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel.backtesting.verdict import SIGNIFICANCE, judged
from kernel.measures.estimate import Estimate, Z, interval_ranks, proportion, rank


class ShortfallVerdict(NamedTuple):
    """The test of Acerbi and Szekely's Z2: 0 is expected, below it losses are larger or come more often than said."""

    statistic: float
    p_value: float
    """Of a statistic at most this, from simulated series; (1 + those at most it) / (1 + their number)."""
    word: str
    p_value_error: float
    critical_value: Estimate
    """The statistic's 5% quantile if the forecasts are right."""


def contributions(
    losses: ArrayLike, value_at_risk: ArrayLike, expected_shortfall: ArrayLike, level: float
) -> NDArray[np.float64]:
    """Return each loss's part of Z2: loss / ((1 - level) ES) where it is above the VaR, else 0; 1 is expected.

    Args:
        losses: [...], realised, or of a law without atoms.
        value_at_risk: that broadcasts with them.
        expected_shortfall: that broadcasts with them; NaN comes of one that is not above 0.
        level: of both, in (0, 1).

    Example:
        >>> contributions([0.5, 3.0], 2.0, 3.0, 0.9).round(6)
        array([ 0., 10.])
    """
    each = np.asarray(losses, dtype=np.float64)
    return _parts(each > np.asarray(value_at_risk), each, expected_shortfall, level)


def simulated_contributions(
    losses: NDArray[np.floating], value_at_risk: float, expected_shortfall: float, level: float, first: int
) -> NDArray[np.float64]:
    """Return the parts of Z2 of the first of simulated losses, whose own VaR and ES these are: 1 on average of all.

    Losses equal to the VaR count by the share of them that completes the worst 1 - level, as in the ES (Acerbi and
    Tasche 2002). Draws from past returns are often equal; were those no exceptions, as they are not of one realised
    loss, Z2 would be expected above 0 and right forecasts would seem bad.

    Args:
        losses: [path]
        value_at_risk: of the losses.
        expected_shortfall: of the losses.
        level: of both, in (0, 1).
        first: how many losses to return the parts of, at most.

    Example:
        >>> simulated_contributions(np.array([1.0, 2.0, 2.0, 4.0]), 2.0, 10 / 3, 0.625, 4).round(6)
        array([0. , 0.4, 0.4, 3.2])
    """
    beyond, ties = np.count_nonzero(losses > value_at_risk), np.count_nonzero(losses == value_at_risk)
    share = min(max(((1 - level) * losses.size - beyond) / ties, 0.0), 1.0)  # rounding
    kept = losses[:first].astype(np.float64)
    return _parts((kept > value_at_risk) + share * (kept == value_at_risk), kept, expected_shortfall, level)


def _parts(
    weights: NDArray[Any], losses: NDArray[np.float64], expected_shortfall: ArrayLike, level: float
) -> NDArray[np.float64]:
    shortfall = np.asarray(expected_shortfall, dtype=np.float64)
    return np.asarray(weights * losses / ((1 - level) * np.where(shortfall > 0, shortfall, np.nan)))


def z2(losses: ArrayLike, value_at_risk: ArrayLike, expected_shortfall: ArrayLike, level: float) -> float:
    """Return Acerbi and Szekely's Z2 (2014, equation 6), with losses positive: 1 - mean of the contributions.

    NaN where a shortfall is not above 0: relative to it no loss is large.

    Args:
        losses: [forecast], realised.
        value_at_risk: [forecast]
        expected_shortfall: [forecast]
        level: of both, in (0, 1).

    Example:
        >>> z2([1.0, 1.0, 1.0, 1.0, 5.0], [2.0] * 5, [4.0] * 5, 0.8).__round__(6)
        -0.25
    """
    return float(1 - contributions(losses, value_at_risk, expected_shortfall, level).mean())


def shortfall_test(statistic: float, simulated: NDArray[np.float64]) -> ShortfallVerdict:
    """Hold Z2 against what it is when losses follow the predicted laws.

    The p-value counts the series at hand as one of them (Davison and Hinkley 1997, section 4.2).

    Args:
        statistic: of the realised losses.
        simulated: [series], each of losses drawn from the predicted laws, forecast by forecast.

    Example:
        >>> shortfall_test(-2.0, np.linspace(-1, 1, 999)).p_value
        0.001
    """
    size = simulated.size
    if math.isnan(statistic) or not np.isfinite(simulated).all():
        unknown = Estimate(*[math.nan] * 4)
        return ShortfallVerdict(*judged(math.nan, math.nan), math.nan, unknown)
    hits = 1 + int(np.count_nonzero(simulated <= statistic))
    p_value = proportion(hits, size + 1)
    ordered = np.sort(simulated)
    low, high = interval_ranks(SIGNIFICANCE, size)
    ends = [ordered[low - 1] if low >= 1 else -math.inf, ordered[high - 1] if high <= size else math.inf]
    value = float(ordered[rank(SIGNIFICANCE, size) - 1])
    critical = Estimate(value, float(ends[1] - ends[0]) / (2 * Z), float(ends[0]), float(ends[1]))
    return ShortfallVerdict(*judged(statistic, p_value.value), p_value.standard_error, critical)

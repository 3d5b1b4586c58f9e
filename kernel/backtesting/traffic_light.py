"""The traffic light of the Basel Committee: green, yellow or red by the number of exceptions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel.backtesting.verdict import binomial_cumulative, checked_series

YEAR = 250
"""Forecasts of the Committee's own light."""
_YEARS = 500  # forecasts that a year's light is of
_YELLOW, _RED = 0.95, 0.9999


class TrafficLight(NamedTuple):
    """The zone of a number of exceptions."""

    zone: str
    """green, yellow or red."""
    exceptions: int
    observations: int
    expected: float
    """Exceptions."""
    cumulative: float
    """Probability of at most so many exceptions if the forecasts are right."""


class YearlyLight(NamedTuple):
    """The light of the last forecasts up to the end of a calendar year, or of the series."""

    year: int
    light: TrafficLight


def traffic_light(exceptions: ArrayLike, level: float) -> TrafficLight:
    """Return the zone: green while the probability of at most so many exceptions is below 95%, yellow below 99.99%.

    These are the Committee's bounds (Basle Committee on Banking Supervision 1996, annex), for any number of forecasts
    and any level; exceptions are taken as independent.

    Args:
        exceptions: [forecast], true where the loss was above the Value at Risk.
        level: of the Value at Risk, in (0, 1).

    Raises:
        InvalidInput: for what is no series, or a level outside its range.

    Example:
        >>> traffic_light(np.arange(250) < 5, 0.99).zone
        'yellow'
    """
    series, chance = checked_series(exceptions, level)
    hits, count = int(series.sum()), series.size
    cumulative = binomial_cumulative(hits, count, chance)
    zone = "green" if cumulative < _YELLOW else "yellow" if cumulative < _RED else "red"
    return TrafficLight(zone, hits, count, count * chance, cumulative)


def last_year(exceptions: NDArray[np.bool_], level: float) -> TrafficLight | None:
    """Return the light of the last 250 forecasts, or None of fewer.

    Example:
        >>> last_year(np.zeros(300, bool), 0.99).zone
        'green'
    """
    return traffic_light(exceptions[-YEAR:], level) if exceptions.size >= YEAR else None


def by_year(
    exceptions: NDArray[np.bool_], times: NDArray[np.datetime64], level: float, last: int = _YEARS
) -> tuple[YearlyLight, ...]:
    """Return the light of the last `last` forecasts up to the end of each calendar year that has so many behind it.

    Args:
        exceptions: [forecast].
        times: [forecast], rising; the last year may be unfinished.
        level: of the Value at Risk, in (0, 1).
        last: forecasts.

    Example:
        >>> days = np.datetime64("2020-01-01") + np.arange(900)
        >>> [one.year for one in by_year(np.zeros(900, bool), days, 0.99)]
        [2021, 2022]
    """
    return tuple(
        YearlyLight(year, traffic_light(exceptions[window], level)) for year, window in years_ending(times, last)
    )


def years_ending(times: NDArray[np.datetime64], last: int = _YEARS) -> list[tuple[int, slice]]:
    """Return, for each calendar year that has so many behind its end, its last `last` forecasts.

    Example:
        >>> years_ending(np.datetime64("2020-01-01") + np.arange(900))
        [(2021, slice(231, 731, None)), (2022, slice(400, 900, None))]
    """
    years = times.astype("datetime64[Y]").astype(int) + 1970
    ends = [(year, int(np.searchsorted(years, year, side="right"))) for year in np.unique(years).tolist()]
    return [(year, slice(end - last, end)) for year, end in ends if end >= last]

"""What can be estimated of one quantity, whatever the way in which its paths were sampled."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from kernel.measures.estimate import Estimate, mean

FEWEST_LOSSES = 10  # above a quantile, for an error of their mean


class Sample(ABC):
    """One quantity, such as the loss, on every path: `kernel.measures.quantities` takes it from an outcome.

    A measure asks it for estimates, and is written once: paths that count alike, a summary of them, paths in replicates
    and paths with likelihood ratios answer each in their own way. Every estimate has a 95% interval.
    """

    @abstractmethod
    def share_at_most(self, bound: float) -> Estimate:
        """Estimate the probability that the quantity is at most a bound."""

    @abstractmethod
    def share_above(self, bound: float) -> Estimate:
        """Estimate the probability that the quantity is above a bound."""

    @abstractmethod
    def survival(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Estimate the probabilities that a time is after each of rising ones, or never: [4, time]."""

    @abstractmethod
    def upper_quantile(self, level: float) -> Estimate:
        """Estimate the value that a share of at most 1 - level lies above."""

    @abstractmethod
    def lower_quantiles(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Estimate the values that each of some shares lies at or below: [4, probability]."""

    @abstractmethod
    def quantile_of_reached(self, probability: float) -> Estimate:
        """Estimate a quantile of a time, given that it comes at all; NaN if it comes on no path."""

    @abstractmethod
    def upper_mean(self, level: float) -> Estimate:
        """Estimate the mean of the highest share of 1 - level."""


def mean_of_tail(value: float, error: float, skewness: float, tail: int, above: int, critical_value: float) -> Estimate:
    """Return the mean of a tail with its interval.

    Args:
        value: of it.
        error: its standard error.
        skewness: third cumulant over the error's cube, as if the values in the tail were many.
        tail: values from the quantile on.
        above: values above it; replicates, where those are fewer.
        critical_value: standard errors that the interval of a normal estimate has on either side.
    """
    if tail > FEWEST_LOSSES and above == 0:  # atoms: all of the tail is one value
        return Estimate(value, 0.0, value, value)
    if above < FEWEST_LOSSES:
        return Estimate(value, math.inf, -math.inf, math.inf)
    # of few values the skewness is taken too small where it is large: with the factor of Fisher's (1929) third
    # k-statistic ten lognormal losses cover 93.7%, without it 90.7%
    return mean(value, error, above**2 / ((above - 1) * (above - 2)) * skewness, critical_value)

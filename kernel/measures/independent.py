"""Estimates from paths that all count the same, independently of each other: counts, and order statistics."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from kernel.measures.estimate import Estimate, Z, interval_ranks, proportion, rank
from kernel.measures.sample import Sample, mean_of_all, mean_of_tail


@dataclass(frozen=True)
class IndependentSample(Sample):
    """A quantity of which any value can be had by its rank: from paths, or from the part that a summary kept."""

    paths: int
    order: Callable[[NDArray[np.int64]], NDArray[np.float64]]
    """Return the values of ranks, from 1 to `paths`, 1 the lowest."""
    count: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    """Return how many paths are at or below rising bounds."""
    least: float = -math.inf
    """That the quantity can be: the end of an interval beyond the lowest value."""
    most: float = math.inf

    def share_at_most(self, bound: float) -> Estimate:
        """Estimate the probability that the quantity is at most a bound, with Wilson's interval."""
        return proportion(self._counted(bound), self.paths)

    def share_above(self, bound: float) -> Estimate:
        """Estimate the probability that the quantity is above a bound, with Wilson's interval."""
        return proportion(self.paths - self._counted(bound), self.paths)

    def survival(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Estimate the probabilities that a time is after each of rising ones, with Wilson's intervals: [4, time]."""
        return np.array([proportion(self.paths - hits, self.paths) for hits in self.count(times).tolist()]).T

    def upper_quantile(self, level: float) -> Estimate:
        """Estimate the value that a share of at most 1 - level lies above: the ceil(level n)-th lowest of n."""
        return self._quantile(level, self.paths)

    def lower_quantiles(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Estimate the values that shares lie at or below: the floor(probability n)-th lowest, [4, probability]."""
        shares = probabilities.tolist()
        # with the decimals that were written
        ranks = [math.floor(Fraction(repr(share)) * self.paths) for share in shares]
        low, high = np.array([interval_ranks(share, self.paths) for share in shares]).T
        return self._between(np.array(ranks), low, high, self.paths)

    def quantile_of_reached(self, probability: float) -> Estimate:
        """Estimate a quantile of a time, given that it comes at all; NaN if it comes on no path."""
        reached = int(self._counted(self.most))
        return self._quantile(probability, reached) if reached else Estimate(math.nan, math.nan, math.nan, math.nan)

    def upper_mean(self, level: float) -> Estimate:
        """Estimate the mean of the highest share of 1 - level.

        The boundary counts with the fraction that completes the share (Acerbi and Tasche 2002, definition 2.6).
        """
        highest = self.order(np.arange(rank(level, self.paths), self.paths + 1))
        boundary, share = float(highest[0]), self.paths * (1 - level)
        excess = highest - boundary
        error, skewness = _of_total(excess, self.paths)
        above = int(np.count_nonzero(excess))
        return mean_of_tail(boundary + math.fsum(excess) / share, error / share, skewness, highest.size, above, Z)

    def mean(self, step: float = math.inf) -> Estimate:
        """Estimate the mean: see `Sample.mean`."""
        values = self.order(np.arange(1, self.paths + 1)).astype(np.float64)
        middle = float(values[(self.paths - 1) // 2])
        off = values - middle
        centred = off - off.mean()
        square, cube = float((centred * centred).sum()), float((centred * centred * centred).sum())
        error = math.sqrt(square / max(self.paths - 1, 1) / self.paths)
        skewness = cube / (error * self.paths) ** 3 if error else 0.0
        found = mean_of_all(middle + float(off.mean()), error, skewness, off, self.paths, Z, step)
        return found._replace(low=max(found.low, self.least), high=min(found.high, self.most))

    def _counted(self, bound: float) -> float:
        return float(self.count(np.array([bound]))[0])

    def _quantile(self, level: float, count: int) -> Estimate:
        low, high = interval_ranks(level, count)
        ranks = np.array([rank(level, count)]), np.array([low]), np.array([high])
        return Estimate(*self._between(*ranks, count)[:, 0].tolist())

    def _between(
        self, at: NDArray[np.int64], low: NDArray[np.int64], high: NDArray[np.int64], count: int
    ) -> NDArray[np.float64]:
        """Return the values of ranks among the lowest `count`, between those of others: [4, rank]."""
        ranks = np.array([at, np.minimum(low, at), high])
        values = self.order(np.clip(ranks, 1, count).ravel()).reshape(ranks.shape)
        value, least, most = np.where(ranks < 1, self.least, np.where(ranks > count, self.most, values))
        return np.array([value, (most - least) / (2 * Z), least, most])


def _of_total(excess: NDArray[np.float64], paths: int) -> tuple[float, float]:
    """Return standard error and skewness of the sum of max(value - quantile, 0) over all paths.

    excess: of those from the quantile on.
    """
    mean_excess, others = math.fsum(excess) / paths, paths - excess.size
    centred = excess - mean_excess
    square = math.fsum(centred * centred) + others * mean_excess**2
    error = math.sqrt(square * excess.size / max(excess.size - 1, 1))
    if error == 0:
        return 0.0, 0.0
    scaled = centred / error
    return error, math.fsum(scaled * scaled * scaled) - others * (mean_excess / error) ** 3

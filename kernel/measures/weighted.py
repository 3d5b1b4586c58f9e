"""Estimates from paths that depend on each other within replicates, or that carry likelihood ratios.

Every estimator here is, but for what vanishes faster than its error, the mean of one contribution of each path, its
influence function. So one rule gives every error: how the mean of the contributions spreads, over the replicates, each
an independent randomisation, or without replicates over the paths. Measures of each replicate by itself would spread
alike where they are means; quantiles of so few paths are biased: an interval from them held VaR in 75% to 96% of runs.
`docs/sampling.md` has the coverage of these.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel.errors import InvalidInput, Problem
from kernel.measures.estimate import Estimate, Z, proportion
from kernel.measures.ordered import ROUNDING, ordered
from kernel.measures.sample import Sample, mean_of_all, mean_of_tail


def critical_value(replicates: int) -> float:
    """Return how many standard errors a 95% interval has on either side: Student's t of replicates - 1, or normal.

    Abramowitz and Stegun (1964), 26.7.5, within 0.001 from 10 replicates on.
    """
    if replicates == 0:
        return Z
    f = replicates - 1
    terms = (
        (Z**3 + Z) / 4 / f,
        (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96 / f**2,
        (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384 / f**3,
        (79 * Z**9 + 776 * Z**7 + 1482 * Z**5 - 1920 * Z**3 - 945 * Z) / 92160 / f**4,
    )
    return Z + math.fsum(terms)


@dataclass(frozen=True, eq=False)
class WeightedSample(Sample):
    """A quantity on every path, of which each may count by a likelihood ratio, and depend on its replicate's others."""

    values: NDArray[np.floating]
    """[path], infinite for a time that never comes."""
    weights: NDArray[np.floating] | None
    """[path] likelihood ratios, 0 where a time never comes; None: 1 each."""
    replicates: int
    """Equal blocks of consecutive paths, each an independent randomisation; 0: every path is."""
    untilted: int
    """The first paths, of each replicate or of all, that were sampled by another law than the others."""
    least: float = -math.inf
    most: float = math.inf
    """That the quantity can be."""

    @property
    def paths(self) -> int:
        """Return their number."""
        return self.values.size

    @cached_property
    def critical_value(self) -> float:
        """Return how many standard errors an interval has on either side."""
        return critical_value(self.replicates)

    def share_at_most(self, bound: float) -> Estimate:
        """Estimate the probability that the quantity is at most a bound."""
        return self._share(self.values <= self.values.dtype.type(bound))

    def share_above(self, bound: float) -> Estimate:
        """Estimate the probability that the quantity is above a bound."""
        return self._share(self.values > self.values.dtype.type(bound))

    def survival(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Estimate the probabilities that a time is after each of rising ones, in one pass: [4, time]."""
        weights, ends = self._weighted(np.isfinite(self.values)), times.astype(self.values.dtype)
        cells = np.searchsorted(ends, self.values)  # the last: never
        sums, largest = np.zeros(times.size + 1), np.zeros(times.size + 1)
        np.add.at(sums, cells, weights)
        np.maximum.at(largest, cells, weights)
        shares = np.cumsum(sums)[:-1] / self.paths
        errors = self._errors_at_most(ends, weights)
        most = np.maximum.accumulate(largest)[:-1]
        each = zip(shares, errors, np.where(most > 0, most, 1.0), strict=True)
        value, error, low, high = np.array([self._proportion(*numbers) for numbers in each]).T
        return np.array([1 - value, error, 1 - high, 1 - low])

    def upper_quantile(self, level: float) -> Estimate:
        """Estimate the value that a share 1 - level of the weight lies above, interpolated between neighbours."""
        ascending = ordered(self.values, self.weights)
        mass = ascending.mass[-1] - (1 - level) * self.paths
        value = ascending.between(mass)
        error = self.standard_error(self._weighted(self.values > value))
        low, high = ascending.around(mass, self.critical_value * error * self.paths)
        return Estimate(value, (high - low) / (2 * self.critical_value), low, high)

    def lower_quantiles(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Estimate the values that shares of the weight lie below, interpolated between neighbours: [4, probability].

        Raises:
            InvalidInput: for a share that the lowest path exceeds by itself.
        """
        ascending, mass = ordered(self.values, self.weights), probabilities * self.paths
        if mass.min() < ascending.mass[0] * (1 - ROUNDING):
            least = f"{ascending.mass[0] / self.paths:.3g}, what the lowest path counts"
            raise InvalidInput([Problem("probability", f"must be at least {least}, not {mass.min() / self.paths:g}")])
        values = np.array([ascending.between(share) for share in mass.tolist()])
        half = self.critical_value * self._errors_at_most(values, self.weights) * self.paths
        low, high = np.array([ascending.around(*pair) for pair in zip(mass.tolist(), half.tolist(), strict=True)]).T
        return np.array([values, (high - low) / (2 * self.critical_value), low, high])

    def quantile_of_reached(self, probability: float) -> Estimate:
        """Estimate a quantile of a time, given that it comes at all; NaN if it comes on no path."""
        reached = np.isfinite(self.values)
        if not reached.any():
            return Estimate(math.nan, math.nan, math.nan, math.nan)
        ascending = ordered(self.values[reached], None if self.weights is None else self.weights[reached])
        mass = probability * ascending.mass[-1]
        value = ascending.at(mass)  # the end of a step, where only those count; a bridge's noise hides half a gap
        error = self.standard_error(self._weighted((self.values <= value) - probability * reached))
        low, high = ascending.around(mass, self.critical_value * error * self.paths)
        low, high = max(low, self.least), min(high, self.most)
        return Estimate(value, (high - low) / (2 * self.critical_value), low, high)

    def upper_mean(self, level: float) -> Estimate:
        """Estimate the mean of the highest share of 1 - level of the weight."""
        ascending = ordered(self.values, self.weights)
        boundary = ascending.at(ascending.mass[-1] - (1 - level) * self.paths)
        excess = np.maximum(self.values - self.values.dtype.type(boundary), 0)
        beyond = self._weighted(excess) / (1 - level)
        value = boundary + math.fsum(beyond[beyond > 0]) / self.paths
        tail, above = int(np.count_nonzero(self.values >= boundary)), int(np.count_nonzero(beyond > 0))
        error = self.standard_error(beyond)
        skewness, fewest = self._skewness(beyond, error), min(above, self.replicates or above)
        return mean_of_tail(value, error, skewness, tail, fewest, self.critical_value)

    def mean(self, step: float = math.inf) -> Estimate:
        """Estimate the mean: see `Sample.mean`."""
        each = self._weighted(self.values)
        error, middle = self.standard_error(each), (self.paths - 1) // 2
        off, fewest = each - np.partition(each, middle)[middle], self.replicates or self.paths
        value = math.fsum(each) / self.paths
        found = mean_of_all(value, error, self._skewness(each, error), off, fewest, self.critical_value, step)
        return found._replace(low=max(found.low, self.least), high=min(found.high, self.most))

    def standard_error(self, contributions: NDArray[np.floating]) -> float:
        """Return the standard error of the mean of the paths' contributions, [path]."""
        parts = self._independent(contributions)
        if min(part.size for part in parts) == 1:
            return math.inf
        variance = math.fsum(part.size * float(part.var(ddof=1, dtype=np.float64)) for part in parts)
        return math.sqrt(variance) / sum(part.size for part in parts)

    def _skewness(self, contributions: NDArray[np.floating], error: float) -> float:
        """Return the skewness of the mean of the paths' contributions, [path], of a standard error."""
        if error == 0:
            return 0.0
        scaled = [(part - part.mean(dtype=np.float64)) / error for part in self._independent(contributions)]
        total = sum(part.size for part in scaled)
        return math.fsum(float((part * part * part).sum()) for part in scaled) / float(total) ** 3

    def _strata(self) -> list[slice]:
        """Return the ranges of paths that were sampled alike: without a tilt, and with it; in replicates all count."""
        cut = 0 if self.replicates else self.untilted
        return [slice(0, cut), slice(cut, self.paths)] if cut else [slice(0, self.paths)]

    def _independent(self, contributions: NDArray[np.floating]) -> list[NDArray[np.floating]]:
        """Return what is independent of each other, by stratum: the replicates' means, or the paths themselves."""
        if self.replicates:
            return [contributions.reshape(self.replicates, -1).mean(axis=1, dtype=np.float64)]
        return [contributions[stratum] for stratum in self._strata()]

    def _weighted(self, contributions: ArrayLike) -> NDArray[np.float64]:
        plain = np.asarray(contributions, dtype=np.float64)
        return plain if self.weights is None else plain * self.weights

    def _share(self, counted: NDArray[np.bool_]) -> Estimate:
        """Estimate the probability of what is counted, [path]."""
        contributions = self._weighted(counted)
        largest = float(contributions.max()) or 1.0
        return self._proportion(float(contributions.mean()), self.standard_error(contributions), largest)

    def _proportion(self, value: float, error: float, largest: float) -> Estimate:
        """Estimate a probability: Wilson's interval for as many independent paths as would have the same error.

        Korn and Graubard (1998) do so for clustered samples. One path more or less is allowed for: with Sobol points
        all replicates may count the same, and their spread is then zero.

        Args:
            value: mean of the contributions.
            error: its standard error.
            largest: of the contributions; 1 where none counts.
        """
        paths, critical = self.paths, self.critical_value
        one_path = (largest / paths) ** 2
        independent = max(value * (1 - value), 0.0) / paths
        count = paths * (independent + one_path) / (error**2 + one_path)
        if value >= 1:
            return Estimate(value, error, max(0.0, min(value - critical * error, 1.0)), 1.0)
        interval = proportion(value * count, count, critical)
        return interval._replace(value=value, standard_error=error if error > 0 else interval.standard_error)

    def _errors_at_most(
        self, bounds: NDArray[np.floating], weights: NDArray[np.floating] | None
    ) -> NDArray[np.float64]:
        """Return the standard errors of the weights' means at or below bounds, sorting once for all: [bound]."""
        paths, counts = self.paths, np.ones(self.paths) if weights is None else weights.astype(np.float64)
        if self.replicates:
            blocks = zip(np.split(self.values, self.replicates), np.split(counts, self.replicates), strict=True)
            means = np.array([ordered(*block).mass_at(bounds) for block in blocks]) / (paths / self.replicates)
            return np.asarray(means.std(axis=0, ddof=1) / math.sqrt(self.replicates))
        variance = np.zeros(bounds.size)
        for part in self._strata():
            size = part.stop - part.start
            mean, square = (ordered(self.values[part], counts[part] ** k).mass_at(bounds) / size for k in (1, 2))
            variance += np.maximum(square - mean**2, 0.0) * size * size / max(size - 1, 1)
        return np.asarray(np.sqrt(variance) / paths)

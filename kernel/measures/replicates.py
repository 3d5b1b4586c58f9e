"""Estimates from paths that depend on each other within replicates, or that carry likelihood ratios.

Every estimator here is, but for what vanishes faster than its error, the mean of one contribution of each path, its
influence function. So one thing tells every error: how the mean of the contributions spreads, over the replicates, each
an independent randomisation, or without replicates over the paths. Measures of each replicate by itself would spread
alike where they are means; quantiles of so few paths are biased: an interval from them held VaR in 75% to 96% of runs.
`docs/sampling.md` has the coverage of these.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel.measures.estimate import Estimate, Z, proportion
from kernel.simulation.outcome import Outcome

ROUNDING = 1e-12  # of the sum of all weights: 0.99 of a million paths is 990,000


def are_independent(outcome: Outcome) -> bool:
    """Tell whether every path counts the same and independently of all others."""
    return outcome.weight is None and outcome.replicates == 0


def reach(replicates: int) -> float:
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


def strata(outcome: Outcome) -> list[slice]:
    """Return the ranges of paths that were sampled alike: without a tilt, and with it; within replicates all count."""
    cut = 0 if outcome.replicates else outcome.untilted
    return [slice(0, cut), slice(cut, outcome.paths)] if cut else [slice(0, outcome.paths)]


def spread(contributions: NDArray[np.floating], outcome: Outcome) -> float:
    """Return the standard error of the mean of the paths' contributions, [path]."""
    parts = _independent(contributions, outcome)
    if min(part.size for part in parts) == 1:
        return math.inf
    variance = math.fsum(part.size * float(part.var(ddof=1, dtype=np.float64)) for part in parts)
    return math.sqrt(variance) / sum(part.size for part in parts)


def skewness(contributions: NDArray[np.floating], outcome: Outcome, error: float) -> float:
    """Return the skewness of the mean of the paths' contributions, [path], whose standard error `spread` told."""
    if error == 0:
        return 0.0
    scaled = [(part - part.mean(dtype=np.float64)) / error for part in _independent(contributions, outcome)]
    total = sum(one.size for one in scaled)
    return math.fsum(float((one * one * one).sum()) for one in scaled) / float(total) ** 3


def _independent(contributions: NDArray[np.floating], outcome: Outcome) -> list[NDArray[np.floating]]:
    """Return what is independent of each other, by stratum: the replicates' means, or the paths themselves."""
    if outcome.replicates:
        return [contributions.reshape(outcome.replicates, -1).mean(axis=1, dtype=np.float64)]
    return [contributions[one] for one in strata(outcome)]


def share(value: float, error: float, largest: float, outcome: Outcome) -> Estimate:
    """Estimate a probability: Wilson's interval for as many independent paths as would have the same error.

    Korn and Graubard (1998) do so for clustered samples. One path more or less is allowed for: with Sobol points all
    replicates may count the same, and their spread is then zero.

    Args:
        value: mean of the contributions.
        error: their spread.
        largest: of the contributions; 1 where none counts.
        outcome: that they come from.
    """
    paths, most = outcome.paths, reach(outcome.replicates)
    one = (largest / paths) ** 2
    independent = max(value * (1 - value), 0.0) / paths
    count = paths * (independent + one) / (error**2 + one)
    if value >= 1:
        return Estimate(value, error, max(0.0, min(value - most * error, 1.0)), 1.0)
    found = proportion(value * count, count, most)
    return found._replace(value=value, standard_error=error if error > 0 else found.standard_error)


class Ordered(NamedTuple):
    """Values in rising order, and the sum of the weights up to each."""

    values: NDArray[np.floating]
    mass: NDArray[np.float64]
    middle: NDArray[np.float64]
    """Half of each value's own weight less: where it stands, if all values fill their strata (Hazen 1914)."""

    def at(self, mass: float) -> float:
        """Return the smallest value at which the mass is reached."""
        k = int(np.searchsorted(self.mass, mass - ROUNDING * self.mass[-1]))
        return float(self.values[min(k, self.values.size - 1)])

    def between(self, mass: float) -> float:
        """Return the value at a mass, interpolated between neighbours.

        The smallest at which it is reached is half a gap too low: nothing beside the error of independent paths, but as
        much as all of it near the median, where pairs and strata leave no other.
        """
        return self._value(self._place(mass))

    def around(self, mass: float, half: float) -> tuple[float, float]:
        """Return the values for half less and half more mass, each moved outwards by one; infinite where there is none.

        With no spread at all that is an interval between neighbours.
        """
        return self._value(self._place(mass - half) - 1), self._value(self._place(mass + half) + 1)

    def _place(self, mass: float) -> float:
        """Return the place of a mass among the values, from 0; between two where it is between their middles."""
        k = int(np.searchsorted(self.middle, mass))
        if k in {0, self.values.size}:
            return float(max(k - 1, 0))
        return float(k - (self.middle[k] - mass) / (self.middle[k] - self.middle[k - 1]))

    def _value(self, place: float) -> float:
        last = self.values.size - 1
        if not 0 <= place <= last:
            return math.copysign(math.inf, place)
        k = min(int(place), max(last - 1, 0))
        low, high = float(self.values[k]), float(self.values[min(k + 1, last)])
        return low + (place - k) * (high - low)


def ordered(values: NDArray[np.floating], weights: NDArray[np.floating] | None) -> Ordered:
    """Sort values with their weights: 1 each, if none are given."""
    if weights is None:
        mass = np.arange(1.0, values.size + 1)
        return Ordered(np.sort(values), mass, mass - 0.5)
    order = np.argsort(values, kind="stable")  # what is tied may weigh differently
    own = weights[order].astype(np.float64)
    mass = np.cumsum(own)
    return Ordered(values[order], mass, mass - own / 2)


def spreads(
    values: NDArray[np.floating], weights: NDArray[np.floating] | None, levels: NDArray[np.floating], outcome: Outcome
) -> NDArray[np.float64]:
    """Return, for each level, what `spread` says of the paths' weights at or below it: sorted once for all of them."""
    paths, replicates = outcome.paths, outcome.replicates
    counts = np.ones(paths) if weights is None else weights.astype(np.float64)
    if replicates:
        blocks = zip(np.split(values, replicates), np.split(counts, replicates), strict=True)
        means = np.array([_below(ordered(*one), levels) for one in blocks]) / (paths / replicates)
        return np.asarray(means.std(axis=0, ddof=1) / math.sqrt(replicates))
    variance = np.zeros(levels.size)
    for part in strata(outcome):
        size = part.stop - part.start
        mean, square = (_below(ordered(values[part], counts[part] ** k), levels) / size for k in (1, 2))
        variance += np.maximum(square - mean**2, 0.0) * size * size / max(size - 1, 1)
    return np.asarray(np.sqrt(variance) / paths)


def _below(found: Ordered, levels: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mass at or below each level."""
    return np.append(0.0, found.mass)[np.searchsorted(found.values, levels, side="right")]


def weighted(weights: NDArray[np.floating] | None, values: ArrayLike) -> NDArray[np.float64]:
    """Return the values times the weights, if there are any."""
    plain = np.asarray(values, dtype=np.float64)
    return plain if weights is None else plain * weights

"""A mixture of normals: the law of a step's log return under Gbm (one of them) and Merton (one for each count)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr


class Mixture(NamedTuple):
    """Normals by weight, each with its mean and standard deviation.

    Example:
        >>> law = Mixture(np.array([0.9, 0.1]), np.array([0.0, -0.02]), np.array([0.03, 0.08]))
        >>> law.cumulative([-0.1, 0.0]).round(4)
        array([0.0163, 0.5099])
    """

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    deviations: NDArray[np.float64]

    def _standard(self, x: ArrayLike) -> NDArray[np.float64]:
        standard: NDArray[np.float64] = (np.asarray(x, dtype=np.float64)[..., None] - self.means) / self.deviations
        return standard

    def density(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the density at `x`."""
        each = np.exp(-0.5 * self._standard(x) ** 2) / (np.sqrt(2 * np.pi) * self.deviations)
        return np.asarray(each @ self.weights)

    def cumulative(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of at most `x`."""
        return np.asarray(ndtr(self._standard(x)) @ self.weights)

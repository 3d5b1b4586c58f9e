"""How an asset's variance goes on when returns come in: the recursion of GARCH(1,1), and of EWMA."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Recursion(NamedTuple):
    """Variance per year of an asset's next step: omega + alpha (return - mean)**2 / dt + beta variance."""

    omega: float
    """Per year."""
    alpha: float
    beta: float
    mean: float
    """Log return of a step."""
    dt: float
    """Years of a step."""
    least: float = 0.0
    """Variance per year that is stated where prices have all but stood still."""

    def after(self, variance: float, returns: NDArray[np.float64]) -> float:
        """Return the variance of the step after `returns`, log returns of one asset, the first of which had `variance`.

        Example:
            >>> Recursion(0.01, 0.1, 0.8, 0.0, 1 / 365).after(0.25, np.array([0.02])).__round__(4)
            0.2246
        """
        for move in returns.tolist():
            variance = self.omega + self.alpha * (move - self.mean) ** 2 / self.dt + self.beta * variance
        return max(variance, self.least)

"""Jumps that strike all assets at once, by jointly normal changes of the log prices (Merton 1976)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from kernel import checks
from kernel._core.jit import block
from kernel._core.special import fma
from kernel.errors import Problems
from kernel.markets.market import Matrix, lower_factor

EXAMPLE_JUMPS = {"jump_intensity": 1.0, "jump_mean": 0.0, "jump_volatility": 0.1}


class JumpSizes(NamedTuple):
    """Means of the log-jumps and the lower Cholesky factor of their covariance."""

    mean: NDArray[np.floating]
    factor: NDArray[np.floating]


@block
def jump_normally(sizes, assets, n):
    """Add to assets[:].log_spot[:n] jumps made of the standard normals assets[:].noise[1]."""
    for a in range(assets.size):
        mean, log_spot = sizes.mean[a], assets[a].log_spot
        for i in range(n):
            log_spot[i] += mean
        for b in range(a + 1):
            weight, noise = sizes.factor[a, b], assets[b].noise[1]
            for i in range(n):
                log_spot[i] = fma(weight, noise[i], log_spot[i])


@dataclass(frozen=True, eq=False, kw_only=True)
class NormalJumps:
    """The fields of a market that has such jumps."""

    jump_intensity: float
    jump_mean: ArrayLike
    jump_volatility: ArrayLike
    jump_correlation: Matrix | None = None

    def _checked_jumps(self, problems: Problems, size: int) -> dict[str, Any]:
        return {
            "jump_intensity": checks.number(problems, "jump_intensity", self.jump_intensity, above=0),
            "jump_mean": checks.numbers(problems, "jump_mean", self.jump_mean, size, at_least=-5, at_most=5),
            "jump_volatility": checks.numbers(
                problems, "jump_volatility", self.jump_volatility, size, at_least=0, at_most=5
            ),
            "jump_correlation": checks.correlation(problems, "jump_correlation", self.jump_correlation, size),
        }

    def _compensator(self) -> NDArray[np.float64]:
        mean, deviation = np.asarray(self.jump_mean), np.asarray(self.jump_volatility)
        return np.asarray(self.jump_intensity * np.expm1(mean + 0.5 * deviation**2))

    def _jumped(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        mean = np.asarray(self.jump_mean)
        return self.jump_intensity * mean, self.jump_intensity * (mean**2 + np.asarray(self.jump_volatility) ** 2)

    def _jump_covariance(self) -> NDArray[np.float64]:
        deviation = np.asarray(self.jump_volatility)
        return np.asarray(self.jump_correlation) * np.outer(deviation, deviation)

    def _jump_sizes(self, real: DTypeLike, exponent: NDArray[np.float64]) -> JumpSizes:
        covariance = self._jump_covariance()
        mean = np.asarray(self.jump_mean) + covariance @ exponent
        return JumpSizes(mean.astype(real), lower_factor(covariance).astype(real))

    def _log_jump_moment(self, exponent: NDArray[np.float64]) -> float:
        """Return log E[exp(exponent @ log-jump)]."""
        return float(exponent @ np.asarray(self.jump_mean) + 0.5 * exponent @ self._jump_covariance() @ exponent)

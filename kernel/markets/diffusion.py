"""Correlated Brownian log prices: the base, the struct and the step of the markets with constant volatility."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from kernel import checks
from kernel._core.covariance import Fixed
from kernel._core.jit import implements
from kernel._core.operations import advance, at, covariance, move_state, open_state
from kernel._core.special import fma
from kernel.errors import Problems
from kernel.markets.market import Market, Matrix, lower_factor


class DiffusionStep(NamedTuple):
    """Drift of the log price and lower Cholesky factor of its covariance, per year."""

    drift: np.ndarray
    factor: np.ndarray


@implements(advance, DiffusionStep)
def _advance(step, segment, assets, n):
    slot, span, root = segment.slot, segment.span, segment.root
    for a in range(assets.size):
        drift, f, log_spot, z = step.drift[a], step.factor[a], assets[a].log_spot, assets[0].noise[slot]
        weight = f[0]
        for i in range(n):
            # the move first: added by itself, a drift smaller than log_spot's last digit would be lost, or doubled
            log_spot[i] += fma(weight * at(root, i), z[i], drift * at(span, i))
        b = 1
        while b + 2 <= a:  # three noises a sweep: the log prices are loaded and stored a third as often
            x, y, z = assets[b].noise[slot], assets[b + 1].noise[slot], assets[b + 2].noise[slot]
            u, v, w = f[b], f[b + 1], f[b + 2]
            for i in range(n):
                move = fma(u, x[i], fma(v, y[i], w * z[i]))
                log_spot[i] = fma(at(root, i), move, log_spot[i])
            b += 3
        while b <= a:
            weight, z = f[b], assets[b].noise[slot]
            for i in range(n):
                log_spot[i] = fma(weight * at(root, i), z[i], log_spot[i])
            b += 1


@implements(covariance, DiffusionStep)
def _covariance(step):
    return Fixed(step.factor)


def move_as_diffusion(struct: type) -> None:
    """Let a struct with a field `diffusion` move as its diffusion does between jumps."""

    @implements(advance, struct)
    def _advance_inner(step, segment, assets, n):
        advance(step.diffusion, segment, assets, n)

    @implements(open_state, struct)
    def _open_state_inner(step, lanes, assets, n):
        open_state(step.diffusion, lanes, assets, n)

    @implements(move_state, struct)
    def _move_state_inner(step, seed, s, lanes, assets, n):
        move_state(step.diffusion, seed, s, lanes, assets, n)

    @implements(covariance, struct)
    def _covariance_inner(step):
        return covariance(step.diffusion)


@dataclass(frozen=True, eq=False, kw_only=True)
class Diffusion(Market):
    """A diffusion of several assets with constant volatilities, to which markets add their jumps."""

    volatility: ArrayLike
    correlation: Matrix | None = None

    def _check(self, problems: Problems, size: int) -> None:
        self._set(
            volatility=checks.numbers(problems, "volatility", self.volatility, size, above=0, at_most=100),
            correlation=checks.correlation(problems, "correlation", self.correlation, size),
        )

    @abstractmethod
    def _compensator(self) -> NDArray[np.float64]:
        """Return the yearly growth of each expected price that is due to jumps."""

    @abstractmethod
    def tilted_step(self, real: DTypeLike, exponent: NDArray[np.float64]) -> NamedTuple:
        """Return what `step` does, under the measure of density exp(exponent @ log price) up to a factor.

        Esscher (1932), as Gerber and Shiu (1994), "Option pricing by Esscher transforms", apply it to log prices of
        independent increments: the market stays one of its kind.
        """

    @abstractmethod
    def cumulant(self, exponent: NDArray[np.float64]) -> float:
        """Return log E[exp(exponent @ log(price / opening price))] per year; infinite where there is none."""

    def step(self, real: DTypeLike, span: float) -> NamedTuple:
        """Return what the kernels need of the market, the covariance factored."""
        return self.tilted_step(real, np.zeros(len(self.assets)))

    def _log_drift(self) -> NDArray[np.float64]:
        return np.asarray(self.drift) - 0.5 * np.asarray(self.volatility) ** 2 - self._compensator()

    def _jumped(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how far jumps move the log prices in a year, on average, and the variance of that."""
        none = np.zeros(len(self.assets))
        return none, none

    def log_moments(self, horizon: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return those of the diffusion and the jumps."""
        mean, square = self._jumped()
        variance = np.asarray(self.volatility) ** 2 + square
        return (self._log_drift() + mean) * horizon, np.sqrt(variance * horizon)

    def loading(self) -> NDArray[np.float64]:
        """Return the lower Cholesky factor of the covariance."""
        return lower_factor(self._covariance())

    def _covariance(self) -> NDArray[np.float64]:
        volatility = np.asarray(self.volatility)
        return np.asarray(self.correlation) * np.outer(volatility, volatility)

    def _diffusion(self, real: DTypeLike, exponent: NDArray[np.float64]) -> DiffusionStep:
        drift = self._log_drift() + self._covariance() @ exponent
        return DiffusionStep(drift.astype(real), self.loading().astype(real))

    def _diffusion_cumulant(self, exponent: NDArray[np.float64]) -> float:
        return float(exponent @ self._log_drift() + 0.5 * exponent @ self._covariance() @ exponent)

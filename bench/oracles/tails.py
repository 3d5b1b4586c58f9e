"""Laws of losses whose Expected Shortfall is known in closed form, and the tails of samples of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats
from scipy.optimize import brentq

Vector = NDArray[np.float64]
_JUMPS, _JUMP_MEAN, _JUMP_VOLATILITY = 0.3, 2.0, 1.5  # expected; of a normal of volatility 1
_MOST_JUMPS, _HIGHEST = 25, 60.0


class Law(NamedTuple):
    """A law of losses."""

    name: str
    loss: Callable[[Vector], Vector]
    """The loss that is exceeded with a probability."""
    expected_shortfall: Callable[[float], float]
    """By level."""

    def worst(self, paths: int, count: int, runs: int, generator: np.random.Generator) -> Vector:
        """Draw the `count` largest of `paths` losses, [run, loss], descending.

        The probabilities to exceed them are ordered uniforms: sums of exponentials over the sum of one more than all
        (Renyi 1953).
        """
        sums = np.cumsum(generator.exponential(size=(runs, count)), axis=1)
        rest = generator.gamma(paths + 1 - count, size=(runs, 1))
        return self.loss(sums / (sums[:, -1:] + rest))


def _student(degrees: int) -> Law:
    def shortfall(level: float) -> float:
        """McNeil, Frey and Embrechts (2005), equation 2.25."""
        at = float(special.stdtrit(degrees, level))
        return float(stats.t.pdf(at, degrees) / (1 - level) * (degrees + at**2) / (degrees - 1))

    return Law(f"Student t, {degrees} degrees", lambda share: -special.stdtrit(degrees, share), shortfall)


def _mixture() -> tuple[Vector, Vector, Vector]:
    """Return probabilities, means and volatilities by the number of jumps."""
    jumps = np.arange(_MOST_JUMPS)
    probability = stats.poisson.pmf(jumps, _JUMPS)
    return probability, _JUMP_MEAN * jumps, np.sqrt(1.0 + _JUMP_VOLATILITY**2 * jumps)


def _beyond(loss: Vector) -> Vector:
    """Return the probability that normal losses with jumps exceed a loss."""
    probability, mean, volatility = _mixture()
    return np.sum([p * special.ndtr((m - loss) / v) for p, m, v in zip(probability, mean, volatility, strict=True)], 0)


@cache
def _table() -> tuple[Vector, Vector]:
    losses = np.linspace(-8.0, _HIGHEST, 200_001)
    return -np.log(np.maximum(_beyond(losses), 1e-300)), losses


def _with_jumps_shortfall(level: float) -> float:
    at = brentq(lambda loss: float(_beyond(np.array(loss))) - (1 - level), -8.0, _HIGHEST, xtol=1e-13)
    probability, mean, volatility = _mixture()
    d = (mean - at) / volatility
    return float(probability @ (mean * special.ndtr(d) + volatility * stats.norm.pdf(d)) / (1 - level))


def laws() -> list[Law]:
    """Return five laws, light and heavy.

    Example:
        >>> [round(law.expected_shortfall(0.99), 3) for law in laws()]
        [2.665, 7.003, 5.221, 15.228, 7.469]
    """
    return [
        Law("normal", lambda share: -special.ndtri(share), lambda a: float(stats.norm.pdf(special.ndtri(a)) / (1 - a))),
        _student(3),
        _student(4),
        Law(
            "lognormal, volatility 1",
            lambda share: np.exp(-special.ndtri(share)),
            lambda a: float(math.exp(0.5) * special.ndtr(1.0 - special.ndtri(a)) / (1 - a)),
        ),
        Law("normal with jumps", lambda share: np.interp(-np.log(share), *_table()), _with_jumps_shortfall),
    ]

"""The variances that a recursion makes of returns, at the size of the returns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

_BACKCAST = 75  # returns from which the first variance is taken, weighted by 0.94 a step, as arch does
_BACKCAST_DECAY = 0.94
_LEAST_VARIANCE = 0.01  # of the average; hourly bitcoin fell to 0.004, daily stocks to 0.07; a halt falls to 0


class Filtered(NamedTuple):
    """What a recursion makes of returns, at their size."""

    variances: NDArray[np.float64]  # [return], and of the next
    residuals: NDArray[np.float64]  # [return]
    size: float  # by which the recursion's own variances were multiplied
    least: float
    held: int  # returns whose variance is the least


def filter_variances(returns: NDArray[np.float64], mean: float, omega: float, alpha: float, beta: float) -> Filtered:
    """Return the variances of all steps and of the next, from a backcast as the one before the first."""
    squares = (returns - mean) ** 2
    weights = backcast_weights(len(squares))
    backcast = weights @ squares
    first = omega + (alpha + beta) * backcast
    later: NDArray[np.float64] = lfilter([1.0], [1.0, -beta], omega + alpha * squares, zi=[beta * first])[0]
    moved = np.concatenate([[first], later])
    least = _LEAST_VARIANCE * float(squares.mean())
    variances = np.maximum(moved, least)
    size = float((squares / variances[:-1]).mean())
    residuals = (returns - mean) / np.sqrt(size * variances[:-1])
    return Filtered(size * variances, residuals, size, size * least, int((moved[:-1] < least).sum()))


def backcast_weights(size: int) -> NDArray[np.float64]:
    """Return the weights of the first returns in the variance before them."""
    weights = np.zeros(size)
    weights[:_BACKCAST] = _BACKCAST_DECAY ** np.arange(min(_BACKCAST, size))
    return np.asarray(weights / weights.sum())

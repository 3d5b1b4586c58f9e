"""Maximum likelihood for Merton's model: a Poisson mixture of normals (Merton 1976; Honore 1998 on its pitfalls)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln, logsumexp

from kernel.errors import InvalidInput, Problem
from kernel.history import History

_FEWEST_RETURNS = 30
_MOST_JUMPS = 12  # in one interval; the intensity is bounded so that more are not to be expected
_MOST_EXPECTED = 2.0


def _mixture(returns: NDArray[np.float64], theta: NDArray[np.float64]) -> float:
    """Return the log likelihood of one asset's returns; theta in units of one interval.

    theta: intensity, mean and variance of the diffusion, mean and variance of a jump.
    """
    intensity, mean, variance, jump_mean, jump_variance = theta
    count = np.arange(_MOST_JUMPS + 1)
    weight = count * np.log(intensity) - intensity - gammaln(count + 1)
    total = variance + count * jump_variance
    square = (returns[:, None] - mean - count * jump_mean) ** 2 / total
    return float(logsumexp(weight - 0.5 * (np.log(2 * np.pi * total) + square), axis=1).sum())


def _unpack(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn free parameters of one asset into theta."""
    return np.array([np.exp(x[0]), x[1], np.exp(x[2]), x[3], np.exp(x[4])])


def _starts(assets: int) -> list[NDArray[np.float64]]:
    """Return free parameters for standardised returns: rare large, and more frequent smaller jumps."""
    cases = [(0.02, 0.6, 0.0, 6.0), (0.1, 0.4, -0.3, 2.5), (0.5, 0.3, 0.0, 1.0)]
    return [
        np.array([np.log(rate), *([0.0, np.log(variance), mean, np.log(jump)] * assets)])
        for rate, variance, mean, jump in cases
    ]


def maximise(history: History, dt: float) -> dict[str, Any]:
    """Return the fields of the `Merton` that makes the returns likeliest, save assets and spot."""
    returns = history.returns
    if len(returns) < _FEWEST_RETURNS:
        raise InvalidInput(
            [Problem("prices", f"must have at least {_FEWEST_RETURNS + 1} rows, not {len(returns) + 1}")]
        )
    size, scale, centre = returns.shape[1], returns.std(axis=0), returns.mean(axis=0)
    standard = (returns - centre) / scale

    def cost(x: NDArray[np.float64]) -> float:
        parts = [np.r_[x[0], x[1 + 4 * a : 5 + 4 * a]] for a in range(size)]
        total = math.fsum(_mixture(standard[:, a], _unpack(part)) for a, part in enumerate(parts))
        return float(-total / standard.size)

    low, high = np.log(0.25 / len(returns)), np.log(_MOST_EXPECTED)
    bounds = [
        (low, high),
        *([(-3.0, 3.0), (np.log(1e-4), np.log(2.0)), (-20.0, 20.0), (np.log(1e-6), np.log(400.0))] * size),
    ]
    tries = [
        minimize(cost, start, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500}) for start in _starts(size)
    ]
    best = min(tries, key=lambda one: one.fun).x
    theta = np.array([_unpack(np.r_[best[0], best[1 + 4 * a : 5 + 4 * a]]) for a in range(size)])
    return _in_years(history, theta, centre, scale, dt)


def _in_years(
    history: History, theta: NDArray[np.float64], centre: NDArray[np.float64], scale: NDArray[np.float64], dt: float
) -> dict[str, Any]:
    """Undo the standardisation, per year; choose the correlation that meets the returns' covariances."""
    intensity, volatility = theta[0, 0] / dt, scale * np.sqrt(theta[:, 2] / dt)
    jump_mean, jump_volatility = theta[:, 3] * scale, np.sqrt(theta[:, 4]) * scale
    log_drift = (centre + scale * theta[:, 1]) / dt
    compensator = intensity * np.expm1(jump_mean + 0.5 * jump_volatility**2)
    covariance = np.cov(history.returns, rowvar=False, bias=True).reshape(scale.size, scale.size) / dt
    common = intensity * np.outer(jump_mean, jump_mean)
    own = np.outer(volatility, volatility) + intensity * np.outer(jump_volatility, jump_volatility)
    correlation = _nearest((covariance - common) / own)
    return {
        "drift": log_drift + 0.5 * volatility**2 + compensator,
        "volatility": volatility,
        "correlation": correlation,
        "jump_intensity": float(intensity),
        "jump_mean": jump_mean,
        "jump_volatility": jump_volatility,
        "jump_correlation": correlation,
    }


def _nearest(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Clip negative eigenvalues and put the diagonal back to one."""
    matrix = np.clip(0.5 * (matrix + matrix.T), -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)
    values, vectors = np.linalg.eigh(matrix)
    matrix = (vectors * np.clip(values, 1e-12, None)) @ vectors.T
    root = np.sqrt(np.diag(matrix))
    matrix = matrix / np.outer(root, root)
    np.fill_diagonal(matrix, 1.0)
    return 0.5 * (matrix + matrix.T)

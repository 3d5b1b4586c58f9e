"""Maximum likelihood for Merton's model of several assets: a Poisson mixture of normals (Merton 1976; Honore 1998).

Over one step, with k jumps of probability Poisson(k; lambda), the standardised returns are N(m + k a, V + k W). V and
W are free covariance matrices, so diffusion and jumps each have their own correlation, definite by construction.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, pdtrc

from kernel.fitting.fit import Estimates, moving_returns
from kernel.fitting.jumps import Standardised, intensity_bounds, judged, standardise
from kernel.fitting.likelihood import Vector, maximise, standard_errors
from kernel.fitting.mixture import Mixture
from kernel.prices.history import History

FEWEST_ROWS = 31
_LEFT_OUT = 1e-14  # probability of more jumps in one step than are counted
_COUNTS = np.arange(30)  # enough for two expected jumps, the most that are
_STARTS = ((0.02, 0.85, 7.0), (0.1, 0.6, 4.0), (0.5, 0.4, 1.2))  # intensity, variances of diffusion and jump
_MEANS, _DEVIATION, _JUMP_MEAN, _JUMP_DEVIATION = (-3.0, 3.0), (0.01, 1.5), (-20.0, 20.0), (1e-3, 20.0)


class Parameters(NamedTuple):
    """The model over one step of standardised returns; factors are lower Cholesky factors of V and W."""

    intensity: float
    mean: Vector
    factor: NDArray[np.float64]
    jump_mean: Vector
    jump_factor: NDArray[np.float64]


def unpack(theta: Vector, size: int) -> Parameters:
    """Return the parameters from log intensity, m, factor of V, a, factor of W; diagonals are logarithms."""
    half = size + size * (size + 1) // 2
    blocks = [theta[1 + part * half : 1 + (part + 1) * half] for part in range(2)]
    parts: list[NDArray[np.float64]] = []
    for block in blocks:
        factor = np.zeros((size, size))
        factor[np.tril_indices(size)] = block[size:]
        np.fill_diagonal(factor, np.exp(np.diag(factor)))
        parts += [block[:size], factor]
    return Parameters(float(np.exp(theta[0])), *parts)


def _pack(parameters: Parameters) -> Vector:
    def block(mean: Vector, factor: NDArray[np.float64]) -> Vector:
        logs = factor.copy()
        np.fill_diagonal(logs, np.log(np.diag(factor)))
        return np.concatenate([mean, logs[np.tril_indices(len(mean))]])

    intensity, *rest = parameters
    return np.concatenate([[np.log(intensity)], block(*rest[:2]), block(*rest[2:])])


def log_likelihood(theta: Vector, returns: NDArray[np.float64], monomials: NDArray[np.float64]) -> tuple[float, Vector]:
    """Return the log likelihood and its gradient.

    Args:
        theta: see `unpack`.
        returns: [return, asset], standardised.
        monomials: [1 + asset + asset**2, return] of them: 1, x, x x'; see `monomials_of`.
    """
    size = returns.shape[1]
    intensity, mean, factor, jump_mean, jump_factor = unpack(theta, size)
    count = np.arange(_most_jumps(intensity) + 1)
    covariance, jump_covariance = factor @ factor.T, jump_factor @ jump_factor.T
    precision = np.linalg.inv(covariance + count[:, None, None] * jump_covariance)  # [count, asset, asset]
    centre = mean + count[:, None] * jump_mean
    pull = np.einsum("kij,kj->ki", precision, centre)
    weight = count * np.log(intensity) - intensity - gammaln(count + 1) + 0.5 * np.linalg.slogdet(precision)[1]
    weight -= 0.5 * (np.einsum("ki,ki->k", pull, centre) + size * np.log(2 * np.pi))
    # einsum for the two long products: BLAS shares them out over threads, which on a busy machine of two processors
    # took ten seconds for ten assets where this takes one, and half a second where it has the machine to itself
    logs = np.einsum("kf,fn->kn", np.column_stack([weight, pull, -0.5 * precision.reshape(count.size, -1)]), monomials)
    highest = logs.max(axis=0)
    np.exp(logs - highest, out=logs)
    total = logs.sum(axis=0)
    logs /= total  # now responsibilities
    # sums over the returns, by count: of r, r x and r x x'; from them those of r y and r y y', y = x - m - k a
    moments = np.einsum("kn,fn->kf", logs, monomials)
    seen, first, second = moments[:, 0], moments[:, 1 : 1 + size], moments[:, 1 + size :].reshape(-1, size, size)
    crossed = np.einsum("ki,kj->kij", first, centre)
    square = second - crossed - np.swapaxes(crossed, 1, 2)
    square += seen[:, None, None] * np.einsum("ki,kj->kij", centre, centre)
    towards = np.einsum("kij,kj->ki", precision, first - seen[:, None] * centre)
    slope = 0.5 * (precision @ square @ precision - seen[:, None, None] * precision)
    gradient = np.r_[
        seen @ (count - intensity),
        towards.sum(axis=0), _through(slope.sum(axis=0), factor),
        count @ towards, _through(np.einsum("k,kij->ij", count, slope), jump_factor),
    ]  # fmt: skip
    return float((highest + np.log(total)).sum()), gradient


def _most_jumps(intensity: float) -> int:
    return int(np.argmax(pdtrc(_COUNTS, intensity) < _LEFT_OUT))


def _through(slope: NDArray[np.float64], factor: NDArray[np.float64]) -> Vector:
    """Turn the gradient by a covariance L L' into that by L, whose diagonal is given by its logarithm."""
    by_factor = 2 * slope @ factor
    np.fill_diagonal(by_factor, np.diag(by_factor) * np.diag(factor))
    chained: Vector = by_factor[np.tril_indices(len(factor))]
    return chained


def monomials_of(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1, x and x x' of each return x, [1 + asset + asset**2, return]."""
    products = np.einsum("ni,nj->ijn", returns, returns).reshape(-1, len(returns))
    return np.vstack([np.ones(len(returns)), returns.T, products])


def estimate(history: History) -> Estimates:
    """Estimate the fields of a `Merton` and their errors.

    Raises:
        InvalidInput: if the history is too short or an asset does not move.
    """
    standard = standardise(moving_returns(history, FEWEST_ROWS))
    size, monomials = standard.scale.size, monomials_of(standard.returns)
    optimum = maximise(
        lambda theta: log_likelihood(theta, standard.returns, monomials),
        _starts(standard),
        _bounds(size, len(standard.returns)),
    )

    def fields(theta: Vector) -> dict[str, Any]:
        return _in_years(unpack(theta, size), standard, history.dt)

    fitted, errors = fields(optimum.theta), standard_errors(fields, optimum)
    errors, notes = judged(standard, optimum, errors, _names(history.assets))
    laws = _laws(unpack(optimum.theta, size), standard)
    value = optimum.log_likelihood + standard.log_jacobian
    return Estimates(fitted, errors, value, optimum.theta.size, laws, notes)


def _starts(standard: Standardised) -> list[Vector]:
    size = standard.scale.size
    shape = np.linalg.cholesky(0.95 * standard.correlation + 0.05 * np.eye(size))
    zero = np.zeros(size)
    return [
        _pack(Parameters(intensity, zero, np.sqrt(variance) * shape, zero, np.sqrt(jump) * shape))
        for intensity, variance, jump in _STARTS
    ]


def _bounds(size: int, observations: int) -> list[tuple[float, float]]:
    rows, columns = np.tril_indices(size)

    def block(means: tuple[float, float], deviation: tuple[float, float]) -> list[tuple[float, float]]:
        logs, largest = (float(np.log(deviation[0])), float(np.log(deviation[1]))), deviation[1]
        factor = [logs if row == column else (-largest, largest) for row, column in zip(rows, columns, strict=True)]
        return [means] * size + factor

    return [
        intensity_bounds(observations),
        *block(_MEANS, _DEVIATION),
        *block(_JUMP_MEAN, _JUMP_DEVIATION),
    ]


def _names(assets: tuple[str, ...]) -> list[str]:
    """Name the free parameters in their order."""
    pairs = list(zip(*np.tril_indices(len(assets)), strict=True))
    names = ["jump_intensity"]
    for jump in ("", "jump_"):
        names += [f"{jump}mean of {asset}" for asset in assets]
        names += [
            f"{jump}volatility of {assets[i]}" if i == j else f"{jump}correlation of {assets[j]} and {assets[i]}"
            for i, j in pairs
        ]
    return names


def _in_years(parameters: Parameters, standard: Standardised, dt: float) -> dict[str, Any]:
    scale, intensity = standard.scale, parameters.intensity / dt
    deviation, correlation = _deviations(parameters.factor)
    jump_deviation, jump_correlation = _deviations(parameters.jump_factor)
    volatility, jump_volatility = scale * deviation / dt**0.5, scale * jump_deviation
    jump_mean, log_drift = scale * parameters.jump_mean, (standard.centre + scale * parameters.mean) / dt
    return {
        "drift": log_drift + 0.5 * volatility**2 + intensity * np.expm1(jump_mean + 0.5 * jump_volatility**2),
        "volatility": volatility,
        "correlation": correlation,
        "jump_intensity": intensity,
        "jump_mean": jump_mean,
        "jump_volatility": jump_volatility,
        "jump_correlation": jump_correlation,
    }  # fmt: skip


def _deviations(factor: NDArray[np.float64]) -> tuple[Vector, NDArray[np.float64]]:
    deviation = np.sqrt((factor**2).sum(axis=1))
    rows = factor / deviation[:, None]
    correlation = rows @ rows.T
    np.fill_diagonal(correlation, 1.0)
    return deviation, 0.5 * (correlation + correlation.T)


def _laws(parameters: Parameters, standard: Standardised) -> tuple[Mixture, ...]:
    count = np.arange(_most_jumps(parameters.intensity) + 1)
    weights = np.exp(count * np.log(parameters.intensity) - parameters.intensity - gammaln(count + 1))
    variance, jump_variance = ((factor**2).sum(axis=1) for factor in (parameters.factor, parameters.jump_factor))
    return tuple(
        Mixture(
            weights / weights.sum(),
            standard.centre[a] + standard.scale[a] * (parameters.mean[a] + count * parameters.jump_mean[a]),
            standard.scale[a] * np.sqrt(variance[a] + count * jump_variance[a]),
        )
        for a in range(standard.scale.size)
    )

"""Maximum likelihood: several starts, the observed information, and from it the errors of a market's fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from kernel.fitting.fit import plain

Vector = NDArray[np.float64]
Likelihood = Callable[[Vector], tuple[float, Vector]]  # free parameters -> log likelihood and its gradient
Fields = Callable[[Vector], Mapping[str, Any]]  # free parameters -> fields of a market, per year

_FIRST_ROUND = 25  # iterations that every start gets; the best goes on
_MOST_ITERATIONS = 500
_STEP = 1e-4  # of central differences of an analytic gradient: errors of about 1e-8
_JACOBIAN_STEP = 1e-5
_FLAT = 1e-6  # of the information's eigenvalues, scaled to unit diagonal: parameters that only count together
_AT_BOUND = 1e-6
_SHARE = 0.01  # of a field's variance that may come from where the likelihood says nothing


class Optimum(NamedTuple):
    """Where a likelihood is highest, and how sharply: the covariance of the free parameters."""

    theta: Vector
    log_likelihood: float
    covariance: NDArray[np.float64]
    loose: NDArray[np.float64]
    """The same for what is not identified: moves of 1 of parameters at a bound, and along which it is flat."""
    at_bound: tuple[int, ...]
    flat: bool


def maximise(likelihood: Likelihood, starts: Sequence[Vector], bounds: Sequence[tuple[float, float]]) -> Optimum:
    """Maximise from several starts by L-BFGS-B, and look at the curvature of the best.

    The information is the negative Hessian, by central differences of the gradient (Efron and Hinkley 1978).
    """
    low, high = np.array(bounds).T

    def climbed(start: Vector, rounds: int) -> Any:
        def cost(theta: Vector) -> tuple[float, Vector]:
            value, gradient = likelihood(theta)
            return -value / size, -gradient / size

        size = max(1.0, abs(likelihood(start)[0]))  # a cost near 1: the tolerances below are relative to it
        options = {"maxiter": rounds, "ftol": 1e-13, "gtol": 1e-9}
        return minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)

    tries = [climbed(np.clip(start, low, high), _FIRST_ROUND).x for start in starts]
    best = climbed(max(tries, key=lambda theta: likelihood(theta)[0]), _MOST_ITERATIONS).x
    near = _AT_BOUND * (1 + np.abs(best))
    held = (best - low < near) | (high - best < near)
    hessian = -_information(likelihood, best)
    covariance, loose = _inverse(-hessian, held)
    flat = bool(np.any(np.diag(loose)[~held] > 0))
    return Optimum(best, likelihood(best)[0], covariance, loose, tuple(np.flatnonzero(held).tolist()), flat)


def _information(likelihood: Likelihood, theta: Vector) -> NDArray[np.float64]:
    moves = _STEP * np.eye(theta.size)
    rows = [(likelihood(theta - move)[1] - likelihood(theta + move)[1]) / (2 * _STEP) for move in moves]
    return 0.5 * (np.array(rows) + np.array(rows).T)


def _inverse(information: NDArray[np.float64], held: NDArray[np.bool_]) -> tuple[NDArray[np.float64], ...]:
    """Invert what is known of the free parameters, and apart from it what is not."""
    covariance, loose = np.zeros_like(information), np.diag(held.astype(np.float64))
    free = np.ix_(~held, ~held)
    scale = 1 / np.sqrt(np.clip(np.diag(information)[~held], 1e-12, None))
    values, vectors = np.linalg.eigh(information[free] * np.outer(scale, scale))
    directions, known = scale[:, None] * vectors, values > _FLAT
    covariance[free] = (directions[:, known] / values[known]) @ directions[:, known].T
    loose[free] = (directions[:, ~known] / _FLAT) @ directions[:, ~known].T
    return covariance, loose


def standard_errors(fields: Fields, optimum: Optimum) -> dict[str, Any]:
    """Return the error of each field by the delta method; NaN where the likelihood does not say.

    A field that moves with a parameter at its bound, or along which the likelihood is flat, has none.
    """
    at, theta = fields(optimum.theta), optimum.theta
    flats = [_flattened(fields(theta + move)) for move in _JACOBIAN_STEP * np.eye(theta.size)]
    below = [_flattened(fields(theta - move)) for move in _JACOBIAN_STEP * np.eye(theta.size)]
    jacobian = (np.array(flats) - np.array(below)) / (2 * _JACOBIAN_STEP)  # [parameter, value]
    known = np.einsum("pv,pq,qv->v", jacobian, optimum.covariance, jacobian)
    loose = np.einsum("pv,pq,qv->v", jacobian, optimum.loose, jacobian)
    # matrices of ones on the diagonal: rounding of what never moves is no error
    errors = np.where(loose > _SHARE * known + 1e-20, np.nan, np.sqrt(np.clip(known, 0.0, None)))
    return _unflattened(errors, at)


def _flattened(fields: Mapping[str, Any]) -> Vector:
    return np.concatenate([np.ravel(value) for value in fields.values()]).astype(np.float64)


def _unflattened(values: Vector, like: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in like.items():
        part, values = values[: np.size(value)], values[np.size(value) :]
        result[name] = plain(part.reshape(np.shape(value)))
    return result

"""The correlation matrix nearest to one that is none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MOST_ROUNDS = 1_000
_SETTLED = 1e-12
_ROUNDING = 1e-9


def nearest_correlation(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the nearest correlation matrix, and how far it is in the Frobenius norm.

    Alternating projections onto the positive semi-definite matrices and those of unit diagonal, with Dykstra's
    correction (Higham 2002, Computing the nearest correlation matrix, algorithm 3.3).

    Example:
        >>> nearest, distance = nearest_correlation(np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]))
        >>> nearest.round(3)[0], round(distance, 3)
        (array([ 1. ,  0.5, -0.5]), 0.98)
    """
    given = 0.5 * (matrix + matrix.T)
    nearest, correction = given.copy(), np.zeros_like(given)
    for _ in range(_MOST_ROUNDS):
        shifted = nearest - correction
        definite = _semidefinite(shifted)
        correction = definite - shifted
        previous, nearest = nearest, _unit_diagonal(definite)
        if np.abs(nearest - previous).max() < _SETTLED:
            break
    root = np.sqrt(np.diag(definite))
    exact = _unit_diagonal(definite / np.outer(root, root))  # semi-definite to rounding, which `nearest` may miss
    return exact, float(np.linalg.norm(exact - given))


def repair(matrix: NDArray[np.float64], name: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the nearest correlation matrix, and a note if it differs from the one that was estimated."""
    nearest, distance = nearest_correlation(matrix)
    if distance < _ROUNDING:
        return nearest, ()
    return nearest, (
        f"the estimated {name} is no correlation matrix: the nearest is taken, {distance:.2g} away (Frobenius norm)",
    )


def _semidefinite(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    clipped: NDArray[np.float64] = (vectors * np.clip(values, 0.0, None)) @ vectors.T
    return 0.5 * (clipped + clipped.T)


def _unit_diagonal(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    changed = matrix.copy()
    np.fill_diagonal(changed, 1.0)
    return changed

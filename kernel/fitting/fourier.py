"""Densities from characteristic functions: one FFT, and cubic splines whose coefficients it gives as well."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len

_FINEST, _COARSEST = 2**10, 2**17  # points: a grid of more would take long, and says no more
_TAPS = 4


class Grid(NamedTuple):
    """Points of a periodic function, around 0."""

    points: int
    spacing: float

    @property
    def first(self) -> float:
        """Return the place of the first point."""
        return -(self.points // 2) * self.spacing

    @property
    def places(self) -> NDArray[np.float64]:
        """Return the places of all points."""
        return np.asarray(self.first + self.spacing * np.arange(self.points), dtype=np.float64)

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """Return the angular frequencies, from 0 up, at which transforms are wanted."""
        return np.arange(self.points // 2 + 1, dtype=np.float64) * (2 * np.pi / (self.points * self.spacing))


def grid_for(width: float, spacing: float) -> Grid:
    """Return a grid of about a width and spacing, of a size that the FFT likes."""
    wanted = int(np.clip(width / spacing, _FINEST, _COARSEST))
    points = next_fast_len(wanted + wanted % 2, real=True)
    points += points % 2
    return Grid(points, width / points)


def splines(transforms: NDArray[np.complex128], grid: Grid) -> NDArray[np.float64]:
    """Return coefficients of the cubic splines through the functions with these Fourier transforms, [point, function].

    The transform of f is the integral of f(x) exp(i frequency x). Through the points of a periodic function the
    coefficients c of B-splines solve (c[-1] + 4 c[0] + c[1]) / 6 = f: a division in Fourier space (Unser 1999).
    """
    frequencies = grid.frequencies
    filtered = (2 + np.cos(frequencies * grid.spacing)) / 3
    shifted = np.conj(transforms * np.exp(-1j * frequencies * grid.first)) / filtered
    values: NDArray[np.float64] = irfft(shifted, n=grid.points, axis=-1)
    return np.ascontiguousarray(values.T) / grid.spacing


def spline_values(coefficients: NDArray[np.float64], grid: Grid, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the splines at `x`, [x, function]."""
    place = (x - grid.first) / grid.spacing
    base = np.floor(place)
    t = (place - base)[:, None]
    left = base.astype(np.int64) - 1
    weights = (1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, 1 + 3 * t + 3 * t**2 - 3 * t**3, t**3
    parts = [
        w / 6 * coefficients.take(left + k, axis=0, mode="wrap") for k, w in zip(range(_TAPS), weights, strict=True)
    ]
    return np.asarray(parts[0] + parts[1] + parts[2] + parts[3])

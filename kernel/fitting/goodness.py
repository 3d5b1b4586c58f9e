"""Whether a model's transforms of the returns are what they would be if it were true: uniform and independent."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtri
from scipy.stats import kstest

_LAGS = 10
_LEAST = 1e-15  # scores are finite


class Goodness(NamedTuple):
    """P-values: small ones speak against the model. Parameters fitted to the same returns make them too large."""

    uniform: float
    """Kolmogorov-Smirnov, of the transforms against the uniform law."""
    independent: float
    """Berkowitz (2001), of their normal scores: mean 0, variance 1, no memory of the step before."""
    clusters: float
    """Ljung and Box (1978), ten lags, of the squared scores: whether volatility is still clustered."""


def goodness(transforms: NDArray[np.float64]) -> Goodness:
    """Test the transforms, [return, asset]; of several assets, the smallest p-value times their number (Bonferroni).

    Example:
        >>> even = (np.arange(200) + 0.5) / 200
        >>> round(goodness(np.random.default_rng(0).permutation(even)[:, None]).uniform, 3)
        1.0
    """
    inside = np.clip(transforms, _LEAST, 1 - _LEAST)
    tests = [(kstest(u, "uniform").pvalue, _berkowitz(ndtri(u)), _ljung_box(ndtri(u) ** 2)) for u in inside.T]
    return Goodness(*np.minimum(np.min(tests, axis=0) * len(tests), 1.0).tolist())


def _berkowitz(z: NDArray[np.float64]) -> float:
    """Likelihood ratio of a Gaussian AR(1) against independent standard normals, given the first (eq. 7 to 9)."""
    before, after = z[:-1], z[1:]
    slope, mean = np.polyfit(before, after, 1)
    variance = float(((after - mean - slope * before) ** 2).mean())
    free = -0.5 * after.size * (np.log(2 * np.pi * variance) + 1)
    null = -0.5 * (after.size * np.log(2 * np.pi) + float((after**2).sum()))
    return float(chdtrc(3, max(2 * (free - null), 0.0)))


def _ljung_box(values: NDArray[np.float64]) -> float:
    n, centred = values.size, values - values.mean()
    lags = np.arange(1, min(_LAGS, n - 2) + 1)
    correlations = np.array([centred[lag:] @ centred[:-lag] for lag in lags]) / (centred @ centred)
    return float(chdtrc(lags.size, n * (n + 2) * float((correlations**2 / (n - lags)).sum())))

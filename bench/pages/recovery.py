"""Histories of known markets, drawn with NumPy alone, and how well fits find them again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import kernel

DAY = 1 / 365
NORMAL_95 = 1.96


class Truth(NamedTuple):
    """A market, and the length of the histories of it."""

    name: str
    market: Any
    rows: int = 1_826
    dt: float = DAY


def prices_of(truth: Truth, seed: int) -> NDArray[np.float64]:
    """Draw a history, [time, asset]."""
    generator, market, n = np.random.default_rng(seed), truth.market, truth.rows - 1
    volatility, size = np.asarray(market.volatility), len(market.assets)
    covariance = np.asarray(market.correlation) * np.outer(volatility, volatility) * truth.dt
    jumps, growth = np.zeros((n, size)), np.zeros(size)
    if not isinstance(market, kernel.Gbm):
        counts = generator.poisson(market.jump_intensity * truth.dt, n)
        draw = _merton_jumps if isinstance(market, kernel.Merton) else _kou_jumps
        jumps, growth = draw(market, counts, generator)
    log_drift = (np.asarray(market.drift) - 0.5 * volatility**2 - growth) * truth.dt
    returns = log_drift + generator.multivariate_normal(np.zeros(size), covariance, n) + jumps
    return np.exp(np.vstack([np.zeros(size), np.cumsum(returns, axis=0)]))


def _merton_jumps(market: Any, counts: NDArray[np.int64], generator: np.random.Generator) -> tuple[Any, Any]:
    mean, deviation = np.asarray(market.jump_mean), np.asarray(market.jump_volatility)
    sizes = generator.multivariate_normal(mean, market.jump_correlation * np.outer(deviation, deviation), counts.sum())
    return _summed(sizes, counts), market.jump_intensity * (np.exp(mean + 0.5 * deviation**2) - 1)


def _kou_jumps(market: Any, counts: NDArray[np.int64], generator: np.random.Generator) -> tuple[Any, Any]:
    p, up, down = market.up_probability, market.up_mean, market.down_mean
    shape = (counts.sum(), p.size)
    rises = generator.random(shape) < p
    sizes = np.where(rises, generator.exponential(up, shape), -generator.exponential(down, shape))
    return _summed(sizes, counts), market.jump_intensity * (p / (1 - up) + (1 - p) / (1 + down) - 1)


def _summed(sizes: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Add up the jumps of each step."""
    sums = np.zeros((counts.size, sizes.shape[1]))
    np.add.at(sums, np.repeat(np.arange(counts.size), counts), sizes)
    return sums


def numbers_of(values: dict[str, Any], assets: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    """Name every number: one per asset, one per pair of assets in matrices."""
    lower = np.tril_indices(len(assets), -1)
    for name, value in values.items():
        array = np.asarray(value)
        names = [f"{name} {asset}" for asset in assets] if array.ndim == 1 and len(assets) > 1 else [name] * array.size
        yield from zip(names, (array[lower] if array.ndim > 1 else np.ravel(array)).tolist(), strict=False)


def fit_once(truth: Truth, seed: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return the estimates from one history, and their stated errors."""
    fit = type(truth.market).fit(prices_of(truth, seed), dt=truth.dt, assets=truth.market.assets)
    estimates = {name: getattr(fit.market, name) for name in fit.standard_errors}
    return dict(numbers_of(estimates, fit.market.assets)), dict(numbers_of(fit.standard_errors, fit.market.assets))


class Found(NamedTuple):
    """What many fits found of one number."""

    name: str
    truth: float
    mean: float
    deviation: float
    stated: float
    coverage: float
    silent: int
    """Fits that stated no error."""


def study(truth: Truth, histories: int) -> list[Found]:
    """Fit many histories of a truth, with all processors."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        fits = list(pool.map(fit_once, [truth] * histories, range(histories), chunksize=10))
    stated = {field.name: getattr(truth.market, field.name) for field in fields(truth.market)}
    numbers = {name: value for name, value in stated.items() if name not in {"assets", "spot"}}
    return [
        _found(name, value, *(np.array([fit[part][name] for fit in fits]) for part in range(2)))
        for name, value in numbers_of(numbers, truth.market.assets)
    ]


def _found(name: str, truth: float, estimates: NDArray[np.float64], errors: NDArray[np.float64]) -> Found:
    known = np.isfinite(errors)
    inside = np.abs(estimates - truth)[known] < NORMAL_95 * errors[known]
    mean, deviation = float(estimates.mean()), float(estimates.std())
    return Found(name, truth, mean, deviation, float(errors[known].mean()), float(inside.mean()), int((~known).sum()))


_ONE: dict[str, Any] = {"assets": ["A"], "spot": 1.0, "drift": 0.1}
_TWO: dict[str, Any] = {"assets": ["A", "B"], "spot": 1.0, "drift": [0.1, 0.2], "volatility": [0.5, 0.7]}
_TEN_YEARS = 3_651
TRUTHS = [
    Truth("Gbm, two assets, a year of days", kernel.Gbm(**_TWO, correlation=[[1, 0.7], [0.7, 1]]), 366),
    Truth(
        "Merton, rare large jumps, ten years of days",
        kernel.Merton(**_ONE, volatility=0.5, jump_intensity=15.0, jump_mean=-0.03, jump_volatility=0.1),
        _TEN_YEARS,
    ),
    Truth(
        "Merton, frequent jumps, five years of days",
        kernel.Merton(**_ONE, volatility=0.4, jump_intensity=100.0, jump_mean=0.0, jump_volatility=0.05),
    ),
    Truth(
        "Merton, two assets, five years of days",
        kernel.Merton(
            **_TWO, correlation=[[1, 0.8], [0.8, 1]], jump_intensity=30.0, jump_mean=[-0.02, 0.01],
            jump_volatility=[0.07, 0.1], jump_correlation=[[1, 0.3], [0.3, 1]],
        ),
    ),
    Truth(
        "Kou, ten years of days",
        kernel.Kou(**_ONE, volatility=0.4, jump_intensity=120.0, up_probability=0.4, up_mean=0.05, down_mean=0.06),
        _TEN_YEARS,
    ),
    Truth(
        "Kou, two assets, ten years of days",
        kernel.Kou(
            **_TWO, correlation=[[1, 0.6], [0.6, 1]], jump_intensity=90.0, up_probability=[0.4, 0.5],
            up_mean=[0.06, 0.08], down_mean=[0.06, 0.09],
        ),
        _TEN_YEARS,
    ),
]  # fmt: skip
# Some 150 rises and falls each of Kou's, and 60 jumps of Merton's: errors as before, but estimates that are skewed.
SHORT = [
    Truth(
        "Merton, sixty jumps in five years of days",
        kernel.Merton(**_ONE, volatility=0.5, jump_intensity=12.0, jump_mean=-0.03, jump_volatility=0.1),
    ),
    Truth(
        "Kou, three hundred jumps in five years of days",
        kernel.Kou(**_ONE, volatility=0.4, jump_intensity=60.0, up_probability=0.4, up_mean=0.04, down_mean=0.06),
    ),
]

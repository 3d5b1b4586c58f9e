"""Inputs of the figures, made up: from usual to extreme ones, without a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import kernel
from kernel.backtesting import reliability
from kernel.backtesting.result import Coverage
from kernel.calibration import Surface
from kernel.escalation.records import ENDS
from kernel.fitting import Fit
from kernel.measures import Endings, ThresholdCurve

DAY = 1 / 365
LONG = "the very last warning before the position is closed out by the venue"


def curve(days: float = 1.0, points: int = 200, centre: float = 1.4, width: float = 0.15) -> ThresholdCurve:
    """Make up a threshold curve of normal levels."""
    shares = np.geomspace(1e-5, 0.5, points)
    levels = centre + width * np.sqrt(days) * np.array([NormalDist().inv_cdf(one) for one in shares])
    error = 0.02 * width / np.sqrt(shares) * 0.05
    return ThresholdCurve(
        by=days * DAY,
        probabilities=shares,
        levels=levels,
        standard_error=error,
        low=levels - error,
        high=levels + error,
    )


def ended(shares: Sequence[float], points: int = 1_441, days: float = 5.0) -> Endings:
    """Make up endings: each comes evenly from its own start on to a share at the last time."""
    times = np.linspace(0.0, days * DAY, points) if points > 1 else np.array([days * DAY])
    starts = np.arange(len(shares)) / (2 * len(shares))
    risen = np.clip((times / times[-1] - starts[:, None]) / (1 - starts[:, None]), 0.0, 1.0)
    came = np.array(shares)[:, None] * risen
    values = np.concatenate([1 - came.sum(axis=0, keepdims=True), came])
    error = np.sqrt(values * (1 - values) / 10_000)
    return Endings(
        times=times,
        ends=("not yet", *ENDS[1 : 1 + len(shares)]),
        probabilities=values,
        standard_error=error,
        low=np.maximum(values - 2 * error, 0.0),
        high=np.minimum(values + 2 * error, 1.0),
    )


def ladder(tiers: int, first: float = 1.6, last: float = 1.0, name: str = "tier {}") -> kernel.Ladder:
    """Make up a ladder of evenly spaced tiers."""
    return kernel.Ladder({name.format(k + 1): float(level) for k, level in enumerate(np.linspace(first, last, tiers))})


@dataclass(frozen=True)
class Normal:
    """A law of returns."""

    scale: float

    def density(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the normal density."""
        z = np.asarray(x) / self.scale
        return np.asarray(np.exp(-z * z / 2) / (self.scale * np.sqrt(2 * np.pi)))

    def cumulative(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the normal probability."""
        return np.array([NormalDist(0, self.scale).cdf(one) for one in np.ravel(x)]).reshape(np.shape(x))


def history(rows: int = 500, assets: Sequence[str] = ("BTC",), scale: float = 0.02) -> kernel.History:
    """Make up prices of normal returns."""
    returns = np.random.default_rng(1).normal(0.0, scale, (rows, len(assets)))
    return kernel.History(assets=tuple(assets), prices=100 * np.exp(np.cumsum(returns, axis=0)), dt=DAY)


def fit(of: kernel.History, scale: float = 0.02) -> Fit[Any]:
    """Make up a fit to every asset of a history."""
    law = Normal(scale)
    return Fit(
        market=None,
        standard_errors={},
        log_likelihood=0.0,
        parameters=1,
        observations=len(of.returns),
        transforms=np.clip(law.cumulative(of.returns), 1e-15, 1 - 1e-15),
        laws=(law,) * len(of.assets),
    )


def surface(states: Sequence[str], leverages: ArrayLike, horizons: ArrayLike, scale: float = 0.2) -> Surface:
    """Make up rates that fall with leverage and horizon; where they would be below 0 there is none."""
    leverage, horizon = np.asarray(leverages, float), np.asarray(horizons, float)
    falls = np.arange(leverage.size)[:, None] / leverage.size + np.arange(horizon.size) / horizon.size
    rate = np.array([scale * (1.2 - falls - 0.2 * s / len(states)) for s in range(len(states))])
    rate = np.where(rate > 0, rate, np.nan)
    return Surface(
        states=tuple(states), leverages=leverage, horizons=horizon, probability=0.01, rate=rate,
        standard_error=0.01 * rate, low=0.98 * rate, high=1.02 * rate,
    )  # fmt: skip


def backtest(
    forecasts: int = 500,
    levels: Sequence[float] = (0.95, 0.99),
    tiers: Sequence[str] = ("warning", "call", "liquidation"),
    scale: float = 0.02,
    times: str | None = "2020-01-01",
    step: str = "D",
    reason: str = "its bars span what traded between the closes",
) -> kernel.Backtest:
    """Make up a backtest of normal losses."""
    rng = np.random.default_rng(2)
    losses = rng.normal(0.0, scale, forecasts)
    moving = scale * (1 + 0.3 * np.sin(np.arange(forecasts) / 40))
    at_risk = np.array([moving * NormalDist().inv_cdf(level) for level in levels]).reshape(len(levels), forecasts)
    exceptions = losses > at_risk
    chances = rng.uniform(0.0, 0.2, (len(tiers), forecasts))
    breached = rng.uniform(size=chances.shape) < chances
    nothing: Any = None
    covered = [
        Coverage(level, int(hits.sum()), (1 - level) * forecasts, *[nothing] * 5, nothing, nothing, (), nothing)
        for level, hits in zip(levels, exceptions, strict=True)
    ]
    zeros = np.zeros_like
    ends = None if times is None else np.datetime64(times) + np.arange(forecasts).astype(f"m8[{step}]")
    return kernel.Backtest(
        assets=("BTC",), tiers=tuple(tiers), levels=tuple(levels), horizon=DAY, opening_equity=1.0,
        rows=np.arange(forecasts), times=ends,
        losses=losses, paths=np.full(forecasts, 1000), value_at_risk=at_risk, value_at_risk_error=zeros(at_risk),
        expected_shortfall=1.2 * at_risk, expected_shortfall_error=zeros(at_risk), exceptions=exceptions,
        undecided=zeros(exceptions), breach_probability=chances, breach_probability_error=zeros(chances),
        breached=breached, breaches="bars", breaches_reason=reason, by_bars=np.ones(forecasts, bool),
        transforms=np.full(forecasts, 0.5), refits=(), coverage=tuple(covered),
        reliability=tuple(reliability(p, b) for p, b in zip(chances, breached, strict=True)), notes=(), provenance={},
    )  # fmt: skip

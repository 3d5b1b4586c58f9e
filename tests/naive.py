"""The slow, obvious implementation of everything: one path, one step, one asset at a time, in plain Python.

It shares no code with the package. What it does share is the specification: the addresses of the noise, and which
word at an address means what. Monitoring is discrete: the metric is looked at on grid points only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Words = tuple[int, int, int, int]
Vector = NDArray[np.float64]

DIFFUSION, BRIDGE, JUMP, JUMP_SIZE, PASSAGE, VARIANCE, RESAMPLE = range(7)
_MASK = 0xFFFFFFFF


# --- noise


def philox4x32(counter: Words, key: tuple[int, int], rounds: int = 10) -> Words:
    """Return the four words of Philox4x32: Salmon, Moraes, Dror, Shaw (2011), section 3.3."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(rounds):
        high_0, low_0 = divmod(0xD2511F53 * c0, 2**32)
        high_1, low_1 = divmod(0xCD9E8D57 * c2, 2**32)
        c0, c1, c2, c3 = high_1 ^ c1 ^ k0, low_1, high_0 ^ c3 ^ k1, low_0
        k0, k1 = (k0 + 0x9E3779B9) & _MASK, (k1 + 0xBB67AE85) & _MASK
    return c0, c1, c2, c3


def words_at(seed: int, path: int, moment: int, row: int, stream: int) -> Words:
    """Return the words at an address: the last counter word holds the path's upper 24 bits above the stream."""
    counter = path & _MASK, moment, row, (path >> 32) << 8 | stream
    return philox4x32(counter, (seed & _MASK, seed >> 32))


def uniform(word: int) -> float:
    """Return the middle of one of 2**31 equal parts of (0, 1)."""
    return (word // 2 + 0.5) / 2**31


def normals(a: int, b: int) -> tuple[float, float]:
    """Return a Box-Muller pair: radius from `a`; quadrant from the top two bits of `b`, angle from the other thirty."""
    quadrant, rest = divmod(b, 2**30)
    signed = rest if rest < 2**29 else rest - 2**30
    angle = quadrant * math.pi / 2 + signed * (math.pi / 4) / 2**29
    radius = math.sqrt(-2.0 * math.log(uniform(a)))
    return radius * math.cos(angle), radius * math.sin(angle)


def step_normals(seed: int, path: int, step: int, assets: int) -> Vector:
    """Return one normal per asset for a step: four steps share an address."""
    pair = []
    for asset in range(assets):
        words = words_at(seed, path, step // 4, asset, DIFFUSION)
        pair.append((normals(words[0], words[1]) + normals(words[2], words[3]))[step % 4])
    return np.array(pair)


# --- markets


class NormalJumps(NamedTuple):
    """Merton's jumps: the log price of every asset jumps by a joint normal."""

    intensity: float
    mean: Sequence[float]
    volatility: Sequence[float]
    correlation: Sequence[Sequence[float]]

    def growth(self) -> Vector:
        """Return E[exp(size)] - 1 per asset."""
        return np.array([math.exp(m + v * v / 2) - 1 for m, v in zip(self.mean, self.volatility, strict=True)])

    def sizes(self, _address: tuple[int, int, int], z: Vector) -> Vector:
        """Return the sizes of one jump, made of the normals `z`."""
        return np.array(self.mean) + cholesky(self.volatility, self.correlation) @ z


class ExponentialJumps(NamedTuple):
    """Kou's jumps: the log price of every asset jumps up or down by exponentials of its own."""

    intensity: float
    up_probability: Sequence[float]
    up_mean: Sequence[float]
    down_mean: Sequence[float]

    def growth(self) -> Vector:
        """Return E[exp(size)] - 1 per asset."""
        laws = zip(self.up_probability, self.up_mean, self.down_mean, strict=True)
        return np.array([p / (1 - up) + (1 - p) / (1 + down) - 1 for p, up, down in laws])

    def sizes(self, address: tuple[int, int, int], _z: Vector) -> Vector:
        """Return the sizes of one jump at (seed, path, number of the jump)."""
        seed, path, number = address
        sizes = []
        for asset, (p, up, down) in enumerate(zip(self.up_probability, self.up_mean, self.down_mean, strict=True)):
            u = uniform(words_at(seed, path, number, asset, JUMP_SIZE)[0])
            sizes.append(-up * math.log(u / p) if u < p else down * math.log((1 - u) / (1 - p)))
        return np.array(sizes)


class Market(NamedTuple):
    """Correlated Brownian log prices, with or without jumps that strike all assets at the same times."""

    spot: Sequence[float]
    drift: Sequence[float]
    volatility: Sequence[float]
    correlation: Sequence[Sequence[float]]
    jumps: NormalJumps | ExponentialJumps | None = None


def cholesky(volatility: Sequence[float], correlation: Sequence[Sequence[float]]) -> Vector:
    """Return the lower Cholesky factor of a positive definite covariance, row by row (Cholesky-Banachiewicz)."""
    n = len(volatility)
    factor = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            covariance = correlation[i][j] * volatility[i] * volatility[j]
            rest = covariance - sum(factor[i, k] * factor[j, k] for k in range(j))
            factor[i, j] = math.sqrt(rest) if i == j else rest / factor[j, j]
    return factor


def log_drift(market: Market) -> Vector:
    """Return the drift of the log prices: the price's, less half the variance, less what the jumps add on average."""
    drift = np.array(market.drift) - np.array(market.volatility) ** 2 / 2
    return drift if market.jumps is None else drift - market.jumps.intensity * market.jumps.growth()


def walk(market: Market, grid: Sequence[float], seed: int, path: int) -> Vector:
    """Return log price over opening price [grid point, asset] of one path."""
    assets, drift, factor = len(market.spot), log_drift(market), cholesky(market.volatility, market.correlation)
    jumps, number, x = market.jumps, 0, np.zeros(len(market.spot))
    next_jump = math.inf
    if jumps is not None:
        next_jump = -math.log(uniform(words_at(seed, path, 0, 0, JUMP)[3])) / jumps.intensity
    points = [x]
    for step, (start, stop) in enumerate(pairwise(grid)):
        now, z = start, step_normals(seed, path, step, assets)
        while jumps is not None and next_jump < stop:
            number += 1
            words = [words_at(seed, path, number, asset, JUMP) for asset in range(assets)]
            pairs = np.array([normals(w[0], w[1]) for w in words])
            x = x + drift * (next_jump - now) + math.sqrt(next_jump - now) * (factor @ z)
            x = x + jumps.sizes((seed, path, number), pairs[:, 1])
            now, z = next_jump, pairs[:, 0]
            next_jump = now - math.log(uniform(words[0][3])) / jumps.intensity
        x = x + drift * (stop - now) + math.sqrt(stop - now) * (factor @ z)
        points.append(x)
    return np.array(points)


# --- accounts


class Account(NamedTuple):
    """Linear positions under a maintenance rule, and the levels of the metric that are watched, falling."""

    cash: float
    positions: Sequence[tuple[int, float, float]]  # asset, quantity, entry price
    maintenance_rate: Sequence[float]  # by asset
    levels: Sequence[float]
    metric: Literal["margin_ratio", "equity_fraction"] = "margin_ratio"


def equity(account: Account, price: Vector) -> float:
    """Return cash plus the profit of every position since its entry."""
    return account.cash + sum(quantity * (float(price[asset]) - entry) for asset, quantity, entry in account.positions)


def requirement(account: Account, price: Vector) -> float:
    """Return the maintenance margin of every position, longs and shorts not netted."""
    return sum(account.maintenance_rate[a] * abs(quantity) * float(price[a]) for a, quantity, _ in account.positions)


def metric(account: Account, opening: Vector, price: Vector) -> float:
    """Return equity over requirement, or over the equity at the opening prices."""
    base = requirement(account, price) if account.metric == "margin_ratio" else equity(account, opening)
    return equity(account, price) / base


# --- the simulation


class Outcome(NamedTuple):
    """What every path came to."""

    loss: Vector  # [path]
    terminal_price: Vector  # [asset, path]
    breach_time: Vector  # [tier, path], NaN: never


def simulate(market: Market, account: Account, horizon: float, steps: int, paths: int, seed: int) -> Outcome:
    """Walk every path and note its loss, its closing prices and the first grid point at or below each level."""
    grid = [horizon * (step / steps) for step in range(steps + 1)]
    loss, closing = np.zeros(paths), np.zeros((len(market.spot), paths))
    breach = np.full((len(account.levels), paths), np.nan)
    for path in range(paths):
        prices = np.array(market.spot) * np.exp(walk(market, grid, seed, path))
        metrics = [metric(account, prices[0], price) for price in prices]
        for tier, level in enumerate(account.levels):
            breach[tier, path] = next((t for t, m in zip(grid, metrics, strict=True) if m <= level), math.nan)
        closing[:, path] = prices[-1]
        loss[path] = equity(account, prices[0]) - equity(account, prices[-1])
    return Outcome(loss, closing, breach)


# --- measures


def value_at_risk(losses: Sequence[float], level: float) -> float:
    """Return the smallest loss l with a share of at least `level` of the losses at or below l."""
    for count, loss in enumerate(sorted(losses), start=1):
        if count / len(losses) >= level:
            return loss
    raise ValueError("`level` must be at most 1 and there must be losses")


def expected_shortfall(losses: Sequence[float], level: float) -> float:
    """Return the mean of the worst 1 - `level` share of the losses; the one on the border counts by a fraction."""
    tail = rest = len(losses) * (1 - level)
    total = 0.0
    for loss in sorted(losses, reverse=True):
        weight = min(1.0, rest)
        if weight <= 0:
            break
        total += weight * loss
        rest -= weight
    return total / tail

"""The laws of passage times, each sampled by the code and judged by a Kolmogorov-Smirnov test.

A sound sampler gives p < 1e-4 once in 10,000 tries; this file has some 50 such tests, so it would fail by chance
for one seed in about 200. The seeds are fixed.
"""

from __future__ import annotations

import math
import zlib
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate, special, stats

from kernel._core.bridge import _passage_time
from kernel._core.covariance import Fixed
from kernel._core.fields import fields_of
from kernel._core.jit import entry
from kernel._core.operations import screen as _untyped_screen
from kernel._core.walk import new_workspace
from kernel.accounts.books import LinearBook

Vector = NDArray[np.float64]

passage_time: Any = _passage_time  # the core is typed by its compiler
screen: Any = _untyped_screen

N = 100_000
P_VALUE = 1e-4

BOTH = pytest.mark.parametrize("real", [np.float32, np.float64], ids=["single", "double"])


@entry
def _each_passage_time(a: Any, c: Any, total: Any, normal: Any, u: Any, out: Any) -> None:
    for i in range(out.size):
        out[i] = passage_time(a[i], c[i], total[i], normal[i], u[i])


def _passages(a: Any, c: Any, total: Any, key: str, real: type[np.float32 | np.float64] = np.float64) -> Vector:
    """Draw N times T1 given T1 + T2 = total; a, c, total: numbers or one per draw; key: which random numbers."""
    random = np.random.default_rng(zlib.crc32(key.encode()))
    columns = a, c, total, random.standard_normal(N), random.random(N)
    times = np.empty(N, real)
    _each_passage_time(*(np.broadcast_to(column, N).astype(real) for column in columns), times)
    return np.asarray(times, np.float64)


def _p_value(uniforms: Vector) -> float:
    return float(stats.kstest(uniforms, "uniform").pvalue)


class _Tied(NamedTuple):
    """The law of T1 given T1 + T2 = total: its density is proportional to f_a(t) f_c(total - t)."""

    a: float
    c: float
    total: float

    def cdf(self, t: Vector) -> Vector:
        """Integrate f_a(t) f_c(total - t), f_a(t) = a / sqrt(2 pi t**3) exp(-a**2 / (2 t)), over log(t / (total - t)).

        In that coordinate the density is smooth and vanishes with its derivatives at both ends: the trapezoid rule.
        """
        s = np.linspace(-45, 45, 200_001)
        left, right = self.total * special.expit(s), self.total * special.expit(-s)
        log_density = -(np.log(left) + np.log(right)) / 2 - self.a**2 / (2 * left) - self.c**2 / (2 * right)
        weight = np.exp(log_density - log_density.max())
        mass = integrate.cumulative_trapezoid(weight, s, initial=0.0)
        with np.errstate(divide="ignore"):
            return np.asarray(np.interp(np.log(t / (self.total - t)), s, mass / mass[-1]))


class _Pinned(NamedTuple):
    """A Brownian motion of unit variance from `start` at time 0 to `end` at time `span`, start > 0."""

    start: float
    end: float
    span: float = 1.0

    def passage_cdf(self, t: Vector) -> Vector:
        """Return P(level 0 is reached by t, given that it is reached), by the inverse Gaussian form.

        tau / span = xi / (1 + xi), xi inverse Gaussian with mean start / |end| and shape start**2 / span; the law is
        the same for end and -end, by reflection. For end = 0 the mean is infinite and xi is a Levy variate.
        """
        with np.errstate(divide="ignore"):
            xi = t / (self.span - t)
        shape = self.start**2 / self.span
        if self.end == 0:
            return np.asarray(stats.levy.cdf(xi, scale=shape))
        mean = self.start / abs(self.end)
        return np.asarray(stats.invgauss.cdf(xi, mean / shape, scale=shape))


def _lowest(a: Any, c: Any, exponential: Vector) -> Vector:
    """Return the lowest point of a bridge of unit variance from `a` to `c`, from exponentials of mean 1/2."""
    return np.asarray((a + c - np.sqrt((c - a) ** 2 + 4 * exponential)) / 2)


def _exponentials(a: float, c: float, key: str) -> Vector:
    """Draw N exponentials of mean 1/2 that let the bridge reach level 0: above a * c, without memory."""
    return np.random.default_rng(zlib.crc32(key.encode())).exponential(0.5, N) + max(a * c, 0.0)


# --- given the sum of two passage times


@pytest.mark.parametrize(
    ("a", "c", "total"),
    [
        (1.0, 1.0, 1.0),
        (0.3, 0.7, 1.0),
        (2.0, 0.5, 1.0),
        (3.0, 4.0, 1.0),  # far beyond the deviation: nearly proportional to a and c
        (0.1, 0.1, 1.0),  # the arcsine law, nearly
        (1e-3, 1.0, 1.0),
        (1.0, 1e-3, 1.0),
        (1e-3, 1e-3, 1.0),
        (1e-3, 4.0, 0.5),
        (0.5, 0.2, 0.03),
        (0.05, 1.5, 1e-2),
        (1.5, 0.05, 1e-4),
        (2.0, 3.0, 10.0),
    ],
)
def test_passage_time(a: float, c: float, total: float) -> None:
    """A passage time given the sum has the density proportional to the product of the two first passage densities."""
    times = _passages(a, c, total, f"{a} {c} {total}")
    assert ((times > 0) & (times < total)).all()
    assert _p_value(_Tied(a, c, total).cdf(times)) > P_VALUE


@pytest.mark.parametrize(("a", "c", "total"), [(0.3, 0.7, 1.0), (1.0, 2.0, 0.2), (0.01, 1.0, 0.5), (1.0, 0.01, 1.0)])
def test_passage_time_in_single_precision(a: float, c: float, total: float) -> None:
    """Single precision draws from the same law, and never leaves [0, total]."""
    times = _passages(a, c, total, f"single {a} {c} {total}", np.float32)
    assert ((times >= 0) & (times <= np.float32(total))).all()
    assert _p_value(_Tied(a, c, total).cdf(np.minimum(times, total * (1 - 2.0**-24)))) > P_VALUE


def test_precisions_agree() -> None:
    """The same normal and uniform give the same time in both precisions, but where they pick another of two roots.

    The uniform is compared with a share that is rounded: of 100,000 draws, 25 at most fall between.
    """
    single, double = (_passages(0.4, 0.9, 1.0, "agree", real) for real in (np.float32, np.float64))
    assert np.sum(np.abs(single - double) > 2e-6) <= 25


@BOTH
@pytest.mark.parametrize(("a", "c", "expected"), [(0.0, 1.0, 0.0), (1.0, 0.0, 1.0), (0.0, 1e-6, 0.0), (1e-6, 0.0, 1.0)])
def test_no_distance_takes_no_time(a: float, c: float, expected: float, real: type[np.float32 | np.float64]) -> None:
    """Where one of the distances is zero, the other takes all of the time, exactly."""
    for total in (1.0, 0.25, 0.0):
        assert (_passages(a, c, total, "none", real) == expected * total).all()


@BOTH
def test_no_distances_at_all(real: type[np.float32 | np.float64]) -> None:
    """Two distances of zero give a time within [0, total] and no NaN."""
    for total in (1.0, 0.0):
        times = _passages(0.0, 0.0, total, "nothing", real)
        assert ((times >= 0) & (times <= total)).all()


@BOTH
@pytest.mark.parametrize("a", [1e-7, 1e-3, 1.0, 8.0, 100.0])
@pytest.mark.parametrize("c", [1e-7, 1e-3, 1.0, 8.0, 100.0])
def test_any_distances(a: float, c: float, real: type[np.float32 | np.float64]) -> None:
    """Distances of any size, normals of up to 6.66 deviations and exact zeros give times within [0, total]."""
    total = np.geomspace(1e-12, 1, N)
    random = np.random.default_rng(1)
    normal = random.choice(np.array([-6.66, -1.0, -1e-4, 0.0, 1e-4, 1.0, 6.66]), N)
    columns = a, c, total, normal, random.random(N)
    times = np.empty(N, real)
    _each_passage_time(*(np.broadcast_to(column, N).astype(real) for column in columns), times)
    assert ((times >= 0) & (times <= total.astype(real))).all()


# --- which tiers: each lane by itself


@entry
def _screen(book: Any, covariance: Any, lanes: Any, assets: Any, n: int) -> None:
    screen(book, covariance, lanes[0], assets[0], lanes[0].span, lanes[0].exponent, n)


def test_an_exponential_of_zero_concerns_its_lane_alone() -> None:
    """The bridges of other lanes count, where the first lane's uniform is rounded to 1 and its exponential to 0."""
    real, n = np.float32, 4
    amounts = np.array([10, -5, 0, 0], real), np.array([0.05, 0.05, 0, 0], real)
    book = LinearBook(np.ones(2), np.ones(2), *amounts, real(-4), real(0), np.array([1, -np.inf], real))
    work = new_workspace(real, 2, 1, fields_of(book))
    lanes, assets = work.lanes[0], work.assets[0]
    lanes["level"][:n], lanes["span"][:n], lanes["exponent"][:n] = 1, 0.01, [-0.0, 5, 5, 5]
    assets["before"][:, :n] = assets["after"][:, :n] = 1
    _screen(book, Fixed(np.diag([0.6, 0.5]).astype(real)), work.lanes, work.assets, n)
    assert lanes["flag"][:n].tolist() == [0, 1, 1, 1]


# --- composed as the walk composes them

PINNED = pytest.mark.parametrize(
    ("start", "end"),
    [(1.0, -0.5), (1.0, 0.5), (0.2, -2.0), (0.2, 2.0), (2.0, 1.0), (1.5, 0.0), (0.01, 0.3), (0.5, 0.01), (3.0, -0.02)],
)


@PINNED
def test_lowest_point(start: float, end: float) -> None:
    """A bridge that reaches 0 has its lowest point below x with probability exp(-2 (start - x)(end - x)), rescaled."""
    low = _lowest(start, end, _exponentials(start, end, f"low {start} {end}"))
    top = min(0.0, end)
    assert (low <= top + 1e-12).all()
    chance = np.exp(-2 * ((start - low) * (end - low) - (start - top) * (end - top)))
    assert _p_value(chance) > P_VALUE


@PINNED
def test_first_passage_of_a_pinned_bridge(start: float, end: float) -> None:
    """Lowest point, its time, then the passage of 0 before it: together the known law of the first passage."""
    key = f"{start} {end}"
    low = _lowest(start, end, _exponentials(start, end, key))
    bottom = _passages(start - low, end - low, 1.0, "bottom " + key)
    times = _passages(start, np.maximum(-low, 0), bottom, "passage " + key)
    assert (times <= bottom).all()
    assert _p_value(_Pinned(start, end).passage_cdf(times)) > P_VALUE


@pytest.mark.parametrize(
    ("start", "between", "end"), [(1.0, 0.4, -0.3), (1.0, 0.4, 0.3), (0.5, 0.2, 1.0), (2.0, 0.05, -1.0)]
)
def test_two_tiers_of_one_bridge(start: float, between: float, end: float) -> None:
    """The times of two tiers drawn deepest first are jointly those of a bridge walked from the first to the second.

    Given the first tier's time, the rest is a bridge from that tier to the end, whether or not it reaches the second:
    both conditional laws are known, and their uniforms are uncorrelated (a z-score beyond 4: once in 16,000).
    """
    key = f"{start} {between} {end}"
    # level 0 is the second tier; `between` is the first, reached by every bridge here
    exponential = _exponentials(start - between, end - between, key)
    low = _lowest(start, end, exponential)
    bottom = _passages(start - low, end - low, 1.0, "bottom " + key)
    reached = low <= 0
    second = _passages(start, np.maximum(-low, 0), bottom, "second " + key)
    deeper = np.where(reached, second, bottom)
    first = _passages(start - between, np.where(reached, between, between - low), deeper, "first " + key)
    assert (first <= deeper).all()
    one = _Pinned(start - between, end - between).passage_cdf(first)
    assert _p_value(one) > P_VALUE
    rest = 1 - first
    hit = np.exp(-2 * between * max(end, 0) / rest)  # chance to reach 0 from `between` within the rest
    spread = math.sqrt(float(np.sum(hit * (1 - hit))))
    assert abs(float(np.sum(reached) - np.sum(hit))) <= 4 * spread
    pairs = zip((second - first)[reached], rest[reached], strict=True)
    two = np.array([float(_Pinned(between, end, r).passage_cdf(np.array([t]))[0]) for t, r in list(pairs)[:4_000]])
    assert _p_value(two) > P_VALUE
    correlation = np.corrcoef(one[reached][: two.size], two)[0, 1]
    assert abs(correlation) * math.sqrt(two.size) < 4

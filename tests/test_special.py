"""Errors are in units in the last place (ulp): the spacing of floating-point numbers at the exact value.

Single precision is judged by NumPy's double precision, double precision by mpmath with 30 digits. The bounds of the
single precision functions were first measured on every float of their range, those of the double precision ones on
ten million arguments against 80-bit arithmetic; here they are asserted on a dense sample with the ends of the range.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

from kernel._core import special as _special
from kernel._core.jit import entry
from kernel._core.special import _sin_cos_double, _sin_cos_single
from tests import naive

Real = type[np.float32] | type[np.float64]
Floats = NDArray[Any]

special: Any = _special  # the core is typed by its compiler

BOTH = pytest.mark.parametrize("real", [np.float32, np.float64], ids=["single", "double"])
RANDOM = 20_000  # arguments in double precision: mpmath takes 10 microseconds for one


@entry
def _exp(x: Floats, out: Floats) -> None:
    for i in range(x.size):
        out[i] = special.exp(x[i])


@entry
def _log(x: Floats, out: Floats) -> None:
    for i in range(x.size):
        out[i] = special.log(x[i])


@entry
def _uniform(words: NDArray[np.uint32], out: Floats) -> None:
    for i in range(words.size):
        out[i] = special.uniform(words[i], out.dtype.type(1))


@entry
def _sin_cos_of_single(x: Floats, sine: Floats, cosine: Floats) -> None:
    for i in range(x.size):
        sine[i], cosine[i] = _sin_cos_single(x[i])


@entry
def _sin_cos_of_double(x: Floats, sine: Floats, cosine: Floats) -> None:
    for i in range(x.size):
        sine[i], cosine[i] = _sin_cos_double(x[i])


@entry
def _box_muller(a: NDArray[np.uint32], b: NDArray[np.uint32], first: Floats, second: Floats) -> None:
    for i in range(a.size):
        first[i], second[i] = special.box_muller(a[i], b[i], first.dtype.type(1))


@entry
def _fma(a: Floats, b: Floats, c: Floats, out: Floats) -> None:
    for i in range(a.size):
        out[i] = special.fma(a[i], b[i], c[i])


def _through(fill: Callable[..., None], x: Floats, real: Real) -> Floats:
    out: Floats = np.empty(x.size, real)
    fill(x, out)
    return out


def _error(function: str, x: Floats, got: Floats) -> float:
    """Return the largest error of `got` in ulp, where the exact value is a function of NumPy's and mpmath's."""
    if x.dtype == np.float32:
        exact = getattr(np, function)(x.astype(np.float64))
        off = np.abs(got.astype(np.float64) - exact)
    else:
        with mpmath.workdps(30):
            references = [getattr(mpmath, function)(mpmath.mpf(float(v))) for v in x]
            off = np.array([float(abs(mpmath.mpf(float(g)) - r)) for g, r in zip(got, references, strict=True)])
        exact = np.array([float(r) for r in references])
    inexact = off > 0
    return float(np.max(off[inexact] / np.spacing(np.abs(exact[inexact]).astype(x.dtype)), initial=0.0))


def _every(real: Real, low: float, high: float, count: int) -> Floats:
    """Return about `count` floats from `low` to `high` of one sign, evenly spaced by their bits."""
    bits: type[np.uint32 | np.uint64] = np.uint32 if real is np.float32 else np.uint64
    first, last = (int(real(abs(end)).view(bits)) for end in sorted((low, high), key=abs))
    sizes: Floats = np.append(np.arange(first, last, max(1, (last - first) // count)), last).astype(bits).view(real)
    return sizes if high > 0 else -sizes


def _count(real: Real) -> int:
    return 500_000 if real is np.float32 else RANDOM // 4


@BOTH
def test_exp(real: Real) -> None:
    """Exp errs by less than 1.05 ulp from e**-87 to e**88 in single, e**-708 to e**709 in double precision.

    Measured: 1.023 ulp in single precision, 1.003 in double.
    """
    low, high = (-87.0, 88.0) if real is np.float32 else (-708.0, 709.0)
    count, random = _count(real), np.random.default_rng(1)
    halves = ((np.arange(-100, 100) + 0.5) * np.log(2)).astype(real)  # where the nearest power of two changes
    x = np.concatenate(
        [
            random.uniform(low, high, count).astype(real),
            random.uniform(-1, 1, count).astype(real),
            _every(real, low, -1e-30, count),
            _every(real, 1e-30, high, count),
            halves[np.abs(halves) < high - 1],
            np.nextafter(halves[np.abs(halves) < high - 1], real(np.inf)),
            np.array([0.0, -0.0, low, high], real),
        ]
    )
    assert _error("exp", x, _through(_exp, x, real)) < 1.05


@BOTH
def test_exp_outside_its_range(real: Real) -> None:
    """Exp is the value at the nearer end outside its range, infinities included, and NaN of NaN."""
    low, high = (-87, 88) if real is np.float32 else (-708, 709)
    outside = np.array([low - 1, -1e30, -np.inf, high + 1, 1e30, np.inf, np.nan], real)
    below, above = _through(_exp, np.array([low, high], real), real)
    expected = np.array([below] * 3 + [above] * 3 + [np.nan], real)
    assert np.array_equal(expected, _through(_exp, outside, real), equal_nan=True)


@BOTH
def test_log(real: Real) -> None:
    """Log errs by less than 0.9 ulp on every positive normal number, on both sides of 1 too; log 1 is 0.

    Measured: 0.888 ulp in single precision, 0.825 in double.
    """
    count, random, limits = _count(real), np.random.default_rng(2), np.finfo(real)
    near = 10 ** random.uniform(np.log10(limits.eps), 0, count)
    x = np.concatenate(
        [
            random.uniform(0, 1, count).astype(real),
            (1 - near).astype(real),
            (1 + near).astype(real),
            _every(real, 0.65, 0.75, count),  # where the exponent changes, and the error is largest
            _every(real, float(limits.tiny), float(limits.max), count),
            np.array([limits.tiny, limits.max, 2.0**-32, 0.5, 2.0, np.sqrt(0.5), np.sqrt(2), 1 - limits.epsneg], real),
        ]
    )
    x = x[x >= limits.tiny]
    assert _error("log", x, _through(_log, x, real)) < 0.9
    assert _through(_log, np.ones(1, real), real)[0] == 0


@BOTH
def test_sin_cos(real: Real) -> None:
    """On an eighth of a turn either way sine errs by less than 0.75 ulp and cosine by less than 1.25 ulp.

    Measured: 0.734 and 1.241 ulp in single precision, 0.697 and 1.237 in double.
    """
    end, count = np.pi / 4, _count(real)
    x = np.concatenate(
        [
            np.random.default_rng(3).uniform(-end, end, 2 * count).astype(real),
            _every(real, 1e-20, end, count),
            _every(real, -end, -1e-20, count),
            np.array([0.0, end, -end], real),
        ]
    )
    sine, cosine = np.empty_like(x), np.empty_like(x)
    (_sin_cos_of_single if real is np.float32 else _sin_cos_of_double)(x, sine, cosine)
    assert _error("sin", x, sine) < 0.75
    assert _error("cos", x, cosine) < 1.25


@BOTH
def test_uniform(real: Real) -> None:
    """A uniform is the middle of one of 2**31 equal parts of (0, 1): exactly in double, within 0.75 ulp in single."""
    ends = np.array([0, 1, 2, 3, 2**24, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1], np.uint32)
    random = np.random.default_rng(4).integers(0, 2**32, 500_000, dtype=np.uint32)
    words = np.concatenate([ends, random, random >> np.uint32(8), random >> np.uint32(20)])
    exact = np.array([naive.uniform(int(word)) for word in words])
    got = _through(_uniform, words, real)
    allowed = 0.75 if real is np.float32 else 0.0
    assert np.all(np.abs(got.astype(np.float64) - exact) <= allowed * np.spacing(exact.astype(real)))
    assert got.min() == 2.0**-32
    assert got.max() <= 1


def _words(count: int) -> NDArray[np.uint32]:
    """Return pairs of words [2, pair], the ends of their range and the borders of the quadrants among them."""
    borders = [(eighth * 2**29 + d) % 2**32 for eighth in range(8) for d in (-2, -1, 0, 1, 2)]
    random = np.random.default_rng(5).integers(0, 2**32, (2, count), dtype=np.uint32)
    return np.concatenate([np.array(np.meshgrid(borders, borders), np.uint32).reshape(2, -1), random], axis=1)


def _pairs(words: NDArray[np.uint32], real: Real) -> Floats:
    normals: Floats = np.empty((2, words.shape[1]), real)
    _box_muller(words[0], words[1], normals[0], normals[1])
    return normals


@BOTH
def test_box_muller(real: Real) -> None:
    """Both normals are within 3 ulp of the radius from radius times cosine and sine of the angle that is addressed.

    The uniform that gives the radius is taken as the precision has it. Measured on 18 million pairs: 2.75 ulp in
    single precision, 2.41 in double.
    """
    words = _words(RANDOM)
    u, pairs, worst = _through(_uniform, words[0], real), _pairs(words, real), 0.0
    with mpmath.workdps(30):
        for v, b, first, second in zip(u.tolist(), words[1].tolist(), *pairs.tolist(), strict=True):
            quadrant, rest = divmod(b, 2**30)
            turn = quadrant + mpmath.mpf(rest if rest < 2**29 else rest - 2**30) / 2**30  # quarters of a circle
            radius = mpmath.sqrt(-2 * mpmath.log(v))
            off = max(abs(first - radius * mpmath.cospi(turn / 2)), abs(second - radius * mpmath.sinpi(turn / 2)))
            worst = max(worst, float(off) / float(np.spacing(real(radius))))
    assert worst < 3


def test_box_muller_is_the_oracle_s() -> None:
    """In double precision the pair is that of the naive implementation, to 4e-15."""
    words = _words(RANDOM)
    expected = np.array([naive.normals(a, b) for a, b in words.T.tolist()]).T
    np.testing.assert_allclose(expected, _pairs(words, np.float64), rtol=0, atol=4e-15)


def test_box_muller_in_both_precisions() -> None:
    """The same words give normals that differ by less than 1.5e-6 where the uniform is below 0.99, by 2.5e-4 anywhere.

    Near 1 a uniform in single precision is rounded to steps of 2**-24, which moves only the smallest radii.
    """
    words = _words(500_000)
    apart = np.max(np.abs(_pairs(words, np.float32) - _pairs(words, np.float64)), axis=0)
    assert np.max(apart[words[0] < 0.99 * 2**32]) < 1.5e-6
    assert np.max(apart) < 2.5e-4


def test_largest_normal() -> None:
    """The smallest uniform gives the largest normal, sqrt(-2 log 2**-32) = 6.66."""
    first, second = _pairs(np.zeros((2, 1), np.uint32), np.float64)
    assert first[0] == pytest.approx(np.sqrt(64 * np.log(2)))
    assert second[0] == 0


@BOTH
def test_fma_rounds_once(real: Real) -> None:
    """A product that loses bits alone keeps them in an fma: (1 + e)(1 - e) - 1 is -e**2."""
    e: Floats = np.array([np.finfo(real).eps], real)
    one: Floats = np.ones(1, real)
    out: Floats = np.empty(1, real)
    _fma(one + e, one - e, -one, out)
    assert out[0] == -e[0] * e[0]

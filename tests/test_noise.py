"""Every statistic of a sample of independent variates is turned into a z-score or a p-value.

A sound generator fails a z-score test with |z| > 4.5 once in 150,000 tries, a p-value test with p < 1e-5 once in
100,000; this file has some 380 such checks, so it would fail by chance for one seed in about 350. The seed is fixed.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from kernel._core import noise
from kernel._core.jit import entry

Floats = NDArray[Any]

SEED = 20_240_229
PATHS = 2**18  # times four slots: a million normals a call
SIGMAS, P_VALUE = 4.5, 1e-5

BOTH = pytest.mark.parametrize("real", [np.float32, np.float64], ids=["single", "double"])


@entry  # inner functions of the core cannot be called from Python
def _draw_words(seed: Any, path: Any, moment: Any, row: Any, stream: Any, words: Any) -> None:
    noise.draw_words(seed, path, moment, row, stream, path.size, words)


@entry
def _to_normals(words: Any, pairs: int, normals: Any) -> None:
    noise.to_normals(words, pairs, words.shape[1], normals)


@entry
def _to_exponentials(words: Any, mean: float, exponentials: Any) -> None:
    noise.to_exponentials(words, words.size, mean, exponentials)


@entry
def _to_ceilings(words: Any, mean: float, ceilings: Any) -> None:
    noise.to_ceilings(words, words.size, mean, ceilings)


def _words(
    first: int = 0, moment: int = 0, row: int = 0, stream: int = int(noise.DIFFUSION), seed: int = SEED
) -> NDArray[np.uint32]:
    words = np.empty((4, PATHS), np.uint32)
    path = np.arange(PATHS, dtype=np.uint64) + np.uint64(first)
    moments = np.full(PATHS, moment, np.uint64)
    _draw_words(np.uint64(seed), path, moments, row, np.uint64(stream), words)
    return words


def _normals(real: type[np.float32 | np.float64] = np.float32, **address: int) -> Floats:
    normals = np.empty((4, PATHS), real)
    _to_normals(_words(**address), 2, normals)
    return normals


def _exponentials(real: type[np.float32 | np.float64], mean: float, **address: int) -> Floats:
    exponentials, words = np.empty((4, PATHS), real), _words(**address)
    for slot in range(4):
        _to_exponentials(words[slot], mean, exponentials[slot])
    return exponentials


def _moment_scores(sample: Floats, mean: float, central: list[float]) -> list[float]:
    """Return z-scores of the mean and of higher central moments, given the exact ones from order 0 to twice as high."""
    off = sample.astype(np.float64).ravel() - mean
    power, scores = off, []
    for k in range(1, len(central) // 2 + 1):
        scores.append(float(power.mean() - central[k]) / np.sqrt((central[2 * k] - central[k] ** 2) / off.size))
        power = power * off
    return scores


def _correlation_score(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(a, b)[0, 1] * np.sqrt(a.size))


@BOTH
def test_moments_of_normals(real: type[np.float32 | np.float64]) -> None:
    """The mean, variance, third and fourth moment of every slot, and of all, are a standard normal's."""
    central = [1.0, 0.0, 1.0, 0.0, 3.0, 0.0, 15.0, 0.0, 105.0]
    normals = _normals(real)
    for sample in (*normals, normals):
        assert max(map(abs, _moment_scores(sample, 0.0, central))) < SIGMAS


@BOTH
def test_tails_of_normals(real: type[np.float32 | np.float64]) -> None:
    """Beyond 2, 3, 4 and 5 deviations, on either side, there are as many normals as there should be."""
    normals = np.concatenate([_normals(real, moment=moment).ravel() for moment in range(4)])
    for deviations in (2, 3, 4, 5):
        for count in (np.sum(normals > deviations), np.sum(normals < -deviations)):
            assert stats.binomtest(int(count), normals.size, stats.norm.sf(deviations)).pvalue > P_VALUE, deviations


@BOTH
def test_law_of_normals(real: type[np.float32 | np.float64]) -> None:
    """A Kolmogorov-Smirnov test cannot tell each slot from a standard normal."""
    for slot, sample in enumerate(_normals(real)):
        assert stats.kstest(sample.astype(np.float64), "norm").pvalue > P_VALUE, slot


def test_slots_are_independent() -> None:
    """The four normals of an address are uncorrelated, and so are their squares."""
    normals = _normals()
    for a, b in combinations(normals, 2):
        assert abs(_correlation_score(a, b)) < SIGMAS
        assert abs(_correlation_score(a**2, b**2)) < SIGMAS


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"first": 1}, id="adjacent paths"),
        pytest.param({"first": 2**32}, id="paths 2**32 apart"),
        pytest.param({"first": 2**40}, id="paths 2**40 apart"),
        pytest.param({"moment": 1}, id="adjacent moments"),
        pytest.param({"moment": 2**31}, id="moments 2**31 apart"),
        pytest.param({"row": 1}, id="adjacent rows"),
        pytest.param({"stream": int(noise.BRIDGE)}, id="bridge"),
        pytest.param({"stream": int(noise.JUMP)}, id="jump"),
        pytest.param({"stream": int(noise.JUMP_SIZE)}, id="jump size"),
        pytest.param({"stream": int(noise.PASSAGE)}, id="passage"),
        pytest.param({"stream": int(noise.VARIANCE)}, id="variance"),
        pytest.param({"stream": int(noise.RESAMPLE)}, id="resample"),
        pytest.param({"seed": SEED + 1}, id="adjacent seeds"),
        pytest.param({"seed": SEED + 2**32}, id="seeds 2**32 apart"),
    ],
)
def test_addresses_are_independent(other: dict[str, Any]) -> None:
    """Normals at neighbouring addresses are uncorrelated, same slot or next, and so are their squares."""
    here, there = _normals(), _normals(**other)
    for slot in range(4):
        a, b, c = here[slot], there[slot], there[(slot + 1) % 4]
        for score in (_correlation_score(a, b), _correlation_score(a, c), _correlation_score(a**2, b**2)):
            assert abs(score) < SIGMAS, slot


def test_bits_of_words_are_fair() -> None:
    """Each bit of each of the four words is set half of the time."""
    for slot, words in enumerate(_words()):
        for bit in range(32):
            ones = int(np.count_nonzero(words & np.uint32(1 << bit)))
            assert abs(ones - PATHS / 2) / np.sqrt(PATHS / 4) < SIGMAS, (slot, bit)


@BOTH
@pytest.mark.parametrize("mean", [0.5, 3.0])
def test_exponentials(real: type[np.float32 | np.float64], mean: float) -> None:
    """Exponentials have the moments and the law of an exponential variate with the mean asked for."""
    central = [subfactorial * mean**order for order, subfactorial in enumerate((1, 0, 1, 2, 9, 44, 265))]
    sample = _exponentials(real, mean, stream=int(noise.BRIDGE))
    assert max(map(abs, _moment_scores(sample, mean, central))) < SIGMAS
    for slot in range(4):
        assert stats.kstest(sample[slot].astype(np.float64), "expon", (0, mean)).pvalue > P_VALUE, slot
    assert sample.min() >= 0


def test_exponentials_of_one_address_are_independent() -> None:
    """The four exponentials of an address are uncorrelated, and so are those of adjacent paths."""
    here, there = _exponentials(np.float32, 0.5), _exponentials(np.float32, 0.5, first=1)
    for a, b in [*combinations(here, 2), *zip(here, there, strict=True)]:
        assert abs(_correlation_score(a, b)) < SIGMAS


def test_precisions_share_their_words() -> None:
    """Single and double precision give the same normals and exponentials, up to rounding."""
    np.testing.assert_allclose(_normals(np.float32), _normals(np.float64), rtol=0, atol=2.5e-4)
    single, double = (_exponentials(real, 0.5) for real in (np.float32, np.float64))
    np.testing.assert_allclose(single, double, rtol=2e-7, atol=2**-25)


def test_two_words_make_two_normals() -> None:
    """One pair of words fills the first two slots alone, with the same normals as both pairs do."""
    both, one = _normals(), np.full((4, PATHS), 7, np.float32)
    _to_normals(_words(), 1, one)
    assert np.array_equal(both[:2], one[:2])
    assert (one[2:] == 7).all()


@BOTH
def test_ceilings(real: type[np.float32 | np.float64]) -> None:
    """A ceiling is at least the exponential of the same word, and at most mean * log 2 above it, up to rounding."""
    powers = np.array([(2**k + d) % 2**32 for k in range(33) for d in range(-300, 301)], np.uint32)
    words = np.concatenate([powers, _words()[0]])
    exponentials, ceilings = np.empty(words.size, real), np.empty(words.size, real)
    _to_exponentials(words, 0.5, exponentials)
    _to_ceilings(words, 0.5, ceilings)
    assert (ceilings > 0).all()
    assert (ceilings >= exponentials).all()
    assert np.max(ceilings - exponentials) < 0.5 * np.log(2) + 6e-6

"""Words against Random123's known answers, and against a Philox written in Python's integers."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kernel._core import noise, philox
from kernel._core.jit import entry
from kernel._core.noise import DIFFUSION, MAX_PATHS, MAX_STEPS
from tests import naive

philox4x32: Any = philox.philox4x32  # the core is typed by its compiler
draw_words: Any = noise.draw_words

KNOWN_ANSWERS = [
    tuple(int(word, 16) for word in line.split())
    for line in (Path(__file__).parent / "random123_kat.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]

word = st.integers(0, 2**32 - 1)


@entry  # inner functions of the core cannot be called from Python
def _call_philox(c0: Any, c1: Any, c2: Any, c3: Any, key: Any) -> Any:
    return philox4x32(c0, c1, c2, c3, key)


@entry
def _call_draw_words(seed: Any, path: Any, moment: Any, row: Any, stream: Any, n: int, words: Any) -> None:
    draw_words(seed, path, moment, row, stream, n, words)


def _philox(counter: tuple[int, ...], key: tuple[int, ...]) -> tuple[int, ...]:
    words = _call_philox(*(np.uint64(c) for c in (*counter, key[0] | key[1] << 32)))
    return tuple(int(w) for w in words)


def _draw(seed: int, path: list[int], moment: list[int], row: int, stream: int) -> NDArray[np.uint32]:
    words = np.zeros((4, len(path)), np.uint32)
    addresses = np.array(path, np.uint64), np.array(moment, np.uint64)
    _call_draw_words(np.uint64(seed), *addresses, row, np.uint64(stream), len(path), words)
    return words


@pytest.mark.parametrize("case", KNOWN_ANSWERS, ids=lambda case: f"{case[0]:08x}")
def test_known_answers(case: tuple[int, ...]) -> None:
    """The published vectors of Random123 come out."""
    assert case[6:] == _philox(case[:4], case[4:6])


def test_known_answers_of_the_oracle() -> None:
    """The naive Philox that the other tests lean on gives the published vectors too."""
    for c0, c1, c2, c3, k0, k1, *answer in KNOWN_ANSWERS:
        assert tuple(answer) == naive.philox4x32((c0, c1, c2, c3), (k0, k1))


@given(st.tuples(word, word, word, word), st.tuples(word, word))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_counter(counter: tuple[int, int, int, int], key: tuple[int, int]) -> None:
    """Any counter under any key gives the words of a Philox written in Python's integers."""
    assert naive.philox4x32(counter, key) == _philox(counter, key)


@given(
    seed=st.integers(0, 2**64 - 1),
    path=st.integers(0, MAX_PATHS - 1),
    moment=st.integers(0, MAX_STEPS // 4 - 1),
    row=st.integers(0, 2**16),
    stream=st.integers(0, 255),
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_address_layout(seed: int, path: int, moment: int, row: int, stream: int) -> None:
    """An address is the counter (path's lower word, moment, row, path's upper 24 bits above 8 of the stream)."""
    words = _draw(seed, [path], [moment], row, stream)
    assert naive.words_at(seed, path, moment, row, stream) == tuple(int(w) for w in words[:, 0])


def test_lanes_are_drawn_alone() -> None:
    """A lane's words depend on its own address only, and lanes past n are left alone."""
    path, moment = [7, 2**32 + 7, 7, 123_456_789_012], [0, 0, 1, 2**32 - 1]
    together = _draw(5, path, moment, 2, 1)
    for lane in range(4):
        assert np.array_equal(together[:, lane], _draw(5, [path[lane]], [moment[lane]], 2, 1)[:, 0])
    words = np.zeros((4, 4), np.uint32)
    _call_draw_words(np.uint64(5), np.array(path, np.uint64), np.array(moment, np.uint64), 2, np.uint64(1), 3, words)
    assert np.array_equal(together[:, :3], words[:, :3])
    assert not words[:, 3].any()


def test_addresses_do_not_collide() -> None:
    """Distinct addresses give distinct words, where path's upper bits and stream share a counter word above all.

    9,600 addresses of 128 bits each: a chance collision of four words has probability below 1e-30.
    """
    bits = [0, 1, 2, 255, 256, 2**24, 2**31, 2**32, 2**32 + 1, 2**33, 2**39, 2**40, 2**40 + 2**32, 2**55, MAX_PATHS - 1]
    path, moment = map(list, zip(*product(bits, [0, 1, 255, 256, 2**32 - 1]), strict=True))
    drawn = [
        _draw(seed, path, moment, row, stream)
        for seed, row, stream in product([0, 1, 2**32, 2**64 - 1], [0, 1, 2, 256], [0, 1, 2, 3, 4, 5, 128, 255])
    ]
    words = np.concatenate(drawn, axis=1)
    assert words.shape[1] == np.unique(words, axis=1).shape[1]


def test_seeds_differ() -> None:
    """Every bit of the seed's 64 changes the words."""
    seeds = [0, *(1 << bit for bit in range(64))]
    assert len(seeds) == len({_draw(seed, [3], [4], 0, int(DIFFUSION)).tobytes() for seed in seeds})

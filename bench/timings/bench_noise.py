"""How fast is noise alone: words and normals, in both precisions, beside NumPy's generators.

Everyone draws as many numbers at a time as a block of the walk has: 8,192 in single precision, half in double.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from bench.timings import noise
from bench.timings.turns import CLOCK, measure, replay

pytestmark = pytest.mark.benchmark(timer=CLOCK.read)
NUMBERS, ROUNDS = 1 << 22, 11
PRECISIONS = {"single": np.float32, "double": np.float64}
GENERATORS = {"SFC64": np.random.SFC64, "Philox": np.random.Philox}


def _groups(real: Any) -> int:
    """Return how often four numbers for each path of a block make up all."""
    return NUMBERS // (4 * noise.lanes(real))


def _kernel_normals(real: Any) -> Callable[[], Any]:
    drawn = np.empty((4, noise.lanes(real)), real)
    path, words = noise.block(real)
    return partial(noise.normals, np.uint64(0), path, _groups(real), words, drawn)


def _numpy_words(kind: Any) -> Callable[[], Any]:
    random = np.random.Generator(kind(0))

    def draw() -> None:
        for _ in range(_groups(np.float32)):
            random.integers(0, 2**32, 4 * noise.lanes(np.float32), np.uint32)

    return draw


def _numpy_normals(kind: Any, real: Any) -> Callable[[], Any]:
    random, drawn = np.random.Generator(kind(0)), np.empty(4 * noise.lanes(real), real)

    def draw() -> None:
        for _ in range(_groups(real)):
            random.standard_normal(out=drawn, dtype=real)

    return draw


def _kernel_words() -> Callable[[], Any]:
    path, words = noise.block(np.float32)
    return partial(noise.words, np.uint64(0), path, _groups(np.float32), words)


CASES: dict[str, Callable[[], Any]] = {
    "words, kernel": _kernel_words(),
    **{f"words, numpy {name}": _numpy_words(kind) for name, kind in GENERATORS.items()},
    **{f"normals {name}, kernel": _kernel_normals(real) for name, real in PRECISIONS.items()},
    **{
        f"normals {name}, numpy {generator}": _numpy_normals(kind, real)
        for generator, kind in GENERATORS.items()
        for name, real in PRECISIONS.items()
    },
}


@pytest.fixture(scope="module")
def measured() -> dict[str, list[float]]:
    """Measure all in turns."""
    return measure(CASES, ROUNDS)


@pytest.mark.parametrize("name", CASES)
def test_noise(benchmark: Any, measured: dict[str, list[float]], name: str) -> None:
    """Report a source of noise."""
    benchmark.extra_info.update(
        name=f"noise, {name}",
        contender="kernel" if name.endswith("kernel") else "numpy",
        threads=1,
        numbers=NUMBERS,
        paths=NUMBERS,
        steps=NUMBERS,
    )
    replay(benchmark, measured[name])

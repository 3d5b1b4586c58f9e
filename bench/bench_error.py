"""How long to an error of 1%: one exact step in continuous time against grids, in the kernel and in threaded NumPy.

Each method is called with the paths that give a standard error of 1%. A grid misses breaches between its points, and
no number of paths mends that: beside its time stands its bias, which is known exactly, and curves of the whole error,
sqrt(bias^2 + standard error^2), against time.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import pytest

from bench.error import CASH, METHODS, Question, question
from bench.turns import CLOCK, measure, replay
from kernel.workers import available_threads

pytestmark = pytest.mark.benchmark(timer=CLOCK.read)
ERROR = 0.01
ROUNDS = {"liquidation": 5, "rare": 3}
SIZES, MOST_WORK = (10**3, 10**4, 10**5, 10**6, 10**7), 10**8  # of a curve: paths, path-steps
_PER_PATH = 10  # what a path costs beside its steps
MODELS = ("gbm", "merton")


class Answers(NamedTuple):
    """What was measured of a question."""

    question: Question
    truth: float
    paths: int
    seconds: dict[str, list[float]]
    curves: dict[str, dict[int, float]]  # seconds by paths


@cache
def answers(model: str, level: str) -> Answers:
    """Time all methods in turns, then their curves."""
    asked = question(model, level)
    truth = asked.truth()
    paths = math.ceil((1 - truth) / truth / ERROR**2)
    seconds = measure({method: asked.answer(method, paths) for method in METHODS}, ROUNDS[level])
    curves = {}
    for method in METHODS:
        sizes = [size for size in SIZES if size * (asked.steps(method) + _PER_PATH) <= MOST_WORK]
        times = measure({str(size): asked.answer(method, size) for size in sizes}, 3)
        curves[method] = {size: sorted(times[str(size)])[len(times[str(size)]) // 2] for size in sizes}
    return Answers(asked, truth, paths, seconds, curves)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", CASH)
@pytest.mark.parametrize("model", MODELS)
def test_error(benchmark: Any, model: str, level: str, method: str) -> None:
    """Report a method's time to 1%, its answer, its bias and its curve."""
    found = answers(model, level)
    asked, truth, paths = found.question, found.truth, found.paths
    expected = asked.expected(method)

    def standard_error(size: int) -> float:
        return math.sqrt(expected * (1 - expected) / size)

    benchmark.extra_info.update(
        name=f"error, {model}, {level}, {method}",
        contender="numpy" if method.startswith("numpy") else "kernel",
        threads=available_threads(),
        paths=paths,
        steps=paths * asked.steps(method),
        probability=asked.answer(method, paths)(),
        standard_error=standard_error(paths),
        truth=truth,
        truth_error=1e-9,
        truth_by="closed form" if model == "gbm" else "collocation and Laplace transform",
        bias=expected - truth,
        bias_error=1e-9,
        relative_bias=expected / truth - 1,
        points=[
            {
                "paths": size,
                "seconds": seconds,
                "standard_error": standard_error(size),
                "error": math.hypot(expected - truth, standard_error(size)),
            }
            for size, seconds in found.curves[method].items()
        ],
    )
    replay(benchmark, found.seconds[method])

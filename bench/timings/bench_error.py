"""How long to an error of 1%: one exact step in continuous time against grids, in the kernel and in NumPy.

All methods get the paths that give the exact step a standard error of 1%. A grid misses breaches between its points,
and no number of paths mends that: beside its time stands its bias, which is known exactly, and curves of the whole
error, sqrt(bias^2 + standard error^2), against time.

Cases are named "error, <model>, <level>, <method>", and, for the methods of one exact step with a million paths, where
what a call costs however few its paths weighs little, "error, <model>, <level>, <method>, million". Of each are noted
the answer (`probability`, `standard_error`), what it tends to (`truth` with `truth_error` and `truth_by`; `bias` with
`bias_error`, `relative_bias`) and, but for those of a million paths, its curve (`points`).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import pytest

from bench.timings.error import CASH, METHODS, Question, question
from bench.timings.turns import CLOCK, measure, replay

pytestmark = pytest.mark.benchmark(timer=CLOCK.read)
ERROR = 0.01
ROUNDS, MILLION = 5, 10**6
EXACT = "exact", "numpy bridge"  # one step, without bias
SIZES, MOST_WORK = (10**3, 10**4, 10**5, 10**6, 10**7), 10**8  # of a curve: paths, path-steps
_PER_PATH = 10  # what a path costs beside its steps
MODELS = ("gbm", "merton")


class Answers(NamedTuple):
    """What was measured of a question."""

    question: Question
    paths: int
    seconds: dict[str, list[float]]
    million: dict[str, list[float]]
    curves: dict[str, dict[int, float]]  # seconds by paths


@cache
def answers(model: str, level: str) -> Answers:
    """Time all methods in turns, then their curves."""
    asked = question(model, level)
    truth = asked.truth()
    paths = math.ceil((1 - truth) / truth / ERROR**2)
    seconds = measure({method: asked.answer(method, paths) for method in METHODS}, ROUNDS)
    million = measure({method: asked.answer(method, MILLION) for method in EXACT}, ROUNDS)
    curves = {}
    for method in METHODS:
        sizes = [size for size in SIZES if size * (asked.steps(method) + _PER_PATH) <= MOST_WORK]
        times = measure({str(size): asked.answer(method, size) for size in sizes}, 3)
        curves[method] = {size: sorted(times[str(size)])[len(times[str(size)]) // 2] for size in sizes}
    return Answers(asked, paths, seconds, million, curves)


def noted(asked: Question, method: str, paths: int) -> dict[str, Any]:
    """Return what is noted of a method called with so many paths."""
    truth, expected = asked.truth(), asked.expected(method)
    return {
        "contender": "numpy" if method.startswith("numpy") else "kernel",
        "threads": asked.threads(method),
        "paths": paths,
        "steps": paths * asked.steps(method),
        "probability": asked.answer(method, paths)(),
        "standard_error": standard_error(expected, paths),
        "truth": truth,
        "truth_error": 1e-9,
        "truth_by": "collocation and Laplace transform" if asked.law.jump_intensity else "closed form",
        "bias": expected - truth,
        "bias_error": 1e-9,
        "relative_bias": expected / truth - 1,
    }


def standard_error(probability: float, paths: int) -> float:
    """Return that of a share of the paths."""
    return math.sqrt(probability * (1 - probability) / paths)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", CASH)
@pytest.mark.parametrize("model", MODELS)
def test_error(benchmark: Any, model: str, level: str, method: str) -> None:
    """Report a method's time, its answer, its bias and its curve."""
    found = answers(model, level)
    told = noted(found.question, method, found.paths)
    expected = told["truth"] + told["bias"]
    points = [
        {
            "paths": size,
            "seconds": seconds,
            "standard_error": standard_error(expected, size),
            "error": math.hypot(told["bias"], standard_error(expected, size)),
        }
        for size, seconds in found.curves[method].items()
    ]
    benchmark.extra_info.update(told, name=f"error, {model}, {level}, {method}", points=points)
    replay(benchmark, found.seconds[method])


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize("level", CASH)
@pytest.mark.parametrize("model", MODELS)
def test_million(benchmark: Any, model: str, level: str, method: str) -> None:
    """Report what a million paths take a method of one exact step."""
    found = answers(model, level)
    told = noted(found.question, method, MILLION)
    benchmark.extra_info.update(told, name=f"error, {model}, {level}, {method}, million")
    replay(benchmark, found.million[method])

"""The contenders of the benchmarks do the kernel's job: their breaches and closing equity are its own.

Each comparison of two samples is a false alarm once in 147,000 times (`cases.ALARM`); seeds are fixed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from bench.peers import Walked, c_walk, jax_walk, numpy_normals, numpy_walk, quantlib_barrier, terms
from bench.peers.processes import Processes
from bench.timings import jobs
from bench.timings.error import METHODS, question
from bench.timings.turns import CLOCK, measure, replay
from tests.cases import ALARM, strays

PATHS, SEED = 1 << 15, 42
needs_c = pytest.mark.skipif(c_walk.absent() is not None, reason=str(c_walk.absent()))


@pytest.fixture(scope="module")
def walked() -> Walked:
    """Walk the job by the kernel: closing equity, and steps before each breach as the contenders count them."""
    outcome = jobs.year(PATHS, seed=SEED).run()
    assert outcome.terminal_price is not None
    assert outcome.breach_time is not None
    step = np.round(outcome.breach_time * terms().steps) - 1
    first = np.where(np.isnan(step), terms().steps, step).astype(np.int32)
    return outcome.terminal_price[0] - np.float32(terms().debt), first


def assert_same_law(found: Walked, walked: Walked) -> None:
    """Compare the mean closing equity, and how often and after how many steps each tier is breached."""
    for mine, other in zip(_figures(found), _figures(walked), strict=True):
        error = math.sqrt(mine.var(dtype=np.float64) / mine.size + other.var(dtype=np.float64) / other.size)
        assert strays(mine.mean(dtype=np.float64), other.mean(dtype=np.float64), error) < ALARM


def _figures(walked: Walked) -> list[NDArray[Any]]:
    equity, first = walked
    return [equity, *first, *(first < terms().steps)]


@pytest.mark.parametrize("normals", [numpy_normals.own, numpy_normals.by_hand], ids=["own", "by_hand"])
def test_numpy_walks_the_job(walked: Walked, normals: numpy_normals.Source) -> None:
    """NumPy's chunks have the kernel's law, wherever its normals come from."""
    assert_same_law(numpy_walk.walk(PATHS, 2, normals), walked)


@pytest.mark.parametrize("size", [100_000, 100_001])
def test_normals_by_hand_are_standard_normals(size: int) -> None:
    """Box and Muller's pairs pass the test of Kolmogorov and Smirnov, an odd number of them too."""
    drawn = np.empty(size, np.float32)
    numpy_normals.by_hand(np.random.SeedSequence(SEED), size)(drawn)
    assert stats.kstest(drawn, "norm").pvalue > 1e-5
    assert abs(np.corrcoef(drawn[: size // 2], drawn[-(size // 2) :])[0, 1]) < ALARM / math.sqrt(size // 2)


def test_numpy_walks_the_same_paths_on_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each chunk has its own generator, whichever thread walks it."""
    monkeypatch.setattr(numpy_walk, "CHUNK", PATHS // 4)
    one, two = numpy_walk.walk(PATHS, 1), numpy_walk.walk(PATHS, 2)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])


@needs_c
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("equity_each_step", [False, True], ids=["barriers", "equity"])
def test_c_walks_the_kernels_own_paths(walked: Walked, threads: int, equity_each_step: bool) -> None:
    """The loop by hand takes the same words, so path by path it ends where the kernel does, but for rounding."""
    equity, first = c_walk.walk(PATHS, threads, SEED, equity_each_step=equity_each_step)
    np.testing.assert_allclose(equity, walked[0], rtol=3e-5, atol=3e-5)
    assert (first != walked[1]).mean() < 1e-3


def test_jax_walks_the_job(walked: Walked) -> None:
    """JAX's blocks have the kernel's law."""
    pytest.importorskip("jax", reason="JAX is an extra of the benchmarks")
    with Processes(1) as processes:
        ((paths, equity, breached),) = processes.share(jax_walk.walked, PATHS, 1)
    assert paths == PATHS
    error = math.sqrt(2 * walked[0].var(dtype=np.float64) / PATHS)
    assert strays(equity, walked[0].mean(dtype=np.float64), error) < ALARM
    for share, mine in zip(breached, (walked[1] < terms().steps).mean(axis=1), strict=True):
        assert strays(share, mine, math.sqrt(2 * mine * (1 - mine) / PATHS)) < ALARM


def test_quantlib_prices_the_last_tiers_breach(walked: Walked) -> None:
    """The rebate of QuantLib's option is worth the probability that the last tier stands."""
    found, mine = quantlib_barrier.price(1 << 13, SEED), (walked[1][-1] < terms().steps).mean()
    error = math.hypot(found.standard_error, math.sqrt(mine * (1 - mine) / PATHS))
    assert strays(found.probability, mine, error) < ALARM


@pytest.mark.parametrize(("model", "level"), [("gbm", "liquidation"), ("gbm", "rare"), ("merton", "liquidation")])
def test_every_way_to_a_liquidation_tends_to_its_own_probability(model: str, level: str) -> None:
    """The exact step estimates the truth; grids, in the kernel and in NumPy, their own probability, not the truth."""
    asked, paths = question(model, level), 20_000
    for method in METHODS:
        if "5 minutes" in method:
            continue
        expected = asked.expected(method)
        error = math.sqrt(expected * (1 - expected) / paths)
        assert strays(asked.answer(method, paths)(), expected, error) < ALARM, method


def test_the_bridge_in_numpy_knows_paths_of_many_jumps() -> None:
    """With four jumps a path and several chunks, bridges between jumps give the transform's probability."""
    asked, paths = question("merton", "liquidation"), 1 << 18
    asked = asked._replace(law=asked.law._replace(jump_intensity=300.0))
    expected = asked.truth()
    error = math.sqrt(expected * (1 - expected) / paths)
    assert strays(asked.answer("numpy bridge", paths)(), expected, error) < ALARM


def test_replayed_rounds_are_those_measured() -> None:
    """The clock of a benchmark shows what a case took in its turns."""

    class Benchmark:
        rounds: list[float]

        def pedantic(self, run: Any, rounds: int) -> None:
            times = [CLOCK.read()]
            for _ in range(rounds):
                run()
                times.append(CLOCK.read())
            self.rounds = np.diff(times).tolist()

    seconds = measure({"nothing": lambda: None, "sum": lambda: sum(range(1_000))}, 2, 0.001)
    benchmark = Benchmark()
    replay(benchmark, seconds["sum"])
    assert benchmark.rounds == pytest.approx(seconds["sum"])

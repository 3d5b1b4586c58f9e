"""The same seed gives the same bits, whoever computes them and however the work is cut."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike

import kernel
from kernel._core.fields import Fields
from kernel._core.lanes import Workspace
from kernel._core.walk import new_workspace
from kernel.errors import Problems
from kernel.simulation import chunks
from kernel.simulation import simulate as simulation
from kernel.simulation.check import check_simulation
from tests.cases import BATES, FILTERED, GBM, GRID, HESTON, HORIZON, KOU, LADDER, LONG, MERTON, run
from tests.conftest import pair

PAIR = kernel.Gbm(
    assets=["BTC", "ETH"], spot=[60_000.0, 3_000.0], volatility=[0.65, 0.8], correlation=[[1.0, 0.8], [0.8, 1.0]]
)
HEDGED = kernel.Account(
    cash=-50_000.0,
    positions=[kernel.Linear("BTC", quantity=1.0), kernel.Linear("ETH", quantity=-3.0, entry_price=3_000.0)],
    maintenance_rate={"BTC": 0.005, "ETH": 0.01},
)
LONG_BOTH = kernel.Account(
    cash=-108_000.0,
    positions=[kernel.Linear("BTC", quantity=1.0), kernel.Linear("ETH", quantity=1.0)],
    maintenance_rate=0.005,
)
CASES = [(GBM, LONG), (MERTON, LONG), (KOU, LONG), (PAIR, HEDGED), (HESTON, LONG), (FILTERED, LONG), (BATES, LONG)]
IDS = ["gbm", "merton", "kou", "pair", "heston", "filtered", "bates"]


def same(one: kernel.Outcome, other: kernel.Outcome, paths: int | None = None) -> bool:
    """Compare two outcomes bit for bit, NaN equal to NaN, on the first paths."""
    pairs = ((one.loss, other.loss), (one.terminal_price, other.terminal_price), (one.breach_time, other.breach_time))
    return all(a[..., :paths].tobytes() == b[..., :paths].tobytes() for a, b in pairs)


@pytest.mark.parametrize(("market", "account"), CASES, ids=IDS)
def test_threads_do_not_change_a_bit(market: kernel.Market, account: kernel.Account) -> None:
    """One thread and five threads give the same arrays."""
    one, five = (run(market, account, paths=300_001, steps=GRID, threads=threads) for threads in (1, 5))
    assert same(one, five)


@pytest.mark.parametrize(("market", "account"), CASES, ids=IDS)
def test_chunks_do_not_change_a_bit(
    market: kernel.Market, account: kernel.Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Odd chunk sizes, far from any multiple of the lanes, give the same arrays."""
    whole = run(market, account, paths=20_011, steps=GRID)
    for size in (17, 1_000, 2_049):
        monkeypatch.setattr(simulation, "chunk_size", lambda *_, size=size: size)
        assert same(whole, run(market, account, paths=20_011, steps=GRID))


def rubbish(real: DTypeLike, assets: int, tiers: int, fields: Fields) -> Workspace:
    """Return a workspace of random bytes with an empty queue."""
    work = new_workspace(real, assets, tiers, fields)
    for array in work:
        view = array.view(np.uint8)
        view[...] = np.random.default_rng(0).integers(0, 256, view.shape, np.uint8)
    work.queue["count"] = 0
    return work


@pytest.mark.parametrize(
    "settings", [{"worst": True}, {"monitoring": "discrete"}, {"importance": "liquidation"}], ids=str
)
@pytest.mark.parametrize(("market", "account"), [*CASES, (pair(MERTON), LONG_BOTH)], ids=[*IDS, "merton pair"])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_a_thread_walked_before_does_not_change_a_bit(
    market: kernel.Market, account: kernel.Account, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads keep their scratch for the next chunk, of another simulation perhaps: its contents do not matter."""
    if "importance" in settings and not isinstance(market, (kernel.Gbm, kernel.Merton, kernel.Kou)):
        pytest.skip("importance sampling is for Gbm, Merton and Kou")
    clean = run(market, account, paths=3_001, steps=GRID, **settings)
    monkeypatch.setattr(chunks, "new_workspace", rubbish)
    dirty = run(market, account, paths=3_001, steps=GRID, **settings)
    assert same(clean, dirty)
    for name in ("worst", "weight", "breach_weight"):
        one, other = getattr(clean, name), getattr(dirty, name)
        assert (one is None and other is None) or one.tobytes() == other.tobytes()


@pytest.mark.parametrize(("market", "account"), CASES, ids=IDS)
def test_a_path_does_not_depend_on_how_many_follow(market: kernel.Market, account: kernel.Account) -> None:
    """The first 3,001 of 50,000 paths are the 3,001 paths of a smaller run."""
    few, many = (run(market, account, paths=paths, steps=GRID) for paths in (3_001, 50_000))
    assert same(few, many, 3_001)


def test_executors_do_not_change_a_bit() -> None:
    """A foreign thread pool and a process pool give the arrays of the own pool."""
    own = run(MERTON, paths=200_000, steps=3)
    with ThreadPoolExecutor(3) as threads:
        assert same(own, run(MERTON, paths=200_000, steps=3, executor=threads))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        assert same(own, run(MERTON, paths=200_000, steps=3, executor=processes))


def test_a_chunk_is_a_pure_function_of_its_spec() -> None:
    """Running one chunk alone gives its slice of the whole, in either precision."""
    for precision in ("single", "double"):
        whole = run(KOU, paths=5_000, steps=3, precision=precision)
        stated = {"horizon": HORIZON, "steps": 3, "paths": 5_000, "precision": precision, "record": "paths"}
        problems = Problems()
        settings = check_simulation(problems, stated, market=KOU, account=LONG, ladder=LADDER)
        assert problems.found == []
        job = simulation.new_job(KOU, LONG, LADDER, settings)
        result = chunks.run_chunk(chunks.ChunkSpec(job, 1_234, 2_345))
        assert result.arrays is not None
        assert result.arrays.loss.tobytes() == whole.loss[1_234:2_345].tobytes()
        assert result.arrays.breach_time.tobytes() == whole.breach_time[:, 1_234:2_345].tobytes()


def test_seeds_differ() -> None:
    """Another seed gives other paths."""
    assert not (run(GBM, paths=1_000).loss == run(GBM, paths=1_000, seed=1).loss).any()


@pytest.mark.parametrize(("market", "account"), CASES[:-1], ids=IDS[:-1])
@pytest.mark.parametrize("monitoring", ["continuous", "discrete"])
def test_double_precision_walks_the_same_paths(market: kernel.Market, account: kernel.Account, monitoring: str) -> None:
    """Path by path, single precision differs from double by rounding alone."""
    single, double = (
        run(market, account, paths=100_000, steps=GRID, monitoring=monitoring, precision=precision)
        for precision in ("single", "double")
    )
    np.testing.assert_allclose(single.terminal_price, double.terminal_price, rtol=5e-6)
    unequal = np.isnan(single.breach_time) != np.isnan(double.breach_time)
    assert unequal.mean() < 2e-5  # a path that ends within rounding of a tier may fall on either side
    both = ~np.isnan(single.breach_time) & ~np.isnan(double.breach_time)
    difference = np.abs(single.breach_time[both] - double.breach_time[both]) / HORIZON
    assert np.quantile(difference, 0.99) < 1e-4
    assert (difference > 0.01).mean() < 1e-4


def test_many_steps_of_single_precision_do_not_drift() -> None:
    """Ten thousand additions of a small drift leave no bias: on average the precisions differ by rounding alone."""
    market = kernel.Gbm(assets=["BTC"], spot=60_000.0, drift=0.5, volatility=0.1)
    single, double = (
        run(market, horizon=1.0, steps=10_000, paths=2_000, precision=precision, monitoring="discrete")
        for precision in ("single", "double")
    )
    difference = np.log(single.terminal_price.astype(float) / double.terminal_price)
    assert abs(difference.mean()) < 1e-5


def test_a_summary_has_the_estimates_of_the_paths() -> None:
    """VaR, ES, their errors and the breaches on the grid are the same numbers with and without paths kept."""
    levels = (0.9, 0.99, 0.999)
    paths = run(MERTON, paths=300_001, steps=3)
    summary = run(MERTON, paths=300_001, steps=3, record="summary", levels=levels, threads=3)
    assert summary.loss is None
    for level in levels:
        assert kernel.value_at_risk(paths, level) == kernel.value_at_risk(summary, level)
        assert kernel.expected_shortfall(paths, level) == kernel.expected_shortfall(summary, level)
    for tier in LADDER.names:
        for by in (None, HORIZON / 5, HORIZON / 3, 0.0):
            assert kernel.breach_probability(paths, tier, by) == kernel.breach_probability(summary, tier, by)
        assert (kernel.survival(paths, tier).probabilities == kernel.survival(summary, tier).probabilities).all()
        exact, counted = (kernel.breach_time_quantile(outcome, tier, 0.5) for outcome in (paths, summary))
        assert abs(exact.value - counted.value) < HORIZON / 1440


def test_progress_is_told_at_chunk_borders() -> None:
    """Progress rises to the number of paths."""
    told: list[tuple[int, int]] = []
    run(GBM, paths=300_001, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (300_001, 300_001)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len(told) > 1

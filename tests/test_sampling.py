"""Antithetic pairs and Sobol points: what they promise path by path, the same bits for all, errors that hold."""

from __future__ import annotations

import math
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr

import kernel
from bench.oracles import gbm, tails
from kernel.measures.estimate import proportion
from kernel.measures.weighted import WeightedSample, critical_value
from kernel.simulation import simulate as simulation
from kernel.simulation.sampling.ordering import build_bridge, halves, rotate, rotation
from tests.cases import ALARM, FILTERED, GBM, GRID, HESTON, HORIZON, LADDER, LONG, MERTON, barriers, run, strays
from tests.test_invariance import HEDGED, PAIR, same

NU, SIGMA = 0.1 - 0.65**2 / 2, 0.65
PATHS = {"plain": 4_000, "antithetic": 4_000, "sobol": 4_096}
SAMPLED = ["antithetic", "sobol"]


def closes(outcome: kernel.Outcome) -> np.ndarray[Any, Any]:
    """Return the standard normals that the closing prices of GBM stand for, [path]."""
    assert outcome.terminal_price is not None
    log_price = np.log(outcome.terminal_price[0].astype(np.float64) / 60_000.0)
    return (log_price - NU * HORIZON) / (SIGMA * math.sqrt(HORIZON))


# The order of the points


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 13, 120])
def test_the_bridge_keeps_normals_independent_and_puts_the_close_first(steps: int) -> None:
    """It is an orthogonal transform; the first normal moves all steps alike, each other one no close."""
    normals = np.eye(steps)
    build_bridge(normals)
    np.testing.assert_allclose(normals.T @ normals, np.eye(steps), atol=1e-12)
    np.testing.assert_allclose(normals[:, 0], 1 / math.sqrt(steps))
    np.testing.assert_allclose(normals[:, 1:].sum(axis=0), 0, atol=1e-12)


def test_the_bridge_has_the_law_of_a_brownian_bridge() -> None:
    """Given the sum of a stretch, that of its first m of n steps has mean m / n of it and variance m (n - m) / n."""
    normals = np.eye(7)
    build_bridge(normals)
    path = np.vstack([np.zeros(7), np.cumsum(normals, axis=0)])
    for node, (first, middle, last) in enumerate(halves(7), start=1):
        share = (middle - first) / (last - first)
        moved = path[middle] - (1 - share) * path[first] - share * path[last]
        expected = math.sqrt((middle - first) * (last - middle) / (last - first)) * np.eye(7)[node]
        np.testing.assert_allclose(moved, expected, atol=1e-12)


@pytest.mark.parametrize("value", [[1.0, 2.0, -3.0], [0.0, 0.0, 0.0]])
@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
def test_the_first_component_moves_the_book_most(value: list[float], correlation: float) -> None:
    """The rotation is orthogonal, also where assets are one or nothing is held; only the first moves the value."""
    market = kernel.Gbm(
        assets=["A", "B", "C"], spot=1.0, volatility=[0.5, 0.7, 1.0],
        correlation=np.eye(3) * (1 - correlation) + correlation,
    )  # fmt: skip
    turned = rotation(market.loading(), np.array(value))
    np.testing.assert_allclose(turned @ turned.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose((market.loading().T @ value @ turned)[1:], 0, atol=1e-12)
    components = np.random.default_rng(0).normal(size=(3, 5))
    np.testing.assert_allclose(rotate(components, turned), turned @ components)


# The paths


@pytest.mark.parametrize("steps", [1, 6])
def test_odd_paths_mirror_the_even_ones(steps: int) -> None:
    """Closes of a pair are opposite; the even ones are those of plain sampling, path by path."""
    settings: dict[str, Any] = {"steps": steps, "precision": "double"}
    paired, plain = run(GBM, paths=2_000, sampling="antithetic", **settings), run(GBM, paths=1_000, **settings)
    z = closes(paired)
    np.testing.assert_allclose(z[0::2], -z[1::2], atol=1e-9)
    np.testing.assert_array_equal(z[0::2], closes(plain))


@pytest.mark.parametrize("steps", [1, 6])
def test_every_replicate_fills_every_stratum(steps: int) -> None:
    """Of the n closes of a replicate one lies in each n-th of the law, whatever the steps: the first dimension's."""
    outcome = run(GBM, paths=2**13, sampling="sobol", steps=steps, precision="double")
    size = outcome.paths // outcome.replicates
    for z in closes(outcome).reshape(outcome.replicates, -1):
        assert sorted(np.floor(ndtr(z) * size)) == list(range(size))


@pytest.mark.parametrize("sampling", SAMPLED)
@pytest.mark.parametrize(("market", "account"), [(GBM, LONG), (MERTON, LONG), (PAIR, HEDGED), (HESTON, LONG)])
def test_the_work_does_not_change_a_bit(
    market: kernel.Market, account: kernel.Account, sampling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any number of threads, and chunks that cut replicates and pairs anywhere, give the same arrays."""
    settings: dict[str, Any] = {"paths": PATHS[sampling], "sampling": sampling, "steps": GRID}
    whole = run(market, account, threads=1, **settings)
    for size in (17, 1_001):
        monkeypatch.setattr(simulation, "chunk_size", lambda *_, size=size: size)
        assert same(whole, run(market, account, threads=3, **settings))


def test_processes_do_not_change_a_bit() -> None:
    """Workers make the same points."""
    settings: dict[str, Any] = {"paths": 2**17, "sampling": "sobol", "steps": 3}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        assert same(run(GBM, **settings), run(GBM, **settings, executor=processes))


def test_seeds_and_replicates_differ() -> None:
    """Another seed is another scrambling, and so is another replicate."""
    one, other = (closes(run(GBM, paths=2_048, sampling="sobol", seed=seed)) for seed in (0, 1))
    assert not (one == other).any()
    assert len(set(one.tolist())) == 2_048


# The estimates


@pytest.mark.parametrize("sampling", SAMPLED)
@pytest.mark.parametrize("steps", [1, 5])
def test_breaches_follow_the_closed_form(sampling: str, steps: int) -> None:
    """Bridges stay random, so first passage in continuous time is as exact as ever."""
    outcome = run(GBM, paths={"antithetic": 200_000, "sobol": 2**17}[sampling], sampling=sampling, steps=steps)
    for tier, barrier in zip(LADDER.names, barriers(LONG), strict=True):
        estimate = kernel.breach_probability(outcome, tier)
        truth = float(gbm.hit_probability(barrier, NU, SIGMA, HORIZON))
        assert strays(estimate.value, truth, estimate.standard_error) < ALARM
    median, truth = kernel.breach_time_quantile(outcome, "call", 0.5), barriers(LONG)[1]
    exact = gbm.hit_time_quantile(truth, NU, SIGMA, HORIZON, 0.5)
    assert strays(median.value, exact, median.standard_error) < ALARM


@pytest.mark.parametrize("sampling", SAMPLED)
@pytest.mark.parametrize("market", [MERTON, HESTON])
def test_expected_prices_stay(market: kernel.Market, sampling: str) -> None:
    """With jumps and moving variances, prices grow on average by the drift: nothing is biased."""
    outcome = run(market, paths={"antithetic": 200_000, "sobol": 2**17}[sampling], sampling=sampling, steps=GRID)
    assert outcome.terminal_price is not None
    price = outcome.terminal_price[0].astype(np.float64)
    error = WeightedSample(price, None, outcome.replicates, 0).standard_error(price)
    assert strays(price.mean(), 60_000.0 * math.exp(0.1 * HORIZON), error) < ALARM


def test_sobol_points_need_ten_times_fewer_paths() -> None:
    """By the stated errors, a smooth book's ES 99%, one asset and two, in one step and five."""
    for market, account in ((GBM, LONG), (PAIR, HEDGED)):
        for steps in (1, 5):
            sobol, plain = (
                kernel.expected_shortfall(run(market, account, paths=2**17, steps=steps, sampling=sampling), 0.99)
                for sampling in ("sobol", "plain")
            )
            assert plain.standard_error**2 > 10 * sobol.standard_error**2
            assert strays(sobol.value, plain.value, math.hypot(plain.standard_error, sobol.standard_error)) < ALARM


def weighted(seed: int, paths: int = 4_000) -> kernel.Outcome:
    """Simulate under a drift that is lower by 14 a year and weight the paths back, at the close."""
    h = -14.0 / SIGMA**2
    outcome = run(replace(GBM, drift=0.1 - 14.0), paths=paths, seed=seed, monitoring="discrete")
    assert outcome.terminal_price is not None
    assert outcome.breach_time is not None
    ratio = np.exp((h * NU + (h * SIGMA) ** 2 / 2) * HORIZON - h * np.log(outcome.terminal_price[0] / 60_000.0))
    return replace(outcome, weight=ratio, breach_weight=np.where(np.isnan(outcome.breach_time), 0.0, ratio))


def hits(draw: Any, runs: int) -> np.ndarray[Any, Any]:
    """Return the share of runs whose intervals hold the truth: VaR 99%, ES 99%, a breach looked for at the close."""
    arguments = (60_000.0, 60_000.0, 0.1, SIGMA, HORIZON)
    barrier = barriers(LONG)[2]
    truths = (
        gbm.value_at_risk(0.99, 1.0, *arguments),
        gbm.expected_shortfall(0.99, 1.0, *arguments),
        float(ndtr((barrier - NU * HORIZON) / (SIGMA * math.sqrt(HORIZON)))),
    )
    found = np.zeros(3)
    for seed in range(runs):
        outcome = draw(seed)
        estimates = (
            kernel.value_at_risk(outcome, 0.99),
            kernel.expected_shortfall(outcome, 0.99),
            kernel.breach_probability(outcome, "last_call"),
        )
        found += [one.low <= truth <= one.high for one, truth in zip(estimates, truths, strict=True)]
    return np.asarray(found / runs)


DRAWN = {
    "antithetic": lambda seed: run(GBM, paths=4_000, sampling="antithetic", monitoring="discrete", seed=seed),
    "sobol": lambda seed: run(GBM, paths=4_096, sampling="sobol", monitoring="discrete", seed=seed),
    "weighted": weighted,
}


@pytest.mark.parametrize("drawn", DRAWN)
def test_intervals_cover(drawn: str) -> None:
    """Of 200 runs at least 95% less 4.5 errors, less 4% for tails of forty losses, hold the truth."""
    assert (hits(DRAWN[drawn], 200) > 0.95 - 4.5 * math.sqrt(0.95 * 0.05 / 200) - 0.04).all()


def test_the_median_states_its_error() -> None:
    """Of 200 runs under Sobol points and pairs, the stated error of VaR 50% is at least 0.8 of the actual one.

    The ratio is known to within 5%, so that 0.8 is four errors below 1; the lower of the middle two losses had 0.55.
    """
    truth = gbm.value_at_risk(0.5, 1.0, 60_000.0, 60_000.0, 0.1, SIGMA, HORIZON)
    for sampling in SAMPLED:
        outcomes = (
            run(GBM, paths=PATHS[sampling], sampling=sampling, monitoring="discrete", worst=True, seed=seed, threads=1)
            for seed in range(200)
        )
        found = np.array([(kernel.value_at_risk(one, 0.5), kernel.threshold(one, 0.5)) for one in outcomes])
        value, error, low, high = np.moveaxis(found, 2, 0)
        truths = truth, (6_000.0 - truth) / (60_000.0 - truth) / 0.005  # the margin ratio at the median's close
        assert (error.mean(axis=0) > 0.8 * np.sqrt(np.mean((value - truths) ** 2, axis=0))).all()
        assert ((low <= truths) & (truths <= high)).mean() > 0.95


@pytest.mark.parametrize("sampling", SAMPLED)
def test_times_of_discrete_monitoring_stay_ends_of_steps(sampling: str) -> None:
    """The quantiles of breach times are not interpolated: what is looked at once a day breaches on a day."""
    outcome = run(GBM, paths=PATHS[sampling], sampling=sampling, monitoring="discrete", steps=5)
    for probability in np.linspace(0.1, 0.9, 9):
        days = 5 * kernel.breach_time_quantile(outcome, "warning", float(probability)).value / HORIZON
        assert days == pytest.approx(round(days), abs=1e-5)


def pairs_of(generator: np.random.Generator) -> np.ndarray[Any, Any]:
    """Draw uniforms of 1,000 paths in antithetic pairs: ten in the worst hundredth."""
    uniform = generator.uniform(size=500)
    return np.column_stack([uniform, 1 - uniform]).ravel()


def strata_of(generator: np.random.Generator) -> np.ndarray[Any, Any]:
    """Draw uniforms of 32 replicates of 64 paths, one in each stratum: twenty in the worst hundredth."""
    return ((np.arange(64) + generator.uniform(size=(32, 64))) / 64).ravel()


@pytest.mark.parametrize(("draw", "replicates"), [(pairs_of, 50), (strata_of, 32)], ids=SAMPLED)
@pytest.mark.parametrize("law", tails.laws()[3:], ids=lambda law: law.name)
def test_few_tail_losses_in_replicates_are_covered(draw: Any, replicates: int, law: tails.Law) -> None:
    """Of 2,000 samples at least 93% less 4.5 errors hold ES 99%: symmetric intervals held 85% to 89% of lognormals."""
    generator, covered = np.random.default_rng(0), 0
    for _ in range(2_000):
        losses = law.loss(draw(generator))
        outcome = kernel.PathOutcome(
            paths=losses.size, horizon=1.0, assets=("A",), tiers=(), opening_equity=1.0, provenance={}, loss=losses,
            terminal_price=np.ones((1, losses.size)), breach_time=np.empty((0, losses.size)), replicates=replicates,
        )  # fmt: skip
        found = kernel.expected_shortfall(outcome, 0.99)
        covered += found.low <= law.expected_shortfall(0.99) <= found.high
    assert covered / 2_000 > 0.93 - ALARM * math.sqrt(0.93 * 0.07 / 2_000)


@pytest.mark.parametrize("sampling", SAMPLED)
def test_sampling_goes_with_importance(sampling: str) -> None:
    """Weighted paths in replicates: ES 99.9% is unbiased, its error below that of the tilt alone."""
    arguments = (1.0, 60_000.0, 60_000.0, 0.1, SIGMA, HORIZON)
    both, alone = (
        kernel.expected_shortfall(run(GBM, importance=0.999, sampling=one, paths=paths), 0.999)
        for one, paths in ((sampling, {"antithetic": 65_600, "sobol": 2**16}[sampling]), ("plain", 2**16))
    )
    assert strays(both.value, gbm.expected_shortfall(0.999, *arguments), both.standard_error) < ALARM
    assert both.standard_error < alone.standard_error


@pytest.mark.slow
@pytest.mark.parametrize("drawn", DRAWN)
def test_intervals_cover_over_thousands_of_runs(drawn: str) -> None:
    """Of 4,000 runs from 92% of normal approximations to all of order statistics."""
    assert (hits(DRAWN[drawn], 4_000) > 0.95 - 0.04).all()


@pytest.mark.parametrize("count", [10, 16, 32, 50])
def test_critical_values_are_students(count: int) -> None:
    """The expansion meets the quantile of Student's t within a thousandth."""
    assert critical_value(count) == pytest.approx(stats.t.ppf(0.975, count - 1), abs=1e-3)
    assert critical_value(0) == pytest.approx(stats.norm.ppf(0.975))


def test_equal_weights_change_no_value() -> None:
    """With all ratios 1, and with the paths put into replicates, every measure has the value of plain paths.

    But for Value at Risk, which is interpolated there: half way to the next loss, at a whole number of paths.
    """
    plain = run(GBM, paths=20_000)
    assert plain.breach_time is not None
    losses = np.sort(plain.loss)
    ones = replace(plain, weight=np.ones(20_000), breach_weight=np.where(np.isnan(plain.breach_time), 0.0, 1.0))
    for other in (ones, replace(plain, replicates=50), replace(ones, replicates=50)):
        for level in (0.5, 0.95, 0.99, 0.999):
            at = kernel.value_at_risk(plain, level).value
            after = float(losses[np.searchsorted(losses, at, side="right")])
            assert kernel.value_at_risk(other, level).value == pytest.approx((at + after) / 2, rel=1e-6)
            shortfall = kernel.expected_shortfall(plain, level)
            assert kernel.expected_shortfall(other, level).value == pytest.approx(shortfall.value)
            if not other.replicates:
                error = kernel.expected_shortfall(other, level).standard_error
                assert error == pytest.approx(shortfall.standard_error, rel=0.03)
        for by in (None, HORIZON / 3, 0.0):
            found, expected = (kernel.breach_probability(one, "call", by) for one in (other, plain))
            assert found.value == pytest.approx(expected.value)
            if not other.replicates:
                assert found == pytest.approx(expected, rel=0.01, abs=1e-6)
        for probability in (0.1, 0.5, 0.9):
            found, expected = (kernel.breach_time_quantile(one, "call", probability) for one in (other, plain))
            assert found.value == expected.value
            assert found.standard_error == pytest.approx(expected.standard_error, rel=0.6)


@given(
    st.lists(st.tuples(st.integers(-5, 5), st.floats(0.01, 3)), min_size=1, max_size=30), st.sampled_from([0.5, 0.9])
)
def test_weighted_tails_meet_explicit_loops(pairs: list[tuple[int, float]], level: float) -> None:
    """VaR is interpolated between losses that stand in the middle of their weights.

    ES adds what lies above the smallest loss with at most a share 1 - level of weight above it.
    """
    losses, weights = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    outcome = kernel.PathOutcome(
        paths=len(pairs), horizon=1.0, assets=("A",), tiers=("call",), opening_equity=1.0, provenance={}, loss=losses,
        terminal_price=np.zeros((1, len(pairs))), breach_time=np.full((1, len(pairs)), math.nan), weight=weights,
        breach_weight=np.zeros((1, len(pairs))),
    )  # fmt: skip
    allowed = (1 - level) * len(pairs) + 1e-12 * weights.sum()
    value = min(
        loss for loss in losses if sum(w for one, w in zip(losses, weights, strict=True) if one > loss) <= allowed
    )
    excess = sum(w * max(one - value, 0.0) for one, w in zip(losses, weights, strict=True))
    order = np.argsort(losses, kind="stable")
    middles = np.cumsum(weights[order]) - weights[order] / 2
    interpolated = np.interp(weights.sum() - (1 - level) * len(pairs), middles, losses[order])
    found = kernel.value_at_risk(outcome, level)
    assert found.value == pytest.approx(interpolated, abs=1e-6)
    assert found.low <= found.value <= found.high
    shortfall = kernel.expected_shortfall(outcome, level).value
    assert shortfall == pytest.approx(value + excess / len(pairs) / (1 - level))


@pytest.mark.parametrize("drawn", DRAWN)
def test_survival_is_what_breach_probability_tells(drawn: str) -> None:
    """At the times of its grid survival is 1 less the probability of a breach, with the same error and interval."""
    outcome = DRAWN[drawn](0)
    survival = kernel.survival(outcome, "call")
    for k in (0, 720, 1_440):
        breach = kernel.breach_probability(outcome, "call", by=min(survival.times[k], HORIZON))
        assert survival.probabilities[k] == pytest.approx(1 - breach.value)
        assert survival.standard_error[k] == pytest.approx(breach.standard_error, rel=1e-3)
        assert (survival.low[k], survival.high[k]) == pytest.approx((1 - breach.high, 1 - breach.low), rel=1e-6)


def test_replicates_without_a_breach_leave_an_upper_bound() -> None:
    """No path of 4,096 breaches: the interval is Wilson's, at Student's critical value."""
    account = kernel.Account(cash=1e6, positions=[kernel.Linear("BTC", quantity=1.0)], maintenance_rate=0.005)
    found = kernel.breach_probability(run(GBM, account, paths=4_096, sampling="sobol"), "call")
    assert found == proportion(0, 4_096, critical_value(32))
    assert 0 < found.high < 2e-3


# What is refused


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sampling": "halton"}, "sampling: must be plain, antithetic or sobol, not 'halton'"),
        ({"sampling": "antithetic", "paths": 1_050}, "paths: must be a multiple of 100 with .*: 1,100 would do"),
        ({"sampling": "sobol", "paths": 100_000}, "paths: must be a power of two, at least 2,048, .*: 131,072 would"),
        ({"sampling": "sobol", "paths": 64}, "paths: .*: 2,048 would do"),
        ({"sampling": "sobol", "paths": 2_048, "steps": 30_000}, "steps: times assets must be at most 21,201"),
        ({"sampling": "sobol", "paths": 2_048, "record": "summary"}, "record: must be 'paths' with sampling='sobol'"),
    ],
)  # fmt: skip
def test_what_it_cannot_do_is_said(changes: dict[str, Any], message: str) -> None:
    """Paths that make no whole replicates, with the next number that does; too many dimensions; summaries."""
    with pytest.raises(kernel.InvalidInput, match=message):
        run(GBM, **changes)


def test_a_market_without_normals_is_refused() -> None:
    """Residuals of a history are resampled: neither kind of sampling would change anything."""
    with pytest.raises(kernel.InvalidInput, match="sampling: must be 'plain' on a FilteredHistorical"):
        run(FILTERED, steps=GRID, paths=2_048, sampling="sobol")


def test_missing_scipy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra there is a sentence that names it."""
    monkeypatch.setitem(sys.modules, "kernel.simulation.sampling.sobol", None)
    with pytest.raises(kernel.InvalidInput, match="sobol needs SciPy"):
        run(GBM, paths=2_048, sampling="sobol")

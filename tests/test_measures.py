"""Estimates from outcomes: exact on small samples, with intervals that cover."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

import kernel
from bench.oracles.tails import Law, laws
from bench.pages.intervals import held
from kernel.measures.estimate import Z, interval_ranks, mean, proportion, rank
from kernel.simulation.summary import Summary, Total, count_breaches
from tests import naive
from tests.cases import ALARM, GBM, LADDER, LONG, MERTON, run


def outcome_of(losses: list[float], times: list[float] | None = None) -> kernel.Outcome:
    """Wrap losses and breach times of one tier, horizon 1."""
    times = [math.nan] * len(losses) if times is None else times
    return kernel.PathOutcome(
        paths=len(losses),
        horizon=1.0,
        assets=("A",),
        tiers=("call",),
        opening_equity=1.0,
        provenance={},
        loss=np.array(losses),
        terminal_price=np.zeros((1, len(losses))),
        breach_time=np.array([times]),
    )


def test_value_at_risk_and_expected_shortfall_of_ten_losses() -> None:
    """With losses 1..10, VaR 0.8 is 8 and ES 0.75 is (10 + 9 + 8 / 2) / 2.5."""
    outcome = outcome_of([3, 1, 2, 10, 9, 8, 7, 6, 5, 4])
    assert kernel.value_at_risk(outcome, 0.8).value == 8
    assert kernel.expected_shortfall(outcome, 0.75).value == pytest.approx(9.2)


def test_ties_share_the_boundary() -> None:
    """When the boundary loss is tied, ES counts only as much of it as completes the share."""
    outcome = outcome_of([0.0] * 6 + [1.0] * 3 + [5.0])
    assert kernel.value_at_risk(outcome, 0.8).value == 1
    assert kernel.expected_shortfall(outcome, 0.8).value == pytest.approx(3.0)
    assert kernel.expected_shortfall(outcome, 0.95).value == 5


@given(
    st.lists(st.integers(-3, 3).map(float) | st.floats(-100, 100), min_size=1, max_size=40),
    st.sampled_from([0.01, 0.07, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999]),
)
def test_tail_measures_meet_explicit_loops(losses: list[float], level: float) -> None:
    """VaR and ES of any small sample, ties and all, are those of a sort and a loop."""
    outcome = outcome_of(losses)
    assert kernel.value_at_risk(outcome, level).value == naive.value_at_risk(losses, level)
    assert kernel.expected_shortfall(outcome, level).value == pytest.approx(naive.expected_shortfall(losses, level))


def test_a_rank_is_reckoned_with_the_decimal_that_was_written() -> None:
    """0.07 of 100 paths is 7, although 0.07 * 100 is above 7 in binary."""
    assert [rank(0.07, 100), rank(0.071, 100), rank(0.99, 1_000_000), rank(0.29, 100)] == [7, 8, 990_000, 29]


@pytest.mark.parametrize(("level", "count"), [(0.5, 11), (0.99, 500), (0.95, 10_000), (0.001, 4_000), (0.3, 100_000)])
def test_order_statistics_enclose_the_quantile_as_promised(level: float, count: int) -> None:
    """The ranks hold at least 95% of the binomial law, and little more."""
    low, high = interval_ranks(level, count)
    held = stats.binom.cdf(high - 1, count, level) - stats.binom.cdf(low - 1, count, level)
    assert 0.9499 <= held <= 0.995


def test_intervals_cover() -> None:
    """Over 2,000 samples of 2,000 losses, each 95% interval holds the truth 95 times in 100, within 4.5 errors."""
    generator, truth = np.random.default_rng(7), stats.expon.ppf(0.99)
    hits = np.zeros(3)
    for _ in range(2_000):
        losses = generator.exponential(size=2_000)
        outcome = outcome_of(losses.tolist(), np.where(losses > truth, 0.5, math.nan).tolist())
        estimates = (
            (kernel.value_at_risk(outcome, 0.99), truth),
            (kernel.expected_shortfall(outcome, 0.9), 1 + stats.expon.ppf(0.9)),
            (kernel.breach_probability(outcome, "call"), 0.01),
        )
        hits += [estimate.low <= value <= estimate.high for estimate, value in estimates]
    error = math.sqrt(0.95 * 0.05 / 2_000)
    assert (np.abs(hits / 2_000 - 0.95) < 4.5 * error + np.array([0.005, 0.005, 0.01])).all()  # discrete, n finite


def test_a_sample_too_small_for_an_interval_has_no_bound() -> None:
    """No order statistic of ten losses bounds their 99% quantile from above."""
    estimate = kernel.value_at_risk(outcome_of([float(k) for k in range(10)]), 0.99)
    assert estimate.value == 9
    assert estimate.high == math.inf


def test_numpy_levels_are_levels() -> None:
    """A level out of a NumPy array is the number it prints."""
    outcome = outcome_of([float(k) for k in range(200)])
    assert kernel.value_at_risk(outcome, np.linspace(0.9, 0.99, 2)[1]) == kernel.value_at_risk(outcome, 0.99)
    assert kernel.expected_shortfall(outcome, np.float64(0.9)) == kernel.expected_shortfall(outcome, 0.9)


def test_few_losses_in_the_tail_have_no_interval() -> None:
    """Nine losses tell too little of the error of their mean: the interval is unbounded."""
    estimate = kernel.expected_shortfall(outcome_of([float(k) for k in range(90)]), 0.91)
    assert (estimate.low, estimate.high) == (-math.inf, math.inf)


def test_too_few_losses_above_the_boundary_have_no_interval() -> None:
    """Fewer than ten losses above VaR have no interval, if others tie with it; a tail of one loss is certain."""
    estimate = kernel.expected_shortfall(outcome_of([0.0] * 80 + [1.0] * 15 + [2.0, 3.0, 4.0, 5.0, 6.0]), 0.9)
    assert (estimate.value, estimate.low, estimate.high) == (2.5, -math.inf, math.inf)
    assert kernel.expected_shortfall(outcome_of([0.0] * 80 + [5.0] * 20), 0.85) == (5.0, 0.0, 5.0, 5.0)


@given(st.floats(-1.5, 1.5), st.floats(0.5, 4))
def test_halls_interval_solves_his_cubic(skewness: float, z: float) -> None:
    """At either end the studentised mean T has T + a T^2 / 3 + a^2 T^3 / 27 + a / 6 = -z or z, by root finding."""

    def transformed(t: float, x: float) -> float:
        return t + skewness * t**2 / 3 + skewness**2 * t**3 / 27 + skewness / 6 - x

    low, high = (2.0 - 3.0 * optimize.brentq(transformed, -1e9, 1e9, args=(x,), xtol=1e-13) for x in (z, -z))
    assert mean(2.0, 3.0, skewness, z)[2:] == pytest.approx((low, high), rel=1e-6, abs=1e-4)


def test_no_skewness_is_the_normal_interval() -> None:
    """As the skewness goes to zero, from either side, the interval goes to that of 1.96 errors without a jump."""
    assert mean(10.0, 2.0, 0.0) == pytest.approx((10.0, 2.0, 10 - 2 * Z, 10 + 2 * Z), abs=1e-15)
    for skewness in (1e-12, -1e-9, 1e-7, -1e-6):
        assert mean(10.0, 2.0, skewness) == pytest.approx(mean(10.0, 2.0, 0.0), abs=1e-5)


def test_the_interval_of_expected_shortfall_is_halls_of_the_excesses() -> None:
    """It meets the moments of max(loss - VaR, 0) over all paths, one by one, with Fisher's corrections for the tail."""
    losses, level = np.random.default_rng(1).standard_t(4, size=400), 0.9
    found = kernel.expected_shortfall(outcome_of(losses.tolist()), level)
    excess = np.maximum(losses - np.sort(losses)[359], 0.0)
    error = math.sqrt(excess.var() / 400 * 41 / 40) / 0.1
    skewness = np.mean((excess - excess.mean()) ** 3) / 400**2 / (error * 0.1) ** 3 * 40**2 / (39 * 38)
    assert found == pytest.approx(mean(found.value, error, skewness), rel=1e-9)
    assert found.high - found.value > 1.2 * (found.value - found.low)


def name_of(case: object) -> str:
    """Name a case alike in every process: a law holds functions, whose names are addresses."""
    return case.name if isinstance(case, Law) else str(case)


COVERED = [(law, tail) for law in laws() for tail in (10, 20, 50, 100, 300)]


@pytest.mark.parametrize(("law", "tail"), [one for one in COVERED if one[1] <= 50], ids=name_of)
def test_intervals_of_expected_shortfall_cover_from_ten_losses_on(law: Law, tail: int) -> None:
    """Of 1,000 samples at least 93% less 4.5 errors hold the truth: a false alarm once in 147,000 where it is 93%."""
    covers, _ = held(law, 0.99, tail, 1_000, seed=tail)
    assert covers > 0.93 - ALARM * math.sqrt(0.93 * 0.07 / 1_000)


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.5, 0.9, 0.975, 0.99])
@pytest.mark.parametrize(("law", "tail"), COVERED, ids=name_of)
def test_intervals_of_expected_shortfall_cover_by_thousands(law: Law, tail: int, level: float) -> None:
    """Of 20,000 samples at least 93% less 3 errors hold the truth."""
    covers, _ = held(law, level, tail, 20_000, seed=tail + 1)
    assert covers > 0.93 - 3 * math.sqrt(0.93 * 0.07 / 20_000)


def test_a_summary_has_the_same_interval() -> None:
    """The worst losses and the number of paths tell the moments of all excesses: all four numbers, to the bit."""
    paths, summary = (run(MERTON, paths=20_000, record=record) for record in ("paths", "summary"))
    for level in (0.95, 0.999):
        assert kernel.expected_shortfall(paths, level) == kernel.expected_shortfall(summary, level)


def test_wilsons_interval_meets_scipy() -> None:
    """Proportions, none and all included, have the interval of scipy's binomial test."""
    for hits, count in ((0, 50), (1, 50), (25, 50), (50, 50), (7, 100_000)):
        estimate, oracle = proportion(hits, count), stats.binomtest(hits, count).proportion_ci(method="wilson")
        assert (estimate.low, estimate.high) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


def test_breach_times_of_a_small_sample() -> None:
    """Probability by a time counts that time; the quantile is of those who breached; survival steps down."""
    outcome = outcome_of([0.0] * 8, [0.0, 0.25, 0.5, 0.75, *[math.nan] * 4])
    assert kernel.breach_probability(outcome, "call").value == 0.5
    assert kernel.breach_probability(outcome, "call", by=0.5).value == 0.375
    assert kernel.breach_probability(outcome, "call", by=0.0).value == 0.125
    assert kernel.breach_time_quantile(outcome, "call", 0.5).value == 0.25
    times, probabilities = kernel.survival(outcome, "call")
    assert (times[0], times[-1], probabilities[0], probabilities[-1]) == (0, 1, 0.875, 0.5)
    assert probabilities[720] == 0.625
    assert probabilities[719] == 0.75


def test_no_breach_has_no_median() -> None:
    """A tier that no path breaches has probability 0, an upper bound above it, and no breach time."""
    outcome = outcome_of([0.0] * 100)
    assert kernel.breach_probability(outcome, "call").value == 0
    assert 0.01 < kernel.breach_probability(outcome, "call").high < 0.1
    assert math.isnan(kernel.breach_time_quantile(outcome, "call", 0.5).value)


@given(st.lists(st.lists(st.floats(0, 1) | st.just(math.nan), min_size=1, max_size=30), min_size=1, max_size=6))
def test_merging_summaries_is_counting_the_whole(parts: list[list[float]]) -> None:
    """However paths are cut, merged summaries have the counts and the worst losses of all of them."""

    def summary(times: list[float]) -> Summary:
        array = np.array([times])
        losses = np.nan_to_num(array[0], nan=-1.0)
        return Summary(len(times), losses, count_breaches(array, 1.0), -np.array([losses, losses]))

    def added(cut: list[list[float]]) -> Summary:
        total = Total(5)
        for one in cut:
            total.add(summary(one))
        return total.summary()

    whole, merged = added([[time for part in parts for time in part]]), added(parts)
    assert whole.paths == merged.paths
    assert (whole.breaches == merged.breaches).all()
    worst = sorted(np.nan_to_num(np.concatenate(parts), nan=-1.0))[-5:]
    assert worst == sorted(whole.losses) == sorted(merged.losses)
    assert [sorted(-row) for row in merged.worst] == [worst, worst]


def test_what_cannot_be_measured_is_said() -> None:
    """Unknown tiers, levels and times outside their range name the field."""
    outcome = outcome_of([1.0, 2.0])
    for call, field in (
        (lambda: kernel.value_at_risk(outcome, 1.0), "level"),
        (lambda: kernel.expected_shortfall(outcome, -0.1), "level"),
        (lambda: kernel.breach_probability(outcome, "cal"), "tier"),
        (lambda: kernel.breach_probability(outcome, "call", by=1.5), "by"),
        (lambda: kernel.breach_time_quantile(outcome, "call", 1.5), "probability"),
        (lambda: kernel.survival(outcome, "none"), "tier"),
        (lambda: kernel.survival(None, "call"), "outcome"),  # type: ignore[arg-type]
        (lambda: kernel.value_at_risk(outcome.loss, 0.9), "outcome"),  # type: ignore[arg-type]
    ):
        with pytest.raises(kernel.InvalidInput) as caught:
            call()
        assert caught.value.problems[0].field == field


def test_times_of_discrete_monitoring_are_grid_points_in_a_summary_too() -> None:
    """What was looked at daily breached on a day: the median of a summary is that of the paths."""
    settings = {"horizon": 5 / 365, "steps": 5, "paths": 20_000, "monitoring": "discrete"}
    paths, summary = (kernel.simulate(GBM, LONG, LADDER, **settings, record=record) for record in ("paths", "summary"))  # type: ignore[arg-type]
    for tier in LADDER.names:
        exact, counted = (kernel.breach_time_quantile(outcome, tier, 0.5) for outcome in (paths, summary))
        assert counted == pytest.approx(exact, rel=1e-6)

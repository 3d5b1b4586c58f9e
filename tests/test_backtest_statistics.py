"""The tests of forecasts, against published worked examples and tables, SciPy, and simulated series."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom, chi2, geom, kstest, norm

import kernel
from kernel.backtesting import (
    conditional_coverage,
    independence,
    proportion_of_failures,
    reliability,
    time_until_first_failure,
    traffic_light,
    z2,
)
from kernel.backtesting.coverage import transitions
from kernel.backtesting.result import cover
from kernel.backtesting.shortfall import contributions, shortfall_test, simulated_contributions
from kernel.backtesting.traffic_light import by_year, last_year
from kernel.backtesting.verdict import binomial_cumulative
from tests.cases import ALARM


def series_of(count: int, exceptions: int) -> np.ndarray:
    """Return a series with so many exceptions, all at its start."""
    return np.arange(count) < exceptions


def matlab() -> np.ndarray:
    """Return a series with the counts of MATLAB's example: 57 of 1,043, the first the 58th, four after another."""
    series = np.zeros(1_043, dtype=bool)
    starts = 57 + 15 * np.arange(53)
    series[starts] = series[starts[:4] + 1] = True
    assert transitions(series) == (932, 53, 53, 4)
    return series


def test_matlab_s_example_comes_out() -> None:
    """MathWorks, Risk Management Toolbox, varbacktest: the reference pages of pof, tuff, cci, cc and tl, Normal95."""
    series = matlab()
    published = [  # statistic, degrees of freedom and tail of chi-squared; p-values of ours are exact
        (proportion_of_failures(series, 0.95), 0.46147, 1, 0.49694),
        (time_until_first_failure(series, 0.95), 1.7354, 1, 0.18773),
        (independence(series), 0.25866, 1, 0.61104),
        (conditional_coverage(series, 0.95), 0.72013, 2, 0.69763),
    ]
    for found, statistic, degrees, tail in published:
        assert found.statistic == pytest.approx(statistic, rel=1e-4)
        assert chi2.sf(found.statistic, degrees) == pytest.approx(tail, abs=2e-5)
    light = traffic_light(series, 0.95)
    assert (light.zone, light.exceptions, light.observations) == ("green", 57, 1_043)
    assert light.cumulative == pytest.approx(0.77913, abs=5e-6)


def test_jorion_s_exercise_comes_out() -> None:
    """Jorion (2007), Value at Risk, chapter 6, exercise 10: six exceptions in 252 days, four of them after another."""
    assert proportion_of_failures(series_of(252, 6), 0.99).statistic == pytest.approx(3.498, abs=1e-3)
    clustered = np.zeros(253, dtype=bool)  # he counts 252 pairs of days
    clustered[[100, 101, 102, 103, 104, 200]] = True
    assert transitions(clustered) == (244, 2, 2, 4)
    assert independence(clustered).statistic == pytest.approx(25.837, abs=1e-3)
    assert independence(clustered).word == "fails"


KUPIEC = {  # Kupiec (1995), table 3, as Jorion (2007), table 6-2, prints it: not rejected strictly between
    0.01: ((-1, 7), (1, 11), (4, 17)),
    0.025: ((2, 12), (6, 21), (15, 36)),
    0.05: ((6, 21), (16, 36), (37, 65)),
    0.075: ((11, 28), (27, 51), (59, 92)),
    0.10: ((16, 36), (38, 65), (81, 120)),
}


@pytest.mark.parametrize("chance", KUPIEC)
def test_kupiec_s_regions_come_out(chance: float) -> None:
    """The numbers of exceptions whose statistic chi-squared does not reject at 5% are those of Kupiec's table."""
    for days, (low, high) in zip((255, 510, 1_000), KUPIEC[chance], strict=True):
        passing = [
            count
            for count in range(1, high + 20)
            if chi2.sf(proportion_of_failures(series_of(days, count), 1 - chance).statistic, 1) >= 0.05
        ]
        assert passing == list(range(max(low + 1, 1), high))


BASEL = [8.11, 28.58, 54.32, 75.81, 89.22, 95.88, 98.63, 99.60, 99.89, 99.97, 99.99]


def test_basel_s_table_comes_out() -> None:
    """Basle Committee (1996), supervisory framework for backtesting, table 2: 250 days at 99%."""
    lights = [traffic_light(series_of(250, count), 0.99) for count in range(len(BASEL))]
    assert [round(100 * light.cumulative, 2) for light in lights] == BASEL
    assert [light.zone for light in lights] == ["green"] * 5 + ["yellow"] * 5 + ["red"]


def test_tails_are_scipy_s() -> None:
    """Binomial probabilities agree with SciPy's, far into their tails."""
    for count, trials, p in ((0, 1, 0.5), (3, 3, 0.2), (17, 1_500, 0.01), (90, 1_500, 0.05), (700, 1_500, 0.5)):
        assert binomial_cumulative(count, trials, p) == pytest.approx(binom.cdf(count, trials, p), rel=1e-10)


def test_series_without_what_a_test_asks_for() -> None:
    """No exceptions: the count is still tested, memory is not; the first exception may be overdue."""
    none = np.zeros(250, dtype=bool)
    assert proportion_of_failures(none, 0.99).statistic == pytest.approx(-500 * math.log(0.99))
    assert independence(none).word == "undecided"
    assert conditional_coverage(none, 0.99).statistic == proportion_of_failures(none, 0.99).statistic
    assert time_until_first_failure(none, 0.99).word == "undecided"
    overdue = time_until_first_failure(np.zeros(2_000, dtype=bool), 0.99)
    assert overdue.word == "fails"
    assert overdue == time_until_first_failure(np.arange(2_001) == 2_000, 0.99)
    last = np.arange(250) == 249  # no forecast follows it
    assert independence(last).word == "undecided"
    alone = np.arange(250) == 100  # none follows another: 0 log 0 is 0
    assert independence(alone).statistic == pytest.approx(0.0081, abs=1e-4)


def test_the_likelihood_ratio_is_that_of_a_naive_loop() -> None:
    """Independence agrees with likelihoods multiplied up forecast by forecast."""
    series = np.random.default_rng(5).random(120) < 0.2
    pairs = list(itertools.pairwise(series))

    def share(of: list[bool]) -> float:
        return sum(of) / len(of)

    after = {state: share([b for a, b in pairs if a == state]) for state in (False, True)}
    overall, ratio = share([b for _, b in pairs]), 1.0
    for a, b in pairs:
        ratio *= (after[a] if b else 1 - after[a]) / (overall if b else 1 - overall)
    assert independence(series).statistic == pytest.approx(2 * math.log(ratio))


@pytest.mark.parametrize("level", [0.9, 0.6])
def test_p_values_are_sums_over_every_series(level: float) -> None:
    """Over all 512 series of nine forecasts, one by one, each p-value is the share at least as bad."""
    every = [np.array(one, dtype=bool) for one in itertools.product((0, 1), repeat=9)]
    hits = np.array([one.sum() for one in every])
    chances = (1 - level) ** hits * level ** (9 - hits)
    for test in (proportion_of_failures, conditional_coverage):
        found = [test(one, level) for one in every]
        statistics = np.array([one.statistic for one in found])
        for one in found:
            assert one.p_value == pytest.approx(chances[statistics > one.statistic - 1e-8].sum())
    found = [independence(one) for one in every]
    statistics = np.nan_to_num([one.statistic for one in found])
    for one, count in zip(found, hits.tolist(), strict=True):
        if not math.isnan(one.statistic):
            assert one.p_value == pytest.approx((statistics[hits == count] > one.statistic - 1e-8).mean())


@pytest.mark.parametrize("level", [0.99, 0.95, 0.3])
def test_first_failures_follow_the_geometric_law(level: float) -> None:
    """The p-value of a first exception is a plain sum over 5,000 of them."""
    first = np.arange(1, 5_001)
    found = [time_until_first_failure(np.arange(1, one + 1) == one, level) for one in (1, 2, 7, 58, 150, 700)]
    p = 1 - level
    ratios = -2 * (np.log(p) + (first - 1) * np.log(level)) + 2 * (
        -np.log(first) + (first - 1) * np.log(np.where(first > 1, 1 - 1 / first, 1))
    )
    for one in found:
        assert one.p_value == pytest.approx(geom.pmf(first, p)[ratios > one.statistic - 1e-8].sum(), rel=1e-6)


def test_no_exception_in_a_year_is_no_failure() -> None:
    """Of 250 right forecasts at 99%, 8.1% have none; chi-squared calls that 2.5%."""
    none = proportion_of_failures(np.zeros(250, dtype=bool), 0.99)
    assert chi2.sf(none.statistic, 1) == pytest.approx(0.025, abs=1e-3)
    assert none.word == "passes"
    assert none.p_value > binom.pmf(0, 250, 0.01)


@pytest.mark.parametrize(
    ("days", "level", "sizes"),
    [
        (250, 0.99, (0.0137, 0.0144, 0.0295)),
        (250, 0.95, (0.0462, 0.0283, 0.0495)),
        (1_000, 0.99, (0.0425, 0.0136, 0.0379)),
    ],
)
def test_right_forecasts_fail_at_most_so_often_as_is_said(
    days: int, level: float, sizes: tuple[float, float, float]
) -> None:
    """Of 4,000 simulated series the share that fails is that of the exact law, never above 5%; Kupiec's was 9.5%."""
    random, known, failed = np.random.default_rng(5), {}, []
    for _ in range(4_000):
        series = random.random(days) < 1 - level
        key = int(series.sum()), transitions(series)
        if key not in known:
            found = proportion_of_failures(series, level), independence(series), conditional_coverage(series, level)
            known[key] = [one.word == "fails" for one in found]
        failed.append(known[key])
    for seen, size in zip(np.mean(failed, axis=0), sizes, strict=True):
        assert size <= 0.05
        assert abs(seen - size) < ALARM * math.sqrt(size * (1 - size) / 4_000)


def test_coverage_holds_by_conditional_coverage_alone() -> None:
    """Six exceptions of 250 at 95% fail the frequency, six at 99% are yellow: the test of both still holds."""
    nothing, sure = shortfall_test(math.nan, np.zeros(1)), np.zeros(250, dtype=bool)
    for level, failing, zone in ((0.95, "fails", "green"), (0.99, "passes", "yellow")):
        found = cover(np.isin(np.arange(250), 3 + 7 * np.arange(6)), None, level, nothing, sure)
        assert (found.proportion_of_failures.word, found.traffic_light.zone) == (failing, zone)
        assert found.holds
    assert not cover(series_of(250, 6), None, 0.95, nothing, sure).holds


# Acerbi and Szekely


def z2_of_normals(forecasts: int, level: float, series: int = 5_000) -> np.ndarray:
    """Return Z2 of series of standard normal losses under their own Value at Risk and Expected Shortfall."""
    at_risk = norm.ppf(level)
    shortfall = norm.pdf(at_risk) / (1 - level)
    random = np.random.default_rng(3)
    sums = np.zeros(series)
    for _ in range(forecasts):
        sums += contributions(random.standard_normal(series), at_risk, shortfall, level)
    return 1 - sums / forecasts


def test_acerbi_and_szekely_s_critical_values_come_out() -> None:
    """-0.70 for 250 forecasts at 97.5% (2014, table 1); -0.34639 for 1,966 at 1% (MATLAB, unconditionalNormal)."""
    simulated = z2_of_normals(250, 0.975)
    tested = shortfall_test(-0.70, simulated)
    assert tested.critical_value.low - 0.01 < -0.70 < tested.critical_value.high + 0.01
    assert tested.p_value == pytest.approx(0.05, abs=ALARM * tested.p_value_error + 0.002)
    assert np.quantile(z2_of_normals(1_966, 0.975), 0.01) == pytest.approx(-0.34639, abs=0.02)


def test_z2_is_the_sum_over_exceptions() -> None:
    """Z2 agrees with a loop over the forecasts; it is 0 on average under the true law, lower of larger losses."""
    random = np.random.default_rng(4)
    losses, at_risk, shortfall = random.standard_normal(300), np.linspace(1.0, 2.0, 300), np.linspace(1.5, 2.5, 300)
    naive = 0.0
    for loss, bound, tail in zip(losses, at_risk, shortfall, strict=True):
        if loss > bound:
            naive += loss / (300 * 0.05 * tail)
    assert z2(losses, at_risk, shortfall, 0.95) == pytest.approx(1 - naive)
    simulated = z2_of_normals(250, 0.975)
    assert abs(simulated.mean()) < ALARM * simulated.std() / math.sqrt(simulated.size)
    assert z2(1.5 * losses, at_risk, shortfall, 0.95) < z2(losses, at_risk, shortfall, 0.95)


def test_p_values_of_z2_are_uniform_under_the_true_law() -> None:
    """Statistics of fresh series, held against 5,000 others of the law, spread evenly; no shortfall, no verdict."""
    simulated = z2_of_normals(250, 0.975)
    fresh = 1 - contributions(
        np.random.default_rng(9).standard_normal((500, 250)), norm.ppf(0.975), norm.pdf(norm.ppf(0.975)) / 0.025, 0.975
    ).mean(axis=1)
    assert kstest([shortfall_test(one, simulated).p_value for one in fresh], "uniform").pvalue > 1e-4
    assert math.isnan(z2([1.0, 2.0], [0.5, 0.5], [0.0, 1.0], 0.9))
    assert shortfall_test(math.nan, simulated).word == "undecided"


def test_z2_of_losses_with_ties_is_centred() -> None:
    """Draws from 500 past losses, as often equal: their parts are 1 on average, whatever share the VaR's own have."""
    random = np.random.default_rng(10)
    for level in (0.99, 0.975, 0.9931):
        losses = random.choice(random.standard_normal(500), 5_000)
        ordered = np.sort(losses)
        at_risk = ordered[math.ceil(level * 5_000) - 1]
        shortfall = at_risk + np.maximum(losses - at_risk, 0).sum() / (5_000 * (1 - level))
        parts = simulated_contributions(losses, at_risk, shortfall, level, 5_000)
        assert parts.mean() == pytest.approx(1, abs=1e-12)
        assert np.array_equal(simulated_contributions(losses, at_risk, shortfall, level, 100), parts[:100])
        assert np.array_equal(parts > 0, losses >= at_risk)


# Reliability


def test_rufibach_s_example_comes_out() -> None:
    """Rufibach (2010), table 1: two forecasters of two events."""
    one, two = reliability([0.2, 0.2], [1, 0]), reliability([0.4, 0.5], [1, 0])
    assert (one.brier, one.calibration.statistic) == pytest.approx((0.34, 1.06), abs=0.005)
    assert two.brier == pytest.approx(0.305)  # printed as 0.30
    assert two.calibration.statistic == pytest.approx(1.22, abs=0.005)


def test_reliability_is_that_of_naive_loops() -> None:
    """Score, skill, test and curve agree with loops; every forecast is in one bin, equal ones in the same."""
    random = np.random.default_rng(6)
    p = np.round(random.beta(1, 15, 800), 3)
    happened = random.random(800) < p
    found = reliability(p, happened, bins=8)
    rate = happened.mean()
    assert found.brier == pytest.approx(sum((a - b) ** 2 for a, b in zip(p, happened, strict=True)) / 800)
    assert found.skill == pytest.approx(1 - found.brier / (rate * (1 - rate)))
    z = sum((b - a) * (1 - 2 * a) for a, b in zip(p, happened, strict=True))
    z /= math.sqrt(sum((1 - 2 * a) ** 2 * a * (1 - a) for a in p))
    assert found.calibration.statistic == pytest.approx(z)
    assert sum(one.forecasts for one in found.curve) == 800
    assert sum(one.forecasts * one.observed.value for one in found.curve) == pytest.approx(happened.sum())
    assert [one.predicted for one in found.curve] == sorted(one.predicted for one in found.curve)
    assert len(reliability(np.full(50, 0.1), np.zeros(50)).curve) == 1


def test_calibrated_probabilities_pass_and_halved_ones_fail() -> None:
    """Spiegelhalter's p-values are uniform of calibrated probabilities; of halved ones they vanish."""
    random, values = np.random.default_rng(7), []
    for _ in range(150):
        p = random.beta(2, 20, 300)
        values.append(reliability(p, random.random(300) < p).calibration.p_value)
    assert kstest(values, "uniform").pvalue > 1e-4
    p = random.beta(2, 20, 2_000)
    assert reliability(p / 2, random.random(2_000) < p).calibration.p_value == 1 / 5_000


def test_calibration_s_p_values_are_sums_over_all_that_can_happen() -> None:
    """Of eight forecasts the p-value is, within its error, the probability of the outcomes whose z is as far from 0."""
    p = np.array([0.01, 0.02, 0.02, 0.05, 0.1, 0.3, 0.6, 0.9])
    outcomes = np.array(list(itertools.product((0, 1), repeat=8)))
    chances = np.prod(np.where(outcomes == 1, p, 1 - p), axis=1)
    z = ((outcomes - p) * (1 - 2 * p)).sum(axis=1)
    for outcome, one in zip(outcomes[::23], z[::23], strict=True):
        truth = chances[np.abs(z) >= abs(one) - 1e-9].sum()
        found = reliability(p, outcome).calibration.p_value
        assert abs(found - truth) < ALARM * math.sqrt(truth * (1 - truth) / 4_999) + 1 / 2_500


def test_rare_events_are_no_alarm() -> None:
    """Two events where half of one was expected happen in 9% of right forecasts; a normal law calls that 3%."""
    p = np.full(250, 0.002)
    found = reliability(p, series_of(250, 2)).calibration
    assert 2 * norm.sf(found.statistic) < 0.05
    assert found.p_value == pytest.approx(binom.sf(1, 250, 0.002), abs=ALARM * 0.004)
    assert found.word == "passes"


def test_what_was_called_impossible_fails() -> None:
    """The worst forecast of all has a p-value of 0, among others too; what was certain and came tells nothing."""
    assert reliability([0.0], [True]).calibration == (math.inf, 0.0, "fails")
    assert reliability([1.0, 1.0], [True, False]).calibration == (math.inf, 0.0, "fails")
    among = reliability([0.0, *[0.5, 0.4] * 20], [True, *[True, False] * 20]).calibration
    assert (among.p_value, among.word) == (0.0, "fails")
    assert reliability([0.0, 1.0], [False, True]).calibration.word == "undecided"
    assert reliability([0.5, 0.5], [False, True]).calibration.word == "undecided"


def test_shares_of_paths_are_known_to_one_path() -> None:
    """An event that none of n paths met has probability 1 / (n + 1) at most, each day: so does the p-value."""
    for paths, days in ((100_000, 250), (10_000, 1_000), (3_000, 1_000)):
        found = reliability(np.zeros(days), series_of(days, 1), paths=paths).calibration
        truth = binom.sf(0, days, 1 / (paths + 1))
        assert found.p_value == pytest.approx(truth, abs=ALARM * math.sqrt(truth * (1 - truth) / 4_999) + 1 / 2_500)
        assert found.word == ("fails" if truth < 0.05 else "passes")
    assert reliability([0.0, 0.0], [False, False], paths=100).calibration.word == "undecided"


# Years, and what is refused


def test_years_are_lit_by_their_last_forecasts() -> None:
    """Each year with 500 forecasts behind its end is lit by the last 500 of them, the unfinished one too."""
    days = np.datetime64("2019-01-01") + np.arange(1_200)
    exceptions = np.random.default_rng(8).random(1_200) < 0.02
    lights = by_year(exceptions, days, 0.99)
    assert [one.year for one in lights] == [2020, 2021, 2022]
    assert lights[0].light == traffic_light(exceptions[731 - 500 : 731], 0.99)
    assert lights[-1].light == traffic_light(exceptions[-500:], 0.99)
    assert last_year(exceptions[:249], 0.99) is None


@pytest.mark.parametrize("level", [0.0, 1.0, 99, math.nan, "99%"])
def test_levels_outside_their_range_are_refused(level: object) -> None:
    """A level is above 0 and below 1."""
    with pytest.raises(kernel.InvalidInput, match="level"):
        proportion_of_failures([True, False], level)  # type: ignore[arg-type]


def test_what_is_no_series_is_refused() -> None:
    """Empty, of other axes, or of other values."""
    for series in ([], [[True]], [0.5, 1.0]):
        with pytest.raises(kernel.InvalidInput, match="truth values"):
            traffic_light(series, 0.99)
    with pytest.raises(kernel.InvalidInput, match="probabilities"):
        reliability([0.5, 1.5], [True, False])
    with pytest.raises(kernel.InvalidInput, match="happened"):
        reliability([0.5], [[True]])

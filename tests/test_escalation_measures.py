"""Bad debt, counts of calls, response times and endings: by hand on made-up paths, and their errors over many seeds."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import stats

import kernel
from kernel.config.limits import parse_limits
from kernel.escalation.records import CALL_MET, CLOSED, CLOSED_IN_DEBT, NOTICED, REDUCED, STATE
from kernel.measures.quantities import losses, of_paths
from tests.cases import ALARM, GBM, LONG, strays

LADDER = kernel.Ladder({"warning": 3.0, "call": 2.0, "liquidation": 1.0})
ESCALATION = kernel.Escalation(
    {
        "warning": kernel.Notice(),
        "call": kernel.Call(restore=3.0, cure_period="8h", client=kernel.Client(meets=0.7, delay="2h")),
        "liquidation": kernel.CloseOut(latency="12h", fee=0.006),
    }
)
NO_TIME = dict.fromkeys(("first_close_out", "end_time"), np.nan)
SEEDS = 50
# Of normal estimates, (n - 1) spread**2 / error**2 is chi-squared: outside these limits, twice in a million times each.
FALSE_ALARM = 2e-6
LEAST, MOST = (math.sqrt(stats.chi2.ppf(p, SEEDS - 1) / (SEEDS - 1)) for p in (FALSE_ALARM / 2, 1 - FALSE_ALARM / 2))


def made_up(paths: int, states: list[dict[str, Any]], replicates: int = 0, **arrays: Any) -> kernel.EscalationOutcome:
    """Make up an outcome from the states of the paths that were breached."""
    held = np.zeros(len(states), STATE)
    for row, state in zip(held, states, strict=True):
        for name, value in ({"left": 1.0, "call": -1, "waiting": -1, **NO_TIME} | state).items():
            row[name] = value
    given = {"loss": np.zeros(paths), "breach_time": np.full((3, paths), np.nan)} | arrays
    return kernel.EscalationOutcome(
        paths=paths,
        horizon=1.0,
        assets=("BTC",),
        tiers=LADDER.names,
        opening_equity=0.0,
        provenance={"seed": 0},
        terminal_price=np.ones((1, paths)),
        replicates=replicates,
        states=held,
        **given,
    )


def with_debts(debts: np.ndarray[Any, Any], replicates: int = 0) -> kernel.EscalationOutcome:
    """Make up an outcome of closed accounts that owe so much."""
    states = [
        {"path": k, "end": CLOSED_IN_DEBT, "end_time": 0.5, "closing_equity": -debts[k]}
        for k in np.flatnonzero(debts).tolist()
    ]
    return made_up(debts.size, states, replicates)


@cache
def simulated(seed: int, sampling: str = "plain") -> kernel.EscalationOutcome:
    """Simulate an escalation of which some paths end in debt."""
    outcome = kernel.simulate(
        GBM, LONG, LADDER, escalation=ESCALATION, horizon="5d", steps=1, paths=2**13 if sampling == "sobol" else 8_000,
        seed=seed, sampling=sampling, threads=1, record="paths",
    )  # fmt: skip
    assert isinstance(outcome, kernel.EscalationOutcome)
    return outcome


def test_bad_debt_is_counted_by_hand() -> None:
    """Debts of 1 to 20 on 20 of 1,000 paths: their share, mean, order statistic and the mean of the worst 1%."""
    debts = np.zeros(1_000)
    debts[::50] = np.arange(1.0, 21.0)
    found = kernel.bad_debt(with_debts(debts), 0.99)
    assert found.probability.value == 0.02
    assert found.mean.value == pytest.approx(0.21, rel=1e-12)
    assert found.mean.standard_error == pytest.approx(debts.std(ddof=1) / math.sqrt(1_000), rel=1e-12)
    assert found.value_at_risk.value == 10.0
    assert found.expected_shortfall.value == pytest.approx(15.5, rel=1e-12)
    assert found.expected_shortfall.low < 15.5 < found.expected_shortfall.high < math.inf


def test_debt_of_accounts_that_are_not_closed_is_no_bad_debt() -> None:
    """A shortfall counts only once the account is closed wholly, and equity that is left is no debt."""
    ends = ((CLOSED_IN_DEBT, -3.0), (CLOSED, 2.0), (REDUCED, -5.0), (NOTICED, -7.0))
    states = [{"path": k, "end": end, "closing_equity": equity} for k, (end, equity) in enumerate(ends)]
    found = kernel.bad_debt(made_up(8, states), 0.9)
    assert (found.probability.value, found.mean.value, found.value_at_risk.value) == (1 / 8, 3 / 8, 3.0)


@pytest.mark.parametrize("replicates", [0, 50])
@pytest.mark.parametrize("count", [0, 1, 3, 9])
def test_few_debts_tell_nothing_of_the_size_of_others(count: int, replicates: int) -> None:
    """Below ten paths in debt, mean and tail have no upper end; nothing is below 0, and no number is NaN."""
    debts = np.zeros(1_000)
    debts[:: 1_000 // (count + 1)][:count] = 5.0 + np.arange(count)
    found = kernel.bad_debt(with_debts(debts, replicates), 0.99)
    assert found.mean[::3] == (debts.mean(), math.inf)
    assert found.expected_shortfall.high == math.inf
    assert found.value_at_risk.value == 0.0
    assert found.probability.low < found.probability.high
    assert not np.isnan(np.array(found)).any()
    assert min(estimate.low for estimate in found) >= 0.0


@pytest.mark.parametrize(("rate", "least"), [(0.0005, 0.97), (0.01, 0.92), (0.3, 0.935)])
def test_intervals_of_mostly_nothing_hold_the_mean(rate: float, least: float) -> None:
    """Of exponential debts on a share of 2,000 paths the interval holds the true mean, rare as they are.

    Of 1,000 samples 95% are to be held; a share of 92% or 93.5% is 4.3 or 2.2 binomial errors below.
    """
    random = np.random.default_rng(7)
    held = 0
    for _ in range(1_000):
        debts = np.where(random.random(2_000) < rate, random.exponential(10.0, 2_000), 0.0)
        _, _, low, high = kernel.measures.escalation.bad_debt_mean(with_debts(debts))
        held += low <= 10.0 * rate <= high
    assert held / 1_000 > least


SAMPLED: dict[str, dict[str, Any]] = {
    "plain": {},
    "antithetic": {"sampling": "antithetic"},
    "sobol": {"paths": 2**15, "sampling": "sobol"},
    "importance": {"importance": 0.99},
}


@pytest.mark.parametrize("sampled", SAMPLED)
def test_means_meet_the_closed_form_however_paths_are_sampled(sampled: str) -> None:
    """The mean loss of a coin is its price's drift, within 4.5 stated errors, and the interval has two ends."""
    settings: dict[str, Any] = {"horizon": "5d", "steps": 1, "paths": 40_000, "seed": 5, "threads": 1}
    outcome = kernel.simulate(GBM, LONG, LADDER, record="paths", **settings | SAMPLED[sampled])
    found = losses(outcome).mean()
    (position,), (drift,) = LONG.positions, GBM.drift
    truth = -position.quantity * 60_000.0 * math.expm1(drift * 5 / 365)
    assert strays(found.value, truth, found.standard_error) < ALARM
    assert -math.inf < found.low < found.value < found.high < math.inf


@pytest.mark.parametrize("replicates", [0, 32])
def test_intervals_of_means_hold_as_often_as_stated(replicates: int) -> None:
    """Of 1,000 samples of exponential debts on a tenth of the paths, 95% hold the mean, within 4 binomial errors."""
    random, held = np.random.default_rng(8), 0
    for _ in range(1_000):
        debts = np.where(random.random(3_200) < 0.1, random.exponential(10.0, 3_200), 0.0)
        found = of_paths(made_up(3_200, [], replicates), debts, 0.0).mean()
        held += found.low <= 1.0 <= found.high
    assert abs(held - 950) < 4 * math.sqrt(1_000 * 0.95 * 0.05)


def test_calls_are_counted_by_hand() -> None:
    """On twelve paths of a hundred two calls are made, and each comes to what its state says."""
    states: list[dict[str, Any]] = [
        {"path": k, "calls_made": 2, "calls_met": 1, "calls_cured": int(k < 10), "calls_missed": int(k == 10),
         "call": 1 if k == 11 else -1, "end": CALL_MET}
        for k in range(12)
    ]  # fmt: skip
    found = kernel.call_counts(made_up(100, states))
    assert [one.value for one in found] == pytest.approx([0.24, 0.12, 0.10, 0.01, 0.0, 0.01], rel=1e-12)
    error = math.sqrt((12 * 1.76**2 + 88 * 0.24**2) / 99 / 100)
    assert found.made.standard_error == pytest.approx(error, rel=1e-12)
    none, wilson = found.cancelled, stats.binomtest(0, 100).proportion_ci(method="wilson")
    assert none == pytest.approx((0.0, 0.0, 0.0, wilson.high), rel=1e-9)  # of few, as many as Wilson's interval allows
    assert found.made.value == pytest.approx(sum(one.value for one in found[1:]))


def test_a_count_that_is_the_same_on_all_paths_is_not_certain() -> None:
    """Where each of 50 paths has one call, one in a few may have one more or less."""
    found = kernel.call_counts(made_up(50, [{"path": k, "calls_made": 1} for k in range(50)])).made
    high = stats.binomtest(0, 50).proportion_ci(method="wilson").high
    assert found == pytest.approx((1.0, 0.0, 1.0 - high, 1.0 + high), rel=1e-9)


def test_response_times_are_those_of_paths_on_which_the_deeper_tier_follows() -> None:
    """Quantiles are the ones in their places among the times of those paths, a gap's being 0."""
    times = np.full((3, 50), np.nan)
    times[1, :40] = 0.25
    times[2, :20] = 0.25 + np.arange(20) / 64
    outcome = made_up(50, [], breach_time=times)
    found = kernel.response_time(outcome, "call", "liquidation", 0.5)
    assert found.value == 9 / 64
    low, high = np.searchsorted(stats.binom.cdf(np.arange(21), 20, 0.5), [0.025, 0.975])
    assert found[2:] == ((low - 1) / 64, high / 64)
    assert kernel.response_time(outcome, "call", "liquidation", 0.05).value == 0.0
    assert math.isnan(kernel.response_time(outcome, "warning", "call", 0.5).value)


def test_endings_are_counted_by_hand() -> None:
    """By each time an end has as many paths as came to it by then, and all of them add up to one."""
    ends = [NOTICED, NOTICED, CLOSED, CLOSED, CLOSED_IN_DEBT]
    states = [{"path": k, "end": end, "end_time": (k + 1) / 8} for k, end in enumerate(ends)]
    found = kernel.endings(made_up(10, states), [1.0, 0.5, 0.25, 0.5])
    assert found.times.tolist() == [0.25, 0.5, 1.0]
    by_end = dict(zip(found.ends, found.probabilities.round(12).tolist(), strict=True))
    assert by_end.pop("not yet") == [0.8, 0.6, 0.5]
    assert by_end.pop("noticed") == [0.2, 0.2, 0.2]
    assert by_end.pop("closed") == [0.0, 0.2, 0.2]
    assert by_end.pop("closed in debt") == [0.0, 0.0, 0.1]
    assert not any(map(any, by_end.values()))
    wilson = stats.binomtest(2, 10).proportion_ci(method="wilson")
    assert (found.low[1, 2], found.high[1, 2]) == pytest.approx((wilson.low, wilson.high), rel=1e-9)
    table = found.to_arrow()
    assert table.column_names == ["end", "time", "probability", "standard_error", "low", "high"]
    assert table.num_rows == 30
    assert table["end"].to_pylist()[:4] == [*["not yet"] * 3, "noticed"]
    assert b"margin_kernel" in table.schema.metadata


@pytest.mark.parametrize("sampling", ["plain", "antithetic", "sobol"])
def test_simulated_endings_add_up_and_agree_with_the_arrays(sampling: str) -> None:
    """Whatever the sampling, ends add up to one at every time, rise, and at the horizon are the shares of paths."""
    outcome = simulated(1, sampling)
    found = kernel.endings(outcome)
    np.testing.assert_allclose(found.probabilities.sum(axis=0), 1.0, atol=1e-12)
    assert np.diff(found.probabilities[1:], axis=1).min() >= -1e-15
    shares = np.bincount(outcome.end, minlength=10) / outcome.paths
    np.testing.assert_allclose(found.probabilities[:, -1], shares, atol=1e-12)
    assert np.all((found.low <= found.probabilities + 1e-15) & (found.probabilities <= found.high + 1e-15))
    counts = kernel.call_counts(outcome)
    assert counts.made.value == pytest.approx(outcome.calls_made.mean())
    assert counts.made.value == pytest.approx(sum(one.value for one in counts[1:]))


MEASURES: dict[str, Callable[[kernel.EscalationOutcome], kernel.Estimate]] = {
    "probability of bad debt": lambda outcome: kernel.bad_debt(outcome).probability,
    "mean of bad debt": lambda outcome: kernel.bad_debt(outcome).mean,
    "tail of bad debt": lambda outcome: kernel.bad_debt(outcome, 0.9).expected_shortfall,
    "calls made": lambda outcome: kernel.call_counts(outcome).made,
    "calls missed": lambda outcome: kernel.call_counts(outcome).missed,
    "response time": lambda outcome: kernel.response_time(outcome, "warning", "liquidation", 0.5),
    "not yet": lambda outcome: _ending(outcome, 0),
    "closed in debt": lambda outcome: _ending(outcome, CLOSED_IN_DEBT),
}


def _ending(outcome: kernel.EscalationOutcome, end: int) -> kernel.Estimate:
    found = kernel.endings(outcome, "3d")
    return kernel.Estimate(
        *(getattr(found, name)[end, 0] for name in ("probabilities", "standard_error", "low", "high"))
    )


@pytest.mark.parametrize("sampling", ["plain", "antithetic"])
@pytest.mark.parametrize("measure", MEASURES)
def test_errors_are_as_large_as_the_spread_over_seeds(measure: str, sampling: str) -> None:
    """Over 50 seeds estimates spread as their standard errors say: of sixteen such tests one fails in 30,000 times."""
    found = np.array([MEASURES[measure](simulated(seed, sampling)) for seed in range(SEEDS)])
    stated = math.sqrt(np.mean(found[:, 1] ** 2))
    assert LEAST < found[:, 0].std(ddof=1) / stated < MOST


def test_limits_are_stated_on_bad_debt() -> None:
    """Each number of the bad debt is a measure of `--fail-if`, and the same estimate."""
    outcome = simulated(0)
    found = kernel.bad_debt(outcome, 0.95)
    texts = ["probability > 1%", "mean() > 100", "value_at_risk(0.95) > 100", "expected_shortfall(95%) > 1e3"]
    limits = parse_limits([f"bad_debt_{text}" for text in texts])
    assert [limit.measure.function(outcome, **limit.arguments) for limit in limits] == list(found)


@cache
def plain(record: str = "paths") -> kernel.Outcome:
    """Simulate the ladder with nothing done."""
    return kernel.simulate(GBM, LONG, LADDER, horizon="1d", steps=1, paths=100, threads=1, record=record)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "bad debt": (lambda: kernel.bad_debt(plain()), "outcome: has no actions: simulate with an escalation"),
    "calls": (lambda: kernel.call_counts(plain()), "outcome: has no actions: simulate with an escalation"),
    "endings": (lambda: kernel.endings(plain(), "1d"), "outcome: has no actions: simulate with an escalation"),
    "no outcome": (lambda: kernel.bad_debt(3), "outcome: must be what kernel.simulate returned, not int"),  # type: ignore[arg-type]
    "summary": (
        lambda: kernel.response_time(plain("summary"), "warning", "call", 0.5),
        'outcome: is a summary, which has no paths: simulate with record="paths"',
    ),
    "level": (lambda: kernel.bad_debt(made_up(2, []), 1.0), "level: must be below 1, not 1"),
    "time": (lambda: kernel.endings(made_up(2, []), [0.5, 2.0, 3.0]), "times: must be at most 1, not 2"),
    "no time": (lambda: kernel.endings(made_up(2, []), []), 'times: must be at least one time, such as "1d"'),
    "shallower": (
        lambda: kernel.response_time(plain(), "liquidation", "call", 0.5),
        "to_tier: must be deeper than 'liquidation', not 'call'",
    ),
    "unknown": (lambda: kernel.response_time(plain(), "cal", "call", 0.5), "tier: must be one of"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_told_is_refused_in_one_line(case: str) -> None:
    """Outcomes without actions, and arguments outside their ranges, are named with the mend."""
    call, message = REFUSED[case]
    with pytest.raises(kernel.InvalidInput) as refused:
        call()
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)

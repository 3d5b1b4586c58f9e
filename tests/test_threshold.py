"""Levels from breach probabilities: exact on small samples, against closed forms, with intervals that cover."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

import kernel
from bench.oracles import gbm, kou
from tests.cases import ALARM, GBM, HORIZON, KOU, LADDER, LONG, MERTON, SHORT, barrier, run, strays
from tests.conftest import pair


def outcome_of(worst: list[float], **changes: Any) -> kernel.Outcome:
    """Wrap worst metrics by the horizon, 1 year."""
    fields: dict[str, Any] = {
        "paths": len(worst), "horizon": 1.0, "assets": ("A",), "tiers": ("call",), "opening_equity": 1.0,
        "provenance": {}, "loss": np.zeros(len(worst)), "terminal_price": np.ones((1, len(worst))),
        "breach_time": np.full((1, len(worst)), math.nan), "worst": np.array([worst]), "worst_times": (1.0,),
    }  # fmt: skip
    return kernel.PathOutcome(**fields | changes)


def metric_at(account: kernel.Account, log_price: float) -> float:
    """Return the margin ratio at a log price, relative to 60,000."""
    (position,), price = account.positions, 60_000.0 * math.exp(log_price)
    return (account.cash + position.quantity * (price - position.entry_price)) / (0.005 * price)


def hit_probability(market: kernel.Market, account: kernel.Account, level: float, by: float) -> float:
    """Return the probability, in closed form or by inverting its transform, that a level is breached."""
    law = {name: value[0] if isinstance(value, list) else value for name, value in market.parameters().items()}
    at = barrier(account, level)
    if isinstance(market, kernel.Gbm):
        drift, volatility = law["drift"], law["volatility"]
        return float(gbm.hit_probability(at, drift - volatility**2 / 2, volatility, by))
    names = "drift", "volatility", "jump_intensity", "up_probability", "up_mean", "down_mean"
    return kou.hit_probability(at, *(law[name] for name in names), by)


def true_threshold(market: kernel.Market, account: kernel.Account, probability: float, by: float) -> float:
    """Solve for the level that is breached with a probability."""
    return float(
        brentq(lambda level: hit_probability(market, account, level, by) - probability, -150.0, 19.9, xtol=1e-3)
    )


@given(
    st.lists(st.integers(-5, 5).map(float) | st.floats(-100, 100), min_size=2, max_size=60),
    st.sampled_from([0.01, 0.07, 0.25, 0.5, 0.75, 0.9, 0.99]),
)
def test_any_small_sample_meets_a_sort(worst: list[float], probability: float) -> None:
    """The level is the floor(p n)-th lowest, and no more than that share lies below it."""
    hits = math.floor(round(probability * 100) * len(worst) / 100)
    if hits < 1:
        with pytest.raises(kernel.InvalidInput, match="must be at least 1 / paths"):
            kernel.threshold(outcome_of(worst), probability)
        return
    found = kernel.threshold(outcome_of(worst), probability)
    assert found.value == sorted(worst)[hits - 1]
    assert sum(one < found.value for one in worst) < hits
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("market", [GBM, KOU], ids=["gbm", "kou"])
@pytest.mark.parametrize("account", [LONG, SHORT], ids=["long", "short"])
def test_levels_meet_closed_forms(market: kernel.Market, account: kernel.Account) -> None:
    """Levels of a day and of five days, common and rare, are those of the first passage laws."""
    outcome = run(market, account, steps=5, worst=[HORIZON / 5, HORIZON])
    for by in (HORIZON / 5, HORIZON):
        for probability in (0.5, 0.01, 0.001):
            found = kernel.threshold(outcome, probability, by=by)
            assert strays(found.value, true_threshold(market, account, probability, by), found.standard_error) < ALARM


@pytest.mark.parametrize("market", [MERTON, pair(GBM)], ids=["merton", "two assets"])
def test_a_tier_at_the_level_is_breached_as_often_as_asked(market: kernel.Market) -> None:
    """Simulated again, with a tier there and another seed, breaches are as likely as the target."""
    level = kernel.threshold(run(market, paths=200_000, worst=True), 0.05)
    ladder = kernel.Ladder({"there": level.value})
    again = kernel.simulate(market, LONG, ladder, horizon=HORIZON, steps=1, paths=200_000, seed=5)
    found = kernel.breach_probability(again, "there")
    assert strays(found.value, 0.05, math.sqrt(2) * found.standard_error) < ALARM


def test_levels_agree_with_the_tiers_of_the_same_paths() -> None:
    """A tier's own share of breaches gives back a level at or below it, and one path more a level above it."""
    outcome = run(GBM, paths=50_000, worst=True)
    for tier, level in LADDER.tiers.items():
        hits = float(outcome.breaches_by(tier, HORIZON)[0])
        assert kernel.threshold(outcome, hits / 50_000).value <= level
        assert kernel.threshold(outcome, (hits + 1) / 50_000).value > level


def test_intervals_cover() -> None:
    """Of 200 intervals 95% hold the true level, within the alarm for a binomial of 200."""
    truth = true_threshold(GBM, LONG, 0.05, HORIZON)
    found = [kernel.threshold(run(GBM, paths=1_000, seed=seed, threads=1, worst=True), 0.05) for seed in range(200)]
    covered = sum(one.low <= truth <= one.high for one in found)
    assert abs(covered - 190) < ALARM * math.sqrt(200 * 0.95 * 0.05)


def test_a_curve_is_its_single_levels_and_rises() -> None:
    """A curve gives at each probability what `threshold` does; levels rise with the probability."""
    outcome = run(GBM, paths=20_000, steps=2, worst=[HORIZON / 2, HORIZON])
    curve = kernel.threshold_curve(outcome, by=HORIZON / 2)
    assert curve.by == HORIZON / 2
    assert np.all(np.diff(curve.levels) >= 0)
    for k in (0, 100, 199):
        one = kernel.threshold(outcome, float(curve.probabilities[k]), by=HORIZON / 2)
        assert one == (curve.levels[k], curve.standard_error[k], curve.low[k], curve.high[k])


def test_a_summary_gives_the_same_levels() -> None:
    """The lowest worst metrics that a summary keeps tell the thresholds it was made for, to the bit."""
    settings: dict[str, Any] = {"paths": 300_000, "worst": True, "levels": (0.95,)}
    whole, summary = run(MERTON, **settings), run(MERTON, record="summary", **settings)
    for probability in (0.05, 0.001):
        assert kernel.threshold(whole, probability) == kernel.threshold(summary, probability)
    assert kernel.threshold_curve(summary, [0.02]).levels == kernel.threshold_curve(whole, [0.02]).levels
    with pytest.raises(kernel.InvalidInput, match="in `levels`"):
        kernel.threshold(summary, 0.2)


@pytest.mark.parametrize("account", [LONG, SHORT], ids=["long", "short"])
def test_importance_sampling_reaches_rare_levels(account: kernel.Account) -> None:
    """Under a tilt towards a level far off, levels of one in a hundred thousand are right, within a small error."""
    at = -0.33 if account is LONG else 0.33
    ladder = kernel.Ladder({"rare": metric_at(account, at)})
    settings: dict[str, Any] = {"horizon": HORIZON, "steps": 1, "paths": 50_000, "worst": True}
    outcome = kernel.simulate(GBM, account, ladder, **settings, importance="rare")
    for probability in (1e-4, 1e-5, 1e-6):
        found = kernel.threshold(outcome, probability)
        truth = true_threshold(GBM, account, probability, HORIZON)
        assert strays(found.value, truth, found.standard_error) < ALARM
        assert found.standard_error < 0.01 * abs(truth)
    curve = kernel.threshold_curve(outcome, [1e-5, 1e-4])
    assert curve.levels[1] == kernel.threshold(outcome, 1e-4).value


@pytest.mark.parametrize("sampling", ["antithetic", "sobol"])
def test_replicates_give_levels_and_errors(sampling: str) -> None:
    """Levels of paths that depend on each other lie between those of a sort; 95% of 60 intervals hold the true one.

    The alarm is for a binomial of 60.
    """
    truth = true_threshold(GBM, LONG, 0.05, HORIZON)
    paths = {"antithetic": 4_100, "sobol": 4_096}[sampling]
    settings: dict[str, Any] = {"sampling": sampling, "paths": paths, "threads": 1, "worst": True}
    covered = 0
    for seed in range(60):
        outcome = run(GBM, seed=seed, **settings)
        found = kernel.threshold(outcome, 0.05)
        covered += found.low <= truth <= found.high
    assert outcome.worst is not None
    place = 0.05 * paths - 0.5  # from 0: a level stands in the middle of what it counts
    assert found.value == pytest.approx(np.interp(place, np.arange(paths), np.sort(outcome.worst[0])), rel=1e-6)
    assert abs(covered - 57) < ALARM * math.sqrt(60 * 0.95 * 0.05)


def test_too_few_paths_give_unbounded_intervals() -> None:
    """Where order statistics give no bound, the interval has none."""
    found = kernel.threshold(outcome_of([3.0, 1.0, 2.0]), 0.5)
    assert found == (1.0, math.inf, -math.inf, math.inf)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"outcome": outcome_of([1.0], worst_times=())}, "kept no worst metrics: simulate with worst=True"),
    ({"outcome": None}, "outcome: must be what kernel.simulate returned, not NoneType"),
    ({"probability": 0.001}, r"probability: must be at least 1 / paths \(0.01\), not 0.001: simulate more paths"),
    ({"probability": 0}, "probability: must be above 0, not 0"),
    ({"probability": 1.0}, "probability: must be below 1, not 1"),
    ({"probability": "1%"}, "probability: must be one number, not '1%'"),
    ({"probability": math.nan}, "probability: must be finite"),
    ({"by": 0.5}, r"by: must be a time by which worst metrics were kept \(365 d\), not 182.5 d"),
    ({"by": [5]}, "by: must be one number, not \\[5\\]"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_cannot_be_told_is_refused(arguments: dict[str, Any], message: str) -> None:
    """Each wrong input names its field and the mend."""
    given: dict[str, Any] = {"outcome": outcome_of([0.01 * k for k in range(100)]), "probability": 0.1}
    with pytest.raises(kernel.InvalidInput, match=message):
        kernel.threshold(**given | arguments)

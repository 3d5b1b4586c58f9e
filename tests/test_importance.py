"""Importance sampling is unbiased down to one in a million, for breaches and losses, and says what it cannot do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

import kernel
from bench.oracles import gbm, kou
from tests.cases import ALARM, GBM, HESTON, HORIZON, KOU, LONG, MERTON, SHORT, run, strays
from tests.conftest import pair

KOU_PARAMETERS = (0.05, 0.5, 40.0, 0.4, 0.03, 0.05)
SIGMA, NU = 0.65, 0.1 - 0.65**2 / 2
COMMON = {"near": 0.03, "call": 0.08, "deep": 0.15, "rare": 0.38}  # barriers below the opening log price
LADDER_AT_ONE = kernel.Ladder({"liquidation": 1.0})
SECOND = kernel.Account(cash=-54_000.0, positions=[kernel.Linear("ETH", quantity=1.0)], maintenance_rate=0.005)


def tier_at(account: kernel.Account, barrier: float) -> kernel.Ladder:
    """Return a ladder whose one tier is breached where the log price reaches the barrier."""
    (position,), price = account.positions, 60_000.0 * math.exp(barrier)
    equity = account.cash + position.quantity * (price - position.entry_price)
    return kernel.Ladder({"rare": equity / (0.005 * price)})


def rare(market: kernel.Market, account: kernel.Account, barrier: float, **settings: object) -> kernel.Outcome:
    """Simulate towards a barrier."""
    ladder = tier_at(account, barrier)
    given = {"horizon": HORIZON, "steps": 1, "paths": 50_000, **settings}
    return kernel.simulate(market, account, ladder, importance="rare", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(("account", "barrier"), [(LONG, -0.15), (LONG, -0.3), (LONG, -0.38), (SHORT, 0.38)])
@pytest.mark.parametrize("steps", [1, 8])
def test_gbm_breaches_follow_the_closed_form(account: kernel.Account, barrier: float, steps: int) -> None:
    """From one in twenty to one in two million, with 50,000 paths and an error of 1%."""
    estimate = kernel.breach_probability(rare(GBM, account, barrier, steps=steps), "rare")
    truth = float(gbm.hit_probability(barrier, NU, SIGMA, HORIZON))
    assert strays(estimate.value, truth, estimate.standard_error) < ALARM
    assert estimate.standard_error < 0.01 * truth


@pytest.mark.parametrize(("market", "account"), [(KOU, LONG), (KOU, SHORT), (pair(KOU), SECOND)])
@pytest.mark.parametrize("steps", [1, 3])
def test_kou_breaches_follow_the_transform(market: kernel.Market, account: kernel.Account, steps: int) -> None:
    """Passed by a jump or not, also where weights are reckoned at the end of a segment, of several assets."""
    barrier = 0.38 if account is SHORT else -0.38
    estimate = kernel.breach_probability(rare(market, account, barrier, steps=steps), "rare")
    truth = kou.hit_probability(barrier, *KOU_PARAMETERS, HORIZON)
    assert strays(estimate.value, truth, estimate.standard_error) < ALARM
    assert estimate.standard_error < 0.05 * truth


@pytest.mark.parametrize("market", [MERTON, pair(MERTON)])
def test_normal_jumps_are_tilted_as_the_plain_walk_has_them(market: kernel.Market) -> None:
    """Merton's breaches, with normals that are correlated in the tilt, agree with a plain simulation's."""
    account = LONG if market is MERTON else SECOND
    plain = kernel.simulate(market, account, tier_at(account if market is MERTON else LONG, -0.2), horizon=HORIZON,
                            steps=2, paths=1_000_000, seed=7, record="summary")  # fmt: skip
    truth = kernel.breach_probability(plain, "rare")
    estimate = kernel.breach_probability(rare(market, account, -0.2, steps=2), "rare")
    error = math.hypot(truth.standard_error, estimate.standard_error)
    assert strays(estimate.value, truth.value, error) < ALARM


def shortfall(level: float) -> float:
    """Return ES of the long account under GBM: the closing price is lognormal."""
    q, deviation = norm.ppf(1 - level), SIGMA * math.sqrt(HORIZON)
    return float(60_000.0 * (1 - math.exp(0.1 * HORIZON) * norm.cdf(q - deviation) / (1 - level)))


@pytest.mark.parametrize("level", [0.99, 0.999, 0.999999])
def test_losses_follow_the_closed_form(level: float) -> None:
    """VaR and ES at the level that the tilt is for, with errors far below those of plain sampling."""
    outcome = run(GBM, importance=level, paths=50_000)
    value = kernel.value_at_risk(outcome, level)
    truth = 60_000.0 * (1 - math.exp(NU * HORIZON + SIGMA * math.sqrt(HORIZON) * norm.ppf(1 - level)))
    assert strays(value.value, truth, value.standard_error) < ALARM
    assert value.standard_error < 0.005 * truth
    mean = kernel.expected_shortfall(outcome, level)
    assert strays(mean.value, shortfall(level), mean.standard_error) < ALARM
    assert mean.standard_error < 0.005 * shortfall(level)


def test_jumps_reach_the_tail_of_losses() -> None:
    """Under Merton's model ES at 99.9% agrees with plain sampling, whose variance is 200 times as large."""
    tilted = kernel.expected_shortfall(run(MERTON, importance=0.999, paths=100_000), 0.999)
    plain = kernel.expected_shortfall(run(MERTON, paths=1_000_000, seed=9, record="summary"), 0.999)
    error = math.hypot(tilted.standard_error, plain.standard_error)
    assert strays(tilted.value, plain.value, error) < ALARM
    assert 10 * plain.standard_error**2 > 200 * tilted.standard_error**2


def ratios(outcome: kernel.Outcome) -> NDArray[np.float64]:
    """Return the weights of the paths."""
    assert outcome.weight is not None
    return outcome.weight.astype(np.float64)


@pytest.mark.parametrize("market", [GBM, MERTON, KOU])
def test_paths_weigh_one_on_average(market: kernel.Market) -> None:
    """Under a mild tilt the mean weight is 1 within its error: nothing of the law is lost."""
    weight = ratios(run(market, importance=0.9, paths=200_000))
    assert strays(weight.mean(), 1.0, weight.std() / math.sqrt(weight.size)) < ALARM


def test_threads_do_not_change_a_bit() -> None:
    """The pilot, too, is the same for any number of threads."""
    one, two = (run(MERTON, importance="liquidation", paths=300_000, threads=threads) for threads in (1, 2))
    assert one.provenance["tilt"] == two.provenance["tilt"]
    np.testing.assert_array_equal(one.weight, two.weight)
    np.testing.assert_array_equal(one.breach_weight, two.breach_weight)


@pytest.mark.parametrize(
    ("market", "settings", "message"),
    [
        (HESTON, {"importance": 0.99}, "importance: is for Gbm, Merton and Kou, not Heston: leave it out"),
        (GBM, {"importance": "margin"}, "importance: must be one of warning, call, last_call, liquidation or a level"),
        (GBM, {"importance": 1.0}, "importance: must be below 1, not 1"),
        (GBM, {"importance": 0.99, "record": "summary"}, "record: must be 'paths' with importance"),
    ],
)
def test_what_it_cannot_do_is_said(market: kernel.Market, settings: dict[str, object], message: str) -> None:
    """Markets without such a tilt, tiers that are none, levels outside (0, 1), summaries."""
    with pytest.raises(kernel.InvalidInput, match="^" + message.replace("(", r"\(")):
        run(market, **settings)


def test_tiers_that_are_no_rare_event_are_refused() -> None:
    """One that is breached at the opening, and one that no price reaches."""
    for level, message in (
        (30.0, "is not breached at the opening: rare is"),
        (-1e9, "no tilt was found that leads to rare"),
    ):
        account = LONG if level > 0 else kernel.Account(
            cash=1.0, positions=[kernel.Linear("BTC", quantity=1.0)], maintenance_rate=0.005
        )  # fmt: skip
        with pytest.raises(kernel.InvalidInput, match=message):
            kernel.simulate(GBM, account, kernel.Ladder({"rare": level}), horizon=HORIZON, steps=1, paths=10,
                            importance="rare")  # fmt: skip


def test_what_is_common_stays_honest_under_a_strong_tilt() -> None:
    """Tilted towards one in two million, intervals of common tiers hold the truth: a share of paths is not tilted."""
    ladder = kernel.Ladder({name: tier_at(LONG, -b).tiers["rare"] for name, b in COMMON.items()})
    held = np.zeros(len(COMMON))
    for seed in range(40):
        outcome = kernel.simulate(
            GBM, LONG, ladder, horizon=HORIZON, steps=4, paths=8_000, importance="rare", seed=seed
        )
        for k, (name, barrier) in enumerate(COMMON.items()):
            estimate = kernel.breach_probability(outcome, name)
            truth = float(gbm.hit_probability(-barrier, NU, SIGMA, HORIZON))
            held[k] += estimate.low <= truth <= estimate.high
    assert (held >= 33).all()  # of 40 at 95%: fewer once in 5,000


def test_hedged_books_are_tilted_to_where_the_event_is_likeliest() -> None:
    """Of two correlated assets the long one need not fall far where the short one rises: plain sampling agrees."""
    market = kernel.Gbm(assets=["BTC", "ETH"], spot=[100.0, 50.0], volatility=1.0, correlation=[[1, 0.9], [0.9, 1]])
    positions = [kernel.Linear("BTC", quantity=1.0), kernel.Linear("ETH", quantity=-0.6)]
    account = kernel.Account(cash=10.0, positions=positions, maintenance_rate=0.3)
    settings = {"horizon": 0.5, "steps": 8}
    plain = kernel.simulate(market, account, LADDER_AT_ONE, **settings, paths=1_000_000, seed=9, record="summary")
    truth = kernel.breach_probability(plain, "liquidation")
    tilted = kernel.simulate(market, account, LADDER_AT_ONE, **settings, paths=50_000, importance="liquidation")
    estimate = kernel.breach_probability(tilted, "liquidation")
    assert strays(estimate.value, truth.value, math.hypot(truth.standard_error, estimate.standard_error)) < ALARM
    assert 20 * estimate.standard_error**2 < truth.value * (1 - truth.value) / 50_000

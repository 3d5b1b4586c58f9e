"""Margin rates from targets: against closed forms, and kept on fresh noise by accounts opened at them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

import kernel
from bench.oracles import gbm, kou
from kernel.calibration.adjustment import rounded_up
from tests.cases import ALARM, FILTERED, GBM, GRID, HORIZON, KOU, LONG, MERTON, SHORT, strays
from tests.conftest import pair

DAY = 1 / 365
PERIOD = 2 * DAY + DAY / 24
TARGET: dict[str, Any] = {"liquidation_period": 2 * DAY, "latency": DAY / 24, "probability": 0.01}
HEDGED = kernel.Account(
    cash=0.0,
    positions=[kernel.Linear("BTC", quantity=1.0, entry_price=1.0), kernel.Linear("ETH", quantity=-0.6)],
    maintenance_rate=0.3,
)


def calibrate(market: kernel.Market = GBM, account: kernel.Account = LONG, **settings: Any) -> kernel.Margin:
    """Calibrate to a probability of 1% over two days and an hour, unless told otherwise."""
    return kernel.calibrate_margin(market, account, **{**TARGET, "paths": 200_000, **settings})


def hit(market: kernel.Market, log_price: float, by: float) -> float:
    """Return the probability that the relative log price gets to a level by a time."""
    law = {name: value[0] if isinstance(value, list) else value for name, value in market.parameters().items()}
    if isinstance(market, kernel.Gbm):
        return float(gbm.hit_probability(log_price, law["drift"] - law["volatility"] ** 2 / 2, law["volatility"], by))
    names = "drift", "volatility", "jump_intensity", "up_probability", "up_mean", "down_mean"
    return kou.hit_probability(log_price, *(law[name] for name in names), by)


@pytest.mark.parametrize("market", [GBM, KOU], ids=["gbm", "kou"])
@pytest.mark.parametrize(("account", "side"), [(LONG, 1), (SHORT, -1)], ids=["long", "short"])
def test_rates_meet_first_passage_laws(market: kernel.Market, account: kernel.Account, side: int) -> None:
    """Of one asset, equity is gone when the price has moved by m, and a call comes at the price that solves for it."""
    found = calibrate(market, account, latency=0.0)
    rate = found.maintenance_rate
    truth = brentq(lambda m: hit(market, math.log(1 - side * m), 2 * DAY) - 0.01, 0.01, 0.9, xtol=1e-7)
    assert strays(found.maintenance.value, truth, found.maintenance.standard_error) < ALARM
    truth = brentq(lambda i: hit(market, math.log((side - i) / (side - rate)), DAY) - 0.05, rate + 1e-6, 0.9, xtol=1e-7)
    assert strays(found.initial.value, truth, found.initial.standard_error) < ALARM


@pytest.mark.parametrize(("account", "side"), [(LONG, 1), (SHORT, -1)], ids=["long", "short"])
@pytest.mark.parametrize("measure", ["value_at_risk", "expected_shortfall"])
def test_loss_measures_meet_closed_forms(account: kernel.Account, side: int, measure: str) -> None:
    """Value at Risk and Expected Shortfall over the period are the lognormal ones, over the notional."""
    found = calibrate(account=account, probability=None, measure=measure, confidence=0.99).maintenance
    truth = getattr(gbm, measure)(0.99, side, 1.0, 1.0, 0.1, 0.65, PERIOD)
    assert strays(found.value, truth, found.standard_error) < ALARM


@pytest.mark.parametrize(
    ("market", "account", "grid"),
    [
        (MERTON, SHORT, {}),
        (FILTERED, LONG, {"liquidation_period": HORIZON / 2, "latency": 0.0, "steps": GRID // 2,
                          "call_period": HORIZON / GRID * 4, "call_steps": 4}),
        (pair(GBM), HEDGED, {"steps": 4, "call_steps": 4}),
    ],
    ids=["merton", "filtered", "two assets"],
)  # fmt: skip
def test_accounts_opened_at_the_rates_keep_the_targets(
    market: kernel.Market, account: kernel.Account, grid: dict[str, Any]
) -> None:
    """Another seed, and accounts with that equity: it runs out, or a call comes, as often as was asked for."""
    settings = {**TARGET, "call_period": DAY, "steps": 1, "call_steps": 1, **grid}
    found = calibrate(market, account, **grid)
    prices = [60_000.0] * len(account.positions)
    gross = sum(abs(one.quantity) * price for one, price in zip(account.positions, prices, strict=True))
    worth = sum(one.quantity * (price - one.entry_price) for one, price in zip(account.positions, prices, strict=True))
    for rate, probability, ladder, horizon, steps in (
        (found.maintenance_rate, 0.01, kernel.Ladder({"there": 0.0}),
         settings["liquidation_period"] + settings["latency"], settings["steps"]),
        (found.initial_rate, 0.05, kernel.Ladder({"there": 1.0}), settings["call_period"], settings["call_steps"]),
    ):  # fmt: skip
        opened = kernel.Account(
            cash=rate * gross - worth, positions=account.positions, maintenance_rate=found.maintenance_rate
        )
        outcome = kernel.simulate(market, opened, ladder, horizon=horizon, steps=steps, paths=200_000, seed=9)
        breached = kernel.breach_probability(outcome, "there")
        assert strays(breached.value, probability, math.sqrt(2) * breached.standard_error) < ALARM


def test_intervals_cover() -> None:
    """Of 200 intervals of a maintenance rate 95% hold the true one, within the alarm for a binomial of 200."""
    truth = brentq(lambda m: hit(GBM, math.log(1 - m), PERIOD) - 0.05, 0.01, 0.9)
    found = [calibrate(paths=1_000, probability=0.05, seed=seed, threads=1).maintenance for seed in range(200)]
    covered = sum(one.low <= truth <= one.high for one in found)
    assert abs(covered - 190) < ALARM * math.sqrt(200 * 0.95 * 0.05)


def test_adjustments_follow_each_other() -> None:
    """Weight on stress, buffer, floors and grid are applied in turn; each is what its rule says."""
    plain, stress, floor = (calibrate(market).maintenance.value for market in (GBM, MERTON, KOU))
    found = calibrate(stressed=MERTON, buffer=0.25, floor_market=KOU, floor=0.1, grid=0.005)
    steps = dict(found.adjustments)
    assert list(steps) == ["measured", "stressed", "buffer", "floor_market", "floor", "grid"]
    assert steps["measured"] == plain
    assert steps["stressed"] == pytest.approx(0.75 * plain + 0.25 * stress)
    assert steps["buffer"] == pytest.approx(1.25 * steps["stressed"])
    assert steps["floor_market"] == max(steps["buffer"], floor)
    assert steps["floor"] == max(steps["floor_market"], 0.1)
    assert found.maintenance_rate == steps["grid"] == pytest.approx(0.005 * math.ceil(steps["floor"] / 0.005))
    assert found.initial_rate == pytest.approx(0.005 * math.ceil(found.initial.value / 0.005))


def test_a_stressed_market_at_another_price_has_the_same_rate() -> None:
    """The portfolio is the same by value on every market: opening prices of a stressed one do not matter."""
    cheap = kernel.Gbm(assets=["BTC"], spot=5.0, drift=0.1, volatility=0.65)
    assert calibrate(stressed=cheap).adjustments[-1].rate == pytest.approx(calibrate().maintenance.value, rel=1e-5)


@given(st.floats(1e-4, 0.99), st.sampled_from([0.001, 0.005, 0.0125, 0.1]))
def test_rounding_goes_up_to_the_grid(rate: float, step: float) -> None:
    """The rounded rate is a multiple of the step, not below the rate and less than a step above; once is enough."""
    rounded = rounded_up(rate, step)
    assert abs(rounded / step - round(rounded / step)) < 1e-6
    assert rate - 1e-8 <= rounded < rate + step
    assert rounded_up(rounded, step) == rounded


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"measure": "var"}, "measure: must be first_passage, value_at_risk or expected_shortfall, not 'var'"),
    ({"probability": None}, "probability: is required for first_passage, such as 0.01"),
    ({"confidence": 0.99}, "confidence: is not for first_passage: leave it out and state the probability"),
    ({"probability": 1.5}, "probability: must be below 1, not 1.5"),
    ({"probability": 1e-7}, "probability: must be at least 10 / paths (5e-05), not 1e-07: use more paths"),
    ({"call_probability": 1e-7}, "call_probability: must be at least 10 / paths"),
    ({"latency": -1}, "latency: must be at least 0, not -1"),
    ({"liquidation_period": "2"}, "liquidation_period: must have a unit, such as '5d' or '12h'; 2 years is '2y'"),
    ({"call_period": 0}, "call_period: must be above 0, not 0"),
    ({"account": None}, "account: must be a kernel.Account, not NoneType"),
    ({"market": FILTERED}, "call_steps: must be 4"),
    ({"stressed": 3}, "stressed: must be a kernel.Market, not int"),
    ({"floor_market": pair(GBM)}, "floor_market: must have the market's assets in their order (BTC), not BTC, ETH"),
    ({"stressed": FILTERED}, "stressed: must be 7"),
    ({"grid": []}, "grid: must be a step, such as 0.005, or at least one rate"),
    ({"grid": [0.01, 0.02]}, "grid: must have a rate of 0.11"),
    ({"buffer": 9}, "probability: no maintenance rate below 1 keeps it, 1.1"),
    ({"account": SHORT, "liquidation_period": 2.0}, "probability: no maintenance rate below 1 keeps it"),
    ({"account": SHORT, "floor": 0.99}, "call_probability: no initial rate below 1 keeps it"),
    ({"probability": None, "measure": "value_at_risk", "confidence": 0.2}, "confidence: asks for no margin"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_cannot_be_is_refused(settings: dict[str, Any], message: str) -> None:
    """Wrong fields and targets out of reach end in a sentence that names the field and the mend."""
    with pytest.raises(kernel.InvalidInput) as refused:
        calibrate(**settings)
    assert message in str(refused.value)

"""Instruments and margin rules defined outside the package: breaches, losses, what else takes them and what is refused.

Closed forms are reckoned at barriers solved for by hand; alarms are at 4.5 standard errors, seeds are fixed.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import kernel
from bench.oracles import gbm
from kernel.accounts.books.choose import choose
from kernel.accounts.watch import watched_at
from kernel.simulation.watched import farthest
from tests import naive
from tests.cases import ALARM, GBM, HESTON, HORIZON, KOU, LADDER, LONG, MERTON, SHORT, strays
from tests.extending import Power, TwoBrackets
from tests.outside_account import Decaying, Haircut, Inverse

MARKET = kernel.Gbm(assets=["A"], spot=100.0, drift=0.1, volatility=0.6)
NU = 0.1 - 0.6**2 / 2
DAYS = 10 / 365
SQUARED = kernel.Account(cash=-60.0, positions=[Power("A", 0.01)], maintenance_rate=0.05)
AGAINST = kernel.Account(cash=160.0, positions=[Power("A", -0.01)], maintenance_rate=0.05)
POWER_LADDER = kernel.Ladder({"call": 4.0, "out": 1.0})
BRACKETS = kernel.Account(cash=-46_000.0, positions=[kernel.Linear("BTC", 1.0)], margin=TwoBrackets())
BRACKET_LADDER = kernel.Ladder({"warning": 25.0, "call": 10.0, "out": 1.0})
# S - 46,000 = level * (0.02 S - 800) above a notional of 50,000, = level * 0.004 S below
BRACKET_PRICES = 52_000.0, 46_000.0 / 0.96, 46_000.0 / 0.996


def near(estimate: kernel.Estimate, truth: float) -> bool:
    """Tell whether an estimate strays from the truth by less than the alarm."""
    return strays(estimate.value, truth, estimate.standard_error) < ALARM


@pytest.mark.parametrize("steps", [1, 7])
@pytest.mark.parametrize("account", [SQUARED, AGAINST], ids=["long", "short"])
def test_a_power_contract_breaches_as_the_closed_form_says(account: kernel.Account, steps: int) -> None:
    """Tiers of a squared price are barriers: first passages of GBM there, for any number of steps."""
    outcome = kernel.simulate(MARKET, account, POWER_LADDER, horizon=DAYS, steps=steps, paths=400_000, seed=5)
    for tier, level in POWER_LADDER.tiers.items():
        # cash + q S**2 = level * 0.05 * |q| S**2
        price = math.sqrt(-account.cash / (account.positions[0].quantity - 0.0005 * level))
        truth = float(gbm.hit_probability(math.log(price / 100.0), NU, 0.6, DAYS))
        assert near(kernel.breach_probability(outcome, tier), truth)
        half = gbm.hit_time_quantile(math.log(price / 100.0), NU, 0.6, DAYS, 0.5)
        found = kernel.breach_time_quantile(outcome, tier, 0.5)
        assert found.low - found.standard_error <= half <= found.high + found.standard_error


@pytest.mark.parametrize("record", ["paths", "summary"])
def test_a_power_contract_loses_as_the_closed_form_says(record: str) -> None:
    """Value at Risk of a squared lognormal price, in every record."""
    outcome = kernel.simulate(
        MARKET, SQUARED, POWER_LADDER, horizon=DAYS, steps=1, paths=400_000, seed=6, record=record, levels=(0.99,)
    )
    lowest = math.exp(2 * (NU * DAYS - 0.6 * math.sqrt(DAYS) * 2.3263478740408408))
    assert near(kernel.value_at_risk(outcome, 0.99), 100.0 * (1 - lowest))
    assert outcome.opening_equity == pytest.approx(40.0)


def test_losses_are_those_of_the_closing_prices() -> None:
    """Path by path a loss is opening less closing equity, in both precisions and any number of chunks."""
    for precision, tolerance in (("single", 1e-5), ("double", 1e-12)):
        outcome = kernel.simulate(
            MARKET, SQUARED, POWER_LADDER, horizon=DAYS, steps=2, paths=300_000, precision=precision
        )
        assert outcome.terminal_price is not None
        closing = 0.01 * outcome.terminal_price[0].astype(np.float64) ** 2
        np.testing.assert_allclose(outcome.loss, 100.0 - closing, rtol=0, atol=100 * tolerance)


def test_an_inverse_contract_breaches_as_the_closed_form_says() -> None:
    """A coin-margined long is liquidated where its equity in coins is the requirement in coins."""
    account = kernel.Account(
        cash=0.1, positions=[Inverse("BTC", 60_000.0, entry_price=60_000.0)], maintenance_rate=0.005
    )
    outcome = kernel.simulate(GBM, account, LADDER, horizon=HORIZON, steps=1, paths=400_000, seed=7)
    for tier, level in LADDER.tiers.items():
        # 0.1 + 60,000 (1 / 60,000 - 1 / S) = level * 0.005 * 60,000 / S
        barrier = math.log((60_000.0 + 300.0 * level) / 1.1 / 60_000.0)
        truth = float(gbm.hit_probability(barrier, 0.1 - 0.65**2 / 2, 0.65, HORIZON))
        assert near(kernel.breach_probability(outcome, tier), truth)


def test_brackets_breach_as_the_closed_form_says() -> None:
    """Tiers on either side of the brackets' bound are barriers: first passages of GBM there."""
    outcome = kernel.simulate(GBM, BRACKETS, BRACKET_LADDER, horizon="30d", steps=1, paths=400_000, seed=8)
    for tier, price in zip(BRACKET_LADDER.names, BRACKET_PRICES, strict=True):
        truth = float(gbm.hit_probability(math.log(price / 60_000.0), 0.1 - 0.65**2 / 2, 0.65, 30 / 365))
        assert near(kernel.breach_probability(outcome, tier), truth)


def metric_under_brackets(price: NDArray[np.float64]) -> NDArray[np.float64]:
    """Reckon the margin ratio of the account under brackets from its words alone."""
    required = np.array([0.004 * one if one <= 50_000.0 else 200.0 + 0.02 * (one - 50_000.0) for one in price])
    return np.asarray((price - 46_000.0) / required)


def test_brackets_breach_where_a_naive_walk_does() -> None:
    """With jumps, watched at the grid points: path by path at the first where the metric is at the level."""
    market = naive.Market(
        [60_000.0], [0.1], [0.65], [[1.0]], naive.NormalJumps(40.0, [-0.02], [0.06], [[1.0]])
    )  # of cases.MERTON
    horizon, steps, paths = 0.25, 24, 300
    outcome = kernel.simulate(
        MERTON, BRACKETS, BRACKET_LADDER, horizon=horizon, steps=steps, paths=paths, seed=9,
        monitoring="discrete", precision="double",
    )  # fmt: skip
    grid = [horizon * (step / steps) for step in range(steps + 1)]
    assert outcome.breach_time is not None
    for path in range(paths):
        metrics = metric_under_brackets(60_000.0 * np.exp(naive.walk(market, grid, 9, path)[:, 0]))
        for tier, level in enumerate(BRACKET_LADDER.levels):
            first = next((t for t, metric in zip(grid, metrics, strict=True) if metric <= level), math.nan)
            np.testing.assert_equal(outcome.breach_time[tier, path], first)
    assert np.isfinite(outcome.breach_time).any(axis=1).all()


def test_continuous_breaches_of_brackets_are_those_of_a_fine_grid() -> None:
    """With jumps, one step in continuous time agrees with a plain NumPy walk on a grid of minutes, bounded by it."""
    steps, paths, horizon = 2_000, 20_000, HORIZON
    generator, dt = np.random.default_rng(10), horizon / steps
    growth = math.exp(-0.02 + 0.06**2 / 2) - 1
    drift, x = 0.1 - 0.65**2 / 2 - 40.0 * growth, np.zeros(paths)
    shift = (
        0.5825971579390107 * 0.65 * math.sqrt(dt)
    )  # Broadie, Glasserman, Kou (1997): a grid sees a barrier so far off
    lowest = np.zeros(paths)
    for _ in range(steps):
        count = generator.poisson(40.0 * dt, paths)
        x += drift * dt + 0.65 * math.sqrt(dt) * generator.standard_normal(paths)
        x += -0.02 * count + 0.06 * np.sqrt(count) * generator.standard_normal(paths)
        np.minimum(lowest, x, out=lowest)
    outcome = kernel.simulate(MERTON, BRACKETS, BRACKET_LADDER, horizon=horizon, steps=1, paths=400_000, seed=10)
    for tier, level in BRACKET_LADDER.tiers.items():
        found = kernel.breach_probability(outcome, tier)
        share = np.mean(metric_under_brackets(60_000.0 * np.exp(lowest - shift)) <= level)
        error = math.hypot(found.standard_error, math.sqrt(share * (1 - share) / paths))
        assert strays(found.value, share, error) < ALARM


@pytest.mark.parametrize("account", [LONG, SHORT], ids=["long", "short"])
@pytest.mark.parametrize("metric", ["margin_ratio", "equity_fraction"])
def test_roots_are_the_closed_form_of_a_linear_account(account: kernel.Account, metric: str) -> None:
    """The same account, its positions as power contracts of exponent 1, has the same barriers to the last bits."""
    (position,) = account.positions
    powers: list[kernel.Instrument] = [Power("BTC", position.quantity, exponent=1.0)]
    same = kernel.Account(cash=account.cash - position.owed, positions=powers, maintenance_rate=0.005)
    ladder = LADDER if metric == "margin_ratio" else kernel.Ladder({"half": 0.5, "out": 0.05}, metric=metric)
    books = []
    for one in (account, same):
        watched = watched_at(one, ladder, ("BTC",), np.array([60_000.0]))
        watch = choose(watched).build(watched, np.float64)
        books.append((watch.book.side, watch.opening_tier, watch.book.level))  # type: ignore[attr-defined]
    assert books[0][:2] == books[1][:2]
    np.testing.assert_allclose(books[1][2], books[0][2], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("market", [MERTON, KOU, HESTON], ids=["merton", "kou", "heston"])
def test_every_market_walks_the_same_barriers(market: kernel.Market) -> None:
    """A linear account in another guise breaches at the same times, and loses the same to a price's rounding."""
    guise = kernel.Account(
        cash=LONG.cash, positions=[Power("BTC", 1.0, exponent=1.0)], margin=kernel.Flat({"BTC": 0.005})
    )
    settings: dict[str, Any] = {"horizon": HORIZON, "steps": 4, "paths": 5_000, "precision": "double", "worst": True}
    plain, other = (kernel.simulate(market, one, LADDER, **settings) for one in (LONG, guise))
    np.testing.assert_allclose(other.breach_time, plain.breach_time, rtol=0, atol=1e-9)
    np.testing.assert_allclose(other.loss, plain.loss, rtol=0, atol=1e-8)
    np.testing.assert_allclose(other.worst, plain.worst, rtol=1e-9, atol=1e-9)


def test_a_haircut_lowers_margin_and_not_losses() -> None:
    """Tiers watch cash plus nine tenths of the holdings; what is lost is the whole fall of the price."""
    account = kernel.Account(cash=-50.0, positions=[kernel.Linear("A", 1.0)], margin=Haircut())
    ladder = kernel.Ladder({"call": 10.0})
    outcome = kernel.simulate(MARKET, account, ladder, horizon=DAYS, steps=1, paths=400_000, seed=11)
    barrier = math.log(50.0 / (0.9 - 0.1) / 100.0)
    assert near(kernel.breach_probability(outcome, "call"), float(gbm.hit_probability(barrier, NU, 0.6, DAYS)))
    assert outcome.terminal_price is not None
    np.testing.assert_allclose(outcome.loss, 100.0 - outcome.terminal_price[0], atol=1e-4)
    assert outcome.opening_equity == 50.0


def test_the_worst_metric_is_that_at_the_worst_price() -> None:
    """A threshold of the squared contract is the metric at the quantile of the lowest price."""
    outcome = kernel.simulate(MARKET, SQUARED, POWER_LADDER, horizon=DAYS, steps=3, paths=400_000, seed=12, worst=True)
    found = kernel.threshold(outcome, 0.02)
    price = 100.0 * math.exp(gbm_lowest_quantile(0.02))
    assert near(found, (0.01 * price**2 - 60.0) / (0.0005 * price**2))
    assert outcome.worst is not None
    assert outcome.breach_time is not None
    for tier, level in enumerate(POWER_LADDER.levels):
        np.testing.assert_array_equal(outcome.worst[0] <= np.float32(level), np.isfinite(outcome.breach_time[tier]))


def gbm_lowest_quantile(probability: float) -> float:
    """Return the log price that is reached from above within the horizon with a probability, by halving."""
    low, high = -1.0, -1e-9
    for _ in range(80):
        middle = (low + high) / 2
        reached = float(gbm.hit_probability(middle, NU, 0.6, DAYS)) >= probability
        low, high = (low, middle) if reached else (middle, high)
    return high


@pytest.mark.parametrize("account", [SQUARED, AGAINST], ids=["long", "short"])
def test_rare_events_are_sampled_under_a_tilt(account: kernel.Account) -> None:
    """Importance sampling of a tier and of losses finds what one path in 10,000 does, many times as well."""
    levels, sign = {"out": 1.0}, math.copysign(1.0, account.positions[0].quantity)
    price = math.sqrt(-account.cash / (account.positions[0].quantity - 0.0005))
    settings: dict[str, Any] = {"horizon": 5 / 365, "steps": 1, "paths": 50_000, "seed": 13}
    outcome = kernel.simulate(MARKET, account, kernel.Ladder(levels), importance="out", **settings)
    truth = float(gbm.hit_probability(math.log(price / 100.0), NU, 0.6, 5 / 365))
    found = kernel.breach_probability(outcome, "out")
    assert near(found, truth)
    assert found.standard_error < 0.5 * math.sqrt(truth * (1 - truth) / 50_000)
    outcome = kernel.simulate(MARKET, account, kernel.Ladder(levels), importance=0.9999, **settings)
    worst = math.exp(2 * (NU * 5 / 365 - sign * 0.6 * math.sqrt(5 / 365) * 3.719016485455709))
    assert near(kernel.value_at_risk(outcome, 0.9999), sign * 100.0 * (1 - worst))


def test_sobol_points_are_turned_towards_what_moves_the_account() -> None:
    """On Sobol points the Value at Risk of the squared contract errs by a fifth of what plain paths do, at most."""
    settings: dict[str, Any] = {"horizon": DAYS, "steps": 4, "paths": 2**16, "seed": 14}
    found = [
        kernel.value_at_risk(kernel.simulate(MARKET, SQUARED, POWER_LADDER, sampling=sampling, **settings), 0.99)
        for sampling in ("sobol", "plain")
    ]
    assert found[0].standard_error < 0.2 * found[1].standard_error
    lowest = math.exp(2 * (NU * DAYS - 0.6 * math.sqrt(DAYS) * 2.3263478740408408))
    assert near(found[0], 100.0 * (1 - lowest))


def test_the_same_bits_of_any_threads_and_after_a_trip() -> None:
    """What the chunks share can be pickled, and threads do not matter."""
    settings: dict[str, Any] = {"horizon": DAYS, "steps": 4, "paths": 100_000, "worst": True}
    watched = watched_at(SQUARED, POWER_LADDER, ("A",), np.array([100.0]))
    watch = choose(watched).build(watched, np.float32)
    again = pickle.loads(pickle.dumps(watch))
    assert again.closing.losses(np.array([[90.0]])) == watch.closing.losses(np.array([[90.0]])) == [19.0]  # type: ignore[union-attr]
    first, second = (kernel.simulate(MARKET, SQUARED, POWER_LADDER, threads=threads, **settings) for threads in (1, 3))
    for name in ("loss", "breach_time", "worst"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


# Accounts and their worth


def test_worth_is_by_asset_and_for_any_shape_of_prices() -> None:
    """Values and requirements stand with their assets, what is owed with the cash, at prices of any shape."""
    account = kernel.Account(
        cash=1_000.0,
        positions=[kernel.Linear("A", 2.0), kernel.Linear("B", -1.0, 50.0), Power("B", 0.1)],
        maintenance_rate={"A": 0.1, "B": 0.2},
    )
    prices = np.array([[[10.0, 20.0]], [[50.0, 40.0]]])
    worth = account.worth(["A", "B"], prices)
    np.testing.assert_allclose(worth.value, [[[20.0, 40.0]], [[200.0, 120.0]]])
    np.testing.assert_allclose(worth.requirement, [[[2.0, 4.0]], [[60.0, 40.0]]])
    assert worth.cash == 1_050.0
    np.testing.assert_allclose(worth.equity, [[1_270.0, 1_210.0]])
    np.testing.assert_allclose(account.notional(["A", "B"], prices)[1], [[300.0, 200.0]])


def test_a_share_of_the_positions_is_worth_that_share_and_requires_what_the_rule_says() -> None:
    """Under a flat rate a half requires a half, under brackets less: `scales_with_size` says so."""
    for account, scales in ((LONG, True), (BRACKETS, False)):
        whole, half = (account.worth(["BTC"], [60_000.0], share=share) for share in (1.0, 0.5))
        assert (half.value == 0.5 * whole.value).all()
        assert (half.required == 0.5 * whole.required) == scales == account.rule.scales_with_size
    assert BRACKETS.worth(["BTC"], [60_000.0], share=0.5).required == 0.004 * 30_000.0
    none = SHORT.worth(["BTC"], [60_000.0], share=0.0)
    assert (none.equity, none.required) == (6_000.0, 0.0)


def test_a_rate_and_a_flat_rule_are_the_same() -> None:
    """Both ways to state a rate walk the same bits, and say what was stated."""
    ruled = kernel.Account(cash=-54_000.0, positions=LONG.positions, margin=kernel.Flat(0.005))
    settings: dict[str, Any] = {"horizon": HORIZON, "steps": 2, "paths": 10_000}
    first, second = (kernel.simulate(GBM, account, LADDER, **settings) for account in (LONG, ruled))
    for name in ("loss", "breach_time"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert ruled.parameters()["margin"] == {"rule": "flat", "rate": 0.005}
    assert LONG.parameters()["maintenance_rate"] == 0.005
    assert SQUARED.parameters()["positions"] == [{"type": "power", "asset": "A", "quantity": 0.01, "exponent": 2.0}]


def test_prices_that_hardly_any_path_reaches_are_bounded() -> None:
    """Of a million paths watched between steps none goes beyond the bounds, which are within 14 deviations."""
    for market in (GBM, MERTON, KOU):
        low, high = farthest(market, HORIZON)
        assert -3.0 < low < 0 < high < 3.0
        outcome = kernel.simulate(market, LONG, LADDER, horizon=HORIZON, steps=1, paths=1_000_000)
        assert outcome.terminal_price is not None
        moves = np.log(outcome.terminal_price / 60_000.0)
        assert low < moves.min()
        assert moves.max() < high
    assert farthest(GBM, HORIZON)[0] > -9 * 0.65 * math.sqrt(HORIZON)


# What else takes such accounts


def test_a_ladder_is_calibrated_for_a_power_contract() -> None:
    """The levels of a squared contract leave the response time that was asked for."""
    response = {"call": kernel.Response("1d", 0.2)}
    found = kernel.calibrate_ladder(MARKET, SQUARED, response, horizon=DAYS, paths=50_000)
    assert found.achieved["call"].value == pytest.approx(0.2, abs=0.02)


def test_a_surface_of_rates_for_a_power_contract() -> None:
    """A client with squared exposure is liquidated at the rate with the probability asked for, by the closed form."""
    surface = kernel.margin_surface({"only": MARKET}, [2.0], [DAYS], 0.05, account=SQUARED, paths=200_000)
    rate = float(surface.rate[0, 0, 0])
    # opens at half of 100: equity 0.01 S**2 - 50 = rate * 0.01 S**2
    barrier = 0.5 * math.log(0.5 / (1 - rate))
    assert float(gbm.hit_probability(barrier, NU, 0.6, DAYS)) == pytest.approx(0.05, abs=0.003)


def test_a_backtest_judges_an_account_under_brackets() -> None:
    """Realised losses and breaches are those of the account opened anew at each forecast, its metric from words."""
    generator = np.random.default_rng(15)
    closes = 60_000.0 * np.exp(np.cumsum(0.06 * generator.standard_normal(90)))
    closes *= 60_000.0 / closes[-1]
    market = kernel.Gbm(assets=["asset"], spot=60_000.0, volatility=0.6)
    account = kernel.Account(cash=-46_000.0, positions=[kernel.Linear("asset", 1.0)], margin=TwoBrackets())
    tested = kernel.backtest(
        closes, market, dt="1d", account=account, ladder=BRACKET_LADDER, window=30, horizon="5d", paths=2_000
    )
    for k, row in enumerate(tested.rows):
        prices = 60_000.0 * closes[row : row + 6] / closes[row]
        assert tested.losses[k] == pytest.approx(60_000.0 - prices[-1])
        there = (metric_under_brackets(prices)[:, None] <= BRACKET_LADDER.levels).any(axis=0)
        np.testing.assert_array_equal(tested.breached[:, k], there)
    assert tested.breached.any()


# Refusals


HEDGED = kernel.Account(cash=-80.0, positions=[kernel.Linear("A", 2.0), Power("A", -0.01)], maintenance_rate=0.01)
PAIR = kernel.Gbm(assets=["A", "B"], spot=100.0, volatility=0.5)


class Negative(TwoBrackets):
    """A rule that asks for less than nothing."""

    def requirement(self, positions: Sequence[kernel.Instrument], price: Any, years: float) -> Any:
        """Return less than nothing."""
        return -price


class Endless(Power):
    """An instrument that is worth no number."""

    def unit_value(self, price: Any, years: float) -> Any:
        """Return a number at the opening alone, and about it."""
        return np.where(np.abs(price - 100.0) < 1.0, price, np.nan)


REFUSED = [
    (MARKET, HEDGED, {"horizon": 1.0}, r"ladder\.tiers\.call: is crossed more than once .* near "),
    (MARKET, HEDGED, {"horizon": 1e-3, "worst": True}, "worst: must be False for this account"),
    (MARKET, kernel.Account(cash=1.0, positions=[Decaying("A", 1.0)], maintenance_rate=0.1), {},
     "account: must be worth, and require, the same at a price whenever it is reached"),
    (PAIR, SQUARED, {}, "account: must be of linear positions under a flat rate, or on a market of one asset"),
    (MARKET, kernel.Account(cash=1.0, positions=[kernel.Linear("A", 1.0)], margin=Negative()), {},
     "account: must have another requirement: at a price of .* it is below 0"),
    (MARKET, kernel.Account(cash=1.0, positions=[Endless("A", 1.0)], maintenance_rate=0.1), {},
     "account: must have another worth: at a price of .* it is not finite"),
    (MARKET, kernel.Account(cash=1.0, positions=[kernel.Linear("A", 1.0)], margin=kernel.Flat({"B": 0.1})), {},
     "account.margin: must have a rate for A"),
]  # fmt: skip


@pytest.mark.parametrize(("market", "account", "settings", "message"), REFUSED)
def test_what_no_book_watches_is_refused(
    market: kernel.Market, account: kernel.Account, settings: dict[str, Any], message: str
) -> None:
    """What crosses a tier twice, moves with time, or is on several assets is refused in one line."""
    with pytest.raises(kernel.InvalidInput, match=message) as caught:
        kernel.simulate(market, account, POWER_LADDER, **{"horizon": DAYS, "steps": 1, "paths": 100, **settings})
    assert len(caught.value.problems) == 1


def test_a_crossing_that_no_path_reaches_is_none() -> None:
    """The hedged account falls on both sides of its hedge; within half a day only the near side is within reach."""
    account = kernel.Account(
        cash=-80.0, positions=[kernel.Linear("A", 2.0), Power("A", -1 / 110)], maintenance_rate=0.01
    )
    ladder = kernel.Ladder({"call": 0.99}, metric="equity_fraction")
    with pytest.raises(kernel.InvalidInput, match=r"crossed more than once .* near 98.5\d* and 121.\d*:"):
        kernel.simulate(MARKET, account, ladder, horizon=1.0, steps=1, paths=100)
    half_a_day = 0.5 / 365
    outcome = kernel.simulate(MARKET, account, ladder, horizon=half_a_day, steps=1, paths=200_000, seed=16)
    # 2 S - S**2 / 110 - 80 = 0.99 * 320 / 11
    barrier = math.log(1.1 * (1 - math.sqrt(1 - (80.0 + 0.99 * 320 / 11) / 110)))
    truth = float(gbm.hit_probability(barrier, NU, 0.6, half_a_day))
    assert 0.4 < truth < 0.6
    assert near(kernel.breach_probability(outcome, "call"), truth)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({}, "maintenance_rate: is required, such as 0.005, unless a rule is stated as margin"),
        ({"maintenance_rate": 0.1, "margin": kernel.Flat(0.1)}, "margin: is stated beside a maintenance_rate"),
        ({"margin": 0.005}, r"margin: must be a margin rule, such as kernel.Flat\(0.005\), not float"),
    ],
)
def test_a_margin_is_stated_once(stated: dict[str, Any], message: str) -> None:
    """A rate or a rule: neither, both, or a number for a rule are refused in one line."""
    with pytest.raises(kernel.InvalidInput, match=message):
        kernel.Account(cash=0.0, positions=[kernel.Linear("A", 1.0)], **stated)


def test_instruments_and_rules_check_their_terms() -> None:
    """Terms of an instrument's own are named beside those that all have; a rule's rate is above 0."""
    with pytest.raises(kernel.InvalidInput) as caught:
        Inverse("", 0.0, entry_price=0.0)
    assert [problem.field for problem in caught.value.problems] == ["asset", "entry_price", "quantity"]
    with pytest.raises(kernel.InvalidInput, match="exponent: must be one number"):
        Power("A", 1.0, exponent="2")
    with pytest.raises(kernel.InvalidInput, match=r"rate\.BTC: must be above 0"):
        kernel.Flat({"BTC": -1.0})
    with pytest.raises(kernel.InvalidInput, match="Power does not define revalued"):
        SQUARED.revalued({"A": 2.0})
    with pytest.raises(kernel.InvalidInput, match=r"account\.positions: must be linear"):
        kernel.calibrate_margin(MARKET, SQUARED, liquidation_period="1d", probability=0.01, paths=10_000)
    with pytest.raises(kernel.InvalidInput, match="assets: must have what is held: BTC is missing"):
        LONG.worth(["A"], [1.0])
    with pytest.raises(kernel.InvalidInput, match=r"prices: must be \[asset, ...\], one for each of 1, not of shape"):
        LONG.worth(["BTC"], [1.0, 2.0])
    with pytest.raises(kernel.InvalidInput, match="prices: must be numbers, not"):
        LONG.worth(["BTC"], ["high"])
    with pytest.raises(kernel.InvalidInput, match="share: must be from 0 to 1, not 2"):
        LONG.worth(["BTC"], [1.0], share=2.0)

"""Breaches judged by the lows and highs of bars: which count, what is predicted for them, when they cannot judge."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

import kernel
from kernel.backtesting import reliability
from kernel.backtesting.forecast import realise
from kernel.prices.history import History
from kernel.report import backtest as report
from kernel.report.text import to_text
from tests.cases import ALARM
from tests.test_backtest import DAY, gbm, normal_history
from tests.test_choice import prices_of

LADDER = kernel.Ladder({"down 4%": 0.96, "down 7%": 0.93}, metric="equity_fraction")
VOLATILITY = 0.6
DEVIATION = VOLATILITY * math.sqrt(DAY)


def held(quantity: float, asset: str = "A") -> kernel.Account:
    """Return an account of one position at a price of 1, with one unit of equity there."""
    return kernel.Account(cash=1.0 - quantity, positions=[kernel.Linear(asset, quantity)], maintenance_rate=0.1)


def bars(rows: int, seed: int, *, short: bool = False) -> History:
    """Return daily prices of `gbm` with the exact lows, or highs, of the path between them.

    Given its ends x and y the lowest point of a Brownian motion of variance v is
    (x + y - sqrt((x - y)**2 - 2 v log u)) / 2 with u uniform (Karatzas and Shreve 1991, section 2.8).
    """
    closes = normal_history(rows, seed).prices
    ends = np.log(closes[:-1, 0]), np.log(closes[1:, 0])
    exponential = np.random.default_rng(seed + 1_000_000).exponential(size=rows - 1)
    reach = np.sqrt((ends[0] - ends[1]) ** 2 + 2 * DEVIATION**2 * exponential)
    extremes = np.exp((ends[0] + ends[1] + (reach if short else -reach)) / 2)
    extremes = np.maximum(extremes, closes[1:, 0]) if short else np.minimum(extremes, closes[1:, 0])  # rounding
    column = np.concatenate([[np.nan], extremes])[:, None]
    return History(assets=("A",), prices=closes, dt=DAY, **{"highs" if short else "lows": column})


def passage(level: float, drift: float = -(DEVIATION**2) / 2) -> float:
    """Return P(a log price with this drift a day falls to `level` < 0 within the day) (Borodin and Salminen 2002)."""
    ends = (level - drift) / DEVIATION, (level + drift) / DEVIATION
    return float(norm.cdf(ends[0]) + math.exp(2 * drift * level / DEVIATION**2) * norm.cdf(ends[1]))


# What happened


@pytest.mark.parametrize(
    ("quantity", "lows", "highs", "breached"),
    [
        (1.0, [0.5, 1.0, 0.9, 0.951, 1.0, 1.0], None, [False, True, False, False, False]),
        (-1.0, None, [9.0, 1.0, 1.0, 1.1, 1.0, 1.01], [False, False, True, False, False]),
        (1.0, [1.0, 1.0, 1.0, 1.0, 1.0, 0.99], None, [False] * 5),
        (1.0, [1.0, 1.0, 1.0, 1.0, 1.0, 0.93], [9.0] * 6, [False] * 4 + [True]),
        (1.0, [1.0, 1.0, 0.9, np.nan, 1.0, 1.0], None, [False, True, False, False, False]),
    ],
)
def test_a_low_breaches_where_closes_do_not(
    quantity: float, lows: list[float] | None, highs: list[float] | None, breached: list[bool]
) -> None:
    """Closes stay at 1; a dip of the step that a row ends is that forecast's alone, and the opening row's nobody's."""
    closes = [1.0, 1.0 + 1e-9, 1.0 + 1e-9, 1.0 + 1e-9, 1.0 + 1e-9, 1.0 + 1e-9]
    history = History(
        assets=("A",),
        prices=closes,
        dt=DAY,
        lows=None if lows is None else np.minimum(lows, closes),
        highs=None if highs is None else np.maximum(highs, closes),
    )
    ladder, by_bars = kernel.Ladder({"down 5%": 0.95}, metric="equity_fraction"), np.ones(5, dtype=bool)
    found = realise(history, np.arange(5), 1, held(quantity), ladder, by_bars)
    assert found.breached[0].tolist() == breached
    assert not realise(history, np.arange(5), 1, held(quantity), ladder).breached.any()
    none = realise(history, np.arange(5), 1, held(quantity), ladder, ~by_bars)
    assert not none.breached.any()
    assert np.array_equal(found.losses, none.losses)


def test_a_gap_from_close_to_open_belongs_to_the_bar_after_it() -> None:
    """The price opens 10% lower, comes back within the session: its low says so, neither close does."""
    history = History(assets=("A",), prices=[1.0, 1.0, 1.01], lows=[1.0, 0.9, 1.0], dt=DAY)
    ladder = kernel.Ladder({"down 5%": 0.95}, metric="equity_fraction")
    found = realise(history, np.array([0, 1]), 1, held(1.0), ladder, np.ones(2, dtype=bool))
    assert found.breached.tolist() == [[True, False]]


@pytest.mark.parametrize("quantity", [3.0, -3.0])
def test_what_happened_is_that_of_a_loop(quantity: float) -> None:
    """Breaches of a leveraged account over three rows agree with a walk along closes and bars, tier by tier."""
    random, base = np.random.default_rng(3), normal_history(161, seed=4)
    lows, highs = (base.prices * np.exp(side * 0.02 * random.exponential(size=(161, 1))) for side in (-1, 1))
    history = replace(base, lows=lows, highs=highs)
    price = history.last[0]
    position = kernel.Linear("A", quantity=quantity, entry_price=price)
    account = kernel.Account(cash=0.4 * price, positions=[position], maintenance_rate=0.05)
    ladder = kernel.Ladder({"call": 1.8, "liquidation": 1.0})
    found = kernel.backtest(
        history, gbm(), account=account, ladder=ladder, window=100, horizon=3 * DAY, paths=2_000, levels=[0.9]
    )
    assert found.breaches == "bars"
    for k, row in enumerate(found.rows.tolist()):
        seen = [history.prices[row, 0]]
        for later in range(row + 1, row + 4):
            seen += [history.prices[later, 0], lows[later, 0], highs[later, 0]]
        marks = [price * one / history.prices[row, 0] for one in seen]
        worst = min((0.4 * price + quantity * (mark - price)) / (0.05 * abs(quantity) * mark) for mark in marks)
        assert found.breached[:, k].tolist() == [worst <= level for level in ladder.tiers.values()]
    assert found.breached.any(axis=1).all()


# What is predicted


def test_bars_are_predicted_in_continuous_time() -> None:
    """Breach probabilities are the closed form's of a first passage; losses keep their bits, whatever judges."""
    history = bars(401, seed=5)
    one, two = (kernel.backtest(history, gbm(), ladder=LADDER, window=100, breaches=by) for by in (None, "closes"))
    assert (one.breaches, two.breaches) == ("bars", "closes")
    for k, level in enumerate(LADDER.levels.tolist()):
        for found, truth in (
            (one, passage(math.log(level))),
            (two, norm.cdf((math.log(level) + DEVIATION**2 / 2) / DEVIATION)),
        ):
            assert found.breach_probability[k].mean() == pytest.approx(truth, abs=ALARM * math.sqrt(truth / 3e7))
    for name in ("losses", "value_at_risk", "expected_shortfall", "transforms"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()


def fails(predicted: kernel.Backtest, happened: np.ndarray) -> list[bool]:
    """Tell for each tier whether its probabilities are not reliable."""
    scored = [reliability(*one, paths=20_000) for one in zip(predicted.breach_probability, happened, strict=True)]
    return [one.calibration.word == "fails" for one in scored]


@pytest.mark.parametrize("short", [False, True])
def test_right_predictions_are_reliable_with_bars_and_wrong_with_closes(short: bool) -> None:
    """Of right probabilities the test fails at most one history in twenty; held against closes alone, nearly all."""
    account, histories = held(-1.0 if short else 1.0), [bars(251, seed, short=short) for seed in range(60)]
    stated = [account.revalued({"A": float(one.last[0])}) for one in histories]
    found = kernel.backtest(histories[0], gbm(), account=stated[0], ladder=LADDER, window=1, paths=20_000)
    assert found.breaches == "bars"
    happened = {
        name: [
            realise(history, found.rows, 1, then, LADDER, by_bars).breached
            for history, then in zip(histories, stated, strict=True)
        ]
        for name, by_bars in (("bars", found.by_bars), ("closes", ~found.by_bars))
    }
    failed = {name: [fails(found, one) for one in each] for name, each in happened.items()}
    assert (np.mean(failed["bars"], axis=0) < 0.05 + ALARM * math.sqrt(0.05 * 0.95 / 60)).all()
    assert np.mean(failed["closes"], axis=0)[0] > 0.95
    share, predicted = np.mean(happened["bars"], axis=(0, 2)), found.breach_probability.mean(axis=1)
    assert (abs(share - predicted) < ALARM * np.sqrt(predicted / 15_000)).all()
    assert (np.mean(happened["closes"], axis=(0, 2)) < 0.6 * predicted).all()


def test_a_history_of_a_fine_path_passes() -> None:
    """Bars of 1,000 days, each of 2,000 steps, of one position in a fitted market: reliable; by closes half as many."""
    random, (mean, spread) = np.random.default_rng(7), (-(DEVIATION**2) / 4_000, DEVIATION / math.sqrt(2_000))
    fine = [random.normal(mean, spread, 2_000).cumsum() for _ in range(1_100)]
    moves, falls = np.array([one[-1] for one in fine]), np.array([one.min() for one in fine])
    log = np.concatenate([[0.0], moves.cumsum()])
    lows = np.exp(np.concatenate([[0.0], log[:-1] + np.minimum(falls, 0)]))
    history = History(assets=("A",), prices=np.exp(log), lows=np.minimum(lows, np.exp(log)), dt=DAY)
    found = kernel.backtest(history, "gbm", ladder=LADDER, window=100, paths=10_000)
    closes = kernel.backtest(history, "gbm", ladder=LADDER, window=100, paths=10_000, breaches="closes")
    for one in (found, closes):
        assert [scored.calibration.word for scored in one.reliability] == ["passes", "passes"]
    assert found.reliability[0].events > 1.5 * closes.reliability[0].events
    assert found.reliability[0].expected > 1.5 * closes.reliability[0].expected


def test_filtered_historical_is_bridged_within_a_row() -> None:
    """Each row's return is drawn from the residuals; between rows the bridge adds breaches that closes do not see."""
    history = bars(701, seed=8)
    settings: dict[str, Any] = {"volatility": "ewma", "window": 400, "paths": 5_000, "ladder": LADDER}
    one, two = (kernel.backtest(history, "filtered_historical", breaches=by, **settings) for by in ("bars", "closes"))
    assert (one.breach_probability[0] > 1.5 * two.breach_probability[0]).all()
    assert one.reliability[0].calibration.word == "passes"


# Whether bars can judge


def two_assets() -> History:
    """Return a history of two assets with lows of both."""
    moves = np.random.default_rng(11).normal(0, 0.02, (80, 2))
    prices = prices_of(moves)
    return History(assets=("A", "B"), prices=prices, lows=0.99 * prices, dt=DAY)


def test_several_assets_are_judged_by_closes() -> None:
    """Their lows need not fall at the same time: bars are refused, unless the account moves with one asset alone."""
    history = two_assets()
    found = kernel.backtest(history, "gbm", window=60, paths=500)
    several = "the account moves with several assets, whose lows and highs need not fall at the same time"
    assert (found.breaches, found.breaches_reason) == ("closes", several)
    with pytest.raises(kernel.InvalidInput, match=f"breaches: must be closes: {several}"):
        kernel.backtest(history, "gbm", window=60, paths=500, breaches="bars")
    alone = kernel.backtest(history, "gbm", window=60, paths=500, account=held(0.01, "B"))
    assert (alone.breaches, alone.breaches_reason) == ("bars", "the history has lows")


@pytest.mark.parametrize(
    ("lows", "highs", "quantity", "reason"),
    [
        (None, None, 1.0, "the history has no lows beyond its closes"),
        (None, 1.01, 1.0, "the history has no lows beyond its closes"),
        (1.0, 1.0, 1.0, "the history has no lows beyond its closes"),
        (0.99, None, -1.0, "the history has no highs beyond its closes"),
        (math.nan, None, 1.0, "the history has no lows beyond its closes"),
    ],
)
def test_a_history_without_what_is_asked_is_judged_by_closes(
    lows: float | None, highs: float | None, quantity: float, reason: str
) -> None:
    """Lows for what is long, highs for what is short; a feed that repeats the close has neither."""
    base = normal_history(130, seed=12)
    factors = {name: None if one is None else one * base.prices for name, one in (("lows", lows), ("highs", highs))}
    history = replace(base, **factors)
    account = held(quantity).revalued({"A": float(base.last[0])})
    found = kernel.backtest(history, gbm(), window=100, account=account, paths=500)
    assert (found.breaches, found.breaches_reason) == ("closes", reason)
    assert not found.by_bars.any()
    with pytest.raises(kernel.InvalidInput, match=f"breaches: must be closes: {reason}"):
        kernel.backtest(history, gbm(), window=100, account=account, paths=500, breaches="bars")


class Leaping(kernel.Gbm):
    """A market that moves in its own way, and does not say what is true between its steps."""

    def step(self, real: Any, span: float) -> Any:
        """Move as `Gbm` does."""
        return super().step(real, span)


@pytest.mark.parametrize("market", [Leaping, Leaping(assets=["A"], spot=1.0, volatility=0.6)])
def test_a_market_that_bridges_do_not_suit_is_predicted_by_closes(market: Any) -> None:
    """Bars would need continuous monitoring of it, which it does not claim to suit."""
    history = bars(161, seed=15)
    found = kernel.backtest(history, market, window=100, paths=500)
    reason = "Leaping does not say what its prices do between its steps (Market.between_steps)"
    assert (found.breaches, found.breaches_reason) == ("closes", reason)
    with pytest.raises(kernel.InvalidInput, match="breaches: must be closes: Leaping does not say"):
        kernel.backtest(history, market, window=100, paths=500, breaches="bars")


def test_a_choice_that_there_is_not_is_refused() -> None:
    """In a line that names both."""
    with pytest.raises(kernel.InvalidInput, match="breaches: must be bars or closes, not 'lows'"):
        kernel.backtest(normal_history(130), gbm(), window=100, breaches="lows")


def test_horizons_with_an_unknown_low_are_judged_and_predicted_by_closes() -> None:
    """Each forecast is predicted as it is judged; the others keep their bars."""
    base = bars(161, seed=13)
    lows = np.array(base.lows)
    lows[[110, 140]] = np.nan
    history = replace(base, lows=lows)
    found = kernel.backtest(history, gbm(), window=100, paths=4_000, ladder=LADDER)
    assert found.rows[~found.by_bars].tolist() == [109, 139]
    assert found.breaches_reason == "the history knows the lows of 58 of 60 horizons; the others are judged by closes"
    chance = found.breach_probability[0]
    assert chance[~found.by_bars].max() < chance[found.by_bars].min()


def test_what_judged_is_said_everywhere() -> None:
    """Summary, table, its metadata, the report; the hash covers the lows where they judge, and only there."""
    history = bars(131, seed=14)
    found = kernel.backtest(history, gbm(), window=100, paths=500)
    told = found.summary()
    assert (told["breaches"], told["breaches_reason"]) == ("bars", "the history has lows")
    table = found.to_arrow()
    carried = json.loads(table.schema.metadata[b"margin_kernel"])
    assert (carried["inputs"]["backtest"]["breaches"], carried["breaches_reason"]) == ("bars", "the history has lows")
    assert table["by_bars"].to_pylist() == [True] * 30
    source = {"file": "A.csv", "notes": []}
    assert (
        "Breaches are judged by the bars of the rows, and were predicted in continuous time: the history has\n"
        "lows. Forecast windows do not overlap."
    ) in to_text(report.blocks({"history": source, **told}))
    other = replace(history, lows=0.999 * history.lows)
    hashes = [
        kernel.backtest(one, gbm(), window=100, paths=500, breaches=by).provenance["inputs_blake2b"]
        for by in ("bars", "closes")
        for one in (history, other)
    ]
    assert hashes[0] != hashes[1]
    assert hashes[2] == hashes[3]

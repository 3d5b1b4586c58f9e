"""Backtests of markets: what they know at each row, what they predict, what they say of true and of wrong markets."""

from __future__ import annotations

import importlib
import json
import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from arch import arch_model
from scipy.stats import norm

import kernel
from kernel.backtesting.forecast import predict
from kernel.backtesting.refit import Refit, Schedule, markets
from kernel.errors import Problems
from kernel.prices.history import History
from kernel.simulation.check import check_settings
from tests.cases import ALARM
from tests.test_choice import clustered, prices_of

DAY = 1 / 365


BROKE = kernel.Account(cash=-1e6, positions=[kernel.Linear("A", 1.0)], maintenance_rate=0.1)


def gbm(volatility: float = 0.6) -> kernel.Gbm:
    """Return a market of one asset."""
    return kernel.Gbm(assets=["A"], spot=1.0, volatility=volatility)


def normal_history(rows: int, seed: int = 0, volatility: float = 0.6) -> History:
    """Return daily prices of `gbm`, with times."""
    deviation = volatility * math.sqrt(DAY)
    moves = np.random.default_rng(seed).normal(-(deviation**2) / 2, deviation, rows - 1)
    days = np.datetime64("2020-01-01") + np.arange(rows)
    return History(assets=("A",), prices=prices_of(moves)[-rows:], dt=DAY, times=days)


@pytest.fixture(scope="module")
def true_and_half() -> tuple[kernel.Backtest, kernel.Backtest]:
    """Return backtests of the market that made the prices, and of one with half its volatility."""
    history = normal_history(1_101, seed=3)
    one, two = (kernel.backtest(history, gbm(size), window=100, paths=10_000) for size in (0.6, 0.3))
    return one, two


def test_the_market_that_made_the_prices_passes(true_and_half: tuple[kernel.Backtest, kernel.Backtest]) -> None:
    """Of 1,000 days of its own prices each test fails at most one time in twenty; here none, with the zone green."""
    found, _ = true_and_half
    assert found.losses.size == 1_000
    for one in found.coverage:
        assert one.holds
        assert one.shortfall.word == "passes"
        assert one.traffic_light.zone == "green"
        assert [each.year for each in one.by_year] == [2021, 2022, 2023][: len(one.by_year)]
    assert [one.calibration.word for one in found.reliability] == ["passes", "passes"]
    even = np.histogram(found.transforms, bins=10, range=(0, 1))[0]
    assert ((even - 100) ** 2 / 100).sum() < 33.7  # chi-squared(9) at 1e-4


def test_half_the_volatility_is_rejected(true_and_half: tuple[kernel.Backtest, kernel.Backtest]) -> None:
    """Coverage, shortfall and breach probabilities all fail."""
    _, found = true_and_half
    for one in found.coverage:
        assert not one.holds
        assert one.traffic_light.zone == "red"
        assert one.proportion_of_failures.p_value < 1e-6
        assert one.shortfall.p_value == pytest.approx(1 / 5_001)
        assert one.shortfall.statistic < 0
    assert found.reliability[0].calibration.word == "fails"


def test_predictions_are_the_closed_form_with_their_errors(
    true_and_half: tuple[kernel.Backtest, kernel.Backtest],
) -> None:
    """Value at Risk is the lognormal's; forecasts stray as independent ones do, by the errors that they state."""
    found, _ = true_and_half
    deviation = 0.6 * math.sqrt(DAY)
    for k, level in enumerate(found.levels):
        truth = 1 - math.exp(-(deviation**2) / 2 - norm.ppf(level) * deviation)
        strays = (found.value_at_risk[k] - truth) / found.value_at_risk_error[k]
        assert abs(strays.mean()) < ALARM / math.sqrt(strays.size) + 0.1  # the estimator's own bias
        assert strays.std() == pytest.approx(1, abs=ALARM / math.sqrt(2 * strays.size) + 0.05)
        assert abs(np.corrcoef(strays[:-1], strays[1:])[0, 1]) < ALARM / math.sqrt(strays.size)
    truth = norm.cdf((math.log(0.95) + deviation**2 / 2) / deviation)
    assert found.breach_probability[0].mean() == pytest.approx(truth, abs=ALARM * math.sqrt(truth / 1e7))


def test_what_happened_is_that_of_a_loop() -> None:
    """Losses and breaches of a leveraged account over three rows agree with a walk along the closes."""
    history = normal_history(161, seed=4)
    price = history.last[0]
    account = kernel.Account(
        cash=0.12 * price, positions=[kernel.Linear("A", quantity=1.0, entry_price=price)], maintenance_rate=0.05
    )
    ladder = kernel.Ladder({"call": 2.0, "liquidation": 1.0})
    found = kernel.backtest(
        history, gbm(), account=account, ladder=ladder, window=100, horizon=3 * DAY, paths=2_000, levels=[0.9]
    )
    assert found.rows.tolist() == list(range(100, 158, 3))
    assert found.times is not None
    assert found.times[0] == np.datetime64("2020-01-01") + 103
    for k, row in enumerate(found.rows.tolist()):
        breached = dict.fromkeys(ladder.names, False)
        for later in history.prices[row : row + 4, 0]:
            mark = price * later / history.prices[row, 0]
            ratio = (0.12 * price + mark - price) / (0.05 * mark)
            breached = {name: before or ratio <= ladder.tiers[name] for name, before in breached.items()}
        assert found.losses[k] == pytest.approx(price - mark)
        assert found.breached[:, k].tolist() == list(breached.values())
    assert found.breached.any(axis=1).all()
    assert found.opening_equity == pytest.approx(0.12 * price)


def test_nothing_is_known_of_what_comes_later() -> None:
    """Other prices after a row leave every forecast up to it as it was."""
    history = normal_history(200, seed=5)
    changed = np.array(history.prices)
    changed[150:] *= np.linspace(1.0, 3.0, 50)[:, None]
    one = kernel.backtest(history, "gbm", window=90, paths=1_000)
    two = kernel.backtest(changed, "gbm", dt=DAY, window=90, paths=1_000)
    before = one.rows < 150
    assert np.allclose(one.value_at_risk[:, before], two.value_at_risk[:, before], rtol=1e-5)
    assert not np.allclose(one.value_at_risk, two.value_at_risk, rtol=1e-2)


def test_threads_do_not_matter_and_seeds_do() -> None:
    """The same seed gives the same bits on one thread and on four; another seed, others."""
    history = normal_history(140, seed=6)
    one, two, other = (
        kernel.backtest(history, "gbm", window=100, paths=500, threads=threads, seed=seed)
        for threads, seed in ((1, 0), (4, 0), (1, 99))
    )
    assert one.value_at_risk.tobytes() == two.value_at_risk.tobytes()
    assert one.coverage == two.coverage
    assert not np.array_equal(one.value_at_risk, other.value_at_risk)


def test_a_fall_that_no_path_met_fails() -> None:
    """One crash of 20% in 60 days of a quiet market: its probability was 0 of 10,000 paths, a day."""
    moves = np.random.default_rng(12).normal(0, 0.003, 80)
    moves[50] = -0.2
    history = History(assets=("A",), prices=prices_of(moves)[-81:], dt=DAY)
    found = kernel.backtest(history, gbm(0.06), window=20, paths=10_000)
    for one in found.reliability:
        assert (one.events, one.expected, one.calibration.word) == (1, 0, "fails")
        assert one.calibration.p_value == pytest.approx(60 / 10_001, abs=ALARM * 0.0011)


def test_z2_of_draws_from_past_returns_is_centred() -> None:
    """The simulated Z2 has mean 0 where losses are drawn from 100 residuals, and many equal the Value at Risk."""
    residuals = np.random.default_rng(13).standard_normal((100, 1))
    market = kernel.FilteredHistorical(
        assets=["A"], spot=1.0, volatility=0.6, omega=0.36, alpha=0.0, beta=0.0, residuals=residuals, dt=DAY
    )
    account = kernel.Account(cash=0.0, positions=[kernel.Linear("A", 1.0)], maintenance_rate=1.0)
    ladder = kernel.Ladder({"half": 0.5}, metric="equity_fraction")
    stated = {"horizon": DAY, "steps": 1, "paths": 5_000, "record": "paths", "monitoring": "discrete"}
    settings = check_settings(Problems(), {**stated, "levels": (0.95, 0.985)})
    found = predict(market, account, ladder, settings, 0.0)
    assert found.contributions.mean(axis=1) == pytest.approx(1, abs=1e-5)  # losses are in single precision


# Refits


def walk(history: History, **schedule: Any) -> tuple[list[tuple[int, Any]], list[Refit]]:
    """Return each opening with its market, and the refits."""
    refits: list[Refit] = []
    stated = {"fit_options": {}, "refit": 7, "rechoose": 28, **schedule}
    openings = range(stated["window"], len(history.prices) - 1)
    blocks = markets(history, openings, Schedule(**stated), refits)
    return [tuple(one) for block in blocks for one in block], refits


def test_each_fit_is_of_the_window_before_it() -> None:
    """At a refit the market is the fit to the last rows; until the next it stands, at the history's last price."""
    history = normal_history(130, seed=7)
    found, refits = walk(history, market=kernel.Gbm, window=100)
    assert [one.row for one in refits] == [100, 107, 114, 121, 128]
    for row, market in found:
        fitted = row - (row - 100) % 7
        alone = kernel.Gbm.fit(history.prices[fitted - 100 : fitted + 1], dt=DAY).market
        assert market.volatility == alone.volatility
        assert market.spot == history.last


def test_garch_is_brought_up_to_date_as_arch_filters() -> None:
    """Between refits the variance is what arch makes of the longer series with the fitted parameters."""
    history = History(assets=("A",), prices=prices_of(clustered(307, 3)), dt=DAY)
    found, refits = walk(history, market="filtered_historical", window=300)
    assert len(refits) == 1
    fit = kernel.FilteredHistorical.fit(history.prices[:301], dt=DAY)
    (recursion,) = fit.recursions
    for row, market in found:
        returns = np.diff(np.log(history.prices[: row + 1, 0]))
        model = arch_model(100 * np.append(returns, 0.0), mean="Constant", vol="GARCH", p=1, q=1, rescale=False)
        omega = 1e4 * recursion.omega * DAY
        fixed = model.fix([100 * recursion.mean, omega, recursion.alpha, recursion.beta])
        assert market.volatility[0] == pytest.approx(fixed.conditional_volatility[-1] / 100 / math.sqrt(DAY), rel=1e-6)
        assert np.array_equal(market.residuals, fit.market.residuals)
    assert len({float(market.volatility[0]) for _, market in found}) == len(found)


def test_ewma_of_two_assets_is_brought_up_to_date_as_a_loop_does() -> None:
    """Gbm with the volatility of now takes up each return by its decay, at its size; those over gaps are left out."""
    moves = np.random.default_rng(8).normal(0, 0.03, (66, 2))
    gaps = np.arange(66) == 62
    history = History(assets=("A", "B"), prices=prices_of(moves)[-67:], dt=DAY, gaps=gaps)
    found, _ = walk(history, market="gbm", fit_options={"volatility": "ewma", "decay": 0.9}, window=60)
    fit = kernel.Gbm.fit(history.prices[:61], dt=DAY, assets=["A", "B"], volatility="ewma", decay=0.9)
    variance, returns = fit.market.volatility**2, np.diff(np.log(history.prices[:61]), axis=0)
    mean, ratios = returns.mean(axis=0), []
    before = np.average((returns - mean) ** 2, axis=0, weights=0.94 ** np.arange(60))
    for move in returns:
        ratios.append((move - mean) ** 2 / before)
        before = 0.9 * before + 0.1 * (move - mean) ** 2
    size = np.mean(ratios, axis=0)
    for row, market in found:
        assert market.volatility == pytest.approx(np.sqrt(variance))
        if not gaps[row]:
            move = np.log(history.prices[row + 1] / history.prices[row])
            variance = 0.9 * variance + 0.1 * size * (move - mean) ** 2 / DAY


def test_auto_chooses_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """A choice holds for its rows; between choices the chosen market alone is fitted again."""
    rows: list[int] = []

    class Chosen(NamedTuple):
        fit: Any
        model: str

    def choose(window: History) -> Chosen:
        rows.append(len(window.prices))
        name = ("gbm", "merton")[len(rows) % 2]
        return Chosen(kernel.markets.FITTED[name].fit(window), name)

    monkeypatch.setattr(importlib.import_module("kernel.backtesting.refit"), "choose", choose)
    _, refits = walk(normal_history(135, seed=9), market="auto", window=90, rechoose=20)
    assert [one.row for one in refits] == [90, 97, 104, 111, 118, 125, 132]
    assert [one.market for one in refits] == ["merton"] * 3 + ["gbm"] * 3 + ["merton"]
    assert rows == [91, 91, 91]


# Gaps, several assets, tables


def test_horizons_over_gaps_are_left_out_with_a_note() -> None:
    """Neither predicted nor judged; forecasts beside them stand."""
    history = normal_history(130, seed=10)
    gaps = np.isin(np.arange(129), [50, 104, 111])
    holed = History(assets=("A",), prices=history.prices, dt=DAY, gaps=gaps)
    found = kernel.backtest(holed, "gbm", window=100, horizon=2 * DAY, paths=500)
    assert found.rows.tolist() == [row for row in range(100, 128, 2) if row not in {104, 110}]
    assert found.notes[0] == "2 forecasts over gaps of the history were left out"
    assert found.times is None
    assert found.coverage[0].by_year == ()


def test_several_assets_start_with_equal_parts() -> None:
    """The default account is one unit in equal parts: its loss is one minus the mean of the price relatives."""
    moves = np.random.default_rng(11).normal(0, 0.02, (80, 2))
    prices = prices_of(moves) * [1.0, 50.0]
    found = kernel.backtest(prices, "gbm", dt=DAY, assets=["A", "B"], window=60, paths=500)
    expected = 1 - (prices[61:] / prices[60:-1]).mean(axis=1)
    assert found.losses == pytest.approx(expected)
    assert found.opening_equity == pytest.approx(1.0)


def test_table_and_summary_say_what_was_found(true_and_half: tuple[kernel.Backtest, kernel.Backtest]) -> None:
    """A row for each forecast in the table; the summary is strict JSON with every test."""
    found, _ = true_and_half
    table = found.to_arrow()
    assert table.num_rows == 1_000
    assert table["value_at_risk.0.99"].to_numpy().tolist() == found.value_at_risk[1].tolist()
    assert sum(table["exception.0.95"].to_pylist()) == found.coverage[0].exceptions
    assert set(table["market"].to_pylist()) == {"gbm"}
    assert {"time", "row", "loss", "transform", "breach_probability.down 5%", "breached.down 10%"} <= set(
        table.column_names
    )
    told = json.loads(json.dumps(found.summary(), allow_nan=False))
    assert told["forecasts"] == 1_000
    assert told["levels"][0]["proportion_of_failures"]["word"] == "passes"
    assert told["levels"][1]["holds"] is True
    assert json.loads(table.schema.metadata[b"margin_kernel"]) == told["provenance"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"window": 3}, "window: must be at least 30 rows to fit a market to, not 3"),
        ({"paths": 99}, "paths: must be at least 100 for a level of 0.99"),
        (
            {"account": BROKE, "ladder": kernel.Ladder({"call": 2.0})},
            "account: opens with an equity of -[0-9,]+ at the last prices: state it for those",
        ),
        ({"ladder": kernel.Ladder({"call": 2.0}, "equity_fraction")}, "account: opens with every tier of the ladder"),
        ({"window": 127}, "must leave a horizon of 1 row of the 128 rows of prices: at most 126, not 127"),
        ({"levels": [0.99, 1.0]}, "levels: must be below 1"),
        ({"levels": [0.0]}, "levels: must be above 0"),
        ({"levels": []}, "levels: must be at least one level"),
        (
            {"horizon": 1.5 * DAY},
            r"must be whole rows of the history, 24 h each: such as 24 h \(1 row\) or 2 d \(2 rows\), not 36 h",
        ),
        ({"horizon": -1.0}, "horizon: must be above 0"),
        ({"refit": 0, "rechoose": 1.5, "paths": 0}, "refit: .*\nrechoose: .*\npaths: "),
        ({"market": "mertn"}, "did you mean merton?"),
        ({"market": "heston"}, "stated, not fitted"),
        ({"market": kernel.Heston}, "must be a name, a class of market with a fit, or a market"),
        (
            {"market": "merton", "volatility": "garch"},
            "volatility: belongs to gbm and filtered_historical, not to merton",
        ),
        ({"market": gbm(), "decay": 0.9}, "decay: is an option of a fit"),
        ({"market": kernel.Gbm(assets=["B"], spot=1.0, volatility=1.0)}, "market.assets: must be the history's"),
        ({"market": "filtered_historical"}, r"at least 250 rows for garch, not 61 \(in the window of rows 0 to 60"),
        ({"account": 3}, "account: must be a kernel.Account"),
        (
            {"account": kernel.Account(cash=1.0, positions=[kernel.Linear("X", 1.0)], maintenance_rate=0.1)},
            "must be one of the market's",
        ),
    ],
)
def test_wrong_input_is_refused_in_a_sentence(settings: dict[str, Any], words: str) -> None:
    """Each says what would be right."""
    with pytest.raises(kernel.InvalidInput, match=words):
        kernel.backtest(normal_history(128), **{"market": "gbm", "window": 60, "paths": 100, **settings})


def test_an_account_that_opens_breached_is_told() -> None:
    """There is nothing to predict of such a tier."""
    history = normal_history(70)
    account = kernel.Account(cash=0.0, positions=[kernel.Linear("A", 1.0)], maintenance_rate=0.5)
    ladder = kernel.Ladder({"early": 3.0, "late": 1.0})
    found = kernel.backtest(history, "gbm", account=account, ladder=ladder, window=60, paths=100)
    assert found.notes == ("the account opens breached: early",)
    assert found.breach_probability[0].tolist() == [1.0] * 9
    assert found.breached[0].all()


def test_forecasts_have_no_drift_unless_it_is_asked_for() -> None:
    """A forecast is that of the fitted market without its drift; with "fitted" it is that of the fit as it is."""
    prices = np.asarray(normal_history(161, seed=8).prices)[:, 0] * np.exp(0.02 * np.arange(161))
    fit = kernel.Gbm.fit(prices[:61], dt="1d")
    found = {
        word: kernel.backtest(prices, "gbm", dt="1d", window=60, paths=2_000, drift=word) for word in ("zero", "fitted")
    }
    assert float(np.asarray(fit.market.drift)[0]) > 5
    for word, drift in (("zero", 0.0), ("fitted", fit.market.drift)):
        market = kernel.Gbm(assets=["asset"], spot=prices[-1], drift=drift, volatility=fit.market.volatility)
        account = kernel.Account(cash=0.0, positions=[kernel.Linear("asset", 1 / prices[-1])], maintenance_rate=1.0)
        ladder = kernel.Ladder({"down": 0.9}, metric="equity_fraction")
        outcome = kernel.simulate(market, account, ladder, horizon="1d", steps=1, paths=2_000, monitoring="discrete")
        assert found[word].value_at_risk[0, 0] == pytest.approx(kernel.value_at_risk(outcome, 0.95).value, rel=1e-6)
        assert found[word].provenance["inputs"]["fit"] == {"drift": word}
    default = kernel.backtest(prices, "gbm", dt="1d", window=60, paths=2_000)
    np.testing.assert_array_equal(default.value_at_risk, found["zero"].value_at_risk)
    wrong: list[tuple[Any, Any, str]] = [("gbm", one, "must be zero or fitted") for one in ("none", 0.1, np.zeros(2))]
    for market, drift, message in [*wrong, (gbm(), "fitted", "keeps its own")]:
        with pytest.raises(kernel.InvalidInput, match=f"^drift: .*{message}"):
            kernel.backtest(normal_history(161), market, window=60, drift=drift)

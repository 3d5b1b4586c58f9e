"""Config files: what they say reaches the objects, and every problem is named at once."""

from __future__ import annotations

import contextlib
import json
import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import kernel
from kernel.checks.text import duration, near, snake, years
from kernel.config.example import EXAMPLE
from kernel.config.load import load
from kernel.markets import MARKETS

Write = Callable[..., Path]
EXAMPLES = Path(__file__).parents[1] / "examples"
PRICES = [100.0, 102.0, 99.0, 101.0, 105.0, 103.0]
HISTORY = "Date,Close\n" + "".join(f"2020-01-0{k + 1},{price}\n" for k, price in enumerate(PRICES))
BASE = """
[market]
model = "gbm"
assets = ["BTC", "ETH"]
spot = [60_000.0, 3_000.0]
volatility = [0.6, 0.8]
correlation = [[1, 0.8], [0.8, 1]]
[account]
cash = 1_000.0
maintenance_rate = {BTC = 0.005, ETH = 0.01}
[[account.positions]]
asset = "BTC"
quantity = 0.1
entry_price = "spot"
[[account.positions]]
asset = "ETH"
notional = -600.0
[ladder.tiers]
call = 1.5
liquidation = 1.0
[simulation]
horizon = "5d"
steps = 2
paths = 1e3
"""
FITTED = """
[market]
model = "gbm"
history = "prices.csv"
column = "Close"
asset = "SPX"
[account]
cash = 1_000.0
maintenance_rate = 0.05
positions = [{asset = "SPX", notional = 5_000, entry_price = "spot"}]
[ladder]
metric = "equity_fraction"
tiers = {call = 0.5}
[simulation]
horizon = "36d"
steps = 1
paths = 10
"""
RESIDUALS = np.random.default_rng(0).normal(size=(12, 2)).round(3).tolist()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a config file and its history."""

    def _write(text: str, name: str = "run.toml") -> Path:
        (tmp_path / "prices.csv").write_text(HISTORY, encoding="utf-8")
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return _write


def _problems(path: Path, overrides: Sequence[str] = ()) -> dict[str, str]:
    with pytest.raises(kernel.InvalidInput) as refused:
        load(path, overrides)
    return {problem.field: problem.message for problem in refused.value.problems}


def test_every_value_reaches_its_object(write: Write) -> None:
    """What a config file states is what the objects hold."""
    run = load(write(BASE))
    assert run.market.parameters() == {
        "model": "gbm",
        "assets": ["BTC", "ETH"],
        "spot": [60_000.0, 3_000.0],
        "drift": [0.0, 0.0],
        "volatility": [0.6, 0.8],
        "correlation": [[1.0, 0.8], [0.8, 1.0]],
    }
    assert run.account.maintenance_rate == {"BTC": 0.005, "ETH": 0.01}
    assert run.ladder.parameters() == {"metric": "margin_ratio", "tiers": {"call": 1.5, "liquidation": 1.0}}
    expected = {"horizon": 5 / 365, "steps": 2, "paths": 1000, "seed": 0, "monitoring": "continuous"}
    expected |= {"precision": "single", "threads": None, "sampling": "plain", "importance": None, "worst": False}
    assert expected == run.simulation
    assert run.levels == (0.95, 0.99)


def test_numbers_may_be_a_table_by_asset(write: Write) -> None:
    """A table puts numbers by their asset's name, in any order; another name is refused with the market's."""
    table = BASE.replace("spot = [60_000.0, 3_000.0]", "spot = {ETH = 3_000.0, BTC = 60_000.0}")
    assert load(write(table)).market.spot.tolist() == [60_000.0, 3_000.0]
    assert load(write(table), ["market.spot.ETH=4000"]).market.spot.tolist() == [60_000.0, 4_000.0]
    assert "the assets are BTC, ETH" in _problems(write(table.replace("{ETH", "{XRP")))["market.spot"]


def test_what_a_precision_does_not_carry_is_refused(write: Write) -> None:
    """A horizon over which single precision loses the prices is refused by the setting that mends it."""
    problems = _problems(write(BASE), ["simulation.horizon=50y", "market.volatility=2.0"])
    assert list(problems) == ["simulation.precision"]


def test_spot_and_notional_are_read_against_the_opening_price(write: Write) -> None:
    """An entry at "spot" is the opening price, and a notional becomes units of either sign."""
    long, short = load(write(BASE)).account.positions
    assert (long.quantity, long.entry_price) == (0.1, 60_000.0)
    assert (short.quantity, short.entry_price) == (-0.2, 0.0)


def test_json_says_the_same_as_toml(write: Write) -> None:
    """A .json file of the same sections gives the same run."""
    first, second = load(write(BASE)), load(write(json.dumps(tomllib.loads(BASE)), "run.json"))
    assert first.market.parameters() == second.market.parameters()
    assert first.account.parameters() == second.account.parameters()
    assert first.simulation == second.simulation


@pytest.mark.parametrize("model", MARKETS)
def test_every_model_is_known(write: Write, model: str) -> None:
    """Each market of the package can be stated by its name in lower case."""
    jumps = ["jump_intensity=12", "jump_mean=-0.02", "jump_volatility=0.06"]
    moving = ["variance=0.4", "mean_reversion=4", "long_variance=[0.3, 0.5]", "volatility_of_variance=1"]
    moving += ["price_variance_correlation=-0.3"]
    stated = {
        "gbm": [],
        "merton": jumps,
        "kou": ["jump_intensity=12", "up_probability=0.4", "up_mean=0.02", "down_mean=0.03"],
        "heston": moving,
        "bates": moving + jumps,
        "filtered_historical": ["omega=0", "alpha=0.1", "beta=0.9", f"residuals={RESIDUALS}", f"dt={2.5 / 365}"],
    }[model]
    text = BASE
    if model in {"heston", "bates"}:
        text = text.replace("volatility = [0.6, 0.8]\n", "")
    if model == "filtered_historical":
        text = text.replace("correlation = [[1, 0.8], [0.8, 1]]\n", "")
    run = load(write(text), [f"market.model={model}", *(f"market.{one}" for one in stated)])
    assert run.market.parameters()["model"] == model


def test_keys_that_a_model_needs_are_named(write: Write) -> None:
    """A model that lacks its parameters, and has another's, hears of each."""
    found = _problems(write(BASE), ["market.model=heston", "market.variance=0.5"])
    missing = ["mean_reversion", "long_variance", "volatility_of_variance", "price_variance_correlation"]
    assert {f"market.{name}": "is required" for name in missing}.items() <= found.items()
    assert "another model" in found["market.volatility"]
    found = _problems(write(BASE), ["market.model=filtered_historical", "market.residuals=[1, 2]"])
    assert found["market.omega"] == found["market.dt"] == "is required"
    assert "rows of numbers" in found["market.residuals"]
    assert "another model" in found["market.correlation"]
    assert "gbm or merton" in _problems(write(FITTED), ["market.model=heston"])["market.model"]


def test_a_grid_that_the_market_cannot_walk_is_named_with_its_mend(write: Write) -> None:
    """Steps that are not the history's are a problem of the simulation; a missing simulation has that problem alone."""
    text = BASE.replace("correlation = [[1, 0.8], [0.8, 1]]\n", "")
    stated = ["omega=0", "alpha=0.1", "beta=0.9", f"residuals={RESIDUALS}", f"dt={1 / 365}"]
    path, overrides = write(text), [f"market.{one}" for one in ("model=filtered_historical", *stated)]
    assert load(path, [*overrides, "simulation.steps=5"]).simulation["steps"] == 5
    message = "must be 5: this market moves in the steps of its history, 24 h"
    assert _problems(path, overrides) == {"simulation.steps": message}
    found = _problems(path, [*overrides, "simulation.horizon=6h"])
    assert found == {"simulation.horizon": "must be near whole steps of this market's history, such as 24 h or 2 d"}
    path = write(text[: text.index("[simulation]")])
    assert list(_problems(path, overrides)) == ["simulation"]


def test_fitted_market_is_that_of_the_history(write: Write) -> None:
    """A named history is fitted as `fit` does, in years of 365 days, but for its drift, and its file is described."""
    run = load(write(FITTED))
    expected = kernel.Gbm.fit(PRICES, dt=1 / 365, assets=["SPX"]).market
    assert expected.parameters() | {"drift": [0.0]} == run.market.parameters()
    assert run.source is not None
    assert (run.source.rows, run.source.first, run.source.last) == (6, "2020-01-01", "2020-01-06")
    assert run.account.positions[0].quantity == pytest.approx(5_000 / 103)


def test_fitted_numbers_can_be_replaced(write: Write) -> None:
    """Drift and spot beside a history stand for the fitted ones; volatility stays fitted."""
    run = load(write(FITTED), {"market.drift": 0.07, "market.spot": 200.0})
    assert (run.market.drift, run.market.spot) == (np.array([0.07]), np.array([200.0]))
    assert run.market.volatility == load(write(FITTED)).market.volatility
    assert run.account.positions[0].entry_price == 200.0


def test_a_history_gives_its_drift_when_asked(write: Write) -> None:
    """Without a word the drift is 0; "fitted" takes the estimate in; a note says which, and is none of a number's."""
    fit = kernel.Gbm.fit(PRICES, dt=1 / 365)
    written = f"{fit.market.drift[0]:.3g} ± {fit.standard_errors['drift'][0]:.2g} a year"  # type: ignore[index]
    for stated, drift, words in [
        ([], 0.0, f"drift is 0: that of the history, {written}, says little"),
        (["market.drift=zero"], 0.0, f"drift is 0: that of the history, {written}, says little"),
        (["market.drift=fitted"], fit.market.drift, f"drift is that of the history, {written}, as if it went on"),
        (["market.drift=-0.5"], -0.5, None),
    ]:
        run = load(write(FITTED), stated)
        assert run.market.drift == np.array([drift])
        assert [note.startswith(words) for note in run.notes] == ([True] if words else [])
    assert "'zero' or 'fitted', not 'some'" in _problems(write(FITTED), ["market.drift=some"])["market.drift"]


def test_several_columns_are_named_by_their_assets(write: Write) -> None:
    """A table as column gives one asset for each of its keys."""
    path = write(FITTED)
    rows = [f"2020-01-0{k + 1},{price},{price * (1 + 0.01 * (k % 2))}\n" for k, price in enumerate(PRICES)]
    (path.parent / "prices.csv").write_text("Date,a,b\n" + "".join(rows), encoding="utf-8")
    overrides = ['market.column={SPX="a", NDX="b"}', "market.model=gbm"]
    assert "asset" in "".join(_problems(path, overrides))
    path.write_text(FITTED.replace('asset = "SPX"\n[account]', "[account]"), encoding="utf-8")
    assert load(path, overrides).market.assets == ("SPX", "NDX")


def test_columns_are_found_out(write: Write) -> None:
    """Without a column, the closes are taken: one is called as `asset` or the file says, several as they say."""
    text = FITTED.replace('column = "Close"\n', "")
    path = write(text)
    assert load(path).market.assets == ("SPX",)
    unnamed = write(text.replace('asset = "SPX"\n[account]', "[account]"))
    assert "must be one of the market's (prices), not SPX" in _problems(unnamed)["account.positions[0].asset"]
    assert load(unnamed, ["account.positions[0].asset=prices"]).market.assets == ("prices",)
    rows = [f"2020-01-0{k + 1},{price},{price + k % 2}\n" for k, price in enumerate(PRICES)]
    (path.parent / "prices.csv").write_text("Date,SPX:close,NDX:close\n" + "".join(rows), encoding="utf-8")
    assert load(unnamed).market.assets == ("SPX", "NDX")
    path.write_text(text, encoding="utf-8")
    assert "the file has several (SPX, NDX)" in _problems(path)["market.asset"]


def test_what_was_mended_in_a_history_is_kept(write: Write) -> None:
    """The notes of a history stand with its source; what it refuses names the config's own key."""
    path = write(FITTED)
    header, *rows = HISTORY.splitlines()
    (path.parent / "prices.csv").write_text("\n".join([header, *rows[::-1]]), encoding="utf-8")
    run = load(path)
    assert run.source is not None
    assert run.source.notes == ("It stands newest first: its rows were turned round.",)
    (path.parent / "prices.csv").write_text(HISTORY.replace("2020-01-03,", "2020-01-03,x"), encoding="utf-8")
    assert "line 4: 'Close' must be a plain, finite number" in _problems(path)["market.column"]


def test_overrides_are_toml_values_or_bare_words(write: Write) -> None:
    """Overrides given as texts are read like values of a file; numbers may lack their leading zero."""
    run = load(
        write(BASE),
        [
            "simulation.paths=2_000",
            "simulation.monitoring=discrete",
            "account.positions[1].notional=.5",
            'ladder.tiers."final call"=0.5',
        ],
    )
    assert (run.simulation["paths"], run.simulation["monitoring"]) == (2000, "discrete")
    assert run.account.positions[1].quantity == pytest.approx(0.5 / 3000)
    assert run.ladder.names == ("call", "liquidation", "final call")


@pytest.mark.parametrize("name", ["btc_perpetual_10x.toml", "btc_escalation.toml", "sp500_history.toml"])
def test_shipped_examples_are_valid(name: str) -> None:
    """Every shipped config loads, opens above its first tier, and asks for a million paths."""
    run = load(EXAMPLES / name)
    worth = run.account.worth(run.market.assets, run.market.spot)
    assert worth.margin / worth.required > run.ladder.levels[0]
    assert run.simulation["paths"] == 1_000_000


def test_written_example_is_valid(write: Write) -> None:
    """What `margin init` writes loads as it stands."""
    assert load(write(EXAMPLE)).ladder.names == ("warning", "initial_call", "final_call", "liquidation")


WRONG = [
    ("market.volatilty=0.5", "market.volatilty", "did you mean volatility?"),
    ("marke.spot=1", "marke", "did you mean market?"),
    ("market.spot=[-1, 2]", "market.spot", "above 0"),
    ("market.spot=[1, 2, 3]", "market.spot", "2 of them"),
    ("market.volatility=high", "market.volatility", "must be a number"),
    ("market.correlation=[[1, 2], [2, 1]]", "market.correlation", "eigenvalue"),
    ("market.correlation=[[1, 0.5], [0.4, 1]]", "market.correlation", "symmetric"),
    ("market.model=sabr", "market.model", "must be gbm or merton or kou or heston or bates or filtered_historical"),
    ("market.column=Close", "market.column", "history"),
    (
        "market.drift=fitted",
        "market.drift",
        "must be a number: this market is stated, so that there is no fitted drift",
    ),
    ("market.drift=none", "market.drift", "must be a number or a list of numbers"),
    ("market.history=none.csv", "market.assets", "leave it out"),
    ("account.cash=nan", "account.cash", "finite"),
    ("account.positions=[]", "account.positions", "at least one"),
    ("account.positions=3", "account.positions", "a list of tables"),
    ("account.positions[0].quantity=0", "account.positions[0].quantity", "must not be 0"),
    ("account.positions[0].notional=5", "account.positions[0]", "either quantity"),
    ("account.positions[0].asset=DOGE", "account.positions[0].asset", "BTC, ETH"),
    ("account.positions[0].entry_price=close", "account.positions[0].entry_price", "'spot'"),
    ("account.positions[1].notional=0", "account.positions[1].notional", "must not be 0"),
    ("account.positions[0].foo=5", "account.positions[0].foo", "known are"),
    ("account.positions[7].asset=BTC", "account.positions[7].asset", "has 2 entries"),
    ("account.maintenance_rate=-1", "account.maintenance_rate", "above 0"),
    ("account.maintenance_rate.XRP=1", "account.maintenance_rate.XRP", "BTC, ETH"),
    ("account.maintenance_rate=[1]", "account.maintenance_rate", "a table of them by asset"),
    ("account.maintenance_rate={BTC=0.1}", "account.maintenance_rate", "a rate for ETH"),
    ("ladder.tiers.liquidation=2", "ladder.tiers.liquidation", "below the level of call"),
    ("ladder.tiers.call=high", "ladder.tiers.call", "must be a number"),
    ("ladder.metric=equity", "ladder.metric", "margin_ratio or equity_fraction"),
    ("simulation.horizon=5 days", "simulation.horizon", "'5d'"),
    ("simulation.horizon=5", "simulation.horizon", "must have a unit, such as '5d' or '12h'; 5 years is '5y'"),
    ("simulation.horizon='5'", "simulation.horizon", "must have a unit, such as '5d' or '12h'; 5 years is '5y'"),
    ("simulation.horizon=0.25", "simulation.horizon", "0.25 years is '0.25y'"),
    ("simulation.horizon=-1", "simulation.horizon", "must have a unit, such as '5d' or '12h'"),
    ("simulation.horizon=0d", "simulation.horizon", "above 0"),
    ("simulation.horizon=[5]", "simulation.horizon", "must be a number with the unit"),
    ("simulation.paths=many", "simulation.paths", "must be a number"),
    ("simulation.paths=1.5", "simulation.paths", "whole number"),
    ("simulation.steps=0", "simulation.steps", "from 1"),
    ("simulation.seed=-1", "simulation.seed", "from 0"),
    ("simulation.precision=half", "simulation.precision", "single or double"),
    ("simulation.monitoring=never", "simulation.monitoring", "continuous or discrete"),
    ("simulation.threads=0", "simulation.threads", "from 1"),
    ("simulation.path=5", "simulation.path", "did you mean paths?"),
    ("measures.levels=[1.5]", "measures.levels", "below 1"),
    ("measures.levels=[]", "measures.levels", "a list of numbers"),
    ("simulation.paths", "--set", "KEY=VALUE"),
    ("market..spot=1", "market..spot", "must be a path"),
    ("market.model.name=1", "market.model.name", "has no keys"),
]


@pytest.mark.parametrize(("override", "field", "message"), WRONG, ids=[one[0] for one in WRONG])
def test_wrong_values_are_named_with_their_mend(write: Write, override: str, field: str, message: str) -> None:
    """Each wrong value is reported under its own path with what would be right."""
    assert message in _problems(write(BASE), [override])[field]


def test_problems_of_all_sections_come_together(write: Write) -> None:
    """One refusal names what is wrong in every section, in the order of the sections."""
    overrides = [one[0] for one in WRONG if one[1] in {"account.cash", "ladder.metric", "simulation.steps"}]
    found = _problems(write(BASE), ["market.spot=-1", "account.positions[0].asset=DOGE", *overrides])
    expected = ["market.spot", "account.cash", "account.positions[0].asset", "ladder.metric", "simulation.steps"]
    assert expected == list(found)


def test_missing_sections_and_keys_are_required(write: Write) -> None:
    """An empty file is told which sections, and an empty section which keys, it needs."""
    assert list(_problems(write(""))) == ["market", "account", "ladder", "simulation"]
    found = _problems(write("market = {}\naccount = {}\nladder = {}\nsimulation = 3\n"))
    assert {"market.model", "account.cash", "account.positions", "ladder.tiers"} <= found.keys()
    assert "must be a section" in found["simulation"]


def test_a_history_leaves_no_parameters_to_state(write: Write) -> None:
    """Parameters beside a history are refused, except those that may replace the fitted ones."""
    found = _problems(write(FITTED), ["market.volatility=0.5", "market.drift=0.1", "market.model=heston"])
    assert "is fitted" in found["market.volatility"]
    assert "gbm or merton or kou" in found["market.model"]
    assert "market.drift" not in found


def test_problems_of_a_history_are_the_markets(write: Write) -> None:
    """What is wrong with a history is reported below the market, with the file's name."""
    path = write(FITTED)
    assert "did you mean Close?" in _problems(path, ["market.column=close_"])["market.column"]
    assert "cannot be read" in _problems(path, ["market.history=none.csv"])["market.history"]
    (path.parent / "prices.csv").write_text("Date,Close\n2020-01-01,5\n2020-01-02,5\n2020-01-03,5\n", encoding="utf-8")
    assert "must move" in _problems(path)["market.history"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("run.toml", "[market\n", "line 1"),
        ("run.toml", "[ladder.tiers]\ncall = 1\ncall = 2\n", "line 3"),
        ("run.json", '{"market": {"spot": 1, "spot": 2}}', "'spot' stands more than once"),
        ("run.json", '{\n"market": }', "line 2"),
        ("run.json", "[]", "one object"),
        ("run.yaml", "market: 1", ".toml or .json"),
    ],
)
def test_unreadable_files_are_named(write: Write, name: str, text: str, message: str) -> None:
    """A file that is no TOML or JSON is refused with its name and the line."""
    path = write(text, name)
    assert message in _problems(path)[str(path)]


def test_missing_files_are_named(tmp_path: Path) -> None:
    """A file that is not there, or is a folder or no text, is refused with its name."""
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    for name, message in (("none", "No such file"), ("folder", "is a folder"), ("bytes", "UTF-8")):
        path = tmp_path / f"{name}.toml"
        assert message in _problems(path)[str(path)]


@pytest.mark.parametrize(("text", "days"), [("90m", 0.0625), ("36h", 1.5), ("5d", 5), ("2w", 14), ("1y", 365)])
def test_durations_are_years_of_365_days(text: str, days: float) -> None:
    """Each unit of time is read in years of 365 days."""
    assert years(text) == pytest.approx(days / 365)


@pytest.mark.parametrize("text", ["5", " 5.5 ", "1e-3", "1_000"])
def test_a_number_of_years_is_itself(text: str) -> None:
    """A bare number is asked for its unit, and with the unit that the question offers for years keeps every bit."""
    with pytest.raises(ValueError, match=re.escape(f"; {text.strip()} years is '{text.strip()}y'")):
        years(text)
    assert years(f"{text.strip()}y") == float(text)
    assert years(f"{1 / 3 / 365!r}y") == 1 / 3 / 365


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ("max_gap=3", "3 years is '3y'"),
        ("max_gap='3'", "3 years is '3y'"),
        ("max_gap=3 days", "must be a number with the unit"),
    ],
)
def test_a_gap_is_asked_for_its_unit(write: Write, stated: str, message: str) -> None:
    """So is every duration of a config: the longest step of a history as well."""
    assert message in _problems(write(FITTED), [f"market.{stated}"])["market.max_gap"]


def test_a_markets_own_step_may_have_a_unit(write: Write) -> None:
    """The step of a filtered market is a text with a unit, or years as `margin fit` writes them; a 1 is asked about."""
    text = BASE.replace("correlation = [[1, 0.8], [0.8, 1]]\n", "")
    stated = ["model=filtered_historical", "omega=0", "alpha=0.1", "beta=0.9", f"residuals={RESIDUALS}"]
    path, overrides = write(text), [*(f"market.{one}" for one in stated), "simulation.steps=5"]
    days = load(path, [*overrides, "market.dt=1d"]).market
    assert (
        days.parameters()["dt"] == 1 / 365 == load(path, [*overrides, f"market.dt={1 / 365}"]).market.parameters()["dt"]
    )
    assert "1 year is '1y'" in _problems(path, [*overrides, "market.dt=1"])["market.dt"]


def test_words_for_people() -> None:
    """Durations are written in the unit that reads best, and near names are offered."""
    assert [duration(days / 365) for days in (5, 1, 1 / 48)] == ["5 d", "24 h", "30 min"]
    assert near("volatilty", ["spot", "volatility"]) == "; did you mean volatility?"
    assert [snake(name) for name in ("Gbm", "FilteredHistorical")] == ["gbm", "filtered_historical"]
    assert near("x", ["spot", "drift"]) == "; known are spot, drift"


def test_values_of_any_kind_are_refused_not_raised(write: Write) -> None:
    """Whatever stands in place of a value, the answer is a run or a list of problems."""
    kinds: list[object] = [None, True, "", "x", [], {}, -1, 10**400, float("nan"), [None], [[1]], {"a": "b"}, [{}]]
    for text in (BASE, FITTED):
        document = tomllib.loads(text)
        for section, keys in document.items():
            for key, value in [(key, value) for key in keys for value in kinds]:
                path = write(json.dumps({**document, section: {**keys, key: value}}), "run.json")
                with contextlib.suppress(kernel.InvalidInput):
                    load(path)

"""Labels of numbers: they decide the order, or are refused; missing numbers are refused by their place."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import kernel

ASSETS = ["BTC", "ETH", "LTC"]
SPOT = {"LTC": 70.0, "BTC": 60_000.0, "ETH": 3_000.0}
CORRELATION = np.array([[1.0, 0.8, 0.3], [0.8, 1.0, 0.5], [0.3, 0.5, 1.0]])
TURNED = [2, 0, 1]
NAMES = [ASSETS[k] for k in TURNED]
FRAME = pd.DataFrame(CORRELATION[np.ix_(TURNED, TURNED)], index=NAMES, columns=NAMES)
PRICES = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, (40, 3)), axis=0))
DAYS = pd.date_range("2021-01-01", periods=40, tz="Europe/Berlin")
TABLE = pd.DataFrame(PRICES[:, TURNED], columns=NAMES, index=DAYS)


class Polars:
    """A frame with names of columns and no labels of rows, as polars has it."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.columns, self._values = list(frame.columns), frame.to_numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._values, dtype=dtype)


class Xarray:
    """An array whose named dimensions have labels, as xarray has it."""

    def __init__(self, values: np.ndarray, **coords: list[str]) -> None:
        self.dims, self.coords, self._values = tuple(coords), {k: np.array(v) for k, v in coords.items()}, values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._values, dtype=dtype)


def gbm(**changes: Any) -> kernel.Gbm:
    """Return a market of three assets."""
    return kernel.Gbm(**{"assets": ASSETS, "spot": 1.0, "volatility": 0.5, **changes})


def refused(build: Any) -> list[kernel.errors.Problem]:
    """Return what a call is refused for, each in one line."""
    with pytest.raises(kernel.InvalidInput) as caught:
        build()
    assert all("\n" not in message for _, message in caught.value.problems)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    "spot",
    [
        SPOT,
        pd.Series(SPOT),
        pd.DataFrame([SPOT], index=[pd.Timestamp("2021-01-01")]),
        pd.DataFrame({"close": SPOT}),
        Xarray(np.array(list(SPOT.values())), asset=list(SPOT)),
        pd.Series(SPOT)[ASSETS].to_numpy()[:, None],
        pd.Series([60_000.0, 3_000.0, 70.0]),
        [Decimal("60000.5") - Decimal("0.5"), 3_000, 70.0],
    ],
    ids=["mapping", "series", "row", "column", "xarray", "array column", "counted", "decimals"],
)
def test_numbers_go_to_the_assets_that_their_labels_name(spot: Any) -> None:
    """A mapping, series, row or column in another order than the assets is put into theirs; bare numbers stand."""
    assert gbm(spot=spot).spot.tolist() == [60_000.0, 3_000.0, 70.0]


@pytest.mark.parametrize(
    "correlation",
    [FRAME, FRAME.to_dict(), FRAME.loc[ASSETS], FRAME[ASSETS], Polars(FRAME), pd.DataFrame(FRAME.to_numpy(), NAMES)],
    ids=["frame", "mapping", "rows in order", "columns in order", "columns alone", "rows alone"],
)
def test_a_correlation_goes_by_both_of_its_labels(correlation: Any) -> None:
    """Rows and columns each follow their labels, and each other where only one of them has some."""
    np.testing.assert_array_equal(gbm(correlation=correlation).correlation, CORRELATION)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("spot", pd.Series({"BTC": 1.0, "ETH": 2.0})),
        ("spot", SPOT | {"XRP": 1.0}),
        ("spot", pd.Series([1.0, 2.0, 3.0], index=["BTC", "BTC", "ETH"])),
        ("volatility", pd.DataFrame({"sigma": {"a": 0.1, "b": 0.2, "c": 0.3}})),
        ("correlation", FRAME.rename(index={"BTC": "XBT"})),
        ("correlation", FRAME.rename(columns={"BTC": "XBT"})),
        ("correlation", {"BTC": {"BTC": 1.0}, "ETH": {"ETH": 1.0}, "LTC": {"LTC": 1.0}}),
    ],
    ids=["too few", "too many", "twice", "other rows", "another row", "another column", "ragged"],
)
def test_labels_that_are_not_the_assets_are_refused(field: str, value: Any) -> None:
    """Numbers for other assets are refused in one line that names the field, rather than taken as they come."""
    assert [one.field for one in refused(lambda: gbm(**{field: value}))] == [field]


def test_residuals_go_by_the_labels_of_their_columns() -> None:
    """Their rows may be labelled by times, or by nothing; columns follow their names."""
    stated = {"volatility": 0.5, "omega": 0.01, "alpha": 0.1, "beta": 0.8, "dt": "1d", "spot": 1.0, "assets": ASSETS}
    surprises = PRICES - PRICES.mean(axis=0)
    frame = pd.DataFrame(surprises[:, TURNED], columns=NAMES, index=DAYS)
    for residuals in (frame, Polars(frame), {name: frame[name] for name in NAMES}):
        market = kernel.FilteredHistorical(residuals=residuals, **stated)
        np.testing.assert_array_equal(market.residuals, surprises)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]), "[1]"),
        (pd.Series([1.0, 2.0, None], index=ASSETS, dtype="Float64"), "[2]"),
        ([None, 2.0, 3.0], "[0]"),
        ([1.0, float("nan"), 3.0], "[1]"),
    ],
    ids=["mask", "NA", "None", "NaN"],
)
def test_missing_numbers_are_named_by_their_place(value: Any, place: str) -> None:
    """A masked or missing entry is refused, not read as what lies beneath."""
    assert refused(lambda: gbm(spot=value)) == [("spot", f"must be finite, not nan at {place}")]


@pytest.mark.parametrize("value", [[1 + 2j, 1, 1], [True, True, False], ["1", "2", "3"], pd.Series(DAYS[:3]), {}])
def test_what_is_no_number_is_refused(value: Any) -> None:
    """Complex numbers, truth values, texts and times are refused, not converted."""
    assert [one.field for one in refused(lambda: gbm(spot=value))] == ["spot"]


def test_a_masked_constant_is_missing() -> None:
    """One masked number is refused: NumPy would read it as 0."""
    position = [kernel.Linear("BTC", 1.0)]
    found = refused(lambda: kernel.Account(cash=np.ma.masked, positions=position, maintenance_rate=0.01))
    assert [one.field for one in found] == ["cash"]


def test_rates_may_be_a_series_by_asset() -> None:
    """A labelled series of maintenance rates is what a mapping is."""
    positions = [kernel.Linear(name, 1.0) for name in ASSETS]
    rates = pd.Series({"LTC": 0.03, "ETH": 0.02, "BTC": 0.01})
    account = kernel.Account(cash=0.0, positions=positions, maintenance_rate=rates)
    assert account.worth(ASSETS, np.ones(3)).requirement.tolist() == [0.01, 0.02, 0.03]


def test_assets_may_be_named_by_an_index() -> None:
    """The labels of a frame's columns serve as names, in their order."""
    assert gbm(assets=FRAME.columns, spot=pd.Series(SPOT)).assets == tuple(NAMES)


@pytest.mark.parametrize(
    "prices",
    [TABLE, Polars(TABLE), pa.table({name: TABLE[name].to_numpy() for name in NAMES}), dict(TABLE.items())],
    ids=["pandas", "polars", "arrow", "mapping"],
)
def test_prices_bring_the_names_of_their_columns(prices: Any) -> None:
    """Where assets are not stated they are the columns'; where they are, columns follow them."""
    own = kernel.Gbm.fit(prices, dt="1d").market
    assert own.assets == tuple(NAMES)
    assert own.spot.tolist() == PRICES[-1, TURNED].tolist()
    assert kernel.Gbm.fit(prices, dt="1d", assets=ASSETS).market.spot.tolist() == PRICES[-1].tolist()


def test_one_column_may_be_renamed() -> None:
    """A single column is the one asset, whatever both are called; a series has its name."""
    assert kernel.Gbm.fit(TABLE[["BTC"]], dt="1d", assets="XBT").market.assets == ("XBT",)
    assert kernel.Gbm.fit(TABLE["BTC"], dt="1d").market.assets == ("BTC",)
    assert kernel.Gbm.fit(pd.Series(PRICES[:, 0]), dt="1d").market.assets == ("asset",)


@pytest.mark.parametrize(
    ("prices", "words"),
    [
        (TABLE.rename(columns={"BTC": "XBT"}), "has the columns"),
        (TABLE.set_axis(pd.MultiIndex.from_product([["Close"], NAMES]), axis=1), "names as labels of its columns"),
        (TABLE.melt(ignore_index=False).set_index("variable", append=True)["value"], "unstack"),
        (TABLE[::-1], "rising order of time, each once: see row 1"),
        (pd.concat([TABLE, TABLE[-1:]]), "rising order of time, each once: see row 40"),
        (TABLE.astype(str), "must be numbers"),
        (TABLE.replace(TABLE.iloc[3, 1], np.nan), "see row 3"),
        (np.ma.masked_equal(PRICES, PRICES[3, 1]), "see row 3"),
        ({name: TABLE[name].shift(k, freq="D") for k, name in enumerate(NAMES)}, "the same labels"),
        (PRICES * 1e12, "from 1e-12 to 1e+12"),
    ],
    ids=["others", "two lines", "stacked", "newest first", "twice", "texts", "NaN", "masked", "shifted", "huge"],
)
def test_prices_whose_labels_or_numbers_cannot_be_used_are_refused(prices: Any, words: str) -> None:
    """Other assets, stacked or falling times, texts and missing prices are refused in one line."""
    (problem,) = refused(lambda: kernel.Gbm.fit(prices, dt="1d", assets=ASSETS))
    assert problem.field == "prices"
    assert words in problem.message


def test_a_history_takes_times_and_extremes_by_their_labels() -> None:
    """Times are those of the rows in UTC, lows in another order of columns follow; shifted rows are refused."""
    history = kernel.History(assets=ASSETS, prices=TABLE, dt="1d", lows=(TABLE - 1.0)[ASSETS])
    np.testing.assert_array_equal(history.prices, PRICES)
    np.testing.assert_array_equal(history.lows, PRICES - 1.0)
    assert str(history.times[0]) == "2020-12-31T23:00:00.000000"
    late = (TABLE - 1.0).shift(freq="D")
    assert [one.field for one in refused(lambda: kernel.History(assets=ASSETS, prices=TABLE, dt="1d", lows=late))] == [
        "lows"
    ]

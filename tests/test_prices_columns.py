"""Which columns are prices, and of which assets: what a name or a form says, else a question."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from kernel import read_prices
from kernel.prices.fields import fields_of
from tests.price_files import CLOSES, DAYS, HIGHS, LOWS, OPENS, Write, bars, daily, refused, table

PLAIN = [one.date() for one in DAYS]
VOLUMES = [1000 + 37 * k % 101 for k in range(60)]


def test_adjusted_closes_are_preferred(file: Write) -> None:
    """Where closes stand raw and adjusted, the adjusted ones are taken, and a note says so."""
    text = daily([f"{one},{one / 2}" for one in CLOSES], "Date,Close,Adj Close")
    history = read_prices(file(text))
    assert history.prices[0, 0] == CLOSES[0] / 2
    assert "'Adj Close' is taken, not 'Close'" in history.notes[0]
    assert read_prices(file(text), columns="Close").prices[0, 0] == CLOSES[0]


def test_columns_are_taken_as_stated(file: Write) -> None:
    """A name, a list or a mapping chooses columns; a field of bars is named after the file, ASSET:field after ASSET."""
    path = file(daily([f"{one},{one * 2}" for one in CLOSES], "date,BTC:close,ETH:open"))
    assert read_prices(path, columns="ETH:open").assets == ("ETH",)
    assert read_prices(path, columns=["ETH:open", "BTC:close"]).assets == ("ETH", "BTC")
    assert read_prices(path, columns="close").assets == ("BTC",)
    mapped = read_prices(path, columns={"A": "BTC:close", "B": "ETH:open"})
    assert (mapped.assets, mapped.prices[0].tolist()) == (("A", "B"), [CLOSES[0], CLOSES[0] * 2])
    assert read_prices(file(daily()), columns="close").assets == ("btc",)
    assert read_prices(file(daily(VOLUMES, "date,volume")), columns="volume").prices[0, 0] == VOLUMES[0]


NO_PRICES = [
    "volume", "Vol.", "<TICKVOL>", "Volumen", "total_volume", "count", "Trade#", "No. of Trades", "row", "id", "index",
    "Dividends", "divCash", "Stock Splits", "splitFactor", "Open Interest", "<OPENINT>", "turnover", "Turnover (USD)",
    "market_cap", "amount", "open", "High", "prev close", "close_time", "Change", "Change %", "Price Change", "return",
    "Total Return Index", "vwap", "bid", "askclose", "value", "rate", "signal", "rsi", "close_zscore", "0", "12",
]  # fmt: skip


@pytest.mark.parametrize("name", NO_PRICES)
def test_what_is_not_called_a_price_is_asked_about(file: Write, name: str) -> None:
    """A single column of numbers that no name makes a price is a question that names it."""
    message = refused(file(daily(VOLUMES, f"date,{name}")))["columns"]
    assert f"btc.csv: which columns hold prices? Name them: it has {name!r}" in message


@pytest.mark.parametrize(
    "name", ["BTC", "btc", "EUR/USD", "^GSPC", "S&P 500 Index", "DEXUSEU", "600519", "COIN", "gold"]
)
def test_a_column_called_as_an_asset_is_its_price(file: Write, name: str) -> None:
    """The single column of numbers is the price of the asset that it names."""
    history = read_prices(file(daily(CLOSES, f"date,{name}")))
    assert (history.assets, history.prices[:, 0].tolist(), history.notes) == ((name,), CLOSES, ())


def test_a_counter_is_no_price(file: Write) -> None:
    """A column that counts its rows is none, whatever its name."""
    assert "which columns hold prices?" in refused(file(daily(range(7, 67), "date,BTC")))["columns"]


ASKED = {
    "an asset beside a volume": ("date,BTC,volume", lambda k: f"{CLOSES[k]},{VOLUMES[k]}"),
    "no close": ("date,open,high,low", lambda k: f"{OPENS[k]},{HIGHS[k]},{LOWS[k]}"),
    "bid and ask": ("date,bid,ask", lambda k: f"{CLOSES[k]},{CLOSES[k] + 1}"),
    "last and settle": ("Date,Last,Settle", lambda k: f"{CLOSES[k]},{CLOSES[k]}"),
    "two kinds of bars": ("date,bid_open,bid_close,ask_open,ask_close", lambda k: f"1,{CLOSES[k]},1,{CLOSES[k]}"),
    "statistics": ("date,close_mean,close_std", lambda k: f"{CLOSES[k]},{CLOSES[k]}"),
    "bars of an asset without a close": ("date,X.Open,X.High,X.Low", lambda k: f"{OPENS[k]},{HIGHS[k]},{LOWS[k]}"),
    "letters without a close": ("date,o,h,l", lambda k: f"{OPENS[k]},{HIGHS[k]},{LOWS[k]}"),
    "numbers for names": ("date,98.41,97.5", lambda k: f"{CLOSES[k]},{CLOSES[k]}"),
    "currencies": ("date,4a. close (USD),4b. close (EUR)", lambda k: f"{CLOSES[k]},{CLOSES[k]}"),
}


@pytest.mark.parametrize("case", ASKED)
def test_several_candidates_are_a_question(file: Write, case: str) -> None:
    """Where more than one column could be the price, or none, all are named."""
    header, row = ASKED[case]
    message = refused(file(table(header, lambda k: f"{PLAIN[k]},{row(k)}")))["columns"]
    assert "which columns hold prices? Name them: it has" in message
    assert all(repr(name) in message for name in header.split(",")[1:])


def test_a_question_names_a_dozen_columns(file: Write) -> None:
    """Of many columns the first twelve are named."""
    names = [f"rsi {k}" for k in range(100)]
    message = refused(file(daily([",".join(["5"] * 100)] * 60, ",".join(["date", *names]))))["columns"]
    assert message.endswith("'rsi 10', 'rsi 11' and 88 more")


@pytest.mark.parametrize("name", ["Gold Price", "Gold Close", "Close_Gold", "Gold.Adjusted", "Gold:close"])
def test_a_name_may_hold_asset_and_field(file: Write, name: str) -> None:
    """The single column of numbers that names an asset and a closing price is that asset's."""
    history = read_prices(file(daily(CLOSES, f"date,{name}")))
    assert (history.assets, history.prices[:, 0].tolist()) == (("Gold",), CLOSES)


SEVERAL = {
    "named after them": "date,A1,B1",
    "numeric codes": "date,600519,000001",
    "behind the field": "Date,Close_A1,Close_B1",
    "before the field": "Date,A1.Close,B1.Close",
    "before a colon": "date,A1:close,B1:close",
    "two lines": "Price,Close,Close\nTicker,A1,B1\nDate,,",
    "two lines, turned": ",A1,B1\n,Close,Close",
}


@pytest.mark.parametrize("form", SEVERAL)
def test_several_assets_beside_each_other_are_read(file: Write, form: str) -> None:
    """A table of closes gives as many assets as it names."""
    history = read_prices(file(daily([f"{one},{one * 2}" for one in CLOSES], SEVERAL[form])))
    assert history.assets == (("600519", "000001") if form == "numeric codes" else ("A1", "B1"))
    np.testing.assert_array_equal(history.prices, np.outer(CLOSES, [1, 2]))


def test_fields_are_known_in_the_words_of_many() -> None:
    """Names of fields are told apart through capitals, signs, currencies, numbering and languages."""
    words = {
        "adjusted": ["Adj Close**", "adjClose", "Adj. Close", "5. adjusted close", "GSPC.Adjusted"],
        "close": [
            "Close/Last",
            "<CLOSE>",
            "close ",
            "Close Price",
            "Close (USD)",
            "ClosePrice",
            "Schlusskurs",
            "Clôture",
        ],
        "price": ["Price", "Preis", "spot price"],
        "last": ["PX_LAST", "Last Price", "Settle", "ltp", "Settlement Price"],
        "high": ["High", "HIGH ", "High Price", "Hoch"],
        "volume": ["Vol.", "Volume BTC", "<VOL>", "成交量"],
        "time": ["Date ", "snapped_at", "trade_date", "observation_date", "open_time", "Gmt time", "日期"],
        "other": ["Prev Close", "close_time", "Open Interest", "No.of Shares", "", "Unnamed: 0", "Last Volume"],
    }
    for role, names in words.items():
        found = [fields_of(["x", name, "GSPC.Close" if "GSPC" in name else ""])[1].role for name in names]
        assert found == [role] * len(names), names


# Names that repeat


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_of_one_name_are_told(file: Write, suffix: str) -> None:
    """Two closes are a question; two volumes a note, since none is needed."""

    def write(twice: str) -> object:
        header = f"date,close,{twice},{twice}"
        path = file(daily([f"{one},5,6" for one in CLOSES], header))
        if suffix == "csv":
            return path
        columns = [pa.array(PLAIN), pa.array(CLOSES), pa.array([5.0] * 60), pa.array([6.0] * 60)]
        pyarrow.parquet.write_table(pa.table(columns, header.split(",")), path.with_suffix(".parquet"))
        return path.with_suffix(".parquet")

    assert f"btc.{suffix} has more than one column 'close'" in refused(write("close"))["columns"]
    history = read_prices(write("volume"))
    assert history.prices[:, 0].tolist() == CLOSES
    assert "It has more than one column 'volume'" in history.notes[0]
    assert "more than one column 'volume'" in refused(write("volume"), columns="volume")["columns"]


# One asset below the other

STACKED = "date,open,high,low,close,volume,Name\n" + "".join(
    bars([f"{day}" for day in PLAIN], "").replace("\n", f",{name}\n") for name in ("AAL", "AAPL", "ABT")
)


def test_stacked_assets_are_told_apart(file: Write) -> None:
    """Rows of several assets below one another give several assets, with the lows and highs of each."""
    history = read_prices(file(STACKED))
    assert history.assets == ("AAL", "AAPL", "ABT")
    np.testing.assert_array_equal(history.prices, np.tile(np.array(CLOSES)[:, None], 3))
    np.testing.assert_array_equal(history.lows, np.tile(np.array(LOWS)[:, None], 3))
    assert history.notes[0] == "It holds 3 assets one below the other, told apart by 'Name'."


def test_stacked_rows_may_be_interleaved_or_late(file: Write) -> None:
    """Whether by time or by asset, rising or falling, each asset gets its own rows, on the times of all."""
    rows = [f"{PLAIN[k]},{name},{CLOSES[k] * size}" for k in range(60) for name, size in (("A", 1), ("B", 2))]
    late = [row for row in rows if ",B," not in row or row > "2020-01-11"]
    history = read_prices(file("\n".join(["date,symbol,close", *late[::-1]])))
    assert history.assets == ("B", "A")
    np.testing.assert_array_equal(history.prices, np.outer(CLOSES[10:], [2, 1]))
    assert "B starts on 2020-01-11: 10 rows before were left out." in history.notes


def test_stacked_assets_are_chosen_by_a_mapping(file: Write) -> None:
    """A mapping picks assets and their columns; a name applies to all; what does not fit is asked about."""
    path = file(STACKED)
    assert read_prices(path, columns="open").prices[0].tolist() == [100.0] * 3
    chosen = read_prices(path, columns={"ABT": "close", "AAL": "open"})
    assert chosen.assets == ("AAL", "ABT")
    assert chosen.prices[0].tolist() == [100.0, CLOSES[0]]
    assert read_prices(path, columns={"AAPL": "close"}).assets == ("AAPL",)
    assert "(AAL, AAPL, ABT): none is 'AAP'; did you mean AAPL?" in refused(path, columns={"AAP": "close"})["columns"]
    assert "name one column of prices for all of them" in refused(path, columns=["open", "close"])["columns"]
    assert "holds AAL, AAPL, ABT: of several files each gives one asset" in refused({"X": path})["columns"]
    assert read_prices([path, file(daily(), "x.csv")]).assets == ("AAL", "AAPL", "ABT", "x")


def test_rows_without_a_symbol_or_too_few_are_named(file: Write) -> None:
    """A row of no asset, and an asset of two rows, are refused by name."""
    rows = [f"{PLAIN[k]},{'AB'[k % 2]},{CLOSES[k]}" for k in range(60)]
    holds = "btc.csv holds several assets one below the other, told apart by 'symbol'"
    message = refused(file("\n".join(["date,symbol,close", *rows, "2020-03-01,,5"])))["columns"]
    assert message == f"{holds}, which is empty in line 62"
    message = refused(file("\n".join(["date,symbol,close", *rows, "2020-03-01,C,5"])))["columns"]
    assert message.startswith(f"{holds} (A, B, C), of which C has fewer than 3 rows")

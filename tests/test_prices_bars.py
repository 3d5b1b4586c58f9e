"""Bars: the lows and highs that come with their closes, those that look wrong, and those without a header."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from kernel import read_prices
from tests.price_files import CLOSES, DAYS, EPOCHS, HIGHS, HOURS, LOWS, OPENS, Write, bars, daily, refused, table

Row = Callable[[int], str]
HEADER = "date,open,high,low,close,volume"


def _edited(**columns: dict[int, float]) -> str:
    """Write daily bars with some numbers changed, by column and row."""
    own = {"open": list(OPENS), "high": list(HIGHS), "low": list(LOWS), "close": list(CLOSES)}
    for name, changes in columns.items():
        for row, value in changes.items():
            own[name][row] = value
    return table(HEADER, lambda k: f"{DAYS[k].date()},{','.join(str(one[k]) for one in own.values())},{k + 1}")


@pytest.mark.parametrize("order", [1, -1])
def test_closes_bring_their_lows_and_highs_along(file: Write, order: int) -> None:
    """Lows and highs stand beside their closes, whatever the order of the rows."""
    header, *rows = _edited().splitlines()
    history = read_prices(file("\n".join([header, *rows[::order]])))
    assert history.prices[:, 0].tolist() == CLOSES
    np.testing.assert_array_equal(history.lows, np.array(LOWS)[:, None])
    np.testing.assert_array_equal(history.highs, np.array(HIGHS)[:, None])


def test_extremes_are_adjusted_as_their_closes_are(file: Write) -> None:
    """Beside an adjusted close, low and high are those of the bar times the same factor, or its own adjusted ones."""
    path = file(
        table(
            "date,high,low,close,adj close",
            lambda k: f"{DAYS[k].date()},{HIGHS[k]},{LOWS[k]},{CLOSES[k]},{CLOSES[k] / 2}",
        )
    )
    for history in (
        read_prices(path),
        read_prices(
            file(
                table(
                    "date,high,low,close,adjHigh,adjLow,adjClose",
                    lambda k: f"{DAYS[k].date()},9e9,1,{CLOSES[k]},{HIGHS[k] / 2},{LOWS[k] / 2},{CLOSES[k] / 2}",
                ),
                "own.csv",
            )
        ),
    ):
        np.testing.assert_allclose(history.lows, np.array(LOWS)[:, None] / 2)
        np.testing.assert_allclose(history.highs, np.array(HIGHS)[:, None] / 2)
    np.testing.assert_array_equal(read_prices(path, columns="close").lows, np.array(LOWS)[:, None])


def test_impossible_bars_have_no_extremes(file: Write) -> None:
    """Where a close lies outside its bar, a low is zero or an extreme is missing, both are unknown."""
    nan = float("nan")
    text = _edited(low={1: CLOSES[1] + 1, 2: 0.0, 4: nan}, high={3: CLOSES[3] - 1, 5: nan})
    history = read_prices(file(text))
    unknown = np.isin(np.arange(60), [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(history.lows[:, 0], np.where(unknown, np.nan, LOWS))  # type: ignore[index]
    np.testing.assert_array_equal(history.highs[:, 0], np.where(unknown, np.nan, HIGHS))  # type: ignore[index]
    assert history.notes == ("2 bars with a close outside low and high were kept: lines 3, 5.",)


def test_an_asset_without_bars_has_no_extremes(file: Write) -> None:
    """Beside an asset with bars, one with closes alone has unknown extremes; where none has bars there are none."""
    whole, closes = file(_edited()), file(daily([2 * one for one in CLOSES]), "x.csv")
    history = read_prices([closes, whole])
    np.testing.assert_array_equal(history.lows, np.column_stack([np.full(60, np.nan), LOWS]))
    np.testing.assert_array_equal(history.highs, np.column_stack([np.full(60, np.nan), HIGHS]))
    assert read_prices(closes).lows is None
    assert read_prices(whole, columns="high").lows is None, "the bar of an opening or of an extreme is not over by then"


def test_extremes_over_rows_that_were_left_out_are_unknown(file: Write) -> None:
    """A step over a missing row has only a part of its bars, even where a stated gap counts it as a step."""
    lines = daily([2 * one for one in CLOSES]).splitlines()
    history = read_prices([file(_edited()), file("\n".join(lines[:4] + lines[5:]), "x.csv")], max_gap="3d")
    assert history.gaps is None
    expected = np.delete(LOWS, 3)
    expected[3] = np.nan
    np.testing.assert_array_equal(history.lows[:, 0], expected)  # type: ignore[index]


def test_bars_that_look_wrong_are_told(file: Write) -> None:
    """Closes outside low and high, bars without volume, and bars that stand at two times are kept with a note."""
    header, *rows = bars([one.date() for one in DAYS], HEADER).splitlines()
    rows[10] = rows[10].replace(f"{CLOSES[10]},20", f"{CLOSES[10] + 9},21")
    rows[20] = f"{DAYS[20].date()},5,5,5,5,0"
    rows[30] = f"{DAYS[30].date()},{rows[29].partition(',')[2]}"
    notes = " ".join(read_prices(file("\n".join([header, *rows]))).notes)
    assert "1 bar with a close outside low and high was kept: line 12." in notes
    assert "1 bar without any volume was kept: line 22." in notes
    assert "2 bars that stand at two times, such as 2020-01-30 and 2020-01-31, one of them wrong, were kept" in notes


# Without a header


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
@pytest.mark.parametrize("more", ["", ",42", ",1599999999999,1.5,7,0.5,0.6,0"])
def test_klines_without_a_header_are_read(file: Write, unit: int, more: str) -> None:
    """Rows of 6, 7 or 12 numbers that begin with an epoch in any unit are bars with their close in the fifth."""
    text = bars([one * unit for one in EPOCHS], "").replace("\n", more + "\n")
    history = read_prices(file(text, "BTCUSDT-1h-2020-01.csv"))
    assert (history.assets, history.notes) == (("BTCUSDT-1h-2020-01",), ())
    assert history.prices[:, 0].tolist() == CLOSES
    assert history.times is not None
    assert history.times.tolist() == HOURS
    assert history.dt == 1 / (365 * 24)


ORDERS = [
    (OPENS, HIGHS, LOWS, CLOSES), (OPENS, CLOSES, HIGHS, LOWS), (LOWS, HIGHS, OPENS, CLOSES),
    (CLOSES, HIGHS, LOWS, OPENS), (HIGHS, LOWS, CLOSES, OPENS),
]  # fmt: skip


@pytest.mark.parametrize("columns", ORDERS, ids=["ohlc", "ochl", "lhoc", "chlo", "hlco"])
@pytest.mark.parametrize("step", [1, -1], ids=["rising", "falling"])
def test_the_order_of_bars_is_what_they_themselves_tell(
    file: Write, columns: tuple[list[float], ...], step: int
) -> None:
    """High is what no price of the bar exceeds, low what none falls below, and an open is near the close before."""
    rows = table("", lambda k: f"{EPOCHS[k]},{','.join(str(one[k]) for one in columns)},{10 + k}").splitlines()
    history = read_prices(file("\n".join(rows[::step])))
    assert history.prices[:, 0].tolist() == CLOSES
    assert history.lows is not None
    assert history.lows[:, 0].tolist() == LOWS


def test_a_bad_bar_does_not_hide_the_order(file: Write) -> None:
    """One bar in a hundred may be impossible: it is read as the others are, and told."""
    closes = [CLOSES[k % 60] + (50 if k == 70 else 0) for k in range(120)]
    row = lambda k: f"{EPOCHS[0] + 3600 * k},{OPENS[k % 60]},{closes[k]},{HIGHS[k % 60]},{LOWS[k % 60]},1"  # noqa: E731
    history = read_prices(file(table("", row, range(120))))
    assert history.prices[:, 0].tolist() == closes
    assert "1 bar with a close outside low and high was kept: line 71." in history.notes


def test_whole_prices_are_no_times_of_day(file: Write) -> None:
    """Prices of four digits behind dates in digits are the bars' first column."""
    whole = [[round(15 * one) for one in column] for column in (OPENS, HIGHS, LOWS, CLOSES)]
    text = table("", lambda k: f"{DAYS[k]:%Y%m%d},{','.join(str(column[k]) for column in whole)},7")
    history = read_prices(file(text))
    assert history.prices[:, 0].tolist() == whole[3]


UNTOLD: list[tuple[str, Row]] = [
    ("a price alone", lambda k: f"{EPOCHS[k]},{CLOSES[k]}"),
    ("no close", lambda k: f"{EPOCHS[k]},{OPENS[k]},{HIGHS[k]},{LOWS[k]}"),
    ("volume first", lambda k: f"{EPOCHS[k]},{1000 + 37 * k % 17},{OPENS[k]},{HIGHS[k]},{LOWS[k]},{CLOSES[k]}"),
    ("no close but a volume", lambda k: f"{EPOCHS[k]},{OPENS[k]},{HIGHS[k]},{LOWS[k]},{0.5 + k}"),
    ("no close but no volume", lambda k: f"{EPOCHS[k]},{OPENS[k]},{HIGHS[k]},{LOWS[k]},0"),
    ("no bars", lambda k: f"{EPOCHS[k]},{CLOSES[k]},{CLOSES[-k]},{CLOSES[7 * k % 60]},{CLOSES[11 * k % 60]},7"),
    ("open as near as close", lambda k: f"{EPOCHS[k]},{LOWS[k]},{HIGHS[k]},{LOWS[k] + 0.1},{LOWS[k] + 0.11},7"),
    ("symbol first", lambda k: f"SBER,D,{DAYS[k]:%Y%m%d},000000,{OPENS[k]},{HIGHS[k]},{LOWS[k]},{CLOSES[k]},1"),
]


@pytest.mark.parametrize("row", [row for _, row in UNTOLD], ids=[name for name, _ in UNTOLD])
def test_bars_that_do_not_tell_their_order_are_refused(file: Write, row: Row) -> None:
    """Without a header, what the columns hold is never guessed."""
    assert "btc.csv: line 1 must name the columns" in refused(file(table("", row)))["history"]

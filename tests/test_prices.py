"""Price histories from files and tables: put in order, aligned, mended with a note."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from kernel import read_prices
from tests.price_files import CLOSES, DAYS, HOURS, START, Write, bars, csv, daily, refused


@pytest.mark.parametrize("name", ["btc.csv", "btc.csv.gz", "btc.parquet"])
def test_histories_read_alike(file: Write, tmp_path: Path, name: str) -> None:
    """CSV, gzipped CSV and Parquet give the same history, its asset called as the file."""
    if name.endswith("parquet"):
        pa.parquet.write_table(pa.csv.read_csv(file(daily())), tmp_path / name)
    else:
        file(daily(), name)
    history = read_prices(tmp_path / name)
    assert history.assets == ("btc",)
    assert history.prices[:, 0].tolist() == CLOSES
    assert history.times is not None
    assert history.times.tolist() == DAYS
    assert (history.dt, history.gaps, history.notes) == (1 / 365, None, ())


def test_newest_first_with_a_note_line_and_a_symbol(file: Write) -> None:
    """A file of an exchange's archive is turned round, its asset called by its symbol."""
    text = bars([f"{one:%Y-%m-%d %I-%p},BTCUSD" for one in HOURS], "date,symbol,open,high,low,close,Volume BTC")
    header, *rows = text.splitlines()
    path = file("\n".join(["Timestamps are UTC timezone,https://www.example.org", header, *rows[::-1]]))
    history = read_prices(path)
    assert (history.assets, history.prices[:, 0].tolist()) == (("BTCUSD",), CLOSES)
    assert history.notes == ("It stands newest first: its rows were turned round.",)


class Stream:
    """A table that only the Arrow C stream interface knows, as a data frame or a DuckDB relation is."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "times",
    [
        pa.array(DAYS, pa.timestamp("ns", "+02:00")),
        pa.array(DAYS, pa.timestamp("s")),
        pa.array([one.date() for one in DAYS], pa.date32()),
        pa.array([str(one.date()) for one in DAYS]),
        pa.array([one.replace(tzinfo=UTC).timestamp() for one in DAYS]),
        pa.array([int(one.strftime("%Y%m%d")) for one in DAYS]),
    ],
    ids=["zoned", "seconds", "dates", "texts", "epochs", "digits"],
)
def test_tables_read_like_files(times: pa.Array) -> None:
    """Anything with __arrow_c_stream__ is read, whatever the type of its times and wherever they stand."""
    table = pa.table({"close": pa.array(CLOSES, pa.float32()), "name": ["x"] * 60, "timestamp": times})
    history = read_prices(Stream(table))
    assert history.assets == ("asset",)
    assert history.times is not None
    assert history.times.tolist() == DAYS
    np.testing.assert_allclose(history.prices[:, 0], CLOSES, rtol=1e-6)


def test_several_files_are_aligned_on_their_times(file: Write) -> None:
    """Files give one asset each, at the times that all of them have; the others are left out with notes."""
    first = file(daily())
    rows = [f"{day.date()},{close * 2}" for day, close in zip(DAYS, CLOSES, strict=True)]
    second = file("\n".join(["date,close", *rows[5:20], *rows[21:]]), "eth.csv")
    history = read_prices([first, second])
    assert history.assets == ("btc", "eth")
    np.testing.assert_allclose(history.prices[:, 1], 2 * history.prices[:, 0])
    assert history.prices.shape == (54, 2)
    assert history.notes[0] == "eth starts on 2020-01-06: 5 rows before were left out."
    assert history.notes[1] == "1 row was left out, where eth is missing: time 2020-01-21."
    assert read_prices({"B": second, "A": first}, columns={"B": "close"}).assets == ("B", "A")


# Mended, with a note


def test_late_starts_and_early_ends_are_trimmed(file: Write) -> None:
    """Rows before an asset was traded, or after, are left out and told, whether empty or zero."""
    rows = [f"{one},{one if 10 <= k < 50 else ('', 0)[k % 2]}" for k, one in enumerate(CLOSES)]
    history = read_prices(file(daily(rows, "date,BTC:close,ETH:close")))
    assert (history.prices.shape, history.gaps) == ((40, 2), None)
    expected = (
        "ETH starts on 2020-01-11: 10 rows before were left out.",
        "ETH ends on 2020-02-19: 10 rows after were left out, of the others as well.",
    )
    assert expected == history.notes


def test_unusable_rows_are_left_out_and_no_return_is_taken_over_them(file: Write) -> None:
    """Missing, zero and negative prices are told by line; the steps over them are gaps, and dt stays the step."""
    closes = [*CLOSES[:5], "", "nan", *CLOSES[7:30], 0, *CLOSES[31:40], -1, *CLOSES[41:]]
    history = read_prices(file(daily(closes)))
    assert (len(history.prices), len(history.returns), history.dt) == (56, 52, 1 / 365)
    assert history.notes[0] == "4 rows were left out, where btc is missing (2) or not above 0 (2): lines 7, 8, 32, 42."
    assert (
        "3 steps longer than 36 h, over which no return is taken: the longest is 3 d from 2020-01-05"
        in history.notes[1]
    )
    wanted = np.diff(np.log(CLOSES))
    expected = np.delete(wanted, [4, 5, 6, 29, 30, 39, 40])
    np.testing.assert_allclose(history.returns[:, 0], expected)


def test_repeated_rows_are_left_out(file: Write) -> None:
    """A row that says again what another says is dropped and told; one that says otherwise is refused."""
    path = file(daily() + f"{DAYS[-1].date()},{CLOSES[-1]}\n{DAYS[-1].date()},{CLOSES[-1]}\n")
    assert read_prices(path).notes == ("2 rows repeated another and were left out: lines 62, 63.",)
    path = file(daily() + f"{DAYS[-1].date()},5\n")
    assert "lines 61 and 62 are both of 2020-02-29, with different prices" in refused(path)["time"]


def test_a_slip_in_the_order_is_put_right(file: Write) -> None:
    """A row in a hundred may stand out of order, and is told; more are refused."""
    times, closes = [START + timedelta(hours=k) for k in range(200)], CLOSES * 4
    header, *rows = csv(times, closes[:200]).splitlines()
    slipped = [header, *rows[:50], rows[51], rows[50], *rows[52:]]
    history = read_prices(file("\n".join(slipped)))
    assert history.prices[:, 0].tolist() == closes[:200]
    assert history.notes == ("1 row stood out of order (line 53) and went where its time says.",)
    assert "times must rise throughout" in refused(file("\n".join([header, *rows[:30], *rows[10:13]])))["time"]
    assert "must rise" in refused(file("\n".join(rows[k] if k else header for k in (0, 3, 1, 2, 5, 4))))["time"]


def test_a_range_is_both_ends_included(file: Write) -> None:
    """`first` and `last` select rows, the whole last day included; what is wrong outside does not matter."""
    rows = ["2020-01-01T12:00,bad", "2020-01-02T12:00,1", "2020-01-03T12:00,2", "2020-01-04T23:59,3", "2020-01-06,-4"]
    path = file("t,close\n" + "\n".join(rows))
    assert read_prices(path, first="2020-01-02", last="2020-01-04").prices[:, 0].tolist() == [1, 2, 3]

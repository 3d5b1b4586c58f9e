"""Price histories from files and tables: mended with a note, or refused by file, field and line."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel import InvalidInput, read_prices
from kernel.errors import Problems
from kernel.prices.cells import read_numbers
from kernel.prices.times import read_times
from kernel.tables import Sheet

Write = Callable[..., Path]
LINK = "https://www.example.org"
START = datetime(2020, 1, 1)  # noqa: DTZ001 - files mostly state no zone
CLOSES = [round(100 * math.exp(0.02 * one), 2) for one in np.random.default_rng(5).normal(size=60).cumsum()]
DAYS = [START + timedelta(days=k) for k in range(60)]
HOURS = [START + timedelta(hours=k) for k in range(60)]
EPOCHS = [int(one.replace(tzinfo=UTC).timestamp()) for one in HOURS]


def _csv(times: Sequence[Any], closes: Sequence[Any] = CLOSES, header: str = "date,close") -> str:
    rows = zip(times, closes, strict=False)
    return "\n".join([header, *(f"{time},{close}" for time, close in rows)]) + "\n"


def _daily(closes: Sequence[Any] = CLOSES, header: str = "date,close") -> str:
    return _csv([one.date() for one in DAYS], closes, header)


def _bars(times: Sequence[Any], header: str, symbol: str = "") -> str:
    """Write bars as exchanges do: open the close before, high and low beyond both, some volume."""
    rows = []
    for k, time in enumerate(times):
        close, before = CLOSES[k], CLOSES[max(k - 1, 0)]
        high, low = max(close, before) + 1, min(close, before) - 1
        rows.append(f"{time},{symbol}{before},{high},{low},{close},{10 + k}")
    return "\n".join([*([header] if header else []), *rows]) + "\n"


def _problems(source: Any, **changes: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        read_prices(source, **changes)
    return {problem.field: problem.message for problem in refused.value.problems}


@pytest.fixture
def file(tmp_path: Path) -> Write:
    """Write a file."""

    def _write(text: str, name: str = "btc.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return _write


# Forms of files


@pytest.mark.parametrize("name", ["btc.csv", "btc.csv.gz", "btc.parquet"])
def test_histories_read_alike(file: Write, tmp_path: Path, name: str) -> None:
    """CSV, gzipped CSV and Parquet give the same history, its asset called as the file."""
    if name.endswith("parquet"):
        pa.parquet.write_table(pa.csv.read_csv(file(_daily())), tmp_path / name)
    else:
        file(_daily(), name)
    history = read_prices(tmp_path / name)
    assert history.assets == ("btc",)
    assert history.prices[:, 0].tolist() == CLOSES
    assert history.times is not None
    assert history.times.tolist() == DAYS
    assert (history.dt, history.gaps, history.notes) == (1 / 365, None, ())


FORMS = {
    "dates": _daily(),
    "semicolons": _daily().replace(",", ";"),
    "tabs": _daily().replace(",", "\t"),
    "unnamed times": _daily(header=",Close"),
    "one column of numbers": _daily(header="day,BTC"),
    "spaces and blank lines": "\n" + _daily(header="Date , Close").replace(",", " , ") + ",\n\n",
    "month first": _csv([f"{one.month}/{one.day}/{one.year}" for one in DAYS]),
    "day first": _csv([f"{one:%d/%m/%Y} 0:00" for one in DAYS]),
    "year first": _csv([f"{one:%Y/%m/%d}" for one in DAYS]),
    "digits": _csv([f"{one:%Y%m%d}" for one in DAYS]),
    "timestamps": _csv([f"{one:%Y-%m-%d %H:%M:%S}" for one in DAYS]),
    "zone": _csv([f"{one:%Y-%m-%dT%H:%M}+00:00" for one in DAYS]),
    "other zone": _csv([f"{one + timedelta(hours=2):%Y-%m-%dT%H:%M}+02:00" for one in DAYS]),
    "utc": _csv([f"{one:%Y-%m-%d %H:%M:%S} UTC" for one in DAYS]),
    "half days": "Timestamps are UTC timezone,https://www.example.org\n"
    + _csv([f"{one:%Y-%m-%d %I-%p}" for one in DAYS]),
    "note above the header": "# from somewhere\n" + _daily(),
    "bars": _bars([one.date() for one in DAYS], "date,open,high,low,close,volume"),
    "bars of one asset beside": _bars([one.date() for one in DAYS], ",X:open,X:high,X:low,X:close,X:volume"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_file_gives_the_same_prices(file: Write, form: str) -> None:
    """Whatever the separators, headers and times of a daily file, its history is the same, without a note."""
    history = read_prices(file(FORMS[form]))
    assert history.prices[:, 0].tolist() == CLOSES
    assert history.times is not None
    assert (history.times.tolist(), history.dt, history.notes) == (DAYS, 1 / 365, ())


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
@pytest.mark.parametrize("more", ["", ",42", ",1599999999999,1.5,7,0.5,0.6,0"])
def test_klines_without_a_header_are_read(file: Write, unit: int, more: str) -> None:
    """Rows of 6, 7 or 12 numbers that begin with an epoch in any unit are bars with their close in the fifth."""
    text = _bars([one * unit for one in EPOCHS], "").replace("\n", more + "\n")
    history = read_prices(file(text, "BTCUSDT-1h-2020-01.csv"))
    assert (history.assets, history.notes) == (("BTCUSDT-1h-2020-01",), ())
    assert history.prices[:, 0].tolist() == CLOSES
    assert history.times is not None
    assert history.times.tolist() == HOURS
    assert history.dt == 1 / (365 * 24)


def test_newest_first_with_a_note_line_and_a_symbol(file: Write) -> None:
    """A file of an exchange's archive is turned round, its asset called by its symbol."""
    text = _bars([f"{one:%Y-%m-%d %I-%p},BTCUSD" for one in HOURS], "date,symbol,open,high,low,close,Volume BTC")
    header, *rows = text.splitlines()
    path = file("\n".join([f"Timestamps are UTC timezone,{LINK}", header, *rows[::-1]]))
    history = read_prices(path)
    assert (history.assets, history.prices[:, 0].tolist()) == (("BTCUSD",), CLOSES)
    assert history.notes == ("It stands newest first: its rows were turned round.",)


def test_adjusted_closes_are_preferred(file: Write) -> None:
    """Where closes stand raw and adjusted, the adjusted ones are taken, and a note says so."""
    text = _csv([one.date() for one in DAYS], [f"{one},{one / 2}" for one in CLOSES], "Date,Close,Adj Close")
    history = read_prices(file(text))
    assert history.prices[0, 0] == CLOSES[0] / 2
    assert "'Adj Close' is taken, not 'Close'" in history.notes[0]
    assert read_prices(file(text), columns="Close").prices[0, 0] == CLOSES[0]


def test_columns_are_taken_as_stated(file: Write) -> None:
    """A name, a list or a mapping chooses columns; a field of bars is named after the file, ASSET:field after ASSET."""
    path = file(_daily([f"{one},{one * 2}" for one in CLOSES], "date,BTC:close,ETH:open"))
    assert read_prices(path, columns="ETH:open").assets == ("ETH",)
    assert read_prices(path, columns=["ETH:open", "BTC:close"]).assets == ("ETH", "BTC")
    mapped = read_prices(path, columns={"A": "BTC:close", "B": "ETH:open"})
    assert (mapped.assets, mapped.prices[0].tolist()) == (("A", "B"), [CLOSES[0], CLOSES[0] * 2])
    assert read_prices(file(_daily()), columns="close").assets == ("btc",)


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
    first = file(_daily())
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
    history = read_prices(file(_daily(rows, "date,BTC:close,ETH:close")))
    assert (history.prices.shape, history.gaps) == ((40, 2), None)
    expected = (
        "ETH starts on 2020-01-11: 10 rows before were left out.",
        "ETH ends on 2020-02-19: 10 rows after were left out, of the others as well.",
    )
    assert expected == history.notes


def test_unusable_rows_are_left_out_and_no_return_is_taken_over_them(file: Write) -> None:
    """Missing, zero and negative prices are told by line; the steps over them are gaps, and dt stays the step."""
    closes = [*CLOSES[:5], "", "nan", *CLOSES[7:30], 0, *CLOSES[31:40], -1, *CLOSES[41:]]
    history = read_prices(file(_daily(closes)))
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
    path = file(_daily() + f"{DAYS[-1].date()},{CLOSES[-1]}\n{DAYS[-1].date()},{CLOSES[-1]}\n")
    assert read_prices(path).notes == ("2 rows repeated another and were left out: lines 62, 63.",)
    path = file(_daily() + f"{DAYS[-1].date()},5\n")
    assert "lines 61 and 62 are both of 2020-02-29, with different prices" in _problems(path)["time"]


def test_a_slip_in_the_order_is_put_right(file: Write) -> None:
    """A row in a hundred may stand out of order, and is told; more are refused."""
    times, closes = [START + timedelta(hours=k) for k in range(200)], CLOSES * 4
    header, *rows = _csv(times, closes[:200]).splitlines()
    slipped = [header, *rows[:50], rows[51], rows[50], *rows[52:]]
    history = read_prices(file("\n".join(slipped)))
    assert history.prices[:, 0].tolist() == closes[:200]
    assert history.notes == ("1 row stood out of order (line 53) and went where its time says.",)
    assert "times must rise throughout" in _problems(file("\n".join([header, *rows[:30], *rows[10:13]])))["time"]
    assert "must rise" in _problems(file("\n".join(rows[k] if k else header for k in (0, 3, 1, 2, 5, 4))))["time"]


def test_gaps_are_no_returns(file: Write) -> None:
    """In a market that never closes, steps beyond 1.5 medians are gaps, and dt is the usual step."""
    kept = [k for k in range(60) if k not in {20, 21, 22, 40}]
    history = read_prices(file(_csv([HOURS[k] for k in kept], [CLOSES[k] for k in kept])))
    assert history.gaps is not None
    assert np.flatnonzero(history.gaps).tolist() == [19, 36]
    assert (len(history.returns), history.dt) == (53, 1 / (365 * 24))
    assert "2 steps longer than 1.5 h" in history.notes[0]
    assert "the longest is 4 h from 2020-01-01T19:00 to 2020-01-01T23:00" in history.notes[0]


def test_a_stated_gap_decides(file: Write) -> None:
    """Steps up to max_gap count as steps, longer ones are gaps; dt is the mean of those that count."""
    kept = [k for k in range(60) if k not in {20, 21, 22, 40}]
    path = file(_csv([HOURS[k] for k in kept], [CLOSES[k] for k in kept]))
    history = read_prices(path, max_gap="2h")
    assert history.dt * 365 * 24 == pytest.approx((59 - 4) / 54)
    assert "1.9% of the steps are longer than the usual 1 h, up to 2 h" in history.notes[0]
    assert read_prices(path, max_gap="1d").gaps is None


def test_a_market_that_closes_counts_its_closures_as_steps(file: Write) -> None:
    """Weekends and nights are one step each; only what is far longer, or was left out, is a gap."""
    times = [one for k in range(400) if (one := START + timedelta(days=k)).weekday() < 5 and not 100 < k < 120]
    history = read_prices(file(_csv([one.date() for one in times], CLOSES * 7)))
    assert history.gaps is not None
    steps = np.diff(np.array(times, "datetime64[D]")).astype(int)
    assert np.flatnonzero(history.gaps).tolist() == np.flatnonzero(steps > 7).tolist()
    assert history.dt * 365 == pytest.approx(steps[steps <= 7].mean())
    assert "longer than the usual 24 h, up to 3 d, as of a market that closes" in history.notes[0]
    nights = [one + timedelta(hours=9.5 + k) for one in times[:60] for k in range(7)]
    history = read_prices(file(_csv(nights, CLOSES * 7)))
    assert history.gaps is None
    assert "14% of the steps are longer than the usual 1 h" in history.notes[0]


def test_bars_that_look_wrong_are_told(file: Write) -> None:
    """Closes outside low and high, bars without volume, and bars that stand at two times are kept with a note."""
    header, *rows = _bars([one.date() for one in DAYS], "date,open,high,low,close,volume").splitlines()
    rows[10] = rows[10].replace(",20", ",21").replace(f"{CLOSES[10]},21", f"{CLOSES[10] + 9},21")
    rows[20] = f"{DAYS[20].date()},5,5,5,5,0"
    rows[30] = f"{DAYS[30].date()},{rows[29].partition(',')[2]}"
    notes = " ".join(read_prices(file("\n".join([header, *rows]))).notes)
    assert "1 bar with a close outside low and high was kept: line 12." in notes
    assert "1 bar without any volume was kept: line 22." in notes
    assert "2 bars that stand at two times, such as 2020-01-30 and 2020-01-31, one of them wrong, were kept" in notes


def test_a_range_is_both_ends_included(file: Write) -> None:
    """`first` and `last` select rows, the whole last day included; what is wrong outside does not matter."""
    rows = ["2020-01-01T12:00,bad", "2020-01-02T12:00,1", "2020-01-03T12:00,2", "2020-01-04T23:59,3", "2020-01-06,-4"]
    path = file("t,close\n" + "\n".join(rows))
    assert read_prices(path, first="2020-01-02", last="2020-01-04").prices[:, 0].tolist() == [1, 2, 3]


# Shipped bars


@pytest.mark.parametrize("name", ["sp500", "nasdaq"])
def test_published_index_bars_are_read(name: str) -> None:
    """Twenty years of an index's daily bars need no setting: 5,031 closes, weekends and holidays one step each."""
    pytest.importorskip("arch")
    with as_file(files("arch") / "data" / name / f"{name}.csv.gz") as path:
        history = read_prices(path)
    with gzip.open(path, "rt") as text:
        closes = [float(line.split(",")[5]) for line in list(text)[1:]]
    assert (history.assets, history.gaps) == ((name,), None)
    assert history.prices[:, 0].tolist() == closes
    assert history.times is not None
    span = history.times[-1] - history.times[0]
    assert history.dt == pytest.approx(span / np.timedelta64(365, "D") / 5030)


def test_published_indices_are_aligned() -> None:
    """Two indices in two files share their days."""
    pytest.importorskip("arch")
    with (
        as_file(files("arch") / "data" / "sp500" / "sp500.csv.gz") as first,
        as_file(files("arch") / "data" / "nasdaq" / "nasdaq.csv.gz") as second,
    ):
        history = read_prices({"SPX": first, "NDX": second}, first="2010-01-01")
    assert (history.assets, history.prices.shape) == (("SPX", "NDX"), (2264, 2))
    assert np.corrcoef(history.returns, rowvar=False)[0, 1] > 0.9


# Refused

HALF = [f"{one},{one if k % 2 else ''}" for k, one in enumerate(CLOSES)]
WRONG: list[tuple[str, str, str]] = [
    ("", "history", "btc.csv is empty"),
    (",,\n", "history", "btc.csv is empty"),
    ("date,close\n", "history", "at least 3 rows in range, not 0"),
    ("date,close\n2020-01-01,1\n2020-01-02,1\n", "history", "not 2; the file goes from 2020-01-01 to 2020-01-02"),
    ("2020-01-01,1\n2020-01-02,2\n", "history", "line 1 must name the columns"),
    ("date,close,close\n2020-01-01,1,1\n", "columns", "more than one column 'close'"),
    (_daily() + "2020-03-01\n", "history", "line 62: must have 2 cells, as the header has"),
    (_daily(HALF, "date,BTC,ETH"), "columns", "which columns hold prices? Name them: it has 'BTC', 'ETH'"),
    (_daily(["x"] * 60), "columns", "'close' must be a plain, finite number such as 1234.5, not 'x'"),
    (_daily(["x"] * 60, "date,name"), "columns", "no column holds numbers besides the times: it has 'name'"),
    (_daily([*CLOSES[:9], "$5", *CLOSES[10:]]), "columns", "line 11: 'close' must be a plain, finite number"),
    (_daily([*CLOSES[:9], "inf", *CLOSES[10:]]), "columns", "line 11: 'close' must be a plain, finite number"),
    (_daily([*CLOSES[:9], "1_0", *CLOSES[10:]]), "columns", "line 11: 'close' must be a plain, finite number"),
    (_daily(["1,5"] * 60).replace("-01,", "-01;"), "history", "must have 2 cells"),
    (_daily(["1,5"] * 60, "date;close").replace(",1", ";1"), "columns", "1234.5, not '1,5'"),
    (_daily(HALF, "date,BTC:close,ETH:close"), "history", "29 of 59 prices of ETH (49%) are missing: lines 4, 6"),
    (_daily([""] * 60), "history", "btc has no price in range"),
    (_daily(["", 0] * 30, "date,BTC:close"), "history", "BTC has no price in range"),
    (_daily([0.01 * (-1) ** k for k in range(60)], "date,return"), "history", "does the column hold returns?"),
    (_daily([one * (100 if k > 39 else 1) for k, one in enumerate(CLOSES)]), "history", "from line 41 to 42: are its"),
    (_daily([5] * 60), "history", "btc must move, but is constant"),
    (_csv([one if k < 30 else one * 1000 for k, one in enumerate(EPOCHS)]), "time", "seconds since 1970 at line 31 ('"),
    (_csv([f"{one}Z" if k < 9 else one for k, one in enumerate(HOURS)]), "time", "times without a zone at line 11"),
    (_csv([one if k < 9 else EPOCHS[k] for k, one in enumerate(HOURS)]), "time", "holds two clocks"),
    (_csv([43_831 + k for k in range(60)]), "time", "lines 2, 3, 4, 5, 6 and 55 more: must be times such as"),
    (_csv([*DAYS[:5], "soon", *DAYS[6:]]), "time", "line 7: must be times such as 2018-12-31"),
    (_csv([*DAYS[:5], "", *DAYS[6:]]), "time", "line 7: must be times such as"),
    (_csv([f"{k}/{k}/2020" for k in range(1, 9)]), "time", "do not tell day from month"),
    (_csv([f"{DAYS[k // 2].date()},{'AB'[k % 2]}" for k in range(60)], CLOSES, "date,symbol,close"), "columns", "A, B"),
]


@pytest.mark.parametrize(("text", "field", "message"), WRONG)
def test_wrong_histories_are_named_by_line(file: Write, text: str, field: str, message: str) -> None:
    """Each wrong history is refused by its field, with the file, the lines counted from 1, and the mend."""
    path = file(text)
    found = _problems(path)
    assert message in found[field]
    assert "btc.csv" in found[field]


def test_two_files_on_two_clocks_are_refused(file: Write) -> None:
    """Files whose times hardly meet are refused with how many do and an example of each."""
    first, second = file(_daily()), file(_csv([one + timedelta(hours=8) for one in DAYS]), "eth.csv")
    message = _problems({"BTC": first, "ETH": second})["history"]
    assert "btc.csv and eth.csv stand on two clocks: they share 0 of 59 times in their common range" in message
    assert "btc.csv alone has 2020-01-02, eth.csv alone has 2020-01-01T08:00" in message
    hourly = file(_csv([START + timedelta(hours=k) for k in range(240)], CLOSES * 4), "hourly.csv")
    assert "they share 10 of 240 times" in _problems([first, hourly])["history"]
    later = file(_csv([one + timedelta(days=100) for one in DAYS]), "later.csv")
    assert "btc ends on 2020-02-29, before later starts on 2020-04-10" in _problems([first, later])["history"]


def test_uneven_times_are_refused(file: Write) -> None:
    """Rows with many steps much shorter than the usual one have no step."""
    times = [one for k, day in enumerate(DAYS) for one in ([day] if k % 5 else [day, day + timedelta(hours=2)])]
    message = _problems(file(_csv(times, CLOSES * 2)))["time"]
    assert "its steps are uneven: 12 of 71 are much shorter than the usual 24 h, down to 2 h" in message


def test_all_problems_of_a_call_come_together(file: Write) -> None:
    """Settings, times and columns are all looked at before anything is refused."""
    found = _problems(file(_daily()), first="soon", last="x", max_gap="a week", time="Dat", columns="Close")
    assert set(found) == {"first", "last", "max_gap", "time", "columns"}
    assert "did you mean close?" in found["columns"]
    path = file(_csv([*DAYS[:5], "soon", *DAYS[6:]], ["x", *CLOSES[1:]]))
    assert set(_problems(path)) == {"time", "columns"}


def test_wrong_sources_and_settings_are_named(file: Write, tmp_path: Path) -> None:
    """What cannot be read, or does not fit the files, is refused with the reason."""
    good, beside = file(_daily()), file(_daily([f"{one},{one}" for one in CLOSES], "date,A:close,B:close"), "two.csv")
    assert "not int" in _problems(42)["history"]
    assert "at least one file" in _problems([])["history"]
    assert "cannot be read" in _problems(tmp_path / "none.csv")["history"]
    assert "must be a .csv, .csv.gz, .parquet file" in _problems(tmp_path / "prices.xlsx")["history"]
    assert "is empty" in _problems(pa.table({}))["history"]
    assert "none of the assets" in _problems({"A": good}, columns={"B": "close"})["columns"]
    assert "one name for all files" in _problems([good], columns=["close"])["columns"]
    assert "each gives one asset" in _problems([good, beside])["columns"]
    assert "two files hold btc" in _problems([good, good])["history"]
    assert "at least one column" in _problems(good, columns=[])["columns"]
    assert "before first" in _problems(good, first="2020-01-03", last="2020-01-01")["last"]
    assert "from 2020-01-01 to 2020-02-29" in _problems(good, first="2021-01-01")["history"]
    assert "only 0 of 59 steps are at most 1 h" in _problems(good, max_gap="1h")["max_gap"]


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    """Files that are broken, or of another kind than they say, are refused with their name."""
    (tmp_path / "text.csv.gz").write_text(_daily())
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(_daily().encode())[:-9])
    (tmp_path / "text.parquet").write_text(_daily())
    (tmp_path / "bytes.csv").write_bytes(b"Date,Close\n\xff\xfe,1\n")
    for path in tmp_path.iterdir():
        assert path.name in _problems(path)["history"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(st.text(alphabet="0123456789-/:;,.eaTZ \n\"'NaM", max_size=200))
def test_whatever_a_file_holds_is_read_or_refused(file: Write, text: str) -> None:
    """No text of a file ends in anything but a history or a list of problems."""
    try:
        read_prices(file("date,close\n2020-01-01,1\n2020-01-02,2\n" + text))
    except InvalidInput as invalid:
        assert invalid.problems  # noqa: PT017 - either way is fine


def test_numbers_and_times_are_those_of_python() -> None:
    """Quick ways of reading whole columns give what Python's float and datetime give cell by cell."""
    texts = [str(one) for one in np.random.default_rng(1).lognormal(size=50)]
    stamps = [one.isoformat(sep=" ") for one in HOURS[:50]]
    sheet = Sheet("f", "f", ("t", "p"), {"t": stamps, "p": texts}.__getitem__, np.arange(50), "line")
    problems = Problems()
    assert read_numbers(problems, sheet, "p", np.ones(50, bool)).tolist() == [float(one) for one in texts]
    assert read_times(problems, sheet, "t").tolist() == [datetime.fromisoformat(one) for one in stamps]
    assert not problems.found


def test_moves_that_markets_seldom_make_are_noted(file: Write) -> None:
    """A price that is ten times as high from one line to the next may be so, but not without a word."""
    closes = [*CLOSES[:20], *(round(10 * one, 2) for one in CLOSES[20:])]
    (note,) = read_prices(file(_csv(DAYS, closes))).notes
    assert "moves by a factor of 10" in note or "moves by a factor of 9" in note
    assert "from line 21 to 22: are its units the same?" in note

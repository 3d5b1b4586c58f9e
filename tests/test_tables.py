"""Tables out, whole or not at all; price histories in, or refused by file, field and line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from kernel.errors import InvalidInput
from kernel.outcome import Outcome
from kernel.prices import read_history
from kernel.tables import check_output, outcome_table, write_table, write_text

Write = Callable[..., Path]
NAN = float("nan")
GOOD = "Date,Close,Other\n2020-01-01,100,1\n2020-01-02,101.5,2\n2020-01-03,99,3\n2020-01-04,98,4\n"


def _outcome(**changes: Any) -> Outcome:
    arrays = {
        "loss": np.array([1.0, -2.0], np.float32),
        "terminal_price": np.array([[10.0, 11.0], [20.0, 21.0]], np.float32),
        "breach_time": np.array([[0.25, NAN]], np.float32),
    }
    about = {"paths": 2, "horizon": 1.0, "assets": ("BTC", "ETH"), "tiers": ("call",), "opening_equity": 5.0}
    return Outcome(**{**about, "provenance": {"seed": 7}, **arrays, **changes})


def _problems(path: Path, **settings: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        read_history(path, **{"column": "Close", **settings})
    return {problem.field: problem.message for problem in refused.value.problems}


@pytest.fixture
def history(tmp_path: Path) -> Write:
    """Write a CSV file."""

    def _write(text: str, name: str = "prices.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return _write


# Out


def test_table_has_a_column_for_each_result() -> None:
    """An outcome's table holds losses, closing prices by asset and breach times by tier, null for never."""
    table = outcome_table(_outcome())
    assert table.column_names == ["loss", "terminal_price.BTC", "terminal_price.ETH", "breach_time.call"]
    assert table["breach_time.call"].to_pylist() == [0.25, None]
    assert table["terminal_price.ETH"].to_pylist() == [20.0, 21.0]
    assert json.loads(table.schema.metadata[b"margin_kernel"]) == {"seed": 7}


def test_summaries_have_no_table() -> None:
    """A summary is refused with what to do instead."""
    with pytest.raises(InvalidInput, match='record="paths"'):
        outcome_table(_outcome(loss=None, terminal_price=None, breach_time=None))


def test_parquet_and_csv_read_back(tmp_path: Path) -> None:
    """What is written reads back: in Parquet with its provenance, in CSV with empty cells for never."""
    table = outcome_table(_outcome())
    write_table(table, tmp_path / "out.parquet")
    write_table(table, tmp_path / "out.csv")
    read = pa.parquet.read_table(tmp_path / "out.parquet")
    assert read.equals(table, check_metadata=True)
    assert pa.csv.read_csv(tmp_path / "out.csv")["breach_time.call"].to_pylist() == [0.25, None]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_write_that_stops_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException | type[BaseException]
) -> None:
    """An interrupt or a full disk in the middle leaves the old file, and no other."""
    path = tmp_path / "out.parquet"
    path.write_text("old")

    def _stop(_: Any, file: Any) -> None:
        file.write(b"half")
        raise stop

    monkeypatch.setattr(pa.parquet, "write_table", _stop)
    with pytest.raises((KeyboardInterrupt, InvalidInput)):
        write_table(outcome_table(_outcome()), path)
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"out.parquet": "old"}


def test_texts_replace_the_file_that_a_link_names(tmp_path: Path) -> None:
    """Writing through a link changes its target and keeps the link."""
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    write_text("new", tmp_path / "link.json")
    assert (tmp_path / "real.json").read_text() == "new"
    assert (tmp_path / "link.json").is_symlink()


def test_files_have_the_usual_permissions(tmp_path: Path) -> None:
    """A written file is readable by whom a plain file would be."""
    (tmp_path / "plain").touch()
    write_text("new", tmp_path / "out.json")
    assert (tmp_path / "plain").stat().st_mode == (tmp_path / "out.json").stat().st_mode


def test_other_tables_are_refused(tmp_path: Path) -> None:
    """A table goes to Parquet or CSV alone."""
    with pytest.raises(InvalidInput, match=r"\.parquet or \.csv"):
        write_table(outcome_table(_outcome()), tmp_path / "out.xlsx")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing/out.csv", "there is no folder"),
        ("folder.csv", "is a folder"),
        ("out.xlsx", "must end in .parquet, .csv, .json"),
        ("out", "must end in"),
        (f"{'x' * 300}.csv", "too long"),
        ("read.csv", "choose another name"),
    ],
)
def test_unwritable_outputs_are_refused_beforehand(tmp_path: Path, name: str, message: str) -> None:
    """A path that cannot be written is refused with the reason, and nothing is left there."""
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InvalidInput, match=message):
        check_output(tmp_path / name, spared=[tmp_path / "read.csv"])
    assert [one.name for one in tmp_path.iterdir()] == ["folder.csv"]


def test_writable_outputs_are_left_alone(tmp_path: Path) -> None:
    """Checking a path leaves neither a file nor a change."""
    (tmp_path / "there.csv").write_text("old")
    check_output(tmp_path / "new.json")
    check_output(tmp_path / "there.csv")
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"there.csv": "old"}


# In


@pytest.mark.parametrize("name", ["prices.csv", "prices.csv.gz", "prices.parquet"])
def test_histories_read_alike(history: Write, tmp_path: Path, name: str) -> None:
    """CSV, gzipped CSV and Parquet give the same history; dt is the mean step in years of 365 days."""
    if name.endswith("parquet"):
        table = pa.csv.read_csv(history(GOOD))
        pa.parquet.write_table(table, tmp_path / name)
    else:
        history(GOOD, name)
    read = read_history(tmp_path / name, column={"A": "Close", "B": "Other"}, time="Date")
    assert read.assets == ("A", "B")
    assert read.prices.tolist() == [[100, 1], [101.5, 2], [99, 3], [98, 4]]
    assert read.dt == pytest.approx(1 / 365)


def test_unnamed_first_column_and_other_columns_are_fine(history: Write) -> None:
    """The first column holds the times, even without a name; gaps in columns not asked for do not matter."""
    read = read_history(history(",a,b\n2020-01-01,1,\n2020-01-02,2,x\n\n2020-01-03,3,-1\n"), column="a")
    assert read.prices[:, 0].tolist() == [1, 2, 3]


def test_a_range_is_both_ends_included(history: Write) -> None:
    """`first` and `last` select rows, the whole last day included; what is wrong outside does not matter."""
    rows = ["2020-01-01T12:00,bad", "2020-01-02T12:00,1", "2020-01-03T12:00,2", "2020-01-04T23:59,3", "2020-01-06,-4"]
    read = read_history(
        history("t,Close\n" + "\n".join(rows)), column="Close", first="2020-01-02", last="2020-01-04", max_gap="2d"
    )
    assert read.prices[:, 0].tolist() == [1, 2, 3]


def test_zones_are_utc(history: Write) -> None:
    """Timestamps with a zone are turned to UTC; those without one are UTC."""
    read = read_history(
        history("t,Close\n2020-01-01T01:00+01:00,1\n2020-01-01T01:00Z,2\n2020-01-01T02:00,3\n"), column="Close"
    )
    assert (np.diff(read.times) == np.timedelta64(1, "h")).all()


def test_parquet_times_of_any_unit_are_read(tmp_path: Path) -> None:
    """Timestamps in nanoseconds and with a zone are read in UTC."""
    zone = timezone(timedelta(hours=2))
    times = [datetime(2020, 1, day, tzinfo=zone) for day in (1, 2, 3)]
    table = pa.table({"t": pa.array(times, pa.timestamp("ns", "+02:00")), "Close": [1.0, 2.0, 3.0]})
    pa.parquet.write_table(table, tmp_path / "prices.parquet")
    read = read_history(tmp_path / "prices.parquet", column="Close")
    assert read.times[0] == np.datetime64(times[0].astimezone(UTC).replace(tzinfo=None))


def test_weekends_need_a_longer_gap(history: Write) -> None:
    """Steps beyond 1.5 x the median are refused with the max_gap that allows them, and then allowed."""
    days = [2, 3, 6, 7, 8, 9, 10, 13]
    path = history("Date,Close\n" + "".join(f"2020-01-{day:02},{day}\n" for day in days))
    message = _problems(path)["max_gap"]
    assert "lines 4, 9: after gaps of up to 3 d, where 36 h, 1.5 x the median step, is the most" in message
    assert 'max_gap = "3d"' in message
    assert read_history(path, column="Close", max_gap="3d").prices.size == 8
    assert "where 2 d, max_gap, is the most" in _problems(path, max_gap="2d")["max_gap"]


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("", "history", "prices.csv is empty"),
        ("Date,Close\n", "history", "at least 3 rows in range, not 0"),
        ("Date,Close\n2020-01-01,1\n2020-01-02,1\n", "history", "not 2; the file goes from 2020-01-01"),
        ("Date,close\n2020-01-01,1\n", "column", "no column 'Close'; did you mean close?"),
        ("A note\nDate,Close\n2020-01-01,1\n", "column", "line 1 must name the columns"),
        ("Date,Close,Close\n2020-01-01,1,1\n", "column", "more than one column"),
        ("Date,Close\n2020-01-01,1\n2020-01-02\n2020-01-03,3\n", "history", "line 3: must have 2 cells"),
        ("Date,Close\n01/02/2020,1\n2020-01-02,1\n2020-01-03,3\n", "time", "line 2: must be ISO"),
        ("Date,Close\n2020-01-03,1\n2020-01-02,1\n2020-01-01,3\n", "time", "newest first: reverse"),
        ("Date,Close\n2020-01-01,1\n2020-01-03,1\n2020-01-02,3\n", "time", "line 4: times must rise, but are earlier"),
        ("Date,Close\n2020-01-01,1\n2020-01-01,1\n2020-01-02,3\n", "time", "line 3: times must rise, but are the same"),
        ("Date,Close\n2020-01-01,1\n2020-01-02,\n2020-01-03,3\n", "column", "line 3: 'Close' is missing"),
        ("Date,Close\n2020-01-01,1\n2020-01-02,nan\n2020-01-03,3\n", "column", "line 3: 'Close' is missing"),
        ("Date,Close\n2020-01-01,1\n2020-01-02,$5\n2020-01-03,3\n", "column", "plain number such as 1234.5, not '$5'"),
        ("Date,Close\n2020-01-01,1\n2020-01-02,-5\n2020-01-03,0\n", "column", "lines 3, 4: 'Close' must be above 0"),
        ("Date,Close\n2020-01-01,1\n2020-01-02,inf\n2020-01-03,3\n", "column", "must be finite"),
    ],
)
def test_wrong_histories_are_named_by_line(history: Write, text: str, field: str, message: str) -> None:
    """Each wrong history is refused by its field, with the lines counted from 1, the header being line 1."""
    assert message in _problems(history(text))[field]


def test_all_problems_of_a_history_come_together(history: Write) -> None:
    """Times, prices and settings are all looked at before anything is refused."""
    path = history("Date,Close\n2020-01-01,1\nsoon,-2\n2020-01-03,x\n2020-01-04,4\n2020-01-05,5\n")
    assert set(_problems(path, max_gap="a week", last="tomorrow")) == {"time", "column", "max_gap", "last"}


def test_many_rows_are_counted(history: Write) -> None:
    """The first five lines are named, and how many more there are."""
    rows = "".join(f"2020-01-{day:02},-1\n" for day in range(1, 11))
    assert "lines 2, 3, 4, 5, 6 and 5 more" in _problems(history("Date,Close\n" + rows))["column"]


def test_ranges_are_checked(history: Write) -> None:
    """A range that is empty or the wrong way round is refused with what the file holds."""
    path = history(GOOD)
    assert "from 2020-01-01 to 2020-01-04" in _problems(path, first="2021-01-01")["history"]
    assert "before first" in _problems(path, first="2020-01-03", last="2020-01-01")["last"]


def test_unreadable_histories_are_named(history: Write, tmp_path: Path) -> None:
    """Files that are missing, of another kind or broken are refused with their name."""
    assert "cannot be read" in _problems(tmp_path / "none.csv")["history"]
    assert "must be a .csv, .csv.gz, .parquet file" in _problems(tmp_path / "prices.xlsx")["history"]
    (tmp_path / "text.csv.gz").write_text(GOOD)
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(GOOD.encode())[:-9])
    (tmp_path / "text.parquet").write_text(GOOD)
    (tmp_path / "bytes.csv").write_bytes(b"Date,Close\n\xff\xfe,1\n")
    for name in ("text.csv.gz", "cut.csv.gz", "text.parquet", "bytes.csv"):
        assert name in _problems(tmp_path / name)["history"]
    assert "no column 'Close'" in _problems(history("a,b\n1,2\n"))["column"]

"""Price files that are refused: by file, field and line, with the mend."""

from __future__ import annotations

import gzip
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel import InvalidInput, read_prices
from tests.price_files import CLOSES, DAYS, EPOCHS, HOURS, START, Write, csv, daily, refused

HALF = [f"{one},{one if k % 2 else ''}" for k, one in enumerate(CLOSES)]
WRONG: list[tuple[str, str, str]] = [
    ("", "history", "btc.csv is empty"),
    (",,\n", "history", "btc.csv is empty"),
    ("date,close\n", "history", "at least 3 rows in range, not 0"),
    ("date,close\n2020-01-01,1\n2020-01-02,1\n", "history", "not 2; the file goes from 2020-01-01 to 2020-01-02"),
    ("2020-01-01,1\n2020-01-02,2\n", "history", "line 1 must name the columns"),
    ("date,close,close\n2020-01-01,1,1\n", "columns", "more than one column 'close'"),
    (daily() + "2020-03-01\n", "history", "line 62: must have 2 cells, as the header has"),
    (daily(HALF, "date,BTC,volume"), "columns", "which columns hold prices? Name them: it has 'BTC', 'volume'"),
    (daily(HALF, "date,BTC,ETH"), "history", "29 of 59 prices of ETH (49%) are missing: lines 4, 6"),
    (daily(["x"] * 60), "columns", "'close' must be a plain, finite number such as 1234.5, not 'x'"),
    (daily(["x"] * 60, "date,name"), "columns", "no column holds numbers besides the times: it has 'name'"),
    (daily([*CLOSES[:9], "five", *CLOSES[10:]]), "columns", "line 11: 'close' must be a plain, finite number"),
    (daily([*CLOSES[:9], "inf", *CLOSES[10:]]), "columns", "line 11: 'close' must be a plain, finite number"),
    (daily([*CLOSES[:9], "1_0", *CLOSES[10:]]), "columns", "line 11: 'close' must be a plain, finite number"),
    (daily(["1,5"] * 60).replace("-01,", "-01;"), "history", "must have 2 cells"),
    (daily(HALF, "date,BTC:close,ETH:close"), "history", "29 of 59 prices of ETH (49%) are missing: lines 4, 6"),
    (daily([""] * 60), "history", "btc has no price in range"),
    (daily(["", 0] * 30, "date,BTC:close"), "history", "BTC has no price in range"),
    (daily([0.01 * (-1) ** k for k in range(60)], "date,BTC"), "history", "does the column hold returns?"),
    (daily([one * (100 if k > 39 else 1) for k, one in enumerate(CLOSES)]), "history", "from line 41 to 42: are its"),
    (daily([5] * 60), "history", "btc must move, but is constant"),
    (csv([one * 1000 ** (k % 2) for k, one in enumerate(EPOCHS)]), "time", "milliseconds since 1970 at line 3 ('"),
    (csv([one if k < 30 else EPOCHS[k - 20] * 1000 for k, one in enumerate(EPOCHS)]), "time", "holds two clocks"),
    (csv([f"{one}Z" if k < 9 else one for k, one in enumerate(HOURS)]), "time", "times without a zone at line 11"),
    (csv([one if k < 9 else EPOCHS[k] for k, one in enumerate(HOURS)]), "time", "holds two clocks"),
    (csv([43_831 + k for k in range(60)]), "time", "lines 2, 3, 4, 5, 6 and 55 more: must be times such as"),
    (csv([*DAYS[:5], "soon", *DAYS[6:]]), "time", "line 7: must be times such as 2018-12-31"),
    (csv([*DAYS[:5], "", *DAYS[6:]]), "time", "line 7: must be times such as"),
    (csv([f"{k}/{k}/2020" for k in range(1, 9)]), "time", "do not tell day from month"),
]


@pytest.mark.parametrize(("text", "field", "message"), WRONG)
def test_wrong_histories_are_named_by_line(file: Write, text: str, field: str, message: str) -> None:
    """Each wrong history is refused by its field, with the file, the lines counted from 1, and the mend."""
    path = file(text)
    found = refused(path)
    assert message in found[field]
    assert "btc.csv" in found[field]


def test_two_files_on_two_clocks_are_refused(file: Write) -> None:
    """Files whose times hardly meet are refused with how many do and an example of each."""
    first, second = file(daily()), file(csv([one + timedelta(hours=8) for one in DAYS]), "eth.csv")
    message = refused({"BTC": first, "ETH": second})["history"]
    assert "btc.csv and eth.csv stand on two clocks: they share 0 of 59 times in their common range" in message
    assert "btc.csv alone has 2020-01-02, eth.csv alone has 2020-01-01T08:00" in message
    hourly = file(csv([START + timedelta(hours=k) for k in range(240)], CLOSES * 4), "hourly.csv")
    assert "they share 10 of 240 times" in refused([first, hourly])["history"]
    later = file(csv([one + timedelta(days=100) for one in DAYS]), "later.csv")
    assert "btc ends on 2020-02-29, before later starts on 2020-04-10" in refused([first, later])["history"]


def test_uneven_times_are_refused(file: Write) -> None:
    """Rows with many steps much shorter than the usual one have no step."""
    times = [one for k, day in enumerate(DAYS) for one in ([day] if k % 5 else [day, day + timedelta(hours=2)])]
    message = refused(file(csv(times, CLOSES * 2)))["time"]
    assert "its steps are uneven: 12 of 71 are much shorter than the usual 24 h, down to 2 h" in message


def test_all_problems_of_a_call_come_together(file: Write) -> None:
    """Settings, times and columns are all looked at before anything is refused."""
    found = refused(file(daily()), first="soon", last="x", max_gap="a week", time="Dat", columns="Close")
    assert set(found) == {"first", "last", "max_gap", "time", "columns"}
    assert "did you mean close?" in found["columns"]
    path = file(csv([*DAYS[:5], "soon", *DAYS[6:]], ["x", *CLOSES[1:]]))
    assert set(refused(path)) == {"time", "columns"}


def test_wrong_sources_and_settings_are_named(file: Write, tmp_path: Path) -> None:
    """What cannot be read, or does not fit the files, is refused with the reason."""
    good, beside = file(daily()), file(daily([f"{one},{one}" for one in CLOSES], "date,A:close,B:close"), "two.csv")
    assert "not int" in refused(42)["history"]
    assert "at least one file" in refused([])["history"]
    assert "cannot be read" in refused(tmp_path / "none.csv")["history"]
    assert "must be a .csv, .csv.gz, .parquet file" in refused(tmp_path / "prices.xlsx")["history"]
    assert "is empty" in refused(pa.table({}))["history"]
    assert "none of the assets" in refused({"A": good}, columns={"B": "close"})["columns"]
    assert "one name for all files" in refused([good], columns=["close"])["columns"]
    assert "each gives one asset" in refused([good, beside])["columns"]
    assert "two files hold btc" in refused([good, good])["history"]
    assert "at least one column" in refused(good, columns=[])["columns"]
    assert "before first" in refused(good, first="2020-01-03", last="2020-01-01")["last"]
    assert "from 2020-01-01 to 2020-02-29" in refused(good, first="2021-01-01")["history"]
    assert "only 0 of 59 steps are at most 1 h" in refused(good, max_gap="1h")["max_gap"]


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    """Files that are broken, or of another kind than they say, are refused with their name."""
    (tmp_path / "text.csv.gz").write_text(daily(), encoding="utf-8")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(daily().encode())[:-9])
    (tmp_path / "text.parquet").write_text(daily(), encoding="utf-8")
    (tmp_path / "bytes.csv").write_bytes(b"Date,Close\n\x81\xfe,1\n")
    for path in tmp_path.iterdir():
        assert path.name in refused(path)["history"]


PREFIXES = ["date,close\n2020-01-01,1\n2020-01-02,2\n", "a,b;c\n", "1577836800,3,4,1,2,5\n1577840400,2,4,1,3,5\n", ""]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=400)
@given(st.sampled_from(PREFIXES), st.text(alphabet="0123456789-/:;,.eaTZ \n\t\"'NaM$%JKcloselow", max_size=200))
def test_whatever_a_file_holds_is_read_or_refused(file: Write, prefix: str, text: str) -> None:
    """No text of a file ends in anything but a history or a list of problems."""
    try:
        read_prices(file(prefix + text))
    except InvalidInput as invalid:
        assert invalid.problems  # noqa: PT017 - either way is fine

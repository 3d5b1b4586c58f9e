"""Times: epochs, dates in digits, words and slashes, times of day apart; never one for another."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from kernel import read_prices
from kernel.errors import Problems
from kernel.prices.clocks import read_times
from kernel.prices.figures import Figures
from kernel.tables import Sheet
from tests.price_files import CLOSES, DAYS, EPOCHS, HOURS, Write, csv, refused, table


def test_numbers_and_times_are_those_of_python() -> None:
    """Quick ways of reading whole columns give what Python's float and datetime give cell by cell."""
    texts = [str(one) for one in np.random.default_rng(1).lognormal(size=50)]
    stamps = [one.isoformat(sep=" ") for one in HOURS[:50]]
    sheet = Sheet("f", "f", ("t", "p"), [stamps, texts].__getitem__, np.arange(50), "line")
    problems = Problems()
    assert Figures(sheet).of(1).tolist() == [float(one) for one in texts]
    assert read_times(problems, [], sheet, 0).tolist() == [datetime.fromisoformat(one) for one in stamps]
    assert not problems.found


DIGITS = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S", 17: "%Y%m%d%H%M%S125"}


@pytest.mark.parametrize(
    ("digits", "kind"),
    [(digits, kind) for digits in DIGITS for kind in ("text", "int64", "float64") if digits < 17 or kind != "float64"],
)
def test_dates_in_digits_are_dates(digits: int, kind: str) -> None:
    """Digits to the day, hour, minute, second or millisecond are dates in texts, whole numbers and floats alike."""
    moments = DAYS if digits == 8 else HOURS
    texts = [f"{one:{DIGITS[digits]}}" for one in moments]
    times = texts if kind == "text" else pa.array([int(one) for one in texts], pa.int64()).cast(kind)
    history = read_prices(pa.table({"datetime": times, "close": CLOSES}))
    expected = np.array(moments, "datetime64[us]") + np.timedelta64(125 if digits == 17 else 0, "ms")
    np.testing.assert_array_equal(history.times, expected)


def test_a_date_that_does_not_exist_is_no_epoch(file: Write) -> None:
    """One wrong date among dates in digits is named, not believed as seconds of another century."""
    texts = [f"{one:%Y%m%d%H%M}" for one in DAYS]
    assert "line 7" in refused(file(csv([*texts[:5], "202013010000", *texts[6:]])))["time"]


@pytest.mark.parametrize("first", [20_000_000_000, 5_000_000_000_000, 9_000_000_000_000_000])
def test_epochs_far_from_any_history_are_asked_about(file: Write, first: int) -> None:
    """Digits that would be epochs after 2100 are refused with the year that they would mean."""
    message = refused(file(csv([first + 86_400 * k for k in range(60)])))["time"]
    assert "since 1970 in the year" in message
    assert "what do the digits stand for?" in message


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize(("before", "after"), [(1, 1_000), (1_000, 1_000_000)])
def test_a_change_of_unit_is_noted(file: Write, step: int, before: int, after: int) -> None:
    """Epochs that go on in another unit, as exchanges' archives do, are each read in theirs."""
    epochs = [one * (before if k < 30 else after) for k, one in enumerate(EPOCHS)]
    history = read_prices(file(csv(epochs[::step], CLOSES[::step])))
    assert history.times is not None
    assert (history.times.tolist(), history.prices[:, 0].tolist()) == (HOURS, CLOSES)
    assert "since 1970 at first and " in history.notes[0]


APART = {
    "hours and minutes": ("Date,Time", [f"{one:%Y-%m-%d,%H:%M}" for one in HOURS]),
    "halves of the day": ("Date,Time", [f"{one:%Y-%m-%d,%I:%M %p}" for one in HOURS]),
    "digits to the second": ("<DATE>,<TIME>", [f"{one:%Y%m%d,%H%M%S}" for one in HOURS]),
    "digits to the minute": ("<DATE>,<TIME>", [f"{one:%Y%m%d,%H%M}" for one in HOURS]),
    "digits without zeros": ("<DATE>,<TIME>", [f"{one:%Y%m%d},{one.hour * 10_000}" for one in HOURS]),
    "hours alone": ("date,hour", [f"{one:%d.%m.%Y},{one.hour}" for one in HOURS]),
    "the time before the date": ("time,date", [f"{one:%H:%M,%Y-%m-%d}" for one in HOURS]),
}


@pytest.mark.parametrize("form", APART)
def test_times_of_day_apart_from_their_dates_are_added(file: Write, form: str) -> None:
    """A column of times of day completes one of dates."""
    header, texts = APART[form]
    history = read_prices(file(csv(texts, header=header + ",close")))
    assert history.times is not None
    assert history.times.tolist() == HOURS


def test_typed_times_of_day_are_added() -> None:
    """Dates and times of day of an Arrow table are put together."""
    columns = {"date": [one.date() for one in HOURS], "time": [one.time() for one in HOURS], "close": CLOSES}
    history = read_prices(pa.table(columns))
    assert history.times is not None
    assert history.times.tolist() == HOURS


def test_a_time_of_day_that_does_not_exist_is_named(file: Write) -> None:
    """An hour 24 is none."""
    text = csv([f"{one.date()},{one.hour + 1}" for one in HOURS], header="date,hour,close")
    assert "'hour' must be times of day such as 09:30 or 093000, not '24'" in refused(file(text))["time"]


def test_a_row_number_is_no_time_of_day(file: Write) -> None:
    """A column called index beside dates is left alone."""
    history = read_prices(file(table("index,date,close", lambda k: f"{k},{DAYS[k].date()},{CLOSES[k]}")))
    assert history.times is not None
    assert history.times.tolist() == DAYS


def test_day_and_month_are_told_by_the_whole_column(file: Write) -> None:
    """Where both could be, the order in which time runs one way is taken; where both do, the user is asked."""
    days = [datetime(2020, 1, day, tzinfo=UTC) for day in (10, 11, 12)] + [datetime(2020, 2, 1, tzinfo=UTC)]
    history = read_prices(file(csv([f"{one:%m/%d/%Y}" for one in days])), max_gap="30d")
    np.testing.assert_array_equal(history.times, [one.replace(tzinfo=None) for one in days])
    monthly = file(csv([f"{month:02}/01/2020" for month in range(1, 13)]))
    assert "'01/01/2020' do not tell day from month" in refused(monthly)["time"]


def test_two_digits_of_a_year_are_told_from_days(file: Write) -> None:
    """Short years are read where only one order of day, month and year fits the column."""
    for form in ("%d/%m/%y", "%m/%d/%y", "%y/%m/%d"):
        history = read_prices(file(csv([f"{one:{form}}" for one in DAYS])))
        assert history.times is not None
        assert history.times.tolist() == DAYS


def test_a_table_without_times_is_asked_for_them() -> None:
    """A column of prices is not taken for the times."""
    assert "which column holds the times?" in refused(pa.table({"close": CLOSES}))["time"]


def test_a_zone_on_some_rows_is_two_clocks(file: Write) -> None:
    """An offset behind a timestamp is never lost, however the signs of the others add up."""
    texts = [f"{one:%Y-%m-%dT%H:%M:%S}" for one in HOURS]
    texts[3:5] = [f"{texts[3]}-05:00", f"{HOURS[4]:%Y%m-%dT%H:%M:%S}"]
    assert "line" in refused(file(csv(texts)))["time"]

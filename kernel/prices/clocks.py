"""A column of times: epochs in their units, dates in digits alone, or texts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Problems
from kernel.prices.dates import NAIVE, UNREADABLE, read_texts
from kernel.prices.times import Times, written
from kernel.tables import Cells, Sheet

_UNITS = ("seconds", "milliseconds", "microseconds", "nanoseconds")
_CLOCKS = (*(f"{unit} since 1970" for unit in _UNITS), "times without a zone", "times with a zone")
_SMALLEST_EPOCH = 1e8  # 1973 in seconds; times 1,000 for each finer unit, so that the units' ranges do not meet
_LAST_EPOCH = np.datetime64("2100-01-01", "us")
_YEARS = (1800, 2100)
_DIGITS = (8, 10, 12, 14, 17)  # to the day, hour, minute, second, millisecond
_LARGEST = 2.0**62
_MOST_DIGITS = 20  # with zeros before the number


def read_times(problems: Problems, notes: list[str], sheet: Sheet, place: int) -> Times:
    """Read a column in UTC (without a zone: UTC), in microseconds; note what is no time, and two clocks in one file."""
    cells = sheet.at(place)
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "M":
        times, clocks = cells.astype("datetime64[us]"), np.where(np.isnat(cells), UNREADABLE, NAIVE)
    else:
        times, clocks = _read(problems, sheet, cells)
    bad = clocks == UNREADABLE
    if bad.any() and not problems.found:
        example = cells[int(bad.argmax())]
        message = f"must be times such as 2018-12-31 or 2018-12-31T09:00 or seconds since 1970, not {str(example)!r}"
        problems.add("time", f"{sheet.name}: {sheet.named(bad)}: {message}")
    elif (clocks != clocks[:1]).any() and not problems.found:
        _look_at_clocks(problems, notes, sheet, cells, times, clocks)
    return times


def _read(problems: Problems, sheet: Sheet, cells: Cells) -> tuple[Times, NDArray[np.int64]]:
    """Read digits as dates if nearly all of them are such, else as epochs; then what is left as texts."""
    numbers, exact = _numbers(cells)
    compact = _compact(exact)
    dates = ~np.isnat(compact)
    if 2 * dates.sum() > (~np.isnan(numbers)).sum():
        times, clocks = compact, np.where(dates, NAIVE, UNREADABLE)
    else:
        times, clocks = _epochs(numbers)
        _refuse_far_epochs(problems, sheet, cells, times, clocks)
    if not isinstance(cells, np.ndarray):
        texts = np.flatnonzero(np.isnan(numbers))
        times[texts], clocks[texts] = read_texts(problems, sheet, [cells[k].strip() for k in texts.tolist()])
    return times, clocks


def _numbers(cells: Cells) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return cells as numbers, NaN where they are none, and exactly, 0 where they are not whole."""
    if isinstance(cells, np.ndarray):
        numbers = cells.astype(np.float64)
        whole = (numbers > 0) & (numbers < _LARGEST) & (np.trunc(numbers) == numbers)
        return numbers, np.where(whole, cells, 0).astype(np.int64)
    numbers = np.array([_number(cell) for cell in cells], dtype=np.float64)
    return numbers, np.array([_whole(cell, one) for cell, one in zip(cells, numbers.tolist(), strict=True)])


def _number(text: str) -> float:
    if "-" in text or "/" in text or ":" in text or "_" in text:  # most dates: a test is quicker than an exception
        return math.nan
    try:
        return float(text)
    except ValueError:
        return math.nan


def _whole(text: str, number: float) -> int:
    """Return a whole number exactly, 0 for any other."""
    if not (0 < number < _LARGEST and number % 1 == 0):
        return 0
    digits = text.strip().removesuffix(".0")
    return int(digits) if digits.isdecimal() and len(digits) <= _MOST_DIGITS else int(number)


def _compact(numbers: NDArray[np.int64]) -> Times:
    """Read dates written in digits alone, year first, to the day, hour, minute, second or millisecond; else NaT."""
    times = np.full(numbers.size, np.datetime64("NaT"), dtype="datetime64[us]")
    digits = len(str(numbers.max(initial=0)))
    if digits not in _DIGITS:
        return times
    whole = numbers * 10 ** (_DIGITS[-1] - digits)
    year, month, day, hour, minute, second = (whole // 10**end % 100 for end in (13, 11, 9, 7, 5, 3))
    year += whole // 10**15 * 100
    months = (year - 1970) * 12 + month - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]") + day - 1
    valid = (year >= _YEARS[0]) & (year < _YEARS[1]) & (month >= 1) & (month <= 12) & (hour < 24)  # noqa: PLR2004
    valid &= (days.astype("datetime64[M]").astype(np.int64) == months) & (minute < 60) & (second < 60)  # noqa: PLR2004
    clock = ((hour * 60 + minute) * 60 + second) * 1_000_000 + whole % 1000 * 1000
    times[valid] = (days.astype("datetime64[us]") + clock)[valid]
    return times


def _epochs(numbers: NDArray[np.float64]) -> tuple[Times, NDArray[np.int64]]:
    """Tell seconds since 1970 and their fractions apart by their magnitude; eight digits are a date, not an epoch."""
    known = (numbers >= _SMALLEST_EPOCH) & (numbers < _SMALLEST_EPOCH * 1e12)
    clocks = np.where(known, np.digitize(numbers, _SMALLEST_EPOCH * 1e3 ** np.arange(1, 4)), UNREADABLE)
    micros = np.round(np.where(known, numbers, 0.0) * 10.0 ** (6 - 3 * np.where(known, clocks, 0)))
    times = micros.astype(np.int64).astype("datetime64[us]")
    times[~known] = np.datetime64("NaT")
    return times, clocks


def _refuse_far_epochs(problems: Problems, sheet: Sheet, cells: Cells, times: Times, clocks: NDArray[np.int64]) -> None:
    """Ask about epochs after any history of prices: they are something else."""
    far = times >= _LAST_EPOCH
    if far.any():
        k = int(far.argmax())
        unit, year = _UNITS[clocks[k]], str(times[k].astype("datetime64[Y]"))
        what = f"{_shown(cells[k])} would be {unit} since 1970 in the year {year}: what do the digits stand for?"
        mend = "Write times such as 2018-12-31 or 2018-12-31T09:00"
        problems.add("time", f"{sheet.name}: {sheet.named(far)}: {what} {mend}")


def _look_at_clocks(
    problems: Problems, notes: list[str], sheet: Sheet, cells: Cells, times: Times, clocks: NDArray[np.int64]
) -> None:
    """Note where one unit of epochs gives way to another for good and time goes on; refuse any other mixture."""
    changes = np.flatnonzero(np.diff(clocks)) + 1
    k = int(changes[0])
    steps = np.diff(times).astype(np.int64)
    onward = bool((steps[max(k - 2, 0) : k + 1] > 0).all() or (steps[max(k - 2, 0) : k + 1] < 0).all())
    if changes.size == 1 and (clocks < NAIVE).all() and onward:
        before, after = _UNITS[clocks[k - 1]], _UNITS[clocks[k]]
        where = f"from {sheet.noun} {sheet.number[k]} ({written(times[k])}) on"
        notes.append(f"Its times are {before} since 1970 at first and {after} {where}: each was read in its unit.")
        return
    at = [f"{sheet.noun} {sheet.number[row]} ({_shown(cells[row])!r})" for row in (k - 1, k)]
    message = f"{_CLOCKS[clocks[k - 1]]} at {at[0]}, {_CLOCKS[clocks[k]]} at {at[1]}"
    problems.add("time", f"{sheet.name} holds two clocks: {message}; give it one, or choose another column as time")


def _shown(cell: object) -> str:
    return f"{cell:.0f}" if isinstance(cell, float | np.floating) else str(cell)

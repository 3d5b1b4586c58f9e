"""Times as files write them, turned to UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Problems
from kernel.tables import Sheet
from kernel.text import near

Times = NDArray[np.datetime64]

_UNITS = ("seconds", "milliseconds", "microseconds", "nanoseconds")
_CLOCKS = (*(f"{unit} since 1970" for unit in _UNITS), "times without a zone", "times with a zone")
_SMALLEST_EPOCH = 1e8  # 1973 in seconds; times 1,000 for each finer unit, so that the units' ranges do not meet
_NAIVE, _AWARE, _UNREADABLE = 4, 5, -1
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:[ T]+(\S+))?")
_HALF_DAY = re.compile(r" (\d{1,2})-([AP])M", re.IGNORECASE)
_NAMES = ("date", "time", "timestamp", "datetime", "open_time", "open time", "unix", "day", "snapped_at", "index")
_DAY = np.timedelta64(1, "D")


def column_of(problems: Problems, sheet: Sheet, stated: str | None) -> str | None:
    """Return the name of the column of times: as stated, or of that type, or so called, or the first."""
    if stated is not None:
        if sheet.header.count(stated) != 1:
            twice = f"more than one column {stated!r}" if stated in sheet.header else f"no column {stated!r}"
            problems.add("time", f"{sheet.name} has {twice}{near(stated, sheet.header)}")
            return None
        return stated
    called = [name for name in sheet.header if name.strip().lower() in _NAMES]
    return next(iter((*sheet.times, *called, sheet.header[0])))


def read_times(problems: Problems, sheet: Sheet, column: str) -> Times:
    """Read a column in UTC (without a zone: UTC), in microseconds; note what is no time, and two clocks in one file."""
    cells = sheet.cells(column)
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "M":
        times, clocks = cells.astype("datetime64[us]"), np.where(np.isnat(cells), _UNREADABLE, _NAIVE)
    else:
        written_as = cells if not isinstance(cells, np.ndarray) else [f"{cell:.0f}" for cell in cells]
        times, clocks = _epochs(np.array([_number(cell) for cell in written_as], dtype=np.float64))
        texts = np.flatnonzero(clocks == _UNREADABLE)
        times[texts], clocks[texts] = _texts(problems, sheet, [written_as[k].strip() for k in texts.tolist()])
    bad = clocks == _UNREADABLE
    if bad.any() and not problems.found:
        example = cells[int(bad.argmax())]
        message = f"must be times such as 2018-12-31 or 2018-12-31T09:00 or seconds since 1970, not {str(example)!r}"
        problems.add("time", f"{sheet.name}: {sheet.named(bad)}: {message}")
    elif (clocks != clocks[:1]).any():
        _note_two_clocks(problems, sheet, cells, clocks)
    return times


def moment(value: object) -> np.datetime64:
    """Return an ISO date or timestamp as UTC, or "not a time"."""
    try:
        read = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        return np.datetime64("NaT", "us")
    if isinstance(read, datetime):
        read = read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read
    return np.datetime64(read, "us") if isinstance(read, date) else np.datetime64("NaT", "us")


def bounds(problems: Problems, first: object, last: object) -> tuple[np.datetime64, np.datetime64]:
    """Return the half-open range of times; a bare date as `last` stands for its whole day."""
    low, high = moment("0001-01-01"), moment("9999-12-31")
    for field, value in (("first", first), ("last", last)):
        if value is not None and np.isnat(moment(value)):
            problems.add(field, f"must be an ISO date such as 2018-12-31, not {value!r}")
    if first is not None and not np.isnat(moment(first)):
        low = moment(first)
    if last is not None and not np.isnat(moment(last)):
        bare = "T" not in str(last) and ":" not in str(last)
        high = moment(last) + (_DAY if bare else np.timedelta64(1, "us"))
    if low >= high:
        problems.add("last", f"must not be before first ({first}), but is {last}")
    return low, high


def written(time: np.datetime64) -> str:
    """Write a time, without its hours if it is midnight, without its seconds if they are none.

    Example:
        >>> written(np.datetime64("2020-01-01T08:00:00", "us"))
        '2020-01-01T08:00'
    """
    return str(time.astype("datetime64[s]")).removesuffix(":00").removesuffix("T00:00")


def _number(text: str) -> float:
    if "-" in text or "/" in text or "_" in text:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _epochs(numbers: NDArray[np.float64]) -> tuple[Times, NDArray[np.int64]]:
    """Tell seconds since 1970 and their fractions apart by their magnitude; eight digits are a date, not an epoch."""
    known = (numbers >= _SMALLEST_EPOCH) & (numbers < _SMALLEST_EPOCH * 1e12)
    clocks = np.where(known, np.digitize(numbers, _SMALLEST_EPOCH * 1e3 ** np.arange(1, 4)), _UNREADABLE)
    micros = np.round(np.where(known, numbers, 0.0) * 10.0 ** (6 - 3 * np.where(known, clocks, 0)))
    times = micros.astype(np.int64).astype("datetime64[us]")
    times[~known] = np.datetime64("NaT")
    return times, clocks


def _texts(problems: Problems, sheet: Sheet, cells: Sequence[str]) -> tuple[Times, NDArray[np.int64]]:
    """Read ISO dates and timestamps, and the forms that are turned to ISO first."""
    ends = {end: _end(end) for end in {cell[10:] for cell in cells}}
    cells = [cell[:10] + ends[cell[10:]] for cell in cells]
    if _is_plain(cells):
        with suppress(ValueError):  # NumPy is five times as fast
            return np.array(cells, dtype="datetime64[us]"), np.full(len(cells), _NAIVE)
    slashed = [match for match in map(_SLASHED.fullmatch, cells) if match]
    month = 1 + _month_place(problems, sheet, slashed) if slashed else 1
    moments = [_moment(cell, month) for cell in cells]
    clocks = [_UNREADABLE if one is None else _AWARE if one.tzinfo else _NAIVE for one in moments]
    naive = [one.astimezone(UTC).replace(tzinfo=None) if one is not None and one.tzinfo else one for one in moments]
    return np.array(naive, dtype="datetime64[us]"), np.array(clocks, dtype=np.int64)


def _end(end: str) -> str:
    """Turn what follows a date to ISO: " 09-AM", and a last word UTC."""
    half = _HALF_DAY.fullmatch(end)
    if half:
        return f"T{int(half[1]) % 12 + 12 * (half[2] in 'pP'):02}"
    return end.removesuffix(" UTC") + "+00:00" if end.endswith(" UTC") else end


def _is_plain(cells: Sequence[str]) -> bool:
    """Say whether all are digits with their signs, and without a zone: of words, NumPy reads "now" and "NaT"."""
    joined = "".join(cells)
    whole = min(map(len, cells), default=0) >= len("2018-12-31") and joined.count("-") == 2 * len(cells)
    return whole and not set(joined) - set("0123456789-T:. ")


def _moment(cell: str, month: int) -> datetime | None:
    slashed = _SLASHED.fullmatch(cell)
    if slashed:
        clock = slashed[4] or "00:00"
        hours = clock.zfill(8 if clock.count(":") > 1 else 5)
        cell = f"{slashed[3]}-{slashed[month]:>02}-{slashed[3 - month]:>02}T{hours}"
    try:
        return datetime.fromisoformat(cell.replace("/", "-"))
    except ValueError:
        return None


def _month_place(problems: Problems, sheet: Sheet, slashed: Sequence[re.Match[str]]) -> int:
    """Return 0 for month/day/year, 1 for day/month/year: the one that goes beyond 12 is the day."""
    largest = [max(int(match[place]) for match in slashed) for place in (1, 2)]
    if (largest[0] > 12) == (largest[1] > 12):  # noqa: PLR2004 - months
        message = f"dates such as {slashed[0][0]!r} do not tell day from month: write them as 2018-12-31"
        problems.add("time", f"{sheet.name}: {message}")
    return int(largest[0] > 12)  # noqa: PLR2004 - months


def _note_two_clocks(problems: Problems, sheet: Sheet, cells: object, clocks: NDArray[np.int64]) -> None:
    change = int((clocks != clocks[0]).argmax())
    listed: Sequence[object] = cells  # type: ignore[assignment]
    before, after = (f"{sheet.noun} {sheet.number[k]} ({str(listed[k])!r})" for k in (change - 1, change))
    message = f"{_CLOCKS[clocks[change - 1]]} at {before}, {_CLOCKS[clocks[change]]} at {after}"
    problems.add("time", f"{sheet.name} holds two clocks: {message}; give it one, or choose another column as time")

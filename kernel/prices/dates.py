"""Dates and timestamps as texts: ISO, with slashes or dots, with the names of months, with AM and PM."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Problems
from kernel.prices.times import Times, utc
from kernel.tables import Sheet

NAIVE, AWARE, UNREADABLE = 4, 5, -1

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG_MONTHS = (
    "january", "february", "march", "april", "june", "july", "august", "september", "sept", "october", "november",
    "december",
)  # fmt: skip
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?"
_NAME = r"(?P<name>[a-z]{3,9})\.?"
_NUMBERED = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{4}|\d{1,2})(?!\d)")
_NAMED = [
    re.compile(_WEEKDAY + form, re.IGNORECASE)
    for form in (
        rf"(?P<day>\d{{1,2}})[-\s/.]*{_NAME}[-\s/.,]*(?P<year>\d{{4}}|\d{{2}})(?!\d)",
        rf"{_NAME}[-\s]*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[-\s]+(?P<year>\d{{4}})(?!\d)",
        rf"(?P<year>\d{{4}})[-\s/.]*{_NAME}[-\s/.]*(?P<day>\d{{1,2}})(?!\d)",
    )
]
_CLOCK = re.compile(
    r"[T\s,]*(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"(?:[-\s]*(?P<half>[AP])\.?M\.?)?\s*(?P<zone>Z|(?:UTC|GMT)?\s*[+-]\d{2}:?\d{2}|UTC|GMT|)(?:\s*\(.*\))?",
    re.IGNORECASE,
)
_ORDERS = {"year-month-day": (0, 1, 2), "month-day-year": (2, 0, 1), "day-month-year": (2, 1, 0)}
_DATE = len("2018-12-31")
_PLAIN_CLOCK = re.compile(r"(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
_FARTHEST = 15  # hours from UTC: beyond those of any place
_CENTURY = 69  # POSIX: two digits from here on are of the 1900s, others of the 2000s

Parts = tuple[int, int, int]
Clock = tuple[timedelta, timezone | None] | None


def read_texts(problems: Problems, sheet: Sheet, cells: Sequence[str]) -> tuple[Times, NDArray[np.int64]]:
    """Read texts as UTC; note dates that do not tell day from month, of which the column as a whole decides."""
    if _is_plain(cells):
        with suppress(ValueError):  # NumPy is five times as fast
            return np.array(cells, dtype="datetime64[us]"), np.full(len(cells), NAIVE)
    numbered = [_NUMBERED.match(cell) for cell in cells]
    order = _order(problems, sheet, list({match[0]: match for match in numbered if match}.values()))
    ends: dict[str, Clock] = {}
    moments = []
    for cell, match in zip(cells, numbered, strict=True):
        moment = _iso(cell) if match is None or len(match[1]) == 4 else None  # noqa: PLR2004 - the digits of a year
        if moment is None:
            parts, end = (order(match), cell[match.end() :]) if match else _named(cell)
            if end not in ends:
                ends[end] = _clock(end)
            moment = _moment(parts, ends[end])
        moments.append(moment)
    clocks = [UNREADABLE if moment is None else AWARE if moment.tzinfo else NAIVE for moment in moments]
    naive = [utc(moment) if moment is not None and moment.tzinfo else moment for moment in moments]
    clocks = [UNREADABLE if moment is None else clock for moment, clock in zip(naive, clocks, strict=True)]
    return np.array(naive, dtype="datetime64[us]"), np.array(clocks, dtype=np.int64)


def _is_plain(cells: Sequence[str]) -> bool:
    """Say whether all are digits with their signs, and without a zone: of words, NumPy reads "now" and "NaT"."""
    dates = "".join([cell[:_DATE] for cell in cells])
    if len(dates) < _DATE * len(cells) or set(dates) - set("0123456789-"):
        return False
    return all(_PLAIN_CLOCK.fullmatch(end) for end in {cell[_DATE:] for cell in cells})


def _iso(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        return None


def _order(problems: Problems, sheet: Sheet, dates: Sequence[re.Match[str]]) -> Callable[[re.Match[str]], Parts | None]:
    """Find the one order of year, month and day in which all dates exist, or else of which time runs one way."""

    def read(match: re.Match[str], order: str) -> Parts | None:
        digits = (match[1], match[3], match[4])
        year, month, day = (digits[place] for place in _ORDERS[order])
        if len(year) not in {2, 4} or len(month) > 2 or len(day) > 2:  # noqa: PLR2004 - digits
            return None
        century = 0 if len(year) == 4 else 1900 if int(year) >= _CENTURY else 2000  # noqa: PLR2004 - digits
        parts = (century + int(year), int(month), int(day))
        return parts if 1 <= parts[1] <= 12 and 1 <= parts[2] <= 31 else None  # noqa: PLR2004 - of a year, of a month

    orders = [order for order in _ORDERS if not (order == "month-day-year" and all(date[2] == "." for date in dates))]
    by_order = {order: [read(match, order) for match in dates] for order in orders}
    fitting = {order: [part for part in parts if part] for order, parts in by_order.items() if None not in parts}
    if len(fitting) > 1:
        fitting = {order: parts for order, parts in fitting.items() if _runs(parts)} or fitting
    if len(fitting) > 1 and dates:
        message = f"dates such as {dates[0][0]!r} do not tell day from month: write them as 2018-12-31"
        problems.add("time", f"{sheet.name}: {message}")
    likely = max(by_order, key=lambda order: sum(part is not None for part in by_order[order]))
    chosen = next(iter(fitting), likely)
    return lambda match: read(match, chosen)


def _runs(dates: Sequence[Parts]) -> bool:
    """Say whether dates never fall, or never rise."""
    pairs = list(pairwise(dates))
    return all(earlier <= later for earlier, later in pairs) or all(earlier >= later for earlier, later in pairs)


def _named(cell: str) -> tuple[Parts | None, str]:
    """Read a date with the name of its month; return also what follows it."""
    match = next((match for form in _NAMED if (match := form.match(cell))), None)
    if match is None:
        return None, ""
    name = match["name"].lower()
    if name not in _MONTHS and name not in _LONG_MONTHS:
        return None, ""
    year = int(match["year"])
    if len(match["year"]) == 2:  # noqa: PLR2004 - digits
        year += 1900 if year >= _CENTURY else 2000
    return (year, _MONTHS.index(name[:3]) + 1, int(match["day"])), cell[match.end() :]


def _clock(end: str) -> Clock:
    """Read what follows a date: the time since midnight and its zone; None: it is none."""
    if not end.strip():
        return timedelta(), None
    digits = end.strip()
    if digits.isdecimal() and len(digits) in {4, 6}:
        end = " " + ":".join(digits[k : k + 2] for k in range(0, len(digits), 2))
    match = _CLOCK.fullmatch(end)
    if match is None or not _is_zone(match["zone"]):
        return None
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    if match["half"]:
        hour = hour % 12 + 12 * (match["half"] in "pP") if 1 <= hour <= 12 else 24  # noqa: PLR2004 - o'clock
    if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004 - of a day
        return None
    micros = int((match["fraction"] or "").ljust(6, "0")[:6])
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micros), _zone(match["zone"])


def _is_zone(text: str) -> bool:
    offset = _OFFSET.search(text)
    return offset is None or (int(offset[2]) <= _FARTHEST and int(offset[3]) < 60)  # noqa: PLR2004 - of an hour


def _zone(text: str) -> timezone | None:
    if not text:
        return None
    offset = _OFFSET.search(text)
    if offset is None:
        return UTC
    east = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
    return timezone(east if offset[1] == "+" else -east)


def _moment(parts: Parts | None, clock: Clock) -> datetime | None:
    if parts is None or clock is None:
        return None
    try:
        return datetime(*parts, tzinfo=clock[1]) + clock[0]
    except (ValueError, OverflowError):
        return None

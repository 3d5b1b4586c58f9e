"""Which columns tell the times, and the times of day that stand apart from their dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.checks.text import brief, near
from kernel.errors import Problems
from kernel.prices.clocks import read_times
from kernel.prices.fields import Field
from kernel.prices.numbers import is_missing
from kernel.prices.times import Times
from kernel.tables import Cells, Sheet, is_timed

_CLOCK = re.compile(r"\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(?:([AP])\.?M\.?)?\s*", re.IGNORECASE)
_DIGITS = re.compile(r"\s*\d{1,6}\s*")
_SMALLEST_DATE = 10_000_000  # a date without separators has eight digits at least
_END_OF_DAY = 240_000


class Stamps(NamedTuple):
    """Places of the columns that tell the times."""

    date: int
    clock: int | None = None
    """Of the time of day, where it stands apart."""


def stamps_of(problems: Problems, sheet: Sheet, fields: Sequence[Field], stated: str | None) -> Stamps | None:
    """Find the columns of times: as stated, or of that type, or so called, or that look like it; or else the first."""
    if stated is not None:
        if not isinstance(stated, str):
            problems.add("time", f"must be a column's name, not {brief(stated)}")
            return None
        if sheet.header.count(stated) != 1:
            twice = f"more than one column {stated!r}" if stated in sheet.header else f"no column {stated!r}"
            problems.add("time", f"{sheet.name} has {twice}{near(stated, sheet.header)}")
            return None
        return Stamps(sheet.header.index(stated))
    role = [field.role for field in fields]
    typed = [place for place, name in enumerate(sheet.header) if name in sheet.times]
    called = [place for place, one in enumerate(role) if one in {"time", "clock"}]
    unclaimed = [place for place, one in enumerate(role) if one in {"", "other"}]
    timed = [place for place in (*called, *unclaimed) if _looks_timed(sheet.at(place))]
    likely = (*(place for place in typed if place in called), *typed, *timed, *called, *unclaimed[:1])
    if not likely:
        listed = ", ".join(map(repr, sheet.header))
        problems.add("time", f"{sheet.name}: which column holds the times? There is none beside {listed}")
        return None
    date = likely[0]
    clocks = [place for place, one in enumerate(role) if one == "clock" and place != date]
    apart = [place for place in clocks if _looks_like_clock(sheet.at(place))]
    return Stamps(date, apart[0] if len(apart) == 1 else None)


def read_stamps(problems: Problems, notes: list[str], sheet: Sheet, stamps: Stamps) -> Times:
    """Read the times, in UTC where no zone is stated, in microseconds; note what is none, and two clocks in one file.

    A time of day that stands apart is added, but to times that have one already.
    """
    times = read_times(problems, notes, sheet, stamps.date)
    if stamps.clock is None or problems.found or (times != times.astype("datetime64[D]")).any():
        return times
    since_midnight = _since_midnight(sheet.at(stamps.clock), sheet.header[stamps.clock])
    bad = np.isnat(since_midnight)
    if bad.any():
        column = repr(sheet.header[stamps.clock])
        example = str(sheet.at(stamps.clock)[int(bad.argmax())])
        message = f"{column} must be times of day such as 09:30 or 093000, not {example!r}"
        problems.add("time", f"{sheet.name}: {sheet.named(bad)}: {message}")
    return times + since_midnight


def _looks_timed(cells: Cells) -> bool:
    if isinstance(cells, np.ndarray):
        return cells.dtype.kind == "M" or bool(cells.size and cells[0] >= _SMALLEST_DATE)
    return is_timed(next((cell for cell in cells if not is_missing(cell)), ""))


def _looks_like_clock(cells: Cells) -> bool:
    if isinstance(cells, np.ndarray):
        return cells.dtype.kind != "M" and bool(cells.size and (cells >= 0).all() and cells.max() < _END_OF_DAY)
    given = list(islice((cell for cell in cells if not is_missing(cell)), 20))
    return bool(given) and all(_CLOCK.fullmatch(cell) or _DIGITS.fullmatch(cell) for cell in given)


def _since_midnight(cells: Cells, name: str) -> NDArray[np.timedelta64]:
    """Read times of day such as 09:30, 9:30 PM, 930 or 93000: how many digits the longest has tells seconds or none."""
    texts = [f"{cell:.0f}" for cell in cells] if isinstance(cells, np.ndarray) else [cell.strip() for cell in cells]
    longest = max((len(text) for text in texts if text.isdecimal()), default=0)
    size = next((size for size in (2, 4) if longest <= size), 6)
    whole = 4 if size == 2 and "hour" not in name.lower() else size  # noqa: PLR2004 - hours alone have two digits

    def micros(text: str) -> np.timedelta64:
        match = _CLOCK.fullmatch(text)
        if match:
            hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
            fraction = int((match[4] or "").ljust(9, "0")) // 1000
            if match[5]:
                hour = hour % 12 + 12 * (match[5] in "pP") if 1 <= hour <= 12 else 24  # noqa: PLR2004 - o'clock
        elif text.isdecimal() and len(text) <= whole:
            digits = text.zfill(whole).ljust(6, "0")
            hour, minute, second, fraction = int(digits[:2]), int(digits[2:4]), int(digits[4:]), 0
        else:
            return np.timedelta64("NaT", "us")
        if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004 - of a day
            return np.timedelta64("NaT", "us")
        return np.timedelta64((hour * 3600 + minute * 60 + second) * 1_000_000 + fraction, "us")

    known = {text: micros(text) for text in set(texts)}
    return np.array([known[text] for text in texts], dtype="timedelta64[us]")

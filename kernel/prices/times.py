"""Times in UTC: a moment that is stated, a range of them, and how they are written."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from kernel.checks.text import brief
from kernel.errors import Problems

Times = NDArray[np.datetime64]

_DAY = np.timedelta64(1, "D")


def moment(value: object) -> np.datetime64:
    """Return an ISO date or timestamp as UTC, or "not a time"."""
    try:
        read = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
        if isinstance(read, datetime) and read.tzinfo:
            read = utc(read)
        return np.datetime64(read, "us") if isinstance(read, date) else np.datetime64("NaT", "us")
    except (TypeError, ValueError, OverflowError):  # TypeError: of kinds of dates that are not Python's
        return np.datetime64("NaT", "us")


def utc(moment: datetime) -> datetime | None:
    """Return a moment in UTC, without its zone; None if it is then before the first year or after the last."""
    try:
        return moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        return None


def bounds(problems: Problems, first: object, last: object) -> tuple[np.datetime64, np.datetime64]:
    """Return the half-open range of times; a bare date as `last` stands for its whole day."""
    low, high = moment("0001-01-01"), moment("9999-12-31")
    for field, value in (("first", first), ("last", last)):
        if value is not None and np.isnat(moment(value)):
            problems.add(field, f"must be an ISO date such as 2018-12-31, not {brief(value)}")
    if first is not None and not np.isnat(moment(first)):
        low = moment(first)
    if last is not None and not np.isnat(moment(last)):
        bare = "T" not in str(last) and ":" not in str(last)
        high = moment(last) + (_DAY if bare else np.timedelta64(1, "us"))
    if low >= high:
        problems.add("last", f"must not be before first ({brief(first)}), but is {brief(last)}")
    return low, high


def written(time: np.datetime64) -> str:
    """Write a time, without its hours if it is midnight, without its seconds if they are none.

    Example:
        >>> written(np.datetime64("2020-01-01T08:00:00", "us"))
        '2020-01-01T08:00'
    """
    return str(time.astype("datetime64[s]")).removesuffix(":00").removesuffix("T00:00")

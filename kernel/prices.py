"""A price history from a file, checked: nothing is filled in or left out."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Problems
from kernel.tables import Rows, read_rows
from kernel.text import duration, years

_FEWEST_ROWS = 3
_USUAL_GAP = 1.5  # of the median step
_DAY = np.timedelta64(1, "D")
_YEAR = np.timedelta64(365, "D")


class History(NamedTuple):
    """Prices over time, checked."""

    assets: tuple[str, ...]
    times: NDArray[np.datetime64]
    prices: NDArray[np.float64]
    """[time, asset]"""
    dt: float
    """Mean years of 365 days between two rows."""


def read_history(
    path: str | os.PathLike[str],
    *,
    column: str | Mapping[str, str],
    time: str | None = None,
    first: str | date | None = None,
    last: str | date | None = None,
    max_gap: str | None = None,
) -> History:
    """Read a price history, oldest first and evenly spaced; nothing is filled in or left out.

    Args:
        path: .csv or .csv.gz with the names of the columns in line 1, or .parquet.
        column: name of the column of prices, or a mapping from each asset to its column.
        time: name of the column of ISO dates or timestamps (without zone: UTC); default: the first column.
        first: ISO date or timestamp from which rows count; default: the whole file.
        last: ISO date or timestamp up to which they count, that day included.
        max_gap: the longest allowed step between two rows, such as "7d"; default: 1.5 x the median step.

    Raises:
        InvalidInput: with everything that has to be mended, by file, field and rows.

    Example:
        `history = read_history("btc.csv", column={"BTC": "close"}, first="2018-01-01")`
    """
    problems, name = Problems(), Path(path).name
    wanted = {column: column} if isinstance(column, str) else dict(column)
    low, high = _bounds(problems, first, last)
    longest = _longest_gap(problems, max_gap)
    if not wanted:
        problems.add("column", "must name at least one column of prices")
        problems.raise_any()
    with problems.under(""):
        rows = read_rows(Path(path), time, wanted.values())
        times = _times(problems, name, rows)
        inside = (times >= low) & (times < high)
        prices = np.column_stack([_prices(problems, name, one, rows, inside) for one in wanted.values()])
        _check_times(problems, name, rows, times, inside, longest)
    problems.raise_any()
    times, prices = times[inside], prices[inside]
    return History(tuple(wanted), times, prices, float((times[-1] - times[0]) / _YEAR / (times.size - 1)))


def _moment(value: object) -> np.datetime64:
    """Return an ISO date or timestamp as UTC, or "not a time"."""
    try:
        read = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        return np.datetime64("NaT", "us")
    if isinstance(read, datetime):
        read = read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read
    return np.datetime64(read, "us") if isinstance(read, date) else np.datetime64("NaT", "us")


def _times(problems: Problems, name: str, rows: Rows) -> NDArray[np.datetime64]:
    cells = next(iter(rows.columns.values()))
    times = np.array([_moment(cell) for cell in cells], dtype="datetime64[us]")
    bad = np.isnat(times)
    if bad.any():
        example = cells[int(bad.argmax())]
        message = f"must be ISO dates or timestamps, such as 2018-12-31 or 2018-12-31T09:00, not {example!r}"
        problems.add("time", f"{name}: {rows.named(bad)}: {message}")
    return times


def _bounds(problems: Problems, first: object, last: object) -> tuple[np.datetime64, np.datetime64]:
    """Return the half-open range of times; a bare date as `last` stands for its whole day."""
    low, high = _moment("0001-01-01"), _moment("9999-12-31")
    for field, value in (("first", first), ("last", last)):
        moment = low if value is None else _moment(value)
        if np.isnat(moment):
            problems.add(field, f"must be an ISO date such as 2018-12-31, not {value!r}")
    if first is not None and not np.isnat(_moment(first)):
        low = _moment(first)
    if last is not None and not np.isnat(_moment(last)):
        bare = "T" not in str(last) and ":" not in str(last)
        high = _moment(last) + (_DAY if bare else np.timedelta64(1, "us"))
    if low >= high:
        problems.add("last", f"must not be before first ({first}), but is {last}")
    return low, high


def _prices(problems: Problems, name: str, column: str, rows: Rows, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return a column as numbers; note what is missing, no number or not above 0, in the rows inside the range."""
    cells = rows.columns[column]
    missing = np.array([_is_missing(cell) for cell in cells], dtype=bool)
    prices = np.array([_number(cell) for cell in cells])
    broken = np.isnan(prices) & ~missing
    for bad, message in (
        (missing, "is missing; name a range with first and last, or mend the file"),
        (broken, "must be a plain number such as 1234.5"),
        (prices <= 0, "must be above 0"),
        (np.isinf(prices) & (prices > 0), "must be finite"),
    ):
        seen = bad & inside
        if seen.any():
            example = "" if bad is missing else f", not {cells[int(seen.argmax())]!r}"
            problems.add("column", f"{name}: {rows.named(seen)}: {column!r} {message}{example}")
    return prices


def _is_missing(cell: object) -> bool:
    return cell is None or str(cell).strip().lower() in {"", "nan", "na", "n/a", "null", "none", "-"}


def _number(cell: object) -> float:
    if isinstance(cell, bool) or "_" in str(cell):
        return float("nan")
    try:
        return float(str(cell))
    except (TypeError, ValueError):
        return float("nan")


def _longest_gap(problems: Problems, max_gap: str | None) -> np.timedelta64 | None:
    if max_gap is None:
        return None
    try:
        return np.timedelta64(timedelta(days=365 * years(max_gap)), "us")
    except (ValueError, OverflowError) as error:
        problems.add("max_gap", str(error))
        return None


def _check_times(
    problems: Problems,
    name: str,
    rows: Rows,
    times: NDArray[np.datetime64],
    inside: NDArray[np.bool_],
    longest: np.timedelta64 | None,
) -> None:
    """Note too few rows, or rows whose time is not above that of the row before, or too far above it."""
    kept, readable = np.flatnonzero(inside), times[~np.isnat(times)]
    if times.size and not readable.size:
        return
    if kept.size < _FEWEST_ROWS:
        extent = f"; the file goes from {day(readable.min())} to {day(readable.max())}" if readable.size else ""
        problems.add("history", f"{name}: must have at least {_FEWEST_ROWS} rows in range, not {kept.size}{extent}")
        return
    steps = np.diff(times[kept])

    def named(chosen: NDArray[np.bool_]) -> str:
        marked = np.zeros(times.size, dtype=bool)
        marked[kept[1:][chosen]] = True
        return rows.named(marked)

    if not _check_order(problems, name, steps, named) or readable.size < times.size:
        return
    allowed = longest if longest is not None else (_USUAL_GAP * np.median(steps.astype(np.int64))).astype(steps.dtype)
    gaps = steps > allowed
    if gaps.any():
        limit = f"{_written(allowed)}, {'max_gap' if longest is not None else '1.5 x the median step'}"
        message = f"after gaps of up to {_written(steps.max())}, where {limit}, is the most; fill them in the file"
        mend = f'or allow them, such as max_gap = "{_gap_for(steps.max())}" (daily prices skip weekends: "7d")'
        problems.add("max_gap", f"{name}: {named(gaps)}: {message}, {mend}")


def _check_order(
    problems: Problems, name: str, steps: NDArray[np.timedelta64], named: Callable[[NDArray[np.bool_]], str]
) -> bool:
    """Note rows that are not above the one before, and say whether there were none."""
    zero = np.timedelta64(0, "us")
    if (steps < zero).mean() > 0.5:  # noqa: PLR2004 - most of them
        rest = f", and mend {named(steps >= zero)}, not older than the row before" if (steps >= zero).any() else ""
        problems.add("time", f"{name} is newest first: reverse its rows, oldest first{rest}")
        return False
    for bad, message in ((steps < zero, "earlier than"), (steps == zero, "the same as")):
        if bad.any():
            problems.add("time", f"{name}: {named(bad)}: times must rise, but are {message} in the row before")
    return bool((steps > zero).all())


def _written(step: np.timedelta64) -> str:
    return duration(float(step / _YEAR))


def _gap_for(step: np.timedelta64) -> str:
    """Write the whole days or minutes that just allow a step."""
    return f"{math.ceil(step / _DAY)}d" if step > _DAY else f"{math.ceil(step / np.timedelta64(1, 'm'))}m"


def day(time: np.datetime64) -> str:
    """Write a time, without its hours if it is midnight."""
    return str(time.astype("datetime64[s]")).removesuffix("T00:00:00")

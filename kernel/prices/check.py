"""Checks of what a history is made of: prices, times, gaps, and the lows and highs of bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel import checks
from kernel.checks import labels
from kernel.checks.text import duration
from kernel.errors import Problems

TABLE = 2  # dimensions: time, asset
_FEWEST_PRICES = 3
_LISTED = 5  # rows that a message names
_LEAST, _MOST = 1e-12, 1e12  # of a price that a market may open at


def as_table(prices: ArrayLike) -> NDArray[np.float64]:
    """Return prices as numbers by time and asset; where they are none, an empty array."""
    matrix = checks.as_floats(prices)
    if matrix is None:
        return np.empty(0)
    return matrix[:, None] if matrix.ndim == 1 else matrix


def labelled_like(problems: Problems, field: str, values: Any, assets: Sequence[str], prices: labels.Table) -> Any:
    """Return further numbers by time and asset, whose labels are those of the prices where both have some."""
    if values is None:
        return None
    labelled = labels.table(problems, field, values, assets)
    if labelled.times is not None and prices.times is not None and not np.array_equal(labelled.times, prices.times):
        problems.add(field, "must have the times of the prices as labels of its rows")
    return labelled.values


def _rows(bad: NDArray[np.bool_]) -> str:
    rows = np.flatnonzero(bad.any(axis=1))
    more = f" and {rows.size - _LISTED} more" if rows.size > _LISTED else ""
    return f"row{'s' if rows.size > 1 else ''} {', '.join(map(str, rows[:_LISTED]))}{more}"


def check_prices(problems: Problems, prices: ArrayLike) -> NDArray[np.float64]:
    """Return the prices, [time, asset]; note those that no market can be fitted to.

    Raises:
        InvalidInput: where they are no table, whose rows nothing can be said of.
    """
    matrix = as_table(prices)
    if matrix.ndim != TABLE or matrix.shape[0] < _FEWEST_PRICES:
        problems.add("prices", f"must be numbers by time, or by time and asset, in at least {_FEWEST_PRICES} rows")
        problems.raise_any()
    if not np.isfinite(matrix).all():
        problems.add("prices", f"must be finite, without gaps: see {_rows(~np.isfinite(matrix))} (counted from 0)")
    elif (matrix <= 0).any():
        problems.add("prices", f"must be above 0: see {_rows(matrix <= 0)} (counted from 0)")
    elif ((matrix < _LEAST) | (matrix > _MOST)).any():
        wrong = _rows((matrix < _LEAST) | (matrix > _MOST))
        problems.add("prices", f"must be from {_LEAST:g} to {_MOST:g}: see {wrong} (counted from 0)")
    elif (matrix == matrix[0]).all(axis=0).any():
        problems.add("prices", "must move: a column is constant")
    return matrix


def check_times(problems: Problems, times: ArrayLike | None, rows: int) -> NDArray[np.datetime64] | None:
    """Return the times in UTC; note those that do not rise."""
    if times is None:
        return None
    try:
        clean = np.array(times, dtype="datetime64[us]")
    except Exception:  # noqa: BLE001 - of an object that is not ours, whatever its conversion raises
        clean = np.empty(0, dtype="datetime64[us]")
    if clean.shape != (rows,) or not (np.diff(clean) > np.timedelta64(0, "us")).all():
        problems.add("times", f"must be {rows} times that rise, one for each row")
    return clean


def check_step(problems: Problems, dt: float, times: NDArray[np.datetime64]) -> None:
    """Note a step that is not that of the times, as hours would be between days.

    Years may have been told in days of trading: half and twice the usual or the average step are let pass.
    """
    spans = np.diff(times) / np.timedelta64(1, "D") / 365
    usual, average = float(np.median(spans)), float(spans.mean())
    if dt < min(usual, average) / 2 or dt > 2 * max(usual, average):
        problems.add("dt", f"must be near the step of the times, usually {duration(usual)}, not {duration(dt)}")


def check_gaps(problems: Problems, gaps: ArrayLike | None, steps: int) -> NDArray[np.bool_] | None:
    """Return which steps are gaps; note those that leave too few returns."""
    if gaps is None:
        return None
    clean: NDArray[np.bool_]
    try:
        clean = np.array(np.ma.filled(np.ma.asarray(gaps), True))  # masked: not known
    except Exception:  # noqa: BLE001 - as of the times
        clean = np.empty(0, dtype=np.bool_)
    if clean.shape != (steps,) or clean.dtype != np.bool_:
        problems.add("gaps", f"must be {steps} truth values, one for each step between two rows")
    elif steps - clean.sum() < _FEWEST_PRICES - 1:
        problems.add("gaps", f"must leave at least {_FEWEST_PRICES - 1} returns, not {steps - clean.sum()}")
    return clean


def check_extremes(
    problems: Problems, field: str, values: ArrayLike | None, prices: NDArray[np.float64], *, above: bool
) -> NDArray[np.float64] | None:
    """Return the lowest or highest prices of the steps, on the right side of the prices where they are known."""
    if values is None:
        return None
    clean = as_table(values)
    if clean.shape != prices.shape:
        problems.add(field, f"must be numbers in the shape of the prices, {prices.shape}")
        return None
    wrong = (clean <= 0) | np.isinf(clean) | ((clean < prices) if above else (clean > prices))
    if wrong.any():
        side = "at least" if above else "above 0 and at most"
        problems.add(field, f"must be {side} the prices, or NaN where unknown: see {_rows(wrong)} (counted from 0)")
    return clean

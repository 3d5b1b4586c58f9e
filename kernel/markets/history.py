"""From a price history to log returns, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel import checks
from kernel.errors import Problems

_FEWEST_PRICES = 3
_TABLE = 2  # dimensions: time, asset
_LISTED = 5  # rows that a message names


class LogReturns(NamedTuple):
    """Evenly spaced log returns of one or several assets."""

    assets: tuple[str, ...]
    returns: NDArray[np.float64]  # [time, asset]
    last: NDArray[np.float64]  # [asset] last prices
    correlation: NDArray[np.float64]  # [asset, asset] of the returns, exactly unit on the diagonal


def _rows(bad: NDArray[np.bool_]) -> str:
    rows = np.flatnonzero(bad.any(axis=1))
    more = f" and {rows.size - _LISTED} more" if rows.size > _LISTED else ""
    return f"row{'s' if rows.size > 1 else ''} {', '.join(map(str, rows[:_LISTED]))}{more}"


def _check_prices(problems: Problems, prices: ArrayLike) -> NDArray[np.float64]:
    try:
        matrix = np.array(prices, dtype=np.float64)
    except (TypeError, ValueError):
        matrix = np.empty(0)
    matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    if matrix.ndim != _TABLE or matrix.shape[0] < _FEWEST_PRICES:
        problems.add("prices", f"must be numbers by time, or by time and asset, in at least {_FEWEST_PRICES} rows")
        problems.raise_any()
    if not np.isfinite(matrix).all():
        problems.add("prices", f"must be finite, without gaps: see {_rows(~np.isfinite(matrix))} (counted from 0)")
    elif (matrix <= 0).any():
        problems.add("prices", f"must be above 0: see {_rows(matrix <= 0)} (counted from 0)")
    elif (matrix == matrix[0]).all(axis=0).any():
        problems.add("prices", "must move: a column is constant")
    return matrix


def log_returns(prices: ArrayLike, dt: float, assets: Sequence[str] | None) -> LogReturns:
    """Check a history and turn it into log returns."""
    problems = Problems()
    checks.number(problems, "dt", dt, above=0)
    matrix = _check_prices(problems, prices)
    size = matrix.shape[1]
    default = ["asset"] if size == 1 else [f"asset {k + 1}" for k in range(size)]
    listed = checks.names(problems, "assets", default if assets is None else assets)
    if len(listed) != size:
        problems.add("assets", f"must name the {size} columns of the prices, not {len(listed)}")
    problems.raise_any()
    returns = np.diff(np.log(matrix), axis=0)
    correlation = np.atleast_2d(np.corrcoef(returns, rowvar=False))
    np.fill_diagonal(correlation, 1.0)
    return LogReturns(listed, returns, matrix[-1], 0.5 * (correlation + correlation.T))

"""A price history: evenly spaced prices of one or several assets, checked, and their log returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel import checks
from kernel.errors import InvalidInput, Problem, Problems

_FEWEST_PRICES = 3
_TABLE = 2  # dimensions: time, asset
_LISTED = 5  # rows that a message names


@dataclass(frozen=True, eq=False, kw_only=True)
class History:
    """Prices over time, checked; what was found and done stands in `notes`."""

    assets: tuple[str, ...]
    prices: NDArray[np.float64]
    """[time, asset], oldest first."""
    dt: float
    """Years of 365 days of one step."""
    times: NDArray[np.datetime64] | None = None
    """[time], UTC; None: unknown."""
    gaps: NDArray[np.bool_] | None = None
    """[time - 1]: steps over which no return is taken; None: none."""
    notes: tuple[str, ...] = ()

    @property
    def returns(self) -> NDArray[np.float64]:
        """Return the log returns, [return, asset], without those over gaps."""
        moves: NDArray[np.float64] = np.diff(np.log(self.prices), axis=0)
        return moves if self.gaps is None else moves[~self.gaps]

    @property
    def last(self) -> NDArray[np.float64]:
        """Return the last prices, [asset]."""
        last: NDArray[np.float64] = self.prices[-1]
        return last


def as_history(prices: ArrayLike | History, dt: float | None, assets: Sequence[str] | None) -> History:
    """Check prices, or pass a history through: then dt and assets must be None.

    Raises:
        InvalidInput: naming the rows that cannot be used.

    Example:
        >>> as_history([100.0, 102.0, 99.0], 1 / 365, None).assets
        ('asset',)
    """
    problems = Problems()
    if isinstance(prices, History):
        for field, value in (("dt", dt), ("assets", assets)):
            if value is not None:
                problems.add(field, "is known from the history: leave it out")
        problems.raise_any()
        return prices
    if dt is None:
        problems.add("dt", "must be stated: the years between two rows, such as 1 / 365")
    step = checks.number(problems, "dt", 1.0 if dt is None else dt, above=0)
    matrix = _check_prices(problems, prices)
    size = matrix.shape[1]
    default = ["asset"] if size == 1 else [f"asset {k + 1}" for k in range(size)]
    listed = checks.names(problems, "assets", default if assets is None else assets)
    if len(listed) != size:
        problems.add("assets", f"must name the {size} columns of the prices, not {len(listed)}")
    problems.raise_any()
    matrix.flags.writeable = False
    return History(assets=listed, prices=matrix, dt=step)


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
        message = f"must be numbers by time, or by time and asset, in at least {_FEWEST_PRICES} rows"
        raise InvalidInput([*problems.found, Problem("prices", message)])
    if not np.isfinite(matrix).all():
        problems.add("prices", f"must be finite, without gaps: see {_rows(~np.isfinite(matrix))} (counted from 0)")
    elif (matrix <= 0).any():
        problems.add("prices", f"must be above 0: see {_rows(matrix <= 0)} (counted from 0)")
    elif (matrix == matrix[0]).all(axis=0).any():
        problems.add("prices", "must move: a column is constant")
    return matrix

"""Prices over time, checked: what markets are fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel import checks
from kernel.errors import InvalidInput, Problem, Problems

_FEWEST_PRICES = 3
_TABLE = 2  # dimensions: time, asset
_LISTED = 5  # rows that a message names


@dataclass(frozen=True, eq=False, kw_only=True)
class History:
    """Prices over time, checked and read-only.

    Args:
        assets: names of the columns.
        prices: [time, asset] (or [time] of one asset), oldest first, finite, above 0, moving; at least three rows.
        dt: years of 365 days of one step, or a text such as "1d"; held as years.
        times: [time] in UTC, rising; None: unknown.
        gaps: [time - 1], true for the steps over which no return is taken; None: for none.
        lows: [time, asset] lowest prices of the steps that end with the rows, at most `prices`, above 0; NaN: unknown;
            None: all unknown.
        highs: [time, asset] highest prices likewise, at least `prices`.
        notes: sentences: what was found in a file, and what was done about it.

    Raises:
        InvalidInput: naming the rows that cannot be used.

    Example:
        >>> history = History(assets=("BTC",), prices=[[100.0], [110.0], [150.0], [140.0]], dt=1 / 365,
        ...                   gaps=[False, True, False])
        >>> history.returns.round(3).tolist()
        [[0.095], [-0.069]]
    """

    assets: tuple[str, ...]
    prices: NDArray[np.float64]
    dt: float
    times: NDArray[np.datetime64] | None = None
    gaps: NDArray[np.bool_] | None = None
    lows: NDArray[np.float64] | None = None
    highs: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = Problems()
        dt = checks.years(problems, "dt", self.dt, above=0)
        prices = _check_prices(problems, self.prices)
        assets = checks.names(problems, "assets", self.assets)
        if len(assets) != prices.shape[1]:
            problems.add("assets", f"must name the {prices.shape[1]} columns of the prices, not {len(assets)}")
        times, gaps = _check_times(problems, self.times, len(prices)), _check_gaps(problems, self.gaps, len(prices) - 1)
        lows = _check_extremes(problems, "lows", self.lows, prices, above=False)
        highs = _check_extremes(problems, "highs", self.highs, prices, above=True)
        problems.raise_any()
        clean = {
            "assets": assets, "prices": prices, "dt": dt, "times": times, "gaps": gaps, "lows": lows, "highs": highs,
            "notes": tuple(self.notes),
        }  # fmt: skip
        for name, value in clean.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    @property
    def returns(self) -> NDArray[np.float64]:
        """Log returns, [return, asset], without those over gaps."""
        returns = np.diff(np.log(self.prices), axis=0)
        return returns if self.gaps is None else returns[~self.gaps]

    @property
    def last(self) -> NDArray[np.float64]:
        """Last prices, [asset]."""
        return np.array(self.prices[-1])


def as_history(prices: ArrayLike | History, dt: float | str | None, assets: Sequence[str] | None) -> History:
    """Check prices by time, or by time and asset; pass a history through.

    Args:
        prices: what `History` takes, or a history.
        dt: years between two rows, or a text such as "1d"; None beside a history, which knows it.
        assets: names; default: "asset", or "asset 1", "asset 2", ...; None beside a history.

    Raises:
        InvalidInput: naming the rows that cannot be used.

    Example:
        >>> as_history([100.0, 102.0, 99.0], 1 / 365, None).assets
        ('asset',)
    """
    if not isinstance(prices, History):
        if dt is None:
            raise InvalidInput(
                [Problem("dt", "must be stated: the time between two rows, such as '1d' or 1 / 365 years")]
            )
        matrix = _as_table(prices)
        size = matrix.shape[1] if matrix.ndim == _TABLE else 1
        default = ["asset"] if size == 1 else [f"asset {k + 1}" for k in range(size)]
        named: Any = default if assets is None else assets
        step: Any = dt
        return History(assets=named, prices=matrix, dt=step)
    stated = {"dt": dt, "assets": assets}
    beside = [Problem(name, "is the history's own: leave it out") for name, one in stated.items() if one is not None]
    if beside:
        raise InvalidInput(beside)
    return prices


def _as_table(prices: ArrayLike) -> NDArray[np.float64]:
    try:
        matrix = np.array(np.ma.filled(np.ma.asarray(prices, dtype=np.float64), np.nan))  # what is masked is missing
    except (TypeError, ValueError):
        return np.empty(0)
    return matrix[:, None] if matrix.ndim == 1 else matrix


def _rows(bad: NDArray[np.bool_]) -> str:
    rows = np.flatnonzero(bad.any(axis=1))
    more = f" and {rows.size - _LISTED} more" if rows.size > _LISTED else ""
    return f"row{'s' if rows.size > 1 else ''} {', '.join(map(str, rows[:_LISTED]))}{more}"


def _check_prices(problems: Problems, prices: ArrayLike) -> NDArray[np.float64]:
    matrix = _as_table(prices)
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


def _check_times(problems: Problems, times: ArrayLike | None, rows: int) -> NDArray[np.datetime64] | None:
    if times is None:
        return None
    try:
        clean = np.array(times, dtype="datetime64[us]")
    except (TypeError, ValueError):
        clean = np.empty(0, dtype="datetime64[us]")
    if clean.shape != (rows,) or not (np.diff(clean) > np.timedelta64(0, "us")).all():
        problems.add("times", f"must be {rows} times that rise, one for each row")
    return clean


def _check_gaps(problems: Problems, gaps: ArrayLike | None, steps: int) -> NDArray[np.bool_] | None:
    if gaps is None:
        return None
    clean = np.array(gaps)
    if clean.shape != (steps,) or clean.dtype != np.bool_:
        problems.add("gaps", f"must be {steps} truth values, one for each step between two rows")
    elif steps - clean.sum() < _FEWEST_PRICES - 1:
        problems.add("gaps", f"must leave at least {_FEWEST_PRICES - 1} returns, not {steps - clean.sum()}")
    return clean


def _check_extremes(
    problems: Problems, field: str, values: ArrayLike | None, prices: NDArray[np.float64], *, above: bool
) -> NDArray[np.float64] | None:
    """Return the lowest or highest prices of the steps, on the right side of the prices where they are known."""
    if values is None:
        return None
    clean = _as_table(values)
    if clean.shape != prices.shape:
        problems.add(field, f"must be numbers in the shape of the prices, {prices.shape}")
        return None
    wrong = (clean <= 0) | np.isinf(clean) | ((clean < prices) if above else (clean > prices))
    if wrong.any():
        side = "at least" if above else "above 0 and at most"
        problems.add(field, f"must be {side} the prices, or NaN where unknown: see {_rows(wrong)} (counted from 0)")
    return clean

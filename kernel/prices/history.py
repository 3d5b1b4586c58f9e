"""Prices over time, checked: what markets are fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel import checks
from kernel.checks import labels
from kernel.checks.text import duration
from kernel.errors import InvalidInput, Problem, Problems
from kernel.tables import Tabular, table_of

if TYPE_CHECKING:
    import pyarrow as pa

_FEWEST_PRICES = 3
_TABLE = 2  # dimensions: time, asset
_MOST_NOTES = 100_000
_LISTED = 5  # rows that a message names
_LEAST, _MOST = 1e-12, 1e12  # of a price that a market may open at


@dataclass(frozen=True, eq=False, kw_only=True)
class History(Tabular):
    """Prices over time, checked and read-only.

    Args:
        assets: names of the columns.
        prices: [time, asset] (or [time] of one asset), oldest first, from 1e-12 to 1e12, moving; at least three rows.
            The columns of a frame are put into the order of the assets by their labels.
        dt: years of 365 days of one step, from 1e-9 to 1,000, or a text such as "1d"; held as years.
        times: [time] in UTC, rising; None: those that the rows of the prices are labelled by, if any.
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
        dt = checks.years(problems, "dt", self.dt, at_least=1e-9, at_most=1_000)
        assets = checks.names(problems, "assets", self.assets)
        noted = len(problems.found)
        table = labels.table(problems, "prices", self.prices, assets)
        if len(problems.found) > noted:
            problems.raise_any()  # numbers cannot be judged before they are in order
        prices = _check_prices(problems, table.values)
        if len(assets) != prices.shape[1]:
            problems.add("assets", f"must name the {prices.shape[1]} columns of the prices, not {len(assets)}")
        times = _check_times(problems, table.times if self.times is None else self.times, len(prices))
        if times is not None and not problems.found:
            _check_step(problems, dt, times)
        gaps = _check_gaps(problems, self.gaps, len(prices) - 1)
        extremes = [_labelled_like(problems, field, getattr(self, field), assets, table) for field in ("lows", "highs")]
        lows = _check_extremes(problems, "lows", extremes[0], prices, above=False)
        highs = _check_extremes(problems, "highs", extremes[1], prices, above=True)
        notes = tuple(checks.listed(problems, "notes", self.notes, _MOST_NOTES))
        if not all(isinstance(note, str) for note in notes):
            problems.add("notes", "must be a list of sentences")
        problems.raise_any()
        clean = {
            "assets": assets, "prices": prices, "dt": dt, "times": times, "gaps": gaps, "lows": lows, "highs": highs,
            "notes": notes,
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

    def to_arrow(self) -> pa.Table:
        """Return a row for each time, in columns that `kernel.read_prices` reads back.

        They are time (if known, UTC), <asset>:close and, where any are known, <asset>:low and <asset>:high (null:
        unknown), and gap (if there is any): true where no return is taken over the step that ends with the row. The
        schema carries dt, in years, and the notes as JSON under "margin_kernel".
        """
        columns: dict[str, Any] = {} if self.times is None else {"time": self.times}
        for k, asset in enumerate(self.assets):
            for name, values in (("close", self.prices), ("low", self.lows), ("high", self.highs)):
                if values is not None:
                    columns[f"{asset}:{name}"] = values[:, k]
        if self.gaps is not None:
            columns["gap"] = np.append(False, self.gaps)
        return table_of(columns, {"dt": self.dt, "notes": self.notes})


def as_history(prices: ArrayLike | History, dt: float | str | None, assets: Sequence[str] | None) -> History:
    """Check prices by time, or by time and asset; pass a history through.

    Args:
        prices: what `History` takes, or a history.
        dt: years between two rows, or a text such as "1d"; None beside a history, which knows it.
        assets: names; default: the labels of the columns, else "asset", or "asset 1", "asset 2", ...; None beside a
            history.

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
        named: Any = _names(prices) if assets is None else assets
        held: Any = prices
        step: Any = dt
        return History(assets=named, prices=held, dt=step)
    stated = {"dt": dt, "assets": assets}
    beside = [Problem(name, "is the history's own: leave it out") for name, one in stated.items() if one is not None]
    if beside:
        raise InvalidInput(beside)
    return prices


def _names(prices: ArrayLike) -> Sequence[str]:
    """Return what the columns of prices are called, or names for them.

    Raises:
        InvalidInput: for labels that cannot be used.
    """
    problems = Problems()
    found = labels.table(problems, "prices", prices, None)
    problems.raise_any()
    matrix = _as_table(found.values)
    size = matrix.shape[1] if matrix.ndim == _TABLE else 1
    return found.assets or (["asset"] if size == 1 else [f"asset {k + 1}" for k in range(size)])


def _as_table(prices: ArrayLike) -> NDArray[np.float64]:
    matrix = checks.as_floats(prices)
    if matrix is None:
        return np.empty(0)
    return matrix[:, None] if matrix.ndim == 1 else matrix


def _labelled_like(problems: Problems, field: str, values: Any, assets: Sequence[str], prices: labels.Table) -> Any:
    """Return further numbers by time and asset, whose labels are those of the prices where both have some."""
    if values is None:
        return None
    found = labels.table(problems, field, values, assets)
    if found.times is not None and prices.times is not None and not np.array_equal(found.times, prices.times):
        problems.add(field, "must have the times of the prices as labels of its rows")
    return found.values


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
    elif ((matrix < _LEAST) | (matrix > _MOST)).any():
        wrong = _rows((matrix < _LEAST) | (matrix > _MOST))
        problems.add("prices", f"must be from {_LEAST:g} to {_MOST:g}: see {wrong} (counted from 0)")
    elif (matrix == matrix[0]).all(axis=0).any():
        problems.add("prices", "must move: a column is constant")
    return matrix


def _check_times(problems: Problems, times: ArrayLike | None, rows: int) -> NDArray[np.datetime64] | None:
    if times is None:
        return None
    try:
        clean = np.array(times, dtype="datetime64[us]")
    except Exception:  # noqa: BLE001 - of an object that is not ours, whatever its conversion raises
        clean = np.empty(0, dtype="datetime64[us]")
    if clean.shape != (rows,) or not (np.diff(clean) > np.timedelta64(0, "us")).all():
        problems.add("times", f"must be {rows} times that rise, one for each row")
    return clean


def _check_step(problems: Problems, dt: float, times: NDArray[np.datetime64]) -> None:
    """Note a step that is not that of the times, as hours would be between days.

    Years may have been told in days of trading: half and twice the usual or the average step are let pass.
    """
    spans = np.diff(times) / np.timedelta64(1, "D") / 365
    usual, average = float(np.median(spans)), float(spans.mean())
    if dt < min(usual, average) / 2 or dt > 2 * max(usual, average):
        problems.add("dt", f"must be near the step of the times, usually {duration(usual)}, not {duration(dt)}")


def _check_gaps(problems: Problems, gaps: ArrayLike | None, steps: int) -> NDArray[np.bool_] | None:
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

"""Prices over time, checked: what markets are fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel import checks
from kernel.checks import labels
from kernel.errors import InvalidInput, Problem, Problems
from kernel.prices.check import (
    TABLE,
    as_table,
    check_extremes,
    check_gaps,
    check_prices,
    check_step,
    check_times,
    labelled_like,
)
from kernel.tables import Tabular, table_of

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_NOTES = 100_000


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
        prices = check_prices(problems, table.values)
        if len(assets) != prices.shape[1]:
            problems.add("assets", f"must name the {prices.shape[1]} columns of the prices, not {len(assets)}")
        times = check_times(problems, table.times if self.times is None else self.times, len(prices))
        if times is not None and not problems.found:
            check_step(problems, dt, times)
        gaps = check_gaps(problems, self.gaps, len(prices) - 1)
        extremes = [labelled_like(problems, field, getattr(self, field), assets, table) for field in ("lows", "highs")]
        lows = check_extremes(problems, "lows", extremes[0], prices, above=False)
        highs = check_extremes(problems, "highs", extremes[1], prices, above=True)
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
    beside = [
        Problem(name, "is the history's own: leave it out") for name, value in stated.items() if value is not None
    ]
    if beside:
        raise InvalidInput(beside)
    return prices


def _names(prices: ArrayLike) -> Sequence[str]:
    """Return what the columns of prices are called, or names for them.

    Raises:
        InvalidInput: for labels that cannot be used.
    """
    problems = Problems()
    labelled = labels.table(problems, "prices", prices, None)
    problems.raise_any()
    matrix = as_table(labelled.values)
    size = matrix.shape[1] if matrix.ndim == TABLE else 1
    return labelled.assets or (["asset"] if size == 1 else [f"asset {k + 1}" for k in range(size)])

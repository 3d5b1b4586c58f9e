"""A price history from files or tables, checked: what is mended is told, and nothing is filled in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernel import checks
from kernel.checks.text import brief
from kernel.errors import InvalidInput, Problem, Problems
from kernel.prices.columns import Columns
from kernel.prices.history import History
from kernel.prices.panel import check_clocks, drop_unusable, join, trim
from kernel.prices.rows import Rows, read_rows
from kernel.prices.steps import check_moves, find_gaps, longest_step
from kernel.prices.times import bounds
from kernel.prices.titles import titled
from kernel.tables import read_sheet

_FEWEST_ROWS = 3


def read_prices(
    source: Any,
    *,
    columns: Columns = None,
    time: str | None = None,
    first: str | date | None = None,
    last: str | date | None = None,
    max_gap: float | str | None = None,
) -> History:
    """Read prices as exchanges and data shops write them: bars or closes of one asset or several, any even step.

    Rows that are newest first, out of order by a slip, repeated, or without a usable price are mended or left out,
    and a note says so; what could be read in more than one way is refused. Nothing is filled in. A step beyond 1.5
    medians is a gap, over which no return is taken; if more than 5% of the steps are so long, the market closes, each
    counts as one step, and gaps are those beyond seven medians.
    Closes of bars bring their lows and highs along, where these are possible. Assets that stand one below the other,
    told apart by a column of symbols, are read as several.

    Args:
        source: a .csv, .csv.gz or .parquet file; a list of them, or a mapping from assets to them, one asset each;
            or a table with `__arrow_c_stream__`, such as a data frame of pandas or Polars.
        columns: a column of prices, a list of them, or a mapping from assets to them; default: adjusted closes, or
            closes, or `ASSET:close` of several assets, or, where every column of numbers is called as an asset may be,
            all of them. A volume, count, dividend or whatever else is no price is only taken if it is stated.
        time: the column of times (without a zone: UTC); default: the one that is so called, or else the first that
            looks like it, with the time of day that stands apart from its date.
        first: ISO date or timestamp from which rows count; default: all.
        last: ISO date or timestamp up to which they count, that day included.
        max_gap: the longest step that counts as one, such as "7d", or in years; default: found out as above.

    Raises:
        InvalidInput: with everything that has to be mended, by file, field and lines.

    Example:
        >>> import pyarrow as pa
        >>> days = ["2020-01-03", "2020-01-02", "2020-01-01"]
        >>> history = read_prices(pa.table({"date": days, "BTC": [7.2, 7.0, 7.3]}))
        >>> history.prices[:, 0].tolist(), history.notes
        ([7.3, 7.0, 7.2], ('It stands newest first: its rows were turned round.',))
    """
    problems, notes = Problems(), list[str]()
    low_high, longest = bounds(problems, first, last), longest_step(problems, max_gap)
    parts: list[Rows] = []
    for asset, given, chosen in _sources(source, columns):
        own: list[str] = []
        with problems.under(""):
            rows = read_rows(problems, own, sheet := titled(read_sheet(given)), chosen, time, low_high)
            parts += rows if asset is None else _named(problems, rows, asset)
            notes += own if asset is None else [f"{sheet.name}: {note}" for note in own]
    _check_size(problems, parts)
    problems.raise_any()
    return _history(parts, notes, longest)


def _is_several(source: Any) -> bool:
    return isinstance(source, Mapping) or (isinstance(source, Sequence) and not isinstance(source, str))


def _sources(source: Any, columns: Columns) -> list[tuple[str | None, Any, Columns]]:
    """Return for each file the name of its asset ("": its own; None: as its columns say), and the columns to choose."""
    if not _is_several(source):
        return [(None, source, columns)]
    if len(source) > checks.MOST_ASSETS:
        message = f"must be at most {checks.MOST_ASSETS:,} files, not {len(source):,}"
        raise InvalidInput([Problem("history", message)])
    if isinstance(source, Mapping) and not all(map(checks.is_name, source)):
        raise InvalidInput([Problem("history", f"must name each asset: names are {checks.NAME}")])
    if not len(source):
        raise InvalidInput([Problem("history", "must name at least one file")])
    if isinstance(source, Mapping):
        stated = columns if isinstance(columns, Mapping) else dict.fromkeys(source, columns)
        unknown = [name for name in stated if name not in source]
        if unknown:
            raise InvalidInput(
                [Problem("columns", f"names {brief(unknown[0])}, which is none of the assets of the files")]
            )
        return [(str(name), given, stated.get(name)) for name, given in source.items()]
    if columns is not None and not isinstance(columns, str):
        message = "must be one name for all files; for a name for each, give the files as a mapping from assets too"
        raise InvalidInput([Problem("columns", message)])
    return [("", given, columns) for given in source]


def _named(problems: Problems, parts: list[Rows], asset: str) -> list[Rows]:
    """Name the one asset of a file among several; let assets that stand one below the other keep their names."""
    if len(parts) == 1 and len(parts[0].assets) == 1:
        return [parts[0]._replace(assets=(asset or parts[0].file_asset,))]
    if parts and (asset or len(parts) == 1):
        listed = ", ".join(name for part in parts for name in part.assets)
        message = f"{parts[0].name}: holds {listed}: of several files each gives one asset; name its column"
        problems.add("columns", message)
    return parts


def _check_size(problems: Problems, parts: Sequence[Rows]) -> None:
    for rows in parts:
        if rows.times.size < _FEWEST_ROWS:
            extent = f"; the file goes from {rows.extent}" if rows.extent else ""
            message = f"must have at least {_FEWEST_ROWS} rows in range, not {rows.times.size}{extent}"
            problems.add("history", f"{rows.name}: {message}")
    for k, rows in enumerate(parts):
        for other in parts[:k]:
            if (
                rows.name == other.name
                and np.array_equal(rows.number, other.number)
                and np.array_equal(rows.prices, other.prices, equal_nan=True)
            ):
                same = f"{other.assets[0]} and {rows.assets[0]} are the same column of {rows.name}"
                problems.add("columns", f"{same}: name one for each, as ASSET=COLUMN")
    assets = [asset for rows in parts for asset in rows.assets]
    twice = sorted(asset for asset, count in Counter(assets).items() if count > 1)
    if twice:
        problems.add("history", f"two files hold {', '.join(twice)}: name the assets, as a mapping from them to files")


def _history(parts: Sequence[Rows], notes: list[str], longest: float) -> History:
    problems = Problems()
    panel = trim(notes, join(parts))
    check_clocks(panel)
    panel, spans = drop_unusable(problems, notes, panel)
    problems.raise_any()
    if panel.times.size < _FEWEST_ROWS:
        message = f"must have at least {_FEWEST_ROWS} rows with every price in range, not {panel.times.size}"
        raise InvalidInput([Problem("history", f"{panel.name}: {message}")])
    check_moves(problems, notes, panel)
    gaps, dt = find_gaps(problems, notes, panel, spans, longest)
    for asset in np.flatnonzero((panel.prices == panel.prices[0]).all(axis=0)):
        problems.add("history", f"{panel.files[asset]}: {panel.assets[asset]} must move, but is constant in range")
    problems.raise_any()
    return History(
        assets=panel.assets,
        prices=panel.prices,
        dt=dt,
        times=panel.times,
        gaps=gaps if gaps.any() else None,
        lows=_known(panel.lows, spans),
        highs=_known(panel.highs, spans),
        notes=tuple(notes),
    )


def _known(extremes: NDArray[np.float64], spans: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Forget the extremes of steps over rows that were left out, of which the last bar tells but a part."""
    extremes[1:][spans] = np.nan
    return None if np.isnan(extremes).all() else extremes

"""Files and Arrow tables in, as they stand there: what the cells mean is for others to say."""

# ruff: noqa: PLC0415 - pyarrow takes long to import: only where it is used

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.errors import InvalidInput, Problem

if TYPE_CHECKING:
    import pyarrow as pa

_SUFFIXES = (".csv", ".csv.gz", ".parquet")
_DELIMITERS = ",;\t|"
_LISTED = 5
_DATUM = re.compile(r"\s*([-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?\s*$|[0-9]{1,4}[-/][0-9]{1,2}[-/])")
_KLINE = ("open_time", "open", "high", "low", "close", "volume")
_REST = ("close_time", "quote_volume", "count", "taker_buy_volume", "taker_buy_quote_volume", "ignore")
_WITHOUT_HEADER = {6: _KLINE, 7: (*_KLINE, "trades"), 12: _KLINE + _REST}
"""Columns of the files that exchanges write without naming them, by their number."""

Cells = Sequence[Any] | NDArray[Any]


class Sheet(NamedTuple):
    """The columns of a file, or of an Arrow table."""

    name: str
    stem: str
    """The name without suffixes."""
    header: tuple[str, ...]
    cells: Callable[[str], Cells]
    """Of a column: texts of a CSV file; numbers (NaN: missing), UTC times, or texts of an Arrow table."""
    number: NDArray[np.int64]
    """Of each row, counted from 1; in a CSV file its line."""
    noun: str
    times: tuple[str, ...] = ()
    """Columns whose type is a time."""

    def named(self, chosen: NDArray[np.bool_]) -> str:
        """Name rows, such as "lines 2, 3"."""
        return listed(self.noun, self.number[chosen])


def listed(noun: str, numbers: NDArray[Any]) -> str:
    """Name the first rows, and say how many more there are.

    Example:
        >>> listed("line", np.array([2, 3]))
        'lines 2, 3'
    """
    more = f" and {numbers.size - _LISTED} more" if numbers.size > _LISTED else ""
    return f"{noun}{'s' if numbers.size > 1 else ''} {', '.join(map(str, numbers[:_LISTED]))}{more}"


def read_sheet(source: Any) -> Sheet:
    """Read a .csv, .csv.gz or .parquet file, or anything with `__arrow_c_stream__`.

    Raises:
        InvalidInput: if it cannot be read, or is empty.
    """
    if hasattr(source, "__arrow_c_stream__"):
        return _of_arrow("the table", "asset", source)
    if not isinstance(source, str | os.PathLike):
        message = f"must be a path, several of them, or a table with __arrow_c_stream__, not {type(source).__name__}"
        raise InvalidInput([Problem("history", message)])
    path = Path(source)
    if not path.name.endswith(_SUFFIXES):
        raise InvalidInput([Problem("history", f"must be a {', '.join(_SUFFIXES)} file, not {path.name!r}")])
    try:
        return (_read_parquet if path.suffix == ".parquet" else _read_csv)(path)
    except (UnicodeDecodeError, csv.Error, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidInput([Problem("history", f"{path} is not readable as {path.suffix[1:]}: {error}")]) from error
    except OSError as error:
        raise InvalidInput([Problem("history", f"{path} cannot be read: {error.strerror or error}")]) from error


# CSV


def _read_csv(path: Path) -> Sheet:
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        text = file.read()
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    lines = [(reader.line_num, cells) for cells in reader if any(cells)]
    if not lines:
        raise InvalidInput([Problem("history", f"{path.name} is empty")])
    header, above = _header(path.name, [cells for _, cells in lines[:3]])
    body = [cells for _, cells in lines[above:]]
    number = np.array([number for number, _ in lines[above:]], dtype=np.int64)
    ragged = np.array([len(cells) != len(header) for cells in body], dtype=bool)
    if ragged.any():
        message = f"{path.name}: {listed('line', number[ragged])}: must have {len(header)} cells, as the header has"
        raise InvalidInput([Problem("history", message)])
    columns = list(zip(*body, strict=True)) or [()] * len(header)
    return Sheet(path.name, _stem(path), header, lambda name: columns[header.index(name)], number, "line")


def _stem(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).stem


def _delimiter(text: str) -> str:
    """Return the delimiter that stands in each of the first lines; below a note, that of the third is what counts."""
    lines = [line for line in text[:100_000].splitlines() if line.strip()][:3] or [""]
    return max(_DELIMITERS, key=lambda one: (min(line.count(one) for line in lines), lines[-1].count(one)))


def _header(name: str, lines: list[list[str]]) -> tuple[tuple[str, ...], int]:
    """Return the columns' names and the number of lines above the first row."""
    data = [any(_DATUM.match(cell) for cell in cells) for cells in lines]
    if data[0]:
        known = _WITHOUT_HEADER.get(len(lines[0]))
        if known is None or not all(_DATUM.match(cell) for cell in lines[0]):
            raise InvalidInput([Problem("history", f"{name}: line 1 must name the columns, not hold the first row")])
        return known, 0
    noted = len(data) > 1 and not data[1] and (len(data) == len(lines[:2]) or data[2])
    above = 2 if noted and any(lines[1]) else 1
    return tuple(cell.strip() for cell in lines[above - 1]), above


# Arrow


def _read_parquet(path: Path) -> Sheet:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        return _of_arrow(path.name, path.stem, pa.parquet.ParquetFile(path).read())
    except pa.ArrowException as error:
        raise InvalidInput([Problem("history", f"{path} is not readable as parquet: {error}")]) from error


def _of_arrow(name: str, stem: str, source: Any) -> Sheet:
    import pyarrow as pa

    try:
        table = pa.table(source)
    except pa.ArrowException:
        message = "must have columns, of times and of prices: a series alone has none"
        raise InvalidInput([Problem("history", f"{name} {message}")]) from None
    if not table.num_columns:
        raise InvalidInput([Problem("history", f"{name} is empty")])
    times = tuple(field.name for field in table.schema if _is_time(field.type))
    rows = np.arange(1, table.num_rows + 1)
    return Sheet(name, stem, tuple(table.column_names), partial(_cells, table), rows, "row", times)


def _cells(table: pa.Table, name: str) -> Cells:
    """Return numbers as float64 and times as UTC microseconds, null as NaN and NaT; else Python's values."""
    import pyarrow as pa

    column, kinds = table.column(name), pa.types
    if _is_time(column.type):
        return column.cast(pa.timestamp("us"), safe=False).to_numpy()  # type: ignore[no-any-return]
    if kinds.is_integer(column.type) or kinds.is_floating(column.type) or kinds.is_decimal(column.type):
        return column.cast(pa.float64(), safe=False).to_numpy()  # type: ignore[no-any-return]
    return ["" if one is None else str(one) for one in column.to_pylist()]


def _is_time(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))

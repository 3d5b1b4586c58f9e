"""Files and Arrow tables in."""

# ruff: noqa: PLC0415 - pyarrow takes long to import: only where it is used

from __future__ import annotations

import csv
import gzip
import os
import zlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kernel import checks
from kernel.checks.text import system_path
from kernel.errors import InvalidInput, Problem, Problems, printable
from kernel.files import check_file
from kernel.tables.delimited import read_delimited
from kernel.tables.sheet import MOST_COLUMNS, Cells, Sheet

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_CELLS = 10**8  # of a Parquet file, which packs what repeats to nothing
_SUFFIXES = (".csv", ".csv.gz", ".parquet")


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
    problems = Problems()
    path = checks.path(problems, "history", source)
    problems.raise_any()
    assert path is not None  # noqa: S101 - or there were problems
    path = system_path(path)
    if not path.name.lower().endswith(_SUFFIXES):
        raise InvalidInput([Problem("history", f"must be a {', '.join(_SUFFIXES)} file, not {path.name!r}")])
    try:
        return (_read_parquet if path.suffix.lower() == ".parquet" else read_delimited)(path)
    except MemoryError:
        raise InvalidInput([Problem("history", f"{path} does not fit into memory")]) from None
    except (UnicodeDecodeError, csv.Error, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidInput([Problem("history", f"{path} is not readable as {path.suffix[1:]}: {error}")]) from error
    except OSError as error:
        raise InvalidInput([Problem("history", f"{path} cannot be read: {error.strerror or error}")]) from error


def _read_parquet(path: Path) -> Sheet:
    import pyarrow as pa
    import pyarrow.parquet

    check_file(path)
    try:
        with path.open("rb") as opened, pa.parquet.ParquetFile(opened) as file:  # Arrow takes no path that is not UTF-8
            cells = file.metadata.num_rows * file.metadata.num_columns
            if cells > _MOST_CELLS:
                message = f"{path.name}: must have at most {_MOST_CELLS:,} cells, not {cells:,}"
                raise InvalidInput([Problem("history", message)])
            return _of_arrow(printable(path.name), printable(path.stem), file.read())
    except pa.ArrowException as error:
        raise InvalidInput([Problem("history", f"{path} is not readable as parquet: {error}")]) from error


def _of_arrow(name: str, stem: str, source: Any) -> Sheet:
    import pyarrow as pa

    try:
        table = pa.table(source)
    except pa.ArrowException:
        message = "must have columns, of times and of prices: a series alone has none"
        raise InvalidInput([Problem("history", f"{name} {message}")]) from None
    except Exception as error:  # noqa: BLE001 - of an object that is not ours, such as two columns of one name
        raise InvalidInput([Problem("history", f"{name} is not readable as Arrow: {error}")]) from None
    if not table.num_columns:
        raise InvalidInput([Problem("history", f"{name} is empty")])
    if table.num_columns > MOST_COLUMNS:
        message = f"{name}: must have at most {MOST_COLUMNS:,} columns, not {table.num_columns:,}"
        raise InvalidInput([Problem("history", message)])
    times = tuple(field.name for field in table.schema if _is_time(field.type))
    rows = np.arange(1, table.num_rows + 1)
    return Sheet(name, stem, tuple(table.column_names), partial(_cells, table), rows, "row", times)


def _cells(table: pa.Table, place: int) -> Cells:
    """Return times as UTC microseconds, whole numbers and others as they are, null as NaN and NaT; else texts."""
    import pyarrow as pa

    column, kinds = table.column(place), pa.types
    if _is_time(column.type):
        return column.cast(pa.timestamp("us"), safe=False).to_numpy()  # type: ignore[no-any-return]
    if kinds.is_integer(column.type) and not column.null_count:  # exact: a date of 17 digits is no float64
        return column.cast(pa.int64(), safe=False).to_numpy()  # type: ignore[no-any-return]
    if kinds.is_decimal(column.type):  # Arrow's own cast is a last bit off
        return np.array([np.nan if cell is None else float(cell) for cell in column.to_pylist()], dtype=np.float64)
    if kinds.is_integer(column.type) or kinds.is_floating(column.type):
        return column.cast(pa.float64(), safe=False).to_numpy()  # type: ignore[no-any-return]
    return ["" if cell is None else str(cell) for cell in column.to_pylist()]


def _is_time(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))

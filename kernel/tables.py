"""Arrow, Parquet and CSV, in and out: the only file that imports pyarrow."""

# ruff: noqa: PLC0415 - pyarrow takes long to import: only where it is used

from __future__ import annotations

import csv
import gzip
import json
import os
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.errors import InvalidInput, Problem, Problems
from kernel.text import near

if TYPE_CHECKING:
    import pyarrow as pa

    from kernel.outcome import Outcome

OUTPUT_SUFFIXES = (".parquet", ".csv", ".json")
_INPUT_SUFFIXES = (".csv", ".csv.gz", ".parquet")
_LISTED = 5


# Out


def outcome_table(outcome: Outcome) -> pa.Table:
    """Return loss, terminal_price.<asset> and breach_time.<tier> (null: never), with the provenance as metadata.

    Times are float64 and at most the horizon, which in single precision may round up.

    Raises:
        InvalidInput: for a summary, which has no paths.
    """
    import pyarrow as pa

    if outcome.loss is None or outcome.terminal_price is None or outcome.breach_time is None:
        raise InvalidInput([Problem("outcome", 'is a summary, which has no paths: simulate with record="paths"')])
    columns = {"loss": pa.array(outcome.loss)}
    columns |= {
        f"terminal_price.{name}": pa.array(row)
        for name, row in zip(outcome.assets, outcome.terminal_price, strict=True)
    }
    columns |= {
        f"breach_time.{name}": pa.array(np.minimum(row.astype(np.float64), outcome.horizon), from_pandas=True)
        for name, row in zip(outcome.tiers, outcome.breach_time, strict=True)
    }
    return pa.table(columns, metadata={b"margin_kernel": json.dumps(outcome.provenance).encode()})


def write_table(table: pa.Table, path: str | os.PathLike[str]) -> None:
    """Write a table to .parquet or .csv, whole or not at all.

    Raises:
        InvalidInput: for any other suffix, or a path that cannot be written.
    """
    import pyarrow.csv
    import pyarrow.parquet

    writers: dict[str, Callable[..., Any]] = {".parquet": pyarrow.parquet.write_table, ".csv": pyarrow.csv.write_csv}
    write = writers.get(Path(path).suffix)
    if write is None:
        raise InvalidInput([Problem("output", f"must end in {' or '.join(writers)}, not {Path(path).name!r}")])
    with _reported(path), _replacing(path) as file:
        write(table, file)


def write_text(text: str, path: str | os.PathLike[str]) -> None:
    """Write a text in UTF-8, whole or not at all.

    Raises:
        InvalidInput: for a path that cannot be written.
    """
    with _reported(path), _replacing(path) as file:
        file.write(text.encode())


def check_output(path: str | os.PathLike[str], spared: Iterable[Path] = ()) -> None:
    """Check that a result can be written to a path; leave nothing there.

    Args:
        path: of a .parquet, .csv or .json file.
        spared: files that must not be overwritten: what the result is made from.

    Raises:
        InvalidInput: for an unknown suffix, a missing or unwritable folder, or a folder in the file's place.
    """
    problems = Problems()
    if Path(path).suffix not in OUTPUT_SUFFIXES:
        problems.add("output", f"must end in {', '.join(OUTPUT_SUFFIXES)}, not {Path(path).name!r}")
    if any(os.path.realpath(path) == os.path.realpath(one) for one in spared):
        problems.add("output", f"{path} is what this run reads: choose another name")
    with problems.under(""), _reported(path):
        temporary, _ = _beside(path)
        with temporary.open("xb"):
            temporary.unlink()
    problems.raise_any()


def _beside(path: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Return a new name in the folder of a file, and the file that a link may point to."""
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent}")
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder")
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp"), target


@contextmanager
def _replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of `path` once it is complete, and vanishes if it never is."""
    temporary, target = _beside(path)
    try:
        with temporary.open("xb") as file:
            yield file
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _reported(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidInput([Problem("output", f"{path} cannot be written: {error.strerror or error}")]) from error


# In


class Rows(NamedTuple):
    """Columns of a file as they stand there, the time's first."""

    columns: dict[str, list[Any]]
    number: NDArray[np.int64]
    """Of each row, counted from 1; in a CSV file its line, the header being line 1."""
    noun: str

    def named(self, chosen: NDArray[np.bool_]) -> str:
        """Name rows, such as "lines 2, 3"."""
        numbers = self.number[chosen]
        more = f" and {numbers.size - _LISTED} more" if numbers.size > _LISTED else ""
        return f"{self.noun}{'s' if numbers.size > 1 else ''} {', '.join(map(str, numbers[:_LISTED]))}{more}"


def read_rows(path: Path, time: str | None, columns: Iterable[str]) -> Rows:
    """Read a column of times (default: the first) and others from .csv, .csv.gz or .parquet.

    Raises:
        InvalidInput: if the file cannot be read, or lacks a column.
    """
    if not path.name.endswith(_INPUT_SUFFIXES):
        raise InvalidInput([Problem("history", f"must be a {', '.join(_INPUT_SUFFIXES)} file, not {path.name!r}")])
    try:
        return (_read_parquet if path.suffix == ".parquet" else _read_csv)(path, time, columns)
    except (UnicodeDecodeError, csv.Error, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidInput([Problem("history", f"{path} is not readable as {path.suffix[1:]}: {error}")]) from error
    except OSError as error:
        raise InvalidInput([Problem("history", f"{path} cannot be read: {error.strerror or error}")]) from error


def _chosen(name: str, header: Sequence[str], time: str | None, columns: Iterable[str], hint: str = "") -> list[str]:
    """Return the names of the columns to read, each once, the time's first."""
    problems, wanted = (
        Problems(),
        [("time", header[0] if time is None else time), *(("column", one) for one in columns)],
    )
    for field, one in wanted:
        if one not in header:
            problems.add(field, f"{name} has no column {one!r}{near(one, header)}{hint}")
        elif header.count(one) > 1:
            problems.add(field, f"{name} has more than one column {one!r}")
    problems.raise_any()
    return list(dict.fromkeys(one for _, one in wanted))


def _read_csv(path: Path, time: str | None, columns: Iterable[str]) -> Rows:
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        lines = [(reader.line_num, cells) for cells in reader if cells]
    if not lines:
        raise InvalidInput([Problem("history", f"{path.name} is empty")])
    (_, header), *body = lines
    rows = Rows({}, np.array([number for number, _ in body], dtype=np.int64), "line")
    ragged = np.array([len(cells) != len(header) for _, cells in body], dtype=bool)
    chosen = _chosen(path.name, header, time, columns, "; line 1 must name the columns" if ragged.all() else "")
    if ragged.any():
        message = f"{path.name}: {rows.named(ragged)}: must have {len(header)} cells, as line 1 has"
        raise InvalidInput([Problem("history", message)])
    places = {one: header.index(one) for one in chosen}
    return rows._replace(columns={one: [cells[place] for _, cells in body] for one, place in places.items()})


def _read_parquet(path: Path, time: str | None, columns: Iterable[str]) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        header = pa.parquet.read_schema(path).names
        if not header:
            raise InvalidInput([Problem("history", f"{path.name} is empty")])
        chosen = _chosen(path.name, header, time, columns)
        table = pa.parquet.read_table(path, columns=chosen)
    except pa.ArrowException as error:
        raise InvalidInput([Problem("history", f"{path} is not readable as parquet: {error}")]) from error
    return Rows({one: _plain(table[one]) for one in chosen}, np.arange(1, table.num_rows + 1), "row")


def _plain(column: pa.ChunkedArray) -> list[Any]:
    """Return Python values; nanoseconds, which Python's datetime lacks, are cut to microseconds."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    return list(column.to_pylist())

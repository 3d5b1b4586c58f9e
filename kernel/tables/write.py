"""Results out, whole or not at all: Arrow, Parquet, CSV and text."""

# ruff: noqa: PLC0415 - pyarrow takes long to import: only where it is used

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from kernel.errors import InvalidInput, Problem, Problems

if TYPE_CHECKING:
    import pyarrow as pa

    from kernel.backtesting.result import Backtest
    from kernel.outcome import Outcome

OUTPUT_SUFFIXES = (".parquet", ".csv", ".json")


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


def table_of(columns: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> pa.Table:
    """Return columns, of which NaN is null, as a table, with metadata as JSON where it is given."""
    import pyarrow as pa

    carried = None if metadata is None else {b"margin_kernel": json.dumps(metadata).encode()}
    arrays = {name: pa.array(column, from_pandas=True) for name, column in columns.items()}
    return pa.table(arrays, metadata=carried)


def backtest_table(backtest: Backtest) -> pa.Table:
    """Return a row for each forecast, its columns as `Backtest.to_arrow` says, with the provenance as metadata."""
    import pyarrow as pa

    columns = {} if backtest.times is None else {"time": pa.array(backtest.times)}
    columns |= {"row": pa.array(backtest.rows), "market": pa.array(backtest.markets), "loss": pa.array(backtest.losses)}
    for k, level in enumerate(backtest.levels):
        for name in ("value_at_risk", "value_at_risk_error", "expected_shortfall", "expected_shortfall_error"):
            columns[f"{name}.{level:g}"] = pa.array(getattr(backtest, name)[k])
        columns[f"exception.{level:g}"] = pa.array(backtest.exceptions[k])
        columns[f"undecided.{level:g}"] = pa.array(backtest.undecided[k])
    for k, tier in enumerate(backtest.tiers):
        for name in ("breach_probability", "breach_probability_error", "breached"):
            columns[f"{name}.{tier}"] = pa.array(getattr(backtest, name)[k])
    for name, values in (("transform", "transforms"), ("paths", "paths"), ("by_bars", "by_bars")):
        columns[name] = pa.array(getattr(backtest, values))
    return pa.table(columns, metadata={b"margin_kernel": json.dumps(backtest.provenance).encode()})


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
    write_bytes(text.encode(), path)


def write_bytes(content: bytes, path: str | os.PathLike[str]) -> None:
    """Write bytes, whole or not at all.

    Raises:
        InvalidInput: for a path that cannot be written.
    """
    with _reported(path), _replacing(path) as file:
        file.write(content)


def check_output(
    path: str | os.PathLike[str],
    spared: Iterable[Path] = (),
    *,
    suffixes: Sequence[str] = OUTPUT_SUFFIXES,
    field: str = "output",
) -> None:
    """Check that a result can be written to a path; leave nothing there.

    Args:
        path: of a file.
        spared: files that must not be overwritten: what the result is made from.
        suffixes: that the file may have.
        field: that a problem names.

    Raises:
        InvalidInput: for an unknown suffix, a missing or unwritable folder, or a folder in the file's place.
    """
    problems = Problems()
    if Path(path).suffix not in suffixes:
        problems.add(field, f"must end in {' or '.join(suffixes)}, not {Path(path).name!r}")
    if any(os.path.realpath(path) == os.path.realpath(one) for one in spared):
        problems.add(field, f"{path} is what this command reads: choose another name")
    with problems.under(""), _reported(path, field):
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
    if target.exists() and not target.is_file():
        raise OSError(f"{target} is a device or a pipe, not a file")
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
def _reported(path: str | os.PathLike[str], field: str = "output") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidInput([Problem(field, f"{path} cannot be written: {error.strerror or error}")]) from error

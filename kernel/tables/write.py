"""Tables out: to Parquet, CSV or stdout."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kernel.errors import InvalidInput, Problem
from kernel.files import check_writable, replacing, reported
from kernel.tables.stdout import check_stdout, stdout_form
from kernel.tables.tabular import writers

if TYPE_CHECKING:
    import pyarrow as pa

OUTPUT_SUFFIXES = (".parquet", ".csv", ".json")


def write_table(table: pa.Table, path: str | os.PathLike[str]) -> None:
    """Write a table to .parquet or .csv, whole or not at all.

    Raises:
        InvalidInput: for any other suffix, or a path that cannot be written.
    """
    write = writers().get(Path(path).suffix.lower())
    if write is None:
        raise InvalidInput([Problem("output", f"must end in {' or '.join(writers())}, not {Path(path).name!r}")])
    with reported(path), replacing(path) as file:
        write(table, file)


def check_output(
    path: str | os.PathLike[str],
    spared: Iterable[Path] = (),
    *,
    suffixes: Sequence[str] = OUTPUT_SUFFIXES,
    field: str = "output",
    stdout: bool = False,
) -> None:
    """Check that a result can be written to a path; leave nothing there.

    Args:
        path: of a file.
        spared: files that must not be overwritten: what the result is made from.
        suffixes: that the file may have.
        field: that a problem names.
        stdout: whether "-", or a form such as "-.csv", is stdout rather than a file.

    Raises:
        InvalidInput: for an unknown suffix, a missing or unwritable folder, or a folder in the file's place.
    """
    if stdout and stdout_form(path):
        check_stdout(path, suffixes, field)
        return
    check_writable(path, suffixes, spared, field=field)

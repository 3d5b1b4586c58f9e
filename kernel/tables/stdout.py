"""Results to stdout: where a name says so, and in which form."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kernel.errors import InvalidInput, Problem
from kernel.tables.tabular import writers

if TYPE_CHECKING:
    import pyarrow as pa

_DEFAULT = ".json"


def stdout_form(path: str | os.PathLike[str] | None) -> str | None:
    """Return the suffix of the form that goes to stdout: .json for "-", else that of such as "-.csv"; None for a file.

    Example:
        >>> stdout_form("-"), stdout_form("-.csv"), stdout_form("folder/-.csv")
        ('.json', '.csv', None)
    """
    if path is None:
        return None
    name = Path(path)
    return (name.suffix.lower() or _DEFAULT) if name == Path(f"-{name.suffix}") else None


def form_of(path: str | os.PathLike[str]) -> str:
    """Return the suffix of the form in which a result goes to a file or to stdout.

    Example:
        >>> form_of("-"), form_of("out.CSV")
        ('.json', '.csv')
    """
    return stdout_form(path) or Path(path).suffix.lower()


def check_stdout(path: str | os.PathLike[str], suffixes: Sequence[str], field: str) -> None:
    """Check that a result can go to stdout in the form that a name states.

    Raises:
        InvalidInput: for another form, or a binary one on a terminal.
    """
    form, name = form_of(path), os.fspath(path)
    if form not in suffixes:
        known = " or ".join(f"-{suffix}" for suffix in suffixes)
        raise InvalidInput([Problem(field, f"to stdout must be {known}, not {name!r}")])
    if form == ".parquet" and sys.stdout is not None and sys.stdout.isatty():
        message = f"{name} is binary, and stdout a terminal: send it to a file or a pipe, or take -.csv"
        raise InvalidInput([Problem(field, message)])


def packed(table: pa.Table, form: str) -> bytes:
    """Return a table as the bytes of a .parquet or .csv file."""
    packing = io.BytesIO()
    writers()[form](table, packing)
    return packing.getvalue()

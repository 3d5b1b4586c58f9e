"""Results out, whole or not at all: Arrow, Parquet, CSV and text."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from kernel import checks
from kernel.errors import InvalidInput, Problem, Problems
from kernel.tables.stdout import check_stdout, stdout_form
from kernel.tables.tabular import writers
from kernel.text import system_path

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
    problems = Problems()
    checks.path(problems, field, path)
    problems.raise_any()
    if Path(path).suffix.lower() not in suffixes:
        problems.add(field, f"must end in {' or '.join(suffixes)}, not {Path(path).name!r}")
    if any(os.path.realpath(path) == os.path.realpath(one) for one in spared):
        problems.add(field, f"{path} is what this command reads: choose another name")
    with problems.under(""), _reported(path, field):
        temporary, target = _beside(path)
        with _created(temporary, target):
            temporary.unlink(missing_ok=True)
    problems.raise_any()


def _beside(path: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Return a new name in the folder of a file, and the file that a link may point to."""
    try:
        target = Path(os.path.realpath(system_path(path)))
    except ValueError as error:  # of a name that no file can have
        raise OSError(str(error)) from error
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent}")
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder")
    if target.exists() and not target.is_file():
        raise OSError(f"{target} is a device or a pipe, not a file")
    return target.with_name(f".margin-{secrets.token_hex(8)}.tmp"), target


@contextmanager
def _replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of `path` once it is complete, and vanishes if it never is."""
    temporary, target = _beside(path)
    try:
        with _created(temporary, target) as file:
            file.truncate()
            yield file
        if temporary.exists():
            _move(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _created(temporary: Path, target: Path) -> IO[bytes]:
    """Open a new file, or the target itself where it is there and its folder takes no new ones."""
    try:
        return temporary.open("xb")
    except OSError:
        if not target.exists():
            raise
        return target.open("r+b")


def _move(temporary: Path, target: Path) -> None:
    """Put a complete file in the place of another, whose mode it takes over."""
    with suppress(FileNotFoundError):
        temporary.chmod(stat.S_IMODE(target.stat().st_mode))
    try:
        temporary.replace(target)
    except OSError:  # the file is a mount of its own, as containers have them
        if not target.exists():
            raise
        with temporary.open("rb") as complete, target.open("r+b") as file:
            file.truncate()
            shutil.copyfileobj(complete, file)


@contextmanager
def _reported(path: str | os.PathLike[str], field: str = "output") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidInput([Problem(field, f"{path} cannot be written: {error.strerror or error}")]) from error

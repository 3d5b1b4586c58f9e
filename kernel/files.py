"""Files: read whole up to a limit, written whole or not at all."""

from __future__ import annotations

import gzip
import io
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from kernel import checks
from kernel.checks.text import system_path
from kernel.errors import InvalidInput, Problem, Problems

MOST_BYTES = 2**29  # of a file, also unpacked: seven million lines of bars
_MOST_RATIO, _ALWAYS = 200, 2**24  # times that files beyond so many bytes may unpack to
_BLOCK = 2**20


def check_file(path: Path, most: int = MOST_BYTES) -> None:
    """Check that a path leads to a file that is not too large.

    Raises:
        OSError: saying what stands there instead, or that there is too much of it.
    """
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError("it is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is a device, a pipe or a socket, not a file")
    if found.st_size > most:
        raise OSError(f"it has more than {size(most)}")


def read_content(path: Path, most: int = MOST_BYTES) -> bytes:
    """Read a file that is not too large.

    Raises:
        OSError: as `check_file` does.
    """
    check_file(path, most)
    with path.open("rb") as file:
        content = file.read(path.stat().st_size + 1)  # Python sets aside what it is asked to read
        while block := file.read(_BLOCK):  # it grows, or does not know its size
            content += block
            if len(content) > most:
                raise OSError(f"it has more than {size(most)}")
    return content


def unpacked(content: bytes) -> bytes:
    """Unpack gzip, as far as it is not too much.

    Raises:
        OSError: if it is no gzip, or unpacks to more than a file may have, or to more than 200 times its size.
    """
    most = min(MOST_BYTES, max(_ALWAYS, _MOST_RATIO * len(content)))
    blocks, total = [], 0
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        while block := file.read(_BLOCK):
            blocks.append(block)
            total += len(block)
            if total > most:
                raise OSError(f"its {size(len(content))} unpack to more than {size(most)}")
    return b"".join(blocks)


def size(count: int) -> str:
    """Write a number of bytes for people."""
    return f"{count / 2**20:,.0f} MiB" if count >= 2**20 else f"{count / 2**10:,.0f} KiB"


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
    with reported(path), replacing(path) as file:
        file.write(content)


def check_writable(
    path: str | os.PathLike[str], suffixes: Sequence[str], spared: Iterable[Path] = (), *, field: str = "output"
) -> None:
    """Check that a file can be written; leave nothing there.

    Args:
        path: of the file.
        suffixes: that it may have.
        spared: files that must not be overwritten: what the result is made from.
        field: that a problem names.

    Raises:
        InvalidInput: for an unknown suffix, a missing or unwritable folder, or a folder in the file's place.
    """
    problems = Problems()
    checks.path(problems, field, path)
    problems.raise_any()
    if Path(path).suffix.lower() not in suffixes:
        problems.add(field, f"must end in {' or '.join(suffixes)}, not {Path(path).name!r}")
    if any(os.path.realpath(path) == os.path.realpath(one) for one in spared):
        problems.add(field, f"{path} is what this command reads: choose another name")
    with problems.under(""), reported(path, field):
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
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
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
def reported(path: str | os.PathLike[str], field: str = "output") -> Iterator[None]:
    """Say of a file that cannot be written which it is, and why.

    Raises:
        InvalidInput: for any error of the system.
    """
    try:
        yield
    except OSError as error:
        raise InvalidInput([Problem(field, f"{path} cannot be written: {error.strerror or error}")]) from error

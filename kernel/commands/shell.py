"""The command's dealings with its shell: streams, and what shows that it works."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO

import click

from kernel.errors import one_line, printable

VIOLATED, INVALID = 1, 2  # exit codes
_SPELLED = {"±": "+-", "▼": "v"}  # where a stream's encoding lacks them
_LONGEST_LINE = 1_300  # letters of a sentence on stderr


def open_streams() -> None:
    """Put the null device in the place of standard streams that are closed: a file would take their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def _encodable(text: str, stream: IO[str]) -> str:
    """Spell out what a stream's encoding lacks, and bytes of files' names that are no text."""
    encoding, text = getattr(stream, "encoding", None) or "utf-8", printable(text)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for sign, spelled in _SPELLED.items():
            text = text.replace(sign, spelled)
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def say(text: str) -> None:
    """Write a line to stderr, if there is anyone to read it."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):  # a reader that has gone, or closed it
            click.echo(_encodable(text, sys.stderr), file=sys.stderr)


def note(sentence: str) -> None:
    """Write a sentence to stderr, on one line whatever a file's name or a file holds."""
    say(one_line(sentence, _LONGEST_LINE))


def refuse(messages: Sequence[str]) -> int:
    """Say what is wrong with the input, a line each; return the exit code."""
    for message in messages:
        note(f"error: {message}")
    return INVALID


def show(content: str | bytes) -> None:
    """Print a text, or data as they are, to stdout; a reader that has gone away is no error.

    Raises:
        click.ClickException: if stdout cannot be written otherwise.
    """
    if sys.stdout is None:
        raise click.ClickException("stdout: cannot be written: it is closed")
    try:
        text = _encodable(content, sys.stdout) if isinstance(content, str) else content
        click.echo(text, file=sys.stdout, nl=isinstance(text, str) and not text.endswith("\n"))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.ClickException(f"stdout: cannot be written: {error.strerror}") from error


# Progress


_UNKNOWN_WIDTH = 80
_LONGEST_BAR, _SHORTEST_BAR = 36, 4


def columns(stream: IO[str]) -> int:
    """Return the width of a terminal: what it says itself, or COLUMNS where that is less."""
    widths = []
    with suppress(OSError, ValueError):
        widths.append(os.get_terminal_size(stream.fileno()).columns)
    with suppress(ValueError):
        widths.append(int(os.environ.get("COLUMNS", "")))
    return min((width for width in widths if width > 0), default=_UNKNOWN_WIDTH)


def progress_line(label: str, share: float, left: float | None, width: int) -> str:
    """Draw a bar of a share done, with the seconds left where they are known, in less than a width.

    Example:
        >>> progress_line("paths", 0.5, 61.0, 41)
        'paths  [#######        ]   50%  00:01:01'
    """
    minutes, seconds = divmod(round(left), 60) if left is not None else (0, 0)
    behind = f"{int(100 * share):4}%" + (f"  {minutes // 60:02}:{minutes % 60:02}:{seconds:02}" if left else "")
    room = min(width - 1 - len(f"{label}  [] {behind}"), _LONGEST_BAR)
    done = int(share * room)
    bar = f"  [{'#' * done:{room}}] " if room >= _SHORTEST_BAR else " "
    return f"{label}{bar}{behind}"[: max(width - 1, 0)]


@contextmanager
def progress_bar(label: str, *, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar on a terminal, within its width, from the first call on; None: there is nobody to show it to."""
    stream = sys.stderr
    if quiet or stream is None or not stream.isatty():
        yield None
        return
    began, shown = time.perf_counter(), ""

    def update(done: int, of: int) -> None:
        nonlocal shown
        passed, share = time.perf_counter() - began, done / max(of, 1)
        left = passed / share - passed if 0 < share < 1 <= passed else None
        line = progress_line(label, share, left, columns(stream))
        if line != shown:
            with suppress(OSError, ValueError):  # the terminal has gone: the work goes on
                stream.write("\r" + line.ljust(min(len(shown), columns(stream) - 1)))
                stream.flush()
            shown = line

    try:
        yield update
    finally:
        if shown:
            say("")

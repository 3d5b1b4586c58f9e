"""The command's dealings with its shell: exit codes, streams, signals, and what shows that it works."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, NoReturn

import click

from kernel.errors import one_line, printable

VIOLATED, INVALID, INCOMPLETE, UNFORESEEN, INTERRUPTED = 1, 2, 3, 70, 130
_BY_SIGNAL = 128  # plus its number
_LOST = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)  # of a stream that takes no more
_SPELLED = {"±": "+-", "▼": "v"}  # where a stream's encoding lacks them
_STARTED = "kernel.started"
_LONGEST_LINE = 1_300  # letters of a sentence on stderr


class Group(click.Group):
    """Commands whose problems go to stderr, a line each, and whose exit codes tell them apart."""

    def main(self, *args: Any, **settings: Any) -> NoReturn:
        """Run a command and exit with its code: 0 done, 1 a violated limit and nothing else, 2 invalid input.

        3 is an executor lost before the work was done; 70 is a fault of the program, with its traceback; 130 and 143
        are interrupts and requests to end.
        """
        open_streams()
        settings = {"prog_name": "margin", **settings, "standalone_mode": False}
        try:
            with _ended_by_signals(), warnings.catch_warnings():
                warnings.showwarning = lambda message, *_, **__: note(f"note: {message}")
                code = super().main(*args, **settings)
        except (click.Abort, KeyboardInterrupt):
            say("interrupted")
            code = INTERRUPTED
        except _Ended as ended:
            say("terminated")
            code = _BY_SIGNAL + ended.signal
        except SystemExit:  # with 1, as click ends where the reader of a page of help has gone
            code = 0
        except Exception as error:  # noqa: BLE001 - none may leave with the code of a violated limit
            code = _explain(error)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command of a context, which knows when it began."""
        ctx.meta[_STARTED] = time.perf_counter()
        return super().invoke(ctx)


class _Ended(BaseException):
    """A signal asks the process to end."""

    def __init__(self, number: int) -> None:
        self.signal = number
        super().__init__(number)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let signals to end unwind the work, so that no half-written file stays; a second one ends at once."""

    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise _Ended(number)

    names = ("SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    ours = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]  # nohup ignores some
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _explain(error: Exception) -> int:
    """Say what is wrong; return the exit code."""
    problems = getattr(error, "problems", None)  # of kernel.InvalidInput, which takes long to import
    if problems is not None:
        invalid = refuse([str(problem) for problem in problems])
        return INCOMPLETE if getattr(error, "incomplete", False) else invalid
    if isinstance(error, MemoryError):
        return refuse(["memory: there is too little for this: use fewer paths, prices or candidates"])
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        hint = f" (see {context.command_path} --help)" if context is not None else ""
        return refuse([error.format_message() + hint])
    if isinstance(error, OSError) and error.errno in _LOST and error.filename is None:
        return refuse([f"stdout: cannot be written: {error.strerror}"])
    say("".join(traceback.format_exception(error)).rstrip())
    return UNFORESEEN


def seconds_since_start() -> float:
    """Return the seconds since the command of the current context began."""
    began: float = click.get_current_context().meta[_STARTED]
    return time.perf_counter() - began


# Streams


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


def show_json(value: object) -> None:
    """Print strict JSON to stdout, in ASCII."""
    show(json.dumps(value, indent=2, allow_nan=False))


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

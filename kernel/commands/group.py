"""The command's group: what its commands share of exit codes and signals, and how they are found."""

from __future__ import annotations

import errno
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NoReturn

import click

from kernel.commands.shell import note, open_streams, refuse, say

INCOMPLETE, UNFORESEEN, INTERRUPTED = 3, 70, 130
_BY_SIGNAL = 128  # plus its number
_LOST = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)  # of a stream that takes no more
_STARTED = "kernel.started"


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that arguments begin with, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.imported() if isinstance(command, Later) else command, rest


class Later(click.Command):
    """A command of which the name and the help's first sentence are known, and the rest when it is asked for.

    Args:
        name: of the command, and of it in its module.
        help: its first sentence, as `margin --help` shows it.
        module: that holds it.
    """

    def __init__(self, name: str, help: str, module: str) -> None:  # noqa: A002 - as click calls it
        super().__init__(name, help=help)
        self.module = module

    def imported(self) -> click.Command:
        """Return the command itself."""
        command: click.Command = getattr(import_module(self.module), str(self.name))
        return command


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

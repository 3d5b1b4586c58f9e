"""Child processes of tests: with signals as a terminal gives them, and gone when their test is."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux's prctl
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def script() -> list[str]:
    """Return the console script beside this Python, or else its module."""
    beside = shutil.which("margin", path=str(Path(sys.executable).parent))
    return [beside] if beside else [sys.executable, "-m", "kernel"]


def _prepared(ignored: Sequence[signal.Signals]) -> Callable[[], None]:
    parent = os.getpid()

    def prepare() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
        if _LIBC is not None:
            _LIBC.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


@contextmanager
def started(
    command: Sequence[str],
    *,
    cwd: Path = ROOT,
    environment: Mapping[str, str | None] | None = None,
    ignored: Sequence[signal.Signals] = (),
    **settings: Any,
) -> Iterator[subprocess.Popen[str]]:
    """Start a process in a session of its own, its output piped as UTF-8; kill what is left of the session at the end.

    Args:
        command: to run; the package is that of this checkout.
        cwd: its folder.
        environment: variables to set, or to take away where they are None.
        ignored: signals that it is to ignore, as those of a job in the background; others act as in a terminal.
        settings: further ones of `subprocess.Popen`.
    """
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8", "errors": "surrogateescape"}
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={name: value for name, value in variables.items() if value is not None},
        start_new_session=True,
        preexec_fn=_prepared(ignored),  # noqa: PLW1509 - what it calls is safe beside threads
        **{**streams, **settings},
    ) as process:
        try:
            yield process
        finally:
            _kill_session(process)


def _kill_session(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # nobody is left in it
        process.poll()


def finished(command: Sequence[str], **settings: Any) -> tuple[int, str, str]:
    """Run a process as `started` does to its end; return exit code, stdout and stderr."""
    with started(command, **settings) as process:
        out, err = process.communicate()
    return process.returncode, out or "", err or ""


def printed(command: Sequence[str], **settings: Any) -> str:
    """Run a process to its end, which must be a good one; return its stdout."""
    code, out, err = finished(command, **settings)
    assert code == 0, err
    return out


def without_compiling(err: str) -> str:
    """Return what the command said on stderr, but that it compiles: it does where nothing compiled is kept yet."""
    return re.sub(r"compiling the kernel.*\n", "", err)


def margin(*arguments: str, **settings: Any) -> tuple[int, str, str]:
    """Run the command in a process of its own."""
    code, out, err = finished([*script(), *arguments], **settings)
    return code, out, without_compiling(err)

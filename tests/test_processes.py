"""Tests have a limit of time, and children that end with them."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests import processes

CONFTEST = """
import tests.limits
tests.limits.QUICK = 3.0
from tests.limits import pytest_configure, pytest_runtest_protocol
"""
WAITING = """
import sys, pathlib
from tests import processes

def test_that_waits_for_ever():
    call = [sys.executable, "-c", "print(flush=True)\\nwhile True: pass"]
    with processes.started(call) as process:
        process.stdout.readline()
        pathlib.Path("child").write_text(str(process.pid), encoding="utf-8")
        process.wait()
"""


def gone(process: int) -> bool:
    """Wait for a process to end; tell whether it did."""
    for _ in range(500):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{process}/stat")
        if state.exists() and ") Z " in state.read_text(encoding="utf-8"):  # ended, and nobody has asked yet
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system ends no children with their parent")
def test_a_test_that_waits_for_ever_is_ended_with_its_child(tmp_path: Path) -> None:
    """Beyond its limit the stack is shown and the process ends, and the child that it waited for ends with it."""
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_waiting.py").write_text(WAITING, encoding="utf-8")
    call = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        ".",
        "-c",
        os.devnull,
        "test_waiting.py",
    ]
    code, out, err = processes.finished(call, cwd=tmp_path)
    assert code == 1
    assert "test_that_waits_for_ever" in out + err
    assert "Timeout (0:00:03)!" in err
    assert gone(int((tmp_path / "child").read_text(encoding="utf-8")))


def test_a_child_ends_with_the_block_that_started_it() -> None:
    """Leaving the block, here by an error, kills the child and what it started, also where these ignore signals."""
    program = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1e6)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(1e6)\n"
    )
    with suppress(ZeroDivisionError), processes.started([sys.executable, "-c", program]) as process:
        assert process.stdout is not None
        grandchild = int(process.stdout.readline())
        raise ZeroDivisionError
    assert process.returncode == -signal.SIGKILL
    assert gone(grandchild)


def test_a_child_hears_signals_that_the_tests_ignore() -> None:
    """SIGINT interrupts a child even if the tests run in the background, where shells ignore it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        call = [sys.executable, "-c", "import time\nprint(flush=True)\ntime.sleep(1e6)"]
        with processes.started(call) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            process.communicate()
        assert process.returncode == -signal.SIGINT
    finally:
        signal.signal(signal.SIGINT, before)

"""The command among others: signals, closed streams, strange names and surroundings, and what it shows meanwhile."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import struct
import sys
import termios
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import kernel.simulation.simulate
from kernel.commands.main import main
from kernel.commands.shell import progress_line
from tests import processes
from tests.test_cli import CONFIG, FITTED

SCRIPT = processes.script()
PATIENCE = 120.0  # seconds, for a process that compiles first
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a config file and 100 prices."""
    (tmp_path / "run.toml").write_text(CONFIG, encoding="utf-8")
    prices = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0.0, 0.02, 100)))
    days = np.datetime64("2020-01-01") + np.arange(100)
    rows = [f"{day},{price:.4f}" for day, price in zip(days, prices, strict=True)]
    (tmp_path / "btc.csv").write_text("\n".join(["Date,Close", *rows]), encoding="utf-8")
    return tmp_path


def names(folder: Path) -> list[str]:
    """List what lies in a folder, but for what it began with."""
    return sorted({one.name for one in folder.iterdir()} - {"run.toml", "btc.csv"})


# Signals


@contextmanager
def terminal(columns: int) -> Iterator[tuple[int, int]]:
    """Yield both ends of a terminal: the one to read what is shown, the one to show it."""
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    try:
        yield ours, its
    finally:
        os.close(ours)
        os.close(its)


def shown_until(ours: int, word: bytes) -> bytes:
    """Read what a terminal shows until a word has come."""
    seen = b""
    while word not in seen:
        assert select.select([ours], [], [], PATIENCE)[0], f"nothing comes after {seen!r}"
        seen += os.read(ours, 4096)
    return seen


@pytest.mark.parametrize(
    ("number", "ignored", "code", "word"),
    [
        (signal.SIGINT, [], 130, b"interrupted"),
        (signal.SIGTERM, [], 143, b"terminated"),
        (signal.SIGTERM, [signal.SIGINT], 143, b"terminated"),  # as the shell starts jobs in the background
        (signal.SIGHUP, [], 129, b"terminated"),
        (signal.SIGTERM, [signal.SIGHUP], 143, b"terminated"),  # as nohup does
    ],
)
def test_signals_end_a_run_with_a_word_and_no_file(
    folder: Path, number: signal.Signals, ignored: list[signal.Signals], code: int, word: bytes
) -> None:
    """Each signal that asks to end is obeyed in the middle of the work, also where others are ignored."""
    call = [*SCRIPT, "run", "run.toml", "--paths", "1e8", "--set", "simulation.steps=10000", "--output", "out.json"]
    with (
        terminal(80) as (ours, its),
        processes.started(call, cwd=folder, ignored=ignored, stderr=its) as process,
    ):
        shown_until(ours, b"paths  [")
        process.send_signal(number)
        shown_until(ours, word)
        assert process.wait() == code
    assert names(folder) == []


def test_a_request_to_end_while_writing_leaves_no_part_of_a_file(folder: Path) -> None:
    """SIGTERM in the middle of a large table takes the half-written file away."""
    call = [*SCRIPT, "run", "run.toml", "--paths", "3e6", "--output", "out.csv"]
    with processes.started(call, cwd=folder) as process:
        while not names(folder):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert (process.wait(), names(folder)) in [(143, []), (143, ["out.csv"])]  # written whole just before


def test_what_ignores_hangups_goes_on(folder: Path) -> None:
    """A run under nohup outlives its terminal."""
    call = [*SCRIPT, "run", "run.toml", "--paths", "1e8", "--set", "simulation.steps=10000"]
    with (
        terminal(80) as (ours, its),
        processes.started(call, cwd=folder, ignored=[signal.SIGHUP], stderr=its) as process,
    ):
        shown_until(ours, b"paths  [")
        process.send_signal(signal.SIGHUP)
        shown_until(ours, b"0%")
        assert process.poll() is None


# Exit codes


def test_a_fault_of_the_program_is_no_violated_limit(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What nobody foresaw ends with 70 and its traceback on stderr: 1 says that a limit is violated, and only that."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr(kernel.simulation.simulate, "simulate", fail)
    with pytest.raises(SystemExit) as left:
        main(["run", str(folder / "run.toml")])
    out, err = capsys.readouterr()
    assert (left.value.code, out) == (70, "")
    assert err.startswith("Traceback (most recent call last):\n")
    assert err.endswith("ZeroDivisionError: unforeseen\n")


# Streams


def redirected(redirection: str, *arguments: str, folder: Path) -> tuple[int, str, str]:
    """Run the command with a redirection of the shell."""
    shell = ["sh", "-c", f'exec "$@" {redirection}', "sh", *SCRIPT, *arguments]
    return processes.finished(shell, cwd=folder)


def test_closed_stderr_costs_what_is_said_there(folder: Path) -> None:
    """Without stderr, or any stream but stdout, results are printed and codes tell."""
    for redirection in ("2>&-", "<&- 2>&-"):
        code, out, err = redirected(redirection, "run", "run.toml", folder=folder)
        assert (code, err) == (0, "")
        assert "expected shortfall" in out
    assert redirected("2>&-", "run", "none.toml", folder=folder) == (2, "", "")
    assert redirected("2>&-", "run", "run.toml", "--fail-if", "breach_probability(call) > 0", folder=folder)[0] == 1


def test_closed_stdout_is_named(folder: Path) -> None:
    """Results that cannot be printed are an error in one line; a file that is asked for is written all the same."""
    told = "error: stdout: cannot be written: it is closed\n"
    assert redirected(">&-", "info", folder=folder) == (2, "", told)
    for redirection, heard in ((">&-", told), (">&- 2>&- <&-", "")):
        code, out, err = redirected(redirection, "run", "run.toml", "--quiet", "--output", "out.json", folder=folder)
        assert (code, out, err) == (2, "", heard)
        assert json.loads((folder / "out.json").read_text(encoding="utf-8"))["schema"] == 1
        (folder / "out.json").unlink()
    assert redirected(">&-", "init", folder=folder)[0] == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
@pytest.mark.parametrize("arguments", [["info"], ["run", "--help"]])
def test_a_full_disk_is_no_violation(folder: Path, arguments: list[str]) -> None:
    """What cannot be printed ends in a sentence and exit code 2, not in that of a violated limit."""
    told = redirected(">/dev/full", *arguments, folder=folder)
    assert told == (2, "", "error: stdout: cannot be written: No space left on device\n")


@pytest.mark.parametrize("arguments", [["run", "run.toml"], ["run", "--help"]])
def test_a_reader_that_leaves_is_no_error(folder: Path, arguments: list[str]) -> None:
    """A closed pipe on stdout ends with 0 and without a traceback."""
    with processes.started([*SCRIPT, *arguments], cwd=folder) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert processes.without_compiling(process.stderr.read()) == ""
    assert process.returncode == 0


def test_a_reader_of_stderr_that_leaves_changes_no_code(folder: Path) -> None:
    """A violated limit exits with 1 and wrong input with 2 also where nobody hears of it."""
    for rest, code in ((["--fail-if", "breach_probability(call) > 0"], 1), (["--paths", "x"], 2)):
        with processes.started([*SCRIPT, "run", "run.toml", *rest], cwd=folder) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stderr.close()
            process.stdout.read()
        assert process.returncode == code


def test_ascii_terminals_get_ascii(folder: Path) -> None:
    """Where stdout takes ASCII alone, signs are spelled and other letters escaped; figures stay."""
    code, out, err = processes.margin("fit", "btc.csv", "--market", "gbm", cwd=folder, environment=ASCII)
    assert (code, err) == (0, "")
    assert out.isascii()
    assert "; +- standard error" in out
    named = os.fsdecode("比特.csv".encode())  # also where this process takes names for ASCII
    (folder / named).write_bytes((folder / "btc.csv").read_bytes())
    code, out, err = processes.margin("fit", named, "--market", "gbm", cwd=folder, environment=ASCII)
    assert (code, err) == (0, "")
    assert out.startswith("\\u6bd4\\u7279.csv: 100 prices of \\u6bd4\\u7279 from 2020-01-01")


def test_documents_name_files_in_utf8_whatever_the_locale(folder: Path) -> None:
    """A config that names its history in letters beyond ASCII finds it under a locale of ASCII."""
    (folder / os.fsdecode("比特.csv".encode())).write_bytes((folder / "btc.csv").read_bytes())
    text = FITTED.replace("prices.csv", "比特.csv")
    (folder / "fitted.toml").write_text(text, encoding="utf-8")
    code, out, err = processes.margin("run", "fitted.toml", cwd=folder, environment=ASCII)
    assert (code, err) == (0, "")
    assert "fitted to \\u6bd4\\u7279.csv: 100 prices from 2020-01-01" in out


# Names and surroundings


def test_names_that_are_not_utf8_are_shown_escaped(folder: Path) -> None:
    """A file whose name is no text can be read, written and named, in valid JSON and TOML."""
    strange = os.fsdecode(b"x\xff")
    try:
        (folder / f"{strange}.csv").write_bytes((folder / "btc.csv").read_bytes())
    except OSError:
        pytest.skip("the file system takes UTF-8 names alone")
    call = ["fit", f"{strange}.csv", "--market", "gbm", "--output", f"{strange}.toml", "--plot", f"{strange}.svg"]
    code, out, err = processes.margin(*call, cwd=folder)
    assert code == 0, err
    assert out.startswith("x\\xff.csv: 100 prices of x\\xff from 2020-01-01")
    assert err == "wrote x\\xff.svg\nwrote x\\xff.toml; next: margin run CONFIG --market x\\xff.toml\n"
    market = tomllib.loads((folder / f"{strange}.toml").read_text(encoding="utf-8"))["market"]
    assert market["assets"] == ["x\\xff"]
    rest = ["--market", f"{strange}.toml", "--set", "account.positions[0].asset=x\\xff", "--format", "json"]
    code, out, err = processes.margin("run", "run.toml", *rest, "--output", f"{strange}.parquet", cwd=folder)
    assert (code, json.loads(out)["market_file"]) == (0, "x\\xff.toml"), err
    code, _, err = processes.margin("run", f"{strange}.none", cwd=folder)
    assert (code, err) == (2, "error: x\\xff.none: must be a .toml or .json file\n")


NO_HOME = """
import os, pwd, sys
def unknown(_): raise KeyError
pwd.getpwuid = unknown
from kernel.commands.main import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize("arguments", [["run", "run.toml"], ["fit", "btc.csv", "--plot", "fit.png"]])
def test_users_without_a_home_are_served(folder: Path, arguments: list[str]) -> None:
    """A user whom the system does not know, as containers have them, has no home folder and needs none."""
    unset = {"HOME": None, "XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None, "MPLCONFIGDIR": None}
    code, out, err = processes.finished([sys.executable, "-c", NO_HOME, *arguments], cwd=folder, environment=unset)
    assert code == 0, err
    assert out
    assert "Traceback" not in err


def test_a_switched_off_compiler_is_named(folder: Path) -> None:
    """NUMBA_DISABLE_JIT, under which no kernel runs, ends in the line that says what to do."""
    told = processes.margin("run", "run.toml", cwd=folder, environment={"NUMBA_DISABLE_JIT": "1"})
    assert told == (2, "", "error: NUMBA_DISABLE_JIT: is set, and the kernels only run compiled: unset it\n")


def test_a_notebooks_backend_is_no_hindrance(folder: Path) -> None:
    """Figures are drawn under the MPLBACKEND of a notebook whose package is not installed here."""
    backend = {"MPLBACKEND": "module://of_a_notebook.backend_inline"}
    code, _, err = processes.margin(
        "fit", "btc.csv", "--market", "gbm", "--plot", "fit.png", cwd=folder, environment=backend
    )
    assert (code, err) == (0, "wrote fit.png\n")
    assert (folder / "fit.png").read_bytes().startswith(b"\x89PNG")


# What is shown meanwhile


def test_bars_keep_within_any_width() -> None:
    """Whatever the width, share and time left, a line is narrower than the terminal; given room it has a bar."""
    for width in range(1, 200):
        for share in (0.0, 0.004, 0.5, 1.0):
            for left in (None, 0.0, 61.0, 1e6):
                line = progress_line("forecasts", share, left, width)
                assert len(line) < width
                assert "[" in line or width < 40
    assert progress_line("paths", 0.25, 3_661.0, 100) == f"paths  [{'#' * 9:36}]   25%  01:01:01"
    assert progress_line("paths", 1.0, None, 100) == f"paths  [{'#' * 36}]  100%"


@pytest.mark.parametrize(("columns", "stated"), [(40, "100"), (100, "40")])
def test_a_bar_stays_on_its_line(folder: Path, columns: int, stated: str | None) -> None:
    """On a terminal of 40 columns, or where COLUMNS says so, the bar is redrawn in place and never wraps."""
    call = [*SCRIPT, "run", "run.toml", "--paths", "3e7", "--threads", "1"]
    with (
        terminal(columns) as (ours, its),
        processes.started(call, cwd=folder, stderr=its, environment={"COLUMNS": stated}) as process,
    ):
        seen = shown_until(ours, b"100%\r\n").decode()
        process.communicate()
    lines = [line for line in seen.split("\r") if line.startswith("paths")]
    assert len(lines) > 5
    assert max(map(len, lines)) < 40


def test_compiling_is_announced_and_timed_apart(folder: Path) -> None:
    """Where nothing compiled is kept a line says so first, and the time for it stands beside that of simulating."""
    environment = {"NUMBA_CACHE_DIR": str(folder / "cache")}
    for verb in ("compiled", "loaded"):
        call = [*SCRIPT, "run", "run.toml", "--output", "out.json"]
        code, out, err = processes.finished(call, cwd=folder, environment=environment)
        assert code == 0
        assert err.startswith(f"compiling the kernel, once: kept in {folder}") == (verb == "compiled")
        told = json.loads((folder / "out.json").read_text(encoding="utf-8"))
        assert told["compiled"] == (verb == "compiled")
        assert told["all_seconds"] > told["seconds"] > told["kernel_seconds"] > 0
        simulated = told["seconds"] - told["kernel_seconds"]
        assert simulated < 0.5 * told["seconds"]  # 2,000 paths
        took = (f"{seconds:.2f} s" for seconds in (told["kernel_seconds"], simulated, told["all_seconds"]))
        assert "{} in {}, simulated in {}, {} in all".format(verb, *took) in out

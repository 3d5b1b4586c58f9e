"""`margin run --executor`: the numbers of threads from other workers, and one line where they cannot be had."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kernel.commands.main import main
from kernel.errors import InvalidInput
from kernel.simulation import simulate as simulation
from kernel.simulation.execution import memory, pools
from kernel.simulation.execution.pools import parse_executor
from tests import processes
from tests.test_cli import CONFIG

ROOT = Path(__file__).parents[1]
LIMIT = 60.0  # seconds that nothing here comes near

Margin = Callable[..., tuple[int, str, str]]


@pytest.fixture
def margin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Margin:
    """Run the command in this process, in a folder with a config file; return exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(CONFIG, encoding="utf-8")

    def _margin(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        out, err = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return left.value.code, out, err

    return _margin


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("processes:8", (8, "")),
        ("dask://localhost:8786", (0, "tcp://localhost:8786")),
        ("dask://10.0.0.7:8786/", (0, "tcp://10.0.0.7:8786")),
        ("dask://[::1]:8786", (0, "tcp://[::1]:8786")),
    ],
)
def test_executors_are_stated_by_kind(text: str, stated: tuple[int, str]) -> None:
    """Processes have a number, Dask has the address of its scheduler."""
    assert parse_executor(text) == stated


@pytest.mark.parametrize(
    "text",
    ["", "threads:2", "processes", "processes:0", "processes:-1", "processes:4097", "processes:²", "processes:99999",
     "dask", "dask:host:1", "dask://host", "dask://:8786", "dask://h\nost:1", "dask://host:1x", "dask://a b:1"],
)  # fmt: skip
def test_other_executors_are_refused(text: str) -> None:
    """Anything else is refused with what would be right."""
    with pytest.raises(
        InvalidInput, match=r"executor: must be processes:N, with N from 1 to 4096, or dask://HOST:PORT"
    ):
        parse_executor(text)


def _figures(out: str) -> dict[str, Any]:
    """Return what a run printed, but for what it took."""
    found: dict[str, Any] = json.loads(out)
    return {name: value for name, value in found.items() if "second" not in name and name != "performance"}


def test_processes_print_what_threads_print(margin: Margin) -> None:
    """The figures of two worker processes are those of the own threads, and no process is left behind."""
    arguments = ("run", "run.toml", "--format", "json", "--quiet")
    code, out, _ = margin(*arguments)
    assert code == 0
    code, other, err = margin(*arguments, "--executor", "processes:2")
    assert (code, err) == (0, "")
    assert _figures(other) == _figures(out)
    assert multiprocessing.active_children() == []


def test_what_is_wrong_with_an_executor_comes_with_other_problems(margin: Margin) -> None:
    """A bad executor, and threads beside it, are told with what else is wrong, before anything starts."""
    code, _, err = margin("run", "run.toml", "--executor", "gpu:1", "--threads", "2", "--paths", "0")
    fields = [line.split(":")[1].strip() for line in err.splitlines()]
    assert (code, fields) == (2, ["simulation.paths", "executor", "threads"])


def test_dask_where_nobody_answers_is_one_line(margin: Margin, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address without a scheduler ends in a line, within the time that connecting may take."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(pools, "_CONNECT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    code, out, err = margin("run", "run.toml", "--executor", f"dask://127.0.0.1:{port}")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(f"error: executor: no Dask scheduler answers at tcp://127.0.0.1:{port}: ")


def test_dask_that_is_not_installed_is_one_line(margin: Margin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the line says which one to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, _, err = margin("run", "run.toml", "--executor", "dask://127.0.0.1:1")
    assert (code, err) == (2, 'error: executor: dask:// needs Dask: pip install "margin-kernel[dask]"\n')


def test_a_cluster_runs_the_command(margin: Margin, tmp_path: Path) -> None:
    """The figures of a Dask cluster, reached by its address, are those of the own threads."""
    distributed = pytest.importorskip("distributed")
    arguments = ("run", "run.toml", "--format", "json", "--quiet")
    settings = {"dashboard_address": ":0", "local_directory": str(tmp_path), "host": "127.0.0.1"}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, protocol="tcp", **settings) as up:
        code, out, err = margin(*arguments, "--executor", up.scheduler_address.replace("tcp", "dask"))
    assert (code, err) == (0, "")
    assert _figures(out) == _figures(margin(*arguments)[1])


def test_a_lost_worker_leaves_the_command_incomplete(margin: Margin, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker process that is killed ends the command with 3 and one line."""
    monkeypatch.setattr(pools, "_end_with_parent", _die)
    code, out, err = margin("run", "run.toml", "--quiet", "--executor", "processes:1")
    assert (code, out, len(err.splitlines())) == (3, "", 1)
    assert err.startswith("error: executor: lost a worker, stopped perhaps for the memory that it took")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads Linux's list of child processes")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)], ids=str)
def test_worker_processes_end_with_the_command(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Interrupted or killed, the command leaves no worker process behind, and an interrupt is one line."""
    (tmp_path / "run.toml").write_text(CONFIG, encoding="utf-8")
    work = ["run", "run.toml", "--quiet", "--paths", "1e9", "--executor", "processes:1"]
    with processes.started([sys.executable, "-m", "kernel", *work], cwd=tmp_path) as process:
        workers = _wait(lambda: _busy(process.pid))
        process.send_signal(number)
        _, err = process.communicate(timeout=LIMIT)
    assert process.returncode == code
    assert number != signal.SIGINT or err.split() == ["interrupted"]
    _wait(lambda: not any(_runs(one) for one in workers))


def _wait(condition: Callable[[], Any]) -> Any:
    """Wait until a condition is met, and return what meets it."""
    until = time.monotonic() + LIMIT
    while not (met := condition()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return met


def _busy(pid: int) -> list[int]:
    """Return the children of a process once one of them has worked for a second."""
    children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]
    ticks = [
        sum(map(int, Path(f"/proc/{one}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]))
        for one in children
    ]
    return children if any(one > os.sysconf("SC_CLK_TCK") for one in ticks) else []


def _runs(pid: int) -> bool:
    """Tell whether a process is there, and no zombie that waits for somebody to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_too_many_paths_for_the_memory_are_one_line(margin: Margin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths that a table would want all in memory are refused with their bytes and with what would do."""
    monkeypatch.setattr(memory, "available_memory", lambda: 10**9)
    monkeypatch.setattr(simulation, "new_arrays", lambda *_: pytest.fail("allocated"))
    code, _, err = margin("run", "run.toml", "--paths", "1e9", "--output", "out.parquet")
    assert (code, len(err.splitlines())) == (2, 1)
    assert err.startswith("error: simulation.paths: 1,000,000,000 would take 16,000,000,000 bytes of memory")
    assert "a .json --output or none" in err
    assert not Path("out.parquet").exists()

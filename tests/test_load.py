"""`kernel.load`: what the command runs, from Python, from files, stdin or sections."""

from __future__ import annotations

import copy
import io
import json
import pickle
import sys
import tomllib
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import kernel
from kernel.commands.main import main
from kernel.report.introduction import Took
from kernel.report.run import results
from tests.test_cli import CONFIG, FITTED

PRICES = "Date,Close\n2020-01-01,100\n2020-01-02,103\n2020-01-03,99\n2020-01-04,101\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with two config files and the history that one of them names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "fitted.toml").write_text(FITTED, encoding="utf-8")
    (tmp_path / "prices.csv").write_text(PRICES, encoding="utf-8")


def _told(*arguments: str, stdin: str | bytes | None = None) -> dict[str, Any]:
    """Return what the command prints as JSON."""
    done = CliRunner().invoke(main, ["run", *arguments, "--format", "json"], input=stdin)
    assert (done.exit_code, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return {name: value for name, value in found.items() if name not in Took._fields}


def _of_python(run: kernel.Run, **changes: Any) -> dict[str, Any]:
    found = json.loads(json.dumps(results(run, run.simulate(**changes), Took(0.0, 0.0, False, 0.0))))
    return {name: value for name, value in found.items() if name not in Took._fields}


@pytest.mark.parametrize("name", ["run.toml", "fitted.toml"])
@pytest.mark.parametrize(
    "stated", [(), ("seed=7", "worst=true"), ("importance='call'",)], ids=["as it is", "worst", "importance"]
)
def test_python_runs_what_the_command_runs(name: str, stated: tuple[str, ...]) -> None:
    """Every number, the provenance and the history of `margin run` are those of `kernel.load(...).simulate()`."""
    overrides = [f"simulation.{one}" for one in stated]
    options = [part for one in overrides for part in ("--set", one)]
    assert _of_python(kernel.load(name, overrides)) == _told(name, *options)


def test_settings_may_be_replaced_when_it_runs() -> None:
    """Keywords of `simulate` stand in for what the config states; paths are kept where they are asked for."""
    run = kernel.load("run.toml")
    assert _of_python(run, seed=9)["provenance"] == _told("run.toml", "--seed", "9")["provenance"]
    assert run.simulate().loss is None
    assert run.simulate(record="paths").loss is not None
    assert kernel.load("run.toml", ["simulation.record=paths"]).simulate().loss is not None
    with pytest.raises(kernel.InvalidInput, match=r"simulation\.paths: must be from 1"):
        run.simulate(paths=0)


def test_what_was_loaded_is_frozen_and_travels() -> None:
    """A run cannot be changed, and comes out of another process as it went in."""
    run = kernel.load("fitted.toml")
    with pytest.raises(FrozenInstanceError):
        run.levels = (0.5,)  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(run)).simulate().provenance == run.simulate().provenance


def test_sections_may_be_stated_in_python() -> None:
    """A mapping says what a file of it says, tuples are lists, and it is left as it was."""
    sections = tomllib.loads(CONFIG)
    sections["measures"] = {"levels": (0.95, 0.99)}
    before = copy.deepcopy(sections)
    run = kernel.load(sections, {"simulation.seed": 3})
    assert sections == before
    assert _of_python(run) == _told("run.toml", "--seed", "3")
    assert run.files == ()
    fitted = tomllib.loads(FITTED)
    assert kernel.load(fitted).files == (Path("prices.csv"),)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (5, "config: must be the name of a file, '-' for stdin, or a mapping of sections, not int"),
        (None, "config: must be the name of a file, '-' for stdin, or a mapping of sections, not NoneType"),
        ([1], "config: must be the name of a file, '-' for stdin, or a mapping of sections, not list"),
        ({1: 2}, "config: must have texts as keys, not 1"),
        ({"account": {"positions": [{2: 3}]}}, "account.positions[0]: must have texts as keys, not 2"),
    ],
)
def test_what_is_no_config_is_refused(config: Any, message: str) -> None:
    """Another kind of argument, or of key, is named with what would be right."""
    with pytest.raises(kernel.InvalidInput) as refused:
        kernel.load(config)
    assert str(refused.value) == message


@pytest.mark.parametrize("form", ["toml", "json", "windows"])
def test_configs_come_from_stdin(form: str) -> None:
    """TOML and JSON are told apart by content, and say what a file says; a byte order mark and CRLF are fine."""
    texts: dict[str, str | bytes] = {
        "toml": CONFIG,
        "json": "\n " + json.dumps(tomllib.loads(CONFIG)),
        "windows": b"\xef\xbb\xbf" + CONFIG.replace("\n", "\r\n").encode(),
    }
    assert _told("-", "--seed", "3", stdin=texts[form]) == _told("run.toml", "--seed", "3")


def test_other_commands_read_stdin_too() -> None:
    """`validate` and `threshold` take - as well; histories are looked for in the folder."""
    done = CliRunner().invoke(main, ["validate", "-"], input=FITTED)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.endswith("stdin is valid\n")
    arguments = ["--probability", "10%", "--format", "json"]
    found = [
        json.loads(CliRunner().invoke(main, ["threshold", name, *arguments], input=CONFIG).stdout)["thresholds"]
        for name in ("run.toml", "-")
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff", "stdin: is not UTF-8 text"),
        (b"[market", "stdin: is not valid TOML or JSON: Expected ']'"),
        (b'{"market": }', "stdin: is not valid TOML or JSON: Expecting value: line 1"),
        (b"", "market: is required: a section [market]"),
    ],
)
def test_what_stdin_lacks_is_told(text: bytes, message: str) -> None:
    """A stream that is no config, or is empty, ends with a line that says so."""
    done = CliRunner().invoke(main, ["run", "-"], input=text)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}")


def test_a_closed_stdin_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no stdin at all, one line says so."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(kernel.InvalidInput, match="stdin: cannot be read: it is closed"):
        kernel.load("-")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CONFIG.encode())))
    assert kernel.load("-").simulation["paths"] == 2_000

"""Output to stdout: data and nothing else."""

from __future__ import annotations

import io
import json
import os
import pty
import sys
import tomllib
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from kernel.commands.main import main
from kernel.report.introduction import Took
from tests import processes
from tests.test_cli import CONFIG


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with a config file and prices."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(CONFIG, encoding="utf-8")
    days = (date(2020, 1, 1) + timedelta(day) for day in range(80))
    rows = "".join(f"{day},{100 + day.day % 5}\n" for day in days)
    (tmp_path / "prices.csv").write_text(f"Date,Close\n{rows}", encoding="utf-8")


def _call(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(main, list(arguments))
    assert done.exit_code == code
    assert not list(Path().glob("-*"))
    return done


def _without_seconds(text: str) -> object:
    return {name: value for name, value in json.loads(text).items() if name not in Took._fields}


def test_json_goes_to_stdout_and_the_report_to_stderr() -> None:
    """With --output - stdout is the JSON of a file, and what people read stands on stderr."""
    done = _call("run", "run.toml", "--output", "-")
    _call("run", "run.toml", "--output", "out.json")
    assert _without_seconds(done.stdout) == _without_seconds(Path("out.json").read_text(encoding="utf-8"))
    assert done.stderr.startswith("1 position on BTC, gbm market, over 5 d\n")
    assert done.stderr.endswith("are held to the horizon.\n")


@pytest.mark.parametrize("command", [["run"], ["threshold", "--probability", "10%"]], ids=["run", "threshold"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables_go_to_stdout(command: list[str], form: str) -> None:
    """-.csv and -.parquet are the bytes of a table, with its provenance; JSON as a report is on stderr."""
    done = _call(*command, "run.toml", "--output", f"-.{form}", "--format", "json")
    _call(*command, "run.toml", "--output", f"out.{form}")
    read = {"csv": pa.csv.read_csv, "parquet": pa.parquet.read_table}[form]
    table = read(io.BytesIO(done.stdout_bytes))
    assert table.equals(read(f"out.{form}"), check_metadata=True)
    assert json.loads(done.stderr)["schema"] == 1


def test_markets_and_forecasts_go_to_stdout() -> None:
    """`fit` writes TOML or JSON there, `backtest` its forecasts; neither names a file that is none."""
    fitted = _call("fit", "prices.csv", "--market", "gbm", "--output", "-.toml")
    market = tomllib.loads(fitted.stdout)["market"]
    assert market == json.loads(_call("fit", "prices.csv", "--market", "gbm", "--output", "-").stdout)["market"]
    assert "wrote" not in fitted.stderr
    sizes = ["--market", "gbm", "--window", "60", "--paths", "1000", "--level", "50%"]
    tested = _call("backtest", "prices.csv", *sizes, "--output", "-.csv")
    _call("backtest", "prices.csv", *sizes, "--output", "out.csv")
    assert tested.stdout == Path("out.csv").read_text(encoding="utf-8")
    assert "coverage" in tested.stderr


def test_an_example_flows_into_its_check() -> None:
    """`margin init -` writes what `margin validate -` finds valid."""
    example = _call("init", "-")
    assert example.stderr == ""
    assert CliRunner().invoke(main, ["validate", "-"], input=example.stdout).exit_code == 0


def test_violations_still_decide_the_exit_code() -> None:
    """A violated limit exits with 1 after the data are out."""
    done = _call("run", "run.toml", "--output", "-", "--fail-if", "breach_probability(call) > 0", code=1)
    assert json.loads(done.stdout)["schema"] == 1
    assert "violated: " in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "run.toml", "--output", "-.toml"], "output: to stdout must be -.parquet or -.csv or -.json"),
        (["fit", "prices.csv", "--output", "-.csv"], "output: to stdout must be -.toml or -.json, not '-.csv'"),
        (["bench", "--output", "-.csv"], "output: to stdout must be -.json, not '-.csv'"),
        (["threshold", "run.toml", "--probability", "10%", "--plot", "-"], "plot: must end in .png or .svg, not '-'"),
    ],
)
def test_other_forms_are_refused(arguments: list[str], message: str) -> None:
    """A form that a command has not is refused with those that it has."""
    done = _call(*arguments, code=2)
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {message}")


@pytest.mark.parametrize(("form", "code"), [(".parquet", 2), (".csv", 0)])
def test_a_terminal_gets_no_binary(form: str, code: int) -> None:
    """Parquet to a terminal is refused before anything is simulated; text is not."""
    ours, theirs = pty.openpty()
    call = [sys.executable, "-m", "kernel", "run", "run.toml", "--paths", "2", "--output", f"-{form}"]
    with os.fdopen(ours, "rb", buffering=0):
        returned, _, err = processes.finished(call, cwd=Path.cwd(), stdout=theirs)
    os.close(theirs)
    assert returned == code
    refused = "error: output: -.parquet is binary, and stdout a terminal: send it to a file or a pipe, or take -.csv\n"
    assert (err == refused) == (code == 2)

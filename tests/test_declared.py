"""The settings of a simulation are declared once: Python, config files, options, example and report agree."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from click.testing import CliRunner

import kernel
import kernel.simulation.simulate
from kernel.commands.main import main
from kernel.config.example import EXAMPLE
from kernel.config.load import load
from kernel.simulation.settings import OPTIONS, REQUIRED, SETTINGS
from tests.test_cli import CONFIG as STATED

CONFIG = STATED.replace("steps = 1", "steps = 5").replace("paths = 2_000", "paths = 2_048")
MARKET = kernel.Gbm(assets=["BTC"], spot=60_000.0, volatility=0.65)
ACCOUNT = kernel.Account(
    cash=6_000.0, positions=[kernel.Linear("BTC", quantity=1.0, entry_price=60_000.0)], maintenance_rate=0.005
)
LADDER = kernel.Ladder({"call": 5.0, "liquidation": 1.0})
GRID: dict[str, Any] = {"horizon": "5d", "steps": 5, "paths": 2_048, "levels": (0.95, 0.99)}

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def margin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run the command in a folder with a config file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(CONFIG, encoding="utf-8")

    def call(*arguments: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(main, list(arguments))
        return done.exit_code, done.stdout, done.stderr

    return call


def _problems(path: Path, *stated: str) -> dict[str, str]:
    with pytest.raises(kernel.InvalidInput) as refused:
        load(path, [f"simulation.{one}" for one in stated])
    return {problem.field.removeprefix("simulation."): problem.message for problem in refused.value.problems}


def test_defaults_are_those_of_python() -> None:
    """What a config leaves out is what `simulate` takes by itself, but for the record, which follows from the rest."""
    keywords = inspect.signature(kernel.simulate).parameters
    for one in SETTINGS:
        missing = keywords[one.name].default is inspect.Parameter.empty
        assert missing == (one.default is REQUIRED)
        assert missing or one.name == "record" or keywords[one.name].default == one.default
    sections, untold = {"market", "account", "ladder", "escalation"}, {"levels", "executor", "progress"}
    assert set(keywords) - sections - untold == {one.name for one in SETTINGS}


def test_every_setting_stands_in_the_example(tmp_path: Path) -> None:
    """What `margin init` writes names every setting, at work or in a comment that may be put to work."""
    section = EXAMPLE.split("[simulation]")[1].split("[measures]")[0]
    assert set(re.findall(r"^(?:# )?(\w+) = ", section, re.MULTILINE)) == {one.name for one in SETTINGS}
    shown = re.sub("^# ", "", section, flags=re.MULTILINE)
    (tmp_path / "all.toml").write_text(EXAMPLE.replace(section, shown), encoding="utf-8")
    run = load(tmp_path / "all.toml", ["simulation.paths=1_048_576"])
    assert run.simulation["worst"] == ["1d", "5d"]


def test_every_option_is_known_to_the_command() -> None:
    """`margin run` has an option for each declared one; `margin threshold` says worst by --by."""
    page = CliRunner().invoke(main, ["run", "--help"]).output
    assert all(f"--{one.name}" in page for one in OPTIONS)
    assert "--worst" not in CliRunner().invoke(main, ["threshold", "--help"]).output


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        (["--importance", "liquidation"], {"importance": "liquidation"}),
        (["--importance", "0.999"], {"importance": 0.999}),
        (["--sampling", "sobol"], {"sampling": "sobol"}),
        (["--sampling", "antithetic", "--paths", "2000"], {"sampling": "antithetic", "paths": 2_000}),
        (["--worst", "1d", "--worst", "5d"], {"worst": ["1d", "5d"], "record": "summary"}),
        (["--worst", "true"], {"worst": True, "record": "summary"}),
        (["--set", "simulation.record=paths"], {"record": "paths"}),
        ([], {"record": "summary"}),
    ],
)
def test_options_mean_what_they_mean_in_python(margin: Call, options: list[str], settings: dict[str, Any]) -> None:
    """Every number of `margin run` is that of `kernel.simulate` with the same settings."""
    code, out, err = margin("run", "run.toml", "--format", "json", *options)
    assert (code, err) == (0, "")
    found, outcome = json.loads(out), kernel.simulate(MARKET, ACCOUNT, LADDER, **{**GRID, **settings})
    assert found["provenance"]["inputs_blake2b"] == outcome.provenance["inputs_blake2b"]
    for one in found["losses"]:
        assert one["value_at_risk"] == kernel.value_at_risk(outcome, one["level"])._asdict()
    for one in found["tiers"]:
        assert one["breach_probability"] == kernel.breach_probability(outcome, one["tier"])._asdict()
    assert [(one["by"], one["probability"]) for one in found.get("worst", [])] == [
        (by, probability) for by in outcome.worst_times for probability in (0.05, 0.01)
    ]
    for one in found.get("worst", []):
        assert one["level"] == kernel.threshold(outcome, one["probability"], one["by"])._asdict()


def test_the_report_says_how_paths_are_sampled_and_kept(margin: Call) -> None:
    """The head of the report names what is not the usual, and the lowest metrics have a table of their own."""
    usual = margin("run", "run.toml")[1]
    assert "sampling" not in usual
    assert "kept" not in usual
    _, out, _ = margin("run", "run.toml", "--importance", "call", "--worst", "1d")
    assert "\nimportance sampling of call, lowest margin_ratio kept by 24 h, every path kept\nopening" in out
    assert [line.split("  ")[0] for line in out.splitlines() if line.startswith(("lowest", "within"))] == [
        "lowest margin_ratio", "within 24 h", "within 24 h"
    ]  # fmt: skip
    assert "\nsobol sampling, every path kept\n" in margin("run", "run.toml", "--sampling", "sobol")[1]
    assert max(map(len, out.splitlines())) <= 100


def test_too_few_paths_for_a_level_leave_a_dash(margin: Call) -> None:
    """A lowest metric that so few paths cannot tell is a dash in the table, and null in JSON."""
    few = ["--paths", "50", "--worst", "true"]
    code, out, _ = margin("run", "run.toml", *few)
    assert code == 0
    assert re.search(r"^within 5 d +1 % +-$", out, re.MULTILINE)
    assert json.loads(margin("run", "run.toml", *few, "--format", "json")[1])["worst"][1]["level"]["value"] is None


def test_outputs_hold_what_was_kept(margin: Call) -> None:
    """Paths that are written bring their weights and lowest metrics along."""
    assert margin("run", "run.toml", "--importance", "call", "--worst", "5d", "--output", "out.parquet")[0] == 0
    names = pyarrow.parquet.read_table("out.parquet").column_names
    assert names[3:] == [
        "breach_time.liquidation", "worst.5d", "weight", "breach_weight.call", "breach_weight.liquidation"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stated", "settings"),
    [
        ("sampling=sobl", {"sampling": "sobl"}),
        ("importance=cal", {"importance": "cal"}),
        ("importance=1.5", {"importance": 1.5}),
        ("worst=7d", {"worst": "7d"}),
        ("worst=36h", {"worst": "36h"}),
        ("worst=['5d', '1d']", {"worst": ["5d", "1d"]}),
        ("worst=soon", {"worst": "soon"}),
        ("record=all", {"record": "all"}),
    ],
)
def test_a_config_is_refused_as_python_is(margin: Call, stated: str, settings: dict[str, Any]) -> None:
    """The message for a wrong setting is that of `simulate`, under the setting's place in the file."""
    assert margin("validate", "run.toml")[0] == 0
    with pytest.raises(kernel.InvalidInput) as refused:
        kernel.simulate(MARKET, ACCOUNT, LADDER, **{**GRID, **settings})
    assert _problems(Path("run.toml"), stated) == {one.field: one.message for one in refused.value.problems}


def test_settings_that_exclude_each_other_are_named(margin: Call) -> None:
    """A summary cannot serve sampling, importance or an output of paths; the wrong number of paths is told."""
    assert margin("validate", "run.toml")[0] == 0
    path = Path("run.toml")
    assert "must be 'paths' with importance" in _problems(path, "record=summary", "importance=call")["record"]
    assert "2,048 would do" in _problems(path, "sampling=sobol", "paths=2000")["paths"]
    assert _problems(path, "importance=[1]") == {"importance": "must be a tier, or a level such as 0.9999, not [1]"}
    assert _problems(path, "worst=1").keys() == {"worst"}
    summary = ["--set", "simulation.record=summary", "--output", "out.csv"]
    assert margin("run", "run.toml", *summary) == (
        2, "", "error: simulation.record: must be 'paths' for what is to be written, or left out\n"
    )  # fmt: skip
    assert not Path("out.csv").exists()


def test_what_only_a_pilot_can_tell_has_its_place_too(margin: Call) -> None:
    """A problem that is found while simulating is named by the config as well, in one line."""
    code, out, err = margin("run", "run.toml", "--importance", "call", "--set", "account.cash=1000")
    assert (code, out) == (2, "")
    assert err == "error: simulation.importance: must be a tier that is not breached at the opening: call is\n"


def test_thresholds_ask_for_the_times_of_the_config(margin: Call) -> None:
    """Without --by, `margin threshold` answers by the times that the config keeps; --by has the last word."""
    stated = ["threshold", "run.toml", "--probability", "10%", "--format", "json"]
    stated += ["--set", 'simulation.worst=["1d", "2d"]']
    days = [365 * one["by"] for one in json.loads(margin(*stated)[1])["thresholds"]]
    np.testing.assert_allclose(days, [1, 2])
    days = [365 * one["by"] for one in json.loads(margin(*stated, "--by", "3d")[1])["thresholds"]]
    np.testing.assert_allclose(days, [3])


def test_thresholds_of_what_is_rare(margin: Call) -> None:
    """Importance sampling tells thresholds below one in as many paths."""
    rare = ["threshold", "run.toml", "--probability", "1e-4", "--format", "json"]
    assert "too rare" in margin(*rare)[2]
    found = json.loads(margin(*rare, "--importance", "0.9999")[1])["thresholds"][0]["level"]
    outcome = kernel.simulate(MARKET, ACCOUNT, LADDER, **{**GRID, "importance": 0.9999, "worst": True})
    assert found == kernel.threshold(outcome, 1e-4)._asdict()

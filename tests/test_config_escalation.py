"""Escalation in config files: the section [escalation], its messages, its report, its tables and its examples."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

import kernel
from kernel.commands.main import main
from kernel.config.example import ESCALATION, commented_example
from kernel.escalation import SquareRootImpact
from kernel.escalation.escalation import ACTIONS

EXAMPLE = Path(__file__).parents[1] / "kernel" / "examples" / "btc_escalation.toml"
PATHS = 5_000
STATED = kernel.Escalation(
    {
        "warning": kernel.Notice(),
        "call": kernel.Call(
            restore=3.0,
            cure_period="8h",
            client=kernel.Client(meets=0.7, delay="2h", share=1.0),
            unmet=kernel.CloseOut(restore=2.5, fee=0.004),
        ),
        "liquidation": kernel.CloseOut(restore=1.5, latency="60s", fee=0.006, slippage=0.002),
    }
)


def _sections(**changes: Any) -> dict[str, Any]:
    """Return the sections of the example, of few paths, with changes to actions by tier."""
    sections = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    sections["simulation"]["paths"] = PATHS
    sections["escalation"] |= changes
    return sections


def _problems(sections: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(kernel.InvalidInput) as refused:
        kernel.load(sections)
    return {problem.field: problem.message for problem in refused.value.problems}


def _margin(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_a_section_states_what_python_states() -> None:
    """The example's escalation, and every bit that comes of it, are those of the same objects in Python."""
    run = kernel.load(_sections())
    assert run.escalation == STATED
    settings = {"horizon": "5d", "steps": 1, "paths": PATHS}
    outcome = kernel.simulate(run.market, run.account, run.ladder, escalation=STATED, **settings)  # type: ignore[arg-type]
    loaded = run.simulate()
    assert loaded.to_arrow().equals(outcome.to_arrow())
    assert outcome.to_arrow()["calls_made"].to_numpy().sum() > 0
    assert loaded.provenance["inputs"]["escalation"] == STATED.parameters()


def test_lists_of_actions_and_all_keys_are_read() -> None:
    """Several actions of a tier are a list of tables; lists of probabilities and an impact are read as Python's."""
    impact = {"coefficient": 1.0, "daily_volume": 1e9, "daily_volatility": 0.03}
    call = {"action": "call", "restore": 3, "cure_period": "8h", "client": {"meets": [0.9, 0.5], "capacity": 1e4}}
    run = kernel.load(
        _sections(call=[{"action": "notice"}, call], liquidation={"action": "close_out", "impact": impact})
    )
    client = kernel.Client(meets=(0.9, 0.5), capacity=1e4)
    assert run.escalation == kernel.Escalation(
        {
            "warning": kernel.Notice(),
            "call": [kernel.Notice(), kernel.Call(restore=3.0, cure_period="8h", client=client)],
            "liquidation": kernel.CloseOut(impact=kernel.SquareRootImpact(**impact)),
        }
    )


CLOSE_OUT = {"action": "close_out"}
CALL = {"action": "call", "restore": 3.0, "cure_period": "8h", "client": {"meets": 0.7}, "unmet": {}}
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"cal": CALL}, "cal", "is not a tier of the ladder; did you mean call?"),
    ({"call": {**CALL, "action": "cal"}}, "call.action", "must be notice or call or close_out, not 'cal'"),
    ({"call": {"restore": 3.0}}, "call.action", "is required"),
    ({"call": {**CALL, "restor": 3.0}}, "call.restor", "is not known here; did you mean restore?"),
    ({"call": {**CALL, "restore": 2.0}}, "call.restore", "must be above the level of call (2), not 2"),
    ({"call": {**CALL, "restore": "3x"}}, "call.restore", "must be a number, not '3x'"),
    ({"call": [{**CALL, "restore": 1.5}]}, "call[0].restore", "must be above the level of call (2), not 1.5"),
    ({"call": [{**CALL, "minimum_transfer": -1}]}, "call[0].minimum_transfer", "must be at least 0, not -1"),
    ({"call": []}, "call", "must be a table with an action, or a list of such tables that is not empty"),
    ({"call": 5}, "call", "must be a table of keys and values, not 5"),
    ({"call": [CALL, CALL]}, "call", "must have at most one Call, not 2"),
    (
        {"call": {**CALL, "cure_period": 8}},
        "call.cure_period",
        "must have a unit, such as '5d' or '12h'; 8 years is '8y'",
    ),
    (
        {"call": {**CALL, "cure_period": 0.5}},
        "call.cure_period",
        "must have a unit, such as '5d' or '12h'; 0.5 years is '0.5y'",
    ),
    ({"call": {**CALL, "cure_period": "-8h"}}, "call.cure_period", "must be a number with the unit s, m, h, d, w or y"),
    ({"call": {**CALL, "client": {"meets": 1.5}}}, "call.client.meets", "must be at most 1, not 1.5"),
    ({"call": {**CALL, "client": {"delay": "2h"}}}, "call.client.meets", "is required"),
    ({"call": {**CALL, "client": {"meet": 0.7}}}, "call.client.meet", "is not known here; did you mean meets?"),
    ({"call": {**CALL, "client": 0.7}}, "call.client", "must be a table of keys and values, not 0.7"),
    ({"call": {**CALL, "unmet": {"restore": 2}}}, "call.unmet.restore", "must be above the level of call (2), not 2"),
    ({"call": {**CALL, "unmet": {"latency": 1}}}, "call.unmet.latency", "must have a unit"),
    ({"liquidation": {**CLOSE_OUT, "share": 0}}, "liquidation.share", "must be above 0"),
    ({"liquidation": {**CLOSE_OUT, "share": 0.5, "restore": 2.0}}, "liquidation.share", "leave one of them out"),
    ({"liquidation": {**CLOSE_OUT, "recheck": 1}}, "liquidation.recheck", "must be true or false, not 1"),
    ({"liquidation": {**CLOSE_OUT, "batch": 0.5}}, "liquidation.batch", "must have a unit"),
    ({"liquidation": {**CLOSE_OUT, "impact": {}}}, "liquidation.impact.coefficient", "is required"),
    ({"warning": {"action": "notice", "fee": 0.1}}, "warning.fee", "is not known here"),
]


@pytest.mark.parametrize(("changes", "field", "message"), WRONG, ids=[f"{one[1]}-{k}" for k, one in enumerate(WRONG)])
def test_wrong_actions_are_named_with_their_mend(changes: dict[str, Any], field: str, message: str) -> None:
    """Each problem has the config's place and says what would be right, once."""
    problems = _problems(_sections(**changes))
    assert message in problems[f"escalation.{field}"]
    assert all(name.startswith("escalation.") for name in problems)


def test_problems_of_all_sections_come_together() -> None:
    """Those of actions stand beside those of the market and of the settings that actions exclude."""
    sections = _sections(call={**CALL, "restore": 1.0})
    sections["market"]["volatility"] = -1.0
    sections["simulation"] |= {"worst": True, "record": "summary"}
    assert list(_problems(sections)) == [
        "market.volatility",
        "escalation.call.restore",
        "simulation.worst",
        "simulation.record",
    ]


def test_an_empty_section_states_nothing() -> None:
    """A header without actions leaves the account alone, as does no section."""
    sections = _sections()
    for stated in ({}, None):
        sections["escalation"] = stated
        run = kernel.load({name: section for name, section in sections.items() if section is not None})
        assert run.escalation is None
        assert not hasattr(run.simulate(), "states")


def _run(tmp_path: Path, *arguments: str) -> tuple[str, dict[str, Any]]:
    """Return what `margin run` prints of the example, and its results."""
    results = tmp_path / "results.json"
    done = _margin("run", str(EXAMPLE), "--paths", str(PATHS), "--quiet", *arguments, "--output", str(results))
    assert done.exit_code == 0, done.stderr
    return done.stdout, json.loads(results.read_text(encoding="utf-8"))


def test_the_report_says_what_the_actions_did(tmp_path: Path) -> None:
    """Counts, amounts and ends are those of the paths; text and JSON have them."""
    text, results = _run(tmp_path)
    outcome: Any = kernel.load(EXAMPLE, [f"simulation.paths={PATHS}"]).simulate()
    stated = results["escalation"]
    for name, estimate in stated["calls"].items():
        assert estimate["value"] == pytest.approx(getattr(outcome, f"calls_{name}").mean(), rel=1e-12)
    for name, amount in stated["amounts"].items():
        values = getattr(outcome, name)
        assert amount["probability"]["value"] == np.count_nonzero(values) / PATHS
        assert amount["mean"]["value"] == pytest.approx(values.mean(), rel=1e-12)
        if values.any():
            error = values.std(ddof=1) / np.sqrt(PATHS)
            assert amount["mean"]["standard_error"] == pytest.approx(error, rel=1e-12)
    assert sum(one["share"]["value"] for one in stated["ends"]) == pytest.approx(1.0, rel=1e-12)
    assert [one["end"] for one in stated["ends"]] == list(outcome.ends)
    for words in ("on 1,000 paths", "bad debt", "liquidated share", "end of a path", "call met", "forgives a debt"):
        assert words in text
    assert max(map(len, text.splitlines())) <= 100


def test_what_no_path_has_is_not_said_to_be_nothing(tmp_path: Path) -> None:
    """A mean of amounts that no path has is bounded below alone."""
    _, results = _run(tmp_path)
    mean = results["escalation"]["amounts"]["costs"]["mean"]
    assert (mean["value"], mean["low"], mean["high"]) == (0.0, 0.0, None)


def test_replicates_have_their_own_errors(tmp_path: Path) -> None:
    """Antithetic paths are averaged within their replicates before they are compared."""
    _, results = _run(tmp_path, "--sampling", "antithetic")
    outcome: Any = kernel.load(EXAMPLE, [f"simulation.paths={PATHS}", "simulation.sampling=antithetic"]).simulate()
    blocks = outcome.fees.reshape(outcome.replicates, -1).mean(axis=1)
    error = blocks.std(ddof=1) / np.sqrt(outcome.replicates)
    assert results["escalation"]["amounts"]["fees"]["mean"]["standard_error"] == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_tables_hold_what_the_actions_did_on_every_path(tmp_path: Path, suffix: str) -> None:
    """Counts, amounts, times and ends stand beside losses and breach times."""
    file = tmp_path / f"paths.{suffix}"
    done = _margin("run", str(EXAMPLE), "--paths", str(PATHS), "--quiet", "--output", str(file))
    assert done.exit_code == 0, done.stderr
    read = pyarrow.parquet.read_table if suffix == "parquet" else pyarrow.csv.read_csv
    table, outcome = read(file), kernel.load(EXAMPLE, [f"simulation.paths={PATHS}"]).simulate()
    further = {"calls_made", "paid_in", "fees", "bad_debt", "closing_equity", "first_close_out", "end", "end_time"}
    assert further <= set(table.column_names)
    assert table["bad_debt"].to_numpy().tolist() == outcome.bad_debt.tolist()  # type: ignore[attr-defined]
    assert set(table["end"].to_pylist()) <= set(outcome.ends)  # type: ignore[attr-defined]


def test_settings_that_actions_exclude_are_named_with_the_commands() -> None:
    """`worst` and `importance` are refused in one line each, with exit code 2."""
    done = _margin("run", str(EXAMPLE), "--worst", "5d", "--importance", "liquidation", "--paths", "1000")
    assert done.exit_code == 2
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines()] == [
        "simulation.importance",
        "simulation.worst",
    ]


def test_init_writes_every_action_and_key(tmp_path: Path) -> None:
    """What `margin init --escalation` writes runs, and names every key of every action, at work or in a comment."""
    file = tmp_path / "margin.toml"
    assert _margin("init", str(file), "--escalation").exit_code == 0
    assert file.read_text(encoding="utf-8") == commented_example(escalation=True)
    run = kernel.load(file, ["simulation.paths=1000"])
    assert run.escalation is not None
    assert run.simulate().to_arrow().num_rows == 1000
    words = set(re.findall(r"(\w+) = ", ESCALATION))
    parts = {part for kind in ACTIONS.values() for part in (kind, *kind.PARTS.values())}
    stated = {one.name for part in parts for one in fields(part)} - {"client", "unmet"}  # which are tables
    assert words - {"action"} == stated | {one.name for one in fields(SquareRootImpact)}
    shown = re.sub(r"^# (?=\w+ = )", "", ESCALATION, flags=re.MULTILINE)
    file.write_text(commented_example(escalation=True).replace(ESCALATION, shown), encoding="utf-8")
    assert kernel.load(file).escalation is not None
    refused = _margin("init", "-", "--escalation", "--example", "btc_escalation")
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_thresholds_are_of_the_account_left_alone(tmp_path: Path) -> None:
    """`margin threshold` leaves the escalation out, says so, and finds what the config without the section has."""
    text = EXAMPLE.read_text(encoding="utf-8")
    first, last = text.index("[escalation.warning]"), text.index("[simulation]")
    alone = tmp_path / "alone.toml"
    alone.write_text(text[:first] + text[last:], encoding="utf-8")
    asked = ("--paths", str(PATHS), "--quiet", "--probability", "5%", "--format", "json")
    found = [_margin("threshold", str(file), *asked) for file in (EXAMPLE, alone)]
    assert [done.exit_code for done in found] == [0, 0]
    with_actions, without = (json.loads(done.stdout) for done in found)
    note = "thresholds are of the account left alone: the escalation that the config states is left out"
    assert [one for one in with_actions["notes"] if one not in without["notes"]] == [note]
    for name in ("thresholds", "tiers", "provenance"):
        assert with_actions[name] == without[name]

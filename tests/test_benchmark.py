"""The command `margin bench`: what it measures, prints, writes and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import kernel
import kernel.benchmark
from bench.timings.record import record
from kernel.benchmark import MEASURES, SCHEMA, jobs, machines, measured, recorded, rounds
from kernel.benchmark.measures import ONE_PERCENT, Call, calls
from kernel.commands.main import main
from kernel.report.benchmark import blocks
from kernel.report.text import to_text
from tests.processes import without_compiling

FEW = 64  # paths
Margin = Callable[..., tuple[int, str, str]]


@pytest.fixture
def margin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Margin:
    """Run the command on small jobs, for the fewest rounds, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kernel.benchmark, "measured", partial(measured, calls(FEW), 0.0))

    def call(*arguments: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(main, ["bench", *arguments])
        return done.exit_code, done.stdout, without_compiling(done.stderr)

    return call


@pytest.mark.parametrize("letters", [3, *range(20, 41), 150])
def test_the_table_has_this_machine_beside_the_others(
    margin: Margin, monkeypatch: pytest.MonkeyPatch, letters: int
) -> None:
    """Each measure is a row with its unit; this machine's figure, its spread, then the recorded ones; 100 columns.

    Whatever the processor is called, and wherever the lines that name it wrap.
    """
    monkeypatch.setattr(machines, "_processor", lambda _: "Processor "[: letters % 10] + "P" * (letters // 10 * 10))
    code, out, err = margin()
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].split()[:3] == ["measure", "here", "middle"]
    assert lines[0].endswith(f"[{len(recorded())}]")
    assert [line.split("  ")[0] for line in lines[1 : 1 + len(MEASURES)]] == [what for what, _ in MEASURES.values()]
    unwrapped = " ".join(out.split())
    assert "5 rounds, after " in unwrapped
    assert f"[1]: {recorded()[0]['machine']['processor']}" in unwrapped
    assert max(map(len, lines)) <= 100


def test_the_table_of_many_machines_keeps_to_the_width() -> None:
    """Of more machines than fit the latest are shown; a measure that an old row lacks is a dash; large numbers fit."""
    row = recorded()[0]
    slow = {name: {**one, "median": 9_876.5, "low": 9_123.4, "high": 9_999.4} for name, one in row["measures"].items()}
    old = {**row, "measures": {}, "date": "2020-01-01"}
    out = to_text(blocks({**row, "measures": slow}, [{**row, "date": "1999-01-01"}, row, row, row, old]))
    assert "1999-01-01" not in out
    assert "9,876  9,123 .. 9,999" in out
    assert all(line.endswith(" -") for line in out.splitlines()[1 : 1 + len(MEASURES)])
    assert max(map(len, out.splitlines())) <= 100


def test_json_is_a_row_that_can_be_recorded(margin: Margin, tmp_path: Path) -> None:
    """What is printed is what is written; recording adds it, or replaces the earlier row of the same machine."""
    code, out, _ = margin("--format", "json", "--output", "row.json")
    row = json.loads(out)
    assert code == 0
    assert row == json.loads(Path("row.json").read_text(encoding="utf-8"))
    row["versions"]["margin-kernel"] = "0.1.0"  # not known where the package is not installed
    target = tmp_path / "recorded.json"
    other = {**row, "machine": {**row["machine"], "processors": 1_000}}
    for one in (row, other, {**row, "date": "2100-01-01"}):
        record(one, target)
    assert json.loads(target.read_text(encoding="utf-8")) == [other, {**row, "date": "2100-01-01"}]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"measures": {}}, "measures: has to have"),
        ({"measures": {"tail": {}}}, r"measures\.tail\.unit: Field required"),
        ({"rounds": "many"}, "rounds: Input should be a valid integer"),
        ({"schema": 2}, "schema: Input should be 1"),
        ({"versions": {"margin-kernel": "unknown"}}, "versions: of margin-kernel is not known"),
    ],
)
def test_what_is_not_a_row_is_not_recorded(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    """The first thing that is wrong is named, and the file stays as it was."""
    target = tmp_path / "recorded.json"
    with pytest.raises(ValueError, match=message):
        record({**recorded()[0], **change}, target)
    assert not target.exists()


def test_figures_that_vary_are_called_unsteady() -> None:
    """If most middle halves are wide a line says so; else it is left out."""
    row = recorded()[0]
    for high, told in ((1.3, True), (1.1, False)):
        spread = {name: {**one, "median": 1.0, "low": 1.0, "high": high} for name, one in row["measures"].items()}
        assert ("unsteady: most middle halves" in to_text(blocks({**row, "measures": spread}, []))) is told


def test_the_recorded_machines_are_valid() -> None:
    """The shipped file has every measure of every machine, in its unit, with quartiles around the median."""
    assert len(recorded()) > 0
    for row in recorded():
        assert row["schema"] == SCHEMA
        assert row["machine"].keys() == {"processor", "processors", "system"}
        assert row["versions"].keys() >= {"python", "numba", "numpy", "margin-kernel"}
        assert {name: one["unit"] for name, one in row["measures"].items()} == {
            name: unit for name, (_, unit) in MEASURES.items()
        }
        assert all(0 < one["low"] <= one["median"] <= one["high"] for one in row["measures"].values())
    machines = [json.dumps(row["machine"]) for row in recorded()]
    assert len(set(machines)) == len(machines)


def test_a_processor_that_the_system_does_not_name_goes_by_its_family(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the system lists processors by name, name and family are given; elsewhere the family alone."""
    listed = tmp_path / "cpuinfo"
    monkeypatch.setattr(machines, "_PROCESSORS", listed)
    family = machines.described()["machine"]["processor"]
    listed.write_text("processor\t: 0\nmodel name\t: A Processor\nmodel name\t: A Processor\n", encoding="utf-8")
    assert machines.described()["machine"]["processor"] == f"A Processor ({family})"


def test_rounds_are_interleaved_and_summed_up_by_quartiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every measure has its turn in each round; on a made-up clock figures are medians and quartiles of rounds."""
    clock, order = [0.0], []

    def call(name: str, factor: float) -> None:
        order.append(name)
        clock[0] += factor * order.count(name)  # the k-th call takes k times the factor; the first is not counted

    names = [name for name in MEASURES if name != "scaling"]
    factors = {name: 2.0 if name == "gbm_discrete" else 1.0 for name in names}
    timed = {name: Call(partial(call, name, factor), 10.0) for name, factor in factors.items()}
    monkeypatch.setattr(rounds.time, "perf_counter", lambda: clock[0])
    shown: list[tuple[int, int]] = []
    row = measured(timed, 30.0, lambda *done: shown.append(done))
    assert order == names * 6
    assert row["rounds"] == 5
    assert row["preparing_seconds"] == 9.0
    assert row["measures"]["gbm_discrete"] == {"unit": "ns a path-step", "median": 80.0, "low": 60.0, "high": 100.0}
    assert row["measures"]["tail"] == {"unit": "ns a loss", "median": 40.0, "low": 30.0, "high": 50.0}
    assert row["measures"]["scaling"]["median"] == 2.0
    assert shown[0] == (18, 30)
    assert shown[-1] == (30, 30)


def test_the_time_to_one_percent_is_that_of_one_percent() -> None:
    """The paths of the timed estimate give a standard error of 1%, within the noise of the estimate."""
    outcome = jobs.perpetual(True, ONE_PERCENT, jobs.FIVE_DAYS, 1).run()
    estimate = kernel.breach_probability(outcome, "liquidation")
    assert estimate.standard_error / estimate.value == pytest.approx(0.01, rel=0.03)  # 4.5 errors are 2.7%


WRONG: list[tuple[tuple[str, ...], str]] = [
    (("--output", "row.csv"), "error: output: must end in .json, not 'row.csv'\n"),
    (("--output", "no/row.json"), "error: output: no/row.json cannot be written: there is no folder"),
    (("--output", "a.json", "--output", "b.json"), "error: Invalid value for '--output': is given 2 times"),
    (("--format", "xml"), "error: Invalid value for '--format'"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_wrong_input_is_refused_before_measuring(
    margin: Margin, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    """Wrong input exits with 2 and one line; nothing is measured, printed or written."""
    monkeypatch.setattr(kernel.benchmark, "measured", lambda **_: pytest.fail("measured"))
    code, out, err = margin(*arguments)
    assert (code, out, err.count("\n"), list(Path().iterdir())) == (2, "", 1, [])
    assert err.startswith(message)


def test_an_interrupt_exits_with_130(margin: Margin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C leaves a word on stderr and no file."""

    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(kernel.benchmark, "measured", interrupt)
    code, out, err = margin("--output", "row.json")
    assert (code, out, err.strip(), list(Path().iterdir())) == (130, "", "interrupted", [])

"""The group of commands: what it knows of them without importing them, and how one more joins it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import pytest

from kernel.commands.group import Later
from kernel.commands.main import COMMANDS, main
from tests import processes

_HEAVY = {"numba", "llvmlite", "numpy", "scipy", "pyarrow", "pydantic", "matplotlib", "arch", "distributed"}
# What an extension writes: a file with the command ...
DEBT = '''
"""`margin debt`: how much of a position is borrowed."""

from pathlib import Path

import click

from kernel.commands.options import file_option, format_option
from kernel.commands.output import print_report, write_results
from kernel.errors import InvalidInput, Problem
from kernel.report.blocks import Heading, Paragraph, Table


@click.command()
@click.argument("equity", type=float)
@click.argument("notional", type=float)
@format_option
@file_option("--output", "Also write .json; to stdout as -.")
def debt(equity: float, notional: float, form: str, output: Path | None) -> None:
    """Say how much of a position is borrowed. No simulation is needed."""
    if notional <= 0:
        raise InvalidInput([Problem("notional", f"must be above 0, not {notional:g}")])
    results = {"debt": notional - equity, "share": 1 - equity / notional}
    share = Paragraph(f"{100 * results['share']:g} % are borrowed.")
    blocks = [Heading("Debt"), Table(["", "amount"], [["debt", f"{results['debt']:,.0f}"]]), share]
    write_results(results, lambda: None, output)
    print_report(results, blocks, form, output)
'''
# ... and a line that lists it.
LINE = 'main.add_command(Later("debt", "Say how much of a position is borrowed.", "outside_debt"))'
PROGRAM = f"""
import sys
from kernel.commands.group import Later
from kernel.commands.main import main
{LINE}
main(sys.argv[1:])
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_a_command_is_the_first_sentence_of_its_help(name: str) -> None:
    """What `margin --help` shows of a command that it does not import is what the command says of itself."""
    listed = main.commands[name]
    assert isinstance(listed, Later)
    command = listed.imported()
    assert command.name == name
    assert command.help is not None
    shown = click.Command(name, help=command.help).get_short_help_str(1_000)
    assert shown == listed.get_short_help_str(1_000) == COMMANDS[name]


@pytest.mark.parametrize("page", [[], *([name] for name in COMMANDS)], ids=lambda page: " ".join(page) or "margin")
def test_a_page_of_help_imports_nothing_heavy(page: list[str]) -> None:
    """Neither the overview nor the page of a command loads what only the work needs; the overview, no command."""
    code = (
        "import sys; from click.testing import CliRunner; from kernel.commands.main import main\n"
        f"done = CliRunner().invoke(main, {[*page, '--help']}); assert done.exit_code == 0, done.output\n"
        "print(*sys.modules)"
    )
    loaded = set(processes.printed([sys.executable, "-c", code]).split())
    assert not _HEAVY & loaded
    assert {name for name in COMMANDS if f"kernel.commands.{name}" in loaded} == set(page)


def test_a_command_from_outside_is_one_file_and_one_line(tmp_path: Path) -> None:
    """A module elsewhere and a line give a command like any other: listed, with help, report, JSON, file, refusals."""
    (tmp_path / "outside_debt.py").write_text(DEBT, encoding="utf-8")
    path = {"PYTHONPATH": f"{tmp_path}:{processes.ROOT}", "COLUMNS": "100"}

    def margin(*arguments: str) -> tuple[int, str, str]:
        return processes.finished([sys.executable, "-c", PROGRAM, *arguments], cwd=tmp_path, environment=path)

    assert "  debt       Say how much of a position is borrowed.\n" in margin("--help")[1]
    assert "Usage: margin debt [OPTIONS] EQUITY NOTIONAL" in margin("debt", "--help")[1]
    assert margin("debt", "6000", "60000") == (0, "      amount\ndebt  54,000\n90 % are borrowed.\n", "")
    results = {"debt": 54_000.0, "share": 0.9}
    code, out, err = margin("debt", "6000", "60000", "--format", "json", "--output", "debt.json")
    assert (code, json.loads(out), err) == (0, results, "")
    assert json.loads((tmp_path / "debt.json").read_text(encoding="utf-8")) == results
    assert margin("debt", "1", "0") == (2, "", "error: notional: must be above 0, not 0\n")
    assert margin("debt", "1")[::2] == (2, "error: Missing argument 'NOTIONAL'. (see margin debt --help)\n")

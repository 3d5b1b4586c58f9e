"""The group of commands: what it knows of them without importing them."""

from __future__ import annotations

import sys

import click
import pytest

from kernel.commands.group import Later
from kernel.commands.main import COMMANDS, main
from tests import processes

_HEAVY = {"numba", "llvmlite", "numpy", "scipy", "pyarrow", "pydantic", "matplotlib", "arch", "distributed"}


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

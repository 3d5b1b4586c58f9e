"""The README tells the truth: its code runs, its commands are those of the package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from kernel.commands import main as cli

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_code_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """Every Python block runs, in order, and prints estimates."""
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(block, names)  # noqa: S102 - the documentation is what is tested
    assert capsys.readouterr().out.count("Estimate(value=") == 9


def test_the_commands_exist() -> None:
    """Every `margin` command and option that the README shows is known to the command line."""
    shown = re.findall(r"^(?:.*/)?margin (\w+)(.*)$", README, re.MULTILINE)
    assert {name for name, _ in shown} == set(cli.main.commands)
    for name, rest in shown:
        page = CliRunner().invoke(cli.main, [name, "--help"]).output
        assert all(option in page for option in re.findall(r"--[\w-]+", rest))

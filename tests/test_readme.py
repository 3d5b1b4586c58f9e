"""README and guide tell the truth: their code runs, their commands are those of the package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from kernel.commands import main as cli

ROOT = Path(__file__).parents[1]
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/guide.md")}
ESTIMATES = {"README.md": 5, "docs/guide.md": 20}  # that their code prints


@pytest.mark.parametrize("page", PAGES)
def test_the_code_runs(capsys: pytest.CaptureFixture[str], page: str) -> None:
    """Every Python block runs, in order, and prints estimates."""
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGES[page], re.DOTALL):
        exec(block, names)  # noqa: S102 - the documentation is what is tested
    assert capsys.readouterr().out.count("Estimate(value=") == ESTIMATES[page]


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_exist(page: str) -> None:
    """Every command is shown with options that it has."""
    shown = re.findall(r"^(?:.*/)?margin (\w+)(.*)$", PAGES[page], re.MULTILINE)
    assert {name for name, _ in shown} == set(cli.main.commands)
    for name, rest in shown:
        page = CliRunner().invoke(cli.main, [name, "--help"]).output
        assert all(option in page for option in re.findall(r"--[\w-]+", rest))

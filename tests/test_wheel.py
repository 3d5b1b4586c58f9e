"""The wheel: what it installs, and nothing beside the package."""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from tests import processes

ROOT = Path(__file__).parents[1]


@pytest.mark.slow  # and fetches what builds it
def test_the_wheel_holds_the_package_alone(tmp_path: Path) -> None:
    """It has every module, the recorded machines, the examples and the licences, and no name beside `kernel`."""
    source = tmp_path / "source"  # a build leaves its traces
    shutil.copytree(ROOT / "kernel", source / "kernel", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("cli.py", "LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, source)
    processes.printed([sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(source)])
    (wheel,) = tmp_path.glob("margin_kernel-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        points = next(packed.read(name) for name in names if name.endswith(".dist-info/entry_points.txt"))
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "kernel").rglob("*.py")}
    examples = {f"kernel/examples/{path.name}" for path in (ROOT / "kernel" / "examples").iterdir()}
    installed = {name for name in names if ".dist-info/" not in name}
    assert installed == modules | examples | {"kernel/benchmark/recorded.json"}
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert points.decode().split() == ["[console_scripts]", "margin", "=", "kernel.commands.main:main"]

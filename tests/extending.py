"""The files of `docs/extending.md`, written to a folder and imported from there, as those who follow it do."""

from __future__ import annotations

import atexit
import re
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"
_BLOCKS: list[str] = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
_NAMED = re.compile(r"# (\w+\.py)\n")
FILES = {named[1]: block for block in _BLOCKS if (named := _NAMED.match(block))}
"""By name."""
USES = [block for block in _BLOCKS if not _NAMED.match(block)]
"""What the page does with them, in its order."""


def write_files(folder: Path) -> None:
    """Write the files of the page to a folder."""
    for name, source in FILES.items():
        (folder / name).write_text(source, encoding="utf-8")


_folder = Path(tempfile.mkdtemp(prefix="extending-"))
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
write_files(_folder)
sys.path.insert(0, str(_folder))

Counting, Idle = (getattr(import_module("counting"), name) for name in ("Counting", "Idle"))
loss_probability = import_module("loss_probability").loss_probability
Nig = import_module("nig").Nig
Power = import_module("power").Power
TwoBrackets = import_module("brackets").TwoBrackets
to_markdown = import_module("markdown_report").to_markdown

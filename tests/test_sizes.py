"""Modules and functions of the package stay small enough to be read at once, and import each other one way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from tests.test_layers import imports

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "kernel").rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 250, 45  # lines; those of a function without its docstring
EXCEPTIONS: dict[str, str] = {}
"""Modules, as `kernel/x.py`, and functions, as `kernel/x.py:name`, that are longer, and why each is better so."""


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the functions of a module, and their lines without docstrings."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            first = node.body[0]
            documented = ast.get_docstring(node) is not None and first.end_lineno is not None
            yield node.name, node.end_lineno + 1 - node.lineno - documented * (first.end_lineno + 1 - first.lineno)


def _too_long() -> set[str]:
    """Name what is longer than it should be."""
    names = set()
    for path in FILES:
        module = str(path.relative_to(ROOT))
        if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_MODULE:
            names.add(module)
        names |= {f"{module}:{name}" for name, lines in _functions(path) if lines > LONGEST_FUNCTION}
    return names


def test_modules_and_functions_are_short() -> None:
    """A module has at most 250 lines and a function 45, but for those with a reason, which are that long indeed."""
    assert _too_long() == set(EXCEPTIONS)


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_circles_of_modules() -> None:
    """No two modules import each other, directly or through others, inside functions too; folders: `test_layers`."""
    names = {_name(path) for path in FILES}
    # the package itself imports everything, but only what is used, when it is used
    arrows = {_name(path): imports(path) & names - {_name(path), "kernel"} for path in FILES}
    assert len(list(TopologicalSorter(arrows).static_order())) == len(names)  # or CycleError names the circle

"""The layers of the house: imports go down only, and heavy packages stay in their rooms."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from kernel._core.jit import COMPILED

ROOT = Path(__file__).parents[1]
# From the ground up; a module may import its own layer and those before it.
LAYERS = [
    {"errors", "versions"},
    {"checks"},
    {"files"},
    {"tables", "_core"},
    {"prices"},
    {"fitting"},
    {"markets", "instruments"},
    {"margin"},
    {"accounts"},
    {"simulation"},
    {"measures"},
    {"calibration"},
    {"backtesting"},
    {"figures", "benchmark"},
    {"report"},
    {"config"},
    {"commands"},
    {"__main__", "cli"},
]
ROOMS = {
    "numba": {"_core"},
    "llvmlite": {"_core", "benchmark"},
    "pyarrow": {"tables"},
    "pydantic": set(),
    "click": {"commands"},
    "scipy": {"fitting", "simulation"},
    "matplotlib": {"figures"},
    "arch": {"fitting"},
    "threadpoolctl": {"backtesting"},
    "distributed": {"simulation"},
}
FILES = [ROOT / "cli.py", *sorted((ROOT / "kernel").rglob("*.py"))]


def room(path: Path) -> str:
    """Name the layer's member that a file belongs to."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if len(parts) > 1 else parts[0]


def imports(path: Path) -> set[str]:
    """List the modules that a file imports, inside its functions too, but for type checking alone."""
    found, waiting = set(), list[ast.AST](ast.parse(path.read_text(encoding="utf-8")).body)
    while waiting:
        node = waiting.pop()
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            within = {f"{node.module}.{alias.name}" for alias in node.names} if node.module == "kernel" else set()
            found |= within or {node.module}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down_only(path: Path) -> None:
    """A module imports nothing of a layer above its own, and of its own layer only its own folder."""
    if room(path) == "__init__":
        return
    level = next(k for k, layer in enumerate(LAYERS) if room(path) in layer)
    allowed = set().union(*LAYERS[:level]) | {room(path)}
    used = {name.split(".")[1] for name in imports(path) if name.startswith("kernel.")}
    assert used <= allowed


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_packages_stay_in_their_rooms(path: Path) -> None:
    """Only the folder or file that a package is for imports it."""
    for name in imports(path):
        assert room(path) in ROOMS.get(name.split(".")[0], {room(path)})


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_compiled_lies_where_the_cache_looks(path: Path) -> None:
    """Only the folders whose sources name the cache of kernels hold code for Numba."""
    if "kernel._core.jit" in imports(path) and room(path) != "benchmark":
        assert room(path) in COMPILED


SOURCES = [
    ROOT / "cli.py",
    *(path for folder in ("kernel", "bench", "tests") for path in (ROOT / folder).rglob("*.py")),
]


def _leaves_encoding(call: ast.Call) -> bool:
    """Tell whether a call reads or writes text in the encoding of the machine."""
    stated = {keyword.arg: keyword.value for keyword in call.keywords}
    method = isinstance(call.func, ast.Attribute)
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if "encoding" in stated:
        return False
    if name == "open":
        modes = [*call.args[0 if method else 1 :], stated.get("mode")]
        texts = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
        ours = not method or getattr(call.func.value, "id", "") not in {"os", "gzip"}  # type: ignore[attr-defined]
        return ours and not any("b" in mode for mode in texts)
    texts_out = name == "write_text" and method and len(call.args) == 1
    return (
        texts_out
        or (name == "read_text" and method and not call.args)
        or (name in {"run", "Popen"} and "text" in stated)
    )


def test_texts_are_read_and_written_in_utf8() -> None:
    """No file and no pipe is read or written in whatever encoding the machine's locale has."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _leaves_encoding(node)
    ]
    assert found == []


def test_tests_start_processes_through_one_module() -> None:
    """Children of tests end with them, hear signals and have limits: `tests.processes` sees to it, and it alone."""
    tests = (ROOT / "tests").rglob("*.py")
    assert [path.name for path in tests if "subprocess" in imports(path)] == ["processes.py"]

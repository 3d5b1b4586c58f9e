"""The versions that a run's numbers depend on."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


def versions() -> dict[str, str]:
    """Return the versions that a run depends on."""
    return {name: _installed(name) for name in ("margin-kernel", "numba", "llvmlite", "numpy")}


@cache  # reading the metadata of packages takes as long as 10,000 paths
def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"

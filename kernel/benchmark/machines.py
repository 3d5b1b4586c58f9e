"""Machines: what this one is called, and those measured so far."""

from __future__ import annotations

import json
import platform
from importlib.resources import files
from pathlib import Path
from typing import Any

from kernel.benchmark.environment import processor_family
from kernel.simulation.execution.workers import available_threads
from kernel.versions import versions

_PROCESSORS = Path("/proc/cpuinfo")


def described() -> dict[str, Any]:
    """Return the processor, how many of them this process may use, the system and the versions, as plain values."""
    return {
        "machine": {
            "processor": _processor(processor_family()),
            "processors": available_threads(),
            "system": f"{platform.system()} {platform.machine()}",
        },
        "versions": {"python": platform.python_version(), **versions()},
    }


def _processor(family: str) -> str:
    """Return the name that the processor gives itself, where the system tells it, and its family by LLVM's name."""
    lines = _PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines() if _PROCESSORS.exists() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{name} ({family})" if name else family


def recorded() -> list[dict[str, Any]]:
    """Return the row of each machine measured so far, as `margin bench --format json` prints one.

    Example:
        >>> sorted(recorded()[0]["machine"])
        ['processor', 'processors', 'system']
    """
    rows: list[dict[str, Any]] = json.loads(files(__package__).joinpath("recorded.json").read_text(encoding="utf-8"))
    return rows

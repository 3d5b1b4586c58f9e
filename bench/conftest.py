"""What the JSON of a run tells of its machine: processor, its vectors, and versions, the contenders' too."""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from kernel.benchmark import described

_CONTENDERS = {"jax": "JAX", "quantlib": "QuantLib"}


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Add the machine as `margin bench` describes it, and the contenders' versions."""
    found = described()
    found["versions"] |= {name: known for package, name in _CONTENDERS.items() if (known := _installed(package))}
    compiler = shutil.which("cc")
    if compiler is not None:
        told = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
        found["versions"]["compiler"] = told.splitlines()[0]
    flags = Path("/proc/cpuinfo")
    found["avx512"] = flags.exists() and "avx512f" in flags.read_text().split()
    machine_info["margin"] = found


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

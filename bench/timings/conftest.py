"""What the JSON of a run tells of its machine: processor, its vectors, and versions, the contenders' too."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from kernel.benchmark import described
from kernel.benchmark.environment import installed

_CONTENDERS = {"jax": "JAX", "quantlib": "QuantLib"}


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Add the machine as `margin bench` describes it, and the contenders' versions."""
    found = described()
    found["versions"] |= {name: known for package, name in _CONTENDERS.items() if (known := installed(package))}
    compiler = shutil.which("cc")
    if compiler is not None:
        told = subprocess.run([compiler, "--version"], capture_output=True, encoding="utf-8", check=True).stdout
        found["versions"]["compiler"] = told.splitlines()[0]
    flags = Path("/proc/cpuinfo")
    found["avx512"] = flags.exists() and "avx512f" in flags.read_text(encoding="utf-8").split()
    machine_info["margin"] = found

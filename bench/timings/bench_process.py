"""What a whole process takes: the command line cold and warm, and the memory of long runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "btc_perpetual_10x.toml"
MEMORY = """
import sys
from pathlib import Path
from bench.timings import jobs
jobs.perpetual(True, int(sys.argv[1]), jobs.FIVE_DAYS, 1, record="summary", levels=(0.99, 0.999)).run()
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])  # ru_maxrss would be the parent's
"""


def margin(*arguments: str, **environment: str) -> None:
    """Run the command line in a process of its own."""
    subprocess.run(
        [sys.executable, "-m", "kernel", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        check=True,
        capture_output=True,
    )


def test_help(benchmark: Any) -> None:
    """Time `margin --help`."""
    benchmark.extra_info.update(name="margin --help")
    benchmark.pedantic(margin, args=("--help",), rounds=10, warmup_rounds=1)


def test_warm_run(benchmark: Any) -> None:
    """Time `margin run` of a million paths with compiled kernels on disk."""
    benchmark.extra_info.update(name="margin run, warm")
    benchmark.pedantic(margin, args=("run", str(EXAMPLE)), rounds=5, warmup_rounds=1)


def test_cold_run(benchmark: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Time `margin run` with nothing compiled."""

    def cold() -> None:
        margin("run", str(EXAMPLE), NUMBA_CACHE_DIR=str(tmp_path_factory.mktemp("cache")))

    benchmark.extra_info.update(name="margin run, cold cache")
    benchmark.pedantic(cold, rounds=2)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's peak memory of a process")
def test_memory(benchmark: Any) -> None:
    """Note the peak memory of a million and of a hundred million paths as summaries; the time is that of the latter."""

    def peak(paths: int) -> float:
        command = [sys.executable, "-c", MEMORY, str(paths)]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, encoding="utf-8")
        return int(done.stdout) / 1024

    small = peak(10**6)
    large = benchmark.pedantic(peak, args=(10**8,), rounds=1)
    benchmark.extra_info.update(name="100 million paths", small_mib=small, large_mib=large)

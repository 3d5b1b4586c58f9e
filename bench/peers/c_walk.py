"""The walk in C, by hand in AVX2, on threads: `bench/peers/limit/limit.c` through ctypes, which lets go of Python."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers import Walked, terms

SOURCE = Path(__file__).parent / "limit" / "limit.c"
_CHUNK = 8_192  # paths; a multiple of the eight that are walked at a time


def absent() -> str | None:
    """Say what the machine lacks, if it does."""
    if shutil.which("cc") is None:
        return "there is no C compiler"
    flags = Path("/proc/cpuinfo")
    if not flags.exists() or not {"avx2", "fma"} <= set(flags.read_text(encoding="utf-8").split()):
        return "the processor has no AVX2, or does not say so"
    return None


@cache
def _compiled(equity_each_step: bool) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "limit.so"
        switch = ["-DEQUITY_EACH_STEP"] if equity_each_step else []
        command = ["cc", "-O3", "-mavx2", "-mfma", "-shared", "-fPIC", *switch, "-o", str(library), str(SOURCE)]
        subprocess.run(command, check=True)
        function = ctypes.CDLL(str(library)).walk
    whole, real = ctypes.c_int64, ctypes.c_float
    function.argtypes = [whole] * 3 + [ctypes.c_int32, ctypes.c_uint64] + [real] * 3 + [ctypes.c_void_p] * 3
    function.restype = None
    return function


def walk(paths: int, threads: int = 1, seed: int = 42, *, equity_each_step: bool = False) -> Walked:
    """Walk the job: paths a multiple of eight; paths are those of the kernel for the same seed."""
    job, function = terms(), _compiled(equity_each_step)
    equity, first = np.empty(paths, np.float32), np.empty((4, paths), np.int32)
    level = (job.levels if equity_each_step else job.barriers).astype(np.float32)
    pointers = level.ctypes.data, equity.ctypes.data, first.ctypes.data

    def chunk(start: int) -> None:
        stop = min(start + _CHUNK, paths)
        function(start, stop, paths, job.steps, seed, job.drift, job.scale, job.debt, *pointers)

    starts = range(0, paths, _CHUNK)
    if threads == 1:
        for start in starts:
            chunk(start)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(chunk, starts))
    return equity, first

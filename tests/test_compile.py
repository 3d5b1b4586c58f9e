"""How the kernels are compiled: once per machine, again when a source changes, to packed arithmetic."""

from __future__ import annotations

import math
import pickle
import platform
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numba import njit, typeof

import kernel
from kernel._core.cache import entries
from kernel._core.fields import fields_of
from kernel._core.jit import entry
from kernel._core.step_noise import Normals
from kernel._core.walk import new_workspace, walk
from kernel.errors import Problems
from kernel.simulation import chunks
from kernel.simulation import simulate as simulation
from kernel.simulation.check import check_simulation
from tests import processes
from tests.cases import BATES, FILTERED, GBM, HESTON, HORIZON, KOU, LADDER, LONG, MERTON

PROGRAM = """
import kernel
from kernel._core.walk import walk
kernel.simulate(
    kernel.Gbm(assets=["A"], spot=1.0, volatility=0.5),
    kernel.Account(cash=-0.5, positions=[kernel.Linear("A", quantity=1.0)], maintenance_rate=0.01),
    kernel.Ladder({"call": 2.0}), horizon=0.1, steps=1, paths=10)
print(sum(walk.stats.cache_misses.values()), sum(walk.stats.cache_hits.values()))
"""
FOLDER = "from kernel._core.jit import CACHE_FOLDER; print(CACHE_FOLDER)"
LIBM = re.compile(r"\$_?(?:numba_)?(exp|expm1|log|log1p|sin|cos|tan|pow|fma|floor|rint)f?\b")


def printed(program: str, folder: Path) -> list[str]:
    """Run a program in a fresh process on the copy of the package in `folder`; return the words that it prints."""
    environment = {"NUMBA_CACHE_DIR": None, "PYTHONPATH": str(folder)}
    return processes.printed([sys.executable, "-c", program], cwd=folder, environment=environment).split()


def test_a_second_process_compiles_nothing_until_a_source_changes(tmp_path: Path) -> None:
    """The first process compiles, the second loads; an edit of any compiled source, also of a helper, starts anew."""
    package = Path(kernel.__file__).parent
    shutil.copytree(package, tmp_path / "kernel", ignore=shutil.ignore_patterns("__pycache__"))
    assert printed(PROGRAM, tmp_path) == ["1", "0"]
    assert printed(PROGRAM, tmp_path) == ["0", "1"]
    (before,) = printed(FOLDER, tmp_path)
    with (tmp_path / "kernel" / "accounts" / "books" / "linear.py").open("a", encoding="utf-8") as source:
        source.write("\n# edited\n")
    (after,) = printed(FOLDER, tmp_path)
    assert Path(before).parent == Path(after).parent
    assert before != after
    assert not entries(Path(after))


def job_of(market: kernel.Market) -> chunks.Job:
    """Build the job of one path in one step."""
    problems, stated = Problems(), {"horizon": HORIZON, "steps": 1, "paths": 1, "record": "paths"}
    settings = check_simulation(problems, stated, market=market, account=LONG, ladder=LADDER)
    assert problems.found == []
    return simulation.new_job(market, LONG, LADDER, settings)


@pytest.mark.parametrize(
    "market",
    [GBM, MERTON, KOU, HESTON, BATES, replace(FILTERED, dt=HORIZON)],
    ids=["gbm", "merton", "kou", "heston", "bates", "filtered"],
)
def test_a_pickled_job_compiles_nothing_new(market: kernel.Market) -> None:
    """A worker process sees the types that its parent compiled for: none of them read-only."""
    job = job_of(market)
    copy = pickle.loads(pickle.dumps(job))
    for mine, theirs in ((job.step, copy.step), (job.book, copy.book), (job.plan, copy.plan)):
        assert typeof(mine) == typeof(theirs)
        assert "readonly" not in str(typeof(mine))


def assembly(function: object) -> str:
    """Return the one listing of a compiled function."""
    return next(iter(function.inspect_asm().values()))  # type: ignore[attr-defined]


def test_the_search_for_libm_calls_finds_one() -> None:
    """A kernel that does call the C library is caught."""

    @njit
    def calls(x: np.ndarray) -> None:
        for i in range(x.size):
            x[i] = math.exp(x[i])

    calls(np.ones(3))
    assert LIBM.search(assembly(calls))


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="reads x86-64 assembly")
def test_the_walk_is_packed_and_calls_no_libm() -> None:
    """Philox multiplies, roots and fused multiply-adds are packed; exp, log, sin and cos are the project's own."""
    job = job_of(MERTON)
    fresh = entry(walk.py_func)  # machine code from the disk cache has no listing
    work = new_workspace(job.real, 1, job.tiers, fields_of(job.step, job.book, job.rules))
    normals = Normals(False, np.empty((0, 0, 0), job.real))
    fresh(job.step, job.book, job.rules, job.plan, job.seed, normals, 0, 0, chunks.new_arrays(job, 0, 0), work)
    listing = assembly(fresh)
    assert listing.count("vpmuludq") >= 20
    assert listing.count("vsqrtps") >= 2
    assert len(re.findall(r"vfn?m(?:add|sub)\d+ps", listing)) >= 50
    assert not LIBM.search(listing)
    for name, packed in (("draw_words", "vpmuludq"), ("to_normals", "vsqrtps"), ("_screen_barrier", "vcmp")):
        bodies = [part for part in re.split(r"\n(?=_Z)", listing) if name in part.partition(":")[0]]
        assert bodies, name
        assert all(packed in body for body in bodies), name


@pytest.mark.parametrize("body", [lambda x: x[1:], lambda x: np.zeros(x.size).sum()])
def test_a_kernel_makes_and_returns_no_array(body: Callable[[np.ndarray], object]) -> None:
    """Without reference counts nothing would free or hold it: so it does not compile."""
    with pytest.raises(TypeError, match="pass it one to write to"):
        entry(body)(np.ones(3))

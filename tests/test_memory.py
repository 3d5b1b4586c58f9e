"""Results beyond the memory are refused before they are made, with the bytes that they would take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kernel
from kernel.simulation import simulate as simulation
from kernel.simulation.execution import memory
from kernel.simulation.execution.memory import available_memory
from tests.cases import GBM, run

GIB = 2**30


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a machine of 8 GiB free memory and 1 of swap, without control groups; return its folder."""
    (tmp_path / "meminfo").write_text(
        f"MemTotal: 9 kB\nMemAvailable: {8 * 2**20} kB\nSwapFree: {2**20} kB\nHuge: 0\n", encoding="utf-8"
    )
    for name, place in (("_MEMINFO", "meminfo"), ("_OWN_GROUP", "cgroup"), ("_GROUPS", "groups")):
        monkeypatch.setattr(memory, name, tmp_path / place)
    return tmp_path


def group(folder: Path, **files: object) -> None:
    """Write the files of a control group."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n", encoding="utf-8")


def test_the_memory_of_a_machine_is_what_is_free_or_can_be_freed(machine: Path) -> None:
    """Without groups it is the kernel's estimate and the swap; without either the memory of the machine, if known."""
    assert available_memory() == 9 * GIB
    (machine / "meminfo").unlink()
    assert available_memory() is None or available_memory() > 2**20


@pytest.mark.parametrize(
    ("line", "place", "limit", "used", "cache"),
    [
        ("0::/job", "groups", "memory__max", "memory__current", "inactive_file"),
        ("4:memory:/job", "groups/memory", "memory__limit_in_bytes", "memory__usage_in_bytes", "total_inactive_file"),
    ],
    ids=["version 2", "version 1"],
)
def test_a_control_group_has_the_last_word(
    machine: Path, line: str, place: str, limit: str, used: str, cache: str
) -> None:
    """The tightest limit of the group and those around it counts, less what is used, but for files kept in memory."""
    root = machine / place
    (machine / "cgroup").write_text(f"9:cpu:/else\n{line}\n", encoding="utf-8")
    group(root / "job", **{limit: 3 * GIB, used: 2 * GIB, "memory__stat": f"anon 5\n{cache} {GIB // 2}"})
    assert available_memory() == 1.5 * GIB
    group(root, **{limit: GIB, used: 0})
    assert available_memory() == GIB
    group(root, **{limit: "max", used: 0})
    group(root / "job", **{limit: 2**63 - 4096, used: 0})
    assert available_memory() == 9 * GIB


def test_a_container_sees_its_own_group_at_the_root(machine: Path) -> None:
    """Where the path of the group is that of the machine around, the root holds the limits."""
    (machine / "cgroup").write_text("0::/docker/0123\n", encoding="utf-8")
    group(machine / "groups", memory__max=GIB, memory__current=0)
    assert available_memory() == GIB


def test_paths_beyond_the_memory_are_refused_with_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A billion paths of a price and four tiers take 24 GB: they are refused before anything is allocated."""
    monkeypatch.setattr(memory, "available_memory", lambda: 16 * 10**9)
    monkeypatch.setattr(simulation, "new_arrays", lambda *_: pytest.fail("allocated"))
    with pytest.raises(kernel.InvalidInput) as refused:
        run(GBM, paths=10**9)
    (problem,) = refused.value.problems
    assert problem.field == "paths"
    assert problem.message.startswith(
        "1,000,000,000 would take 24,000,000,000 bytes of memory, of which 16,000,000,000 are left: use fewer, or "
        "record='summary'"
    )


def test_what_is_refused_is_what_would_be_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of the arrays of an outcome are those that the memory is asked for."""
    asked: list[int] = []
    monkeypatch.setattr(simulation, "require_memory", lambda needed, *_: asked.append(needed))
    for settings in ({}, {"precision": "double"}, {"worst": True}):
        outcome = run(GBM, paths=1_000, **settings)
        arrays = (outcome.loss, outcome.terminal_price, outcome.breach_time, outcome.worst)
        assert asked.pop() == sum(np.asarray(one).nbytes for one in arrays if one is not None)
    weighted = run(GBM, paths=1_000, importance="liquidation")
    held = (weighted.loss, weighted.terminal_price, weighted.breach_time, weighted.weight, weighted.breach_weight)
    assert asked.pop() >= sum(np.asarray(one).nbytes for one in held)


def test_a_summary_of_low_levels_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A summary of high levels takes little; one of the median keeps half of the losses."""
    monkeypatch.setattr(memory, "available_memory", lambda: 10**9)
    monkeypatch.setattr(simulation, "warm", lambda _: pytest.fail("begun"))
    with pytest.raises(kernel.InvalidInput, match=r"paths: 1,000,000,000 would take .* use fewer, or higher levels"):
        run(GBM, paths=10**9, record="summary", levels=(0.5,))
    with pytest.raises(pytest.fail.Exception, match="begun"):
        run(GBM, paths=10**9, record="summary", levels=(0.99,))


def test_memory_that_gives_out_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the memory is not known, its end is told as what it is."""

    def exhaust(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(simulation, "new_arrays", exhaust)
    with pytest.raises(kernel.InvalidInput, match="paths: are more than fit into memory: use fewer, or record"):
        run(GBM, paths=1_000)


def test_a_small_run_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading what the machine has left takes as long as thousands of paths: a few megabytes are not asked for."""
    monkeypatch.setattr(memory, "available_memory", lambda: pytest.fail("asked"))
    run(GBM, paths=100_000)

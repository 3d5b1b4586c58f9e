"""A plugin for `.ci/hostile`: a processor that nobody has heard of, and one core of it."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

NAME = "Größe & Söhne(R) \udce9 9000-QX/2 @ 0.1GHz" + " of a very long name" * 9


def pytest_configure(config: pytest.Config) -> None:
    """Leave one core to the tests and their children."""
    del config
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


@pytest.fixture(autouse=True)
def _processor(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give the processor another name, by the system's account and by LLVM's."""
    import kernel.benchmark.machines  # noqa: PLC0415 - after the environment is settled

    told = tmp_path_factory.getbasetemp() / "cpuinfo"
    told.write_bytes(f"processor: 0\nmodel name\t: {NAME}\n".encode("utf-8", "surrogateescape"))
    monkeypatch.setattr(kernel.benchmark.machines, "_PROCESSORS", Path(told))
    binding = SimpleNamespace(get_host_cpu_name=lambda: "unheard-of")
    monkeypatch.setattr(kernel.benchmark.environment, "llvmlite", SimpleNamespace(binding=binding))

"""`margin info`: what a run depends on around it."""

# ruff: noqa: PLC0415 - imports inside functions: a page of help waits for none of them

from __future__ import annotations

import platform
import sys
from typing import Any

import click

from kernel.commands.options import format_option
from kernel.commands.output import to_json
from kernel.commands.shell import show

_ALSO = ("pyarrow", "click", "scipy", "arch")  # packages that no kernel depends on


@click.command()
@format_option
def info(form: str) -> None:
    """Show versions, processor, threads and the cache folder."""
    facts = _facts()
    if form == "json":
        show(to_json(facts))
        return
    rows = {**facts.pop("versions"), **facts}
    show("\n".join(f"{name:<14}{value if value is not None else '-'}" for name, value in rows.items()))


def _facts() -> dict[str, Any]:
    """Return versions, machine, threads and cache folder as plain values."""
    from kernel.benchmark.environment import cache_folder, installed, processor_family, why_no_cache
    from kernel.simulation.execution.workers import available_threads
    from kernel.versions import versions

    return {
        "versions": versions() | {name: installed(name) for name in _ALSO},
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "cpu": processor_family(),
        "threads": available_threads(),
        "cache_folder": cache_folder(),
        **({} if cache_folder() else {"why_no_cache": why_no_cache()}),
    }

"""What `margin bench` tells: this machine's figures beside those of the machines measured before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernel.benchmark import MEASURES
from kernel.checks.text import counted
from kernel.report.layout import aligned, wrapped
from kernel.report.numbers import three_figures

_MOST = 4  # recorded machines that fit into the width
_WIDE = 0.2  # of a median: a spread that a machine does not have by itself


def text(found: dict[str, Any], recorded: Sequence[dict[str, Any]]) -> str:
    """Write a machine's row, and the latest of the recorded ones, as a table with a column for each."""
    beside = recorded[-_MOST:]
    head = [["measure", "", "here", "middle half", *(f"[{k}]" for k, _ in enumerate(beside, 1))]]
    rows = [[what, unit, *_figures(name, found, beside)] for name, (what, unit) in MEASURES.items()]
    before = f"{found['rounds']} rounds, after {found['preparing_seconds']:.1f} s of compiling and warming up"
    said = "Medians; single precision and one thread where nothing else is said; ns and ms: less is faster."
    legend = [f"here: {_named(found)}, {before}", *(f"[{k}]: {_named(one)}" for k, one in enumerate(beside, 1))]
    return "\n".join([*aligned(head + rows, texts=2), "", *map(wrapped, [*legend, *_unsteady(found)]), said]) + "\n"


def _unsteady(found: dict[str, Any]) -> list[str]:
    """Say that others used the machine, if the figures look like it."""
    wide = [one for one in found["measures"].values() if one["high"] - one["low"] > _WIDE * one["median"]]
    if len(wide) <= len(MEASURES) // 2:
        return []
    return [f"unsteady: most middle halves are wider than {_WIDE:.0%} of their medians; let nothing else run"]


def _figures(name: str, found: dict[str, Any], beside: Sequence[dict[str, Any]]) -> list[str]:
    here = found["measures"][name]
    others = [one["measures"][name]["median"] if name in one["measures"] else None for one in beside]
    spread = f"{three_figures(here['low'])} .. {three_figures(here['high'])}"
    return [three_figures(here["median"]), spread, *("-" if one is None else three_figures(one) for one in others)]


def _named(row: dict[str, Any]) -> str:
    machine, versions = row["machine"], row["versions"]
    used = ", ".join(f"{name} {versions[name]}" for name in ("python", "numba", "numpy"))
    return f"{machine['processor']}, {counted(machine['processors'], 'processor')}, {used}, {row['date']}"

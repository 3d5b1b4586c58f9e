"""What `margin bench` reports: this machine's figures beside those of the machines measured before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernel.benchmark import MEASURES
from kernel.checks.text import counted
from kernel.report.blocks import Block, Heading, Paragraph, Table
from kernel.report.numbers import three_figures

_MOST = 4  # recorded machines that fit into the width
_WIDE = 0.2  # of a median: a spread that a machine does not have by itself
_UNITS = "Medians; single precision and one thread where nothing else is said; ns and ms: less is faster."


def blocks(here: dict[str, Any], recorded: Sequence[dict[str, Any]]) -> list[Block]:
    """Return a machine's row, and the latest of the recorded ones, as a table with a column for each."""
    beside = recorded[-_MOST:]
    head = ["measure", "", "here", "middle half", *(f"[{k}]" for k, _ in enumerate(beside, 1))]
    rows = [[what, unit, *_figures(name, here, beside)] for name, (what, unit) in MEASURES.items()]
    before = f"{here['rounds']} rounds, after {here['preparing_seconds']:.1f} s of compiling and warming up"
    legend = [f"here: {_named(here)}, {before}", *(f"[{k}]: {_named(row)}" for k, row in enumerate(beside, 1))]
    sentences = [Paragraph(sentence) for sentence in (*legend, *_unsteady(here), _UNITS)]
    return [Heading("Speed"), Table(head, rows, texts=2), Heading("Machines"), *sentences]


def _unsteady(here: dict[str, Any]) -> list[str]:
    """Say that others used the machine, if the figures look like it."""
    wide = [spread for spread in here["measures"].values() if spread["high"] - spread["low"] > _WIDE * spread["median"]]
    if len(wide) <= len(MEASURES) // 2:
        return []
    return [f"unsteady: most middle halves are wider than {_WIDE:.0%} of their medians; let nothing else run"]


def _figures(measure: str, here: dict[str, Any], beside: Sequence[dict[str, Any]]) -> list[str]:
    spread = here["measures"][measure]
    others = [row["measures"][measure]["median"] if measure in row["measures"] else None for row in beside]
    middle = f"{three_figures(spread['low'])} .. {three_figures(spread['high'])}"
    return [
        three_figures(spread["median"]),
        middle,
        *("-" if median is None else three_figures(median) for median in others),
    ]


def _named(row: dict[str, Any]) -> str:
    machine, versions = row["machine"], row["versions"]
    used = ", ".join(f"{name} {versions[name]}" for name in ("python", "numba", "numpy"))
    return f"{machine['processor']}, {counted(machine['processors'], 'processor')}, {used}, {row['date']}"

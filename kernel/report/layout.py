"""Tables and sentences in at most 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

WIDTH = 100


def aligned(rows: Sequence[Sequence[str]], texts: int) -> list[str]:
    """Align cells in columns: the first `texts` columns to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if k < texts else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def wrapped(text: str) -> str:
    """Wrap a sentence; dates and names with hyphens stay whole."""
    return textwrap.fill(text, WIDTH, break_on_hyphens=False)


def listed(notes: Sequence[str]) -> list[str]:
    """Write sentences as a list."""
    return [
        textwrap.fill(note, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
        for note in notes
    ]


def matrix(name: str, assets: Sequence[str], rows: Sequence[Sequence[float]]) -> list[str]:
    """Write a matrix by asset, unless there is but one asset or too many for the width."""
    cells = [[asset, *(f"{one:.3f}" for one in row)] for asset, row in zip(assets, rows, strict=True)]
    lines = aligned([[name, *assets], *cells], texts=1)
    if len(lines[0]) > WIDTH:
        return [f"{name} of {len(assets)} assets: see --format json"]
    return lines if len(assets) > 1 else []

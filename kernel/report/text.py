"""Blocks as text, in at most 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from kernel.report.blocks import Block, Heading, Paragraph, Points, Table

WIDTH = 100


def to_text(blocks: Iterable[Block]) -> str:
    """Write blocks: parts have an empty line between them, and figures are left out.

    Example:
        >>> print(to_text([Heading("Tiers"), Table(["tier", "level"], [["call", "2"]])]), end="")
        tier  level
        call      2
    """
    parts: list[list[str]] = [[]]
    for block in blocks:
        if isinstance(block, Heading):
            parts.append([])
        else:
            parts[-1] += _lines(block)
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _lines(block: Block) -> list[str]:
    if isinstance(block, Paragraph):
        return [_wrapped(block.text)]
    if isinstance(block, Points):
        return [_wrapped(sentence, "- ") for sentence in block.sentences]
    if isinstance(block, Table):
        lines = _aligned([block.head, *block.rows], block.texts)
        return [block.instead] if block.instead and len(lines[0]) > WIDTH else lines
    return []


def _wrapped(text: str, mark: str = "") -> str:
    """Wrap a sentence behind a mark; dates and names with hyphens stay whole."""
    behind = " " * len(mark)
    return textwrap.fill(text, WIDTH, initial_indent=mark, subsequent_indent=behind, break_on_hyphens=False)


def _aligned(rows: Sequence[Sequence[str]], texts: int) -> list[str]:
    """Align cells in columns: the first `texts` columns to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if k < texts else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]

"""What reports are made of: they say what is shown, and a writer, such as `kernel.report.text`, how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple


class Heading(NamedTuple):
    """The beginning of a part; in text, whose tables head themselves, an empty line."""

    title: str


class Paragraph(NamedTuple):
    """A sentence, or several."""

    text: str


class Points(NamedTuple):
    """Sentences that stand by themselves, such as notes."""

    sentences: Sequence[str]


class Table(NamedTuple):
    """Rows of cells; numbers are written already, to as many figures as they bear."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1
    """Columns, the first ones, that hold texts; the others hold numbers."""
    instead: str = ""
    """What is written where the table is too wide for the page; empty: the table all the same."""


class Figure(NamedTuple):
    """A figure, drawn where it is asked for; none stands in text."""

    title: str
    draw: Callable[[Path], object]
    """Of a .png or .svg file to write."""


Block = Heading | Paragraph | Points | Table | Figure


def matrix(name: str, assets: Sequence[str], rows: Sequence[Sequence[float]]) -> list[Block]:
    """Return a matrix by asset as a table; of one asset nothing."""
    if len(assets) == 1:
        return []
    cells = [[asset, *(f"{value:.3f}" for value in row)] for asset, row in zip(assets, rows, strict=True)]
    return [Table([name, *assets], cells, instead=f"{name} of {len(assets)} assets: see --format json")]

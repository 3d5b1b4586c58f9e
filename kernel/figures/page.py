"""What the figures share: their look, the formats, and how they are written."""

# ruff: noqa: PLC0415 - matplotlib takes long to import: only where it is used

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel.errors import InvalidInput, Problem
from kernel.tables import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg")
_STYLE: Any = {"svg.hashsalt": "margin-kernel", "font.size": 9, "axes.spines.right": False, "axes.spines.top": False}


def check_plot() -> None:
    """Check that matplotlib is installed.

    Raises:
        InvalidInput: if it is not.
    """
    if find_spec("matplotlib") is None:
        raise InvalidInput([Problem("plot", 'needs matplotlib: pip install "margin-kernel[plot]"')])


def require(field: str, value: object, kind: type) -> None:
    """Refuse what is not of a kind.

    Raises:
        InvalidInput: naming what was given.
    """
    if not isinstance(value, kind):
        raise InvalidInput([Problem(field, f"must be a kernel.{kind.__name__}, not {type(value).__name__}")])


@contextmanager
def page(path: str | os.PathLike[str], width: float, height: float) -> Iterator[Figure]:
    """Yield a figure of a size in inches; write it to a .png or .svg file once it is drawn, the same bytes each time.

    Raises:
        InvalidInput: for another suffix, a path that cannot be written, or without matplotlib.
    """
    if Path(path).suffix not in SUFFIXES:
        raise InvalidInput([Problem("plot", f"must end in {' or '.join(SUFFIXES)}, not {Path(path).name!r}")])
    check_plot()
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    form, drawn = Path(path).suffix[1:], io.BytesIO()
    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        figure.savefig(drawn, format=form, dpi=150, metadata={"Date": None} if form == "svg" else None)
    write_bytes(drawn.getvalue(), path)

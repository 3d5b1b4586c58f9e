"""What the figures share: their look, the formats, the legend, and how they are written."""

# ruff: noqa: PLC0415 - matplotlib takes long to import: only where it is used

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel import checks
from kernel.errors import InvalidInput, Problem, Problems
from kernel.figures.words import size, wrapped
from kernel.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg")
SMALL = 8  # points, of words beside curves
_STYLE: Any = {
    "svg.hashsalt": "margin-kernel",
    "font.size": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "text.parse_math": False,  # names may have dollar signs
}
_BACKEND = "MPLBACKEND"
_DPI, _MOST_PIXELS = 150, 60_000  # Agg draws up to 65,536 each way
_HANDLE = 0.62  # inches that a legend's line takes beside its words
_DRAWING = threading.Lock()  # the look is set for the process: figures are drawn one by one


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
    problems = Problems()
    checks.path(problems, "plot", path)
    problems.raise_any()
    if Path(path).suffix.lower() not in SUFFIXES:
        raise InvalidInput([Problem("plot", f"must end in {' or '.join(SUFFIXES)}, not {Path(path).name!r}")])
    check_plot()
    form, drawn = Path(path).suffix[1:].lower(), io.BytesIO()
    with sheet(width, height) as figure:
        yield figure
        dpi = min(_DPI, _MOST_PIXELS / max(figure.get_size_inches()))
        figure.savefig(drawn, format=form, dpi=dpi, metadata={"Date": None} if form == "svg" else None)
    write_bytes(drawn.getvalue(), path)


@contextmanager
def sheet(width: float, height: float) -> Iterator[Figure]:
    """Yield a figure of a size in inches that knows no window, no backend and no settings but these."""
    import_whatever_the_backend()
    from matplotlib import rc_context, rcParamsDefault
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    usual = {name: rcParamsDefault[name] for name in rcParamsDefault if not name.startswith("backend")}
    with _DRAWING, rc_context({**usual, **_STYLE}):
        figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)  # measures words
        yield figure


def import_whatever_the_backend() -> None:
    """Import matplotlib also where the environment names a backend that is not installed, as below a notebook.

    No backend is used here, but the import itself fails of a name that it does not know. One that it knows is set
    after it, as the import would have done, for whoever else draws.
    """
    if "matplotlib" in sys.modules or _BACKEND not in os.environ:
        return
    named = os.environ.pop(_BACKEND)
    try:
        import matplotlib as mpl
    finally:
        os.environ[_BACKEND] = named
    with suppress(ValueError):
        mpl.rcParams["backend"] = named


def settle(figure: Figure) -> None:
    """Lay out what has been drawn, so that places on the figure are known."""
    figure.draw_without_rendering()


def legend_below(figure: Figure, handles: Sequence[Any], names: Sequence[str]) -> None:
    """Put a legend below everything else, in as many columns as fit; the figure grows by its height."""
    if not names:
        return
    width, height = figure.get_size_inches()
    lines = [wrapped(figure, name, width - _HANDLE - 0.4, SMALL) for name in names]
    widest = max(size(figure, line, SMALL)[0] for line in lines) + _HANDLE
    columns = min(len(lines), max(1, int((width - 0.3) / widest)))
    legend = figure.legend(
        list(handles), ["."] * len(lines), loc="outside lower center", ncols=columns, frameon=False, fontsize=SMALL,
        handlelength=3.2, columnspacing=1.2,
    )  # fmt: skip
    for text, line in zip(legend.get_texts(), lines, strict=True):
        text.set_text(line)  # here, as matplotlib leaves out labels that begin with an underscore
    figure.set_size_inches(width, height + legend.get_window_extent().height / figure.dpi)

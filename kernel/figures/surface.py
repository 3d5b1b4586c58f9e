"""The figure of a margin surface: a table of colours for each volatility state."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from kernel.calibration import Surface
from kernel.figures.page import page, require
from kernel.text import duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS, _NONE = "viridis_r", "#e4e4e4"
_MOST_NUMBERS = 12  # rows or columns: of more the colours alone are drawn
_DARK = 0.55  # of the range: beyond it numbers are white


def plot_surface(surface: Surface, path: str | os.PathLike[str]) -> None:
    """Draw the rates of each volatility state by leverage and horizon, on one scale of colours; grey: none.

    Args:
        surface: of `kernel.margin_surface`.
        path: of a .png or .svg file.

    Raises:
        InvalidInput: for what is no surface, another suffix, a path that cannot be written, or without matplotlib.

    Example:
        `plot_surface(kernel.margin_surface({"calm": market}, [5, 10], [1 / 365], 0.01), "surface.svg")`
    """
    require("surface", surface, Surface)
    states, rows, columns = surface.rate.shape
    each = 1.4 + 0.62 * min(columns, _MOST_NUMBERS)
    with page(path, max(4.5, states * each + 0.8), 1.6 + 0.32 * min(rows, _MOST_NUMBERS)) as figure:
        panels = figure.subplots(1, states, squeeze=False, sharey=True)[0]
        for k, axes in enumerate(panels):
            drawn = _panel(axes, surface, k)
        panels[0].set_ylabel("leverage")
        figure.colorbar(drawn, ax=list(panels), format=lambda rate, _: f"{100 * rate:g} %", shrink=0.9)
        figure.suptitle(
            f"highest maintenance rate that liquidates {100 * surface.probability:g} % of clients", fontsize=10
        )


def _panel(axes: Axes, surface: Surface, k: int) -> Any:
    """Draw a state; return what the scale of colours is of."""
    from matplotlib import colormaps  # noqa: PLC0415 - matplotlib takes long to import

    known = surface.rate[np.isfinite(surface.rate)]
    highest = float(known.max()) if known.size else 1.0
    colours = colormaps[_COLOURS].with_extremes(bad=_NONE)
    drawn = axes.imshow(surface.rate[k], cmap=colours, vmin=0.0, vmax=highest, aspect="auto")
    axes.set(title=surface.states[k], xlabel="horizon")
    axes.set_xticks(range(surface.horizons.size), [duration(one) for one in surface.horizons])
    axes.set_yticks(range(surface.leverages.size), [f"{one:g}" for one in surface.leverages])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    if max(surface.rate.shape[1:]) <= _MOST_NUMBERS:
        for (row, column), rate in np.ndenumerate(surface.rate[k]):
            text = f"{100 * rate:.3g} %" if np.isfinite(rate) else "none"
            colour = "white" if rate > _DARK * highest else "black"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=7)
    return drawn

"""The figure of a margin surface: a table of colours for each volatility state."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kernel.calibration import Surface
from kernel.figures.page import page, require, settle
from kernel.figures.palette import ink
from kernel.figures.words import distinct_names, in_one_unit, number, percent, size, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS, _NONE = "viridis_r", (0.89, 0.89, 0.89)
_MOST_NUMBERS = 12  # rows or columns: of more the colours alone are drawn
_ABREAST = 4  # states in a row
_CELL, _ROW, _PAGE = 0.62, 0.32, 18  # inches: of a cell, of a row of them, at most of a row of states
_NUMBER, _TITLE = 7, 9  # points
_PLAIN = 1e-5  # percent: what is below has an exponent, to fit its cell
_FEWEST = 3  # columns that a panel is at least as wide as: its title


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
    with page(path, 4.5, 3.0) as figure:
        draw(figure, surface)


def draw(figure: Figure, surface: Surface) -> None:
    """Draw a surface on a figure, which gets the size that the numbers and names ask for."""
    states, rows, columns = surface.rate.shape
    numbers = (
        {_written(rate) for rate in surface.rate.ravel().tolist()} if max(rows, columns) <= _MOST_NUMBERS else {""}
    )
    cell = max(_CELL, 0.1 + max(size(figure, text, _NUMBER)[0] for text in numbers))
    wide, high = cell * min(max(columns, _FEWEST), _MOST_NUMBERS), _ROW * min(max(rows, 2), _MOST_NUMBERS)
    abreast = max(1, min(states, _ABREAST, int(_PAGE / (wide + 0.7))))
    down = math.ceil(states / abreast)
    figure.set_size_inches(max(4.5, abreast * (wide + 0.7) + 1.2), down * (high + 1.15) + 0.45)
    grid = figure.subplots(down, abreast, squeeze=False)
    for axes in grid.ravel()[states:]:
        axes.remove()
    _panels(figure, grid.ravel()[:states].tolist(), surface, wide)
    settle(figure)
    inside = grid[0, 0].get_window_extent()
    width, height = figure.get_size_inches()
    more = wide - inside.width / figure.dpi, high - inside.height / figure.dpi
    figure.set_size_inches(width + abreast * max(0.0, more[0]), height + down * max(0.0, more[1]))
    title = f"highest maintenance rate that liquidates {percent(surface.probability)} of clients"
    figure.suptitle(wrapped(figure, title, figure.get_figwidth() - 0.4, 10), fontsize=10)


def _panels(figure: Figure, panels: list[Axes], surface: Surface, wide: float) -> None:
    """Draw the states, each on its axes of a width in inches, and the scale of colours."""
    known = surface.rate[np.isfinite(surface.rate)]
    highest = float(known.max()) if known.size else 1.0
    unit, horizons = in_one_unit(surface.horizons.tolist())
    leverages = [number(leverage) for leverage in surface.leverages.tolist()]
    states = distinct_names(surface.states, 40)
    for k, axes in enumerate(panels):
        drawn = _panel(axes, surface, k, highest)
        axes.set_title(wrapped(figure, states[k], wide, _TITLE), fontsize=_TITLE)
        _ticks(figure, axes, horizons, leverages, wide)
        axes.set(xlabel=f"horizon, {unit}", ylabel="leverage")
    if known.size:
        share = 1 / figure.get_figwidth()  # of an inch
        figure.colorbar(
            drawn,
            ax=panels,
            format=lambda rate, _: percent(rate, _PLAIN),
            shrink=0.9,
            fraction=0.3 * share,
            pad=0.15 * share,
        )


def _written(rate: float) -> str:
    """Write a rate with three figures, in percent.

    Example:
        >>> _written(0.1234), _written(1.2e-9), _written(math.nan)
        ('12.3 %', '1.2e-7 %', 'none')
    """
    return percent(float(f"{rate:.3g}"), _PLAIN) if math.isfinite(rate) else "none"


def _panel(axes: Axes, surface: Surface, k: int, highest: float) -> Any:
    """Draw a state; return what the scale of colours is of."""
    from matplotlib import colormaps  # noqa: PLC0415 - matplotlib takes long to import

    colours = colormaps[_COLOURS].with_extremes(bad=_NONE)
    drawn = axes.imshow(surface.rate[k], cmap=colours, vmin=0.0, vmax=highest, aspect="auto")
    if max(surface.rate.shape[1:]) <= _MOST_NUMBERS:
        for (row, column), rate in np.ndenumerate(surface.rate[k]):
            ground = colours(rate / highest)[:3] if np.isfinite(rate) else _NONE
            axes.text(
                column, row, _written(float(rate)), ha="center", va="center", color=ink(*ground), fontsize=_NUMBER
            )
    return drawn


def _ticks(figure: Figure, axes: Axes, horizons: Sequence[str], leverages: Sequence[str], panel: float) -> None:
    """Write as many horizons and leverages as there is room for."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    widest = max(size(figure, text, _TITLE)[0] for text in horizons) + 0.08
    across = max(1, math.ceil(widest * len(horizons) / panel))
    axes.set_xticks(range(0, len(horizons), across), horizons[::across])
    down = math.ceil(len(leverages) / _MOST_NUMBERS)
    axes.set_yticks(range(0, len(leverages), down), leverages[::down])

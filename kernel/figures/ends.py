"""The figure of endings: how likely each end of an escalation is by each time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from kernel.checks.text import unit_of
from kernel.figures.page import legend_below, page, require
from kernel.figures.palette import marked, style
from kernel.figures.ticks import linear, log_percent
from kernel.figures.words import distinct_names, percent
from kernel.measures import Endings, endings
from kernel.simulation.outcome import Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEAST = 0.02  # of the rarest end's probability: below it there is but noise


def plot_endings(of: Outcome | Endings, path: str | os.PathLike[str]) -> None:
    """Draw the cumulative incidence of each end that occurs, and of none yet, with intervals, on a logarithmic scale.

    Args:
        of: an outcome of `simulate` with an escalation, or what `kernel.endings` finds of it.
        path: of a .png or .svg file.

    Raises:
        InvalidInput: for what is neither, another suffix, a path that cannot be written, or without matplotlib.

    Example:
        `plot_endings(outcome, "endings.svg")`
    """
    found = endings(of) if isinstance(of, Outcome) else of
    require("of", found, Endings)
    with page(path, 7.5, 4.4) as figure:
        draw(figure, found)


def draw(figure: Figure, found: Endings) -> None:
    """Draw endings on a figure; each end has the same look whichever others occur."""
    axes = figure.subplots()
    unit, per_year = unit_of(float(found.times[-1]))
    occurring = np.flatnonzero(found.probabilities.max(axis=1) > 0).tolist()
    shown = found.probabilities[occurring]
    low, high = _LEAST * float(shown.max(axis=1).min()), 1.2
    handles = [line for k in occurring for line in _curve(axes, found, k, per_year, low)]
    latest = found.probabilities[occurring, -1].tolist()
    names = distinct_names([found.ends[k] for k in occurring])
    legend_below(figure, handles, [f"{name}: {percent(at)}" for name, at in zip(names, latest, strict=True)])
    axes.set(xlabel=f"time, {unit}", ylabel="probability of having ended so", yscale="log", ylim=(low, high))
    linear(axes.xaxis, most=8)
    log_percent(axes.yaxis, low, high)


def _curve(axes: Axes, found: Endings, k: int, per_year: float, low: float) -> list[Any]:
    """Draw one end from the time on at which it is in the frame; return its line."""
    seen = found.probabilities[k] >= low
    times, look = found.times[seen] * per_year, style(k)
    bounds = np.maximum(found.low[k, seen], low), np.minimum(found.high[k, seen], 1.0)
    if times.size == 1:  # no band: a bar
        axes.vlines(times, *bounds, color=look["color"], linewidth=1.0)
    axes.fill_between(times, *bounds, color=look["color"], alpha=0.2, linewidth=0)
    first, step = marked(k, times.size)
    return axes.plot(times, found.probabilities[k, seen], **look, linewidth=1.3, markevery=(first, step))

"""The figure of a backtest: losses against Value at Risk, and whether breach probabilities came true."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from kernel.backtesting import Backtest
from kernel.checks.text import counted
from kernel.figures.page import legend_below, page, require, settle
from kernel.figures.palette import PALE, colour, dashes, marker, points
from kernel.figures.ticks import dates, linear, linear_percent
from kernel.figures.words import distinct_names, number, percent, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NESTED = 4  # sizes of the rings around exceptions, so that those of several levels show around one loss


def plot_backtest(backtest: Backtest, path: str | os.PathLike[str]) -> None:
    """Draw realised losses against the Value at Risk of each level, exceptions marked, and the calibration curves.

    Args:
        backtest: of `kernel.backtest`.
        path: of a .png or .svg file.

    Raises:
        InvalidInput: for what is no backtest, another suffix, a path that cannot be written, or without matplotlib.

    Example:
        `plot_backtest(kernel.backtest(history), "backtest.svg")`
    """
    require("backtest", backtest, Backtest)
    with page(path, 13, 4.4) as figure:
        draw(figure, backtest)


def draw(figure: Figure, backtest: Backtest) -> None:
    """Draw a backtest on a figure."""
    left, right = figure.subplots(1, 2, width_ratios=[2.6, 1])
    handles, names = _losses(left, backtest)
    scored, tiers = _calibration(right, backtest, len(backtest.levels))
    legend_below(figure, handles + scored, names + tiers)
    settle(figure)
    width = right.get_window_extent().width / figure.dpi
    judged = f"judged by {backtest.breaches}: {backtest.breaches_reason}"
    right.set_xlabel(f"predicted\n{wrapped(figure, judged, width, 9)}")


def _losses(axes: Axes, backtest: Backtest) -> tuple[list[Any], list[str]]:
    """Draw losses and Value at Risk; return what the legend names, and how."""
    x: Any = np.arange(backtest.losses.size) if backtest.times is None else backtest.times
    handles: list[Any] = axes.plot(x, backtest.losses, ".", color=PALE, markersize=3, rasterized=True)
    names = ["realised loss"]
    for k, (level, tested) in enumerate(zip(backtest.levels, backtest.coverage, strict=True)):
        hits = backtest.exceptions[k]
        line = axes.plot(x, backtest.value_at_risk[k], color=colour(k), linestyle=dashes(k), linewidth=1.0)
        if backtest.losses.size == 1:
            line[0].set_marker("_")
        ring = axes.plot(
            x[hits], backtest.losses[hits], marker(k), color=colour(k), markersize=4 + 2 * (k % _NESTED),
            fillstyle="none",
        )  # fmt: skip
        handles.append((line[0], ring[0]))
        labels = f"{counted(tested.exceptions, 'exception')}, {number(tested.expected)} expected"
        names.append(f"{percent(level)} Value at Risk: {labels}")
    unit = "of the opening equity" if math.isclose(backtest.opening_equity, 1) else "in currency"
    axes.axhline(0, color="black", linewidth=0.6)
    axes.set(title="losses, exceptions ringed", ylabel=f"loss {unit}")
    lowest = float(np.quantile(np.abs(backtest.losses), 0.99)) if backtest.losses.size else 1.0
    axes.set_ylim(-1.1 * lowest or None, None)  # large gains may run out of the picture
    if backtest.times is None:
        axes.set_xlabel("forecast")
        linear(axes.xaxis)
    else:
        dates(axes.xaxis)
    linear(axes.yaxis)
    return handles, names


def _calibration(axes: Axes, backtest: Backtest, first: int) -> tuple[list[Any], list[str]]:
    """Draw the observed frequency of breaches over the predicted one, bin by bin, with 95% intervals.

    Return what the legend names, and how; their colours go on from `first`, after those of levels.
    """
    handles, names, labels = [], [], distinct_names(backtest.tiers)
    furthest = highest = 0.0
    for k, (tier, scored) in enumerate(zip(labels, backtest.reliability, strict=True)):
        look = points(k) | {"color": colour(first + k)}
        predicted = np.array([point.predicted for point in scored.curve])
        observed = np.array([point.observed for point in scored.curve]).reshape(-1, 4)  # [bin, estimate]
        bars = np.abs(observed[:, 2:].T - observed[:, 0])
        handles.append(axes.errorbar(predicted, observed[:, 0], bars, linestyle="none", elinewidth=0.9, **look))
        names.append(
            f"{tier}: {scored.events:,} breach{'' if scored.events == 1 else 'es'}, {number(scored.expected)} expected"
        )
        furthest = max(furthest, float(predicted.max(initial=0.0)))
        highest = max(highest, float(observed[:, 3].max(initial=0.0)))
    axes.plot([0, 1.1 * furthest], [0, 1.1 * furthest], color="black", linewidth=0.8, zorder=0)
    axes.set(title="breach probabilities", xlabel="predicted", ylabel="observed, with 95% intervals")
    for limits, most in ((axes.set_xlim, furthest), (axes.set_ylim, max(furthest, highest))):
        limits(-0.04 * most or -0.04, 1.1 * most or 1.0)  # marks at 0 are seen whole
    linear_percent(axes.xaxis)
    linear_percent(axes.yaxis)
    return handles, names

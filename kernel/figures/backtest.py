"""The figure of a backtest: losses against Value at Risk, and whether breach probabilities came true."""

from __future__ import annotations

import math
import os
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from kernel.backtesting import Backtest
from kernel.figures.page import page, require

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEVELS = ("#0b6e99", "#c2571a", "#7a4b94", "#4b7f3a")
_WIDTH = 48  # characters under the right axes
_TIERS = ("#4b7f3a", "#c2571a", "#7a4b94", "#0b6e99")


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
        left, right = figure.subplots(1, 2, width_ratios=[2.6, 1])
        _losses(left, backtest)
        _calibration(right, backtest)


def _losses(axes: Axes, backtest: Backtest) -> None:
    x = np.arange(backtest.losses.size) if backtest.times is None else backtest.times
    axes.plot(x, backtest.losses, ".", color="#a8a8a8", markersize=3, label="realised loss", rasterized=True)
    for k, (level, tested) in enumerate(zip(backtest.levels, backtest.coverage, strict=True)):
        colour, hits = _LEVELS[k % len(_LEVELS)], backtest.exceptions[k]
        name = f"{100 * level:g} % Value at Risk: {tested.exceptions} exceptions, {tested.expected:.1f} expected"
        axes.plot(x, backtest.value_at_risk[k], color=colour, linewidth=1.0, label=name)
        axes.plot(x[hits], backtest.losses[hits], "o", color=colour, markersize=4 + 2 * k, fillstyle="none")
    unit = "of the opening equity" if math.isclose(backtest.opening_equity, 1) else "in currency"
    axes.axhline(0, color="black", linewidth=0.6)
    axes.set(title="losses, exceptions circled", ylabel=f"loss {unit}")
    if backtest.times is None:
        axes.set_xlabel("forecast")
    axes.set_ylim(-1.1 * np.quantile(np.abs(backtest.losses), 0.99), None)  # large gains may run out of the picture
    axes.legend(frameon=False, fontsize=8, loc="upper right")


def _calibration(axes: Axes, backtest: Backtest) -> None:
    """Draw the observed frequency of breaches over the predicted one, bin by bin, with 95% intervals."""
    furthest = highest = 0.0
    for k, (tier, scored) in enumerate(zip(backtest.tiers, backtest.reliability, strict=True)):
        predicted = np.array([one.predicted for one in scored.curve])
        observed = np.array([one.observed for one in scored.curve])  # [bin, estimate]
        bars = np.abs(observed[:, 2:].T - observed[:, 0])
        colour, name = _TIERS[k % len(_TIERS)], f"{tier}: {scored.events} breaches, {scored.expected:.1f} expected"
        axes.errorbar(predicted, observed[:, 0], bars, fmt="o", color=colour, markersize=4, linewidth=0.9, label=name)
        furthest, highest = max(furthest, float(predicted.max())), max(highest, float(observed[:, 3].max()))
    axes.plot([0, 1.1 * furthest], [0, 1.1 * furthest], color="black", linewidth=0.8)
    judged = textwrap.fill(f"judged by {backtest.breaches}: {backtest.breaches_reason}", _WIDTH)
    axes.set(title="breach probabilities", xlabel=f"predicted\n{judged}", ylabel="observed, with 95% intervals")
    axes.set_xlim(0, 1.1 * furthest or 1.0)
    axes.set_ylim(0, 1.25 * max(furthest, highest) or 1.0)  # room for the legend
    axes.locator_params(nbins=5)
    axes.legend(frameon=False, fontsize=8, loc="upper left")

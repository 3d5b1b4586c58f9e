"""The figure of thresholds: how likely a level of the metric is breached, and where the ladder's tiers lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kernel.figures.page import page
from kernel.ladder import Ladder
from kernel.measures import ThresholdCurve
from kernel.text import duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#0b6e99", "#c2571a", "#7a4b94", "#4b7f3a")


def plot_thresholds(curves: Sequence[ThresholdCurve], ladder: Ladder, path: str | os.PathLike[str]) -> None:
    """Draw the breach probability of each level by each curve's time, with intervals, and the tiers of a ladder.

    Args:
        curves: of `kernel.threshold_curve`.
        ladder: that was simulated.
        path: of a .png or .svg file.

    Raises:
        InvalidInput: for another suffix, a path that cannot be written, or without matplotlib.

    Example:
        `plot_thresholds([kernel.threshold_curve(outcome)], ladder, "thresholds.svg")`
    """
    with page(path, 7.5, 4.4) as figure:
        axes = figure.subplots()
        for k, curve in enumerate(curves):
            colour, bounds = _COLOURS[k % len(_COLOURS)], np.isfinite(curve.low) & np.isfinite(curve.high)
            axes.plot(curve.levels, curve.probabilities, color=colour, label=f"within {duration(curve.by)}")
            axes.fill_betweenx(
                curve.probabilities, curve.low, curve.high, where=bounds, color=colour, alpha=0.25, linewidth=0
            )
        axes.set(xlabel=ladder.metric.replace("_", " "), ylabel="probability of a breach", yscale="log")
        _frame(axes, curves, ladder)
        _tiers(axes, ladder)
        axes.legend(frameon=False, loc="upper left")


def _frame(axes: Axes, curves: Sequence[ThresholdCurve], ladder: Ladder) -> None:
    """Show the levels that tiers may have: below 0, where no equity is left, only as far as the tiers go."""
    levels, shares = (np.concatenate([getattr(one, name) for one in curves]) for name in ("levels", "probabilities"))
    tiers = list(ladder.tiers.values())
    left, right = max(float(levels.min()), min(0.0, *tiers)), max(float(levels.max()), *tiers)
    room = 0.05 * (right - left) or 1.0
    seen = shares[levels >= left]
    axes.set_xlim(left - room, right + room)
    axes.set_ylim(0.5 * float(seen.min() if seen.size else shares.min()), 1.0)


def _tiers(axes: Axes, ladder: Ladder) -> None:
    for name, level in ladder.tiers.items():
        axes.axvline(level, color="#6b6b6b", linewidth=0.8, linestyle=":")
        axes.annotate(
            f" {name}", (level, 0.0), xycoords=("data", "axes fraction"), rotation=90, fontsize=8,
            ha="right", va="bottom", color="#4a4a4a",
        )  # fmt: skip

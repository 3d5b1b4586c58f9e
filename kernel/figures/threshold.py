"""The figure of thresholds: how likely a level of the metric is breached, and where the ladder's tiers lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kernel.figures.page import page, require
from kernel.ladder import Ladder
from kernel.measures import ThresholdCurve
from kernel.text import duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#0b6e99", "#c2571a", "#7a4b94", "#4b7f3a")


def plot_thresholds(
    curves: ThresholdCurve | Sequence[ThresholdCurve],
    ladder: Ladder,
    path: str | os.PathLike[str],
    targets: Sequence[float] = (),
) -> None:
    """Draw the breach probability of each level by each curve's time, with intervals, and the tiers of a ladder.

    Args:
        curves: of `kernel.threshold_curve`, one or several.
        ladder: that was simulated.
        path: of a .png or .svg file.
        targets: breach probabilities to be marked on the curves.

    Raises:
        InvalidInput: for what is no curve or ladder, another suffix, a path that cannot be written, or without
            matplotlib.

    Example:
        `plot_thresholds([kernel.threshold_curve(outcome)], ladder, "thresholds.svg")`
    """
    curves = [curves] if isinstance(curves, ThresholdCurve) else curves
    for one in curves if len(curves) else [curves]:
        require("curves", one, ThresholdCurve)
    require("ladder", ladder, Ladder)
    with page(path, 7.5, 4.4) as figure:
        axes = figure.subplots()
        for k, curve in enumerate(curves):
            colour, bounds = _COLOURS[k % len(_COLOURS)], np.isfinite(curve.low) & np.isfinite(curve.high)
            axes.plot(curve.levels, curve.probabilities, color=colour, label=f"within {duration(curve.by)}")
            axes.fill_betweenx(
                curve.probabilities, curve.low, curve.high, where=bounds, color=colour, alpha=0.25, linewidth=0
            )
            marked = [one for one in targets if curve.probabilities[0] <= one <= curve.probabilities[-1]]
            levels = np.interp(np.log(marked), np.log(curve.probabilities), curve.levels)
            axes.plot(levels, marked, "o", color=colour, markersize=5)
            for level, share in zip(levels, marked, strict=True):
                axes.annotate(f"  {100 * share:g} %: {level:.4g}", (level, share), fontsize=8, va="top", color=colour)
        axes.set(xlabel=ladder.metric.replace("_", " "), ylabel="probability of a breach", yscale="log")
        _frame(axes, curves, ladder, targets)
        _tiers(axes, ladder)
        axes.legend(frameon=False, loc="lower right")


def _frame(axes: Axes, curves: Sequence[ThresholdCurve], ladder: Ladder, targets: Sequence[float]) -> None:
    """Show the levels that tiers may have, below 0 as far as tiers and targets go; there no equity is left."""
    levels, shares = (np.concatenate([getattr(one, name) for one in curves]) for name in ("levels", "probabilities"))
    tiers = list(ladder.tiers.values())
    if targets:
        tiers += [float(np.interp(min(targets), one.probabilities, one.levels)) for one in curves]
    left, right = max(float(levels.min()), min(0.0, *tiers)), max(float(levels.max()), *tiers)
    room = 0.05 * (right - left) or 1.0
    seen = shares[levels >= left]
    axes.set_xlim(left - room, right + room)
    axes.set_ylim(0.5 * float(seen.min() if seen.size else shares.min()), 1.5 * float(shares.max()))


def _tiers(axes: Axes, ladder: Ladder) -> None:
    for name, level in ladder.tiers.items():
        axes.axvline(level, color="#6b6b6b", linewidth=0.8, linestyle=":")
        axes.annotate(
            f" {name}", (level, 0.0), xycoords=("data", "axes fraction"), rotation=90, fontsize=8,
            ha="right", va="bottom", color="#4a4a4a",
        )  # fmt: skip

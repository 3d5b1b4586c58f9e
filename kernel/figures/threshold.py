"""The figure of thresholds: how likely a level of the metric is breached, and where the ladder's tiers lie."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kernel import checks
from kernel.accounts.ladder import Ladder
from kernel.checks.text import brief
from kernel.errors import InvalidInput, Problem, Problems
from kernel.figures.page import SMALL, legend_below, page, require, settle
from kernel.figures.palette import GREY, RULE, colour, marked, marker, style
from kernel.figures.ticks import linear, log_percent
from kernel.figures.words import distinct_names, in_one_unit, number, percent, size, spread
from kernel.measures import ThresholdCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_MOST = 1_000  # curves, or targets
_MOST_TARGETS, _MOST_LEVELS = 6, 40  # of a curve, of all, that the legend tells; of more the marks alone are drawn
_RISE = 12  # points from the frame to a tier's name
_LEANING = 0.5  # of a name's width, that it may lie beside its line: else names stand upright


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
        targets: breach probabilities to be marked on the curves; the legend tells the levels of up to six, and up
            to 40 levels in all.

    Raises:
        InvalidInput: for what is no curve, ladder or probability, another suffix, a path that cannot be written, or
            without matplotlib.

    Example:
        `plot_thresholds([kernel.threshold_curve(outcome)], ladder, "thresholds.svg")`
    """
    listed = _checked_curves(curves)
    require("ladder", ladder, Ladder)
    shares = _checked_targets(targets)
    with page(path, 7.5, 4.4) as figure:
        draw(figure, listed, ladder, shares)


def _checked_curves(curves: Any) -> list[ThresholdCurve]:
    """Return one curve or several as a list."""
    problems = Problems()
    listed = checks.listed(problems, "curves", curves, _MOST)
    problems.raise_any()
    if not listed or (listed[0] is curves and not isinstance(curves, ThresholdCurve)):
        raise InvalidInput([Problem("curves", f"must be at least one kernel.ThresholdCurve, not {brief(curves)}")])
    for curve in listed:
        require("curves", curve, ThresholdCurve)
    return listed


def _checked_targets(targets: Any) -> list[float]:
    """Return the targets, ascending, each once."""
    problems = Problems()
    listed = checks.listed(problems, "targets", targets, _MOST)
    if listed and listed[0] is targets:
        problems.add("targets", f"must be a list of probabilities, such as [0.01], not {brief(targets)}")
        listed = []
    shares = {checks.number(problems, "targets", target, above=0, below=1) for target in listed}
    problems.raise_any()
    return sorted(shares)


def draw(figure: Figure, curves: Sequence[ThresholdCurve], ladder: Ladder, targets: Sequence[float]) -> None:
    """Draw curves and tiers on a figure."""
    axes = figure.subplots()
    unit, times = in_one_unit([curve.by for curve in curves])
    labelled = len(targets) <= _MOST_TARGETS and len(targets) * len(curves) <= _MOST_LEVELS
    handles: list[Line2D] = []
    names = []
    for k, (curve, time) in enumerate(zip(curves, times, strict=True)):
        shares, levels = _ascending(curve)
        handles += axes.plot(levels, shares, **style(k), linewidth=1.3)
        _intervals(axes, curve, k)
        reached = [target for target in targets if shares.size and shares[0] <= target <= shares[-1]]
        met = np.interp(np.log(reached), np.log(shares), levels) if reached else np.empty(0)
        axes.plot(met, reached, marker(k), color=colour(k), markersize=7, fillstyle="none")
        where = [f"{percent(share)} at {number(level)}" for share, level in zip(reached, met.tolist(), strict=True)]
        names.append(f"within {time} {unit}" + (f": {', '.join(where)}" if where and labelled else ""))
    for share in targets:
        axes.axhline(share, color=RULE, linewidth=0.6, zorder=0)
    axes.set(xlabel=ladder.metric.replace("_", " "), ylabel="probability of a breach", yscale="log")
    _frame(axes, curves, ladder, targets)
    for k, line in enumerate(handles):
        inside = np.flatnonzero(np.asarray(line.get_xdata()) >= axes.get_xlim()[0])
        first, step = marked(k, inside.size)
        line.set_markevery(inside[first::step].tolist())
    legend_below(figure, handles, names)
    _tiers(figure, axes, ladder)


def _ascending(curve: ThresholdCurve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return probabilities, rising, and levels, where both are finite."""
    order = np.argsort(curve.probabilities, kind="stable")
    shares, levels = curve.probabilities[order], curve.levels[order]
    known = np.isfinite(levels) & (shares > 0)
    return shares[known], levels[known]


def _intervals(axes: Axes, curve: ThresholdCurve, k: int) -> None:
    bounded = np.isfinite(curve.low) & np.isfinite(curve.high)
    order = np.argsort(curve.probabilities, kind="stable")
    axes.fill_betweenx(
        curve.probabilities[order], curve.low[order], curve.high[order], where=bounded[order].tolist(),
        color=colour(k), alpha=0.2, linewidth=0,
    )  # fmt: skip
    if curve.probabilities.size == 1 and bounded[0]:  # no band: a bar
        axes.hlines(curve.probabilities, curve.low, curve.high, color=colour(k), linewidth=1.0)


def _frame(axes: Axes, curves: Sequence[ThresholdCurve], ladder: Ladder, targets: Sequence[float]) -> None:
    """Show the levels that tiers may have, below 0 as far as tiers and targets go; there no equity is left."""
    drawn = [_ascending(curve) for curve in curves]
    shares, levels = (np.concatenate([curve[part] for curve in drawn]) for part in (0, 1))
    tiers = [level for level in ladder.tiers.values() if math.isfinite(level)]
    if targets:
        tiers += [float(np.interp(min(targets), *curve)) for curve in drawn if curve[0].size]
    left = max(float(levels.min(initial=math.inf)), min(0.0, *tiers)) if levels.size else min(0.0, *tiers)
    right = max(float(levels.max(initial=-math.inf)), *tiers)
    left, right = min(left, *tiers), max(left, right)
    margin = 0.05 * (right - left) or 0.05 * abs(right) or 1.0
    seen = shares[levels >= left]
    shown = seen if seen.size else shares
    low, high = 0.5 * float(shown.min(initial=1.0)), min(1.0, 1.5 * float(shares.max(initial=0.0)) or 1.0)
    axes.set_xlim(left - margin, right + margin)
    axes.set_ylim(low, high)
    linear(axes.xaxis, most=8)
    log_percent(axes.yaxis, low, high)


def _tiers(figure: Figure, axes: Axes, ladder: Ladder) -> None:
    """Draw the tiers' lines, and their names above the frame, moved apart; upright where they are many or close."""
    for level in ladder.tiers.values():
        axes.axvline(level, color=GREY, linewidth=0.8, linestyle=":")
    settle(figure)
    rising = list(zip(distinct_names(ladder.names), ladder.levels.tolist(), strict=True))[::-1]
    inside, scale = axes.get_window_extent(), figure.dpi / 72
    extents = np.array([size(figure, name, SMALL) for name, _ in rising]) * 72 + 3  # points, and some air
    wanted = axes.transData.transform([(level, 1.0) for _, level in rising])[:, 0] / scale
    low, high = inside.x0 / scale, inside.x1 / scale
    flat = extents[:, 0].sum() <= high - low
    places = spread(wanted, extents[:, 0], low, high) if flat else wanted
    if not flat or np.any(np.abs(places - wanted) > _LEANING * extents[:, 0]):
        flat, every = False, math.ceil(extents[:, 1].sum() / (high - low))
        rising, wanted, extents = rising[::every], wanted[::every], extents[::every]
        places = spread(wanted, extents[:, 1], low, high)
        if every > 1:
            axes.set_xlabel(f"{axes.get_xlabel()}; of {len(ladder.tiers)} tiers one in {every} is named")
    for (name, level), place, at in zip(rising, places.tolist(), wanted.tolist(), strict=True):
        axes.annotate(
            name, (level, 1.0), (place - at, _RISE), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="center", va="bottom", rotation=0 if flat else 90, fontsize=SMALL,
            color=GREY, arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0,
                                    "relpos": (0.5, 0.0)},
        )  # fmt: skip
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + (_RISE + extents[:, 1 if flat else 0].max()) / 72)

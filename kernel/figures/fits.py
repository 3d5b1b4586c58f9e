"""The figure of fits: density, tails and quantiles."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kernel.errors import InvalidInput, Problems
from kernel.figures.page import legend_below, page, require
from kernel.figures.palette import PALE, marked, style
from kernel.figures.ticks import linear, log_percent, logarithmic
from kernel.figures.words import distinct_names, shortened
from kernel.fitting import Fit
from kernel.prices.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Each = Sequence[tuple[Fit[Any], int]]  # fits, and which of their assets

_POINTS = 400
_FEWEST_BINS, _MOST_BINS = 10, 120
_CUT = 0.0005  # of many returns, on either side: not drawn as density
_STILL = 1e-12  # rounding of the logarithms of two prices
_LEAST = 1e-4  # of the highest density: what is below is not drawn
_MOST_ASSETS = 12
_ROW = 3.2  # inches
_SMALLEST = 1e-15  # transform: what is below is rounding


def plot_fits(history: History, fits: Mapping[str, Sequence[Fit[Any]]], path: str | os.PathLike[str]) -> None:
    """Draw, for each asset, the density of the returns, their tails, and the quantiles of the models' scores.

    Args:
        history: that the models were fitted to; of more than 12 assets the first 12 are drawn.
        fits: by any label, one fit for each asset alone; or one to all assets.
        path: of a .png or .svg file.

    Raises:
        InvalidInput: for what is no history or fit of it, another suffix, a path that cannot be written, or without
            matplotlib.

    Example:
        `plot_fits(history, kernel.choose(history).fits, "fits.svg")`
    """
    require("history", history, History)
    checked = _checked(fits, len(history.assets))
    with page(path, 12, _ROW * min(len(history.assets), _MOST_ASSETS)) as figure:
        draw(figure, history, checked)


def _checked(fits: Any, assets: int) -> dict[str, list[Fit[Any]]]:
    """Return the fits by label.

    Raises:
        InvalidInput: for what is no mapping to fits of so many assets.
    """
    problems = Problems()
    if not isinstance(fits, Mapping):
        problems.add("fits", f"must map labels to lists of fits, such as {{'gbm': [fit]}}, not {type(fits).__name__}")
        raise InvalidInput(problems.found)
    checked = {}
    for name, group in fits.items():
        listed = list(group) if isinstance(group, Sequence) else [group]
        wrong = {type(fit).__name__ for fit in listed if not isinstance(fit, Fit)}
        if wrong:
            problems.add(f"fits.{name}", f"must be a list of kernel.Fit, not of {min(wrong)}")
        elif len(listed) == 1 and len(listed[0].laws) != assets:
            problems.add(f"fits.{name}", f"must be of {assets} assets, not of {len(listed[0].laws)}")
        elif len(listed) not in {1, assets}:
            problems.add(f"fits.{name}", f"must be one fit to all {assets} assets or one for each, not {len(listed)}")
        checked[str(name)] = listed
    problems.raise_any()
    return checked


def draw(figure: Figure, history: History, fits: Mapping[str, Sequence[Fit[Any]]]) -> None:
    """Draw the fits of each asset in a row."""
    assets = history.assets[:_MOST_ASSETS]
    for row, axes in enumerate(figure.subplots(len(assets), 3, squeeze=False)):
        each = [(group[row], 0) if len(group) > 1 else (group[0], row) for group in fits.values()]
        returns = history.returns[:, row]
        drawn = _density(axes[0], returns, each)
        axes[0].set_title(f"{shortened(assets[row])}: density")
        _tails(axes[1], returns, each)
        _quantiles(axes[2], each)
    if len(assets) < len(history.assets):
        figure.suptitle(f"the first {len(assets)} of {len(history.assets)} assets")
    legend_below(figure, drawn, ["returns", *distinct_names(list(fits), 40)])


def _density(axes: Axes, returns: NDArray[np.float64], fits: Each) -> list[Any]:
    """Draw the histogram and the densities; return what the legend names."""
    cut = _CUT if _CUT * returns.size > 1 else 0.0
    low, high = np.quantile(returns, [cut, 1 - cut])
    if high - low < _STILL:
        low, high = low - _STILL, high + _STILL
    bins = min(max(_FEWEST_BINS, int(2 * returns.size**0.5)), _MOST_BINS)
    heights, edges = np.histogram(returns, bins, (low, high), density=True)
    x = np.linspace(low, high, _POINTS)
    handles: list[Any] = [axes.stairs(heights, edges, fill=True, color=PALE)]
    for k, (fit, a) in enumerate(fits):
        handles += axes.plot(x, fit.laws[a].density(x), **style(k), markevery=marked(k, _POINTS), linewidth=1.2)
    top = float(np.max(heights))
    axes.set(xlabel="log return of one step", yscale="log", ylim=(_LEAST * top, 2 * top))
    linear(axes.xaxis)
    logarithmic(axes.yaxis, _LEAST * top, 2 * top)
    return handles


def _tails(axes: Axes, returns: NDArray[np.float64], fits: Each) -> None:
    """Draw the share of falls below a return, and of rises above one."""
    least, most = float(np.quantile(np.abs(returns), 0.5)), 1.5 * float(np.abs(returns).max())
    shares = (np.arange(returns.size, 0, -1) - 0.5) / returns.size
    for sign in (-1, 1):
        sizes = np.sort(sign * returns)
        keep = sizes > least
        axes.plot(sign * sizes[keep], shares[keep], ".", color=PALE, markersize=4, rasterized=True)
        x = sign * np.linspace(least, most, _POINTS)
        for k, (fit, a) in enumerate(fits):
            beyond = fit.laws[a].cumulative(x) if sign < 0 else 1 - fit.laws[a].cumulative(x)
            axes.plot(x, beyond, **style(k), markevery=marked(k, _POINTS), linewidth=1.2)
    low = 0.2 / returns.size
    axes.set(title="tails", xlabel="log return of one step", ylabel="share of the returns beyond")
    axes.set(yscale="log", ylim=(low, 0.6), xlim=(-most, most))
    linear(axes.xaxis)
    log_percent(axes.yaxis, low, 0.6)


def _quantiles(axes: Axes, fits: Each) -> None:
    """Draw the normal scores of the models' transforms against what they would be."""
    score, limit = np.vectorize(NormalDist().inv_cdf, otypes=[float]), 1.0
    for k, (fit, a) in enumerate(fits):
        transforms = np.clip(np.sort(fit.transforms[:, a]), _SMALLEST, 1 - _SMALLEST)
        even = score((np.arange(transforms.size) + 0.5) / transforms.size)
        axes.plot(even, score(transforms), **style(k), markevery=marked(k, transforms.size), linewidth=1.2)
        limit = max(limit, 1.1 * float(np.abs(even).max(initial=0.0)))
    axes.plot([-limit, limit], [-limit, limit], color="black", linewidth=0.8, zorder=0)
    axes.set(title="quantiles of the scores", xlabel="normal", ylabel="model", xlim=(-limit, limit))
    linear(axes.xaxis)
    linear(axes.yaxis)

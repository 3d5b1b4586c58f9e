"""The figure of fits: density, tails and quantiles."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kernel.figures.page import page
from kernel.fitting import Fit
from kernel.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"gbm": "#4b7f3a", "merton": "#c2571a", "kou": "#7a4b94", "filtered_historical": "#0b6e99"}
_POINTS = 400
_LEAST = 1e-4  # of the highest density: what is below is not drawn


def plot_fits(history: History, fits: Mapping[str, Sequence[Fit[Any]]], path: str | os.PathLike[str]) -> None:
    """Draw, for each asset, the density of the returns, their tails, and the quantiles of the models' scores.

    Args:
        history: that the models were fitted to.
        fits: by model, one fit for each asset alone; or one to all assets.
        path: of a .png or .svg file.

    Raises:
        InvalidInput: for another suffix, a path that cannot be written, or without matplotlib.

    Example:
        `plot_fits(history, kernel.choose(history).fits, "fits.svg")`
    """
    size = len(history.assets)
    with page(path, 12, 3.6 * size) as figure:
        for row, axes in enumerate(figure.subplots(size, 3, squeeze=False)):
            each = {name: (group[row], 0) if len(group) > 1 else (group[0], row) for name, group in fits.items()}
            _density(axes[0], history.returns[:, row], each, history.assets[row])
            _tails(axes[1], history.returns[:, row], each)
            _quantiles(axes[2], each)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=6, frameon=False)


def _density(axes: Axes, returns: NDArray[np.float64], fits: Mapping[str, tuple[Fit[Any], int]], asset: str) -> None:
    low, high = np.quantile(returns, [0.0005, 0.9995])
    heights, _, _ = axes.hist(returns, bins=120, range=(low, high), density=True, color="#d4d4d4", label="returns")
    x = np.linspace(low, high, _POINTS)
    for name, (fit, a) in fits.items():
        axes.plot(x, fit.laws[a].density(x), color=_COLOURS[name], label=name, linewidth=1.2)
    top = float(np.max(heights))
    axes.set(title=f"{asset}: density", xlabel="log return of one step", yscale="log", ylim=(_LEAST * top, 2 * top))


def _tails(axes: Axes, returns: NDArray[np.float64], fits: Mapping[str, tuple[Fit[Any], int]]) -> None:
    """Draw the share of falls, and of rises, beyond a size."""
    least = float(np.quantile(np.abs(returns), 0.5))
    shares = (np.arange(returns.size, 0, -1) - 0.5) / returns.size
    for sign, marker in ((-1, "v"), (1, "^")):
        sizes = np.sort(sign * returns)
        keep = sizes > least
        axes.plot(
            sizes[keep],
            shares[keep],
            marker,
            color="#8a8a8a",
            markersize=3,
            rasterized=True,
            label="falls" if sign < 0 else "rises",
        )
        x = np.linspace(least, 1.5 * np.abs(returns).max(), _POINTS)
        for name, (fit, a) in fits.items():
            beyond = fit.laws[a].cumulative(-x) if sign < 0 else 1 - fit.laws[a].cumulative(x)
            axes.plot(x, beyond, color=_COLOURS[name], linewidth=1.2, linestyle="-" if sign < 0 else "--")
    axes.set(title="tails (solid and ▼: falls)", xlabel="size of the log return", ylabel="share beyond")
    axes.set(yscale="log", ylim=(0.2 / returns.size, 0.6))
    axes.legend(frameon=False, fontsize=8)


def _quantiles(axes: Axes, fits: Mapping[str, tuple[Fit[Any], int]]) -> None:
    """Draw the normal scores of the models' transforms against what they would be."""
    score = np.vectorize(NormalDist().inv_cdf)
    for name, (fit, a) in fits.items():
        transforms = np.sort(fit.transforms[:, a])
        even = score((np.arange(transforms.size) + 0.5) / transforms.size)
        axes.plot(even, score(transforms), ".", color=_COLOURS[name], markersize=3, rasterized=True)
    limit = 1.1 * float(np.abs(even).max())
    axes.plot([-limit, limit], [-limit, limit], color="black", linewidth=0.8)
    axes.set(title="quantiles of the scores", xlabel="normal", ylabel="model", xlim=(-limit, limit))

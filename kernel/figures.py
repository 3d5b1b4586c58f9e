"""Figures, as PNG or SVG: the only file that imports matplotlib."""

# ruff: noqa: PLC0415 - matplotlib and SciPy take long to import: only where they are used

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kernel.errors import InvalidInput, Problem
from kernel.fitting import Fit
from kernel.history import History
from kernel.tables import write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg")
_COLOURS = ("#0b6e99", "#c2571a", "#4b7f3a", "#7a4b94")  # told apart also by the colour-blind
_POINTS = 400
_LEAST = 1e-4  # of the highest density: what is below is not drawn


def check_plot() -> None:
    """Check that matplotlib is installed.

    Raises:
        InvalidInput: if it is not.
    """
    if find_spec("matplotlib") is None:
        raise InvalidInput([Problem("plot", 'needs matplotlib: pip install "margin-kernel[plot]"')])


def plot_fits(history: History, fits: Mapping[str, Sequence[Fit[Any]]], path: str | os.PathLike[str]) -> None:
    """Draw, for each asset, the density of the returns, their tails, and the quantiles of the models' scores.

    Args:
        history: that the models were fitted to.
        fits: by model, one fit for each asset alone; or one to all assets.
        path: of a .png or .svg file.

    Raises:
        InvalidInput: for another suffix, a path that cannot be written, or without matplotlib.

    Example:
        `plot_fits(history, {"merton": [kernel.Merton.fit(history)]}, "fit.svg")`
    """
    if Path(path).suffix not in SUFFIXES:
        raise InvalidInput([Problem("plot", f"must end in {' or '.join(SUFFIXES)}, not {Path(path).name!r}")])
    check_plot()
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(
        {"svg.hashsalt": "margin-kernel", "font.size": 9, "axes.spines.right": False, "axes.spines.top": False}
    ):
        size = len(history.assets)
        figure = Figure(figsize=(12, 3.6 * size), layout="constrained")
        for row, axes in enumerate(figure.subplots(size, 3, squeeze=False)):
            each = {name: (group[row], 0) if len(group) > 1 else (group[0], row) for name, group in fits.items()}
            _density(axes[0], history.returns[:, row], each, history.assets[row])
            _tails(axes[1], history.returns[:, row], each)
            _quantiles(axes[2], each)
        write_bytes(_drawn(figure, Path(path).suffix[1:]), path)


def _drawn(figure: Figure, form: str) -> bytes:
    drawn = io.BytesIO()
    figure.savefig(drawn, format=form, dpi=150, metadata={"Date": None} if form == "svg" else None)
    return drawn.getvalue()


def _density(axes: Axes, returns: NDArray[np.float64], fits: Mapping[str, tuple[Fit[Any], int]], asset: str) -> None:
    low, high = np.quantile(returns, [0.0005, 0.9995])
    heights, _, _ = axes.hist(returns, bins=120, range=(low, high), density=True, color="#d4d4d4", label="returns")
    x = np.linspace(low, high, _POINTS)
    for colour, (name, (fit, a)) in zip(_COLOURS, fits.items(), strict=False):
        axes.plot(x, fit.laws[a].density(x), color=colour, label=name, linewidth=1.2)
    top = float(np.max(heights))
    axes.set(title=f"{asset}: density", xlabel="log return of one step", yscale="log", ylim=(_LEAST * top, 2 * top))
    axes.legend(frameon=False, fontsize=8)


def _tails(axes: Axes, returns: NDArray[np.float64], fits: Mapping[str, tuple[Fit[Any], int]]) -> None:
    """Draw the share of falls, and of rises, beyond a size."""
    shares = (np.arange(returns.size, 0, -1) - 0.5) / returns.size
    for sign, marker in ((-1, "v"), (1, "^")):
        sizes = np.sort(sign * returns)
        keep = (sizes > 0) & (shares < 0.5)  # noqa: PLR2004 - a tail is less than half
        axes.plot(
            sizes[keep], shares[keep], marker, color="#8a8a8a", markersize=3, label="falls" if sign < 0 else "rises"
        )
        x = np.geomspace(np.quantile(np.abs(returns), 0.5), 1.5 * np.abs(returns).max(), _POINTS)
        for colour, (fit, a) in zip(_COLOURS, fits.values(), strict=False):
            beyond = fit.laws[a].cumulative(-x) if sign < 0 else 1 - fit.laws[a].cumulative(x)
            axes.plot(x, beyond, color=colour, linewidth=1.2, linestyle="-" if sign < 0 else "--")
    axes.set(title="tails (solid and ▼: falls)", xlabel="size of the log return", ylabel="share beyond", xscale="log")
    axes.set(yscale="log", ylim=(0.2 / returns.size, 0.6))
    axes.legend(frameon=False, fontsize=8)


def _quantiles(axes: Axes, fits: Mapping[str, tuple[Fit[Any], int]]) -> None:
    """Draw the normal scores of the models' transforms against what they would be."""
    from statistics import NormalDist

    score = np.vectorize(NormalDist().inv_cdf)
    for colour, (name, (fit, a)) in zip(_COLOURS, fits.items(), strict=False):
        transforms = np.sort(fit.transforms[:, a])
        even = score((np.arange(transforms.size) + 0.5) / transforms.size)
        axes.plot(even, score(transforms), ".", color=colour, markersize=3, label=name)
    limit = 1.1 * float(np.abs(even).max())
    axes.plot([-limit, limit], [-limit, limit], color="black", linewidth=0.8)
    axes.set(title="quantiles of the scores", xlabel="normal", ylabel="model", xlim=(-limit, limit))
    axes.legend(frameon=False, fontsize=8)

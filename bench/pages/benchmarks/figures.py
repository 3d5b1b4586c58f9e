"""The two figures: throughput against processors, error against time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.pages.benchmarks.accuracy import GRIDS, METHODS, MODELS, WHO
from bench.pages.benchmarks.cases import Case, Run
from bench.pages.benchmarks.contenders import LABELS, counts
from kernel.figures.page import SMALL, legend_below, page, settle
from kernel.figures.palette import GREY, RULE, colour, dashes, style
from kernel.figures.ticks import log_percent, logarithmic
from kernel.figures.words import number, size, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CONTENDERS = ("kernel", "c", "numpy", "numpy by hand", "jax", "quantlib")
_PLACES = {who: k for k, who in enumerate(_CONTENDERS)}  # in the palette
_MARKERS = dict(zip([*GRIDS, "exact", "numpy bridge"], "os^DP", strict=True))
_EXACT = {"exact": "kernel", "numpy bridge": "numpy by hand"}  # whose colour each has
_LEVEL = "liquidation"


def throughput(run: Run, path: Path) -> None:
    """Draw path-steps a second against processors; dotted: in proportion to them."""
    shown = counts(run)
    found = {who: cases for who in _CONTENDERS if (cases := run.sized(f"peers, {who}, "))}
    with page(path, 7.5, 4.2) as figure:
        axes = figure.subplots()
        handles = [_contender(axes, who, cases) for who, cases in found.items()]
        axes.set(
            xscale="log", yscale="log", xlabel="processors (threads or processes)", ylabel="billion path-steps a second"
        )
        axes.set_xlim(0.9 * shown[0], 1.15 * shown[-1])
        axes.set_xticks(shown, [str(one) for one in shown])
        axes.xaxis.minorticks_off()
        logarithmic(axes.yaxis, *axes.get_ylim())
        axes.grid(axis="y", color=RULE, linewidth=0.6)
        axes.set_title("a year of GBM in 252 steps, four tiers; dotted: in proportion to processors", fontsize=9)
        legend_below(figure, handles, [LABELS[who] for who in found])
        _last(figure, axes, {who: cases[-1] for who, cases in found.items()})


def _contender(axes: Axes, who: str, cases: list[Case]) -> Any:
    """Draw one contender; return what the legend names."""
    threads, speeds = [case.noted("threads") for case in cases], [1 / case.ns() for case in cases]
    look = {**style(_PLACES[who]), "markersize": 9 if who == "c" else 5, "fillstyle": "none" if who == "c" else "full"}
    width = 1.0 if who == "c" else 2.4 if who == "kernel" else 1.6  # the kernel's line shows beneath that by hand
    axes.plot(threads, [speeds[0] * one / threads[0] for one in threads], ":", color=look["color"], linewidth=0.8)
    return axes.plot(threads, speeds, linewidth=width, **look)[0]


def _last(figure: Figure, axes: Axes, cases: dict[str, Case]) -> None:
    """Write each contender's speed on most processors beside the frame, moved apart."""
    slowest = sorted(cases, key=lambda who: -cases[who].ns())
    speeds = [1 / cases[who].ns() for who in slowest]
    texts = [f"{speed:.2g}" for speed in speeds]
    axes.annotate("0000", (1.0, 0.5), (10, 0), "axes fraction", "offset points", fontsize=SMALL, alpha=0.0)  # room
    settle(figure)
    scale, inside = figure.dpi / 72, axes.get_window_extent()
    wanted = axes.transData.transform([(1.0, speed) for speed in speeds])[:, 1] / scale
    heights = np.array([72 * size(figure, text, SMALL)[1] + 2 for text in texts])
    places = spread(wanted, heights, inside.y0 / scale, inside.y1 / scale)
    for who, text, place in zip(slowest, texts, places.tolist(), strict=True):
        axes.annotate(
            text, (1.0, (place - inside.y0 / scale) / (inside.height / scale)), (10, 0), "axes fraction",
            "offset points", va="center", color=colour(_PLACES[who]), fontsize=SMALL,
        )  # fmt: skip


def error(run: Run, path: Path) -> None:
    """Draw the error of a breach probability, bias and noise together, against the time it took."""
    with page(path, 10, 4.4) as figure:
        panels = figure.subplots(1, len(MODELS), sharey=True)
        for axes, (model, name) in zip(panels, MODELS.items(), strict=True):
            for method in METHODS:
                _method(axes, run[f"error, {model}, {_LEVEL}, {method}"], method)
            axes.set(title=f"{name}: liquidation within five days", xlabel="seconds")
            axes.set(xscale="log", yscale="log")
            axes.grid(color=RULE, linewidth=0.6)
            logarithmic(axes.xaxis, *axes.get_xlim(), number)
        panels[0].set_ylabel("error, bias and noise, over the probability")
        log_percent(panels[0].yaxis, *panels[0].get_ylim())
        legend_below(figure, *_legend(panels[0]))


def _method(axes: Axes, case: Case, method: str) -> None:
    points = case.noted("points")
    seconds = [one["seconds"] for one in points]
    errors = [one["error"] / case.noted("truth") for one in points]
    who, _, grid = method.rpartition(", ")
    axes.plot(seconds, errors, marker=_MARKERS[grid], **_look(who or grid))


def _look(who: str) -> dict[str, Any]:
    """Return the line of a contender's grids, or of an exact step."""
    k = _PLACES[_EXACT.get(who, who)]
    if who in _EXACT:
        return {"color": colour(k), "linewidth": 2.4, "markersize": 5}
    return {"color": colour(k), "linewidth": 1.2, "markersize": 4, "linestyle": dashes(k + 1)}


def _legend(axes: Axes) -> tuple[list[Any], list[str]]:
    """Return what says what colours and marks stand for."""
    handles, names = [], []
    for method in _EXACT:
        handles += axes.plot([], [], marker=_MARKERS[method], **_look(method))
        names.append(METHODS[method])
    for who, label in WHO.items():
        handles += axes.plot([], [], **_look(who))
        names.append(f"grids, {label}")
    for grid, label in GRIDS.items():
        handles += axes.plot([], [], _MARKERS[grid], color=GREY, markersize=4)
        names.append(label)
    return handles, names

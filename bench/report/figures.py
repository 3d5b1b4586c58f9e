"""The two figures: throughput against processors, error against time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.report.accuracy import GRIDS, METHODS, MODELS, WHO
from bench.report.cases import Case, Run
from bench.report.contenders import LABELS, counts
from kernel.figures.page import page

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {
    "kernel": "#0b6e99",
    "c": "#4a4a4a",
    "numpy": "#c2571a",
    "numpy by hand": "#e09a5f",
    "jax": "#7a4b94",
    "quantlib": "#4b7f3a",
}
_MARKERS = dict(zip(GRIDS, "os^", strict=True))
_EXACT = {"exact": "kernel", "numpy bridge": "numpy by hand"}  # whose colour each has
_LEVEL, _RULE = "liquidation", "#e4e4e4"


def throughput(run: Run, path: Path) -> None:
    """Draw path-steps a second against processors; dashed: in proportion to them."""
    shown = counts(run)
    found = {who: cases for who in _COLOURS if (cases := run.sized(f"peers, {who}, "))}
    fastest = sorted(found, key=lambda who: found[who][-1].ns())
    with page(path, 7.5, 4.2) as figure:
        axes = figure.subplots()
        for who, cases in found.items():
            # of two that are close, one figure stands above its line, the other below
            _contender(axes, who, cases, "top" if fastest.index(who) % 2 else "bottom")
        axes.set(
            xscale="log", yscale="log", xlabel="processors (threads or processes)", ylabel="billion path-steps a second"
        )
        axes.set_xticks(shown, [str(one) for one in shown])
        axes.minorticks_off()
        axes.set_xlim(0.9 * shown[0], 1.15 * shown[-1])
        axes.yaxis.set_major_formatter(lambda speed, _: f"{speed:g}")
        axes.grid(axis="y", color=_RULE, linewidth=0.6)
        axes.set_title("a year of GBM in 252 steps, four tiers; dashed: in proportion to processors", fontsize=9)
        figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)


def _contender(axes: Axes, who: str, cases: list[Case], side: str) -> None:
    threads = [case.noted("threads") for case in cases]
    speeds, by_hand, colour = [1 / case.ns() for case in cases], who == "c", _COLOURS[who]
    look = {"marker": "s", "markersize": 9, "fillstyle": "none"} if by_hand else {"marker": "o", "markersize": 5}
    width = 1.0 if by_hand else 2.4 if who == "kernel" else 1.6  # the kernel's line shows beneath that by hand
    axes.plot(threads, speeds, color=colour, linewidth=width, label=LABELS[who], **look)
    axes.plot(threads, [speeds[0] * one / threads[0] for one in threads], "--", color=colour, linewidth=0.8)
    last = threads[-1], speeds[-1]
    axes.annotate(f"{speeds[-1]:.2g}", last, (8, 0), textcoords="offset points", va=side, color=colour, fontsize=8)


def error(run: Run, path: Path) -> None:
    """Draw the error of a breach probability, bias and noise together, against the time it took."""
    with page(path, 10, 4.4) as figure:
        panels = figure.subplots(1, len(MODELS), sharey=True)
        for axes, (model, name) in zip(panels, MODELS.items(), strict=True):
            for method in METHODS:
                _method(axes, run[f"error, {model}, {_LEVEL}, {method}"], method)
            axes.set(title=f"{name}: liquidation within five days", xlabel="seconds")
            axes.set(xscale="log", yscale="log")
            axes.grid(color=_RULE, linewidth=0.6)
        panels[0].set_ylabel("error, bias and noise, over the probability")
        panels[0].yaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")
        panels[0].yaxis.set_minor_formatter("")
        _legend(panels[0])
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)


def _method(axes: Axes, case: Case, method: str) -> None:
    points = case.noted("points")
    seconds = [one["seconds"] for one in points]
    errors = [one["error"] / case.noted("truth") for one in points]
    who, _, grid = method.rpartition(", ")
    axes.plot(seconds, errors, marker=_MARKERS.get(grid, "D"), **_look(who or grid))


def _look(who: str) -> dict[str, Any]:
    """Return the line of a contender's grids, or of an exact step."""
    if who in _EXACT:
        return {"color": _COLOURS[_EXACT[who]], "linewidth": 2.4, "markersize": 5}
    style = "--" if who == "kernel" else "-"
    return {"color": _COLOURS[who], "linewidth": 1.2, "markersize": 4, "linestyle": style}


def _legend(axes: Axes) -> None:
    """Say what colours and marks stand for."""
    for method in _EXACT:
        axes.plot([], [], marker="D", label=METHODS[method], **_look(method))
    for who, label in WHO.items():
        axes.plot([], [], label=f"grids, {label}", **_look(who))
    for grid, label in GRIDS.items():
        axes.plot([], [], _MARKERS[grid], color="#4a4a4a", markersize=4, label=label)

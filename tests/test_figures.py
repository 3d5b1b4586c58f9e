"""Figures at their extremes: words overlap neither words nor data, none leaves the figure, no two curves look alike."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

import kernel
from bench.pages.benchmarks import figures
from bench.pages.benchmarks.cases import Run
from tests import processes
from tests.drawn import DAY, LONG, backtest, curve, ended, fit, history, ladder, surface
from tests.test_bench_report import contest, errors

EDGE = 1.0  # pixel, by which boxes may touch
README = kernel.Ladder({"warning": 1.5, "call": 1.2, "liquidation": 1.0})


class Drawn(NamedTuple):
    """A figure, as its file has it."""

    figure: Figure
    words: dict[str, NDArray[np.float64]]
    """By text and place: left, bottom, right, top."""


Draw = Callable[..., Drawn]


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Draw:
    """Plot into a file, noting each text as it is drawn."""
    words: dict[int, tuple[str, NDArray[np.float64]]] = {}
    saved_figures: list[Figure] = []
    draw, save = Text.draw, Figure.savefig

    def noted(self: Text, renderer: Any) -> None:
        if self.get_visible() and self.get_text().strip():
            words[id(self)] = self.get_text(), np.array(Text.get_window_extent(self, renderer).extents)
        draw(self, renderer)

    def saved(self: Figure, *args: Any, **settings: Any) -> None:
        saved_figures.append(self)
        with monkeypatch.context() as patched:
            patched.setattr(Text, "draw", noted)
            save(self, *args, **settings)

    def plotted(plot: Callable[..., None], *args: Any, **settings: Any) -> Drawn:
        plot(*args, **settings, path=tmp_path / "figure.png")
        return Drawn(saved_figures[-1], {f"{k}: {text}": box for k, (text, box) in enumerate(words.values())})

    monkeypatch.setattr(Figure, "savefig", saved)
    return plotted


def overlaps(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Tell whether two boxes overlap by more than an edge."""
    return bool(np.all(np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2]) > EDGE))


def check(found: Drawn, *, over_data: bool = False) -> None:
    """Assert that words are apart from each other, within the figure, and outside the frames of the axes."""
    width, height = found.figure.bbox.size
    outside = [
        text
        for text, box in found.words.items()
        if box.min() < -EDGE or np.any(box[2:] > [width + EDGE, height + EDGE])
    ]
    assert outside == []
    pairs = itertools.combinations(found.words.items(), 2)
    assert [(one, other) for (one, box), (other, second) in pairs if overlaps(box, second)] == []
    frames = [np.array(axes.get_window_extent().extents) for axes in found.figure.axes]
    if not over_data:
        assert [text for text, box in found.words.items() if any(overlaps(box, frame) for frame in frames)] == []
    for legend in found.figure.legends:
        assert not any(overlaps(np.array(legend.get_window_extent().extents), frame) for frame in frames)
    assert all(
        min(axes.get_window_extent().size) > 100 for axes in found.figure.axes if axes.get_label() != "<colorbar>"
    )


MANY = [curve(1 + k / 50, points=5) for k in range(200)]
THRESHOLDS: dict[str, tuple[Any, kernel.Ladder, Any]] = {
    "usual": ([curve(1), curve(5)], README, (0.2, 0.3)),
    "one curve without targets": (curve(), README, ()),
    "a point": (curve(points=1), ladder(1), ()),
    "two hundred curves and tiers": (MANY, ladder(200), (0.01,)),
    "long names": ([curve(d) for d in (0.25, 1, 5, 30)], ladder(12, name=LONG + " {}"), (0.001, 0.01, 0.1)),
    "tiers on one spot": (curve(), ladder(9, 1.2, 1.2 - 1e-9), (0.1,)),
    "tiers below the curve": (curve(centre=5.0), ladder(4, 0.0, -2.0), (0.1,)),
    "tiers far off": (curve(), ladder(3, 1e12, -1e12), (0.1,)),
    "very large": (curve(centre=7e11, width=1e11), ladder(3, 1e12, 1.0), (0.01,)),
    "very small": (curve(centre=1e-9, width=1e-10), ladder(3, 2e-9, 1e-10), (0.01,)),
    "targets close to each other": ([curve(1), curve(1.01)], README, np.linspace(0.1, 0.11, 15)),
    "many targets": (curve(), README, np.geomspace(1e-4, 0.4, 300)),
    "a target that no curve reaches": (curve(), README, (1e-7,)),
    "signs": (curve(), kernel.Ladder({"$x^": 1.5, "_call \u2028_": 1.2, "比特币 \U0001f680": 1.0}), ()),
}


@pytest.mark.parametrize("case", THRESHOLDS)
def test_words_of_thresholds_are_apart(drawn: Draw, case: str) -> None:
    """Tiers, targets and curves of any number and size are named beside the frame, each legibly."""
    curves, tiers, targets = THRESHOLDS[case]
    found = drawn(kernel.plot_thresholds, curves, tiers, targets=targets)
    check(found)
    axes = found.figure.axes[0]
    left, right = axes.get_xlim()
    assert all(left < level < right for level in tiers.levels)
    assert not [text for text in found.words if "{" in text or "^{" in text or "10^" in text]


ENDINGS: dict[str, kernel.Endings] = {
    "usual": ended([0.2, 0.01, 0.1, 0.03, 0.02, 0.001, 0.01, 0.02, 0.0003]),
    "none": ended([0.0] * 9),
    "rare": ended([0.0] * 8 + [1e-7]),
    "all": ended([0.5, 0.5]),
    "a time": ended([0.2, 0.01], points=1),
    "three times of minutes": ended([0.2, 0.01], points=3, days=0.01),
    "many years": ended([0.1] * 9, days=300_000),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_words_of_endings_are_apart(drawn: Draw, case: str) -> None:
    """The ends that occur, however many and rare, are named below the frame, each with its share at the last time."""
    found = drawn(kernel.plot_endings, ENDINGS[case])
    check(found)
    lines = [text.get_text() for text in found.figure.legends[0].get_texts()]
    shares = ENDINGS[case].probabilities
    assert len(lines) == np.count_nonzero(shares.max(axis=1))
    assert len({(line.get_color(), line.get_linestyle(), line.get_marker()) for line in _curves(found)}) == len(lines)
    bottom, top = found.figure.axes[0].get_ylim()
    most = shares.max(axis=1)
    assert bottom < most[most > 0].min() <= most.max() < top
    assert all(np.asarray(line.get_ydata()).min() >= bottom for line in _curves(found))


def _curves(found: Drawn) -> list[Any]:
    return found.figure.axes[0].get_lines()


DAYS = [DAY / 2, DAY, 5 * DAY]
SURFACES: dict[str, kernel.Surface] = {
    "usual": surface(["calm", "stressed"], [2, 5, 10, 20], DAYS),
    "one rate": surface([LONG], [2], [DAY]),
    "many rates": surface(["calm", "stressed"], np.arange(1, 201), np.arange(1, 201) * DAY),
    "twelve by twelve": surface(["calm"], np.linspace(1.111, 2.222, 12), np.arange(1, 13) * DAY / 7),
    "many states": surface([LONG + str(k) for k in range(9)], [5], [DAY]),
    "small and large": surface(["calm", LONG], [1e-6, 5, 1e6], [DAY / 1440, DAY, 1000.0], scale=1e-9),
    "large": surface(["calm"], [1e-6, 5, 1e6], DAYS, scale=1e5),
    "none": surface(["calm"], [2, 3], DAYS, scale=-1.0),
}


@pytest.mark.parametrize("case", SURFACES)
def test_words_of_surfaces_are_apart(drawn: Draw, case: str) -> None:
    """Rates stay in their cells, horizons are in one unit, and of many leverages some are written."""
    found = drawn(kernel.plot_surface, SURFACES[case])
    check(found, over_data=True)
    units = {axes.get_xlabel() for axes in found.figure.axes} - {""}
    assert len(units) == 1


TESTED: dict[str, kernel.Backtest] = {
    "usual": backtest(),
    "one forecast": backtest(1),
    "no breach": backtest(3, levels=(0.99,), tiers=("liquidation",), times=None),
    "long": backtest(5000, scale=1e-9, times="1990-01-01"),
    "names and reasons": backtest(
        50, (0.9, 0.95, 0.975, 0.999999), [LONG + str(k) for k in range(12)], reason=LONG * 8
    ),
    "hours": backtest(50, times="2020-01-01T00", step="h"),
    "minutes": backtest(30, times="2020-01-01T10:00", step="m"),
    "sixty": backtest(300, np.linspace(0.5, 0.999, 60).tolist(), [f"t{k}" for k in range(60)], 1e9, None),
}


@pytest.mark.parametrize("case", TESTED)
def test_words_of_backtests_are_apart(drawn: Draw, case: str) -> None:
    """Levels, tiers and reasons are told below, dates and shares beside the axes."""
    check(drawn(kernel.plot_backtest, TESTED[case]))


def fits_of(count: int, **settings: Any) -> tuple[kernel.History, dict[str, Any]]:
    """Make up a history and so many fits."""
    of = history(**settings)
    return of, {f"model {k}": [fit(of, settings.get("scale", 0.02) * (1 + k / 100))] for k in range(count)}


ONE, PAIR = history(), history(50, ("$x^", LONG))
FITS: dict[str, tuple[kernel.History, dict[str, Any]]] = {
    "usual": fits_of(4),
    "other labels": (ONE, {"mine": [fit(ONE)], "_theirs": [fit(ONE, 0.03)], LONG: [fit(ONE, 0.01)]}),
    "several assets": (PAIR, {"together": [fit(PAIR)], "apart": [fit(PAIR), fit(PAIR)]}),
    "none": (ONE, {}),
    "two hundred": fits_of(200, rows=30),
    "thirteen assets": fits_of(2, rows=20, assets=[f"asset {k}" for k in range(13)]),
    "three prices": fits_of(1, rows=3),
    "small": fits_of(2, scale=1e-9),
    "large": fits_of(2, scale=3.0, rows=40),
}


@pytest.mark.parametrize("case", FITS)
def test_words_of_fits_are_apart(drawn: Draw, case: str) -> None:
    """Fits under any labels are drawn, for one asset or many, and named below."""
    of, fits = FITS[case]
    found = drawn(kernel.plot_fits, of, fits)
    check(found)
    assert len(found.figure.legends[0].get_texts()) == 1 + len(fits)


@pytest.mark.parametrize("draw", [figures.throughput, figures.error])
def test_words_of_the_benchmarks_are_apart(drawn: Draw, draw: Callable[..., None]) -> None:
    """Both figures of the benchmarks keep speeds of contenders as fast as each other apart, and ticks plain."""
    cases = [{**one, "extra_info": {**one["extra_info"], "name": name}} for name, one in (contest() | errors()).items()]
    found = drawn(draw, Run({"machine_info": {}, "datetime": "2026-01-02", "benchmarks": cases}))
    check(found)
    assert not [text for text in found.words if "10^" in text]


def lines(axes: Axes) -> list[tuple[Any, ...]]:
    """Return how each curve is drawn, but for its colour."""
    return [(line.get_linestyle(), repr(line._unscaled_dash_pattern), line.get_marker()) for line in axes.get_lines()]  # type: ignore[attr-defined] # noqa: SLF001


def test_no_two_of_many_curves_look_alike_in_grey(drawn: Draw) -> None:
    """Forty curves have forty pairs of line and marker."""
    found = drawn(kernel.plot_thresholds, MANY[:40], ladder(1))
    looks = [look for look in lines(found.figure.axes[0]) if look[0] != "None" and look[2] != "None"]
    assert len(set(looks)) == 40


def test_a_curve_has_its_markers_where_it_is_seen(drawn: Draw) -> None:
    """Of a curve that runs out of the frame, what is inside has eight marks and up, whatever is outside."""
    axes = drawn(kernel.plot_thresholds, curve(centre=1.2, width=0.5), README).figure.axes[0]
    line = axes.get_lines()[0]
    marks = np.asarray(line.get_xdata())[np.array(line.get_markevery())]
    assert np.asarray(line.get_xdata()).min() < axes.get_xlim()[0] < marks.min()
    assert 8 <= marks.size <= 16


REFUSED: list[tuple[Callable[..., None], tuple[Any, ...], str]] = [
    (kernel.plot_fits, (ONE, [1]), "fits: must map labels to lists of fits"),
    (kernel.plot_fits, (ONE, {"a": [3]}), "fits.a: must be a list of kernel.Fit, not of int"),
    (kernel.plot_fits, (PAIR, {"a": [fit(ONE)]}), "fits.a: must be of 2 assets, not of 1"),
    (kernel.plot_fits, (ONE, {"a": []}), "fits.a: must be one fit to all 1 assets or one for each, not 0"),
    (kernel.plot_fits, (3, {}), "history: must be a kernel.History, not int"),
    (kernel.plot_endings, (3,), "of: must be a kernel.Endings, not int"),
    (kernel.plot_thresholds, ([], README), "curves: must be at least one kernel.ThresholdCurve, not []"),
    (kernel.plot_thresholds, (3, README), "curves: must be at least one kernel.ThresholdCurve, not 3"),
    (kernel.plot_thresholds, ([curve(), 3], README), "curves: must be a kernel.ThresholdCurve, not int"),
    (kernel.plot_thresholds, (curve(), 3), "ladder: must be a kernel.Ladder, not int"),
]


@pytest.mark.parametrize(("plot", "args", "message"), REFUSED, ids=[message for *_, message in REFUSED])
def test_what_is_no_input_is_refused(
    tmp_path: Path, plot: Callable[..., None], args: tuple[Any, ...], message: str
) -> None:
    """Other things than those that are drawn end in a sentence that names the argument."""
    with pytest.raises(kernel.InvalidInput) as refused:
        plot(*args, tmp_path / "figure.svg")
    assert message in str(refused.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("targets", "message"),
    [((2.0,), "must be below 1"), (0.1, "must be a list of probabilities"), (("x",), "must be one number")],
)
def test_what_is_no_target_is_refused(tmp_path: Path, targets: Any, message: str) -> None:
    """Targets are probabilities, in a list."""
    with pytest.raises(kernel.InvalidInput, match=f"targets: {message}"):
        kernel.plot_thresholds(curve(), README, tmp_path / "figure.svg", targets)


@pytest.mark.parametrize("path", [None, 3, b"a.svg"])
def test_what_is_no_path_is_refused(path: Any) -> None:
    """A figure goes to a path."""
    with pytest.raises(kernel.InvalidInput, match="plot: must be the path of a file"):
        kernel.plot_thresholds(curve(), README, path)


SCRIPT = """
import sys
import kernel
from bench.pages.benchmarks import figures
from bench.pages.benchmarks.cases import Run
from tests.drawn import curve
ladder = kernel.Ladder({"warning": 1.5, "call": 1.2, "liquidation": 1.0})
kernel.plot_thresholds(curve(), ladder, sys.argv[1])
"""


def test_the_backend_of_a_notebook_changes_nothing(tmp_path: Path) -> None:
    """Below a notebook, whose backend the environment names, installed or not, figures have the same bytes."""
    kernel.plot_thresholds(curve(), README, tmp_path / "here.svg")
    backends = "module://matplotlib_inline.backend_inline", "no such backend"
    for k, backend in enumerate(backends):
        call = [sys.executable, "-c", SCRIPT, str(tmp_path / f"{k}.svg")]
        processes.printed(call, environment={"MPLBACKEND": backend})
    for k in range(len(backends)):
        assert (tmp_path / "here.svg").read_bytes() == (tmp_path / f"{k}.svg").read_bytes()


def test_settings_of_the_process_change_nothing(tmp_path: Path) -> None:
    """Fonts, sizes and colours that somebody set for figures of their own do not reach ours, and stay set."""
    kernel.plot_thresholds(curve(), README, tmp_path / "usual.svg")
    odd = {
        "font.size": 20.0,
        "font.family": ["serif"],
        "text.usetex": True,
        "axes.grid": True,
        "timezone": "Asia/Tokyo",
    }
    with mpl.rc_context(odd):
        kernel.plot_thresholds(curve(), README, tmp_path / "odd.svg")
        assert mpl.rcParams["font.size"] == 20.0
    assert (tmp_path / "usual.svg").read_bytes() == (tmp_path / "odd.svg").read_bytes()
    assert b"<dc:date>" not in (tmp_path / "usual.svg").read_bytes()

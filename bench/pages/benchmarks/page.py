"""docs/benchmarks.md: all that the benchmarks measure."""

from __future__ import annotations

import ast
from pathlib import Path

from bench.pages.benchmarks.accuracy import LEVELS, MODELS, million, plainly, to_one_percent, truth
from bench.pages.benchmarks.cases import Run
from bench.pages.benchmarks.contenders import contest, scaling
from bench.pages.benchmarks.readme import where
from bench.pages.benchmarks.walks import walks
from bench.pages.benchmarks.whole import whole
from bench.pages.markdown import wrapped

_PEERS = Path(__file__).parents[2] / "peers"


def page(run: Run) -> list[str]:
    """Return the lines of the page."""
    return [
        "# Benchmarks",
        "",
        *wrapped(
            f"Written by `python -m bench.pages.benchmarks`. Measured on {where(run)}, on {run.date}. Figures are "
            "medians of rounds, with quartiles in brackets; contenders were timed in turns; compiling does not count. "
            "`margin bench` measures any machine in a minute, and shows it beside those measured before."
        ),
        "",
        "## Beside others",
        "",
        *wrapped(
            "A year of geometric Brownian motion in 252 steps, four tiers, each step looked at, single precision: out "
            "come each path's closing equity and when it first breached each tier."
        ),
        "",
        *contest(run),
        "",
        *_told("*_walk.py", "*_normals.py", "quantlib_*.py"),
        "### Processors",
        "",
        "Billions of path-steps a second, on so many threads (of JAX and QuantLib: processes), and over one.",
        "",
        *scaling(run),
        "",
        "![Throughput against processors](throughput.svg)",
        "",
        "## The walk",
        "",
        *walks(run),
        "",
        "## Noise",
        "",
        *_noise(run),
        "",
        "## Measures",
        "",
        *_measures(run),
        "",
        "## Time to accuracy",
        "",
        *wrapped(
            "Breaches within five days: what each way takes with the paths that give the exact step a standard error "
            "of 1% of the probability, on all processors but for the bridge in NumPy. A bias is what no number of "
            "paths mends."
        ),
        "",
        *_told("*_grid.py", "*_bridge.py"),
        *_accuracy(run),
        "![Error against time](error.svg)",
        "",
        "## Whole tasks",
        "",
        *whole(run),
    ]


def _told(*patterns: str) -> list[str]:
    """Return what the peers' modules tell of themselves, so that it stands in one place."""
    paths = [path for pattern in patterns for path in sorted(_PEERS.glob(pattern))]
    texts = [ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in paths]
    return [line for text in texts for line in [*wrapped(text), ""]]


def _noise(run: Run) -> list[str]:
    lines = ["| ns a number, one thread | kernel: Philox | NumPy: SFC64 | NumPy: Philox |", "|---|---|---|---|"]
    for what, label in (
        ("words", "random words"),
        ("normals single", "normals, single"),
        ("normals double", "normals, double"),
    ):
        makers = [run[f"noise, {what}, {who}"] for who in ("kernel", "numpy SFC64", "numpy Philox")]
        lines.append(f"| {label} | {' | '.join(maker.spread('numbers') for maker in makers)} |")
    return lines


def _measures(run: Run) -> list[str]:
    losses = run["measures, both, kernel"].noted("paths")
    lines = [f"| of {losses:,} losses | kernel, with an error | NumPy, without |", "|---|---|---|"]
    for name, label in (("value_at_risk", "Value at Risk"), ("expected_shortfall", "Expected Shortfall")):
        kernel, numpy = (run[f"measures, {name}, {who}"].seconds() for who in ("kernel", "numpy"))
        lines.append(f"| {label} | {kernel} | {numpy} |")
    return [*lines, f"| both | {run['measures, both, kernel'].seconds()} | |"]


def _accuracy(run: Run) -> list[str]:
    lines = []
    for level, what in LEVELS.items():
        for model, name in MODELS.items():
            lines += [f"{name}, {what}: {truth(run, model, level)}.", "", *to_one_percent(run, model, level), ""]
    return [*lines, *wrapped(plainly(run, "merton", "liquidation")), "", *million(run), ""]

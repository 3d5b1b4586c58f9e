"""`margin threshold`: levels of the metric by the probability of their breach."""

# ruff: noqa: PLC0415 - imports inside functions: a page of help waits for none of them

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.commands.options import file_option, format_option, simulation_options
from kernel.commands.output import draw, print_report, write_results
from kernel.commands.simulation import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernel.config.run import Run
    from kernel.config.targets import Targets


@click.command()
@partial(simulation_options, without=["worst"])  # which --by says
@click.option(
    "--probability",
    "probabilities",
    metavar="SHARE",
    multiple=True,
    required=True,
    help="Of a breach, such as 1%; again for more.",
)
@click.option(
    "--by",
    "times",
    metavar="DURATION",
    multiple=True,
    help="Time of a breach, such as 1d; default: those of `worst`, or the horizon.",
)
@format_option
@file_option("--output", "Also write the curves to .parquet or .csv, or everything to .json; to stdout as -.csv or -.")
@file_option("--plot", "Draw the curve, with the ladder's tiers, to .png or .svg.")
def threshold(
    form: str,
    output: Path | None,
    plot: Path | None,
    probabilities: Sequence[str],
    times: Sequence[str],
    **options: Any,
) -> None:
    """Find the levels of the ladder's metric that are breached with given probabilities.

    One simulation answers all of them; the ladder's own tiers stand beside them with their breach probabilities. The
    account is left alone: an escalation that CONFIG states is left out. A CONFIG of - is stdin.
    """
    from kernel.config.targets import parse_targets
    from kernel.figures import plot_thresholds
    from kernel.measures import curves_table
    from kernel.report import threshold as report
    from kernel.report.blocks import Figure

    def parse(case: Run | None) -> Targets:
        return parse_targets(probabilities, times, case.simulation if case else None)

    request, paths = Request.of(options), plot is not None or output is not None
    case, targets = request.prepare(parse, output, plot, paths=paths)
    case = case.left_alone("thresholds")
    levels = [1 - max(targets.probabilities)]
    outcome, took = request.simulate(case, paths=paths, levels=levels, worst=targets.by)
    curves = report.all_curves(outcome) if paths else []
    results = report.results(case, outcome, targets.probabilities, targets.by, curves, took)
    figure = Figure("Thresholds", lambda path: plot_thresholds(curves, case.ladder, path, targets.probabilities))
    write_results(results, partial(curves_table, curves), output)
    draw(figure, plot)
    print_report(results, [*report.blocks(results), figure], form, output)

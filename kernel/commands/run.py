"""`margin run`: simulate a config."""

# ruff: noqa: PLC0415 - imports inside functions: a page of help waits for none of them

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.commands.options import file_option, format_option, simulation_options
from kernel.commands.output import print_report, write_results
from kernel.commands.shell import VIOLATED, note
from kernel.commands.simulation import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernel.config.limits import Limit
    from kernel.config.run import Run


@click.command()
@simulation_options
@format_option
@file_option(
    "--output", "Also write .parquet or .csv (every path) or .json; to stdout as -.csv, or as -, which is JSON."
)
@click.option(
    "--fail-if",
    "limits",
    metavar="LIMIT",
    multiple=True,
    help='Exit with 1 if it holds, such as "value_at_risk(0.99) > 5000".',
)
def run(form: str, output: Path | None, limits: Sequence[str], **options: Any) -> int:
    """Simulate what a config file (-: stdin) states and print losses and breaches with their errors.

    Exits with 0 when done, 1 if a limit of --fail-if is violated, 2 for invalid input, 3 if the executor is lost, 130
    when interrupted.
    """
    from kernel.config.limits import parse_limits
    from kernel.report import run as report
    from kernel.tables import form_of

    def parse(case: Run | None) -> list[Limit]:
        return parse_limits(limits, *((case.ladder.names, case.simulation["horizon"]) if case else ()))

    request, paths = Request.of(options), output is not None and form_of(output) != ".json"
    case, checked = request.prepare(parse, output, paths=paths)
    levels = sorted({*case.levels, *(limit.level for limit in checked if limit.level is not None)})
    outcome, took = request.simulate(case, paths=paths, levels=levels)
    results = report.results(case, outcome, took)
    write_results(results, outcome.to_arrow, output)
    print_report(results, report.blocks(results), form, output)
    violations = [message for limit in checked if (message := limit.violation(outcome))]
    for message in violations:
        note(f"violated: {message}")
    return VIOLATED if violations else 0

"""`margin bench`: the speed of this machine."""

# ruff: noqa: PLC0415 - imports inside functions: a page of help waits for none of them

from __future__ import annotations

from pathlib import Path

import click

from kernel.commands.options import file_option, format_option, quiet_option
from kernel.commands.output import print_report, progress, write_results


@click.command()
@format_option
@file_option("--output", "Also write the figures to .json; to stdout as -.")
@quiet_option
def bench(form: str, output: Path | None, *, quiet: bool) -> None:
    """Measure this machine in about a minute and print it beside the machines measured before.

    Compiling comes first and does not count. For honest figures let nothing else run.
    """
    from kernel.benchmark import measured, recorded
    from kernel.report import benchmark as report
    from kernel.tables import check_output

    if output is not None:
        check_output(output, suffixes=(".json",), stdout=True)
    with progress("seconds", quiet=quiet) as (update, _):
        results = measured(progress=update)
    write_results(results, lambda: None, output)
    print_report(results, report.blocks(results, recorded()), form, output)

"""`margin fit`: a market for prices."""

# ruff: noqa: PLC0415 - imports inside functions: a page of help waits for none of them

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernel.commands.history import check_fit, price_files
from kernel.commands.options import file_option, format_option, history_options
from kernel.commands.output import draw, print_report, to_json, write_text
from kernel.commands.shell import note

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@history_options
@format_option
@file_option("--output", "Write the market to .toml or .json, for `margin run --market`; to stdout as -.toml or -.")
@file_option("--plot", "Draw density, tails and quantiles to .png or .svg.")
def fit(
    prices: Sequence[str],
    market: str,
    columns: Sequence[str],
    form: str,
    output: Path | None,
    plot: Path | None,
    volatility: str | None,
    drift: str,
    **reading: str | None,
) -> None:
    """Fit a market to price histories: one file, or one for each asset.

    Files are .csv, .csv.gz or .parquet, as exchanges write them; what was found in them and done about it is told. By
    default every market is fitted and the one of the lowest BIC chosen.
    """
    from kernel.config.fitted import fit_files
    from kernel.figures import plot_fits
    from kernel.report import fit as report
    from kernel.report.blocks import Figure

    files = price_files(prices)
    fitting = {} if volatility is None else {"volatility": volatility}
    named = check_fit([path for _, path in files], market, columns, output, plot, fitting)
    fitted = fit_files(files, market, named, reading, drift, **fitting)
    results = report.results(fitted.fit, fitted.market, fitted.choice, fitted.source, fitted.notes)
    figure = Figure("Fits", lambda path: plot_fits(fitted.history, fitted.compared, path))
    draw(figure, plot)
    _write_market(results, output)
    print_report(results, [*report.blocks(results), figure], form, output)


def _write_market(results: dict[str, Any], output: Path | None) -> None:
    """Write the market, and how it was fitted, for `margin run --market`."""
    from kernel.config.documents import commented, to_toml
    from kernel.tables import form_of, stdout_form

    if output is None:
        return
    in_toml = form_of(output) == ".toml"
    write_text(commented(results["fit"]["notes"]) + to_toml(results) if in_toml else to_json(results) + "\n", output)
    if not stdout_form(output):
        note(f"wrote {output}; next: margin run CONFIG --market {output}")

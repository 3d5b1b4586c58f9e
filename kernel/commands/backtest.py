"""`margin backtest`: a market out of sample."""

# ruff: noqa: PLC0415 - imports inside functions: a page of help waits for none of them

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernel.commands.history import check_fit, price_files
from kernel.commands.options import file_option, format_option, history_options, quiet_option
from kernel.commands.output import draw, print_report, progress, write_results

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@history_options
@click.option("--window", metavar="N", help="Rows that a fit looks back on; default: 500.")
@click.option("--horizon", metavar="DURATION", help="Of a forecast, such as 1d or '5 rows'; default: one row.")
@click.option("--refit", metavar="N", help="Rows from one fit to the next; default: 7.")
@click.option(
    "--level", "levels", metavar="SHARE", multiple=True, help="Such as 99%; again for more. Default: 95%, 99%."
)
@click.option(
    "--breaches",
    metavar="bars|closes",
    help="Judge breaches by lows and highs, or by closes; default: bars where the file has them for the account.",
)
@click.option("--paths", metavar="N", help="Paths of each forecast; default: 1e5, more where a verdict hangs on them.")
@click.option("--seed", metavar="N", help="Seed of the random numbers.")
@click.option("--threads", metavar="N", help="Threads; default: all available processors.")
@file_option("--config", "Take the account and the ladder from a config file; default: one unit of wealth.")
@format_option
@file_option("--output", "Also write .parquet or .csv (every forecast) or .json; to stdout as -.csv or -.")
@file_option("--plot", "Draw losses against Value at Risk, and the calibration, to .png or .svg.")
@quiet_option
def backtest(
    prices: Sequence[str],
    market: str,
    columns: Sequence[str],
    levels: Sequence[str],
    config: Path | None,
    form: str,
    output: Path | None,
    plot: Path | None,
    volatility: str | None,
    drift: str,
    *,
    quiet: bool,
    **options: str | None,
) -> None:
    """Prove a market out of sample on price histories: roll, refit, predict, compare with what happened.

    The account is opened anew for each forecast, with the same notionals, and left alone. Says per level whether
    coverage held.
    """
    from kernel.config.backtested import backtest_files, check_settings
    from kernel.config.fitted import OF_HISTORY
    from kernel.errors import Problems
    from kernel.figures import plot_backtest
    from kernel.report import backtest as report
    from kernel.report.blocks import Figure
    from kernel.tables import OUTPUT_SUFFIXES

    files, fitting = price_files(prices), {} if volatility is None else {"volatility": volatility}
    problems, named, settings = Problems(), None, {}
    read = [path for _, path in files] + ([config] if config is not None else [])
    with problems.under(""):
        named = check_fit(read, market, columns, output, plot, fitting, OUTPUT_SUFFIXES)
    with problems.under(""):
        settings = check_settings({name: text for name, text in options.items() if name not in OF_HISTORY}, levels)
    problems.raise_any()
    reading = {name: options[name] for name in OF_HISTORY}
    with progress("forecasts", quiet=quiet) as (update, _):
        settings |= {"market": market, "drift": drift, "progress": update, **fitting}
        tested, source = backtest_files(files, named, reading, config, settings)
    results = report.results(tested, source)
    figure = Figure("Backtest", lambda path: plot_backtest(tested, path))
    draw(figure, plot)
    write_results(results, tested.to_arrow, output)
    print_report(results, [*report.blocks(results), figure], form, output)

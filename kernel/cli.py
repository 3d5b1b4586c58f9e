"""The command `margin`: parse, call, print."""

# ruff: noqa: PLC0415 - imports inside the commands: numba, pyarrow and pydantic would make --help slow

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from kernel.declared import OPTIONS, Setting

if TYPE_CHECKING:
    from kernel.backtesting import Backtest
    from kernel.config.assembly import Run
    from kernel.config.fitted import Fitted
    from kernel.limits import Limit
    from kernel.outcome import Outcome
    from kernel.targets import Targets

T = TypeVar("T")
VIOLATED, INVALID, INCOMPLETE, INTERRUPTED = 1, 2, 3, 130


class _Group(click.Group):
    """Commands whose problems go to stderr, a line each, and never as a traceback."""

    def main(self, *args: Any, **settings: Any) -> NoReturn:
        """Run a command and exit with its code."""
        settings = {"prog_name": "margin", **settings, "standalone_mode": False}
        try:
            with warnings.catch_warnings():
                warnings.showwarning = lambda message, *_, **__: click.echo(f"note: {message}", err=True)
                code = super().main(*args, **settings)
        except click.ClickException as error:
            code = _refuse([_worded(error)])
        except (click.Abort, KeyboardInterrupt):
            click.echo("interrupted", err=True)
            code = INTERRUPTED
        except Exception as error:
            problems = getattr(error, "problems", None)  # of kernel.InvalidInput, which takes long to import
            if isinstance(error, MemoryError):
                problems = ["memory: there is too little for this: use fewer paths, prices or candidates"]
            if problems is None:
                raise
            code = _refuse([str(problem) for problem in problems])
            code = INCOMPLETE if getattr(error, "incomplete", False) else code
        sys.exit(code if isinstance(code, int) else 0)


def _worded(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    hint = f" (see {context.command_path} --help)" if context is not None else ""
    return error.format_message() + hint


def _refuse(messages: Sequence[str]) -> int:
    for message in messages:
        click.echo(f"error: {message}", err=True)
    return INVALID


def _print(content: str | bytes) -> None:
    """Print to stdout; a reader that has gone away is no error."""
    try:
        click.echo(content, nl=isinstance(content, str) and not content.endswith("\n"))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.ClickException(f"stdout: cannot be written: {error.strerror}") from error


def _print_json(value: object) -> None:
    import json

    _print(json.dumps(value, indent=2, allow_nan=False))


def _tell(found: dict[str, Any], text: Callable[[dict[str, Any]], str], form: str, output: Path | None) -> None:
    """Print results for people or as JSON: to stderr where what is asked for as output goes to stdout."""
    import json

    from kernel.tables import stdout_form

    told = json.dumps(found, indent=2, allow_nan=False) if form == "json" else text(found).rstrip("\n")
    if stdout_form(output):
        click.echo(told, err=True)
    else:
        _print(told)


def _at_most_one(_: click.Context, __: click.Parameter, values: Sequence[Path]) -> Path | None:
    """Refuse an option that is given twice, where the last would win without a word."""
    if len(values) > 1:
        raise click.BadParameter(f"is given {len(values)} times: name one file")
    return values[0] if values else None


def _show_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from importlib.metadata import PackageNotFoundError, version

        try:
            _print(f"margin {version('margin-kernel')}")
        except PackageNotFoundError:
            _print("margin, not installed")
        context.exit()


@click.group(cls=_Group, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
def main() -> None:
    """Monte Carlo for margin-call escalation: losses, and when each tier of a margin ladder first breaches."""


def _file(name: str, purpose: str) -> Callable[[Any], Any]:
    """Return an option that names a file to write, once."""
    kind = click.Path(path_type=Path)
    return click.option(name, metavar="FILE", type=kind, multiple=True, callback=_at_most_one, help=purpose)


_config = click.argument("config", type=click.Path(path_type=Path))  # - is stdin
_market = click.option(
    "--market",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Take the market from a file that `margin fit` wrote.",
)
_set = click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override a value of the config.")
_quiet = click.option("--quiet", is_flag=True, help="No progress bar.")
_format = click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)


def _option(setting: Setting) -> Callable[[Any], Any]:
    """Return the option that states a setting of the simulation."""
    shown = setting.metavar or "|".join(setting.choices)
    return click.option(f"--{setting.name}", metavar=shown, multiple=setting.kind == "times", help=setting.help)


def _of_config(command: Callable[..., Any], without: Sequence[str] = ()) -> Callable[..., Any]:
    """Add what says which config file to simulate, and how, but for some settings."""
    options = [
        _config,
        _market,
        _set,
        *(_option(one) for one in OPTIONS if one.name not in without),
        click.option("--executor", metavar="processes:N|dask://HOST:PORT", help="Who walks the paths, for threads."),
        click.option("--drift", metavar="zero|fitted|NUMBER", help="Of the market; a fitted one has none by default."),
        _quiet,
    ]
    for option in reversed(options):
        command = option(command)
    return command


@main.command()
@_of_config
@_format
@_file("--output", "Also write .parquet or .csv (every path) or .json; to stdout as -.csv, or as -, which is JSON.")
@click.option(
    "--fail-if",
    "limits",
    metavar="LIMIT",
    multiple=True,
    help='Exit with 1 if it holds, such as "value_at_risk(0.99) > 5000".',
)
def run(
    config: Path,
    market: Path | None,
    form: str,
    output: Path | None,
    overrides: Sequence[str],
    limits: Sequence[str],
    *,
    executor: str | None,
    quiet: bool,
    **settings: Any,
) -> int:
    """Simulate what a config file (-: stdin) states and print losses and breaches with their errors.

    Exits with 0 when done, 1 if a limit of --fail-if is violated, 2 for invalid input, 3 if the executor is lost, 130
    when interrupted.
    """
    from kernel.limits import parse_limits
    from kernel.report import run as report
    from kernel.tables import form_of

    def parse(job: Run | None) -> list[Limit]:
        return parse_limits(limits, *((job.ladder.names, job.simulation["horizon"]) if job else ()))

    paths = output is not None and form_of(output) != ".json"
    job, checked = _prepare(config, market, overrides, settings, output, parse, paths=paths, executor=executor)
    levels = sorted({*job.levels, *(limit.level for limit in checked if limit.level is not None)})
    outcome, seconds = _simulate(job, {"levels": levels}, executor, paths=paths, quiet=quiet)
    found = report.results(job, outcome, seconds)
    _write(found, outcome.to_arrow, output)
    _tell(found, report.text, form, output)
    violations = [message for limit in checked if (message := limit.violation(outcome))]
    for message in violations:
        click.echo(f"violated: {message}", err=True)
    return VIOLATED if violations else 0


def _prepare(
    config: Path,
    market: Path | None,
    overrides: Sequence[str],
    settings: dict[str, Any],
    output: Path | None,
    parse: Callable[[Run | None], T],
    plot: Path | None = None,
    *,
    paths: bool,
    executor: str | None,
) -> tuple[Run, T]:
    """Check all that can be checked before simulating; parse what the command asks of it."""
    from kernel.config.load import load
    from kernel.errors import Problems
    from kernel.tables import check_output

    problems, job, parsed = Problems(), None, None
    places = {"drift": "market.drift"}
    given = {name: _joined(value) for name, value in settings.items() if value not in {None, ()}}
    stated = [f"{places.get(name, f'simulation.{name}')}={value}" for name, value in given.items()]
    with problems.under(""):
        job = load(config, [*overrides, *stated], market)
    with problems.under(""):
        parsed = parse(job)
    read = job.files if job else [config]
    if output is not None:
        with problems.under(""):
            check_output(output, spared=read, stdout=True)
    if plot is not None:
        with problems.under(""):
            _check_plot(plot, read)
    if paths and job is not None and job.simulation.get("record") == "summary":
        problems.add("simulation.record", "must be 'paths' for what is to be written, or left out")
    if executor is not None:
        from kernel.pools import parse_executor

        with problems.under(""):
            parse_executor(executor)
        if "threads" in given:
            problems.add("threads", "are of no use to --executor: leave out one of them")
    problems.raise_any()
    assert job is not None  # noqa: S101 - or there were problems
    assert parsed is not None  # noqa: S101 - as above
    return job, parsed


def _joined(value: str | Sequence[str]) -> str:
    """Return what an option states as a TOML value, also where it may be given again."""
    import json

    if isinstance(value, str):
        return value
    return value[0] if len(value) == 1 else json.dumps(list(value))


def _check_plot(plot: Path, read: Iterable[Path]) -> None:
    """Check that a figure can be drawn and written."""
    from kernel.figures import SUFFIXES, check_plot
    from kernel.tables import check_output

    check_output(plot, read, suffixes=SUFFIXES, field="plot")
    check_plot()


def _simulate(
    job: Run, kept: dict[str, Any], executor: str | None, *, paths: bool, quiet: bool
) -> tuple[Outcome, float]:
    """Simulate, keeping what is asked for; return the outcome and the seconds that it took."""
    import time

    from kernel.pools import open_executor, parse_executor

    if paths:
        kept = {**kept, "record": "paths"}
    start = time.perf_counter()
    with ExitStack() as opened:
        if executor is not None:
            kept = {**kept, "executor": opened.enter_context(open_executor(parse_executor(executor)))}
        progress = opened.enter_context(_progress("paths", quiet=quiet))
        outcome = job.simulate(**kept, progress=progress)
    return outcome, time.perf_counter() - start


@contextmanager
def _progress(label: str, *, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar on a terminal from the first chunk on: compiling before it says nothing of the time left."""
    from kernel.info import cache_folder, why_no_cache

    if cache_folder() is None and not quiet:
        click.echo(f"note: every run compiles anew, since no cache folder can be used: {why_no_cache()}", err=True)
    if quiet or not sys.stderr.isatty():
        yield None
        return
    with ExitStack() as shown:
        bars: list[Any] = []

        def show(done: int, of: int) -> None:
            if not bars:
                bars.append(shown.enter_context(click.progressbar(length=of, file=sys.stderr, label=label)))
            bars[0].update(done - bars[0].pos)

        yield show


def _write(found: dict[str, Any], to_arrow: Callable[[], Any], output: Path | None) -> None:
    if output is None:
        return
    import json

    from kernel.tables import form_of, packed, stdout_form, write_table

    form = form_of(output)
    if form == ".json":
        _write_text(json.dumps(found, indent=2, allow_nan=False) + "\n", output)
    elif stdout_form(output):
        _print(packed(to_arrow(), form))
    else:
        write_table(to_arrow(), output)


def _write_text(text: str, output: Path) -> None:
    from kernel.tables import stdout_form, write_text

    if stdout_form(output):
        _print(text)
    else:
        write_text(text, output)


@main.command()
@partial(_of_config, without=["worst"])  # which --by says
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
@_format
@_file(
    "--output",
    "Also write the curves to .parquet or .csv, or everything to .json; to stdout as -.csv or -.",
)
@_file("--plot", "Draw the curve, with the ladder's tiers, to .png or .svg.")
def threshold(
    config: Path,
    market: Path | None,
    form: str,
    output: Path | None,
    plot: Path | None,
    overrides: Sequence[str],
    probabilities: Sequence[str],
    times: Sequence[str],
    *,
    executor: str | None,
    quiet: bool,
    **settings: Any,
) -> None:
    """Find the levels of the ladder's metric that are breached with given probabilities.

    One simulation answers all of them; the ladder's own tiers stand beside them with their breach probabilities. A
    CONFIG of - is stdin.
    """
    from kernel.figures import plot_thresholds
    from kernel.measures import curves_table
    from kernel.report import threshold as report
    from kernel.targets import parse_targets

    def parse(job: Run | None) -> Targets:
        return parse_targets(probabilities, times, job.simulation if job else None)

    drawn = plot is not None or output is not None
    job, targets = _prepare(config, market, overrides, settings, output, parse, plot, paths=drawn, executor=executor)
    kept = {"levels": [1 - max(targets.probabilities)], "worst": targets.by}
    outcome, seconds = _simulate(job, kept, executor, paths=drawn, quiet=quiet)
    curves = report.all_curves(outcome) if drawn else []
    found = report.results(job, outcome, targets, curves, seconds)
    _write(found, partial(curves_table, curves), output)
    if plot is not None:
        plot_thresholds(curves, job.ladder, plot, targets.probabilities)
        click.echo(f"wrote {plot}", err=True)
    _tell(found, report.text, form, output)


def _of_history(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what says which prices to read, and which market to fit to them."""
    options = [
        click.argument("prices", metavar="[ASSET=]PRICES...", nargs=-1, required=True),
        click.option(
            "--market",
            metavar="NAME",
            default="auto",
            show_default=True,
            help="auto, gbm, merton, kou or filtered_historical.",
        ),
        click.option(
            "--column",
            "columns",
            metavar="[ASSET=]COLUMN",
            multiple=True,
            help="Column of prices; again for further assets. Default: the closes.",
        ),
        click.option("--time", metavar="COLUMN", help="Column of times; default: found out."),
        click.option("--first", metavar="DATE", help="Leave out what is before."),
        click.option("--last", metavar="DATE", help="Leave out what is after."),
        click.option("--max-gap", metavar="DURATION", help="Take no return over longer steps, such as 36h."),
        click.option(
            "--volatility", metavar="average|ewma|garch", help="Of gbm and filtered_historical: when, and how."
        ),
        click.option(
            "--drift",
            type=click.Choice(["zero", "fitted"]),
            default="zero",
            show_default=True,
            help="Of the market: none, as a history says little of it, or the estimate.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _files(prices: Sequence[str]) -> list[tuple[str, Path]]:
    """Return each file with the name of its asset, or ""."""
    return [
        (asset, Path(path)) if equals else ("", Path(one))
        for one in prices
        for asset, equals, path in [one.partition("=")]
    ]


@main.command()
@_of_history
@_format
@_file("--output", "Write the market to .toml or .json, for `margin run --market`; to stdout as -.toml or -.")
@_file("--plot", "Draw density, tails and quantiles to .png or .svg.")
def fit(
    prices: Sequence[str],
    market: str,
    columns: Sequence[str],
    form: str,
    output: Path | None,
    plot: Path | None,
    volatility: str | None,
    drift: str,
    **settings: str | None,
) -> None:
    """Fit a market to price histories: one file, or one for each asset.

    Files are .csv, .csv.gz or .parquet, as exchanges write them; what was found in them and done about it is told. By
    default every market is fitted and the one of the lowest BIC chosen.
    """
    from kernel.config.fitted import check_fit, fit_files
    from kernel.report import fit as report

    files = _files(prices)
    how = {} if volatility is None else {"volatility": volatility}
    named = check_fit([path for _, path in files], market, columns, output, plot, how)
    found = fit_files(files, market, named, settings, drift, **how)
    told = report.results(found)
    _save_fit(found, told, output, plot)
    _tell(told, report.text, form, output)


def _save_fit(found: Fitted, told: dict[str, Any], output: Path | None, plot: Path | None) -> None:
    import json

    from kernel.config.documents import commented, to_toml
    from kernel.figures import plot_fits
    from kernel.tables import form_of, stdout_form

    if plot is not None:
        plot_fits(found.history, found.compared, plot)
        click.echo(f"wrote {plot}", err=True)
    if output is not None:
        in_toml, text = form_of(output) == ".toml", json.dumps(told, indent=2, allow_nan=False) + "\n"
        _write_text(commented(told["fit"]["notes"]) + to_toml(told) if in_toml else text, output)
        if not stdout_form(output):
            click.echo(f"wrote {output}; next: margin run CONFIG --market {output}", err=True)


@main.command()
@_of_history
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
@_file("--config", "Take the account and the ladder from a config file; default: one unit of wealth.")
@_format
@_file("--output", "Also write .parquet or .csv (every forecast) or .json; to stdout as -.csv or -.")
@_file("--plot", "Draw losses against Value at Risk, and the calibration, to .png or .svg.")
@_quiet
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
    **settings: str | None,
) -> None:
    """Prove a market out of sample on price histories: roll, refit, predict, compare with what happened.

    The account is opened anew for each forecast, with the same notionals. Says per level whether coverage held.
    """
    from kernel.config.backtested import backtest_files, check_settings
    from kernel.config.fitted import OF_HISTORY, check_fit
    from kernel.errors import Problems
    from kernel.report import backtest as report
    from kernel.tables import OUTPUT_SUFFIXES

    files, how = _files(prices), {} if volatility is None else {"volatility": volatility}
    problems, named, stated = Problems(), None, {}
    read = [path for _, path in files] + ([config] if config is not None else [])
    with problems.under(""):
        named = check_fit(read, market, columns, output, plot, how, OUTPUT_SUFFIXES)
    with problems.under(""):
        stated = check_settings({name: value for name, value in settings.items() if name not in OF_HISTORY}, levels)
    problems.raise_any()
    reading = {name: settings[name] for name in OF_HISTORY}
    with _progress("forecasts", quiet=quiet) as progress:
        stated |= {"market": market, "drift": drift, "progress": progress}
        found = backtest_files(files, named, reading, config, {**stated, **how})
    told = report.results(found)
    _save_backtest(found.backtest, told, output, plot)
    _tell(told, report.text, form, output)


def _save_backtest(tested: Backtest, told: dict[str, Any], output: Path | None, plot: Path | None) -> None:
    from kernel.figures import plot_backtest

    if plot is not None:
        plot_backtest(tested, plot)
        click.echo(f"wrote {plot}", err=True)
    _write(told, tested.to_arrow, output)


@main.command()
@click.argument("path", type=click.Path(path_type=Path), default="margin.toml")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def init(path: Path, *, force: bool) -> int:
    """Write a commented example of a config file (-: to stdout)."""
    from kernel.config.example import EXAMPLE

    if str(path) == "-":
        _print(EXAMPLE)
        return 0
    if path.exists() and not force:
        return _refuse([f"{path}: is there already; overwrite it with --force"])
    _write_text(EXAMPLE, path)
    click.echo(f"wrote {path}; next: margin run {path}", err=True)
    return 0


@main.command()
@_config
@_market
@_set
def validate(config: Path, market: Path | None, overrides: Sequence[str]) -> None:
    """Check a config file (-: stdin), and the history that it names, without simulating."""
    from kernel.config.load import load

    for note in load(config, overrides, market).notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"{'stdin' if str(config) == '-' else config} is valid", err=True)


@main.command()
@click.option("--precision", type=click.Choice(["single", "double"]), default="single", show_default=True)
def warmup(precision: str) -> None:
    """Compile the kernels of every market and keep them on disk."""
    from kernel.info import cache_folder, warmed, why_no_cache

    for market, assets, _, seconds in warmed((precision,)):
        several = "several assets" if assets > 1 else "one asset"
        click.echo(f"{market}, {several}, {precision} precision: {seconds:.1f} s", err=True)
    click.echo(f"kept in {cache_folder() or f'memory only: {why_no_cache()}'}", err=True)


@main.command()
@_format
@_file("--output", "Also write the figures to .json; to stdout as -.")
@_quiet
def bench(form: str, output: Path | None, *, quiet: bool) -> None:
    """Measure this machine in about a minute and print it beside the machines measured before.

    Compiling comes first and does not count. For honest figures let nothing else run.
    """
    from kernel.benchmark import measured, recorded
    from kernel.report import benchmark as report
    from kernel.tables import check_output

    if output is not None:
        check_output(output, suffixes=(".json",), stdout=True)
    with _progress("seconds", quiet=quiet) as progress:
        found = measured(progress=progress)
    _write(found, lambda: None, output)
    _tell(found, lambda one: report.text(one, recorded()), form, output)


@main.command()
@_format
def info(form: str) -> None:
    """Show versions, processor, threads and the cache folder."""
    from kernel.info import environment

    found = environment()
    if form == "json":
        _print_json(found)
        return
    rows = {**found.pop("versions"), **found}
    _print("\n".join(f"{name:<14}{value if value is not None else '-'}" for name, value in rows.items()))


if __name__ == "__main__":
    main()

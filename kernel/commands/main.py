"""The command `margin`: parse, call, print."""

# ruff: noqa: PLC0415 - imports inside the commands: numba, pyarrow and pydantic would make --help slow

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kernel.commands.shell import VIOLATED, Group, note, progress_bar, refuse, say, seconds_since_start, show, show_json
from kernel.simulation.settings import OPTIONS, Setting

if TYPE_CHECKING:
    from kernel._core.jit import Preparing
    from kernel.backtesting import Backtest
    from kernel.config.assembly import Run
    from kernel.config.fitted import Fitted
    from kernel.config.limits import Limit
    from kernel.config.targets import Targets
    from kernel.report.run import Took
    from kernel.simulation.outcome import Outcome

T = TypeVar("T")
EXAMPLES = sorted(path.stem for path in (Path(__file__).parents[1] / "examples").glob("*.toml"))


def _tell(found: dict[str, Any], text: Callable[[dict[str, Any]], str], form: str, output: Path | None) -> None:
    """Print results for people or as JSON: to stderr where what is asked for as output goes to stdout."""
    import json

    from kernel.tables import stdout_form

    told = json.dumps(found, indent=2, allow_nan=False) if form == "json" else text(found).rstrip("\n")
    if stdout_form(output):
        say(told)
    else:
        show(told)


def _at_most_one(_: click.Context, __: click.Parameter, values: Sequence[Path]) -> Path | None:
    """Refuse an option that is given twice, where the last would win without a word."""
    if len(values) > 1:
        raise click.BadParameter(f"is given {len(values)} times: name one file")
    return values[0] if values else None


def _show_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from importlib.metadata import PackageNotFoundError, version

        try:
            show(f"margin {version('margin-kernel')}")
        except PackageNotFoundError:
            show("margin, not installed")
        context.exit()


@click.group(cls=Group, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
def main() -> None:
    """Monte Carlo for margin-call escalation: losses, and when each tier of a margin ladder first breaches."""


class _Path(click.Path):
    """A path; click asks the system of each, which does not take every text for one."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a text as a path."""
        try:
            return super().convert(value, param, ctx)
        except ValueError:
            self.fail("is the path of no file", param, ctx)


def _file(name: str, purpose: str) -> Callable[[Any], Any]:
    """Return an option that names a file to write, once."""
    return click.option(name, metavar="FILE", type=_Path(), multiple=True, callback=_at_most_one, help=purpose)


_config = click.argument("config", type=_Path())  # - is stdin
_market = click.option(
    "--market",
    metavar="FILE",
    type=_Path(),
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
    from kernel.config.limits import parse_limits
    from kernel.report import run as report
    from kernel.tables import form_of

    def parse(job: Run | None) -> list[Limit]:
        return parse_limits(limits, *((job.ladder.names, job.simulation["horizon"]) if job else ()))

    paths = output is not None and form_of(output) != ".json"
    job, checked = _prepare(config, market, overrides, settings, output, parse, paths=paths, executor=executor)
    levels = sorted({*job.levels, *(limit.level for limit in checked if limit.level is not None)})
    outcome, took = _simulate(job, {"levels": levels}, executor, paths=paths, quiet=quiet)
    found = report.results(job, outcome, took)
    _write(found, outcome.to_arrow, output)
    _tell(found, report.text, form, output)
    violations = [message for limit in checked if (message := limit.violation(outcome))]
    for message in violations:
        note(f"violated: {message}")
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
        from kernel.simulation.execution.pools import parse_executor

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
) -> tuple[Outcome, Took]:
    """Simulate, keeping what is asked for; return the outcome and the time that it took."""
    import time

    from kernel.report.run import Took
    from kernel.simulation.execution.pools import open_executor, parse_executor

    if paths:
        kept = {**kept, "record": "paths"}
    start = time.perf_counter()
    with ExitStack() as opened:
        if executor is not None:
            kept = {**kept, "executor": opened.enter_context(open_executor(parse_executor(executor)))}
        progress, kernels = opened.enter_context(_progress("paths", quiet=quiet))
        outcome = job.simulate(**kept, progress=progress)
    seconds = time.perf_counter() - start
    return outcome, Took(seconds, kernels.seconds, kernels.compiled, seconds_since_start())


@contextmanager
def _progress(label: str, *, quiet: bool) -> Iterator[tuple[Callable[[int, int], None] | None, Preparing]]:
    """Say if it compiles, which takes longer than most work; then show a bar on a terminal."""
    from kernel.benchmark.environment import cache_folder, preparing_kernels, why_no_cache

    def begin() -> None:
        note(f"compiling the kernel, once: kept in {cache_folder()}" if cache_folder() else "compiling the kernel")

    if cache_folder() is None and not quiet:
        note(f"note: every run compiles anew, since no cache folder can be used: {why_no_cache()}")
    with preparing_kernels(None if quiet else begin) as kernels, progress_bar(label, quiet=quiet) as progress:
        yield progress, kernels


def _write(found: dict[str, Any], to_arrow: Callable[[], Any], output: Path | None) -> None:
    if output is None:
        return
    import json

    from kernel.tables import form_of, packed, stdout_form, write_table

    form = form_of(output)
    if form == ".json":
        _write_text(json.dumps(found, indent=2, allow_nan=False) + "\n", output)
    elif stdout_form(output):
        show(packed(to_arrow(), form))
    else:
        write_table(to_arrow(), output)


def _write_text(text: str, output: Path) -> None:
    from kernel.files import write_text
    from kernel.tables import stdout_form

    if stdout_form(output):
        show(text.encode())  # in UTF-8, as a file has it
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
    from kernel.config.targets import parse_targets
    from kernel.figures import plot_thresholds
    from kernel.measures import curves_table
    from kernel.report import threshold as report

    def parse(job: Run | None) -> Targets:
        return parse_targets(probabilities, times, job.simulation if job else None)

    drawn = plot is not None or output is not None
    job, targets = _prepare(config, market, overrides, settings, output, parse, plot, paths=drawn, executor=executor)
    kept = {"levels": [1 - max(targets.probabilities)], "worst": targets.by}
    outcome, took = _simulate(job, kept, executor, paths=drawn, quiet=quiet)
    curves = report.all_curves(outcome) if drawn else []
    found = report.results(job, outcome, targets, curves, took)
    _write(found, partial(curves_table, curves), output)
    if plot is not None:
        plot_thresholds(curves, job.ladder, plot, targets.probabilities)
        note(f"wrote {plot}")
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
    """Return each file with the name of its asset, or "" where the whole, as `symbol=BTC/x.csv`, is a file's path."""
    return [
        (asset, Path(path)) if equals and not Path(one).is_file() else ("", Path(one))
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
        note(f"wrote {plot}")
    if output is not None:
        in_toml, text = form_of(output) == ".toml", json.dumps(told, indent=2, allow_nan=False) + "\n"
        _write_text(commented(told["fit"]["notes"]) + to_toml(told) if in_toml else text, output)
        if not stdout_form(output):
            note(f"wrote {output}; next: margin run CONFIG --market {output}")


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
    with _progress("forecasts", quiet=quiet) as (progress, _):
        stated |= {"market": market, "drift": drift, "progress": progress}
        found = backtest_files(files, named, reading, config, {**stated, **how})
    told = report.results(found)
    _save_backtest(found.backtest, told, output, plot)
    _tell(told, report.text, form, output)


def _save_backtest(tested: Backtest, told: dict[str, Any], output: Path | None, plot: Path | None) -> None:
    from kernel.figures import plot_backtest

    if plot is not None:
        plot_backtest(tested, plot)
        note(f"wrote {plot}")
    _write(told, tested.to_arrow, output)


@main.command()
@click.argument("path", type=_Path(), required=False)
@click.option("--example", type=click.Choice(EXAMPLES), help="Write an example that runs as it is, with its prices.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def init(path: Path | None, example: str | None, *, force: bool) -> int:
    """Write a commented config file to PATH, margin.toml by default, or an example by its name (-: to stdout)."""
    from kernel.config.example import EXAMPLE, example_files
    from kernel.files import write_bytes

    if str(path) == "-":
        show(next(iter(example_files(example).values())) if example else EXAMPLE.encode())
        return 0
    path = path or Path(f"{example or 'margin'}.toml")
    config, *beside = (example_files(example) if example else {path.name: EXAMPLE.encode()}).items()
    written = {path: config[1], **{path.with_name(name): content for name, content in beside}}
    there = [one for one in written if os.path.exists(one)]  # noqa: PTH110 - unlike that of a Path, it takes any name
    if there and not force:
        return refuse([f"{one}: is there already; overwrite it with --force" for one in there])
    for one, content in written.items():
        write_bytes(content, one)
    note(f"wrote {', '.join(map(str, written))}; next: margin run {path}")
    return 0


@main.command()
@_config
@_market
@_set
def validate(config: Path, market: Path | None, overrides: Sequence[str]) -> None:
    """Check a config file (-: stdin), and the history that it names, without simulating."""
    from kernel.config.load import load

    for sentence in load(config, overrides, market).notes:
        note(f"note: {sentence}")
    note(f"{'stdin' if str(config) == '-' else config} is valid")


@main.command()
@click.option("--precision", type=click.Choice(["single", "double"]), default="single", show_default=True)
def warmup(precision: str) -> None:
    """Compile the kernels of every market and keep them on disk."""
    from kernel.benchmark.environment import cache_folder, warmed, why_no_cache

    for market, assets, _, seconds in warmed((precision,)):
        several = "several assets" if assets > 1 else "one asset"
        note(f"{market}, {several}, {precision} precision: {seconds:.1f} s")
    note(f"kept in {cache_folder() or f'memory only: {why_no_cache()}'}")


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
    with _progress("seconds", quiet=quiet) as (progress, _):
        found = measured(progress=progress)
    _write(found, lambda: None, output)
    _tell(found, lambda one: report.text(one, recorded()), form, output)


@main.command()
@_format
def info(form: str) -> None:
    """Show versions, processor, threads and the cache folder."""
    from kernel.benchmark.environment import environment

    found = environment()
    if form == "json":
        show_json(found)
        return
    rows = {**found.pop("versions"), **found}
    show("\n".join(f"{name:<14}{value if value is not None else '-'}" for name, value in rows.items()))


if __name__ == "__main__":
    main()

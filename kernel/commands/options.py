"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from kernel.simulation.settings import OPTIONS, Setting

Command = Callable[..., Any]
Option = Callable[[Any], Any]


class PathType(click.Path):
    """A path; click asks the system of each, which does not take every text for one."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a text as a path."""
        try:
            return super().convert(value, param, ctx)
        except ValueError:
            self.fail("is the path of no file", param, ctx)


def _at_most_one(_: click.Context, __: click.Parameter, values: Sequence[Path]) -> Path | None:
    """Refuse an option that is given twice, where the last would win without a word."""
    if len(values) > 1:
        raise click.BadParameter(f"is given {len(values)} times: name one file")
    return values[0] if values else None


def file_option(name: str, purpose: str) -> Option:
    """Return an option that names a file to write, once."""
    return click.option(name, metavar="FILE", type=PathType(), multiple=True, callback=_at_most_one, help=purpose)


config_argument = click.argument("config", type=PathType())  # - is stdin
market_option = click.option(
    "--market",
    metavar="FILE",
    type=PathType(),
    help="Take the market from a file that `margin fit` wrote.",
)
set_option = click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override a value of the config."
)
quiet_option = click.option("--quiet", is_flag=True, help="No progress bar.")
format_option = click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
EXECUTOR = "processes:N|dask://HOST:PORT"


def _all(command: Command, options: Sequence[Option]) -> Command:
    """Give a command options, the first of them on top of its help."""
    for option in reversed(options):
        command = option(command)
    return command


def _setting(setting: Setting) -> Option:
    """Return the option that states a setting of the simulation."""
    shown = setting.metavar or "|".join(setting.choices)
    return click.option(f"--{setting.name}", metavar=shown, multiple=setting.kind == "times", help=setting.help)


def simulation_options(command: Command, without: Sequence[str] = ()) -> Command:
    """Add what says which config to simulate, and how, but for some settings; `simulation.Request` takes them."""
    options = [
        config_argument,
        market_option,
        set_option,
        *(_setting(setting) for setting in OPTIONS if setting.name not in without),
        click.option("--executor", metavar=EXECUTOR, help="Who walks the paths, for threads."),
        click.option("--drift", metavar="zero|fitted|NUMBER", help="Of the market; a fitted one has none by default."),
        quiet_option,
    ]
    return _all(command, options)


def history_options(command: Command) -> Command:
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
    return _all(command, options)

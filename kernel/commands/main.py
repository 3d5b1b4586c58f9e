"""The command `margin`: its commands by name, each a module that is imported when it is asked for."""

from __future__ import annotations

import click

from kernel.commands.group import Group, Later
from kernel.commands.shell import show

# The first sentence of each command's help: what `margin --help` shows without importing it.
COMMANDS = {
    "backtest": "Prove a market out of sample on price histories: roll, refit, predict, compare with what happened.",
    "bench": "Measure this machine in about a minute and print it beside the machines measured before.",
    "fit": "Fit a market to price histories: one file, or one for each asset.",
    "info": "Show versions, processor, threads and the cache folder.",
    "init": "Write a commented config file to PATH, margin.toml by default, or an example by its name (-: to stdout).",
    "run": "Simulate what a config file (-: stdin) states and print losses and breaches with their errors.",
    "threshold": "Find the levels of the ladder's metric that are breached with given probabilities.",
    "validate": "Check a config file (-: stdin), and the history that it names, without simulating.",
    "warmup": "Compile the kernels of every market and keep them on disk.",
}


def _show_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - slow, and seldom used

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


for _name, _help in COMMANDS.items():
    main.add_command(Later(_name, _help, f"kernel.commands.{_name}"))


if __name__ == "__main__":
    main()

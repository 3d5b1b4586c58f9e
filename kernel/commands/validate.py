"""`margin validate`: a config, without simulating it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from kernel.commands.options import config_argument, market_option, set_option
from kernel.commands.shell import note


@click.command()
@config_argument
@market_option
@set_option
def validate(config: Path, market: Path | None, overrides: Sequence[str]) -> None:
    """Check a config file (-: stdin), and the history that it names, without simulating."""
    from kernel.config.load import load  # noqa: PLC0415 - a page of help does not wait for it

    for sentence in load(config, overrides, market).notes:
        note(f"note: {sentence}")
    note(f"{'stdin' if str(config) == '-' else config} is valid")

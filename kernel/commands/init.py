"""`margin init`: a config to begin with."""

# ruff: noqa: PLC0415 - imports inside functions: a page of help waits for none of them

from __future__ import annotations

import os
from pathlib import Path

import click

from kernel.commands.options import PathType
from kernel.commands.shell import note, refuse, show

EXAMPLES = sorted(path.stem for path in (Path(__file__).parents[1] / "examples").glob("*.toml"))


@click.command()
@click.argument("path", type=PathType(), required=False)
@click.option("--example", type=click.Choice(EXAMPLES), help="Write an example that runs as it is, with its prices.")
@click.option("--escalation", is_flag=True, help="With what tiers do when they breach: calls and close-outs.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def init(path: Path | None, example: str | None, *, escalation: bool, force: bool) -> int:
    """Write a commented config file to PATH, margin.toml by default, or an example by its name (-: to stdout)."""
    from kernel.config.example import commented_example, example_files
    from kernel.files import write_bytes

    if escalation and example:
        return refuse(["--escalation: is for the commented config: leave out --example, or take btc_escalation"])
    commented = commented_example(escalation=escalation).encode()
    if str(path) == "-":
        show(next(iter(example_files(example).values())) if example else commented)
        return 0
    path = path or Path(f"{example or 'margin'}.toml")
    config, *beside = (example_files(example) if example else {path.name: commented}).items()
    written = {path: config[1], **{path.with_name(name): content for name, content in beside}}
    there = [file for file in written if os.path.exists(file)]  # noqa: PTH110 - unlike that of a Path, it takes any name
    if there and not force:
        return refuse([f"{file}: is there already; overwrite it with --force" for file in there])
    for file, content in written.items():
        write_bytes(content, file)
    note(f"wrote {', '.join(map(str, written))}; next: margin run {path}")
    return 0

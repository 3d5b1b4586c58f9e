"""What a command gives back: a report on stdout, and the files that it is asked for."""

# ruff: noqa: PLC0415 - imports inside functions: a page of help waits for none of them

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel.commands.shell import note, progress_bar, say, show

if TYPE_CHECKING:
    from kernel._core.jit import Preparing
    from kernel.report.blocks import Block, Figure


def to_json(results: Mapping[str, Any]) -> str:
    """Return results as strict JSON."""
    return json.dumps(results, indent=2, allow_nan=False)


def print_report(results: Mapping[str, Any], blocks: Sequence[Block], form: str, output: Path | None) -> None:
    """Print results for people or as JSON: to stderr where what is asked for as output goes to stdout."""
    from kernel.report.text import to_text
    from kernel.tables import stdout_form

    report = to_json(results) if form == "json" else to_text(blocks).rstrip("\n")
    if stdout_form(output):
        say(report)
    else:
        show(report)


def write_results(results: Mapping[str, Any], to_arrow: Callable[[], Any], output: Path | None) -> None:
    """Write results as JSON, or their table, to a file or to stdout; without an output do nothing."""
    if output is None:
        return
    from kernel.tables import form_of, packed, stdout_form, write_table

    form = form_of(output)
    if form == ".json":
        write_text(to_json(results) + "\n", output)
    elif stdout_form(output):
        show(packed(to_arrow(), form))
    else:
        write_table(to_arrow(), output)


def write_text(text: str, output: Path) -> None:
    """Write a text to a file or to stdout, in UTF-8."""
    from kernel.files import write_text as write_file
    from kernel.tables import stdout_form

    if stdout_form(output):
        show(text.encode())
    else:
        write_file(text, output)


def draw(figure: Figure, plot: Path | None) -> None:
    """Draw a figure to a file, if one is named."""
    if plot is not None:
        figure.draw(plot)
        note(f"wrote {plot}")


@contextmanager
def progress(label: str, *, quiet: bool) -> Iterator[tuple[Callable[[int, int], None] | None, Preparing]]:
    """Say if it compiles, which takes longer than most work; then show a bar on a terminal."""
    from kernel.benchmark.environment import cache_folder, preparing_kernels, why_no_cache

    def begin() -> None:
        note(f"compiling the kernel, once: kept in {cache_folder()}" if cache_folder() else "compiling the kernel")

    if cache_folder() is None and not quiet:
        note(f"note: every run compiles anew, since no cache folder can be used: {why_no_cache()}")
    with preparing_kernels(None if quiet else begin) as kernels, progress_bar(label, quiet=quiet) as update:
        yield update, kernels

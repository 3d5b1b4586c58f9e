"""What the commands share that read price files."""

# ruff: noqa: PLC0415 - imports inside functions: a page of help waits for none of them

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def price_files(prices: Sequence[str]) -> list[tuple[str, Path]]:
    """Return each file with the name of its asset, or "" where the whole, as `symbol=BTC/x.csv`, is a file's path."""
    return [
        (asset, Path(path)) if equals and not Path(stated).is_file() else ("", Path(stated))
        for stated in prices
        for asset, equals, path in [stated.partition("=")]
    ]


def check_fit(
    paths: Sequence[Path],
    market: str,
    columns: Sequence[str],
    output: Path | None,
    plot: Path | None,
    options: Mapping[str, Any],
    suffixes: Sequence[str] = (".toml", ".json"),
) -> dict[str, str] | str | None:
    """Check what can be checked before a fit; return the columns as `kernel.read_prices` takes them.

    Args:
        paths: of the price files.
        market: its name, or "auto".
        columns: as the command line has them.
        output: file to write, if any.
        plot: figure to write, if any.
        options: of the market's fit.
        suffixes: that the output may have.

    Raises:
        InvalidInput: with everything that has to be mended.
    """
    from kernel.errors import Problems
    from kernel.figures import SUFFIXES, check_plot
    from kernel.markets.choice import check_model
    from kernel.tables import check_output

    problems = Problems()
    check_model(problems, market, options)
    if output is not None:
        with problems.under(""):
            check_output(output, paths, suffixes=suffixes, stdout=True)
    if plot is not None:
        with problems.under(""):
            check_output(plot, paths, suffixes=SUFFIXES, field="plot")
        with problems.under(""):
            check_plot()
    pairs = [
        (asset, column) if equals else (text, text)
        for text in columns
        for asset, equals, column in [text.partition("=")]
    ]
    if len(dict(pairs)) < len(pairs):
        problems.add("column", "names an asset twice")
    problems.raise_any()
    if len(pairs) == 1 and "=" not in columns[0]:
        return columns[0]
    return dict(pairs) or None

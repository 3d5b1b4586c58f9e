"""A market of a config file that is fitted to a history."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from kernel.errors import InvalidInput, Problem
from kernel.history import History
from kernel.markets import FITTED, Market
from kernel.prices import read_prices, written

OF_HISTORY = ("time", "first", "last", "max_gap")


class Source(NamedTuple):
    """The history that a market was fitted to."""

    file: str
    blake2b: str
    rows: int
    first: str
    last: str
    dt: float
    """Years between two rows."""
    notes: tuple[str, ...] = ()
    """What was found in the file, and what was done about it."""


def fitted_market(section: dict[str, Any], folder: Path) -> tuple[Market, Source]:
    """Read the history that a section names, beside the config file, and fit the section's model to it."""
    path = folder / section["history"]
    history = _read(path, section)
    kind = FITTED[section["model"]]
    try:
        market = kind.fit(history).market
    except InvalidInput as invalid:
        raise InvalidInput(
            [Problem("history", f"{path.name}: {field} {message}") for field, message in invalid.problems]
        ) from None
    except ImportError:
        message = f'to fit {section["model"]} needs SciPy: pip install "margin-kernel[fit]"'
        raise InvalidInput([Problem("model", message)]) from None
    market = replace(market, **{name: section[name] for name in ("drift", "spot") if name in section})
    first, last = ("", "") if history.times is None else (written(history.times[0]), written(history.times[-1]))
    digest = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    return market, Source(section["history"], digest, len(history.prices), first, last, history.dt, history.notes)


def _read(path: Path, section: dict[str, Any]) -> History:
    """Read a history; `asset` names its one column, which else is called as the section or the file calls it."""
    settings, column, asset = (
        {name: section.get(name) for name in OF_HISTORY},
        section.get("column"),
        section.get("asset"),
    )
    if isinstance(column, dict) and asset is not None:
        raise InvalidInput([Problem("asset", "names the one column; several are named in column itself")])
    columns = {asset or column: column} if isinstance(column, str) else column
    try:
        history = read_prices(path, columns=columns, **settings)
    except InvalidInput as invalid:
        raise InvalidInput(
            [Problem({"columns": "column"}.get(field, field), message) for field, message in invalid.problems]
        ) from None
    if asset is None or history.assets == (asset,):
        return history
    if len(history.assets) > 1:
        message = f"names one column, but the file has several ({', '.join(history.assets)}): name one as column"
        raise InvalidInput([Problem("asset", message)])
    return replace(history, assets=(asset,))

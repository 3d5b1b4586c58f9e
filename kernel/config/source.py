"""Where a config comes from: a file, stdin, or sections stated in Python."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kernel import checks
from kernel.checks.text import brief
from kernel.config.documents import MOST_DEPTH, read_document, read_stdin
from kernel.errors import InvalidInput, Problem, Problems

STDIN = "-"
_MOST_NUMBERS = 10_000_000


class Config(NamedTuple):
    """The sections of a config, which are the reader's own to change."""

    document: dict[str, Any]
    folder: Path
    """That histories and files of markets are looked for in."""
    files: tuple[Path, ...]
    """That were read."""


def read_config(config: str | os.PathLike[str] | Mapping[str, Any]) -> Config:
    """Read a .toml or .json file, stdin ("-"), or sections as they would stand in one.

    Raises:
        InvalidInput: if it cannot be read, or is none of them.

    Example:
        >>> read_config({"simulation": {"levels": (0.95, 0.99)}}).document
        {'simulation': {'levels': [0.95, 0.99]}}
    """
    if isinstance(config, Mapping):
        return Config(plain_document(config, "config"), Path(), ())
    if not isinstance(config, str | os.PathLike):
        message = f"must be the name of a file, {STDIN!r} for stdin, or a mapping of sections"
        raise InvalidInput([Problem("config", f"{message}, not {type(config).__name__}")])
    problems = Problems()
    path = checks.path(problems, "config", config)
    problems.raise_any()
    assert path is not None  # noqa: S101 - or there were problems
    if str(path) == STDIN:
        return Config(read_stdin(), Path(), ())
    return Config(read_document(path), path.parent, (path,))


def plain_document(value: Any, place: str, depth: int = 0) -> Any:
    """Return a copy of tables and lists, as a document has them; arrays become lists.

    Raises:
        InvalidInput: for what no document has, and what lies too deep.
    """
    if depth > MOST_DEPTH:
        raise InvalidInput([Problem(place, f"must be at most {MOST_DEPTH} deep")])
    if isinstance(value, Mapping):
        for wrong in (key for key in value if not isinstance(key, str)):
            raise InvalidInput([Problem(place, f"must have texts as keys, not {brief(wrong)}")])
        places = {key: key if place == "config" else f"{place}.{key}" for key in value}
        return {key: plain_document(entry, places[key], depth + 1) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain_document(entry, f"{place}[{k}]", depth + 1) for k, entry in enumerate(value)]
    if isinstance(value, np.ndarray | np.generic) and value.size <= _MOST_NUMBERS and value.dtype.kind in "biufU":
        return value.tolist()
    if value is None or isinstance(value, str | int | float | date):
        return value
    what = f"a number, a text, a date, a table, or a list or an array of at most {_MOST_NUMBERS:,}"
    raise InvalidInput([Problem(place, f"must be {what}, not {brief(value)}")])

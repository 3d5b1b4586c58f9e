"""Where a config comes from: a file, stdin, or sections stated in Python."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kernel.config.documents import read_document, read_stdin
from kernel.errors import InvalidInput, Problem

STDIN = "-"


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
        return Config(_plain(config, "config"), Path(), ())
    if not isinstance(config, str | os.PathLike):
        message = f"must be the name of a file, {STDIN!r} for stdin, or a mapping of sections"
        raise InvalidInput([Problem("config", f"{message}, not {type(config).__name__}")])
    if os.fspath(config) == STDIN:
        return Config(read_stdin(), Path(), ())
    path = Path(config)
    return Config(read_document(path), path.parent, (path,))


def _plain(value: Any, place: str) -> Any:
    """Return a copy of tables and lists, as a document has them."""
    if isinstance(value, Mapping):
        wrong = next((key for key in value if not isinstance(key, str)), None)
        if wrong is not None:
            raise InvalidInput([Problem(place, f"must have texts as keys, not {wrong!r}")])
        return {key: _plain(one, key if place == "config" else f"{place}.{key}") for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, f"{place}[{k}]") for k, one in enumerate(value)]
    return value

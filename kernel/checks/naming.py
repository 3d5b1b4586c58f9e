"""Checks of words, names, lists and paths at the door."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernel.checks import text
from kernel.errors import Problems

_LONGEST_NAME = 200  # letters
MOST_ASSETS = 1_000  # that a market has, or a history
NAME = f"of at most {_LONGEST_NAME} letters without control characters"


def choice(problems: Problems, field: str, value: Any, choices: Sequence[str]) -> str:
    """Return one of the choices, or the first of them and a problem.

    Only a text is compared: arrays, series and missing values answer neither yes nor no.
    """
    if isinstance(value, str) and value in choices:
        return str(value)
    *others, last = choices
    stated = f"{', '.join(others)} or {last}" if others else last
    problems.add(field, f"must be {stated}, not {text.brief(value)}")
    return choices[0]


def _elements(value: Any, most: int) -> list[Any] | int | None:
    """Return the elements of what has an order; their number, where that is above the most; None of anything else."""
    ordered = isinstance(value, Sequence) or hasattr(value, "__array__")  # a set has no order
    if not ordered or isinstance(value, str | bytes):
        return None
    try:
        return list(value) if len(value) <= most else len(value)
    except Exception:  # noqa: BLE001 - of an object that is not ours; of an array without dimensions
        return None


def listed(problems: Problems, field: str, value: Any, most: int) -> list[Any]:
    """Return the elements of an ordered collection, at most so many, or anything else as the one element.

    What the elements are is for others to check; of too many there are none, and a problem.
    """
    found = _elements(value, most)
    if isinstance(found, int):
        problems.add(field, f"must be at most {most:,}, not {found:,}")
        return []
    return [value] if found is None else found


def is_name(value: Any) -> bool:
    r"""Say whether a value can name an asset, a tier or a state: a text, not too long, without control characters.

    Example:
        >>> is_name("BTC"), is_name(""), is_name("a\n"), is_name(1)
        (True, False, False, False)
    """
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME:
        return False
    return value.isprintable() or not any(unicodedata.category(one) in {"Cc", "Cs"} for one in value)


def path(problems: Problems, field: str, value: Any) -> Path | None:
    """Return the path of a file, or None and a problem of what is none on any system."""
    found = None
    if isinstance(value, str | os.PathLike):
        try:
            found = Path(value)
            os.fsencode(text.system_path(found))
        except Exception:  # noqa: BLE001 - of an object that is not ours; of letters that no name can have
            found = None
    if found is None or not found.name or "\0" in str(found):
        problems.add(field, f"must be the path of a file, not {text.brief(value)}")
        return None
    return found


def names(problems: Problems, field: str, value: Any) -> tuple[str, ...]:
    """Return distinct names of assets, or a problem."""
    found = [value] if isinstance(value, str) else _elements(value, MOST_ASSETS)
    if isinstance(found, int):
        problems.add(field, f"must be at most {MOST_ASSETS:,}, not {found:,}")
        return ("?",)
    if not found or not all(map(is_name, found)):
        problems.add(field, f"must be a list of at least one name, {NAME}, not {text.brief(value)}")
        return ("?",)
    twice = sorted(name for name, count in Counter(found).items() if count > 1)
    if twice:
        problems.add(field, f"must be distinct, but {', '.join(twice)} stands there more than once")
    return tuple(map(str, found))

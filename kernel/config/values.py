"""Kinds of values in a config: what of TOML and JSON is one; what a number may be is for the dataclasses to say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from kernel.checks.text import brief, years

_MOST = 10**300

Value = Callable[[Any], str | None]
"""Returns what is wrong with a value, None if nothing is."""


def value(what: str, fits: Callable[[Any], bool]) -> Value:
    """Return the kind of values that fit, which a message describes as `what`."""
    return lambda stated: None if fits(stated) else f"must be {what}, not {brief(stated)}"


def word(known: Any, and_then: str = "") -> Value:
    """Return the kind of a word out of known ones."""
    return value(" or ".join(known) + and_then, lambda stated: is_text(stated) and stated in known)


def anything(_: Any) -> None:
    """Take any value."""


def is_number(stated: Any) -> bool:
    """Say whether a value is a number that is not too large to be judged as one."""
    whole = isinstance(stated, int) and not isinstance(stated, bool) and abs(stated) < _MOST
    return isinstance(stated, float) or whole


def is_text(stated: Any) -> bool:
    """Say whether a value is a text that is not empty."""
    return isinstance(stated, str) and bool(stated)


def is_list(stated: Any, fits: Callable[[Any], bool]) -> bool:
    """Say whether a value is a list, not empty, of what fits."""
    return isinstance(stated, list) and bool(stated) and all(map(fits, stated))


def is_table(stated: Any, fits: Callable[[Any], bool]) -> bool:
    """Say whether a value is a table, not empty, of what fits."""
    return isinstance(stated, dict) and bool(stated) and all(map(fits, stated.values()))


def is_by_asset(stated: Any) -> bool:
    """Say whether a value is a number, or numbers by asset."""
    return is_number(stated) or is_list(stated, is_number) or is_table(stated, is_number)


def duration(stated: Any) -> str | None:
    """Take a text such as "5d"; a bare number is asked for its unit."""
    try:
        years(stated if isinstance(stated, str) else brief(stated))
    except ValueError as error:
        return str(error)
    return None


def step(stated: Any) -> str | None:
    """Take a duration, or the number of years, never a whole one, that `margin fit` writes."""
    return None if isinstance(stated, float) else duration(stated)


def times(stated: Any) -> str | None:
    """Take true, false, a duration, or a list of them."""
    listed = [] if isinstance(stated, bool) else stated if isinstance(stated, list) else [stated]
    return next((problem for problem in map(duration, listed) if problem), None)


NUMBER = value("a number", is_number)
FLAG = value("true or false", lambda stated: isinstance(stated, bool))
TEXT = value("a text", is_text)
DAY = value("an ISO date", lambda stated: is_text(stated) or isinstance(stated, date))
NAMES = value("a list of names", lambda stated: is_text(stated) or is_list(stated, is_text))
NUMBERS = value("a number or a list of numbers", lambda stated: is_number(stated) or is_list(stated, is_number))
BY_ASSET = value("a number or a list of numbers, one per asset, or a table of them by asset", is_by_asset)
RATES = value("a number, or a table of them by asset", lambda stated: is_number(stated) or is_table(stated, is_number))
ROWS = value("a list of rows of numbers", lambda stated: is_list(stated, lambda row: is_list(row, is_number)))
TARGET = value("a tier, or a level such as 0.9999", lambda stated: is_text(stated) or is_number(stated))

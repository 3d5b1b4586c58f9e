"""What people write and read: durations, and the name they may have meant."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Iterable
from decimal import Decimal
from itertools import islice
from pathlib import Path

UNIT_MINUTES: dict[str, float] = {"s": 1 / 60, "m": 1, "min": 1, "h": 60, "d": 1440, "w": 7 * 1440, "y": 365 * 1440}
_YEAR = UNIT_MINUTES["y"]
_DURATION = re.compile(r"\s*([0-9][0-9_]*\.?[0-9]*(?:e[+-]?[0-9]+)?)\s*([a-z]+)\s*")
_MOST_KNOWN, _NAMED = 1_000, 40  # names that are compared, and listed
_LONGEST = 80  # letters of a value in a message
_SHOWN = (("d", 2 * UNIT_MINUTES["d"]), ("h", UNIT_MINUTES["h"]), ("min", 0))


def years(text: str) -> float:
    """Return a duration such as "60s", "90m", "36h", "5d", "2w" or "1y" in years of 365 days.

    Raises:
        ValueError: saying what would be right; a bare number is asked for its unit.

    Example:
        >>> years("73d")
        0.2
    """
    match = _DURATION.fullmatch(text)
    if match is None or match[2] not in UNIT_MINUTES:
        raise ValueError(_asked(text))
    number = float(match[1])
    if math.isinf(number):
        raise ValueError(f"must be finite, not {brief(text)}")
    return number if match[2] == "y" else number * UNIT_MINUTES[match[2]] / _YEAR  # of years to the last bit


def _asked(text: str) -> str:
    """Return what to write instead of a text that is no duration."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        return f"must be a number with the unit s, m, h, d, w or y, such as '5d', not {brief(text)}"
    stated = text.strip()
    says = number > 0 and len(stated) <= _LONGEST
    hint = f"; {stated} year{'' if number == 1 else 's'} is '{stated}y'" if says else ""
    return f"must have a unit, such as '5d' or '12h'{hint}"


def share(text: str) -> float:
    """Return a share written as a number or in percent.

    Raises:
        ValueError: saying what would be right.

    Example:
        >>> share("99%"), share("0.975")
        (0.99, 0.975)
    """
    number, percent, rest = text.strip().partition("%")
    try:
        value = float(Decimal(number.strip()).scaleb(-2)) if percent else float(number)
    except (ValueError, ArithmeticError):
        rest = text or "nothing"
    if rest:
        raise ValueError(f"must be a share such as 99% or 0.99, not {brief(text)}")
    return value


def brief(value: object) -> str:
    """Write what was given on one line: its beginning if it is long, its type alone if it cannot be written.

    Example:
        >>> brief("a"), brief("b" * 100)[-9:], brief(10**5000)
        ("'a'", 'bbbbbb...', 'something of type int')
    """
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 - of an object that is not ours; of a number with too many digits
        return f"something of type {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def unit_of(duration: float) -> tuple[str, float]:
    """Return the unit that reads best for a duration in years, and how many of it a year has.

    Example:
        >>> unit_of(5 / 365)
        ('d', 365.0)
    """
    minutes = round(abs(duration) * _YEAR, 6) if math.isfinite(duration) else math.inf
    name = next(name for name, least in _SHOWN if minutes >= least)
    return name, _YEAR / UNIT_MINUTES[name]


def duration(value: float) -> str:
    """Write a duration in years for people.

    Example:
        >>> duration(5 / 365)
        '5 d'
    """
    unit, per_year = unit_of(value)
    return f"{value * per_year:.4g} {unit}"


def system_path(path: str | os.PathLike[str]) -> Path:
    """Return a path as the system's calls take it: its name is UTF-8 on disk, whatever encoding the locale is of.

    Example:
        >>> system_path("btc.csv").name
        'btc.csv'
    """
    name = os.fspath(path)
    try:
        return Path(os.fsdecode(name.encode("utf-8", "surrogateescape")))
    except UnicodeEncodeError:  # half of a pair of UTF-16: no system's
        return Path(name)


def counted(count: int, noun: str) -> str:
    """Write a count with its noun.

    Example:
        >>> counted(2000, "row")
        '2,000 rows'
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def was(count: int) -> str:
    """Write the verb to a count.

    Example:
        >>> was(1), was(2)
        ('was', 'were')
    """
    return "was" if count == 1 else "were"


def snake(name: str) -> str:
    """Write a class's name as a config file has it.

    Example:
        >>> snake("FilteredHistorical")
        'filtered_historical'
    """
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower()


def near(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean ...?" if a known name looks like this one, else what is known.

    Example:
        >>> near("volatilty", ["spot", "volatility"])
        '; did you mean volatility?'
    """
    names = list(islice(known, _MOST_KNOWN))
    lowered = {one.lower(): one for one in reversed(names)}
    close = difflib.get_close_matches(name.lower(), lowered, n=1) if len(name) <= _LONGEST else []
    if close:
        return f"; did you mean {lowered[close[0]]}?"
    more = ", ..." if len(names) > _NAMED else ""
    return f"; known are {', '.join(names[:_NAMED])}{more}"

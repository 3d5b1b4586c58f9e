"""Numbers as people write them: with currency signs, thousands and decimals of either kind."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

_MISSING = frozenset(("", ".", "..", "-", "--", "\u2013", "\u2014", "nan", "na", "n/a", "n.a.", "nd", "null", "none"))
_MISSING_TOO = frozenset(("#n/a", "#na", "#n/a n/a", "#value!", "<na>", "nat"))  # of spreadsheets and data frames
_SPACES = "\\s\u00a0\u2009\u202f'\u2019"  # that stand between thousands
_SIGN = "(?:[A-Za-z]{0,3}[$€£¥₹₽₩₺฿₿]|USDT?|EUR|GBP|JPY|CHF|INR|Rs\\.?|CAD|AUD|CNY)"
_DRESSED = re.compile(rf"\s*({_SIGN}?)\s*([-+\u2212]?)\s*({_SIGN}?)\s*([\d.,{_SPACES}]+?)\s*({_SIGN}?)\s*")
_LOOSE = re.compile(
    rf"\s*[(]?{_SIGN}?\s*[-+\u2212]?\s*{_SIGN}?\s*([\d.,{_SPACES}]*\d[\d.,]*)\s*(%|[KMBT]\b|{_SIGN})?[)]?\s*"
)
_POINT = re.compile(rf"\d{{1,3}}(?:(?:,\d{{2,3}})*,\d{{3}}|(?:[{_SPACES}]\d{{3}})+)(?:\.\d*)?|\d+\.?\d*|\.\d+")
_COMMA = re.compile(rf"\d{{1,3}}(?:[.{_SPACES}]\d{{3}})+(?:,\d*)?|\d+(?:,\d*)?|,\d+")
_SHOWS_POINT = re.compile(r"[\d,]*\d,\d{3}\.\d*|\d{1,3}(?:,\d{2,3})+,\d{3}|\d+\.(?:\d{1,2}|\d{4,})")
_SHOWS_COMMA = re.compile(r"[\d.]*\d\.\d{3},\d*|\d{1,3}(?:\.\d{3}){2,}|\d+,(?:\d{1,2}|\d{4,})|(?:0|\d{4,}),\d{3}")
_COULD_BE_THOUSANDS = re.compile(r"\d{1,3}\.\d{3}")
_LONGEST = 64  # letters of a number: beyond, the patterns would be tried at every place against every other


def is_missing(cell: str) -> bool:
    """Say whether a cell holds nothing, in one of the ways in which files say so."""
    lowered = cell.strip().lower()
    return lowered in _MISSING or lowered in _MISSING_TOO


def is_price(cell: str) -> bool:
    """Say whether a cell could be a price: a number in either style, no percentage and no thousands "K".

    Example:
        >>> is_price("$1,234.5"), is_price("0.4%"), is_price("1.2K")
        (True, False, False)
    """
    match = _matched(_LOOSE, cell)
    if match:
        return match[2] not in set("%KMBT")
    return math.isfinite(plain(cell))


def _matched(pattern: re.Pattern[str], cell: str) -> re.Match[str] | None:
    return pattern.fullmatch(cell) if len(cell) <= _LONGEST else None


def plain(cell: str) -> float:
    """Return a number as Python writes it, without underscores; NaN: it is none."""
    try:
        return float(cell) if "_" not in cell else math.nan
    except ValueError:
        return math.nan


def may_be_grouped(cell: str) -> bool:
    """Say whether a plain number may be thousands with a point between, as 15.885 may."""
    return _COULD_BE_THOUSANDS.fullmatch(cell.strip()) is not None


def styles(cells: Iterable[str]) -> set[str]:
    """Return the decimal signs that cells prove: "." by 1,234.5 or 0.25, "," by 1.234,5 or 0,25; 1,234 proves none.

    Example:
        >>> styles(["1,234", "999"]), sorted(styles(["1,234", "0.5%"]))
        (set(), ['.'])
    """
    proved = set()
    for cell in cells:
        match = _matched(_LOOSE, cell)
        if match is None:
            continue
        digits = re.sub(f"[{_SPACES}]", "", match[1])
        proved |= {sign for sign, shows in ((".", _SHOWS_POINT), (",", _SHOWS_COMMA)) if shows.fullmatch(digits)}
    return proved


def currency(cell: str) -> str:
    """Return the currency's sign in a cell, empty if it has none."""
    match = _matched(_DRESSED, cell)
    return (match[1] or match[3] or match[5]) if match else ""


def number(cell: str, decimal: str) -> float:
    """Return a number with a currency's sign, thousands and this decimal sign; NaN: it is none.

    Example:
        >>> number("$1,234.5", "."), number("1.234,5", ",")
        (1234.5, 1234.5)
    """
    match = _matched(_DRESSED, cell)
    if match is None:
        return plain(cell)
    digits = match[4].strip()
    if not (_POINT if decimal == "." else _COMMA).fullmatch(digits):
        return math.nan
    digits = re.sub(f"[{_SPACES}{',' if decimal == '.' else '.'}]", "", digits).replace(",", ".")
    return -float(digits) if match[2] and match[2] in "-\u2212" else float(digits)

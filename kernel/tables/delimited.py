"""Delimited text in: its encoding, its delimiter, the lines above its rows and those below."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from kernel.errors import InvalidInput, Problem, printable
from kernel.files import read_content, unpacked
from kernel.tables.sheet import MOST_COLUMNS, Sheet, listed

_DELIMITERS = "\t;|,"  # a comma also stands in numbers: it comes last
_SAMPLE = 40  # lines
_MOST_BELOW = 5  # lines that are no rows
_NAME = r"[^\W\d_]{3,9}\.?"
_TIMED = re.compile(
    rf"""\s*(?: \d{{8,20}} (?:\.\d*)? | \d{{8}} [T\ ] .* | \d(?:\.\d+)?e\+?\d{{1,2}}    # compact, or an epoch
    | \d{{1,4}} ([-/.]) \d{{1,2}} \1 \d{{1,4}} (?!\d) .*             # 2020-01-31, 1/31/2020
    | (?:{_NAME},?\ +)? \d{{1,4}} [-\ /.]* {_NAME} [-\ /.,]* \d{{1,4}} (?!\d) .*   # 31-Jan-2020
    | (?:{_NAME},?\ +)? {_NAME} [-\ ]* \d{{1,2}} (?:st|nd|rd|th)? ,? [-\ ]+ \d{{4}} (?!\d) .*  # Jan 31, 2020
    )\s*""",
    re.VERBOSE | re.IGNORECASE,
)

Line = tuple[int, list[str]]


def is_timed(cell: str) -> bool:
    """Say whether a cell looks like a date, a timestamp or an epoch.

    Example:
        >>> is_timed("31-Jan-2020"), is_timed("000001")
        (True, False)
    """
    return _TIMED.fullmatch(cell) is not None


def read_delimited(path: Path) -> Sheet:
    """Read a CSV file, packed or not.

    Raises:
        InvalidInput: if it is empty, too wide, or its rows have more or fewer cells than its header.
        OSError: if it cannot be read, or is too large.
    """
    content = read_content(path)
    text = _decoded(unpacked(content) if path.suffix.lower() == ".gz" else content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    lines = [(reader.line_num, cells) for cells in reader if any(cells)]
    if not lines:
        raise InvalidInput([Problem("history", f"{path.name} is empty")])
    timed = _column_of_times([cells for _, cells in lines[:_SAMPLE]])
    first = next((k for k, (_, cells) in enumerate(lines) if _is_row(cells, timed)), 1)
    titles = _titles([cells for _, cells in lines[:first]])
    rows, below = _without_footer(lines[first:], timed)
    rows = _without_trailing_delimiter(rows, len(titles[-1]) if titles else 0)
    header = titles[-1] if titles else tuple(f"column {k + 1}" for k in range(len(rows[0][1])))
    if len(header) > MOST_COLUMNS:
        message = f"{path.name}: must have at most {MOST_COLUMNS:,} columns, not {len(header):,}"
        raise InvalidInput([Problem("history", message)])
    number = np.array([number for number, _ in rows], dtype=np.int64)
    ragged = np.array([len(cells) != len(header) for _, cells in rows], dtype=bool)
    if ragged.any():
        message = f"{path.name}: {listed('line', number[ragged])}: must have {len(header)} cells, as the header has"
        raise InvalidInput([Problem("history", message)])
    columns = list(zip(*(cells for _, cells in rows), strict=True)) or [()] * len(header)
    name = printable(path.name)
    stem = Path(name[: -len(".gz")] if path.suffix.lower() == ".gz" else name).stem
    return Sheet(name, stem, header, columns.__getitem__, number, "line", (), tuple(titles), below)


def _decoded(text: bytes) -> str:
    """Read UTF-8, UTF-16 as spreadsheets save it, or else Windows' western encoding, in which digits are the same."""
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return text.decode("utf-16")
    if b"\0" in text[:2]:
        return text.decode("utf-16-le" if text[1:2] == b"\0" else "utf-16-be")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        try:
            return text.decode("cp1252")
        except UnicodeDecodeError:
            raise error from None


def _delimiter(text: str) -> str:
    """Return the delimiter that cuts most of the first lines, and most of them alike, into the most cells."""
    sample = list(islice((line for line in io.StringIO(text[:200_000]) if line.strip()), _SAMPLE))

    def rate(delimiter: str) -> tuple[int, int]:
        try:
            sizes = Counter(len(cells) for cells in csv.reader(sample, delimiter=delimiter) if len(cells) > 1)
        except csv.Error:
            return 0, 0
        size, count = max(sizes.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        return count, size

    return max(_DELIMITERS, key=rate)


def _column_of_times(lines: Sequence[list[str]]) -> int | None:
    """Return the column that most often looks like a time; the first of equals."""
    counts = Counter(k for cells in lines for k, cell in enumerate(cells) if is_timed(cell))
    return min(counts, key=lambda k: (-counts[k], k), default=None)


def _is_row(cells: Sequence[str], timed: int | None) -> bool:
    if timed is None:
        return all(re.fullmatch(r"\s*[-+]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*", cell) for cell in cells)
    return len(cells) > timed and is_timed(cells[timed])


def _titles(above: Sequence[list[str]]) -> list[tuple[str, ...]]:
    """Return the last lines of one length; what stands above them is a note."""
    titles: list[tuple[str, ...]] = []
    for cells in reversed(above):
        if titles and len(cells) != len(titles[0]):
            break
        titles.insert(0, tuple(cell.strip() for cell in cells))
    return titles


def _without_footer(rows: list[Line], timed: int | None) -> tuple[list[Line], tuple[str, ...]]:
    """Leave out last lines that begin with a word, such as a total or a source; say so."""
    first = len(rows)
    while timed is not None and first > 0 and not _is_row(rows[first - 1][1], timed):
        first -= 1
    below = rows[first:]
    words = [next(cell for cell in cells if cell).strip() for _, cells in below]
    if not 0 < len(below) <= _MOST_BELOW or not all(word[:1].isalpha() or word[:1] in "*#" for word in words):
        return rows, ()
    named = listed("line", np.array([number for number, _ in below]))
    return rows[:first], (f"It ends with what is no row, which was left out: {named} ({words[0][:40]!r}).",)


def _without_trailing_delimiter(rows: list[Line], size: int) -> list[Line]:
    """Cut the empty cell behind a delimiter that ends every row, but not the header."""
    if size and rows and all(len(cells) == size + 1 and not cells[-1].strip() for _, cells in rows):
        return [(number, cells[:-1]) for number, cells in rows]
    return rows

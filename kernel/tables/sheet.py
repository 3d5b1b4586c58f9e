"""The columns of a file or a table, as they stand there: what the cells mean is for others to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_LISTED = 5
MOST_COLUMNS = 10_000

Cells = Sequence[Any] | NDArray[Any]


class Sheet(NamedTuple):
    """The columns of a file, or of an Arrow table."""

    name: str
    stem: str
    """The name without suffixes."""
    header: tuple[str, ...]
    """Names of the columns, which may repeat; "column 1", "column 2", ... where the file has none."""
    at: Callable[[int], Cells]
    """Of a column by its place: texts of a CSV file; numbers (NaN: missing), UTC times, or texts of an Arrow table."""
    number: NDArray[np.int64]
    """Of each row, counted from 1; in a CSV file its line."""
    noun: str
    times: tuple[str, ...] = ()
    """Columns whose type is a time."""
    titles: tuple[tuple[str, ...], ...] | None = None
    """The lines above the rows that have a cell for each column, the header last; None: of a table."""
    notes: tuple[str, ...] = ()
    """Sentences: what of the file was left out."""

    def cells(self, name: str) -> Cells:
        """Return the first column of a name."""
        return self.at(self.header.index(name))

    def named(self, chosen: NDArray[np.bool_]) -> str:
        """Name rows, such as "lines 2, 3"."""
        return listed(self.noun, self.number[chosen])


def listed(noun: str, numbers: NDArray[Any]) -> str:
    """Name the first rows, and say how many more there are.

    Example:
        >>> listed("line", np.array([2, 3]))
        'lines 2, 3'
    """
    more = f" and {numbers.size - _LISTED} more" if numbers.size > _LISTED else ""
    return f"{noun}{'s' if numbers.size > 1 else ''} {', '.join(map(str, numbers[:_LISTED]))}{more}"

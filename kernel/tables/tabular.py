"""Results that are tables: to Arrow, and so to whatever reads it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


class Tabular(ABC):
    """A result that says what its table is; any Arrow library then reads the result itself."""

    @abstractmethod
    def to_arrow(self) -> pa.Table:
        """Return the table."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Export the table to any Arrow library."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)


def table_of(columns: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> pa.Table:
    """Return columns, of which NaN is null, as a table, with metadata as JSON under "margin_kernel" where it is given.

    Example:
        >>> table_of({"level": [1.5, float("nan")]}, {"seed": 7})["level"].to_pylist()
        [1.5, None]
    """
    import pyarrow as pa  # noqa: PLC0415 - takes long to import

    carried = None if metadata is None else {b"margin_kernel": json.dumps(metadata).encode()}
    arrays = {name: pa.array(column, from_pandas=True) for name, column in columns.items()}
    return pa.table(arrays, metadata=carried)


def writers() -> dict[str, Callable[..., Any]]:
    """Return by suffix what writes a table to a file that is open."""
    import pyarrow.csv  # noqa: PLC0415 - takes long to import
    import pyarrow.parquet  # noqa: PLC0415 - as above

    return {".parquet": pyarrow.parquet.write_table, ".csv": pyarrow.csv.write_csv}

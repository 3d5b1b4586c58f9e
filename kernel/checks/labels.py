"""Labels that numbers come with: they are put into the order of the assets by them, or refused, never ignored.

Frames are known by what they have, not by their package: those of pandas and polars, xarray's arrays, Arrow's tables,
and mappings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.checks.text import brief
from kernel.errors import InvalidInput, Problem, Problems

_BARE = (int, float, str, list, tuple, np.ndarray, np.generic, type(None))  # without labels: most values are
_TABLE = 2  # dimensions
_ROUNDING = 1e-10  # of correlations that were computed
_SHOWN = 5  # labels in a message


class Labelled(NamedTuple):
    """Numbers with the labels of their rows and columns; None: without."""

    values: NDArray[Any]
    rows: NDArray[Any] | None
    columns: NDArray[Any] | None = None


def labelled(value: Any) -> Labelled | None:
    """Return the numbers of a value with their labels, or None of one that has none.

    Labels that only count from 0, as frames get them where none are stated, are none.

    Raises:
        InvalidInput: of a mapping whose parts have different labels, and of what cannot be read.

    Example:
        >>> labelled({"BTC": 60e3, "ETH": 3e3}).rows.tolist()
        ['BTC', 'ETH']
    """
    if isinstance(value, _BARE):
        return None
    try:
        return _labelled(value)
    except InvalidInput:
        raise
    except Exception:  # noqa: BLE001 - of an object that is not ours, whatever its labels raise
        raise InvalidInput([Problem("", f"must be numbers, with labels or without, not {brief(value)}")]) from None


def _labelled(value: Any) -> Labelled | None:
    if isinstance(value, Mapping):
        return _of_mapping(value)
    if hasattr(value, "dims") and hasattr(value, "coords"):  # of xarray
        axes = [value.coords.get(name) for name in value.dims]
    else:
        names = getattr(value, "column_names", getattr(value, "columns", None))  # of Arrow; of pandas, polars
        axes = [getattr(value, "index", None)] if names is None else [getattr(value, "index", None), names]
    rows, columns = (_labels(axis) for axis in [*axes, None, None][:_TABLE])
    return None if rows is None and columns is None else Labelled(_array(value), rows, columns)


def _array(value: Any) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except (TypeError, ValueError):
        return np.array(None)


def _labels(axis: Any) -> NDArray[Any] | None:
    if axis is None or callable(axis):  # a method of that name
        return None
    if isinstance(axis, Sequence):
        found = np.fromiter(axis, dtype=object)
    else:
        found = np.asarray(axis.tz_convert(None) if getattr(axis, "tz", None) is not None else axis)  # times in UTC
    counts = found.dtype.kind in "iu" and np.array_equal(found, np.arange(found.size))
    return None if counts else found


def _of_mapping(value: Mapping[Any, Any]) -> Labelled:
    """Take numbers by asset, columns by asset, or numbers by two assets."""
    listed, keys = list(value.values()), _labels(list(value))
    unlike = InvalidInput(
        [Problem("", f"must have the same labels, and as many numbers, for each of {', '.join(map(str, value))}")]
    )
    if listed and all(isinstance(one, Mapping) for one in listed):
        inner = list(listed[0])
        if any(set(one) != set(inner) for one in listed):
            raise unlike
        return Labelled(_array([[one[name] for name in inner] for one in listed]), keys, _labels(inner))
    columns, found = [np.ma.asanyarray(one) for one in listed], [labelled(one) for one in listed]
    rows = [one.rows for one in found if one is not None and one.rows is not None]
    if len({one.shape for one in columns}) > 1 or not all(np.array_equal(rows[0], one) for one in rows[1:]):
        raise unlike
    table = np.ma.stack(columns, axis=-1) if any(np.ma.is_masked(one) for one in columns) else _array(columns).T
    return Labelled(table, keys) if table.ndim < _TABLE else Labelled(table, rows[0] if rows else None, keys)


def by_name(value: Any) -> Any:
    """Return numbers by name as a dictionary, also those of a labelled series; any other value as it is."""
    found = None if isinstance(value, Mapping) else labelled(value)
    if found is None or found.values.ndim != 1 or names_of(found.rows) is None:
        return value
    return dict(zip(found.rows.tolist(), found.values.tolist(), strict=True))  # type: ignore[union-attr]


def names_of(labels: NDArray[Any] | None) -> tuple[str, ...] | None:
    """Return labels that are names, or None."""
    listed = () if labels is None else tuple(labels.tolist())
    return listed if listed and all(isinstance(one, str) and one for one in listed) else None


def shown(labels: NDArray[Any]) -> str:
    """Write labels for people.

    Example:
        >>> shown(np.array(["ETH", "BTC"]))
        'ETH, BTC'
    """
    more = f" and {labels.size - _SHOWN} more" if labels.size > _SHOWN else ""
    return ", ".join(str(one) for one in labels[:_SHOWN].tolist()) + more


def order(labels: NDArray[Any] | None, assets: Sequence[str]) -> list[int] | None:
    """Return where each asset stands among labels that are the assets, or None.

    Example:
        >>> order(np.array(["ETH", "BTC"]), ["BTC", "ETH"])
        [1, 0]
    """
    listed = [] if labels is None or labels.size != len(assets) else labels.tolist()
    return [listed.index(name) for name in assets] if set(assets) == set(listed) else None


def aligned(problems: Problems, field: str, value: Any, assets: Sequence[str]) -> Any:
    """Return the numbers of a labelled value in the order of the assets; any other value as it is.

    Rows may have other labels, such as times, where the columns are the assets. The rows and columns of a
    symmetric table are in the same order where only either are labelled.

    Example:
        >>> aligned(Problems(), "spot", {"ETH": 3e3, "BTC": 60e3}, ["BTC", "ETH"]).tolist()
        [60000.0, 3000.0]
    """
    found = None
    with problems.under(field):
        found = labelled(value)
    if found is None:
        return value
    rows, columns = order(found.rows, assets), order(found.columns, assets)
    wrong = _mismatch(found, rows, columns)
    if wrong is not None:
        mend = "label it by them, or pass the numbers alone, in their order"
        problems.add(field, f"is labelled {shown(wrong)}, but the assets are {', '.join(assets)}: {mend}")
        return found.values
    if _is_symmetric(found.values):
        rows = columns if found.rows is None else rows
        columns = rows if found.columns is None else columns
    values = found.values if rows is None else found.values[rows]
    return values if columns is None else values[:, columns]


def _mismatch(found: Labelled, rows: list[int] | None, columns: list[int] | None) -> NDArray[Any] | None:
    """Return the labels that should be the assets and are not; `rows` and `columns`: the orders of those that are."""
    if found.columns is not None and columns is None and not (rows is not None and found.columns.size == 1):
        return found.columns
    of_assets = found.values.ndim < _TABLE or _is_symmetric(found.values)
    named = names_of(found.rows) is not None and columns is None
    if found.rows is not None and found.columns is None and not of_assets and found.values.shape[1] > 1:
        return found.rows if named else None  # of rows by time: assets are its columns
    return found.rows if rows is None and found.rows is not None and (of_assets or named) else None


def _is_symmetric(table: NDArray[Any]) -> bool:
    square = table.ndim == _TABLE and table.shape[0] == table.shape[1] > 1
    return square and table.dtype.kind in "iuf" and np.allclose(table, table.T, rtol=0, atol=_ROUNDING)


class Table(NamedTuple):
    """Numbers by time and asset, or by time alone, with what their labels say."""

    values: Any
    assets: tuple[str, ...] | None
    """That the columns are labelled by; None: without labels."""
    times: NDArray[np.datetime64] | None
    """That the rows are labelled by; None: without labels, or with others."""


def table(problems: Problems, field: str, value: Any, assets: Sequence[str] | None) -> Table:
    """Read the labels of numbers by time and asset.

    Columns go into the order of the assets; one column alone may be called otherwise.

    Args:
        problems: notes labels that cannot be used.
        field: that the value is for.
        value: with or without labels.
        assets: names that are stated; None: those of the columns are taken.

    Example:
        >>> table(Problems(), "prices", {"ETH": [3e3, 3.1e3], "BTC": [60e3, 61e3]}, None).assets
        ('ETH', 'BTC')
    """
    found = None
    with problems.under(field):
        found = labelled(value)
    if found is None:
        called = getattr(value, "name", None)  # of a series, as polars has them
        return Table(value, (called,) if isinstance(called, str) and called else None, None)
    values, names = found.values, names_of(found.columns)
    if values.ndim == 1:
        called = getattr(value, "name", None)
        names = (called,) if isinstance(called, str) and called else None
    elif found.columns is not None and names is None:
        problems.add(field, f"must have the assets' names as labels of its columns, not {shown(found.columns)}")
    elif found.columns is not None and assets is not None and values.shape[1] > 1:
        columns = order(found.columns, assets)
        if columns is None:
            mend = "call them so, or pass the numbers alone, in their order"
            problems.add(
                field, f"has the columns {shown(found.columns)}, but the assets are {', '.join(assets)}: {mend}"
            )
        else:
            values = values[:, columns]
    return Table(values, names, _times(problems, field, found.rows))


def _times(problems: Problems, field: str, rows: NDArray[Any] | None) -> NDArray[np.datetime64] | None:
    """Return labels of rows that are times, and rise; refuse rows of several keys, such as an asset and a time."""
    if rows is None or rows.dtype.kind not in "MO":
        return None
    if rows.dtype.kind == "O":
        if any(isinstance(one, tuple) for one in rows):
            problems.add(field, "must have one row for each time and one column for each asset: unstack its rows")
        return None
    late = np.flatnonzero(~(np.diff(rows) > np.timedelta64(0)))
    if late.size:
        problems.add(
            field, f"must have its rows in rising order of time, each once: see row {late[0] + 1} (counted from 0)"
        )
        return None
    return rows.astype("datetime64[us]")

"""Checks of numbers at the door: one line per field, problems collected, arrays copied."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernel import text
from kernel.errors import Problems

_ROUNDING = 1e-10  # of correlations that were computed, or written with few digits
_ROWS = 2  # dimensions
_LARGEST = 1e12  # by magnitude, of any number: products of three stay finite in single precision
_BOUNDS: dict[str, Callable[[Any, Any], Any]] = {
    "above": operator.gt,
    "at_least": operator.ge,
    "below": operator.lt,
    "at_most": operator.le,
}


def _as_floats(value: Any) -> NDArray[np.float64] | None:
    """Return numbers as float64, or None of what is not numbers: text and truth values are not."""
    try:
        array = np.asarray(value)
        return array.astype(np.float64) if array.dtype.kind in "iuf" else None
    except (TypeError, ValueError, OverflowError):
        return None


def _bound_problem(array: NDArray[np.float64], bounds: dict[str, float]) -> str | None:
    if not np.isfinite(array).all():
        return f"must be finite, not {array[~np.isfinite(array)].flat[0]}"
    for name, bound in {"at_least": -_LARGEST, "at_most": _LARGEST, **bounds}.items():
        outside = array[~_BOUNDS[name](array, bound)]
        if outside.size:
            return f"must be {name.replace('_', ' ')} {bound:g}, not {outside.flat[0]:g}"
    return None


def number(problems: Problems, field: str, value: Any, **bounds: float) -> float:
    """Return one finite float within the bounds (above, at_least, below, at_most), or NaN and a problem."""
    array = _as_floats(value)
    if array is None or array.ndim != 0:
        problems.add(field, f"must be one number, not {value!r}")
        return float("nan")
    message = _bound_problem(array, bounds)
    if message:
        problems.add(field, message)
    return float(array)


def years(problems: Problems, field: str, value: Any, **bounds: float) -> float:
    """Return a duration in years of 365 days within the bounds, or NaN and a problem.

    It may be a number of years, or a text with a unit, such as "5d" or "12h".
    """
    if not isinstance(value, str):
        return number(problems, field, value, **bounds)
    try:
        return number(problems, field, text.years(value), **bounds)
    except ValueError as error:
        problems.add(field, str(error))
        return float("nan")


def numbers(problems: Problems, field: str, value: Any, size: int, **bounds: float) -> NDArray[np.float64]:
    """Return `size` floats within the bounds: one for all, or one each; NaN and a problem if they are not."""
    array = _as_floats(value)
    if array is None or array.ndim > 1 or (array.ndim == 1 and array.size != size):
        problems.add(field, f"must be one number or {size} of them, one per asset, not {value!r}")
        return np.full(size, np.nan)
    message = _bound_problem(array, bounds)
    if message:
        problems.add(field, message)
    array = np.broadcast_to(array, size).copy()
    array.flags.writeable = False
    return array


def matrix(problems: Problems, field: str, value: Any, columns: int, **bounds: float) -> NDArray[np.float64]:
    """Return rows of one float per asset within the bounds, or no rows and a problem."""
    array = _as_floats(value)
    if array is None or array.ndim != _ROWS or array.shape[1] != columns:
        problems.add(field, f"must be rows of {columns} number{'s' if columns > 1 else ''}, one per asset")
        return np.empty((0, columns))
    message = _bound_problem(array, bounds)
    if message:
        problems.add(field, message)
    array = array.copy()
    array.flags.writeable = False
    return array


def whole(problems: Problems, field: str, value: Any, at_least: int, at_most: int) -> int:
    """Return an integer between the bounds, also from a float such as 1e6, or `at_least` and a problem."""
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, bool) or not (isinstance(plain, int) or (isinstance(plain, float) and plain.is_integer())):
        problems.add(field, f"must be a whole number, not {value!r}")
        return at_least
    exact = int(plain)
    if not at_least <= exact <= at_most:
        problems.add(field, f"must be from {at_least} to {at_most}, not {exact}")
        return at_least
    return exact


def _correlation_problem(matrix: NDArray[np.float64]) -> str | None:
    if not np.isfinite(matrix).all():
        return "must be finite"
    skew, diagonal = np.abs(matrix - matrix.T), np.diag(matrix)
    if skew.max() > _ROUNDING:
        row, column = divmod(int(skew.argmax()), len(matrix))
        there = f"[{row}][{column}] is {matrix[row, column]:g}"
        back = f"[{column}][{row}] is {matrix[column, row]:g}"
        return f"must be symmetric, but {there} and {back}"
    if np.abs(diagonal - 1).max() > _ROUNDING:
        return f"must have ones on its diagonal, not {diagonal[np.abs(diagonal - 1).argmax()]:g}"
    smallest = np.linalg.eigvalsh(matrix)[0]
    return None if smallest >= -_ROUNDING else f"must be positive semi-definite, but has the eigenvalue {smallest:.6g}"


def correlation(problems: Problems, field: str, value: Any, size: int) -> NDArray[np.float64]:
    """Return a correlation matrix: symmetric, unit diagonal, positive semi-definite (singular is fine).

    None stands for the identity.
    """
    matrix = np.eye(size) if value is None else _as_floats(value)
    if matrix is None or matrix.shape != (size, size):
        problems.add(field, f"must be {size} rows of {size} numbers, in the order of the assets")
        return np.eye(size)
    message = _correlation_problem(matrix)
    if message:
        problems.add(field, message)
        return np.eye(size)
    matrix.flags.writeable = False
    return matrix


def names(problems: Problems, field: str, value: Any) -> tuple[str, ...]:
    """Return distinct, non-empty names, or a problem."""
    ordered = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)  # a set has no order
    listed = (value,) if isinstance(value, str) else tuple(value) if ordered else ()
    if not listed or not all(isinstance(name, str) and name for name in listed):
        problems.add(field, f"must be a list of at least one name, not {value!r}")
        return ("?",)
    twice = sorted({name for name in listed if listed.count(name) > 1})
    if twice:
        problems.add(field, f"must be distinct, but {', '.join(twice)} stands there more than once")
    return tuple(map(str, listed))

"""Checks of numbers at the door: one line per field, problems collected, arrays copied."""

from __future__ import annotations

import math
import numbers as kinds
import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernel.checks import text
from kernel.errors import Problems

_ROUNDING = 1e-10  # of correlations that were computed, or written with few digits
_ROWS = 2  # dimensions
_LARGEST = 1e12  # by magnitude, of any number: products of three stay finite in single precision
_SMALLEST = 1e-12  # of any number that must be above 0: products of three stay normal in single precision
_BOUNDS: dict[str, Callable[[Any, Any], Any]] = {
    "above": operator.gt,
    "at_least": operator.ge,
    "below": operator.lt,
    "at_most": operator.le,
}


def as_floats(value: Any) -> NDArray[np.float64] | None:
    """Return numbers as float64, NaN where one is missing, or None of what is not numbers.

    Text, truth values, complex numbers and times are not. Masked entries, and None or NA among others, are missing.
    """
    try:
        if type(value) in {float, int}:
            return np.array(float(value))
        array = np.asarray(value)
        if array.dtype.kind == "O":
            return _from_objects(array)
        if array.dtype.kind not in "iuf":
            return None
        floats = array.astype(np.float64)
    except Exception:  # noqa: BLE001 - of an object that is not ours, whatever its conversion raises
        return None
    if isinstance(value, np.ma.MaskedArray):
        floats[np.ma.getmaskarray(value)] = np.nan
    return floats


def _from_objects(array: NDArray[np.object_]) -> NDArray[np.float64] | None:
    floats = np.empty(array.shape)
    for place, one in np.ndenumerate(array):
        if array.ndim > 0 and (one is None or type(one).__name__ == "NAType"):  # pandas' for a missing number
            floats[place] = np.nan
        elif isinstance(one, kinds.Real | Decimal) and not isinstance(one, bool):
            floats[place] = float(one)
        else:
            return None
    return floats


def _bound_problem(value: float, bounds: dict[str, float]) -> str | None:
    if not math.isfinite(value):
        return f"must be finite, not {value}"
    for name, bound in {"at_least": -_LARGEST, "at_most": _LARGEST, **bounds}.items():
        if not _BOUNDS[name](value, bound):
            return f"must be {name.replace('_', ' ')} {bound:g}, not {value:g}"
    if bounds.get("above") == 0 and value < _SMALLEST:
        return f"must be at least {_SMALLEST:g}, not {value:g}"
    return None


def _bounds_problem(array: NDArray[np.float64], bounds: dict[str, float]) -> str | None:
    finite = np.isfinite(array)
    if not finite.all():
        place = "".join(f"[{k}]" for k in np.argwhere(~finite)[0])
        return f"must be finite, not {array[~finite].flat[0]}{f' at {place}' if place else ''}"
    ends = (float(array.min()), float(array.max())) if array.size else ()
    return next((message for message in (_bound_problem(end, bounds) for end in ends) if message), None)


def number(problems: Problems, field: str, value: Any, **bounds: float) -> float:
    """Return one finite float within the bounds (above, at_least, below, at_most), or NaN and a problem."""
    array = as_floats(value)
    if array is None or array.ndim != 0:
        problems.add(field, f"must be one number, not {text.brief(value)}")
        return float("nan")
    plain = float(array)
    message = _bound_problem(plain, bounds)
    if message:
        problems.add(field, message)
    return plain


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
    array = as_floats(value)
    if array is not None and array.ndim == _ROWS and 1 in array.shape:
        array = array.ravel()  # a row, or a column
    if array is None or array.ndim > 1 or (array.ndim == 1 and array.size != size):
        problems.add(field, f"must be one number or {size} of them, one per asset, not {text.brief(value)}")
        return np.full(size, np.nan)
    message = _bounds_problem(array, bounds)
    if message:
        problems.add(field, message)
    array = np.broadcast_to(array, size).copy()
    array.flags.writeable = False
    return array


def matrix(problems: Problems, field: str, value: Any, columns: int, **bounds: float) -> NDArray[np.float64]:
    """Return rows of one float per asset within the bounds, or no rows and a problem."""
    array = as_floats(value)
    if array is None or array.ndim != _ROWS or array.shape[1] != columns:
        problems.add(field, f"must be rows of {columns} number{'s' if columns > 1 else ''}, one per asset")
        return np.empty((0, columns))
    message = _bounds_problem(array, bounds)
    if message:
        problems.add(field, message)
    array = array.copy()
    array.flags.writeable = False
    return array


def whole(problems: Problems, field: str, value: Any, at_least: int, at_most: int) -> int:
    """Return an integer between the bounds, also from a float such as 1e6, or `at_least` and a problem."""
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, bool) or not (isinstance(plain, int) or (isinstance(plain, float) and plain.is_integer())):
        problems.add(field, f"must be a whole number, not {text.brief(value)}")
        return at_least
    exact = int(plain)
    if not at_least <= exact <= at_most:
        problems.add(field, f"must be from {at_least} to {at_most}, not {text.brief(exact)}")
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
    matrix = np.eye(size) if value is None else as_floats(value)
    if matrix is None or matrix.shape != (size, size):
        problems.add(field, f"must be {size} rows of {size} numbers, in the order of the assets")
        return np.eye(size)
    message = _correlation_problem(matrix)
    if message:
        problems.add(field, message)
        return np.eye(size)
    matrix.flags.writeable = False
    return matrix

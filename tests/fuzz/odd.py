"""Values that an argument hardly ever has."""

from __future__ import annotations

import datetime
import math
from collections import deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from importlib.util import find_spec
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa

import kernel
from tests.cases import GBM, LADDER, LONG


class _Sulking:
    """Refuse every question that Python asks of an object."""

    def _raise(self, *_: Any, **__: Any) -> NoReturn:
        raise RuntimeError("not today")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __len__ = __iter__ = _raise  # type: ignore[assignment]
    __array__ = __float__ = __int__ = __index__ = __repr__ = __str__ = __format__ = _raise  # type: ignore[assignment]
    __getitem__ = __contains__ = __fspath__ = __hash__ = __call__ = _raise  # type: ignore[assignment]


class _Unreadable:
    """Have an array, a length and a number that cannot be had."""

    def __len__(self) -> int:
        raise ValueError("no length")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise ValueError("no array")

    def __float__(self) -> float:
        raise OverflowError("no number")

    def __repr__(self) -> str:
        return "an\nodd \x1b[31mobject"


class _Stream:
    """Claim to be an Arrow table."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        raise RuntimeError("no stream")


class _Executor:
    """Take work and never do it."""

    def submit(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("cannot schedule new futures after shutdown")


class _Path:
    """Be a path that is none."""

    def __fspath__(self) -> str:
        raise OSError("no path")


def _numbers() -> Iterator[int]:
    yield from (1, 2, 3)


def _deep(depth: int = 200) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


def _circle() -> list[Any]:
    found: list[Any] = [1.0]
    found.append(found)
    return found


class _Text(str):
    __slots__ = ()


class _Whole(int):
    pass


_MAKERS: dict[str, Callable[[], Any]] = {
    "None": lambda: None, "True": lambda: True, "False": lambda: False, "0": lambda: 0, "1": lambda: 1,
    "-1": lambda: -1, "2": lambda: 2, "10": lambda: 10, "100": lambda: 100, "0.0": lambda: 0.0, "-0.0": lambda: -0.0,
    "0.5": lambda: 0.5, "1.5": lambda: 1.5,
    "nan": lambda: math.nan, "inf": lambda: math.inf, "-inf": lambda: -math.inf, "1e308": lambda: 1e308,
    "-1e308": lambda: -1e308, "5e-324": lambda: 5e-324, "1e-320": lambda: 1e-320, "1e12": lambda: 1e12,
    "1e-12": lambda: 1e-12, "2**63": lambda: 2**63, "2**64": lambda: 2**64, "-2**63-1": lambda: -(2**63) - 1,
    "10**400": lambda: 10**400, "10**5000": lambda: 10**5000, "1j": lambda: 1j, "complex nan": lambda: complex("nan"),
    "Decimal": lambda: Decimal("0.25"), "Decimal sNaN": lambda: Decimal("sNaN"),
    "Decimal 1e999999": lambda: Decimal("1e999999"), "Fraction": lambda: Fraction(1, 3),
    "Fraction huge": lambda: Fraction(10**400, 3), "empty text": lambda: "", "blank": lambda: "  ",
    "text": lambda: "abc",
    "BTC": lambda: "BTC", "call": lambda: "call", "1d": lambda: "1d", "1e999d": lambda: "1e999d",
    "nan text": lambda: "nan",
    "auto": lambda: "auto", "gbm": lambda: "gbm", "digits": lambda: "9" * 5000, "digits d": lambda: "9" * 5000 + "d",
    "long text": lambda: "a" * 100_000, "NUL": lambda: "a\0b", "newline": lambda: "a\nb",
    "surrogate": lambda: "\ud800",
    "escape": lambda: "\x1b[31mred", "percent": lambda: "%", "other digits": lambda: "\u0661\u0662",
    "emoji": lambda: "🙂",
    "str subclass": lambda: _Text("BTC"), "int subclass": lambda: _Whole(3), "bytes": lambda: b"abc",
    "bytearray": lambda: bytearray(b"12"), "memoryview": lambda: memoryview(b"12"), "[]": list, "()": tuple,
    "{}": dict,
    "set": lambda: {1.0, 2.0}, "frozenset": frozenset, "[1, 2]": lambda: [1.0, 2.0], "[[1]]": lambda: [[1.0]],
    "ragged": lambda: [[1.0, 2.0], [3.0]], "[None]": lambda: [None], "[nan]": lambda: [math.nan],
    "['a']": lambda: ["a"],
    "['a', 'a']": lambda: ["a", "a"], "[[]]": lambda: [[]], "mixed": lambda: [1.0, "a", None, {}],
    "deep": _deep, "very deep": lambda: _deep(100_000), "circle": _circle,
    "{'a': 1}": lambda: {"a": 1.0}, "{1: 1}": lambda: {1: 1.0}, "{None: None}": lambda: {None: None},
    "{'BTC': nan}": lambda: {"BTC": math.nan}, "{'a': []}": lambda: {"a": []}, "{'call': {}}": lambda: {"call": {}},
    "many names": lambda: [f"a{k}" for k in range(20_000)], "many numbers": lambda: [1.0] * 200_000,
    "many tiers": lambda: {f"t{k}": float(-k) for k in range(20_000)},
    "generator": _numbers, "range": lambda: range(3), "range 10**18": lambda: range(10**18), "map": lambda: map(int,
    "12"),
    "iterator": lambda: iter([1.0]), "deque": lambda: deque([1.0]), "object": object, "type": lambda: int,
    "function": lambda: len, "lambda": lambda: lambda: 1, "module": lambda: math, "Ellipsis": lambda: ...,
    "NotImplemented": lambda: NotImplemented, "slice": lambda: slice(3), "exception": lambda: ValueError("a"),
    "sulking": _Sulking, "[sulking]": lambda: [_Sulking()], "unreadable": _Unreadable,
    "[unreadable]": lambda: [_Unreadable()],
    "{'a': sulking}": lambda: {"a": _Sulking()}, "{'a': unreadable}": lambda: {"a": _Unreadable()},
    "stream": _Stream, "executor": _Executor, "path": _Path,
    "array 0d": lambda: np.array(1.0), "array": lambda: np.array([1.0, 2.0]), "array one": lambda: np.array([0.5]),
    "array 2d": lambda: np.ones((3, 2)), "array 3d": lambda: np.ones((2, 2, 2)), "array empty": lambda: np.empty(0),
    "array 0x3": lambda: np.empty((0, 3)), "array nan": lambda: np.full(3, np.nan),
    "array object": lambda: np.array([1.0, None]),
    "array bool": lambda: np.array([True, False]), "array text": lambda: np.array(["a", "b"]),
    "array bytes": lambda: np.array([b"a"]), "array complex": lambda: np.array([1j]),
    "array times": lambda: np.array(["2020-01-01"], dtype="datetime64[D]"), "array NaT": lambda: np.array(["NaT"],
    "datetime64[us]"),
    "array spans": lambda: np.array([1], dtype="timedelta64[D]"), "array record": lambda: np.zeros(2, [("a", float)]),
    "array uint64": lambda: np.array([2**64 - 1], np.uint64), "array longdouble": lambda: np.array([1e4000],
    np.longdouble),
    "array float16": lambda: np.array([6e4], np.float16), "array masked": lambda: np.ma.array([1.0, 2.0], mask=[True,
    False]),
    "array all masked": lambda: np.ma.masked_all(3), "masked": lambda: np.ma.masked,
    "array >f8": lambda: np.array([1.0], ">f8"),
    "array strided": lambda: np.arange(10.0)[::-2], "array read-only": lambda: np.broadcast_to(1.0, 3),
    "array huge view": lambda: np.broadcast_to(1.0, (10**6, 10**6)), "array names": lambda: np.array(["BTC"], object),
    "np.float32": lambda: np.float32(0.5), "np.int64": lambda: np.int64(3), "np.bool": lambda: np.bool_(True),
    "np.str": lambda: np.str_("BTC"), "np.datetime64": lambda: np.datetime64("2020-01-01"),
    "np.void": lambda: np.void(b"a"),
    "np.timedelta64": lambda: np.timedelta64(1, "D"), "date": lambda: datetime.date(1, 1, 1),
    "datetime max": lambda: datetime.datetime.max,
    "datetime": lambda: datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    "timedelta": lambda: datetime.timedelta(1),
    "datetime far east": lambda: datetime.datetime(1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=14))),
    "date text": lambda: "2020-01-01", "date far": lambda: "9999-12-31",
    "date first": lambda: "0001-01-01T00:00+14:00",
    "pa.table": lambda: pa.table({"a": [1.0, 2.0]}), "pa.array": lambda: pa.array([1.0, None]),
    "pa.scalar": lambda: pa.scalar(1.0),
    "pa empty": lambda: pa.table({}), "market": lambda: GBM, "account": lambda: LONG, "ladder": lambda: LADDER,
    "class": lambda: kernel.Gbm, "abstract class": lambda: kernel.Market, "position": lambda: LONG.positions[0],
    "[position]": lambda: list(LONG.positions), "{'a': market}": lambda: {"a": GBM},
    "missing file": lambda: "/nowhere/a.csv",
    "folder": lambda: "/", "device": lambda: "/dev/zero", "file name": lambda: "a" * 300 + ".csv",
    "out.png": lambda: "out.png", "[-1, 1]": lambda: [-1.0, 1.0], "falling": lambda: [3.0, 2.0, 1.0],
}  # fmt: skip


def _of_pandas() -> dict[str, Callable[[], Any]]:
    import pandas as pd  # noqa: PLC0415 - an extra

    return {
        "pd.NA": lambda: pd.NA, "pd.NaT": lambda: pd.NaT, "Series": lambda: pd.Series([1.0, 2.0]),
        "Series empty": lambda: pd.Series([], dtype=float), "Series NA": lambda: pd.Series([1, None], dtype="Int64"),
        "Series text": lambda: pd.Series(["BTC"]), "Series named": lambda: pd.Series([1.0], index=["BTC"]),
        "Series times": lambda: pd.Series(pd.to_datetime(["2020-01-01"])),
        "Timestamp": lambda: pd.Timestamp("2020-01-01"),
        "DataFrame": lambda: pd.DataFrame({"a": [1.0, 2.0]}), "DataFrame empty": lambda: pd.DataFrame(),
        "Index": lambda: pd.Index(["a", "b"]), "Timedelta": lambda: pd.Timedelta("1d"), "[pd.NA]": lambda: [pd.NA],
        "Categorical": lambda: pd.Categorical(["a", "b"]), "DataFrame twice": lambda: pd.DataFrame([[1, 2]],
        columns=["a", "a"]),
        "MultiIndex": lambda: pd.DataFrame([[1.0]], index=pd.MultiIndex.from_tuples([("a", "b")])),
    }  # fmt: skip


MAKERS = {**_MAKERS, **(_of_pandas() if find_spec("pandas") else {})}

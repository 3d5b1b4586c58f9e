"""Price files: bars and closes in several forms, changed at random in their cells, lines, columns, types and bytes."""

from __future__ import annotations

import gzip
import io
import math
import os
import random
import re
import socket
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from kernel.prices import read_prices
from tests.fuzz.harness import FaultError, Fuzzer
from tests.fuzz.options import text as any_text
from tests.price_files import CLOSES, DAYS, HIGHS, LOWS, OPENS

_ROWS = 40
_CELLS = [
    "", " ", "nan", "NaN", "inf", "-inf", "null", "-", "0", "-1", "1e308", "1e309", "-1e308", "1e-320", "1e-400",
    "1e15", "abc", "\0",
    "\x1b[31m", "\ud800", "é", "∞", "½", "²", "١٢", "1_000", "1,000.5", "1.000,5", "1,5", "$5", "5 €", "(5)", "5%",
    "5K", "9" * 400,
    "9" * 5_000, "0." + "0" * 400 + "1", "0" * 5_000, '"', '""', "'", '"a', "a\nb", ";", ",", "\t", "|", "true",
    "0x10", "a" * 10_000,
    "1970-01-01", "0001-01-01", "9999-12-31", "0000-00-00", "2020-02-30", "2020-13-01", "10000-01-01",
    "2020-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999-12-31T24:00", "2020-01-01T00:00:60", "20200101",
    "20201301",
    "1577836800", "1577836800000", "1577836800000000", "1577836800000000000", "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615", "99999999999999999999", "-1577836800", "1e9", "01/02/2020", "31.12.2020", "Jan 1, 2020",
    "1 Jan 2020",
    "1-Foo-2020", "2020-01-01 25:00", "now", "NaT", "today", "12:00", "99:99", "4 PM",
    "2020-01-01T00:00:00.123456789Z", "1/1/1",
    "2020-01-01T00:00:00+99:99", "2020-01-01 GMT+99", "2020-01-01 +9999", "2020-01-01 UTC+24:00", "Month 1, 2020",
]  # fmt: skip
_NAMES = ["", "Date", "Close", "close", "Adj Close", "time", "Time", "symbol", "Ticker", "Volume", "Price", "BTC",
"BTC:close",
          "Unnamed: 0", "Open", "a" * 5_000, "\0", "a\nb", "é", "日期", "1", "nan", "\x1b[31m", "hour",
          "index"]  # fmt: skip
_NUMBER = re.compile(r"\d[\d.,_\s'\u00a0\u2009\u202f\u2019]*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?")


class File(NamedTuple):
    """A file, or what stands in its place, and how it is read."""

    name: str
    content: bytes | str
    """Or the name of something that is no file."""
    settings: dict[str, Any]


def _table(chance: random.Random) -> list[list[str]]:
    """Return lines of cells."""
    kind, days, closes = chance.randrange(7), DAYS[:_ROWS], CLOSES[:_ROWS]
    dates = [f"{day:%Y-%m-%d}" for day in days]
    if kind == 1:
        dates = [str(int(day.replace(tzinfo=UTC).timestamp()) * 1000 ** chance.randrange(1)) for day in days]
    elif kind == 2:
        dates = [f"{day:%d/%m/%Y}" for day in days]
    elif kind == 3:
        dates = [f"{day:%b %d, %Y}" for day in days]
    elif kind == 4:
        dates = [f"{day:%Y%m%d}" for day in days]
    if chance.random() < 0.4:
        lines = [["Date", "Close"], *([day, f"{close:.2f}"] for day, close in zip(dates, closes, strict=True))]
    elif chance.random() < 0.5:
        rows = zip(dates, OPENS, HIGHS, LOWS, CLOSES, strict=False)
        lines = [
            ["Date", "Open", "High", "Low", "Close", "Volume"],
            *([one, *(f"{x:.2f}" for x in bar), "1000"] for one, *bar in rows),
        ]
    elif chance.random() < 0.5:
        lines = [
            ["time", "BTC", "ETH"],
            *([one, f"{a:.2f}", f"{2 * b:.2f}"] for one, a, b in zip(dates, closes, OPENS, strict=False)),
        ]
    else:
        each = [
            (day, name, close + k)
            for day, close in zip(dates, closes, strict=True)
            for k, name in enumerate(("A", "B"))
        ]
        lines = [["date", "symbol", "close"], *([day, name, f"{close:.2f}"] for day, name, close in each)]
    return lines[chance.random() < 0.05 :]


def _change_table(chance: random.Random, lines: list[list[str]]) -> None:
    kind = chance.randrange(12)
    line = chance.choice(lines)
    place = chance.randrange(len(line)) if line else 0
    if kind < 4 and line:
        line[place] = chance.choice(_CELLS) if chance.random() < 0.8 else any_text(chance)
    elif kind == 4:
        cell = chance.choice(_CELLS)
        for one in lines[1:]:
            if place < len(one):
                one[place] = cell
    elif kind == 5 and lines[0]:
        lines[0][min(place, len(lines[0]) - 1)] = chance.choice(_NAMES)
    elif kind == 6:
        lines.insert(chance.randrange(len(lines) + 1), [chance.choice(_CELLS) for _ in range(chance.randrange(6))])
    elif kind == 7:
        lines[chance.randrange(len(lines))] = [*line, chance.choice(_CELLS)]
    elif kind == 8 and line:
        del line[place]
    elif kind == 9:
        del lines[chance.randrange(len(lines)) :: chance.choice((1, 2, 3, 100))]
        if not lines:
            lines.append([])
    elif kind == 10:
        chance.shuffle(lines) if chance.random() < 0.3 else lines.extend(list(one) for one in lines[1:4])
    else:
        name, cell = chance.choice(_NAMES), chance.choice(_CELLS)
        for k, one in enumerate(lines):
            one.append(cell if k else name)


def _spoil(chance: random.Random, content: bytes) -> bytes:
    content = bytearray(content)
    for _ in range(chance.choice((1, 1, 4, 50))):
        if not content:
            break
        place = chance.randrange(len(content))
        kind = chance.randrange(4)
        if kind == 0:
            content[place] = chance.randrange(256)
        elif kind == 1:
            del content[place : place + chance.choice((1, 4, 100))]
        elif kind == 2:
            content[place:place] = bytes(chance.randrange(256) for _ in range(4))
        else:
            content[place:place] = content[chance.randrange(len(content)) :][:50]
    return bytes(content)


_COLUMNS: dict[str, Callable[[int], Any]] = {
    "doubles": lambda n: pa.array(CLOSES[:n]), "floats": lambda n: pa.array(CLOSES[:n], pa.float32()),
    "halves": lambda n: pa.array(np.array(CLOSES[:n], np.float16)), "whole": lambda n: pa.array(range(1, n + 1)),
    "unsigned": lambda n: pa.array([2**64 - 1 - k for k in range(n)], pa.uint64()), "nulls": pa.nulls,
    "decimal": lambda n: pa.array([Decimal(str(one)) for one in CLOSES[:n]]),
    "wide decimal": lambda n: pa.array([Decimal(10) ** 60 + k for k in range(n)], pa.decimal256(76, 0)),
    "texts": lambda n: pa.array([str(one) for one in CLOSES[:n]]), "names": lambda n: pa.array(["a", "b"] * n)[:n],
    "words": lambda n: pa.array(["a", "b"] * n)[:n].dictionary_encode(), "bytes": lambda n: pa.array([b"\xff\0"] * n),
    "truths": lambda n: pa.array([k % 2 == 0 for k in range(n)]), "lists": lambda n: pa.array([[1.0, 2.0]] * n),
    "records": lambda n: pa.array([{"a": 1.0}] * n), "maps": lambda n: pa.array([[("a", 1.0)]] * n,
    pa.map_(pa.string(), pa.float64())),
    "clock": lambda n: pa.array(range(n), pa.time32("s")), "fine clock": lambda n: pa.array(range(n),
    pa.time64("ns")),
    "spans": lambda n: pa.array(range(n), pa.duration("us")),
    "days": lambda n: pa.array([day.date() for day in DAYS[:n]]),
    "long days": lambda n: pa.array(range(n), pa.date64()) if n < 2 else pa.array([86_400_000 * k for k in range(n)],
    pa.date64()),
    "far seconds": lambda n: pa.array([10**15 + k for k in range(n)], pa.timestamp("s")),
    "early": lambda n: pa.array([-(2**62) + k for k in range(n)], pa.timestamp("us")),
    "stamps": lambda n: pa.array(DAYS[:n], pa.timestamp("ns")), "zoned": lambda n: pa.array(DAYS[:n],
    pa.timestamp("us", "Asia/Tokyo")),
    "no zone": lambda n: pa.array(DAYS[:n], pa.timestamp("us", "Nowhere/City")),
    "infinite": lambda n: pa.array([math.inf] * n),
    "not numbers": lambda n: pa.array([math.nan] * n),
    "some nulls": lambda n: pa.array([None if k % 9 == 5 else CLOSES[k] for k in range(n)]),
    "huge": lambda n: pa.array([1e308 * (k % 2) for k in range(n)]), "months": lambda n: pa.array([(1, 2, 3)] * n,
    pa.month_day_nano_interval()),
    "views": lambda n: pa.array(["a"] * n, pa.string_view()),
    "epochs": lambda n: pa.array([1577836800 + 86400 * k for k in range(n)]),
    "null times": lambda n: pa.array([None] * n, pa.timestamp("us")),
}  # fmt: skip


def _parquet(chance: random.Random) -> bytes:
    rows = chance.choice((0, 1, 2, 3, _ROWS, _ROWS, _ROWS))
    columns: list[tuple[str, Any]] = [
        ("Date", _COLUMNS[chance.choice(("stamps", "days", "zoned"))](rows)),
        ("Close", _COLUMNS["doubles"](rows)),
    ]
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        name, column = chance.choice(_NAMES[:-1]), _COLUMNS[chance.choice(list(_COLUMNS))](rows)
        kind = chance.randrange(3)
        if kind == 0:
            columns.append((name, column))
        else:
            k = chance.randrange(len(columns))
            columns[k] = (columns[k][0] if kind == 1 else name, column)
    table = pa.table([column for _, column in columns], names=[name for name, _ in columns])
    out = io.BytesIO()
    try:
        pyarrow.parquet.write_table(table, out)
    except pa.ArrowException:  # of types that Parquet does not have
        return b"PAR1"
    return out.getvalue()


def _bomb(chance: random.Random) -> bytes:
    """Return a packed file of much the same, up to four gigabytes of it."""
    size, line = chance.choice((2**20, 2**24, 2**28, 2**32)), chance.choice((b"\0", b"1,", b"\n", b"2020-01-01,1\n"))
    block = line * (2**20 // len(line))
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(b"Date,Close\n") + packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + again * (size // 2**20)  # the end is missing: nobody needs to get there


_NO_FILES = ("missing", "folder", "/dev/zero", "/dev/null", "/dev/random", "pipe", "socket", "loop", "dangling",
"linked zero",
             "forbidden", "sparse", "long name")  # fmt: skip


def _wide(chance: random.Random) -> bytes:
    columns = chance.choice((100, 1_000, 4_000, 30_000))
    rows = chance.choice((3, 5, 12))
    cell = chance.choice(("1.5", "1,5", "", "a", "1.234", "5%"))
    names = [chance.choice((f"A{k}", f"A{k}:close", "Close", f"Volume {k}", "")) for k in range(columns)]
    lines = [["Date", *names]] + [[f"2020-01-{k + 1:02d}", *([cell] * columns)] for k in range(rows)]
    return "\n".join(";".join(line) for line in lines).encode()


class Prices(Fuzzer):
    """Price files, and what stands where one should be."""

    name = "prices"

    def draw(self, chance: random.Random) -> File:
        settings: dict[str, Any] = {}
        if chance.random() < 0.2:
            settings = {
                chance.choice(("columns", "time", "first", "last", "max_gap")): chance.choice(
                    ("Close", "Date", any_text(chance))
                )
            }
        kind = chance.random()
        if kind < 0.01:
            return File(chance.choice(("a.csv", "a.csv.gz", "a.parquet")), chance.choice(_NO_FILES), settings)
        if kind < 0.015:
            return File("wide.csv", _wide(chance), settings)
        if kind < 0.017:
            return File("bomb.csv.gz", _bomb(chance), settings)
        if kind < 0.2:
            content = _parquet(chance)
            return File("a.parquet", _spoil(chance, content) if chance.random() < 0.4 else content, settings)
        lines = _table(chance)
        for _ in range(chance.choice((0, 1, 1, 2, 3, 6))):
            _change_table(chance, lines)
        delimiter, end = chance.choice((",", ",", ",", ";", "\t", "|")), chance.choice(("\n", "\n", "\n", "\r\n", "\r"))
        quote: Callable[[str], str] = (lambda cell: f'"{cell}"') if chance.random() < 0.1 else str
        text = end.join(delimiter.join(map(quote, line)) for line in lines) + end * chance.randrange(2)
        content = text.encode(
            chance.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1")), "replace"
        )
        if chance.random() < 0.2:
            content = _spoil(chance, content)
        name = chance.choice(
            ("a.csv", "a.csv", "a.csv", "a.csv.gz", "a.CSV", "a.parquet", "a.txt", "a\ud800.csv", "é b.csv")
        )
        if name.endswith(".gz"):
            content = gzip.compress(content, 1)
            content = _spoil(chance, content) if chance.random() < 0.4 else content
        return File(name, content, settings)

    def attempt(self, drawn: File) -> bool:
        path = self.folder / "files" / drawn.name
        path.parent.mkdir(exist_ok=True)
        if isinstance(drawn.content, bytes):
            with suppress(UnicodeEncodeError):  # no file can have such a name
                path.write_bytes(drawn.content)
        else:
            path = self._stand_in(path, drawn.content)
        try:
            history = read_prices(path, **drawn.settings)
        finally:
            if path.parent == self.folder / "files":
                with suppress(OSError, ValueError):
                    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        prices = history.prices
        if not (np.isfinite(prices).all() and (prices > 0).all()):
            raise FaultError("took prices that are none")
        if history.times is not None and not (np.diff(history.times) > np.timedelta64(0)).all():
            raise FaultError("took times that do not rise")
        if not (math.isfinite(history.dt) and history.dt > 0):
            raise FaultError(f"took a step of {history.dt}")
        if drawn.name.lower().endswith(".csv") and isinstance(drawn.content, bytes):
            self._check_stated(drawn.content, prices)
        return True

    def _stand_in(self, path: Path, what: str) -> Path:
        if what.startswith("/dev"):
            return Path(what)
        if what == "folder":
            path.mkdir()
        elif what == "pipe":
            os.mkfifo(path)
        elif what == "socket":
            with socket.socket(socket.AF_UNIX) as one, suppress(OSError):
                one.bind(str(path))
        elif what in {"loop", "dangling", "linked zero"}:
            path.symlink_to({"loop": path, "dangling": path.with_name("none"), "linked zero": Path("/dev/zero")}[what])
        elif what == "forbidden":
            path.write_text("Date,Close\n", encoding="utf-8")
            path.chmod(0)
        elif what == "sparse":
            with path.open("wb") as file:
                file.truncate(2**36)
        elif what == "long name":
            return path.with_name("a" * 5_000 + ".csv")
        return path

    def _check_stated(self, content: bytes, prices: Any) -> None:
        """Check that every price stands in the file, whatever its decimals and thousands.

        Raises:
            FaultError: for a price that does not.
        """
        read = {"utf-16", "utf-8", "latin-1"}
        stated: set[float] = set()
        for encoding in read:
            lines = content.decode(encoding, "replace").splitlines()
            for found in {number for line in lines for number in _NUMBER.findall(line)}:
                for decimal, thousands in ((".", ","), (",", ".")):
                    digits = re.sub(rf"[\s'\u00a0\u2009\u202f\u2019{thousands}]", "", found).replace(decimal, ".")
                    with suppress(ValueError):
                        stated.add(float(digits.rstrip(".")))
                stated |= {float(one) for one in re.findall(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", found)}
        missing = {float(one) for one in prices.ravel()} - stated
        if missing:
            raise FaultError(f"took {sorted(missing)[:3]}, which the file does not have")

    def show(self, drawn: File) -> str:
        return f"{drawn.name} {drawn.settings}: {drawn.content!r}"

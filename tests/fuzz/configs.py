"""Config files: the examples and a market of each kind, changed at random in their values, keys, nesting and bytes."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

from tests.cases import BATES, FILTERED, GBM, HESTON, KOU, MERTON
from tests.fuzz.command import cap_work, check_run, check_stated, margin
from tests.fuzz.harness import Fuzzer

_CLOSES = [100.0, 101.5, 99.2, 103.1, 98.7, 104.2, 105.0, 101.1, 99.9, 102.3, 107.5, 103.3]
_MOST = 8  # changes of a document


class Raw(str):
    """A value as it is written, in TOML or JSON."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """An object whose keys may stand there twice."""


ODD = [
    *(0, 1, -1, 2, 3, 0.5, -0.0, 1e-300, 1e300, -1e300, 5e-324, 1e12, 1e-12, 1e15, 2**31, 2**53 + 1, 2**63, 2**64,
    -(2**63) - 1),
    *(True, False, "", " ", "abc", "BTC", "spot", "5d", "5", "1e999d", "nan", "inf", "99%", "%", "zero", "fitted"),
    *("\0", "a\nb", "\x1b[31m", "\u202e", "é", "日本", "🙂", "\u0661", "a" * 5_000, "1_000", "0x10", "../x",
    "/dev/zero"),
    *([], {}, [[]], [{}], [1], [1, 2], [1.0, "a"], ["BTC"], ["BTC", "ETH"], ["BTC", "BTC"], [""], [[1]], [[1, 0], [0,
    1]]),
    *([[1, 2], [3]], {"a": 1}, {"BTC": 1}, {"BTC": {}}, {"": 1}, {"a": {"b": {"c": 1}}}, [True], [[True]], [1.0] * 3),
    Raw("nan"), Raw("-inf"), Raw("inf"), Raw("1e400"), Raw("-1e400"), Raw("1e-400"), Raw("9" * 5_000), Raw("9" * 400),
    Raw("0x7fffffffffffffffff"), Raw("1_0"), Raw("1979-05-27"), Raw("1979-05-27T07:32:00Z"),
    Raw("0001-01-01T00:00:00+14:00"),
    Raw("9999-12-31T23:59:59-12:00"), Raw("07:32:00"), Raw("NaN"), Raw("Infinity"), Raw("null"), Raw(r'"\ud800"'),
    Raw(r'"\u0000"'), Raw(r'"\U0010ffff"'), Raw("'''a\nb'''"), Raw("[" * 300 + "]" * 300), Raw("[" * 50_000),
    Raw('{"a":' * 300 + "1" + "}" * 300), Raw("[" * 2_000 + "]" * 2_000), Raw("{a = " * 120 + "1" + "}" * 120),
    Raw("+1"),
    Raw("01"), Raw("1."), Raw(".5"), Raw("--1"), Raw("1e"), Raw(""), Raw("["), Raw("}"), Raw('"'), Raw("#"),
]  # fmt: skip
_NUDGES: list[Callable[[float], float]] = [
    lambda x: -x, lambda x: 1.1 * x, lambda x: 0.5 * x, lambda x: x + 1, lambda x: 10 * x, lambda x: 1e3 * x,
    lambda x: 1e-3 * x,
    lambda x: 1e6 * x, lambda x: 1e-6 * x, float, round, lambda x: x / 3, lambda x: x + 1e-9,
]  # fmt: skip
_WORDS = ["discrete", "continuous", "single", "double", "1d", "2d", "12h", "1y", "equity_fraction", "margin_ratio",
"linear", "BTC",
          "ETH", "fitted", "zero", "gbm", "spot", "btc.csv", "Close", "2020-01-03"]  # fmt: skip
KEYS = [
    "volatilty", "a", "", " ", "market", "model", "history", "file", "spot", "assets", "drift", "correlation",
    "paths",
    "a.b", "[0]", "\0", "é", "\u202e", "a" * 3_000, "column", "residuals", "jump_intensity", "positions", "tiers",
    "type",
    "__class__", "threads", "worst", "levels", "first", "last", "max_gap", "time", "asset", "notional", "entry_price",
]  # fmt: skip


class Config(NamedTuple):
    """A file, and how it is read."""

    name: str
    content: bytes


def documents() -> list[dict[str, Any]]:
    """Return a valid document of each kind."""
    account = {"cash": -54_000.0, "maintenance_rate": 0.005, "positions": [{"asset": "BTC", "quantity": 1.0}]}
    rest: dict[str, Any] = {
        "account": account,
        "ladder": {"metric": "margin_ratio", "tiers": {"call": 2.0, "liquidation": 1.0}},
        "simulation": {"horizon": "5d", "steps": 2, "paths": 200, "seed": 0, "monitoring": "continuous",
        "precision": "single"},
        "measures": {"levels": [0.95]},
    }  # fmt: skip
    found: list[dict[str, Any]] = []
    for market in (GBM, MERTON, KOU, HESTON, BATES):
        stated = {name: value for name, value in market.parameters().items() if value is not None}
        found.append({"market": stated, **deepcopy(rest)})
    filtered = {name: value for name, value in FILTERED.parameters().items() if value is not None}
    filtered |= {"residuals": [[(-1) ** k * 0.7] for k in range(12)], "dt": 1 / 365}
    found.append({"market": filtered, **deepcopy(rest), "simulation": {**rest["simulation"], "horizon": "2d"}})
    pair = {"model": "gbm", "assets": ["BTC", "ETH"], "spot": [6e4, 3e3], "drift": [0.1, 0.0], "volatility": 0.6,
            "correlation": [[1.0, 0.5], [0.5, 1.0]]}  # fmt: skip
    both = deepcopy(account)
    both["positions"].append({"asset": "ETH", "notional": -1e3, "entry_price": "spot", "type": "linear"})
    both["maintenance_rate"] = {"BTC": 0.005, "ETH": 0.01}
    found.append({"market": pair, **deepcopy(rest), "account": both})
    history = {"model": "gbm", "history": "btc.csv", "asset": "BTC", "column": "Close", "time": "Date",
    "first": "2020-01-02",
               "last": "2020-02-01", "max_gap": "3d", "drift": "zero", "spot": 100.0}  # fmt: skip
    small = {"cash": -50.0, "maintenance_rate": 0.1, "positions": [{"asset": "BTC", "quantity": 1.0}]}
    found.append({"market": history, **deepcopy(rest), "account": small})
    found.append({"market": {"file": "fitted.toml", "drift": "fitted"}, **deepcopy(rest), "account": small})
    return found


def write_companions(folder: Path) -> None:
    """Write the files that the documents name."""
    rows = [f"2020-01-{k + 1:02d},{close}" for k, close in enumerate(_CLOSES)]
    (folder / "btc.csv").write_text("\n".join(["Date,Close", *rows, ""]), encoding="utf-8")
    (folder / "fitted.toml").write_text(
        '[market]\nmodel = "gbm"\nassets = ["BTC"]\nspot = [100.0]\ndrift = [0.0]\nvolatility = [0.6]\n\n'
        "[fit]\ndrift = [0.3]\n\n[fit.standard_errors]\ndrift = [0.9]\n",
        encoding="utf-8",
    )


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value, also of those that hold others."""
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in pairs:
        yield from leaves(one, (*path, key))


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


def change(chance: random.Random, document: dict[str, Any]) -> None:
    """Change one thing of a document."""
    paths = list(leaves(document))
    if not paths:
        return
    *above, key = chance.choice(paths)
    place = _at(document, tuple(above))
    kind = chance.randrange(14)
    if kind >= 10:
        if isinstance(place[key], float | int) and not isinstance(place[key], bool):
            place[key] = chance.choice(_NUDGES)(place[key])
        elif isinstance(place[key], str):
            place[key] = chance.choice(_WORDS)
    elif kind < 5:
        place[key] = deepcopy(chance.choice(ODD))
    elif kind == 5:
        del place[key]
    elif kind == 6 and isinstance(place, dict):
        place[chance.choice(KEYS)] = deepcopy(chance.choice(ODD) if chance.random() < 0.5 else place[key])
    elif kind == 7 and isinstance(place, dict):
        place[chance.choice(KEYS)] = place.pop(key)
    elif kind == 8:
        place[key] = [place[key]] if chance.random() < 0.5 else {"a": place[key]}
    else:
        other = deepcopy(_at(document, chance.choice(paths)))
        place[key] = other


def to_toml(document: Any) -> str:
    """Write a document, odd values as they are."""
    lines: list[str] = []
    for name, section in document.items() if isinstance(document, dict) else ():
        if isinstance(section, dict) and section:
            lines.append(f"[{_key(name)}]")
            lines += [f"{_key(key)} = {_toml(value)}" for key, value in section.items()]
        else:
            lines.insert(0, f"{_key(name)} = {_toml(section)}")
    return "\n".join([*lines, ""])


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "").isalnum() else json.dumps(name, ensure_ascii=False)


def _toml(value: Any) -> str:
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_key(key)} = {_toml(one)}' for key, one in value.items())}}}"
    return json.dumps(value)


def to_json(value: Any) -> str:
    """Write a document, odd values as they are."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(to_json, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)}: {to_json(one)}' for key, one in value.items())}}}"
    return json.dumps(value)


def _spoil(chance: random.Random, content: bytes) -> bytes:
    """Change the bytes of a file."""
    place = chance.randrange(len(content) + 1)
    kind = chance.randrange(8)
    lines = content.split(b"\n")
    if kind == 0:
        return content[:place]
    if kind == 1:
        return content[:place] + bytes(chance.randrange(256) for _ in range(chance.randrange(1, 9))) + content[place:]
    if kind == 2:
        k = chance.randrange(len(lines))
        return b"\n".join([*lines[:k], lines[k], *lines[k:]])
    if kind == 3:
        chance.shuffle(lines)
        return b"\n".join(lines)
    if kind == 4:
        return chance.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"\n" * 1000, b"\r")) + content
    if kind == 5:
        return content.decode("utf-8", "replace").encode("utf-16")
    if kind == 6:
        return chance.choice(
            (b"", b" ", b"[]", b"null", b"1", b"{}", b'"a"', b"[a]\n[a]", b"a.b=1\n[a]\n", b"[" * 100_000)
        )
    return content.replace(b"\n", b"\r\n", chance.randrange(1, 4))


class Configs(Fuzzer):
    """Config files, read, checked and run."""

    name = "configs"

    def __init__(self, folder: Path, *, quick: bool = False) -> None:
        super().__init__(folder, quick=quick)
        cap_work()
        write_companions(folder)
        self.documents = documents()[:1] if quick else documents()
        for k, document in enumerate(self.documents):
            for precision in ("single", "double"):
                document["simulation"]["precision"] = precision
                path = folder / f"base{k}.json"
                path.write_text(to_json(document), encoding="utf-8")
                if margin(["run", str(path), "--quiet"]).code:
                    raise AssertionError(f"{path} is to be valid")
            document["simulation"]["precision"] = "single"

    def draw(self, chance: random.Random) -> Config:
        document = deepcopy(chance.choice(self.documents))
        for _ in range(min(chance.choice((1, 1, 1, 2, 2, 3, _MOST)), _MOST)):
            change(chance, document)
        name = chance.choice(("config.toml", "config.json"))
        write: Callable[[Any], str] = to_toml if name.endswith("toml") else to_json
        content = write(document).encode("utf-8", "surrogatepass")
        if chance.random() < 0.15:
            content = _spoil(chance, content)
        if chance.random() < 0.01:
            name = chance.choice(("config", "config.yaml", "config.toml.json", "CONFIG.TOML", "config.", "folder"))
        return Config(name, content)

    def attempt(self, drawn: Config) -> bool:
        path = self.folder / drawn.name
        if drawn.name == "folder":
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(drawn.content)
        ended = margin(["run", str(path), "--quiet", "--format", "json"])
        if not ended.succeeded or not ended.out:
            return ended.succeeded
        found = ended.json()
        check_run(found)
        text = drawn.content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        read: Callable[[str], Any] = tomllib.loads if drawn.name.lower().endswith("toml") else json.loads
        check_stated(read(text), found["provenance"]["inputs"])
        return True

    def show(self, drawn: Config) -> str:
        return f"{drawn.name}: {drawn.content!r}"

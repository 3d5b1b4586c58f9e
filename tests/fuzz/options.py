"""Texts of the command's options: of their grammars, and any."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from tests.fuzz.command import Ended, cap_work, check_run, margin
from tests.fuzz.configs import documents, to_json, write_companions
from tests.fuzz.harness import FaultError, Fuzzer

_NUMBERS = """
0 1 -1 2 3 0.5 .5 5. 1e3 1e-3 1E2 1e999 -1e999 1e-999 nan inf -inf NaN 1_000 _1 1__0 0x10 0b1 1,5
1.5.5 +1 --1 1e 1d 5d 12h 90m 1w 1y 1.5d 1e2d 1e400d 1e-400d 0d -1d 5D 5days d 1d1d ∞ ½ ² １ ٣ ١٢ 99%
0% 100% 1% % %% 1%% 0.1%1 1e999% nan% 1e-999% true null None 0.99 0.999999999 1.0 0.01 200 1e2 5rows
3 1_0d 18446744073709551615 18446744073709551616 9007199254740993
""".split()
_TEXTS = [
    "", " ", "\t", "a", "abc", "\n", "a\nb", "\x1b[31m", "\0", "\ud800", "\udcff", "é", "🙂", "\u202e", "\u00a0", "=",
    "==", "=1",
    "a=", ",", ".", "[", "]", "[0]", "{", "}", '"', "'", "\\", "#", "$HOME", "~", "*", "-", "--", "-h", "9" * 400,
    "9" * 5_000,
    "9" * 5_000 + "d", "9" * 5_000 + "%", "a" * 5_000, "(" * 500, "[" * 3_000, "a." * 3_000 + "b", "1e" + "9" * 30,
    "1 " * 2_000,
    "0." + "0" * 5_000 + "1", "0" * 5_000 + "1", "e" * 30_000, "1" + "_0" * 3_000 + "d", "0001-01-01", "9999-12-31",
    "2020-01-05",
    "9999-12-31T23:59:59.999999-12:00", "0001-01-01T00:00+14:00", "2020-02-30", "2020-W01-1", "20200105",
    "2020-01-05T00:00Z",
    "5 rows", "0 rows", "9999999999999999999999 rows", "1 row", "spot", "zero", "fitted", "single", "double",
    "continuous",
    "discrete", "auto", "gbm", "merton", "kou", "filtered_historical", "heston", "GBM", "average", "ewma", "garch",
    "bars",
    "closes", "call", "liquidation", "BTC", "Close", "Date", "BTC=Close", "=Close", "BTC=", "BTC=Close=Close",
]  # fmt: skip
_KEYS = [
    "simulation.steps", "simulation.horizon", "simulation.seed", "simulation.monitoring", "market.spot",
    "market.volatility",
    "market.drift", "market.assets", "market.assets[0]", "market", "market.file", "market.history", "market.model",
    "account.cash",
    "account.positions[0].quantity", "account.positions[0]", "account.positions[1].quantity",
    "account.positions[-1].quantity",
    "account.positions", "account.positions[0].asset", "account.positions[99999999999999999999]",
    "account.maintenance_rate",
    "ladder.tiers.call", "ladder.tiers", "ladder.metric", 'ladder.tiers."a b"', "measures.levels", "measures", "a",
    "a.b.c", "a[0]",
    "market..spot", ".market", "market.", "simulation", "market.residuals", "simulation.paths", "\ud800", "a\nb.c",
    "é.é",
]  # fmt: skip
_MEASURES = [
    "breach_probability",
    "value_at_risk",
    "expected_shortfall",
    "breach_time_quantile",
    "var",
    "breach_probabilty",
    "",
]
_ARGUMENTS = ["call", "liquidation", "tier=call", "by=1d", "by = 5d", "by=6d", "0.99", "level=0.95", "level=99%",
"probability=0.5",
              "'call'", '"call"', "", "a=b=c", "by=0", "by=nan", "0.5", "by=1", "()", "tier", "x"]  # fmt: skip
_COMPARISONS = [">", "<", ">=", "<=", "=", "==", "=>", "!=", "", "> >"]
_LIMIT = re.compile(r"value_at_risk\((0\.9[05]?)\)(>=|<=|>|<)(-?\d+(?:\.\d+)?)")


def text(chance: random.Random) -> str:
    """Return a text: a number, a word, or some of both."""
    kind = chance.randrange(6)
    if kind < 2:
        return chance.choice(_NUMBERS)
    if kind < 4:
        return chance.choice(_TEXTS)
    if kind == 4:
        return "".join(chance.choice(_NUMBERS + _TEXTS[:40]) for _ in range(chance.randrange(1, 5)))
    return "".join(
        chr(chance.choice((chance.randrange(32, 127), chance.randrange(0x3000))))
        for _ in range(chance.randrange(1, 12))
    )


def limit(chance: random.Random) -> str:
    """Return a limit, likely one that reads well."""
    if chance.random() < 0.3:
        level, comparison = chance.choice(("0.9", "0.95")), chance.choice(_COMPARISONS[:4])
        return f"value_at_risk({level}){comparison}{chance.randrange(-6000, 6000)}"
    inside = ",".join(chance.choice(_ARGUMENTS) for _ in range(chance.randrange(4)))
    bound = chance.choice(_NUMBERS) if chance.random() < 0.8 else text(chance)
    blank = chance.choice(("", " ", "\t"))
    return f"{chance.choice(_MEASURES)}{blank}({inside}){blank}{chance.choice(_COMPARISONS)}{blank}{bound}"


def setting(chance: random.Random) -> str:
    """Return KEY=VALUE."""
    key = chance.choice(_KEYS) if chance.random() < 0.9 else text(chance)
    value = chance.choice(_NUMBERS) if chance.random() < 0.5 else text(chance)
    if chance.random() < 0.2:
        value = chance.choice((f"[{value}]", f"{{a = {value}}}", f'"{value}"', f"[[{value}]]"))
    return f"{key}{chance.choice(('=', '=', '=', ' = ', '', '=='))}{value}"


Draw = Callable[[random.Random], str]
_ANY: dict[str, Draw] = {"--paths": text, "--seed": text, "--threads": text, "--precision": text,
"--monitoring": text,
                         "--drift": text, "--set": setting}  # fmt: skip
_READING: dict[str, Draw] = {"--market": text, "--column": text, "--time": text, "--first": text, "--last": text,
                             "--max-gap": text, "--volatility": text, "--drift": text}  # fmt: skip
_OUT: Draw = lambda chance: chance.choice(  # noqa: E731 - a draw as the others
    ("out.json", "out.csv", "out.parquet", "out.toml", "out", "", ".", "..", "no/out.json", "a" * 300 + ".json",
    "a\0.json",
     "\ud800.json", "/dev/null", "/dev/full", "folder", "config.json", "btc.csv", "a\nb.json", "out.CSV", "out.svg")
)  # fmt: skip
_COMMANDS: dict[str, tuple[Sequence[str], dict[str, Draw]]] = {
    "run": (["config.json"], {**_ANY, "--fail-if": limit, "--output": _OUT, "--market": text, "--format": text}),
    "threshold": (["config.json"], {**_ANY, "--probability": text, "--by": text, "--output": _OUT}),
    "validate": (["config.json"], {"--set": setting, "--market": text}),
    "fit": (["btc.csv"], {**_READING, "--output": _OUT, "--format": text}),
    "backtest": (
        ["btc.csv"],
        {**_READING, "--window": text, "--horizon": text, "--refit": text, "--level": text, "--breaches": text,
        "--paths": text,
         "--seed": text, "--threads": text, "--config": _OUT, "--output": _OUT},
    ),
    "init": ([], {"--force": text}),
    "info": ([], {"--format": text}),
}  # fmt: skip
_WEIGHTS = {"run": 40, "threshold": 20, "validate": 10, "fit": 12, "backtest": 12, "init": 3, "info": 1}


class Options(Fuzzer):
    """Arguments of the command, in this process."""

    name = "options"

    def __init__(self, folder: Path, *, quick: bool = False) -> None:
        super().__init__(folder, quick=quick)
        cap_work()
        write_companions(folder)
        (folder / "folder").mkdir(exist_ok=True)
        self.config = to_json(documents()[0])
        self.prices = (folder / "btc.csv").read_text(encoding="utf-8")
        self._restore()
        for arguments in (
            ["run", "config.json"],
            ["threshold", "config.json", "--probability", "1%"],
            ["fit", "btc.csv", "--market", "gbm"],
        ):
            if margin(self._within(arguments)).code:
                raise AssertionError(f"{arguments} are to be valid")

    def _within(self, arguments: Sequence[str]) -> list[str]:
        known = ("config.json", "btc.csv")
        return [
            str(self.folder / one) if one in known or one.startswith("out") or one == "folder" else one
            for one in arguments
        ]

    def _restore(self) -> None:
        (self.folder / "config.json").write_text(self.config, encoding="utf-8")
        (self.folder / "btc.csv").write_text(self.prices, encoding="utf-8")

    def draw(self, chance: random.Random) -> list[str]:
        command = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        given, options = _COMMANDS[command]
        arguments = [command, *given]
        if command in {"fit", "backtest"}:
            arguments += ["--market", "gbm"] if chance.random() < 0.9 else []
        if command == "threshold":
            arguments += ["--probability", "5%"] if chance.random() < 0.7 else []
        if command == "backtest":
            arguments += ["--paths", "200", "--window", "4"]
        if command == "init":
            arguments.append(chance.choice((_OUT(chance), text(chance))))
        for name in chance.choices(list(options), k=chance.choice((0, 1, 1, 1, 2, 3))):
            arguments += [name, options[name](chance)] if chance.random() < 0.9 else [f"{name}={options[name](chance)}"]
        if chance.random() < 0.02:
            arguments.insert(chance.randrange(len(arguments) + 1), text(chance))
        if command == "run" and "--format" not in arguments:
            arguments += ["--format", "json"]
        return self._within(arguments)

    def attempt(self, drawn: list[str]) -> bool:
        ended = margin(drawn)
        if drawn[:1] == ["run"] and ended.succeeded and ended.out.startswith("{"):
            found = ended.json()
            check_run(found)
            self._check_limits(drawn, ended, found)
        if not ended.succeeded or any("config.json" in one or "btc.csv" in one for one in drawn[2:]):
            self._restore()
        return ended.succeeded

    def _check_limits(self, drawn: list[str], ended: Ended, found: dict) -> None:  # type: ignore[type-arg]
        """Compare the exit code to the limits, where there is but one and it is plain."""
        texts = [after for before, after in pairwise(drawn) if before == "--fail-if"]
        texts += [one.partition("=")[2] for one in drawn if one.startswith("--fail-if=")]
        if not texts and ended.code:
            raise FaultError("a limit was violated, and none was stated")
        match = _LIMIT.fullmatch(texts[0]) if len(texts) == 1 else None
        value = (
            {f"{one['level']:g}": one["value_at_risk"]["value"] for one in found["losses"]}.get(match[1])
            if match
            else None
        )
        if match is None or value is None:
            return
        bound = float(match[3])
        holds = {">": value > bound, "<": value < bound, ">=": value >= bound, "<=": value <= bound}[match[2]]
        if holds != bool(ended.code):
            raise FaultError(f"{texts[0]} ended with {ended.code}, and the value is {value}")

    def show(self, drawn: list[str]) -> str:
        return repr(drawn)

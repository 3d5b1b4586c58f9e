"""What is too large, too deep, of another kind or no file at all is refused in a line that names the limit."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
import zlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from click.testing import CliRunner

import kernel
from kernel import checks
from kernel.checks.text import brief, share
from kernel.commands.main import main
from kernel.config.documents import MOST_DEPTH, read_document
from kernel.errors import InvalidInput, Problem, Problems, one_line
from kernel.files import MOST_BYTES
from kernel.prices.times import moment
from kernel.tables.sheet import MOST_COLUMNS
from tests.cases import GBM, HORIZON, LADDER, LONG


class Sulking:
    """Refuse to be compared, counted, converted and written."""

    def _raise(self, *_: object) -> Any:
        raise RuntimeError("not today")

    __eq__ = __len__ = __array__ = __float__ = __repr__ = __bool__ = __iter__ = _raise  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


def refusal(call: Callable[..., Any], *arguments: Any, **settings: Any) -> str:
    """Return the lines of a refusal."""
    with pytest.raises(InvalidInput) as refused:
        call(*arguments, **settings)
    lines = [str(problem) for problem in refused.value.problems]
    assert all(line.isprintable() and len(line) < 1_300 for line in lines)
    return "\n".join(lines)


ODD = [Sulking(), np.array(["single", "double"]), np.array([1.0, 2.0]), [[1.0], [2.0, 3.0]], 10**5000, b"a", {}, 1j]


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("argument", ["monitoring", "precision", "record", "sampling", "importance", "seed", "levels"])
def test_settings_of_another_kind(argument: str, value: Any) -> None:
    """Arrays, objects that refuse to be compared and numbers of 5,000 digits are named by their argument."""
    settings: dict[str, Any] = {"horizon": HORIZON, "steps": 1, "paths": 10}
    assert argument in refusal(kernel.simulate, GBM, LONG, LADDER, **{**settings, argument: value})


def test_missing_values_are_not_compared() -> None:
    """A missing value of pandas, which answers no comparison, is refused as any other."""
    pd = pytest.importorskip("pandas")
    outcome = kernel.simulate(GBM, LONG, LADDER, horizon=HORIZON, steps=1, paths=100)
    assert "tier: must be one of" in refusal(kernel.breach_probability, outcome, pd.NA)
    assert "metric: must be" in refusal(kernel.Ladder, {"call": 1.0}, metric=pd.NA)
    assert "precision: must be" in refusal(
        kernel.simulate, GBM, LONG, LADDER, horizon=HORIZON, steps=1, paths=1, precision=pd.Series(["single"])
    )


def test_what_is_written_of_a_value() -> None:
    """A value is written on one short line, whatever it says of itself."""
    assert brief("a\nb") == r"'a\nb'"
    assert brief(np.ones((50, 2))).startswith("array([[1., 1.], [1., 1.]")
    assert len(brief("a" * 10**6)) < 100
    assert brief(Sulking()) == "something of type Sulking"
    assert brief(10**5000) == "something of type int"
    assert one_line("a\r\n\u202eb\0\ud800", 100) == r"a \u202eb\x00\ud800"


def test_durations_that_are_none() -> None:
    """A time below 0, or none, is written in a message too."""
    outcome = kernel.simulate(GBM, LONG, LADDER, horizon=HORIZON, steps=1, paths=1_000, worst=True)
    assert "not -365 d" in refusal(kernel.threshold, outcome, 0.1, by=-1)
    assert "by: must be finite" in refusal(kernel.threshold, outcome, 0.1, by=np.nan)


def test_problems_are_lines() -> None:
    """A problem with a file's name or an endless key in it stays one line; a thousand of them say so."""
    invalid = InvalidInput([Problem("a\nb", "is\x1b[31m red"), Problem("k" * 10**5, "m" * 10**5)])
    assert str(invalid.problems[0]) == r"a b: is\x1b[31m red"
    assert len(str(invalid)) < 1_300
    many = InvalidInput([Problem("a", "is wrong")] * 1_000)
    assert len(many.problems) == 101
    assert str(many.problems[-1]) == "and 900 more like these"


@pytest.mark.parametrize("text", ["", "%", " % ", "1e9999999999999999999%", "sNaN%", "--1%", "1%%", "e%"])
def test_shares_that_are_none(text: str) -> None:
    """A percent sign alone, and a number that no decimal holds, are no shares."""
    with pytest.raises(ValueError, match="must be a share such as 99%"):
        share(text)


def test_dates_at_the_ends_of_time() -> None:
    """A moment that is outside of time in UTC is none, and so refused."""
    for text in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"):
        assert np.isnat(moment(text))
    table = pa.table({"date": ["2020-01-01", "2020-01-02", "2020-01-03"], "close": [1.0, 2.0, 3.0]})
    assert "last: must be an ISO date" in refusal(kernel.read_prices, table, last="9999-12-31T23:59:59-12:00")


@pytest.mark.parametrize("stamp", ["9999-12-31T23:59:59-12:00", "2020-01-05 +99:99", "2020-01-05 GMT+2460"])
def test_times_that_are_none(stamp: str, tmp_path: Path) -> None:
    """A time that is out of all time in UTC, or of a zone that is none, is refused by its line."""
    lines = [f"2020-01-{k:02d},{k}" for k in range(1, 10)]
    (tmp_path / "a.csv").write_text("\n".join(["Date,Close", *lines, f"{stamp},10"]), encoding="utf-8")
    assert "line 11" in refusal(kernel.read_prices, tmp_path / "a.csv")


def _zeros(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(2**20)
    return b"".join(packer.compress(block) for _ in range(size // 2**20)) + packer.flush()


def test_gzip_that_unpacks_to_much(tmp_path: Path) -> None:
    """A small file that unpacks to gigabytes is refused while it is read, in little memory."""
    (tmp_path / "a.csv.gz").write_bytes(_zeros(2**28))
    tracemalloc.start()
    message = refusal(kernel.read_prices, tmp_path / "a.csv.gz")
    assert tracemalloc.get_traced_memory()[1] < 2**27
    tracemalloc.stop()
    assert "unpack to more than" in message


def test_prices_that_pack_well(tmp_path: Path) -> None:
    """A file of prices that packs to a fiftieth is read."""
    rows = [f"2020-{1 + k // 28:02d}-{1 + k % 28:02d},{100 + k % 2}" for k in range(300)]
    content = gzip.compress("\n".join(["Date,Close", *rows]).encode())
    (tmp_path / "a.csv.gz").write_bytes(content)
    assert len(kernel.read_prices(tmp_path / "a.csv.gz").prices) == 300


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_what_is_no_file(suffix: str, tmp_path: Path) -> None:
    """A device, a pipe and a folder are refused at once, and a file that is too large before it is read."""
    path = tmp_path / f"a{suffix}"
    path.symlink_to("/dev/zero")
    assert "is a device, a pipe or a socket, not a file" in refusal(kernel.read_prices, path)
    path.unlink()
    os.mkfifo(path)
    assert "is a device, a pipe or a socket, not a file" in refusal(kernel.read_prices, path)
    path.unlink()
    path.mkdir()
    assert "cannot be read: it is a folder" in refusal(kernel.read_prices, path)
    path.rmdir()
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert "has more than 512 MiB" in refusal(kernel.read_prices, path)


def test_configs_that_are_no_files(tmp_path: Path) -> None:
    """Nor is a pipe a config file, and the command ends with exit code 2 rather than to wait for it."""
    os.mkfifo(tmp_path / "a.toml")
    result = CliRunner().invoke(main, ["run", str(tmp_path / "a.toml")])
    assert result.exit_code == 2
    assert "not a file" in result.stderr


def test_parquet_of_many_cells(tmp_path: Path) -> None:
    """A Parquet file of few bytes and a hundred million equal cells is refused before it is unpacked."""
    column = pa.DictionaryArray.from_arrays(np.zeros(2 * 10**6, np.int32), ["a"])
    pyarrow.parquet.write_table(pa.table({f"c{k}": column for k in range(51)}), tmp_path / "a.parquet")
    assert "at most 100,000,000 cells" in refusal(kernel.read_prices, tmp_path / "a.parquet")


def test_columns(tmp_path: Path) -> None:
    """A file has at most 10,000 columns and a thousand assets, whose names say which."""
    days = [f"2020-01-{k:02d}" for k in range(1, 6)]

    def write(count: int) -> Path:
        lines = [["date", *(f"A{k}" for k in range(count))], *([day, *["1.5"] * count] for day in days)]
        path = tmp_path / "a.csv"
        path.write_text("\n".join(map(",".join, lines)), encoding="utf-8")
        return path

    assert "at most 10,000 columns, not 10,001" in refusal(kernel.read_prices, write(MOST_COLUMNS))
    assert "columns: a.csv has 2,000 assets: name at most 1,000" in refusal(kernel.read_prices, write(2_000))


@pytest.mark.parametrize("cell", ["1,5", "1.234", "$5"])
def test_work_grows_with_the_columns(cell: str, tmp_path: Path) -> None:
    """Four times the columns are four times the calls, not sixteen: in whatever style their numbers are."""
    import cProfile  # noqa: PLC0415 - of this test alone
    import pstats  # noqa: PLC0415 - as above

    def calls(count: int) -> int:
        names = ["Date", "Close", *(f"Volume {k}" for k in range(count))]
        lines = [names, *([f"2020-01-{k:02d}", *[cell] * (count + 1)] for k in range(1, 9))]
        (tmp_path / "a.csv").write_text("\n".join(map(";".join, lines)), encoding="utf-8")
        profile = cProfile.Profile()
        profile.enable()
        refusal(kernel.read_prices, tmp_path / "a.csv")
        profile.disable()
        return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]

    assert calls(800) < 5 * calls(200)


def test_assets_positions_tiers_and_levels() -> None:
    """Each has a limit, and the message says it."""
    names = [f"A{k}" for k in range(20_000)]
    assert "assets: must be at most 1,000, not 20,000" in refusal(kernel.Gbm, assets=names, spot=1.0, volatility=0.5)
    assert "assets: must be at most 1,000" in refusal(kernel.Gbm, assets=range(10**18), spot=1.0, volatility=0.5)
    tiers = {name: -float(k) for k, name in enumerate(names)}
    assert "tiers: must be at most 1,000, not 20,000" in refusal(kernel.Ladder, tiers)
    many = [kernel.Linear("BTC", 1.0)] * 100_001
    assert "positions: must be at most 100,000" in refusal(
        kernel.Account, cash=1.0, positions=many, maintenance_rate=0.1
    )
    settings: dict[str, Any] = {"horizon": HORIZON, "steps": 1, "paths": 10}
    assert "levels: must be at most 1,000" in refusal(
        kernel.simulate, GBM, LONG, LADDER, **settings, levels=np.linspace(0.5, 0.9, 1_001)
    )


@pytest.mark.parametrize("name", ["", "\ud800", "a\0b", "a\nb", "a" * 201, 1, None])
def test_names(name: Any) -> None:
    """What no table, file or terminal can hold names no asset and no tier."""
    assert "names are" in refusal(kernel.Ladder, {name: 1.0})
    assert "asset: must be the name" in refusal(kernel.Linear, name, 1.0)


@pytest.mark.parametrize("path", ["", "a\0.svg", "\ud800.svg", Sulking(), 1, b"a.svg"])
def test_paths(path: Any) -> None:
    """What no file can be called is no path of a figure."""
    outcome = kernel.simulate(GBM, LONG, LADDER, horizon=HORIZON, steps=1, paths=1_000, worst=True)
    assert "plot: must be the path of a file" in refusal(
        kernel.plot_thresholds, kernel.threshold_curve(outcome), LADDER, path
    )


def test_deep_documents(tmp_path: Path) -> None:
    """Tables and lists that lie too deep in each other are refused, in files and in what overrides them."""
    deep: Any = 1
    for _ in range(MOST_DEPTH):
        deep = {"a": deep}
    (tmp_path / "a.json").write_text(json.dumps(deep), encoding="utf-8")
    assert "at most 32 deep" in refusal(read_document, tmp_path / "a.json")
    (tmp_path / "a.toml").write_text(".".join("a" * 3_000) + " = 1", encoding="utf-8")
    assert "at most 32 deep" in refusal(read_document, tmp_path / "a.toml")
    CliRunner().invoke(main, ["init", str(tmp_path / "b.toml")])
    for setting in (".".join("a" * 3_000) + "=1", "market.spot=" + "[" * 100 + "]" * 100):
        result = CliRunner().invoke(main, ["validate", str(tmp_path / "b.toml"), "--set", setting])
        assert result.exit_code == 2, result.exception
        assert "must be at most 32 deep" in result.stderr


@pytest.mark.parametrize("value", ["9" * 5_000, "1e5000", '"\\ud800"', '"a\\u0000b"', "[" * 100_000])
def test_values_of_a_document(value: str, tmp_path: Path) -> None:
    """Numbers of 5,000 digits, halves of a pair, zero bytes and endless brackets end in one line."""
    CliRunner().invoke(main, ["init", str(tmp_path / "a.toml")])
    text = (tmp_path / "a.toml").read_text(encoding="utf-8").replace('assets = ["BTC"]', f"assets = [{value}]")
    (tmp_path / "a.toml").write_text(text, encoding="utf-8")
    result = CliRunner().invoke(main, ["validate", str(tmp_path / "a.toml")])
    assert result.exit_code == 2, result.exception
    assert result.stderr.startswith("error: ")


@pytest.mark.parametrize("name", ["a\0.json", "\ud800.json", ""])
def test_outputs_that_no_file_can_be_called(name: str, tmp_path: Path) -> None:
    """Such an output is refused before anything is simulated."""
    CliRunner().invoke(main, ["init", str(tmp_path / "a.toml")])
    result = CliRunner().invoke(main, ["run", str(tmp_path / "a.toml"), "--output", name])
    assert result.exit_code == 2, result.exception
    assert "output" in result.stderr


def test_lists() -> None:
    """A list, an array and one value are read as such; a generator, a set and a text are one value."""
    problems = Problems()
    given: list[Any] = [[1, 2], (1, 2), np.array([1, 2]), range(1, 3)]
    assert all(checks.listed(problems, "a", one, 5) == [1, 2] for one in given)
    alone: list[Any] = [1, "ab", None, {1, 2}, Decimal(1), np.array(1.0)]
    assert all(checks.listed(problems, "a", one, 5) == [one] for one in alone)
    assert not problems.found
    assert checks.listed(problems, "a", range(10**9), 5) == []
    assert str(problems.found[0]) == "a: must be at most 5, not 1,000,000,000"


def _sections() -> dict[str, Any]:
    """Return the sections of a run."""
    return {
        "market": {"model": "gbm", "assets": ["BTC"], "spot": 60_000.0, "volatility": 0.65},
        "account": {"cash": -54_000.0, "maintenance_rate": 0.005, "positions": [{"asset": "BTC", "quantity": 1.0}]},
        "ladder": {"tiers": {"call": 2.0, "liquidation": 1.0}},
        "simulation": {"horizon": "5d", "steps": 1, "paths": 100},
    }


@pytest.mark.parametrize(
    "value",
    [Sulking(), memoryview(b"a"), {1}, np.broadcast_to(1.0, (10**6, 10**6))],
    ids=lambda value: type(value).__name__,
)
def test_sections_of_other_kinds(value: Any) -> None:
    """What no document has is refused by its place."""
    sections = _sections()
    sections["account"]["positions"] = [value]
    assert "account.positions[0]: must be a number, a text" in refusal(kernel.load, sections)
    assert "overrides.market.spot: must be a number, a text" in refusal(
        kernel.load, _sections(), {"market.spot": value}
    )


def test_sections_of_arrays() -> None:
    """Arrays and NumPy's numbers are read as the lists and numbers that they are."""
    sections = _sections()
    sections["market"]["spot"] = np.array([60_000.0])
    sections["simulation"]["paths"] = np.int64(100)
    run = kernel.load(sections)
    assert np.asarray(run.market.spot).tolist() == [60_000.0]
    assert run.simulation["paths"] == 100


def test_sections_that_hold_themselves() -> None:
    """A list that holds itself is refused, as what lies too deep."""
    circle: list[Any] = []
    circle.append(circle)
    sections = _sections()
    sections["market"]["spot"] = circle
    assert "must be at most 32 deep" in refusal(kernel.load, sections)


@pytest.mark.parametrize("overrides", [None, 1.0, [None], {1: 2}, {1}], ids=lambda value: type(value).__name__)
def test_overrides_of_other_kinds(overrides: Any) -> None:
    """Overrides are values by path, or texts."""
    assert "overrides: must" in refusal(kernel.load, _sections(), overrides)


def test_a_market_that_is_no_file() -> None:
    """Nor is anything but a path the file of a market."""
    assert "market: must be the path of a file" in refusal(kernel.load, _sections(), market=1.0)


def test_responses_of_other_numbers() -> None:
    """Times and probabilities of responses may be any numbers, decimals too: they are taken as floats."""
    settings: dict[str, Any] = {"horizon": "5d", "paths": 2_000}
    one, two = (
        kernel.calibrate_ladder(GBM, LONG, {"call": kernel.Response("4h", share)}, **settings)
        for share in (0.3, Decimal("0.3"))
    )
    assert one.ladder.tiers == two.ladder.tiers


def test_a_measure_that_is_an_array_is_refused() -> None:
    """What margin is calibrated by is a word; an array is refused as any other value is."""
    account = kernel.Account(cash=0.0, positions=[kernel.Linear("A", 1.0)], maintenance_rate=0.1)
    market = kernel.Gbm(assets=["A"], spot=1.0, volatility=0.5)
    settings = {"probability": 0.01, "liquidation_period": "1d", "measure": np.ones((2, 2, 2))}
    message = refusal(kernel.calibrate_margin, market, account, **settings)
    assert "measure: must be first_passage" in message

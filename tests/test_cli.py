"""The command `margin`: what it prints, writes and refuses, and how it exits."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import pytest

import kernel.benchmark.environment
import kernel.simulation.simulate
from kernel.commands.init import EXAMPLES
from kernel.commands.main import main
from kernel.markets import MARKETS
from tests import processes

Margin = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[1]
CONFIG = """
[market]
model = "gbm"
assets = ["BTC"]
spot = 60_000.0
volatility = 0.65
[account]
cash = 6_000.0
maintenance_rate = 0.005
[[account.positions]]
asset = "BTC"
quantity = 1.0
entry_price = "spot"
[ladder.tiers]
call = 5.0
liquidation = 1.0
[simulation]
horizon = "5d"
steps = 1
paths = 2_000
"""
FITTED = """
[market]
model = "gbm"
history = "prices.csv"
column = "Close"
[account]
cash = 100.0
maintenance_rate = 0.05
positions = [{asset = "Close", notional = 1_000, entry_price = "spot"}]
[ladder.tiers]
call = 1.5
[simulation]
horizon = "10d"
steps = 1
paths = 2_000
"""
FILTERED = CONFIG.replace(
    'model = "gbm"', 'model = "filtered_historical"\nomega = 0.0\nalpha = 0.1\nbeta = 0.9\ndt = 0.00274'
).replace("volatility = 0.65", f"volatility = 0.65\nresiduals = {[[k / 10] for k in range(-10, 11)]}")


@pytest.fixture
def margin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Margin:
    """Run the command in this process, in a folder with a config file; return exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "prices.csv").write_text(
        "Date,Close\n2020-01-01,100\n2020-01-02,103\n2020-01-03,99\n2020-01-04,101\n", encoding="utf-8"
    )
    (tmp_path / "fitted.toml").write_text(FITTED, encoding="utf-8")
    (tmp_path / "filtered.toml").write_text(FILTERED, encoding="utf-8")

    def _margin(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return left.value.code, out, processes.without_compiling(err)

    return _margin


# Good input


def test_a_machine_that_keeps_nothing_compiled_says_so(margin: Margin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a cache folder each run compiles anew: one line tells, unless it is to be quiet."""
    monkeypatch.setattr(kernel.benchmark.environment, "cache_folder", lambda: None)
    monkeypatch.setattr(kernel.benchmark.environment, "why_no_cache", lambda: "/somewhere cannot be written")
    told = "note: every run compiles anew, since no cache folder can be used: /somewhere cannot be written\n"
    assert margin("run", "run.toml")[2] == told
    assert margin("run", "run.toml", "--quiet")[2] == ""


def test_table_is_for_people(margin: Margin) -> None:
    """The table says what was simulated, then tiers and losses with intervals, within 100 columns."""
    code, out, err = margin("run", "run.toml")
    assert (code, err) == (0, "")
    assert "2,000 paths of 1 step, continuous monitoring, single precision, seed 0" in out
    assert "opening equity 6,000.00, requirement 300.00, margin_ratio 20" in out
    starts = [line.split("  ")[0] for line in out.splitlines()]
    expected = ["tier", "call", "liquidation", "", "loss", *["value at risk"] * 2, *["expected shortfall"] * 2]
    assert expected == starts[5:14]
    assert max(map(len, out.splitlines())) <= 100


def test_json_is_strict_and_complete(margin: Margin) -> None:
    """The JSON holds provenance, market, opening, tiers and losses, and nothing that JSON does not know."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    code, out, _ = margin("run", "run.toml", "--format", "json", "--set", "account.cash=1e9")
    found = json.loads(out, parse_constant=refuse)
    assert (code, found["schema"], found["history"]) == (0, 1, None)
    assert found["provenance"]["inputs"]["simulation"]["paths"] == 2000
    assert found["opening"]["requirement"] == 300.0
    assert found["tiers"][0]["breach_probability"]["value"] == 0.0
    assert found["tiers"][0]["median_breach_time"]["value"] is None
    assert [one["level"] for one in found["losses"]] == [0.95, 0.99]
    assert found["losses"][0]["value_at_risk"]["low"] < found["losses"][0]["expected_shortfall"]["value"]


def test_never_breached_shows_the_upper_end(margin: Margin) -> None:
    """A tier that no path breaches shows 0 with its interval, and no time."""
    _, out, _ = margin("run", "run.toml", "--set", "account.cash=1e9")
    row = next(line for line in out.splitlines() if line.startswith("call"))
    assert row.split() == ["call", "5", "0", "0.000", "..", "0.192", "%", "-"]


def test_an_opening_in_breach_is_noted_wherever_it_is_asked_about(margin: Margin) -> None:
    """`validate` says it on stderr, `run` and `threshold` in their table and in JSON; none takes it for an error."""
    poor = ["--set", "account.cash=200"]
    certain = "each breaches at time 0 with probability 1, whatever the market does"
    notes = [
        "the account opens below its requirement of 300, with an equity of 200",
        f"the account opens in breach of every tier, at margin_ratio 0.6667: {certain}",
    ]
    code, out, err = margin("validate", "run.toml", *poor)
    assert (code, out) == (0, "")
    assert err.splitlines() == [*(f"note: {note}" for note in notes), "run.toml is valid"]
    for command in (["run", "run.toml"], ["threshold", "run.toml", "--probability", "10%"]):
        code, out, err = margin(*command, *poor)
        assert (code, err) == (0, "")
        assert f"- {notes[0]}\n- the account opens in breach of every tier, at margin_ratio 0.6667: each" in out
        assert max(map(len, out.splitlines())) <= 100
        assert json.loads(margin(*command, *poor, "--format", "json")[1])["notes"] == notes
        assert json.loads(margin(*command, "--format", "json")[1])["notes"] == []
    assert margin("validate", "run.toml") == (0, "", "run.toml is valid\n")


def test_fitted_market_is_shown_with_its_history(margin: Margin) -> None:
    """A fitted market's parameters are printed, and the JSON names the history and its hash."""
    _, out, _ = margin("run", "fitted.toml")
    assert "fitted to prices.csv: 4 prices from 2020-01-01 to 2020-01-04, 24 h apart on average" in out
    assert "volatility" in out
    _, out, _ = margin("run", "fitted.toml", "--format", "json")
    history = json.loads(out)["provenance"]["history"]
    assert (history["file"], history["rows"], len(history["blake2b"])) == ("prices.csv", 4, 32)


def test_what_was_mended_in_a_history_is_shown(margin: Margin, tmp_path: Path) -> None:
    """The notes of a history follow the line that names it, wrapped, and stand in the JSON."""
    days = [f"2020-01-{day:02},{100 + day % 3}" for day in (*range(30, 20, -1), *range(14, 0, -1))]
    (tmp_path / "prices.csv").write_text("\n".join(["Date,Close", *days]), encoding="utf-8")
    _, out, _ = margin("run", "fitted.toml")
    lines = out.splitlines()
    start = lines.index("- It stands newest first: its rows were turned round.")
    assert "24 prices from 2020-01-01 to 2020-01-30" in lines[start - 1]
    assert lines[start + 1].startswith("- There is 1 step longer than 36 h, over which no return is taken: the longest")
    assert lines[start + 2].startswith("  ")
    assert max(map(len, lines)) <= 100
    _, out, _ = margin("run", "fitted.toml", "--format", "json")
    assert len(json.loads(out)["history"]["notes"]) == 2
    assert json.loads(out)["provenance"]["history"]["notes"] == json.loads(out)["history"]["notes"]


@pytest.mark.parametrize("model", ["heston", "bates", "filtered_historical"])
def test_markets_whose_variance_moves_run(margin: Margin, model: str) -> None:
    """A config of each model runs, and what is printed names it."""
    moving = ["variance=0.4", "mean_reversion=4", "long_variance=0.4", "volatility_of_variance=1.2"]
    moving += ["price_variance_correlation=-0.3"]
    jumps = ["jump_intensity=12", "jump_mean=-0.02", "jump_volatility=0.06"] if model == "bates" else []
    if model != "filtered_historical":
        Path("filtered.toml").write_text(
            CONFIG.replace("volatility = 0.65", "").replace("gbm", model), encoding="utf-8"
        )
    stated = [] if model == "filtered_historical" else [f"market.{one}" for one in moving + jumps]
    options = [part for one in ("simulation.steps=5", *stated) for part in ("--set", one)]
    code, out, err = margin("run", "filtered.toml", *options)
    assert (code, err) == (0, "")
    assert f"1 position on BTC, {model} market, over 5 d" in out


def test_options_override_the_file(margin: Margin) -> None:
    """Options and --set stand for values of the file, options before --set."""
    options = [
        "--paths",
        "1e3",
        "--seed",
        "7",
        "--threads",
        "1",
        "--monitoring",
        "discrete",
        "--set",
        "simulation.paths=9",
    ]
    _, out, _ = margin("run", "run.toml", "--format", "json", *options)
    settings = json.loads(out)["provenance"]["inputs"]["simulation"]
    assert (settings["paths"], settings["seed"], settings["monitoring"]) == (1000, 7, "discrete")


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_tables_hold_every_path(margin: Margin, suffix: str) -> None:
    """An output of paths has a row for each, and its estimates are those of a summary."""
    _, summary, _ = margin("run", "run.toml", "--format", "json")
    code, out, _ = margin("run", "run.toml", "--format", "json", "--output", f"out.{suffix}")
    read = {"parquet": pyarrow.parquet.read_table, "csv": pyarrow.csv.read_csv}[suffix](f"out.{suffix}")
    assert (code, read.num_rows) == (0, 2000)
    assert read.column_names == ["loss", "terminal_price.BTC", "breach_time.call", "breach_time.liquidation"]
    assert json.loads(out)["losses"] == json.loads(summary)["losses"]


def test_parquet_carries_its_provenance(margin: Margin) -> None:
    """The schema of a Parquet output holds the provenance as JSON, the history included."""
    margin("run", "fitted.toml", "--output", "out.parquet")
    provenance = json.loads(pyarrow.parquet.read_schema("out.parquet").metadata[b"margin_kernel"])
    assert provenance["inputs"]["market"]["model"] == "gbm"
    assert provenance["history"]["file"] == "prices.csv"


def test_json_output_is_what_is_printed(margin: Margin) -> None:
    """A .json output holds the results that --format json prints."""
    _, out, _ = margin("run", "run.toml", "--format", "json", "--output", "out.json")
    assert json.loads(out) == json.loads(Path("out.json").read_text(encoding="utf-8"))


def test_violated_limits_exit_with_one(margin: Margin) -> None:
    """A violated limit prints its measure, value and interval on stderr and exits with 1, after the results."""
    limits = ["--fail-if", "breach_probability(call) > 0.01", "--fail-if", "value_at_risk(0.9) > 1e9"]
    code, out, err = margin("run", "run.toml", *limits)
    assert code == 1
    assert "expected shortfall" in out
    assert err.startswith("violated: breach_probability(call) > 0.01: it is 0.")
    assert err.count("\n") == 1
    assert margin("run", "run.toml", *limits[2:])[0] == 0


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ("breach_probability(call) > 1%", 1),
        ("breach_probability(call) > 99 %", 0),
        ("value_at_risk(95%) > 1e9", 0),
        ("breach_time_quantile(call, probability=50%) < 5d", 1),
    ],
)
def test_limits_may_be_percentages(margin: Margin, limit: str, code: int) -> None:
    """Where a share is meant, a bound or an argument may be written in percent."""
    assert margin("run", "run.toml", "--fail-if", limit)[0] == code


def test_lists_of_bare_words_are_names(margin: Margin) -> None:
    """`--set` takes a list as a shell leaves it, which may have taken the quotes away."""
    rest = ["--set", "account.positions[0].asset=ETH", "--format", "json"]
    for stated in ("[ETH]", "['ETH']", '["ETH"]', "[ ETH ]", "ETH"):
        code, out, err = margin("run", "run.toml", "--set", f"market.assets={stated}", *rest)
        assert (code, json.loads(out)["market"]["assets"]) == (0, ["ETH"]), err
    two = ["--set", "market.assets=[BTC/USD, 1INCH]", "--set", "account.positions[0].asset=1INCH"]
    _, out, _ = margin("run", "run.toml", *two, "--set", "market.spot=[60_000, .5e2]", "--format", "json")
    assert json.loads(out)["market"]["assets"] == ["BTC/USD", "1INCH"]
    assert json.loads(out)["market"]["spot"] == [60_000.0, 50.0]


def test_suffixes_may_be_of_any_case(margin: Margin) -> None:
    """Configs, prices, outputs and figures go by their suffix, in capitals or not."""
    Path("run.toml").rename("RUN.TOML")
    Path("prices.csv").rename("PRICES.CSV")
    assert margin("run", "RUN.TOML", "--output", "OUT.PARQUET")[0] == 0
    assert pyarrow.parquet.read_table("OUT.PARQUET").num_rows == 2_000
    assert margin("run", "RUN.TOML", "--output", "OUT.JSON")[0] == 0
    assert json.loads(Path("OUT.JSON").read_text(encoding="utf-8"))["schema"] == 1
    assert margin("fit", "PRICES.CSV", "--market", "gbm", "--output", "FIT.TOML", "--plot", "FIT.SVG")[0] == 0
    assert "[market]\n" in Path("FIT.TOML").read_text(encoding="utf-8")
    assert Path("FIT.SVG").read_text(encoding="utf-8").startswith("<?xml")


def test_folders_and_assets_may_hold_what_separates_them(margin: Margin) -> None:
    """A file in a folder such as `symbol=BTC` is itself; else what stands before = is the asset, slashes and all."""
    Path("symbol=BTC").mkdir()
    Path("prices.csv").rename("symbol=BTC/x.csv")
    for named, asset in (("symbol=BTC/x.csv", "x"), ("BTC/USD=symbol=BTC/x.csv", "BTC/USD")):
        code, out, err = margin("fit", named, "--market", "gbm", "--format", "json")
        assert (code, json.loads(out)["market"]["assets"]) == (0, [asset]), err


def test_written_example_runs(margin: Margin) -> None:
    """`init` writes a file that validates, and does not overwrite it unless told to."""
    assert margin("init")[0] == 0
    assert margin("validate", "margin.toml") == (0, "", "margin.toml is valid\n")
    code, _, err = margin("init")
    assert (code, err) == (2, "error: margin.toml: is there already; overwrite it with --force\n")
    assert margin("init", "--force")[0] == 0


@pytest.mark.parametrize("name", EXAMPLES)
def test_shipped_examples_are_written_whole(margin: Margin, name: str) -> None:
    """`init --example` writes an example under its name, with its prices and their licence; what is there is spared."""
    code, out, err = margin("init", "--example", name)
    assert (code, out) == (0, "")
    assert err.endswith(f"; next: margin run {name}.toml\n")
    code, _, told = margin("validate", f"{name}.toml")
    assert code == 0, told
    assert Path("sp500.LICENSE.md").exists() == Path("sp500.csv").exists() == (name == "sp500_history")
    code, _, err = margin("init", "--example", name)
    assert code == 2
    assert err.startswith(f"error: {name}.toml: is there already")
    assert margin("init", "other.toml", "--example", name, "--force")[0] == 0
    assert Path("other.toml").read_bytes() == Path(f"{name}.toml").read_bytes()
    assert margin("init", "--example", "none")[2].startswith(
        "error: Invalid value for '--example': 'none' is not one of"
    )


def test_info_and_version(margin: Margin) -> None:
    """`info` names versions, processor, threads and cache folder, as a table or as JSON."""
    code, out, _ = margin("info", "--format", "json")
    found = json.loads(out)
    assert code == 0
    assert {"versions", "python", "platform", "cpu", "threads", "cache_folder"} <= found.keys()
    assert found["cpu"] in margin("info")[1]
    assert margin("--version")[1].startswith("margin")


def test_warmup_says_what_it_compiled(margin: Margin, monkeypatch: pytest.MonkeyPatch) -> None:
    """`warmup` walks every market with one and with several assets, and says so on stderr."""
    seen = []
    monkeypatch.setattr(
        "kernel.simulation.simulate.simulate",
        lambda market, *_, **__: seen.append((type(market), len(market.assets))),
    )
    code, out, err = margin("warmup")
    assert (code, out) == (0, "")
    assert sorted(seen, key=str) == sorted(((kind, assets) for kind in MARKETS.values() for assets in (1, 2)), key=str)
    assert err.startswith("gbm, one asset, single precision: ")


# Bad input

WRONG = [
    (["run"], "Missing argument 'CONFIG'"),
    ([], "Missing command"),
    (["runn", "run.toml"], "did you mean 'run'"),
    (["run", "run.toml", "--pahts", "5"], "did you mean '--paths'"),
    (["run", "run.toml", "--format", "xml"], "'table', 'json'"),
    (["run", "none.toml"], "none.toml: cannot be read: No such file"),
    (["run", "prices.csv"], "prices.csv: must be a .toml or .json file"),
    (["run", "run.toml", "--paths", "many"], "simulation.paths: must be a number, not 'many'"),
    (["run", "run.toml", "--paths", "0"], "simulation.paths: must be from 1"),
    (["run", "run.toml", "--set", "simulation.horizon=5"], "horizon: must have a unit, such as '5d' or '12h'; 5 years"),
    (["run", "run.toml", "--paths", "1e30"], "simulation.paths: must be from 1"),
    (["run", "run.toml", "--seed", "-1"], "simulation.seed: must be from 0"),
    (["run", "run.toml", "--threads", "0"], "simulation.threads: must be from 1"),
    (["run", "run.toml", "--precision", "half"], "simulation.precision: must be single or double, not 'half'"),
    (["run", "run.toml", "--monitoring", "never"], "simulation.monitoring: must be continuous or discrete"),
    (["run", "run.toml", "--set", "market.volatilty=1"], "market.volatilty: is not known here; did you mean"),
    (["run", "run.toml", "--set", "market.volatility=-1"], "market.volatility: must be above 0, not -1"),
    (["run", "run.toml", "--set", "market.volatility"], "--set: must be KEY=VALUE"),
    (["run", "run.toml", "--set", "ladder.tiers.liquidation=9"], "ladder.tiers.liquidation: must be below"),
    (["run", "run.toml", "--set", "account.positions[0].asset=ETH"], "account.positions[0].asset: must be one of"),
    (["run", "run.toml", "--output", "out.xlsx"], "output: must end in .parquet or .csv or .json, not 'out.xlsx'"),
    (["run", "run.toml", "--output", "no/out.csv"], "output: no/out.csv cannot be written: there is no folder"),
    (["run", "fitted.toml", "--output", "prices.csv"], "output: prices.csv is what this command reads"),
    (["run", "run.toml", "--fail-if", "breach_probability(cal) > 0"], "no tier 'cal'; did you mean call?"),
    (["run", "run.toml", "--fail-if", "nonsense"], "--fail-if: 'nonsense': must read like"),
    (["run", "fitted.toml", "--set", "market.time=Dat"], "market.time: prices.csv has no column 'Dat'"),
    (["run", "fitted.toml", "--set", "market.history=x.csv"], "market.history: x.csv cannot be read: No such file"),
    (["run", "fitted.toml", "--set", "market.first=2021-01-01"], "at least 3 rows in range, not 0"),
    (["run", "filtered.toml"], "simulation.steps: must be 5: this market moves in the steps of its history, 24 h"),
    (["run", "filtered.toml", "--set", "simulation.horizon=1h"], "simulation.horizon: must be near whole steps of"),
    (["init", "no/margin.toml"], "no/margin.toml cannot be written: there is no folder"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[" ".join(one) for one, _ in WRONG])
def test_wrong_input_is_refused_before_simulating(
    margin: Margin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], message: str
) -> None:
    """Each wrong input exits with 2 and one line that names field and mend; nothing is printed, run or written."""
    monkeypatch.setattr(kernel.simulation.simulate, "simulate", lambda *_, **__: pytest.fail("simulated"))
    code, out, err = margin(*arguments)
    files = sorted(one.name for one in tmp_path.iterdir())
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message.lower() in err.lower()
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert files == ["filtered.toml", "fitted.toml", "prices.csv", "run.toml"]


def test_problems_of_file_limits_and_output_come_together(margin: Margin) -> None:
    """What is wrong with config, limits and output is reported at once, a line each."""
    wrong = ["--paths", "0", "--set", "market.spot=-1", "--fail-if", "x", "--output", "out.txt"]
    code, _, err = margin("run", "run.toml", *wrong)
    fields = [line.split(":")[1].strip() for line in err.splitlines()]
    assert (code, fields) == (2, ["market.spot", "simulation.paths", "--fail-if", "output"])


def test_too_little_memory_is_one_line(margin: Margin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory that gives out outside a simulation is one line too."""

    def exhaust(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(kernel.simulation.simulate, "simulate", exhaust)
    code, _, err = margin("run", "run.toml", "--output", "out.parquet")
    assert code == 2
    assert err == "error: memory: there is too little for this: use fewer paths, prices or candidates\n"
    assert not Path("out.parquet").exists()


# The console script


def test_help_imports_nothing_heavy() -> None:
    """Neither the package nor the module of the command loads numba, pyarrow, pydantic or numpy by itself."""
    heavy = "{'numba', 'pyarrow', 'pydantic', 'numpy', 'scipy'}"
    code = f"import kernel.commands.main, sys; print(sorted({heavy} & set(sys.modules)))"
    assert processes.printed([sys.executable, "-c", code]) == "[]\n"


@pytest.mark.parametrize("module", [["-m", "kernel"], [str(ROOT / "cli.py")]])
def test_the_command_is_a_module_too(module: list[str], tmp_path: Path) -> None:
    """`python -m kernel`, and `python cli.py` of a checkout, are the command."""
    out = processes.printed([sys.executable, *module, "--help"], cwd=tmp_path)
    assert out.startswith("Usage: margin [OPTIONS] COMMAND")


def test_every_public_name_is_where_it_is_looked_for() -> None:
    """What the package lists for type checkers is what it loads when it is used."""
    listed = ast.parse(Path(kernel.__file__).read_text(encoding="utf-8"))
    stated = {
        alias.asname: node.module
        for block in listed.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert stated == kernel._PLACES  # type: ignore[attr-defined]  # noqa: SLF001 - that they agree is the test
    assert all(getattr(kernel, name) is not None for name in stated)
    assert set(stated) <= set(dir(kernel))
    with pytest.raises(AttributeError, match="has no attribute 'Gmb'"):
        kernel.Gmb  # type: ignore[attr-defined]  # noqa: B018


def test_console_script_runs(margin: Margin, tmp_path: Path) -> None:
    """The installed command prints results to stdout alone, the same bits as in another process."""
    code, out, err = processes.margin("run", "run.toml", "--format", "json", cwd=tmp_path)
    assert (code, err) == (0, "")
    _, here, _ = margin("run", "run.toml", "--format", "json")
    assert json.loads(out)["tiers"] == json.loads(here)["tiers"]


@pytest.mark.usefixtures("margin")
def test_console_script_refuses(tmp_path: Path) -> None:
    """The installed command exits with 2 and without a traceback when its input is wrong."""
    told = processes.margin("run", "run.toml", "--paths", "x", cwd=tmp_path)
    assert told == (2, "", "error: simulation.paths: must be a number, not 'x'\n")

"""The command `margin backtest`: what it prints, draws, writes and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from click.testing import CliRunner

import kernel
from kernel.commands.main import main
from tests.processes import without_compiling
from tests.test_choice import prices_of
from tests.test_cli_fit import write_prices

Margin = Callable[..., tuple[int, str, str]]
QUICK = ("--market", "gbm", "--window", "60", "--paths", "1e3")
FEW = ("--market", "gbm", "--window", "550", "--paths", "500", "--refit", "50")
CONFIG = """
[account]
cash = 15.0
maintenance_rate = 0.05
positions = [{asset = "A", notional = 100.0, entry_price = "spot"}]
[ladder.tiers]
call = 2.0
liquidation = 1.0
"""


@pytest.fixture
def margin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Margin:
    """Run the command in a folder with prices whose volatility doubles, and a config file without market."""
    monkeypatch.chdir(tmp_path)
    moves = np.random.default_rng(1).normal(0.0, 0.02, 620)
    moves[300:] *= 3
    write_prices(tmp_path / "A.csv", prices_of(moves))
    (tmp_path / "margin.toml").write_text(CONFIG, encoding="utf-8")

    def call(*arguments: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(main, ["backtest", *arguments])
        return done.exit_code, done.stdout, without_compiling(done.stderr)

    return call


def test_the_table_says_whether_coverage_held(margin: Margin) -> None:
    """Exceptions against expected, p-values, zones, and sentences about levels and years that are not green."""
    code, out, err = margin("A.csv", *QUICK, "--window", "250", "--level", "99%")
    assert (code, err) == (0, "")
    assert "A.csv: 370 forecasts of A from 2020-09-08 to 2021-09-12" in out
    assert "Coverage at 99 % did not hold: " in out
    assert "where 3.7 were expected" in out
    assert "red zone" in out
    assert "down 10%" in out
    assert max(map(len, out.splitlines())) <= 100


def test_a_year_that_is_not_green_is_said(margin: Margin) -> None:
    """By the end of the second year its last 500 forecasts have too many exceptions."""
    _, out, _ = margin("A.csv", *QUICK, "--refit", "200", "--level", "0.95")
    assert "last 500 by the end of" in out
    assert "The 500 forecasts up to the end of 2021 are " in out


def test_json_is_strict_and_agrees_with_python(margin: Margin, tmp_path: Path) -> None:
    """The numbers of --format json are those of the Python call."""
    code, out, _ = margin("A.csv", *QUICK, "--horizon", "3d", "--level", "97.5%", "--seed", "5", "--format", "json")
    told = json.loads(out, parse_constant=pytest.fail)
    history = kernel.read_prices(tmp_path / "A.csv")
    found = kernel.backtest(history, "gbm", window=60, paths=1_000, horizon=3 / 365, levels=[0.975], seed=5).summary()
    assert code == 0
    assert {name: told[name] for name in found} == found
    assert told["history"]["file"] == "A.csv"
    by_rows = json.loads(
        margin("A.csv", *QUICK, "--horizon", "3 rows", "--level", "0.975", "--seed", "5", "--format", "json")[1]
    )
    assert by_rows["levels"] == told["levels"]


def test_the_account_of_a_config_is_stated_at_the_last_prices(margin: Margin) -> None:
    """Notionals and entries are of the history's last price; losses are in currency."""
    code, out, _ = margin("A.csv", *FEW, "--config", "margin.toml", "--format", "json")
    told = json.loads(out)
    assert code == 0
    assert told["opening_equity"] == pytest.approx(15.0)
    assert [one["tier"] for one in told["tiers"]] == ["call", "liquidation"]
    assert not [note for note in told["notes"] if "breached" in note]


def test_files_are_written_and_the_figure_is_drawn(margin: Margin, tmp_path: Path) -> None:
    """A row for each forecast, the report as JSON, and the same picture each time."""
    for name in ("one.parquet", "two.csv", "three.json"):
        assert margin("A.csv", *FEW, "--output", name)[0] == 0
    table = pyarrow.parquet.read_table(tmp_path / "one.parquet")
    assert table.num_rows == 70
    assert (tmp_path / "two.csv").read_text(encoding="utf-8").startswith('"time","row","market","loss"')
    assert json.loads((tmp_path / "three.json").read_text(encoding="utf-8"))["forecasts"] == 70
    for name in ("one.png", "two.svg", "three.svg"):
        assert margin("A.csv", *FEW, "--plot", name)[0] == 0
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "two.svg").read_bytes() == (tmp_path / "three.svg").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["A.csv", "--window", "620"],
            "window: must leave a horizon of 1 row of the 621 rows of prices: at most 619, not 620",
        ),
        (["A.csv", "--level", "100%"], "level: must be above 0 and below 1 (100%), such as 99%, not 100%"),
        (["A.csv", "--level", "high"], "level: must be a share such as 99% or 0.99"),
        (
            ["A.csv", "--horizon", "36h"],
            "must be whole rows of the history, 24 h each: such as 24 h (1 row) or 2 d (2 rows)",
        ),
        (["A.csv", "--horizon", "0d"], "horizon: must be above 0"),
        (["A.csv", "--horizon", "soon"], "horizon: must be a number with the unit"),
        (["A.csv", "--horizon", "5"], "horizon: must have a unit, such as '5d' or '12h'; 5 years is '5y'"),
        (["A.csv", "--max-gap", "3"], "max_gap: must have a unit, such as '5d' or '12h'; 3 years is '3y'"),
        (["A.csv", "--paths", "many", "--seed", "-1"], "paths: must be a number, not 'many'"),
        (["A.csv", "--seed", "-1"], "seed: must be from 0"),
        (["A.csv", "--market", "mertn"], "did you mean merton?"),
        (["A.csv", "--market", "merton", "--volatility", "garch"], "belongs to gbm and filtered_historical"),
        (["A.csv", "--volatility", "garch"], "belongs to gbm and filtered_historical, not to auto"),
        (["A.csv", "--market", "filtered_historical", "--window", "100"], "at least 250 rows"),
        (["nix.csv"], "nix.csv"),
        (["A.csv", "--config", "nix.toml"], "nix.toml"),
        (["A.csv", "--output", "A.csv"], "is what this command reads"),
        (["A.csv", "--output", "found.toml"], "must end in .parquet or .csv or .json"),
        (["A.csv", "--plot", "figure.pdf"], "must end in .png or .svg"),
        (["--market", "gbm"], "Missing argument"),
    ],
)
def test_wrong_input_is_refused_in_a_sentence(margin: Margin, tmp_path: Path, arguments: list[str], words: str) -> None:
    """Exit code 2, a line that names the mend, nothing on stdout and nothing written."""
    before = sorted(tmp_path.iterdir())
    code, out, err = margin(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert all(line.startswith("error: ") for line in err.splitlines())
    assert sorted(tmp_path.iterdir()) == before


def test_an_account_on_other_assets_is_refused(margin: Margin, tmp_path: Path) -> None:
    """The config names assets of the history, or the command says so."""
    (tmp_path / "other.toml").write_text(CONFIG.replace('"A"', '"BTC"'), encoding="utf-8")
    code, _, err = margin("A.csv", *QUICK, "--config", "other.toml")
    assert code == 2
    assert "account.positions[0].asset: must be one of the market's (A), not BTC" in err


def test_an_escalation_of_the_config_is_left_out_and_said(margin: Margin, tmp_path: Path) -> None:
    """Forecasts are of the account left alone, and the notes say so where the config states actions."""
    text = CONFIG + '[escalation.call]\naction = "notice"\n'
    (tmp_path / "acts.toml").write_text(text, encoding="utf-8")
    plain, acts = (
        json.loads(margin("A.csv", *FEW, "--config", name, "--format", "json")[1])
        for name in ("margin.toml", "acts.toml")
    )
    note = "forecasts are of the account left alone: the escalation that the config states is left out"
    assert acts["history"].pop("notes") == [*plain["history"].pop("notes"), note]
    assert {name: acts[name] for name in ("history", "provenance")} == {
        name: plain[name] for name in ("history", "provenance")
    }


def test_an_account_stated_at_the_configs_prices_keeps_its_leverage(margin: Margin, tmp_path: Path) -> None:
    """A tenfold long stated at 60,000 is tenfold at the history's prices too, and its tiers are as far away."""
    market = '[market]\nmodel = "gbm"\nassets = ["A"]\nspot = 60_000.0\nvolatility = 0.5\n'
    account = "[account]\ncash = 6_000.0\nmaintenance_rate = 0.005\n"
    position = 'positions = [{asset = "A", quantity = 1.0, entry_price = "spot"}]\n'
    tiers = "[ladder.tiers]\ncall = 5.0\nliquidation = 1.0\n"
    (tmp_path / "tenfold.toml").write_text(market + account + position + tiers, encoding="utf-8")
    code, out, _ = margin("A.csv", *FEW, "--config", "tenfold.toml", "--format", "json")
    assert code == 0
    told = json.loads(out)["provenance"]["inputs"]["account"]
    assert told["cash"] == 6_000.0
    (held,) = told["positions"]
    assert held["quantity"] * held["entry_price"] == pytest.approx(60_000.0)


def test_the_drift_of_the_forecasts_is_said_and_can_be_chosen(margin: Margin) -> None:
    """The head says whether the fitted drift is in; --drift fitted takes it in."""
    for stated, words in (((), "without the fitted drift"), (("--drift", "fitted"), "with the fitted drift")):
        code, out, _ = margin("A.csv", *FEW, *stated)
        assert code == 0
        assert words in " ".join(out.split())


def test_one_column_does_not_serve_two_assets(margin: Margin) -> None:
    """The same prices under two names are refused."""
    code, _, err = margin("A=A.csv", "B=A.csv", *FEW)
    assert code == 2
    assert "columns: A and B are the same column of A.csv" in err


# What breaches are judged by


def write_bars(path: Path) -> None:
    """Write daily bars whose lows are two percent below their closes."""
    closes = prices_of(np.random.default_rng(1).normal(0.0, 0.02, 620))
    opens = np.concatenate([[closes[0]], closes[:-1]])
    days = np.datetime64("2020-01-01") + np.arange(closes.size)
    columns = opens, np.maximum(opens, closes), 0.98 * np.minimum(opens, closes), closes
    rows = [",".join([str(day), *(f"{one:.6f}" for one in each)]) for day, *each in zip(days, *columns, strict=True)]
    path.write_text("\n".join(["date,open,high,low,close", *rows]) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "options", "sentence"),
    [
        (
            "bars.csv",
            [],
            "judged by the bars of the rows, and were predicted in continuous time: the history has lows.",
        ),
        ("bars.csv", ["--breaches", "bars"], "and were predicted in continuous time: the history has lows."),
        ("bars.csv", ["--breaches", "closes"], "and were predicted, by the closes of the rows: as asked."),
        ("A.csv", [], "by the closes of the rows: the history has no lows beyond its closes."),
    ],
)
def test_the_report_says_what_judges_breaches(
    margin: Margin, tmp_path: Path, file: str, options: list[str], sentence: str
) -> None:
    """In a sentence, with the reason; in the JSON and in the table's metadata too."""
    write_bars(tmp_path / "bars.csv")
    code, out, err = margin(file, *FEW, *options, "--output", "found.json")
    assert code == 0, err
    assert sentence in " ".join(out.split())
    told = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert told["breaches"] == ("bars" if "bars of" in out else "closes")
    assert told["breaches_reason"] in sentence
    assert told["provenance"]["inputs"]["backtest"]["breaches"] == told["breaches"]


def test_bars_find_breaches_that_closes_do_not(margin: Margin, tmp_path: Path) -> None:
    """The same file, more breaches by its lows; and a figure of it is drawn."""
    write_bars(tmp_path / "bars.csv")
    events = []
    for by in ("bars", "closes"):
        _, out, _ = margin("bars.csv", *FEW, "--breaches", by, "--format", "json", "--plot", f"{by}.png")
        events.append(json.loads(out)["tiers"][0]["events"])
    assert events[0] > events[1]
    assert (tmp_path / "bars.png").read_bytes() != (tmp_path / "closes.png").read_bytes()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["A.csv"], "breaches: must be closes: the history has no lows beyond its closes"),
        (["A=bars.csv", "B=A.csv"], "breaches: must be closes: the account moves with several assets, whose lows and"),
    ],
)
def test_bars_that_cannot_judge_are_refused(margin: Margin, tmp_path: Path, files: list[str], words: str) -> None:
    """Exit code 2 and a line that says why."""
    write_bars(tmp_path / "bars.csv")
    code, out, err = margin(*files, *FEW, "--breaches", "bars")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {words}")


def test_a_judge_that_there_is_not_is_refused(margin: Margin) -> None:
    """In a line that names both."""
    code, _, err = margin("A.csv", *FEW, "--breaches", "lows")
    assert code == 2
    assert "breaches: must be bars or closes, not 'lows'" in err

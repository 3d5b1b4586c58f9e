"""The command `margin threshold`: what it prints, draws, writes and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import pytest
from click.testing import CliRunner

import kernel.simulation.simulate
from kernel.commands.main import main
from kernel.config.targets import Targets, parse_targets
from tests.processes import without_compiling
from tests.test_cli import CONFIG as STATED

Threshold = Callable[..., tuple[int, str, str]]
CONFIG = STATED.replace("steps = 1", "steps = 5").replace("paths = 2_000", "paths = 20_000")


@pytest.fixture
def threshold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Threshold:
    """Run the command in a folder with a config file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(CONFIG, encoding="utf-8")

    def call(*arguments: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(main, ["threshold", "run.toml", *arguments])
        return done.exit_code, done.stdout, without_compiling(done.stderr)

    return call


def test_targets_stand_among_the_tiers(threshold: Threshold) -> None:
    """Each time has a table, the highest level first, with targets and tiers; nothing is wider than 100 columns."""
    code, out, err = threshold("--probability", "1%", "--probability", "0.25", "--by", "5d", "--by", "1d")
    assert (code, err) == (0, "")
    assert "20,000 paths of 5 steps, continuous monitoring, single precision, seed 0" in out
    day, five = out.split("\n\n")[1:3]
    assert day.startswith("within 24 h  margin ratio")
    assert five.startswith("within 5 d ")
    names = [line.split("  ")[0] for line in day.splitlines()[1:]]
    assert names == ["for 25 %", "call", "for 1 %", "liquidation"]
    assert "A target at a level of 0 or below is out of reach" in out
    assert max(map(len, out.splitlines())) <= 100
    assert "out of reach" not in threshold("--probability", "25%")[1]


def test_json_is_what_the_kernel_tells(threshold: Threshold) -> None:
    """JSON holds the estimates of `kernel.threshold` and of the tiers, without a curve that no file asked for."""
    code, out, _ = threshold("--probability", "10%", "--by", "1d", "--format", "json")
    found = json.loads(out)
    market = kernel.Gbm(assets=["BTC"], spot=60_000.0, volatility=0.65)
    account = kernel.Account(
        cash=6_000.0, positions=[kernel.Linear("BTC", quantity=1.0, entry_price=60_000.0)], maintenance_rate=0.005
    )
    ladder = kernel.Ladder({"call": 5.0, "liquidation": 1.0})
    outcome = kernel.simulate(
        market, account, ladder, horizon=5 / 365, steps=5, paths=20_000, worst=[1 / 365], levels=(0.9,)
    )
    assert (code, found["schema"], "curves" in found) == (0, 1, False)
    (target,) = found["thresholds"]
    assert (target["by"], target["probability"]) == (pytest.approx(1 / 365), 0.1)
    assert target["level"] == kernel.threshold(outcome, 0.1)._asdict()
    assert [one["tier"] for one in found["tiers"]] == ["call", "liquidation"]
    assert found["tiers"][0]["breach_probability"] == kernel.breach_probability(outcome, "call", 1 / 365)._asdict()


@pytest.mark.parametrize("suffix", ["parquet", "csv", "json"])
def test_outputs_hold_the_curves(threshold: Threshold, suffix: str) -> None:
    """A file has 200 levels by each time; what is printed stays the same."""
    targets = ["--probability", "10%", "--by", "1d", "--by", "5d", "--format", "json"]
    plain = json.loads(threshold(*targets)[1])
    code, out, _ = threshold(*targets, "--output", f"out.{suffix}")
    assert code == 0
    assert json.loads(out)["thresholds"] == plain["thresholds"]
    if suffix == "json":
        assert json.loads(Path("out.json").read_text(encoding="utf-8")) == json.loads(out)
        assert [len(one["level"]) for one in json.loads(out)["curves"]] == [200, 200]
        return
    read = {"parquet": pyarrow.parquet.read_table, "csv": pyarrow.csv.read_csv}[suffix](f"out.{suffix}")
    assert read.num_rows == 400
    assert read.column_names == ["by", "probability", "level", "standard_error", "low", "high"]
    if suffix == "parquet":
        assert json.loads(read.schema.metadata[b"margin_kernel"])["inputs"]["market"]["model"] == "gbm"


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_plots_are_drawn(threshold: Threshold, suffix: str, start: bytes) -> None:
    """A figure is written, and said so on stderr."""
    code, _, err = threshold("--probability", "10%", "--by", "1d", "--plot", f"out.{suffix}", "--paths", "1000")
    assert (code, err) == (0, f"wrote out.{suffix}\n")
    assert Path(f"out.{suffix}").read_bytes().startswith(start)


def test_percent_and_share_are_one() -> None:
    """1% is 0.01 to the bit; twice the same is once; times rise."""
    assert parse_targets(["1%", "0.01", "7 %"], ["5d", "1d"]) == Targets((0.01, 0.07), (1 / 365, 5 / 365))


WRONG = [
    ([], "Missing option '--probability'"),
    (["--probability", "101%"], "--probability: must be above 0 and below 1 (100%), not 101%"),
    (["--probability", "often"], "--probability: must be a share such as 1% or 0.01, not 'often'"),
    (["--probability", "1e-7"], "1e-7 is too rare: 20,000 paths can tell 5e-05 at the least; use more --paths"),
    (["--probability", "1%", "--by", "7d"], "--by: must be above 0 and at most the horizon, 5 d, not 7d"),
    (["--probability", "1%", "--by", "0d"], "--by: must be above 0 and at most the horizon, 5 d, not 0d"),
    (["--probability", "1%", "--by", "36h"], "5 steps of 24 h, not 36h, or add --set simulation.steps=10"),
    (["--probability", "1%", "--by", "5"], "--by: must have a unit, such as '5d' or '12h'; 5 years is '5y'"),
    (["--probability", "1%", "--paths", "0"], "simulation.paths: must be from 1"),
    (["--probability", "1%", "--output", "out.xlsx"], "output: must end in .parquet or .csv or .json"),
    (["--probability", "1%", "--plot", "out.jpg"], "plot: must end in .png or .svg, not 'out.jpg'"),
    (["--probability", "1%", "--plot", "no/out.png"], "plot: no/out.png cannot be written: there is no folder"),
    (["--probability", "1%", "--set", "market.volatility=-1"], "market.volatility: must be above 0, not -1"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_input_is_refused_before_simulating(
    threshold: Threshold, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], message: str
) -> None:
    """Each wrong input exits with 2 and one line that names field and mend; nothing is printed, run or written."""
    monkeypatch.setattr(kernel.simulation.simulate, "simulate", lambda *_, **__: pytest.fail("simulated"))
    code, out, err = threshold(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1
    assert [one.name for one in tmp_path.iterdir()] == ["run.toml"]


def test_all_that_is_wrong_is_told_at_once(threshold: Threshold) -> None:
    """Problems of the file, the targets, the output and the plot come together."""
    wrong = ["--set", "market.spot=-1", "--probability", "2", "--by", "x", "--output", "a.txt", "--plot", "a.jpg"]
    code, _, err = threshold(*wrong)
    fields = [line.split(":")[1].strip() for line in err.splitlines()]
    assert (code, fields) == (2, ["market.spot", "--probability", "--by", "output", "plot"])

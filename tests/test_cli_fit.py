"""The command `margin fit`: what it prints, draws, writes and refuses, and that `margin run` takes what it wrote."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import kernel
from kernel.commands.main import main
from tests.test_choice import clustered, jumping, prices_of

Fit = Callable[..., tuple[int, str, str]]
CONFIG = """
[account]
cash = 20.0
maintenance_rate = 0.01
positions = [{asset = "A", quantity = 1, entry_price = "spot"}]
[ladder.tiers]
call = 5.0
[simulation]
horizon = "5d"
steps = 5
paths = 2_000
"""


def write_prices(path: Path, prices: np.ndarray, name: str = "close") -> None:
    """Write daily prices from 2020 on."""
    days = np.datetime64("2020-01-01") + np.arange(len(prices))
    path.write_text(
        f"date,{name}\n" + "".join(f"{day},{price:.6f}\n" for day, price in zip(days, prices, strict=True)),
        encoding="utf-8",
    )


@pytest.fixture
def margin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fit:
    """Run the command in a folder with price files and a config without market."""
    monkeypatch.chdir(tmp_path)
    write_prices(tmp_path / "A.csv", prices_of(jumping(600, 2)))
    write_prices(tmp_path / "B.csv", prices_of(clustered(600, 3)))
    (tmp_path / "margin.toml").write_text(CONFIG, encoding="utf-8")

    def call(*arguments: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(main, list(arguments))
        return done.exit_code, done.stdout, done.stderr

    return call


def test_a_market_is_shown_with_its_errors(margin: Fit) -> None:
    """The table has what was read, each parameter with its error, and the likelihood."""
    code, out, _ = margin("fit", "A.csv", "--market", "merton")
    assert code == 0
    assert "A.csv: 601 prices of A from 2020-01-01 to 2021-08-23, 24 h apart" in out
    assert out.count(" ± ") >= 6
    assert "jump_intensity" in out
    assert "log likelihood" in out
    assert max(map(len, out.splitlines())) <= 100


def test_auto_says_what_it_chose_and_why(margin: Fit) -> None:
    """By default every market is compared, in a table and in words."""
    code, out, _ = margin("fit", "B.csv")
    assert code == 0
    assert out.index("filtered_historical") < out.index("gbm")
    assert "has the lowest BIC" in out
    assert "filtered_historical, fitted" in out


def test_json_is_strict_and_agrees_with_python(margin: Fit, tmp_path: Path) -> None:
    """The numbers of --format json are those of the Python call."""
    code, out, _ = margin("fit", "A.csv", "--market", "kou", "--format", "json")
    found = json.loads(out, parse_constant=pytest.fail)
    fit = kernel.Kou.fit(kernel.read_prices(tmp_path / "A.csv"))
    assert code == 0
    assert found["market"] == fit.market.parameters() | {"drift": [0.0]}
    assert found["fit"]["drift"] == fit.market.parameters()["drift"]
    assert found["fit"]["bic"] == pytest.approx(fit.bic)
    assert found["history"]["rows"] == 601


@pytest.mark.parametrize("suffix", [".toml", ".json"])
@pytest.mark.parametrize("model", ["merton", "filtered_historical"])
def test_run_takes_the_market_that_fit_wrote(margin: Fit, tmp_path: Path, suffix: str, model: str) -> None:
    """A written market is the fitted one to the last bit, its drift as asked, by option or named in the config."""
    assert margin("fit", "A.csv", "--market", model, "--drift", "fitted", "--output", f"market{suffix}")[0] == 0
    code, by_option, _ = margin("run", "margin.toml", "--market", f"market{suffix}", "--format", "json")
    assert code == 0
    (tmp_path / "named.toml").write_text(f'[market]\nfile = "market{suffix}"\ndrift = 0.0\n' + CONFIG, encoding="utf-8")
    code, by_name, _ = margin("run", "named.toml", "--format", "json")
    assert code == 0
    code, by_setting, _ = margin("run", "margin.toml", "--set", f"market.file=market{suffix}", "--format", "json")
    assert code == 0
    fitted = kernel.markets.FITTED[model].fit(kernel.read_prices(tmp_path / "A.csv")).market.parameters()
    inputs = [json.loads(text)["provenance"]["inputs"]["market"] for text in (by_option, by_setting, by_name)]
    assert inputs == [fitted, fitted, fitted | {"drift": [0.0]}]


def test_a_fitted_drift_is_left_out_unless_it_is_asked_for(margin: Fit, tmp_path: Path) -> None:
    """`fit` and `run` take no drift by default, say what they leave out or keep, and either can decide."""
    fit = kernel.Gbm.fit(kernel.read_prices(tmp_path / "A.csv"))
    drift, error = float(np.asarray(fit.market.drift)[0]), float(fit.standard_errors["drift"][0])
    left = f"drift is 0: that of the history, {drift:.3g} ± {error:.2g} a year, says little of what comes"
    kept = (
        f"drift is that of the history, {drift:.3g} ± {error:.2g} a year, as if it went on: positions that gain by it"
    )
    for stated, there, other in (("zero", left, kept), ("fitted", kept, left)):
        code, out, _ = margin("fit", "A.csv", "--market", "gbm", "--drift", stated, "--output", f"{stated}.toml")
        assert code == 0
        for text in (out, (tmp_path / f"{stated}.toml").read_text(encoding="utf-8").replace("# ", "")):
            assert there in " ".join(text.split())
            assert other not in " ".join(text.split())
        for asked, taken, words in (
            ((), 0.0 if stated == "zero" else drift, there),
            (("--drift", "zero"), 0.0, left),
            (("--drift", "fitted"), drift, kept),
            (("--drift", "0.5"), 0.5, None),
        ):
            run = json.loads(margin("run", "margin.toml", "--market", f"{stated}.toml", *asked, "--format", "json")[1])
            assert run["market"]["drift"] == [taken]
            assert [note.startswith(words) for note in run["notes"]] == ([True] if words else [])
    assert margin("fit", "A.csv", "--market", "gbm", "--output", "market.toml")[0] == 0
    assert (tmp_path / "market.toml").read_text(encoding="utf-8") == (tmp_path / "zero.toml").read_text(
        encoding="utf-8"
    )


def test_liquidations_of_a_long_do_not_hang_on_the_growth_of_its_history(margin: Fit, tmp_path: Path) -> None:
    """Prices that rose and the same prices with another trend give a long one probability; with their drifts, two."""
    prices = prices_of(jumping(600, 2))
    for name, growth in (("up", 4.0), ("down", -1.0)):
        write_prices(tmp_path / f"{name}.csv", prices * np.exp(growth * np.arange(len(prices)) / 365), "A")
        assert margin("fit", f"A={name}.csv", "--market", "gbm", "--output", f"{name}.toml")[0] == 0
    config = "[market]\nfile = 'FILE'\n" + CONFIG.replace("5d", "60d").replace("cash = 20.0", "cash = 0.0")
    config = config.replace("quantity = 1,", "notional = 10.0,").replace("cash = 0.0", "cash = 2.0")
    found = []
    for drift, name in [(drift, name) for drift in ("zero", "fitted") for name in ("up", "down")]:
        (tmp_path / "named.toml").write_text(
            config.replace("FILE", f"{name}.toml").replace("call = 5.0", "out = 1.0"), encoding="utf-8"
        )
        one = json.loads(margin("run", "named.toml", "--drift", drift, "--format", "json")[1])
        found.append(one["tiers"][0]["breach_probability"]["value"])
    assert found[0] == pytest.approx(found[1], abs=2e-3)  # the volatilities differ by rounding alone
    assert found[2] + 0.1 < found[0] < found[3] - 0.1


def test_a_market_file_without_an_estimate_keeps_its_drift_and_says_so(margin: Fit, tmp_path: Path) -> None:
    """A file whose [fit] has no drift states the fitted one in its market; without [fit] it is stated."""
    assert margin("fit", "A.csv", "--market", "gbm", "--drift", "fitted", "--output", "market.toml")[0] == 0
    lines = (tmp_path / "market.toml").read_text(encoding="utf-8").splitlines()
    fit = lines.index("[fit]")
    old = [line for k, line in enumerate(lines) if not (k in range(fit, fit + 3) and line.startswith("drift"))]
    (tmp_path / "old.toml").write_text("\n".join(old), encoding="utf-8")
    notes = json.loads(margin("run", "margin.toml", "--market", "old.toml", "--format", "json")[1])["notes"]
    assert [note[:28] for note in notes] == ["drift is that of the history"]
    (tmp_path / "bare.toml").write_text("\n".join(lines[:fit]), encoding="utf-8")
    assert json.loads(margin("run", "margin.toml", "--market", "bare.toml", "--format", "json")[1])["notes"] == []
    code, _, err = margin("run", "margin.toml", "--market", "bare.toml", "--drift", "fitted")
    assert code == 2
    assert "market.drift: must be a number: this market is stated" in err


def test_a_file_for_each_asset(margin: Fit) -> None:
    """Two files are two assets, named by their files, with their correlation."""
    code, out, _ = margin("fit", "A.csv", "B.csv", "--market", "gbm", "--volatility", "ewma", "--format", "json")
    market = json.loads(out)["market"]
    assert code == 0
    assert market["assets"] == ["A", "B"]
    assert len(market["correlation"]) == 2


def test_files_may_be_named_by_their_assets(margin: Fit) -> None:
    """ASSET=FILE gives an asset its name; a file without takes its own."""
    _, out, _ = margin("fit", "BTC=A.csv", "B.csv", "--market", "gbm", "--format", "json")
    assert json.loads(out)["market"]["assets"] == ["BTC", "B"]


@pytest.mark.parametrize("arguments", [("X=A.csv", "X=B.csv"), ("B=A.csv", "B.csv"), ("A.csv", "other/A.csv")])
def test_an_asset_has_one_file(margin: Fit, tmp_path: Path, arguments: tuple[str, str]) -> None:
    """Two files of one asset, by its stated name or by their own, are refused with both names."""
    (tmp_path / "other").mkdir()
    write_prices(tmp_path / "other" / "A.csv", prices_of(jumping(600, 4)))
    code, out, err = margin("fit", *arguments, "--market", "gbm")
    assert (code, out) == (2, "")
    asset = arguments[0].partition("=")[0].removesuffix(".csv")
    first, second = (argument.rpartition("=")[2] for argument in arguments)
    assert f"{first} and {second} are both of {asset}: give each asset one file, as ASSET=FILE" in err


def test_the_market_of_an_option_keeps_what_the_config_states_beside_a_file(margin: Fit, tmp_path: Path) -> None:
    """A drift stated beside one file is that of the run on another; the table says which file and numbers were used."""
    for name, model in (("one", "gbm"), ("two", "merton")):
        assert margin("fit", "A.csv", "--market", model, "--output", f"{name}.toml")[0] == 0
    (tmp_path / "named.toml").write_text('[market]\nfile = "one.toml"\ndrift = 0.25\n' + CONFIG, encoding="utf-8")
    assert margin("validate", "named.toml", "--market", "two.toml")[0] == 0
    _, out, _ = margin("run", "named.toml", "--market", "two.toml")
    assert "merton market" in out
    assert "the market is that of two.toml" in out
    assert " 0.25 " in out


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_the_figure_is_drawn(margin: Fit, tmp_path: Path, suffix: str, start: bytes) -> None:
    """--plot writes a figure in the format of its suffix, the same each time."""
    assert margin("fit", "A.csv", "B.csv", "--market", "merton", "--plot", f"one{suffix}")[0] == 0
    assert margin("fit", "A.csv", "B.csv", "--market", "merton", "--plot", f"two{suffix}")[0] == 0
    one, two = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("one", "two"))
    assert one.startswith(start)
    assert one == two


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["A.csv", "--market", "mertn"], "did you mean merton?"),
        (["A.csv", "--market", "heston"], "'heston' is stated, not fitted"),
        (["A.csv", "--drift", "some"], "'zero', 'fitted'"),
        (["nix.csv"], "nix.csv"),
        (["A.csv", "--column", "open"], "open"),
        (["A.csv", "--market", "merton", "--volatility", "garch"], "belongs to gbm and filtered_historical"),
        (["A.csv", "--market", "gbm", "--volatility", "now"], "must be average, ewma or garch"),
        (["A.csv", "--output", "A.csv"], "must end in .toml or .json"),
        (["A.csv", "--output", "nix/market.toml"], "there is no folder"),
        (["A.csv", "--plot", "figure.pdf"], "must end in .png or .svg"),
        (["A.csv", "--column", "A=close", "--column", "A=date"], "names an asset twice"),
        (["A.csv", "--first", "2021-08-20", "--market", "merton"], "must have at least 31 rows"),
        (["A.csv", "--first", "2025-01-01"], "2021-08-23"),
        (["--market", "gbm"], "Missing argument"),
    ],
)
def test_wrong_input_is_refused_in_a_sentence(margin: Fit, tmp_path: Path, arguments: list[str], words: str) -> None:
    """Exit code 2, a line that names the mend, nothing on stdout and nothing written."""
    before = sorted(tmp_path.iterdir())
    code, out, err = margin("fit", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert all(line.startswith("error: ") for line in err.splitlines())
    assert sorted(tmp_path.iterdir()) == before


def _spoil(kind: str, folder: Path) -> list[str]:
    """Write a history that cannot be fitted; return its files."""
    prices = prices_of(jumping(200, 4))
    if kind == "short":
        prices = prices[:20]
    if kind == "constant":
        prices = np.full(200, 5.0)
    if kind == "other units":
        prices[100:] *= 1_000
    if kind == "returns":
        prices = np.diff(np.log(prices))
    write_prices(folder / "bad.csv", prices)
    if kind == "half missing":
        lines = (folder / "bad.csv").read_text(encoding="utf-8").splitlines()
        kept = [line if k % 2 else line.split(",")[0] + "," for k, line in enumerate(lines[1:])]
        (folder / "bad.csv").write_text("\n".join([lines[0], *kept]) + "\n", encoding="utf-8")
    if kind == "two clocks":
        text = (folder / "bad.csv").read_text(encoding="utf-8")
        (folder / "other.csv").write_text(text.replace(",", "T08:00,").replace("dateT08:00", "date"), encoding="utf-8")
        return ["bad.csv", "other.csv"]
    return ["bad.csv"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("short", "at least 31 rows"),
        ("constant", "move"),
        ("other units", "units"),
        ("returns", "returns"),
        ("half missing", "50%"),
        ("two clocks", "clock"),
    ],
)
def test_bad_histories_end_in_a_sentence(margin: Fit, tmp_path: Path, kind: str, words: str) -> None:
    """Each is refused with 2 and a line that says what is wrong with it."""
    code, out, err = margin("fit", *_spoil(kind, tmp_path), "--market", "merton")
    assert (code, out) == (2, "")
    assert words in err
    assert all(line.startswith("error: ") for line in err.splitlines())


def test_a_market_file_that_is_none_is_refused(margin: Fit, tmp_path: Path) -> None:
    """A file that is missing, or has no market, is named."""
    for name, words in (("nix.toml", "cannot be read"), ("margin.toml", "has no section [market]")):
        code, _, err = margin("run", "margin.toml", "--market", name)
        assert code == 2
        assert err.startswith("error: market.file: ")
        assert words in err
    (tmp_path / "old.toml").write_text("[market]\nfile = 3\n" + CONFIG, encoding="utf-8")
    assert "must be the name of a file" in margin("run", "old.toml")[2]


def test_numbers_of_toml_come_back(margin: Fit, tmp_path: Path) -> None:
    """What is written is TOML, with the same doubles, and what is unknown as nan."""
    assert margin("fit", "A.csv", "--market", "gbm", "--output", "market.toml")[0] == 0
    written = tomllib.loads((tmp_path / "market.toml").read_text(encoding="utf-8"))
    fit = kernel.Gbm.fit(kernel.read_prices(tmp_path / "A.csv"))
    assert written["market"] == fit.market.parameters() | {"drift": [0.0]}
    assert written["fit"]["drift"] == fit.market.parameters()["drift"]
    assert written["fit"]["standard_errors"]["volatility"] == fit.standard_errors["volatility"].tolist()

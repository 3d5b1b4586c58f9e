"""What `docs/extending.md` shows runs, from outside the package, and its numbers are those of closed forms.

What else holds for its market, instrument, rule, measure and rules is in the tests named `test_outside_*`.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import norm, norminvgauss

import kernel
from bench.oracles import gbm
from kernel.commands.main import main
from kernel.report.blocks import Figure, Heading, Points
from tests import processes
from tests.cases import ALARM, strays
from tests.extending import FILES, PAGE, USES, Nig, to_markdown, write_files

NU, SIGMA, MONTH = 0.1 - 0.65**2 / 2, 0.65, 30 / 365  # of the page's market
CONFIG = """
[market]
model = "nig"
assets = ["BTC"]
spot = 60_000.0
tail = 8.0
skewness = -2.0
scale = 3.0
[account]
cash = -27_000.0
maintenance_rate = 0.05
[[account.positions]]
type = "power"
asset = "BTC"
quantity = 1e-5
[ladder.tiers]
call = 4.0
[simulation]
horizon = "5d"
steps = 1
paths = 5_000
monitoring = "discrete"
record = "paths"
"""
Margin = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def page() -> Mapping[str, Any]:
    """Do what the page does with its files, in its order, and return the names that it leaves."""
    names: dict[str, Any] = {}
    for block in USES:
        exec(block, names)  # noqa: S102 - the page is what is tested
    return names


@pytest.fixture
def margin(tmp_path: Path) -> Margin:
    """Run the command of the page's script, in a folder with the page's files and a config."""
    write_files(tmp_path)
    (tmp_path / "margin.toml").write_text(CONFIG, encoding="utf-8")
    environment = {"PYTHONPATH": str(processes.ROOT), "COLUMNS": "100"}

    def call(*arguments: str) -> tuple[int, str, str]:
        return processes.finished([sys.executable, "mine.py", *arguments], cwd=tmp_path, environment=environment)

    return call


def near(estimate: kernel.Estimate, truth: float) -> bool:
    """Tell whether an estimate strays from the truth by less than the alarm."""
    return strays(estimate.value, truth, estimate.standard_error) < ALARM


def test_every_block_of_the_page_is_run() -> None:
    """No block is in another language than Python, and each file is one that the page uses or lists."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("```") == 2 * (len(FILES) + len(USES))
    everything = "\n".join([*USES, FILES["mine.py"]])
    for name in FILES.keys() - {"mine.py"}:
        assert re.search(rf"(from|import) {name[:-3]}\b|\"{name[:-3]}\"", everything)


def test_the_places_that_pages_name_exist() -> None:
    """Folders and files that are named there, and on the pages about the house and its kernels, are there."""
    pages = [PAGE, *(PAGE.with_name(name) for name in ("architecture.md", "kernels.md"))]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    for path, link in re.findall(r"`((?:kernel|tests|docs)/[\w/.]*)`|\]\((\w+\.md)\)", text):
        assert (processes.ROOT / path if path else PAGE.parent / link).exists()


def test_the_power_contract_breaches_as_the_closed_form_says(page: Mapping[str, Any]) -> None:
    """Its liquidation is the first passage of the price at which cash + q S**2 = 0.05 q S**2."""
    price = math.sqrt(27_000.0 / (0.95 * 1e-5))
    assert near(page["of_power"], float(gbm.hit_probability(math.log(price / 60_000.0), NU, SIGMA, MONTH)))


def test_the_brackets_breach_as_the_closed_form_says(page: Mapping[str, Any]) -> None:
    """The call is in the lower bracket, where S - 46,000 = 4 * 0.004 S."""
    price = 46_000.0 / (1 - 4 * 0.004)
    assert near(page["of_brackets"], float(gbm.hit_probability(math.log(price / 60_000.0), NU, SIGMA, MONTH)))


def test_the_market_loses_as_its_law_says(page: Mapping[str, Any]) -> None:
    """Value at Risk of the squared price is SciPy's quantile of the normal inverse Gaussian law."""
    size, root, moved = 3.0 * 5 / 365, math.sqrt(8.0**2 - 2.0**2), math.sqrt(8.0**2 - 1.0**2)
    centre = (0.1 + 3.0 * (moved - root)) * 5 / 365
    lowest = norminvgauss.ppf(0.01, 8.0 * size, -2.0 * size, loc=centre, scale=size)
    assert near(page["at_worst"], 36_000.0 * (1 - math.exp(2 * lowest)))


def test_the_measure_is_that_of_the_normal_law(page: Mapping[str, Any]) -> None:
    """The probability that one coin falls by 5,000 within five days, of antithetic paths."""
    fallen = (math.log(55_000.0 / 60_000.0) - NU * 5 / 365) / (SIGMA * math.sqrt(5 / 365))
    assert near(page["of_loss"], float(norm.cdf(fallen)))


def test_the_action_counts_each_breach_and_changes_no_bit(page: Mapping[str, Any]) -> None:
    """Rules that count see what rules that do nothing leave as `simulate` has it."""
    market, account, ladder = (page[name] for name in ("market", "linear", "ladder"))
    outcome = kernel.simulate(market, account, ladder, horizon="30d", steps=1, paths=20_000)
    for walked in (page["idle"], page["counted"]):
        assert walked.breach_time.tobytes() == outcome.breach_time.tobytes()
        assert walked.loss.tobytes() == outcome.loss.tobytes()
    np.testing.assert_array_equal(page["counting"].breaches, np.isfinite(outcome.breach_time))
    assert (page["counting"].breaches.sum(axis=1) > 100).all()


def test_the_script_runs_a_config_of_all_that_it_lists(margin: Margin) -> None:
    """A config names market and instrument, an option the form, a limit the measure, as of those in the package."""
    code, out, err = margin(
        "run", "margin.toml", "--quiet", "--format", "markdown", "--fail-if", "loss_probability(1000) > 1%"
    )
    assert "violated: loss_probability(1000) > 1%" in err
    assert code == 1
    assert "## Breaches\n\n| tier | level | breach probability |" in out
    assert margin("validate", "margin.toml")[0] == 0


def test_the_script_has_a_command_like_any_other(margin: Margin, tmp_path: Path) -> None:
    """It is listed, with help, report, JSON, file and refusals."""
    assert "  debt       Say how much of a position is borrowed.\n" in margin("--help")[1]
    assert "Usage: margin debt [OPTIONS] EQUITY NOTIONAL" in margin("debt", "--help")[1]
    assert margin("debt", "6000", "60000") == (0, "      amount\ndebt  54,000\n90 % are borrowed.\n", "")
    results = {"debt": 54_000.0, "share": 0.9}
    code, out, err = margin("debt", "6000", "60000", "--format", "json", "--output", "debt.json")
    assert (code, json.loads(out), err) == (0, results, "")
    assert json.loads((tmp_path / "debt.json").read_text(encoding="utf-8")) == results
    assert margin("debt", "1", "0") == (2, "", "error: notional: must be above 0, not 0\n")
    assert margin("debt", "1")[::2] == (2, "error: Missing argument 'NOTIONAL'. (see margin debt --help)\n")


def test_the_form_of_reports_writes_every_block() -> None:
    """Headings, points and figures too; those that it leaves out leave no gap."""
    blocks = [Heading("Notes"), Figure("none", pytest.fail), Points(["One.", "Another."])]
    assert to_markdown(blocks) == "## Notes\n\n- One.\n- Another.\n"


def test_the_market_is_compiled_beforehand_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """`margin warmup` takes a market that is watched at its steps alone, and says that it has one asset only."""
    monkeypatch.setattr("kernel.markets.MARKETS", {"nig": Nig})
    done = CliRunner().invoke(main, ["warmup"])
    assert done.exit_code == 0
    assert re.search(
        r"nig, one asset, single precision: [\d.]+ s\n.*several assets: none, assets: must be one", done.stderr
    )


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"tail": 1.0}, "tail: must be above -skewness and skewness"),
        ({"scale": 0.0}, "scale: must be above 0"),
        ({"assets": ["A", "B"]}, "assets: must be one"),
    ],
)
def test_the_market_refuses_what_it_cannot_be(stated: dict[str, Any], message: str) -> None:
    """What `check` notes is raised in one line."""
    with pytest.raises(kernel.InvalidInput, match=message) as refused:
        Nig(**{"assets": ["A"], "spot": 1.0, **Nig.example_parameters, **stated})
    assert len(refused.value.problems) == 1

"""Reports: blocks as text, and the same report for who simulates, fits or backtests in Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import kernel
from kernel.commands.main import main
from kernel.report import backtest, fit, run, threshold
from kernel.report.blocks import Figure, Heading, Paragraph, Points, Table, matrix
from kernel.report.introduction import Case
from kernel.report.text import to_text
from tests.cases import GBM, HORIZON, LADDER, LONG

CASE = Case(market=GBM, account=LONG, ladder=LADDER, levels=(0.9, 0.99))
RETURNS = 0.02 * np.random.default_rng(5).standard_normal(200)
PRICES = 100.0 * np.exp(np.cumsum(RETURNS))


def test_blocks_are_parts_with_an_empty_line_between() -> None:
    """Headings part the blocks, parts without a line are left out, and no figure stands in text."""
    blocks = [
        Heading("First"),
        Paragraph("A sentence."),
        Table(["tier", "level", ""], [["call", "2", "x"], ["liquidation", "10", ""]], texts=1),
        Heading("Nothing to say"),
        Points([]),
        Figure("A figure", lambda _: pytest.fail("drawn")),
        Heading("Last"),
        Points(["One.", "Another."]),
    ]
    assert to_text(blocks).splitlines() == [
        "A sentence.",
        "tier         level",
        "call             2  x",
        "liquidation     10",
        "",
        "- One.",
        "- Another.",
    ]


def test_text_has_at_most_100_columns() -> None:
    """Sentences are wrapped, points hang from their dashes; a matrix too wide for the page says where it stands."""
    long = "word " * 50
    lines = to_text([Paragraph(long), Points([long])]).splitlines()
    assert max(map(len, lines)) <= 100
    assert [line[:2] for line in lines] == ["wo", "wo", "wo", "- ", "  ", "  "]
    names = [f"asset {k}" for k in range(20)]
    (few,), (many,) = (matrix("correlation", names[:size], np.eye(size).tolist()) for size in (2, 20))
    assert to_text([few]).splitlines()[1].split() == ["asset", "0", "1.000", "0.000"]
    assert to_text([many]) == "correlation of 20 assets: see --format json\n"
    assert matrix("correlation", names[:1], [[1.0]]) == []


def test_an_outcome_of_python_has_the_report_of_the_command(tmp_path: Path) -> None:
    """What `margin run` and `margin threshold` print is what a case and its outcome give, but for the times."""
    settings: dict[str, Any] = {"horizon": HORIZON, "steps": 1, "paths": 2_000, "record": "summary"}
    config = {
        "market": GBM.parameters(),
        "account": LONG.parameters(),
        "ladder": LADDER.parameters(),
        "simulation": {**settings, "horizon": f"{HORIZON}y"},
        "measures": {"levels": [0.9, 0.99]},
    }
    path = tmp_path / "run.json"
    path.write_text(json.dumps(config), encoding="utf-8")

    def printed(*arguments: str) -> list[str]:
        done = CliRunner().invoke(main, list(arguments))
        assert done.exit_code == 0, done.output
        return [line for line in done.stdout.splitlines() if " s in all" not in line]

    outcome = kernel.simulate(GBM, LONG, LADDER, **settings, levels=CASE.levels)
    assert to_text(run.blocks(run.results(CASE, outcome))).splitlines() == printed("run", str(path))
    outcome = kernel.simulate(GBM, LONG, LADDER, **settings, levels=(0.9,), worst=[HORIZON])
    results = threshold.results(CASE, outcome, [0.1], [HORIZON])
    assert to_text(threshold.blocks(results)).splitlines() == printed("threshold", str(path), "--probability", "10%")


def test_a_fit_of_python_has_a_report() -> None:
    """A fit that comes of no file is reported without one, with its numbers and their errors."""
    fitted = kernel.Gbm.fit(PRICES, dt=1 / 365, assets=["BTC"])
    results = fit.results(fitted)
    assert results["history"] is None
    assert results["market"] == fitted.market.parameters()
    lines = to_text(fit.blocks(results)).splitlines()
    assert lines[0] == "gbm, fitted; ± standard error"
    row = next(line for line in lines if line.startswith("volatility")).split()
    error = float(fitted.standard_errors["volatility"][0])
    assert float(row[1]) == pytest.approx(float(fitted.market.volatility[0]), abs=error / 10)
    assert float(row[3]) == pytest.approx(error, rel=0.05)


def test_a_backtest_of_python_has_a_report() -> None:
    """So is a backtest: its head names no file, and everything else is that of the command."""
    tested = kernel.backtest(PRICES, market="gbm", dt=1 / 365, window=150, refit=50, paths=500, levels=[0.9])
    results = backtest.results(tested)
    assert results["history"] is None
    lines = to_text(backtest.blocks(results)).splitlines()
    assert lines[0].startswith(f"{tested.losses.size} forecasts of asset, 24 h ahead, 500 paths each, seed 0")
    assert any(line.startswith("Coverage at 90 % ") for line in lines)

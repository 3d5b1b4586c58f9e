"""The report of the benchmarks: README, page and figures from the JSON of a run, made up here."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from bench.pages.benchmarks import figures
from bench.pages.benchmarks.__main__ import write
from bench.pages.benchmarks.cases import UnusableError, ratio
from kernel.report.numbers import three_figures

STEPS, PATHS = 1_000_000, 10_000
SPEEDS = {
    "kernel": 2.0,
    "c": 1.9,
    "c with exp": 5.0,
    "numpy": 26.0,
    "numpy by hand": 12.0,
    "jax": 30.0,
    "quantlib": 400.0,
}  # ns a path-step
EXACT = {"exact": 3.0, "numpy bridge": 0.5}  # ns a path-step
BIASES = {"exact": 0.0, "numpy bridge": 0.0, "5 minutes": -0.02, "1 hour": -0.08, "1 day": -0.3}
Made = dict[str, dict[str, Any]]


def case(nanoseconds: float, **info: Any) -> dict[str, Any]:
    """Make up a case whose middle half reaches from 2% below its median to 3% above."""
    median = 1e-9 * nanoseconds * STEPS
    noted = {"steps": STEPS, "paths": PATHS, "threads": 1, **info}
    return {"stats": {"median": median, "q1": 0.98 * median, "q3": 1.03 * median}, "extra_info": noted}


def contest() -> Made:
    """Make up the contenders, on one processor, on two and on sixteen."""
    return {
        f"peers, {who}, {n}": case(speed / n**0.9, threads=n) for (who, speed), n in product(SPEEDS.items(), (1, 2, 16))
    }


def walks() -> Made:
    """Make up the kernel's own cases: each a little slower than the one before."""
    hows, models = ("discrete", "continuous"), ("gbm", "heston", "bates", "filtered")
    names = [f"gbm, {how}{rest}" for how in hows for rest in ("", ", double", ", one tier", ", 16 tiers")]
    names += [f"{model}, 120 days, {how}" for model in models for how in hows]
    names += [f"{count}, {how}" for count in ("one asset", "two assets", "ten assets") for how in hows]
    names += ["gbm, daily, continuous", "merton, daily, continuous", "merton, five days in one step, two threads"]
    return {name: case(2.0 + 0.1 * k) for k, name in enumerate(names)}


def errors() -> Made:
    """Make up times of every way to a probability, of both models and levels."""
    made = {}
    for model, level in product(("gbm", "merton"), ("liquidation", "rare")):
        for grid, bias in BIASES.items():
            for who in ("",) if grid in EXACT else ("kernel, ", "numpy, ", "numpy by hand, "):
                points = [
                    {"paths": n, "seconds": 1e-7 * n, "standard_error": n**-0.5, "error": n**-0.5 + 0.2 * abs(bias)}
                    for n in (10**3, 10**5)
                ]
                told = {"truth": 0.2, "truth_by": "a transform", "bias": 0.2 * bias, "bias_error": 1e-4}
                speed = EXACT.get(grid, 600.0 if who == "numpy, " else 90.0)
                made[f"error, {model}, {level}, {who}{grid}"] = case(speed, **told, relative_bias=bias, points=points)
        made |= {f"error, {model}, {level}, {method}, million": case(20 * speed) for method, speed in EXACT.items()}
    return made


def rest() -> Made:
    """Make up everything else."""
    normals = [f"normals {precision}" for precision in ("single", "double")]
    noise = product(("words", *normals), ("kernel", "numpy SFC64", "numpy Philox"))
    fits = [
        f"{kind} fit, {length}" for kind in ("Merton", "Kou") for length in ("five years of days", "two years of hours")
    ]
    measures = product(("value_at_risk", "expected_shortfall"), ("kernel", "numpy"))
    return {
        **{f"noise, {what}, {who}": case(1.5, numbers=STEPS) for what, who in noise},
        **{f"measures, {what}, {who}": case(90.0) for what, who in measures},
        "measures, both, kernel": case(100.0),
        **{f"rare breach, {how}": case(50.0, probability=1e-4, error=0.02) for how in ("plain", "tilted")},
        **{name: case(80.0) for name in fits},
        **{f"backtest, {market}": case(3e4) for market in ("merton", "filtered_historical", "auto")},
        "reading": case(200.0, rows=20_000),
        "threshold curve": case(30.0, levels=1_000),
        **{name: case(60.0) for name in ("calibrate_margin", "calibrate_ladder", "margin --help", "margin run, warm")},
        "margin run, cold cache": case(9_500.0),
        "100 million paths": case(1e4, small_mib=100.0, large_mib=140.0),
    }  # fmt: skip


Report = Callable[..., Path]


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """Write a report of made-up cases, but for some, into a folder with a README, with or without the figures."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(
        "before\n<!-- benchmarks: written by python -m bench.pages.benchmarks -->\nearlier run\n"
        "<!-- end of benchmarks -->\n"
        "after\n",
        encoding="utf-8",
    )

    def make(*absent: str, drawn: bool = False, **changes: Any) -> Path:
        made = contest() | walks() | errors() | rest()
        benchmarks = [
            {**one, "extra_info": {**one["extra_info"], "name": name}}
            for name, one in made.items()
            if not name.startswith(absent)
        ]
        machine = {"processor": "A Processor", "processors": 2, "system": "Linux x86_64"}
        told = {
            "machine": machine,
            "avx512": True,
            "versions": {"python": "3.11.7", "numba": "0.61.0", "JAX": "0.10.2"},
        }
        run = {"machine_info": {"margin": told}, "datetime": "2026-01-02T03:04:05", "benchmarks": benchmarks, **changes}
        (tmp_path / "bench.json").write_text(json.dumps(run), encoding="utf-8")
        if not drawn:
            monkeypatch.setattr(figures, "throughput", lambda *_: None)
            monkeypatch.setattr(figures, "error", lambda *_: None)
        write(tmp_path / "bench.json", tmp_path)
        return tmp_path

    return make


def test_the_readme_says_how_fast_beside_whom_on_what(report: Report) -> None:
    """Between the marks stand medians, quartiles and ratios of contenders, machine, versions, figures and biases."""
    text = (report() / "README.md").read_text(encoding="utf-8")
    assert text.startswith("before\n<!--")
    assert text.endswith("-->\nafter\n")
    assert "earlier run" not in text
    assert "| | one processor: ns a path-step | over the kernel | all 16: ns a path-step | over the kernel |" in text
    assert "| **margin-kernel** | 2.00 (1.96 to 2.06) |  | 0.165 (0.162 to 0.170) |  |" in text
    assert "| C by hand in AVX2 | 1.90 (1.86 to 1.96) | 0.95x | 0.157 (0.154 to 0.161) | 0.95x |" in text
    assert "| C by hand in AVX2, an exponential a step | 5.00 (4.90 to 5.15) | 2.50x | 0.412 " in text
    assert "The kernel uses vectors of 512 bits on this machine" in text
    assert "| NumPy | 26.0 (25.5 to 26.8) | 13.0x |" in text
    assert "| QuantLib, double precision, one tier only | 400 (392 to 412) | 200x |" in text
    assert (
        "A Processor, processors: 2, Linux x86_64; python 3.11.7, numba 0.61.0, JAX 0.10.2, on 2026-01-02"
        in " ".join(text.split())
    )
    joined = " ".join(text.split())
    assert "One exact step over five days takes 3.00 ms (2.94 to 3.09) to an error of 1%" in joined
    assert "in threaded NumPy takes 200x that, and its bias stays: -2.00% ± 0.05%." in joined
    assert "with nothing compiled yet 9.50 s (9.31 to 9.79)." in joined


def test_the_page_has_every_table(report: Report) -> None:
    """Walks, processors, noise, measures, errors and whole tasks, with what the contenders tell of themselves."""
    page = (report() / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert "![Throughput against processors](throughput.svg)" in page
    assert "liquidation of a tenfold long perpetual: 20%, by a transform." in page
    assert "| one exact step, kernel | 3.00 ms (2.94 to 3.09) |  | none in law (docs/accuracy.md) |" in page
    assert "| one exact step, NumPy by hand, one tier, no times | 0.500 ms (0.490 to 0.515) | 0.17x | none" in page
    assert "at 10,000 paths the kernel, on all processors, takes 6.00x their time, at a million 6.00x." in " ".join(
        page.split()
    )
    assert "| every 5 minutes, threaded NumPy | 600 ms (588 to 618) | 200x | -2.00% ± 0.05% |" in page
    assert "| 2 | 0.933, 1.87x one |" in page  # 2**0.9 of half a billion
    assert "| one tier | 2.20 (2.16 to 2.27) | 1.10x |" in page
    assert "| random words | 1.50 (1.47 to " in page
    assert "| of 10,000 losses | kernel, with an error | NumPy, without |" in page
    assert page.count("| every day, threaded NumPy |") == 4
    assert page.count("| 60.0 ms (58.8 to 61.8) | 10.0 ms (9.80 to 10.3) | 0.17x |") == 4  # a million paths
    assert "to 1%: with `importance` | 200 ms, 1.00x as fast |" in page  # 50 ms at twice the error
    assert "10.0 s (9.80 to 10.3); 40 MiB" in page


def test_the_figures_can_be_read_on_light_and_dark(report: Report) -> None:
    """Both figures are SVG with a white ground."""
    folder = report(drawn=True)
    found = [(folder / "docs" / f"{name}.svg").read_bytes() for name in ("throughput", "error")]
    assert all(b"<svg" in one and b"fill: #ffffff" in one for one in found)


def test_contenders_may_be_absent(report: Report) -> None:
    """A contender that is not installed is left out with a word; on one processor the second half is."""
    text = (report("peers, jax", "peers, quantlib", "peers, c") / "README.md").read_text(encoding="utf-8")
    assert "Absent from this run: C by hand in AVX2, C by hand in AVX2, an exponential a step, JAX" in text
    assert "| JAX" not in text
    text = (report("peers, kernel, 2", "peers, kernel, 16") / "README.md").read_text(encoding="utf-8")
    assert "| | one processor: ns a path-step | over the kernel |\n" in text
    assert "Absent" not in text


WRONG = [
    ("peers, kernel, 1", "no case 'peers, kernel, 1': run all of bench"),
    ("peers, numpy, 1", "no case 'peers, numpy, 1'"),
    ("peers, jax, 16", "no case 'peers, jax, 16'"),
    ("error, merton, liquidation, exact", "no case 'error, merton, liquidation, exact'"),
    ("error, merton, liquidation, exact, million", "no case 'error, merton, liquidation, exact, million'"),
    ("gbm, continuous", "no case 'gbm, continuous'"),
    ("margin run, warm", "no case 'margin run, warm'"),
]


@pytest.mark.parametrize(("absent", "message"), WRONG)
def test_a_missing_case_is_named(report: Report, tmp_path: Path, absent: str, message: str) -> None:
    """What a run lacks is named, and nothing is written."""
    before = (tmp_path / "README.md").read_text(encoding="utf-8")
    with pytest.raises(UnusableError, match=message):
        report(absent)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == before
    assert list((tmp_path / "docs").iterdir()) == []


def test_other_files_are_refused(report: Report, tmp_path: Path) -> None:
    """A file that is missing, no JSON, of something else, or without machine and versions is refused in a sentence."""
    with pytest.raises(UnusableError, match="does not tell its machine"):
        report(machine_info={})
    with pytest.raises(UnusableError, match="two cases are called 'x'"):
        report(benchmarks=[{**case(1.0, name="x")}, {**case(1.0, name="x")}])
    with pytest.raises(UnusableError, match="cannot be read: No such file"):
        write(tmp_path / "none.json", tmp_path)
    (tmp_path / "odd.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UnusableError, match="is not what pytest --benchmark-json writes"):
        write(tmp_path / "odd.json", tmp_path)
    (tmp_path / "README.md").write_text("no marks", encoding="utf-8")
    with pytest.raises(UnusableError, match="has no <!-- benchmarks"):
        report()


def test_numbers_have_three_figures() -> None:
    """Figures and ratios keep three figures, thousands whole."""
    assert [three_figures(one) for one in (0.01234, 2.0, 99.96, 999.4, 999.6, 12_345.6)] == [
        "0.0123",
        "2.00",
        "100",
        "999",
        "1,000",
        "12,346",
    ]
    assert [ratio(one) for one in (0.954, 9.996, 13.04, 99.96, 1_234.5)] == [
        "0.95x",
        "10.0x",
        "13.0x",
        "100x",
        "1,234x",
    ]

"""Turn the JSON of a benchmark run into the tables of the README.

pytest bench -n 0 --benchmark-json=bench.json && python -m bench.report bench.json README.md
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

Case = dict[str, Any]
_PROOFS = ("merton", "filtered_historical", "auto")
_BEGIN, _END = "<!-- benchmarks: written by bench/report.py -->", "<!-- end of benchmarks -->"


def _row(what: str, figure: str) -> str:
    return f"| {what} | {figure} |"


def _walk_rows(cases: dict[str, Case]) -> list[str]:
    def ns(name: str, work: str = "steps") -> float:
        return 1e9 * float(cases[name]["stats"]["min"]) / float(cases[name]["extra_info"][work])

    plain = "gbm, discrete"
    ten = f"{ns('ten assets, discrete'):.1f} ns an asset-step discrete, {ns('ten assets, continuous'):.1f} continuous"
    moving = [
        _row(
            f"{market}, 120 daily steps, over GBM: continuous, discrete",
            ", ".join(
                f"{ns(f'{name}, 120 days, {how}') / ns(f'gbm, 120 days, {how}'):.2f}x"
                for how in ("continuous", "discrete")
            ),
        )
        for name, market in (("heston", "Heston"), ("bates", "Bates"), ("filtered", "FilteredHistorical"))
    ]
    five = ns("merton, five days in one step, two threads", "paths")
    return [
        _row("GBM, one asset, four tiers, discrete, single precision, one thread", f"{ns(plain):.2f} ns a path-step"),
        _row("the same in chunked NumPy, over it", f"{ns('numpy, discrete') / ns(plain):.1f}x"),
        _row("two threads over one", f"{ns(plain) / ns('gbm, discrete, two threads'):.2f}x as fast"),
        _row("continuous (exact) monitoring over discrete", f"{ns('gbm, continuous') / ns(plain):.2f}x"),
        _row("double precision over single", f"{ns('gbm, discrete, double') / ns(plain):.2f}x"),
        _row(
            "Merton, 12 jumps a year, daily, continuous, over GBM",
            f"{ns('merton, daily, continuous') / ns('gbm, daily, continuous'):.2f}x",
        ),
        *moving,
        _row("five days of Merton in one exact step, two threads", f"{five:.0f} ns a path"),
        _row("ten correlated assets, four tiers, one thread", ten),
        _rare_row(cases),
    ]


def _rare_row(cases: dict[str, Case]) -> str:
    def seconds(name: str) -> float:  # to a standard error of 1%
        case = cases[f"rare breach, {name}"]
        return float(case["stats"]["min"]) * (float(case["extra_info"]["error"]) / 0.01) ** 2

    what = f"liquidation with probability {cases['rare breach, tilted']['extra_info']['probability']:.1e}, to 1%"
    plain, tilted = seconds("plain"), seconds("tilted")
    return _row(f"{what}: plain, with `importance`", f"{plain:.1f} s, {tilted:.3f} s ({plain / tilted:.0f}x)")


def _history_rows(cases: dict[str, Case]) -> list[str]:
    def seconds(name: str) -> str:
        return f"{float(cases[name]['stats']['median']):.2g} s"

    fits = [
        f"{kind} fit, {length}" for length in ("five years of days", "two years of hours") for kind in ("Merton", "Kou")
    ]
    rows = cases["reading"]["extra_info"]["rows"]
    proof = "backtest of 1,500 days, refit every 7, 100,000 paths a day: merton, filtered_historical, auto"
    proofs = [f"{float(cases[f'backtest, {one}']['stats']['median']):.0f} s" for one in _PROOFS]
    return [
        _row(f"reading {rows:,} hourly bars from CSV", seconds("reading")),
        *(_row(f"{fit}, with errors", seconds(fit)) for fit in fits),
        _row(proof, ", ".join(proofs)),
    ]


def _threshold_rows(cases: dict[str, Case]) -> list[str]:
    def seconds(name: str) -> str:
        return f"{float(cases[name]['stats']['median']):.2g} s"

    curve = cases["threshold curve"]["extra_info"]
    return [
        _row(
            f"`threshold_curve`, {curve['levels']:,} levels of {curve['paths']:,} paths, sorting included",
            seconds("threshold curve"),
        ),
        _row("`calibrate_margin`, maintenance and initial, a million paths each", seconds("calibrate_margin")),
        _row("`calibrate_ladder`, two tiers, seven simulations of 200,000 paths", seconds("calibrate_ladder")),
    ]


def _process_rows(cases: dict[str, Case]) -> list[str]:
    def seconds(name: str) -> float:
        return float(cases[name]["stats"]["median"])

    memory = cases["100 million paths"]["extra_info"]
    more = memory["large_mib"] - memory["small_mib"]
    return [
        _row("`margin --help`", f"{seconds('margin --help'):.2f} s"),
        _row("`margin run`, a million paths, warm", f"{seconds('margin run, warm'):.2f} s"),
        _row("`margin run`, nothing compiled yet", f"{seconds('margin run, cold cache'):.1f} s"),
        _row("100 million paths as a summary: time, peak memory above that of a million",
             f"{seconds('100 million paths'):.1f} s, {more:.0f} MiB"),
    ]  # fmt: skip


def _grid_rows(cases: dict[str, Case]) -> list[str]:
    exact = cases["exact"]["extra_info"]
    rows = []
    for name in ("exact", "5 minutes", "1 hour", "1 day"):
        info, time = cases[name]["extra_info"], 1e9 * float(cases[name]["stats"]["min"]) / 2**20
        missed = 100 * (info["probability"] / exact["probability"] - 1)
        figures = f"{100 * info['probability']:.3f}% ± {100 * info['error']:.3f}% | {missed:+.2f}% | {time:,.0f} ns"
        rows.append(f"| {'one exact step' if name == 'exact' else 'every ' + name} | {figures} |")
    return rows


def tables(report: Case) -> str:
    """Return the tables in Markdown."""
    cases = {case["extra_info"]["name"]: case for case in report["benchmarks"]}
    machine, cpu = report["machine_info"], report["machine_info"]["cpu"]
    name, count = cpu.get("brand_raw", machine["machine"]), cpu.get("count", "?")
    where = f"{name}, {count} processors, Python {machine['python_version']}"
    lines = [
        f"Measured on {where}, on {report['datetime'][:10]}; ratios within one run, of the best of five to ten rounds,",
        "histories and whole processes by their median.",
        "",
        "| measure | figure |",
        "|---|---|",
        *_walk_rows(cases),
        *_history_rows(cases),
        *_threshold_rows(cases),
        *_process_rows(cases),
        "",
        "What a grid misses: liquidation within five days of a tenfold long perpetual under Merton's model,",
        "1,048,576 paths, both processors.",
        "",
        "| looked at | probability | off by | a path |",
        "|---|---|---|---|",
        *_grid_rows(cases),
    ]
    return "\n".join(lines)


def main(source: str, target: str) -> None:
    """Write the tables between the marks in the target."""
    readme, text = Path(target), tables(json.loads(Path(source).read_text()))
    pattern = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    readme.write_text(pattern.sub(lambda _: f"{_BEGIN}\n{text}\n{_END}", readme.read_text()))


if __name__ == "__main__":
    main(*sys.argv[1:])

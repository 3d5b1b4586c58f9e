"""The README's part: how fast beside whom, on what; and what a grid misses."""

from __future__ import annotations

from typing import Any

from bench.pages.benchmarks.accuracy import plainly, to_one_percent, truth
from bench.pages.benchmarks.cases import Run, UnusableError
from bench.pages.benchmarks.contenders import contest
from bench.pages.markdown import wrapped

FIGURES = {"throughput": "Throughput against processors", "error": "Error against time"}


def where(run: Run) -> str:
    """Name machine and versions."""
    stated: dict[str, Any] = run.machine.get("margin", {})
    if not {"machine", "versions"} <= stated.keys():
        raise UnusableError("the run does not tell its machine and versions: run it with bench/timings/conftest.py")
    machine, versions = stated["machine"], stated["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items() if name != "margin-kernel")
    return f"{machine['processor']}, processors: {machine['processors']}, {machine['system']}; {named}"


def section(run: Run) -> list[str]:
    """Return the lines between the README's marks."""
    merton = "merton", "liquidation"
    warm, cold = run["margin run, warm"], run["margin run, cold cache"]
    return [
        *wrapped(
            "A year of geometric Brownian motion in 252 steps down four tiers, each step looked at, single precision, "
            "the same job for everyone, each as its own users would write it well (`docs/benchmarks.md` says how). "
            "Medians, with quartiles, of rounds taken in turns; compiling does not count."
        ),
        "",
        *contest(run),
        "",
        *wrapped(f"Measured on {where(run)}, on {run.date}."),
        "",
        *(line for name, title in FIGURES.items() for line in (f"![{title}](docs/{name}.svg)", "")),
        *wrapped(
            "One exact step against grids: the time with the paths that give the exact step a standard error of 1% of "
            f"the probability of a liquidation of a tenfold long perpetual within five days, under Merton's model "
            f"({truth(run, *merton)}), on all processors; a grid's bias stays, however many its paths."
        ),
        "",
        *to_one_percent(run, *merton),
        "",
        *wrapped(plainly(run, *merton)),
        "",
        *wrapped(
            f"`margin run`, a million paths: {warm.seconds()}; with nothing compiled yet {cold.seconds()}. By market, "
            "tiers, assets, precision, and for fits, backtests, noise and measures: `docs/benchmarks.md`."
        ),
    ]

"""The README's part: how fast beside whom, on what."""

from __future__ import annotations

from typing import Any

from bench.pages.benchmarks.accuracy import bias
from bench.pages.benchmarks.cases import Run, UnusableError, ratio
from bench.pages.benchmarks.contenders import contest
from bench.pages.markdown import wrapped


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
    exact, grid = (run[f"error, merton, liquidation, {method}"] for method in ("exact", "numpy, 5 minutes"))
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
        *wrapped(
            f"One exact step over five days takes {exact.seconds()} to an error of 1% of a liquidation's probability "
            f"under Merton's model; a grid of 5 minutes in threaded NumPy takes {ratio(grid.median / exact.median)} "
            f"that, and its bias stays: {bias(grid)}. `margin run`, a million paths: {warm.seconds()}; with nothing "
            f"compiled yet {cold.seconds()}. All of it: `docs/benchmarks.md`."
        ),
    ]

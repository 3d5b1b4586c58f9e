"""What `margin bench` measures: calls to be timed, and the figures that follow from their times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from kernel.benchmark.jobs import FIVE_DAYS, book_of_ten, perpetual, year
from kernel.measures import breach_probability, expected_shortfall, value_at_risk
from kernel.simulation.execution.workers import available_threads
from kernel.simulation.path_outcome import PathOutcome

PATHS = 2**17
ONE_PERCENT = 37_200  # paths: (1 - p) / p / 1%**2, of a liquidation's p = 21.19%
LEVEL = 0.99

# By name: what, for people, and in which unit.
MEASURES = {
    "gbm_discrete": ("GBM, discrete", "ns a path-step"),
    "gbm_continuous": ("GBM, continuous", "ns a path-step"),
    "gbm_double": ("GBM, discrete, double precision", "ns a path-step"),
    "gbm_all": ("GBM, discrete, all processors", "ns a path-step"),
    "scaling": ("all processors over one", "times as fast"),
    "merton_step": ("Merton, five days in one step", "ns a path"),
    "ten_assets": ("ten assets, continuous", "ns an asset-step"),
    "one_percent": ("1% error, Merton, all processors", "ms"),
    "tail": ("VaR and ES, 99%", "ns a loss"),
}


class Call(NamedTuple):
    """Something to time, and its figure if it took a second."""

    run: Callable[[], object]
    of_a_second: float


def calls(paths: int = PATHS) -> dict[str, Call]:
    """Return what is timed, by the measure's name, for walks of a number of paths."""
    threads = available_threads()
    walks = {
        "gbm_discrete": year(paths),
        "gbm_continuous": year(paths, monitoring="continuous"),
        "gbm_double": year(paths, precision="double"),
        "gbm_all": year(paths * threads, threads=threads),
        "merton_step": perpetual(True, 8 * paths, FIVE_DAYS, 1, threads=1),
        "ten_assets": book_of_ten(max(paths // 8, 1)),
    }
    timed = {name: Call(job.run, 1e9 / job.steps) for name, job in walks.items()}
    until = perpetual(True, ONE_PERCENT, FIVE_DAYS, 1)
    timed["one_percent"] = Call(lambda: breach_probability(until.run(), "liquidation"), 1e3)
    outcome = _losses(64 * paths)
    timed["tail"] = Call(
        lambda: (value_at_risk(outcome, LEVEL), expected_shortfall(outcome, LEVEL)), 1e9 / outcome.paths
    )
    return timed


def _losses(paths: int) -> PathOutcome:
    """Return an outcome of normal losses, in single precision."""
    loss = np.random.default_rng(0).standard_normal(paths, np.float32)
    none = np.empty((0, paths), np.float32)
    return PathOutcome(
        paths=paths, horizon=1.0, assets=(), tiers=(), opening_equity=1.0, provenance={},
        loss=loss, terminal_price=none, breach_time=none,
    )  # fmt: skip


def figures(timed: Mapping[str, Call], seconds: Mapping[str, float]) -> dict[str, float]:
    """Return the figure of each measure from the seconds that the calls of one round took."""
    found = {name: call.of_a_second * seconds[name] for name, call in timed.items()}
    found["scaling"] = found["gbm_discrete"] / found["gbm_all"]
    return {name: found[name] for name in MEASURES}

"""Do 95% intervals hold the truth in 95% of runs? Counted over many seeds."""

from __future__ import annotations

import math
from itertools import count

import numpy as np
from scipy.stats import binom

import kernel
from bench.pages.accuracy.comparison import Section, table
from bench.pages.accuracy.truths import HORIZON, LADDER, LONG, TAIL, Case, barrier, cases

PATHS = (1_000, 20_000)
TIER = "liquidation"


def _truths(case: Case) -> list[float]:
    level = barrier(LONG, TIER)
    tail = [case.loss(name, quantile, 1.0) for name, _, quantile in TAIL]
    return [case.hit_probability(level, HORIZON), case.median_hit_time(level, HORIZON), *tail]


def _estimates(case: Case, paths: int, seed: int) -> list[kernel.Estimate]:
    run = kernel.simulate(case.market, LONG, LADDER, horizon=HORIZON, steps=1, paths=paths, seed=seed, threads=1)
    tail = [measure(run, level) for _, measure, level in TAIL]
    return [kernel.breach_probability(run, TIER), kernel.breach_time_quantile(run, TIER, 0.5), *tail]


def coverage(runs: int) -> Section:
    """Count how often intervals hold the truth, and compare stated errors with how estimates really spread."""
    names = [f"P({TIER})", f"median to {TIER}", *(name for name, *_ in TAIL)]
    rows, seeds = [], count(10_000)
    for case in cases():
        truths = np.array(_truths(case))
        for paths in PATHS:
            found = np.array([_estimates(case, paths, next(seeds)) for _ in range(runs)])  # [run, measure, part]
            value, error, low, high = np.moveaxis(found, 2, 0)
            held = ((low <= truths) & (truths <= high)).mean(axis=0)
            spread = value.std(axis=0, ddof=1)
            off = (value.mean(axis=0) - truths) / spread
            for k, name in enumerate(names):
                own = math.sqrt(held[k] * (1 - held[k]) / runs)
                rows.append([
                    case.name, f"{paths:,}", name, f"{100 * held[k]:.1f} ± {100 * own:.1f}",
                    f"{error[:, k].mean() / spread[k]:.3f} ± {1 / math.sqrt(2 * runs):.3f}",
                    f"{off[k]:+.3f} ± {1 / math.sqrt(runs):.3f}",
                ])  # fmt: skip
    heads = ["market", "paths", "measure", "held, %", "stated over actual error", "mean bias over actual error"]
    return Section(table(heads, rows), [])


def due() -> str:
    """Return how often, in percent, VaR's interval of the fewest paths is to hold the truth: it runs between ranks."""
    losses = binom(PATHS[0], 1 - TAIL[0][2])
    low, high = losses.ppf([0.025, 0.975])
    return f"{100 * (losses.cdf(high) - losses.cdf(low - 1)):.1f}"

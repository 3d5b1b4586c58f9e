"""Is every measure of one asset exact, at any number of steps and on a grid? Beside the truth."""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

import numpy as np

import kernel
from bench.oracles import grid_passage
from bench.pages.accuracy.comparison import Comparison, Section, table
from bench.pages.accuracy.truths import HORIZON, LADDER, SIDES, TAIL, Case, barrier, cases

STEPS, GRIDS = (1, 5, 120), (5, 120, 1_440)
_EXTENT = 1.0  # no path leaves it, as a log price, but for what can be neglected
_HOURS = 365 * 24


class Row(NamedTuple):
    """A measure, its comparison, and how both are written: multiplied by a scale, with so many digits."""

    name: str
    compared: Comparison
    scale: float
    digits: int

    def cells(self, steps: int) -> list[str]:
        """Return the row of the table."""
        truth, (value, error, *_) = self.compared.truth, self.compared.estimate
        written = [f"{self.scale * number:,.{self.digits}f}" for number in (truth, value, error)]
        return [
            self.name, f"{steps}", written[0], f"{written[1]} ± {written[2]}", self.compared.bias,
            f"{self.compared.z:+.1f}",
        ]  # fmt: skip


def simulate(case: Case, account: kernel.Account, steps: int, paths: int, seed: int, monitoring: str) -> kernel.Outcome:
    """Simulate five days of an account."""
    return kernel.simulate(
        case.market, account, LADDER, horizon=HORIZON, steps=steps, paths=paths, seed=seed, monitoring=monitoring
    )


def truths(case: Case, account: kernel.Account) -> dict[str, float]:
    """Return the true measures."""
    known, side = {}, account.positions[0].quantity
    for tier in LADDER.names:
        known[f"P({tier}), %"] = case.hit_probability(barrier(account, tier), HORIZON)
        known[f"median to {tier}, hours"] = case.median_hit_time(barrier(account, tier), HORIZON)
    return known | {name: case.loss(name, level, side) for name, _, level in TAIL}


def measured(run: kernel.Outcome, known: dict[str, float]) -> list[Row]:
    """Compare every measure of a run."""
    rows = []
    for tier in LADDER.names:
        chance, median = f"P({tier}), %", f"median to {tier}, hours"
        rows.append(Row(chance, Comparison(known[chance], kernel.breach_probability(run, tier)), 100, 3))
        found = kernel.breach_time_quantile(run, tier, 0.5)
        rows.append(Row(median, Comparison(known[median], found), _HOURS, 3))
    return rows + [Row(name, Comparison(known[name], measure(run, level)), 1, 1) for name, measure, level in TAIL]


def continuous(paths: int) -> Section:
    """Compare every measure of the continuously watched account."""
    lines, comparisons, seeds = [], [], count(1)
    for side, account in SIDES.items():
        for case in cases():
            known = truths(case, account)
            by_steps = [
                measured(simulate(case, account, steps, paths, next(seeds), "continuous"), known) for steps in STEPS
            ]
            rows = [row.cells(n) for rows in zip(*by_steps, strict=True) for n, row in zip(STEPS, rows, strict=True)]
            heads = ["measure", "steps", "truth", "estimate ± error", "bias in % ± error", "z"]
            lines += [f"**{case.name}, {side}**", "", *table(heads, rows), ""]
            comparisons += [row.compared for rows in by_steps for row in rows]
    return Section(lines, comparisons)


def on_a_grid(paths: int) -> Section:
    """Compare breaches found at the ends of the steps alone with the truth of that grid."""
    lines, comparisons, seeds = [], [], count(101)
    for case in cases():
        rows = []
        for side, account in SIDES.items():
            for steps in GRIDS:
                run = simulate(case, account, steps, paths, next(seeds), "discrete")
                for tier in LADDER.names:
                    row, compared = _grid_row(case, account, tier, steps, run)
                    rows.append([f"{side}, {tier}", f"{steps:,}", *row])
                    comparisons.append(compared)
        heads = ["account, tier", "steps", "truth", "corrected", "estimate ± error", "bias in % ± error", "z"]
        heads += ["missed, %", "median: truth, found"]
        lines += [f"**{case.name}**", "", *table(heads, rows), ""]
    return Section(lines, comparisons)


def _grid_row(
    case: Case, account: kernel.Account, tier: str, steps: int, run: kernel.Outcome
) -> tuple[list[str], Comparison]:
    level = barrier(account, tier)
    reached = grid_passage.hit_probabilities(level, case.exponent, HORIZON, steps, _EXTENT)
    moved = grid_passage.corrected(level, case.volatility, HORIZON / steps)
    compared = Comparison(float(reached[-1]), kernel.breach_probability(run, tier))
    value, error, *_ = compared.estimate
    median = int(np.searchsorted(reached, reached[-1] / 2)) + 1
    found = round(kernel.breach_time_quantile(run, tier, 0.5).value / HORIZON * steps)
    unwatched = 1 - reached[-1] / case.hit_probability(level, HORIZON)
    corrected = case.hit_probability(moved, HORIZON)
    return [
        f"{100 * reached[-1]:.3f}", f"{100 * corrected:.3f}", f"{100 * value:.3f} ± {100 * error:.3f}",
        compared.bias, f"{compared.z:+.1f}", f"{100 * unwatched:.1f}", f"{median:,}, {found:,}",
    ], compared  # fmt: skip

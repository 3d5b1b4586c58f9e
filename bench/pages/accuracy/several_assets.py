"""How far is the bridge of several assets from the truth, or from itself on a fine grid? Its bias by steps."""

from __future__ import annotations

import math
from itertools import count
from typing import Any, NamedTuple

import kernel
from bench.oracles import gbm
from bench.pages.accuracy.comparison import Comparison, Section, table
from bench.timings import jobs

GRID, FINE = (1, 4, 16, 64), 256
_VOLATILITY, _RATE = 0.65, 0.005


class Book(NamedTuple):
    """A job, and the probability of liquidation where there is a closed form."""

    name: str
    job: jobs.Job
    tier: str = "liquidation"
    truth: float | None = None
    exact: bool = False
    """Whether the bridge is exact here at any number of steps."""
    hard: bool = False


def _pair(correlation: float, volatility: list[float], spot: list[float]) -> kernel.Gbm:
    matrix = [[1.0, correlation], [correlation, 1.0]]
    return kernel.Gbm(assets=["A", "B"], spot=spot, volatility=volatility, correlation=matrix)


def _account(cash: float, quantities: tuple[float, float], rate: float, *entry: float) -> kernel.Account:
    prices = entry or (0.0, 0.0)
    held = [
        kernel.Linear(name, quantity, price) for name, quantity, price in zip("AB", quantities, prices, strict=True)
    ]
    return kernel.Account(cash=cash, positions=held, maintenance_rate=rate)


def _in_closed_form(paths: int) -> list[Book]:
    """Return books whose equity is an affine function of one lognormal price, or of the ratio of two."""
    settings = {"horizon": jobs.FIVE_DAYS, "steps": 1, "paths": paths}
    ladder = kernel.Ladder({"liquidation": 1.0})
    alike, nu = _pair(1.0, [_VOLATILITY] * 2, [100.0] * 2), -(_VOLATILITY**2) / 2
    ratio = _pair(0.8, [0.65, 0.8], [100.0, 100.0])
    spread = math.sqrt(0.65**2 + 0.8**2 - 2 * 0.8 * 0.65 * 0.8)
    ratio_nu = -(0.65**2) / 2 + 0.8**2 / 2

    def hit(level: float, drift: float, volatility: float) -> float:
        return float(gbm.hit_probability(level, drift, volatility, jobs.FIVE_DAYS))

    together = hit(math.log(180 / (2 - 2 * _RATE) / 100), nu, _VOLATILITY)
    against = hit(math.log(0.95 * (1 + _RATE) / (1 - _RATE)), ratio_nu, spread)
    basis = hit(math.log(90 / (1 - 5 * _RATE) / 100), nu, _VOLATILITY)
    both, legs, three = (1.0, 1.0), (1.0, -0.95), (3.0, -2.0)
    return [
        Book("long two perfectly correlated", jobs.Job(alike, _account(-180.0, both, _RATE), ladder, settings),
             truth=together, exact=True),
        Book("long one, short another, no cash", jobs.Job(ratio, _account(0.0, legs, _RATE), ladder, settings),
             truth=against, exact=True),
        Book("long 3, short 2 perfectly correlated", jobs.Job(alike, _account(-90.0, three, _RATE), ladder, settings),
             truth=basis, hard=True),
    ]  # fmt: skip


def books(paths: int) -> list[Book]:
    """Return the books of the page, the tame ones first."""
    settings: dict[str, Any] = {"horizon": jobs.FIVE_DAYS, "steps": 1, "paths": paths}
    ladder, spot = kernel.Ladder({"liquidation": 1.0}), [60e3, 3e3]
    pair, wild = _pair(0.8, [0.65, 0.8], spot), _pair(0.0, [2.0, 0.5], [100.0, 100.0])
    together, against = (_account(cash, (1.0, side), 0.005, *spot) for cash, side in ((12e3, 20.0), (8e3, -20.0)))
    ten = jobs.book_of_ten(paths // 4, horizon=0.1, steps=1, threads=None)
    *exact, basis = _in_closed_form(paths)
    quarter = settings | {"horizon": 90 / 365}
    return [
        *exact,
        Book("long two", jobs.Job(pair, together, ladder, settings)),
        Book("long one, short the other", jobs.Job(pair, against, ladder, settings)),
        Book("ten, long and short: first of four tiers", ten, tier="warning"),
        basis,
        Book("volatilities 200% and 50%, 90 days",
             jobs.Job(wild, _account(-120.0, (1.0, 1.0), 0.05), ladder, quarter), hard=True),
    ]  # fmt: skip


def several_assets(paths: int) -> Section:
    """Compare the bridge at few steps, and discrete monitoring, with the closed form or the bridge on a fine grid."""
    rows, comparisons, biased, seeds = [], [], [], count(201)
    for book in books(paths):

        def found(steps: int, monitoring: str, book: Book = book) -> kernel.Estimate:
            run = book.job.run(steps=steps, monitoring=monitoring, record="summary", seed=next(seeds))
            return kernel.breach_probability(run, book.tier)

        fine = found(FINE, "continuous")
        truth = (book.truth, 0.0) if book.truth is not None else (fine.value, fine.standard_error)
        exactly = f"{100 * truth[0]:.3f}" if book.truth is not None else f"{100 * truth[0]:.3f} ± {100 * truth[1]:.3f}"
        for monitoring in ("continuous", "discrete"):
            steps = [Comparison(truth[0], found(n, monitoring), truth[1]) for n in GRID]
            last = fine if monitoring == "continuous" else found(FINE, monitoring)
            finest = Comparison(truth[0], last, 0.0 if book.truth is not None else truth[1])
            known = monitoring == "discrete" or book.truth is not None
            row = [book.name, monitoring, exactly, *(one.bias for one in steps), finest.bias if known else "reference"]
            rows.append(row)
            if book.hard and monitoring == "continuous":
                biased.append(f"{book.name}: {steps[0].bias}% in one step, {steps[-1].bias}% in {GRID[-1]}.")
            if book.exact and monitoring == "continuous":
                comparisons += [*steps, finest]
    heads = ["book", "monitoring", "truth, %", *(f"{n} step{'s' if n > 1 else ''}" for n in GRID), f"{FINE} steps"]
    return Section(table(heads, rows), comparisons, biased)

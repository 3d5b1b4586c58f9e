"""Write docs/one_step.md: how often the returns that came passed what markets fitted before them had stated.

python -m bench.pages.one_step "TITLE=FILE" "TITLE=FILE#COLUMN" ...

The S&P 500 of examples/ comes first; a title says whose prices a file holds, of when, and where they are from.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

import kernel
from bench.pages.markdown import wrapped

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "docs" / "one_step.md"
OURS = f"S&P 500, daily, 2009 to 2018 (`examples/sp500.csv`)={ROOT / 'examples' / 'sp500.csv'}"
LEVELS = np.array([0.95, 0.99])
WINDOWS = (1_000, 400)  # returns that a fit sees: the second of histories that would leave few forecasts
REFIT = 50
DAYS, HOURS = 10, 24  # of many steps
HOUR = 1 / 8_760  # years
PATHS = 5_000
MOST = 3.0  # standard errors
KINDS = {"FilteredHistorical": kernel.FilteredHistorical, "Gbm": kernel.Gbm}
METHODS = ("ewma", "garch")

Vector = NDArray[np.float64]


class Row(NamedTuple):
    """What came of the forecasts of one market."""

    market: str
    method: str
    forecasts: int
    passed: Vector
    """Share of returns below and above each level: falls at 95% and 99%, rises at 95% and 99%."""
    mean_square: float = math.nan
    """Of returns over stated standard deviations."""

    @property
    def strays(self) -> Vector:
        """Return by how many standard errors of independent trials the shares are off."""
        chances = np.tile(1 - LEVELS, 2)
        return np.asarray((self.passed - chances) / np.sqrt(chances * (1 - chances) / self.forecasts))


def read(argument: str) -> tuple[str, kernel.History]:
    """Return the title and the prices of one series."""
    title, _, source = argument.partition("=")
    path, _, column = source.partition("#")
    return title, kernel.read_prices(path, columns=column or None)


def law(market: Any, dt: float) -> tuple[Vector, float]:
    """Return quantiles of the next log return under a market, in the order of `Row.passed`, and its variance."""
    shares = np.r_[1 - LEVELS, LEVELS]
    deviation, growth = market.volatility[0] * math.sqrt(dt), market.drift[0] * dt
    if isinstance(market, kernel.Gbm):
        return growth - deviation**2 / 2 + deviation * ndtri(shares), deviation**2
    moves = deviation * market.residuals[:, 0]
    return growth - math.log(np.exp(moves).mean()) + np.quantile(moves, shares), float(moves.var())


def markets(history: kernel.History, kind: Any, method: str, every: int) -> Iterator[tuple[int, Any]]:
    """Yield rows and the markets known there, fitted every `REFIT` rows and brought up to date between."""
    prices, returns = history.prices, np.diff(np.log(history.prices), axis=0)
    window = next(size for size in WINDOWS if len(returns) > 1.5 * size)
    for row in range(window, len(returns), REFIT):
        fit = kind.fit(prices[row - window : row + 1], dt=history.dt, volatility=method)
        for later in range(row, min(row + REFIT, len(returns))):
            if (later - window) % every == 0:
                yield later, fit.after(returns[row:later])


def one_step(history: kernel.History, kind: str, method: str) -> Row:
    """Compare each next return with the law stated before it."""
    returns = np.diff(np.log(history.prices[:, 0]))
    gaps = np.zeros(len(returns), dtype=bool) if history.gaps is None else history.gaps
    passed, squares = [], []
    for row, market in markets(history, KINDS[kind], method, 1):
        if gaps[row]:
            continue
        quantiles, variance = law(market, history.dt)
        passed.append(np.r_[returns[row] < quantiles[:2], returns[row] > quantiles[2:]])
        squares.append((returns[row] - market.drift[0] * history.dt) ** 2 / variance)
    return Row(kind, method, len(passed), np.mean(passed, axis=0), float(np.mean(squares)))


def many_steps(history: kernel.History, method: str, steps: int, held: bool = False) -> Row:
    """Compare each return over some steps, one after another, with simulated ones; `held`: alpha is 1 - beta."""
    account = kernel.Account(cash=0.0, positions=[kernel.Linear("asset", 1.0)], maintenance_rate=0.01)
    settings: dict[str, Any] = {"horizon": steps * history.dt, "steps": steps, "paths": PATHS}
    gaps = np.zeros(len(history.prices) - 1, dtype=bool) if history.gaps is None else history.gaps
    passed = []
    for row, fitted in markets(history, kernel.FilteredHistorical, method, steps):
        if row + steps >= len(history.prices) or gaps[row : row + steps].any():
            continue
        market = replace(fitted, alpha=1 - fitted.beta) if held else fitted
        ladder = kernel.Ladder({"call": 1.0})
        outcome = kernel.simulate(market, account, ladder, monitoring="discrete", seed=row, **settings)
        quantiles = np.quantile(np.asarray(outcome.terminal_price)[0], np.r_[1 - LEVELS, LEVELS])
        came = market.spot[0] * history.prices[row + steps, 0] / history.prices[row, 0]
        passed.append(np.r_[came < quantiles[:2], came > quantiles[2:]])
    name = "FilteredHistorical" + (", alpha = 1 - beta" if held else "")
    return Row(name, method, len(passed), np.mean(passed, axis=0))


def table(rows: list[Row]) -> list[str]:
    """Return the rows; what strays further than `MOST` is bold."""
    sized = not math.isnan(rows[0].mean_square)
    heads = ["market", "volatility", "forecasts", *["mean square"] * sized]
    heads += [f"{side} {100 * level:g}%" for side in ("falls", "rises") for level in LEVELS]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row in rows:
        cells = [row.market, row.method, f"{row.forecasts:,}", *[f"{row.mean_square:.2f}"] * sized]
        for share, z in zip(row.passed, row.strays, strict=True):
            cell = f"{100 * share:.2f}% ({round(z, 1) + 0.0:+.1f})"
            cells.append(f"**{cell}**" if abs(z) > MOST else cell)
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


INTRODUCTION = f"""
Written by `python -m bench.pages.one_step`. A market is fitted to the {WINDOWS[0]:,} returns before a row ({WINDOWS[1]}
where a history would leave few forecasts), again every {REFIT} rows, and brought up to date with each return between
(`Fit.after`). Its law of the next log return is compared with the return that came: how many fell below the 5% and 1%
quantiles (Value at Risk of a long position at 95% and 99%), how many rose above the 95% and 99% ones (of a short
one). In brackets stands by how many standard errors of independent trials that is off 5% and 1%; beyond {MOST:g} it is
bold. `mean square` is that of the returns over the stated standard deviations: 1 where their size is right.
"""

LIMITS = """
`FilteredHistorical` takes its quantiles from the residuals, and holds on all of these prices. `Gbm` has their size and
not their shape: one normal law passes 99% up to two and a half times too often wherever returns have fat tails; and
where these are very fat, as of hours, or thin on one side, as of rises of stocks, its 95% is too wide. Take
`FilteredHistorical`, or a market that jumps, for tails.
"""

MANY = f"""
The same over many steps, one horizon after another, by {PATHS:,} simulated paths. With EWMA alpha + beta is above 1 and
the simulated variance grows from step to step, as a note of the fit says: the rows with alpha = 1 - beta show what
came if it did not. Few horizons fit into a history: a standard error is wide here, and clusters of volatility make
it wider than it looks.
"""


def main() -> None:
    """Write the page."""
    start = time.perf_counter()
    text = ["# One-step forecasts of volatility on real prices", "", *wrapped(INTRODUCTION), "", *wrapped(LIMITS), ""]
    later = ["## Many steps", "", *wrapped(MANY), ""]
    for title, history in map(read, (OURS, *sys.argv[1:])):
        steps = HOURS if history.dt < 2 * HOUR else DAYS
        text += [f"## {title}", "", *table([one_step(history, kind, way) for kind in KINDS for way in METHODS])]
        rows = [many_steps(history, *how) for how in (("ewma", steps), ("ewma", steps, True), ("garch", steps))]
        later += [f"### {title}: {steps} steps", "", *table(rows)]
    TARGET.write_text("\n".join(text + later), encoding="utf-8")
    print(f"{time.perf_counter() - start:.0f} s")  # noqa: T201 - a script says how long it took


if __name__ == "__main__":
    main()

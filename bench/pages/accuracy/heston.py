"""How far Heston's and Bates's markets are from the truth, by the size of their steps."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np

import kernel
from bench.oracles import heston, quantlib_heston
from bench.oracles.heston import PUBLISHED, Law
from bench.pages.accuracy.comparison import Section, prose
from kernel._core.covariance import Local

PATHS = 2_000_000
PUBLISHED_PATHS = PATHS // 2  # hundreds of steps
SEEDS = 4  # for the short horizons, whose steps are few: as many runs together
SPOT = quantlib_heston.SPOT
CRYPTO = Law(0.5, 3.0, 0.5, 1.5, -0.3)
A_YEAR, SHORT, PASSAGE = (1, 2, 4, 8, 16, 32), (1, 2, 5, 10, 30), (1, 2, 5, 10, 30)
BELOW = 0.1  # percent of the price
DAYS = (5, 30)
BARRIERS = {"95%": 0.75, "85%": 0.25}  # of the opening price: as fractions of the equity of LONG and SHORT_SALE
OPPOSITE = {"105%": 0.75, "115%": 0.25}
LONG = kernel.Account(cash=-80.0, positions=[kernel.Linear("A", quantity=1.0)], maintenance_rate=0.01)
SHORT_SALE = kernel.Account(cash=120.0, positions=[kernel.Linear("A", quantity=-1.0)], maintenance_rate=0.01)


def market(law: Law, kind: type[kernel.Heston] = kernel.Heston) -> kernel.Heston:
    """Return the market of a law: Bates's where it jumps."""
    names = "variance", "mean_reversion", "long_variance", "volatility_of_variance", "price_variance_correlation"
    stated: dict[str, Any] = {"assets": ["A"], "spot": SPOT, **dict(zip((*names, "drift"), law[:6], strict=True))}
    if not law.jump_intensity:
        return kind(**stated)
    jumps = dict(zip(("jump_intensity", "jump_mean", "jump_volatility"), law[6:], strict=True))
    return kernel.Bates(**stated, **jumps)


class Straight(kernel.Heston):
    """The same market, with bridges that do not know that the variance moves with the price."""

    between_steps = "approximate"

    def step(self, real: Any, span: float) -> NamedTuple:
        """Return Heston's step, its lift left out."""
        step = self._heston(real, span)
        factor = step.local.covariance.factor
        return step._replace(local=step.local._replace(covariance=Local(factor, np.zeros_like(factor))))


class Option(NamedTuple):
    """A European option and what it is worth, not discounted."""

    name: str
    kind: Literal["call", "put"]
    strike: float
    worth: float


def _biases(
    law: Law, t: float, steps: int, options: list[Option], paths: int, seeds: int = 1
) -> list[tuple[float, float]]:
    """Return how far each option is off, and the standard error, in percent of its worth.

    The closing price, whose mean is known, is the control variate. Steps that the market refuses give NaN.
    """
    ladder = kernel.Ladder({"never": -1e9}, metric="equity_fraction")
    settings: dict[str, Any] = {"horizon": t, "steps": steps, "paths": paths, "monitoring": "discrete"}
    try:
        runs = [kernel.simulate(market(law), LONG, ladder, **settings, seed=steps + 100 * k) for k in range(seeds)]
    except kernel.InvalidInput:
        return [(math.nan, math.nan)] * len(options)
    prices = np.concatenate([run.terminal_price[0].astype(float) for run in runs])
    found = []
    known = prices - SPOT * math.exp(law.drift * t)
    for option in options:
        payoff = np.maximum(prices - option.strike if option.kind == "call" else option.strike - prices, 0.0)
        rest = payoff - np.mean((payoff - payoff.mean()) * known) / known.var() * known
        found.append((float(rest.mean()) - option.worth, float(rest.std()) / math.sqrt(prices.size)))
    return [(100 * off / one.worth, 100 * error / one.worth) for (off, error), one in zip(found, options, strict=True)]


def _enough(biases: list[tuple[float, float]], grid: tuple[int, ...]) -> str:
    """Return the number of steps from which on no bias above BELOW is seen: two standard errors are allowed for."""
    seen = [steps for steps, (off, error) in zip(grid, biases, strict=True) if not abs(off) - 2 * error <= BELOW]
    later = [steps for steps in grid if steps > max(seen, default=0)]
    return f"{later[0]}" if later else f"more than {grid[-1]}"


def _rows(options: list[Option], columns: list[list[tuple[float, float]]], grid: tuple[int, ...]) -> list[str]:
    rows = []
    for option, biases in zip(options, zip(*columns, strict=True), strict=True):
        cells = " | ".join("refused" if math.isnan(off) else f"{off:+.2f} ± {error:.2f}" for off, error in biases)
        rows.append(f"| {option.name} | {option.worth:.4f} | {cells} | {_enough(list(biases), grid)} |")
    return rows


def _head(first: str, worth: str, grid: tuple[int, ...], last: str) -> list[str]:
    steps = " | ".join(f"{n} step{'s' if n > 1 else ''}" for n in grid)
    return [f"| {first} | {worth} | {steps} | {last} |", "|---" * (len(grid) + 3) + "|"]


def published() -> list[str]:
    """Compare the published calls with simulations by steps a year."""
    rows = _head("call", "worth", A_YEAR, "enough")
    laws = {(case.law, case.t): case.discount_rate for case in PUBLISHED.values()}
    for (law, t), rate in laws.items():
        options = [
            Option(name, "call", case.strike, case.price * math.exp(rate * t))
            for name, case in PUBLISHED.items()
            if (case.law, case.t) == (law, t)
        ]
        rows += _rows(options, [_biases(law, t, round(n * t), options, PUBLISHED_PATHS) for n in A_YEAR], A_YEAR)
    return rows


def short_horizons() -> list[str]:
    """Compare options on a crypto-like asset over days with the transform."""
    rows = _head("option", "worth", SHORT, "enough")
    kinds: list[tuple[Literal["call", "put"], float]] = [("put", 85.0), ("put", 95.0), ("call", 100.0), ("call", 115.0)]
    for days in DAYS:
        t = days / 365
        options = [
            Option(f"{days} d, {kind} at {strike:g}", kind, strike, heston.price(kind, SPOT, strike, CRYPTO, t))
            for kind, strike in kinds
        ]
        rows += _rows(options, [_biases(CRYPTO, t, n, options, PATHS, SEEDS) for n in SHORT], SHORT)
    return rows


def _passages(kind: type[kernel.Heston], account: kernel.Account, days: int, steps: int) -> list[kernel.Estimate]:
    ladder = kernel.Ladder(BARRIERS if account is LONG else OPPOSITE, metric="equity_fraction")
    settings: dict[str, Any] = {"horizon": days / 365, "steps": steps, "paths": PATHS, "record": "summary"}
    run = kernel.simulate(market(CRYPTO, kind), account, ladder, **settings)
    return [kernel.breach_probability(run, tier) for tier in ladder.names]


def first_passage() -> list[str]:
    """Compare first passage of a barrier over days with QuantLib's difference scheme."""
    grid = " | ".join(f"{n} step{'s' if n > 1 else ''}" for n in PASSAGE)
    rows = [f"| passage of | bridge | truth | {grid} |", "|---|---|---|" + "---|" * len(PASSAGE)]
    for days in DAYS:
        for account, barriers in ((LONG, BARRIERS), (SHORT_SALE, OPPOSITE)):
            truth = [
                quantlib_heston.hit_probability(math.log(float(name[:-1]) / 100), CRYPTO, days) for name in barriers
            ]
            for how, kind in (("bent", kernel.Heston), ("straight", Straight)):
                runs = [_passages(kind, account, days, n) for n in PASSAGE]
                for name, exact, found in zip(barriers, truth, zip(*runs, strict=True), strict=True):
                    cells = " | ".join(f"{100 * one.value:.2f} ± {100 * one.standard_error:.2f}" for one in found)
                    rows.append(f"| {name} within {days} d | {how} | {100 * exact:.2f} | {cells} |")
    return rows


def page(measured: Section) -> list[str]:
    """Return the part of the page on moving variances."""
    return [
        "## Heston and Bates: the step is the scheme's",
        "",
        *prose("""The variance is drawn by Andersen's quadratic-exponential scheme once a step, so the law of the price
            has a bias that falls with the step, and with it what is told of losses and breaches; expected prices are
            exact."""),
        "### Measures",
        "",
        *prose(f"""Bias in percent ± one standard error, {PATHS:,} paths, of a long position in a crypto-like asset at
            100 over five and thirty days, by steps in all: variance and long variance 0.5, mean reversion 3, volatility
            of variance 1.5, correlation with the price -0.3; under Bates with twelve jumps a year besides, mean -0.02,
            volatility 0.06. VaR and ES against the transform, breaches at 85% of the opening price, watched
            continuously, against QuantLib's difference scheme, itself good to some 0.01%. There is no independent truth
            of first passage under Bates here."""),
        *measured.lines,
        "",
        "### Breaches between the steps",
        "",
        *prose("""Probability in percent that the same asset, watched continuously, passes a share of its opening
            price, by steps in all, against QuantLib's difference scheme. Within a step the price is bridged with the
            mean of the variances at both ends. `bent`: that variance is bent by how the variance moves with the price,
            as in the package. `straight`: the same bridge without the bend, for comparison."""),
        *first_passage(),
        "",
        "### European options",
        "",
        *prose(f"""How far they are off in percent of their worth, ± one standard error, against the transform,
            {SEEDS * PATHS:,} paths, the closing price as control variate. Enough: the number of steps from which on no
            bias above {BELOW:g}% is seen beyond two standard errors; where those are larger, it says little. First the
            same asset:"""),
        *short_horizons(),
        "",
        *prose(f"""Published calls on 100, by steps a year (Andersen 2008; Lewis 2019; Broadie and Kaya 2006),
            {PUBLISHED_PATHS:,} paths. They are hard cases: up to fifteen years, and a variance that is often at zero.
            Refused: the variance would revert too far in a step."""),
        *published(),
        "",
    ]

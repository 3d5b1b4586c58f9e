"""How far are VaR, ES, breaches and their times under Heston and Bates from the truth? By the number of steps."""

from __future__ import annotations

import math
from itertools import count

from scipy.optimize import brentq

import kernel
from bench.oracles import closing, heston, quantlib_heston
from bench.oracles.heston import Law
from bench.pages.accuracy.comparison import Comparison, Section, table
from bench.pages.accuracy.heston import BARRIERS, CRYPTO, DAYS, LONG, SHORT, SPOT, market

JUMPING = CRYPTO._replace(jump_intensity=12.0, jump_mean=-0.02, jump_volatility=0.06)
_CLEAR = 4.0  # standard errors: a bias that is named in the head of the page
_RATES = "variance", "mean_reversion", "long_variance", "volatility_of_variance", "drift"


def _scaled(law: Law, days: float) -> Law:
    """Return the law that does in 365 days what `law` does in `days`: QuantLib reckons in whole days."""
    share = days / 365
    rates = {name: share * getattr(law, name) for name in _RATES}
    return law._replace(**rates)


def _median_passage(barrier: float, law: Law, days: float) -> float:
    """Return the median time, in days, of the first passage given one within `days`."""

    def passed(by: float) -> float:
        return quantlib_heston.hit_probability(barrier, _scaled(law, by), 365)

    half = passed(days) / 2
    return float(brentq(lambda by: passed(by) - half, 0.2 * days, days, xtol=1e-4 * days, rtol=1e-4))


def _measured(law: Law, days: int, steps: int, paths: int, seed: int) -> list[kernel.Estimate]:
    ladder = kernel.Ladder({"85%": BARRIERS["85%"]}, metric="equity_fraction")
    run = kernel.simulate(market(law), LONG, ladder, horizon=days / 365, steps=steps, paths=paths, seed=seed)
    median = kernel.breach_time_quantile(run, "85%", 0.5)
    tail = [kernel.value_at_risk(run, 0.99), kernel.expected_shortfall(run, 0.975)]
    in_days = kernel.Estimate(*(365 * number for number in median))
    return [*tail, kernel.breach_probability(run, "85%"), in_days]


def _known(law: Law, days: int) -> list[float]:
    """Return the truths in the order of `_measured`, those of the passage only where the law does not jump."""

    def characteristic(u: complex) -> complex:
        return heston.characteristic(u, law, days / 365)

    tail = [
        closing.value_at_risk(0.99, 1.0, SPOT, characteristic, 4.0),
        closing.expected_shortfall(0.975, 1.0, SPOT, characteristic, 4.0),
    ]
    if law.jump_intensity:
        return tail
    barrier = math.log(0.85)
    return [*tail, quantlib_heston.hit_probability(barrier, law, days), _median_passage(barrier, law, days)]


def measures(paths: int) -> Section:
    """Compare VaR, ES, breach probability and median breach time with transform and difference scheme."""
    names, biased = ["VaR 99%", "ES 97.5%", "P(85%), %", "median to 85%, days"], []
    rows, seeds = [], count(301)
    for name, law in (("Heston", CRYPTO), ("Bates", JUMPING)):
        for days in DAYS:
            found = zip(*(_measured(law, days, steps, paths, next(seeds)) for steps in SHORT), strict=True)
            for measure, truth, estimates in zip(names, _known(law, days), found, strict=False):
                written = f"{100 * truth:.4f}" if measure.endswith("%") and measure.startswith("P") else f"{truth:.4f}"
                compared = [Comparison(truth, one) for one in estimates]
                biases = [one.bias for one in compared]
                if abs(compared[0].z) > _CLEAR:
                    word, few = measure.split(", ")[0], f"{biases[0]}% in one step, {biases[2]}% in {SHORT[2]}"
                    biased.append(f"{name}, {days} days, {word}: {few}.")
                rows.append([f"{name}, {days} d", measure, written, *biases])
    heads = ["market", "measure", "truth", *(f"{n} step{'s' if n > 1 else ''}" for n in SHORT)]
    return Section(table(heads, rows), [], biased)

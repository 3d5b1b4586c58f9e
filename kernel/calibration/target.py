"""Targets of margin rates: what they are stated by, and whether paths and rates can keep them."""

from __future__ import annotations

import math

from kernel import checks
from kernel.errors import Problems

MEASURES = ("first_passage", "value_at_risk", "expected_shortfall")
LONGEST = 1_000  # years
_FEWEST = 10  # paths that miss a target, so that it has an interval


def check_target(problems: Problems, measure: str, probability: float | None, confidence: float | None) -> float:
    """Return the target of the measure; note another measure's."""
    noted = len(problems.found)
    checks.choice(problems, "measure", measure, MEASURES)
    if len(problems.found) > noted:
        return math.nan
    wanted, other = ("probability", "confidence") if measure == MEASURES[0] else ("confidence", "probability")
    given = {"probability": probability, "confidence": confidence}
    if given[other] is not None:
        problems.add(other, f"is not for {measure}: leave it out and state the {wanted}")
    if given[wanted] is None:
        problems.add(wanted, f"is required for {measure}, such as {0.01 if wanted == 'probability' else 0.99}")
        return math.nan
    return checks.number(problems, wanted, given[wanted], above=0, below=1)


def check_risk_period(problems: Problems, latency: float | str, liquidation_period: float | str) -> tuple[float, str]:
    """Return the years of the margin period of risk, and the argument that says so, or is wrong about it."""
    before = checks.years(problems, "latency", latency, at_least=0, at_most=LONGEST)
    after = checks.years(problems, "liquidation_period", liquidation_period, above=0, at_most=LONGEST)
    return before + after, "latency" if math.isnan(before) else "liquidation_period"


def check_shares(problems: Problems, probability: float, call_probability: float, paths: int) -> None:
    """Refuse targets that too few paths miss, once nothing else is wrong.

    Raises:
        InvalidInput: with every problem found so far.
    """
    problems.raise_any()
    for field, share in (("probability", probability), ("call_probability", call_probability)):
        if share * paths < _FEWEST:
            least = f"{_FEWEST} / paths ({_FEWEST / paths:g})"
            problems.add(field, f"must be at least {least}, not {share:g}: use more paths")
    problems.raise_any()


def check_rate(field: str, kind: str, rate: float) -> None:
    """Refuse a rate that is none, or that leaves nothing to be borrowed."""
    problems = Problems()
    if rate >= 1:
        mend = "aim lower, shorten the period or lessen what is added to the rate"
        problems.add(field, f"no {kind} rate below 1 keeps it, {rate:.4g} would be needed: {mend}")
    if rate <= 0:
        problems.add(field, f"asks for no margin: the {kind} rate would be {rate:.4g}: aim higher, or state a floor")
    problems.raise_any()


def is_passage(measure: object) -> bool:
    """Tell whether a measure, checked or not, is that of first passages; an array would answer neither yes nor no."""
    return isinstance(measure, str) and measure == MEASURES[0]

"""What an escalation leaves: bad debt, and how many calls come to what."""

from __future__ import annotations

import math
from typing import NamedTuple

from kernel import checks
from kernel.errors import InvalidInput, Problem, Problems
from kernel.measures.estimate import Estimate
from kernel.measures.quantities import of_paths
from kernel.measures.sample import Sample
from kernel.simulation.escalation_outcome import EscalationOutcome
from kernel.simulation.outcome import Outcome, require_outcome


class BadDebt(NamedTuple):
    """What accounts that were closed wholly owe, over all paths: 0 on those that owe nothing."""

    probability: Estimate
    """Of any."""
    mean: Estimate
    value_at_risk: Estimate
    expected_shortfall: Estimate


class CallCounts(NamedTuple):
    """How many calls a path has, in the mean: those made are met, cured, missed, cancelled or open at the horizon."""

    made: Estimate
    met: Estimate
    cured: Estimate
    missed: Estimate
    cancelled: Estimate
    open: Estimate


def bad_debt(outcome: Outcome, level: float = 0.99) -> BadDebt:
    """Estimate the bad debt that closed accounts leave: how likely it is, its mean, Value at Risk and tail's mean.

    All are over all paths, most of which may leave none. Where fewer than ten do, nothing is known of how large the
    debts are that were not seen: mean and Expected Shortfall then have no upper end of their intervals.

    Args:
        outcome: of `simulate` with an escalation.
        level: of Value at Risk and Expected Shortfall, above 0 and below 1.

    Raises:
        InvalidInput: for an outcome without an escalation, or a level outside its range.

    Example:
        `kernel.bad_debt(outcome, 0.999).expected_shortfall`
    """
    sample, level = _debts(outcome), _checked(level)
    return BadDebt(sample.share_above(0.0), sample.mean(), _value_at_risk(sample, level), _shortfall(sample, level))


def bad_debt_probability(outcome: Outcome) -> Estimate:
    """Estimate the probability of bad debt, as `bad_debt` does."""
    return _debts(outcome).share_above(0.0)


def bad_debt_mean(outcome: Outcome) -> Estimate:
    """Estimate the mean of bad debt over all paths, as `bad_debt` does."""
    return _debts(outcome).mean()


def bad_debt_value_at_risk(outcome: Outcome, level: float) -> Estimate:
    """Estimate the Value at Risk of bad debt over all paths, as `bad_debt` does."""
    return _value_at_risk(_debts(outcome), _checked(level))


def bad_debt_expected_shortfall(outcome: Outcome, level: float) -> Estimate:
    """Estimate the Expected Shortfall of bad debt over all paths, as `bad_debt` does."""
    return _shortfall(_debts(outcome), _checked(level))


def call_counts(outcome: Outcome) -> CallCounts:
    """Estimate how many calls a path has in the mean, and what becomes of them.

    Args:
        outcome: of `simulate` with an escalation.

    Raises:
        InvalidInput: for an outcome without an escalation.

    Example:
        `kernel.call_counts(outcome).missed`
    """
    escalated = require_escalation(outcome)
    names = (f"calls_{name}" for name in CallCounts._fields)
    return CallCounts(*(of_paths(escalated, getattr(escalated, name), 0.0).mean(step=1.0) for name in names))


def require_escalation(outcome: object) -> EscalationOutcome:
    """Return an outcome whose tiers acted.

    Raises:
        InvalidInput: for what is no outcome, and one without an escalation.
    """
    require_outcome(outcome)
    if not isinstance(outcome, EscalationOutcome):
        raise InvalidInput([Problem("outcome", "has no actions: simulate with an escalation")])
    return outcome


def _debts(outcome: Outcome) -> Sample:
    escalated = require_escalation(outcome)
    return of_paths(escalated, escalated.bad_debt, 0.0)


def _value_at_risk(sample: Sample, level: float) -> Estimate:
    return _from_zero(sample.upper_quantile(level))


def _shortfall(sample: Sample, level: float) -> Estimate:
    found = sample.upper_mean(level)
    if found.value == 0:  # no debt was seen, which tells nothing of the size of those that may be
        return Estimate(0.0, math.inf, 0.0, math.inf)
    return _from_zero(found)


def _from_zero(found: Estimate) -> Estimate:
    return found._replace(low=max(found.low, 0.0))


def _checked(level: float) -> float:
    problems = Problems()
    level = checks.number(problems, "level", level, above=0, below=1)
    problems.raise_any()
    return level

"""Stated limits: read, checked against a simulation, and compared with its point estimates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kernel
from kernel.config.limits import parse_limits
from kernel.simulation.outcome import Outcome
from kernel.simulation.path_outcome import PathOutcome

NAN = float("nan")


@pytest.fixture
def outcome() -> Outcome:
    """Four paths of one year: losses 0 to 3; the call breaches on two of them, the liquidation never."""
    times = np.array([[0.25, 0.75, NAN, NAN], [NAN] * 4])
    return PathOutcome(
        paths=4,
        horizon=1.0,
        assets=("BTC",),
        tiers=("call", "liquidation"),
        opening_equity=10.0,
        provenance={},
        loss=np.array([0.0, 1.0, 2.0, 3.0]),
        terminal_price=np.ones((1, 4)),
        breach_time=times,
    )


def _messages(*texts: str, **known: Any) -> list[str]:
    with pytest.raises(kernel.InvalidInput) as refused:
        parse_limits(texts, **known)
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("text", "violated"),
    [
        ("breach_probability(call) > 0.4", True),
        ("breach_probability(call) > 0.5", False),
        ("breach_probability(call) >= 0.5", True),
        ("breach_probability(call, by=0.5y) > 0.25", False),
        ("breach_probability(call, by=0) > 0.25", False),
        ("breach_probability(call, by='0.5y') >= 0.25", True),
        ("breach_probability( tier = 'call' , by = 100d )>=.25", True),
        ("value_at_risk(0.5) < 1", False),
        ("value_at_risk(0.5) <= 1", True),
        ("expected_shortfall(level=0.5) > 2.4", True),
        ("breach_time_quantile(call, 0.5) < 1y", True),
        ("breach_time_quantile(call, 0.5) < 12w", False),
        ("breach_time_quantile(liquidation, 0.5) < 1y", False),
        ("breach_time_quantile(liquidation, 0.5) > 0", False),
    ],
)
def test_point_estimates_are_compared(outcome: Outcome, text: str, violated: bool) -> None:
    """A limit is violated when the comparison holds of the point estimate; what never happens violates none."""
    (limit,) = parse_limits([text], outcome.tiers, outcome.horizon)
    assert violated == (limit.violation(outcome) is not None)


def test_violations_name_measure_value_and_interval(outcome: Outcome) -> None:
    """A violation says which limit, what the value is and how sure it is."""
    (limit,) = parse_limits(["breach_probability(call) > 0.4"])
    assert limit.violation(outcome) == ("breach_probability(call) > 0.4: it is 0.5, 95% interval 0.150039 to 0.849961")


def test_levels_are_those_of_losses() -> None:
    """A limit on a loss tells its level; a limit on a breach has none."""
    limits = parse_limits(["value_at_risk(0.999) > 1", "breach_probability(call) > 0"])
    assert [limit.level for limit in limits] == [0.999, None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("breach_probability(call)", "must read like"),
        ("breach_probability call > 1", "must read like"),
        ("value_at_risk(0.9) == 1", "must read like"),
        ("__import__('os') > 1", "unknown measure '__import__'"),
        ("breach_probabilty(call) > 1", "did you mean breach_probability?"),
        ("breach_probability(cal) > 0.1", "no tier 'cal'; did you mean call?"),
        ("breach_probability() > 0.1", "needs tier"),
        ("breach_time_quantile(call) > 36d", "needs probability"),
        ("breach_probability(call, 1d, 2) > 0.1", "takes tier, by, not '2'"),
        ("breach_probability(call, when=1d) > 0.1", "takes tier, by, not 'when=1d'"),
        ("breach_probability(call, tier=call) > 0.1", "stands there twice"),
        ("breach_probability(call, by=2y) > 0.1", "from 0 to the horizon (365d), not 730d"),
        ("breach_probability(call, by=soon) > 0.1", "such as '5d', not 'soon'"),
        ("value_at_risk(99) > 1", "below 1, not 99"),
        ("value_at_risk(0.9) > lots", "the bound must be a number, not 'lots'"),
        ("value_at_risk(0.9) > nan", "must be finite"),
        ("value_at_risk(0.9) > 1d", "must be a number"),
        ("breach_time_quantile(call, 1.5) > 1y", "below 1, not 1.5"),
        ("breach_time_quantile(call, 0.5) < 3", "the bound must have a unit, such as '5d' or '12h'; 3 years is '3y'"),
        ("breach_probability(call, by=0.5) > 0.1", "by must have a unit, such as '5d' or '12h'; 0.5 years is '0.5y'"),
    ],
)
def test_wrong_limits_are_named_with_their_mend(text: str, message: str) -> None:
    """Each wrong limit is refused with its text and what would be right."""
    (found,) = _messages(text, tiers=("call", "liquidation"), horizon=1.0)
    assert message in found
    assert found.startswith(f"--fail-if: {text!r}: ")


def test_all_wrong_limits_come_together() -> None:
    """Every problem of every limit is in one refusal."""
    assert len(_messages("nonsense", "value_at_risk(2) > x", "value_at_risk(0.9) > 1")) == 3

"""What `margin run` reports: breaches, losses and their errors."""

from __future__ import annotations

import math
from typing import Any

from kernel.checks.plain import plain
from kernel.checks.text import duration
from kernel.errors import InvalidInput
from kernel.measures import (
    Estimate,
    breach_probability,
    breach_time_quantile,
    expected_shortfall,
    threshold,
    value_at_risk,
)
from kernel.report.blocks import Block, Heading, Paragraph, Table
from kernel.report.escalation import escalation_blocks, escalation_results
from kernel.report.introduction import Case, Took, introduction, simulated
from kernel.report.numbers import amount, bounded, percent, time
from kernel.simulation.escalation_outcome import EscalationOutcome
from kernel.simulation.outcome import Outcome

_HELD = "Losses are of the account left alone: whatever breaches, its positions are held to the horizon."
_ESCALATED = "Losses are opening equity and what was paid in, less closing equity, before anybody forgives a debt."
_MEDIAN = 0.5
_DIGITS = 12  # of 1 less a level: what more there is comes of the subtraction


def results(case: Case, outcome: Outcome, took: Took | None = None) -> dict[str, Any]:
    """Return the results of a simulation as plain values, ready for strict JSON: what is not finite is None.

    Args:
        case: what was simulated.
        outcome: of it.
        took: the time that went into it, where that is to be told.

    Example:
        >>> import kernel
        >>> market = kernel.Gbm(assets=["BTC"], spot=60_000.0, volatility=0.65)
        >>> account = kernel.Account(cash=-54_000.0, positions=[kernel.Linear("BTC", 1.0)], maintenance_rate=0.005)
        >>> ladder = kernel.Ladder({"call": 2.0, "liquidation": 1.0})
        >>> outcome = kernel.simulate(market, account, ladder, horizon="5d", steps=1, paths=1_000)
        >>> case = Case(market=market, account=account, ladder=ladder)
        >>> [tier["tier"] for tier in results(case, outcome)["tiers"]]
        ['call', 'liquidation']
    """
    levels = zip(case.ladder.names, case.ladder.levels.tolist(), strict=True)
    estimates = {
        **simulated(case, outcome, took),
        "tiers": [
            {
                "tier": tier,
                "level": level,
                "breach_probability": breach_probability(outcome, tier)._asdict(),
                "median_breach_time": breach_time_quantile(outcome, tier, _MEDIAN)._asdict(),
            }
            for tier, level in levels
        ],
        "losses": [
            {
                "level": level,
                "value_at_risk": value_at_risk(outcome, level)._asdict(),
                "expected_shortfall": expected_shortfall(outcome, level)._asdict(),
            }
            for level in case.levels
        ],
    }
    if isinstance(outcome, EscalationOutcome):
        estimates["escalation"] = escalation_results(outcome)
    if outcome.worst_times:
        estimates["worst"] = [_worst(outcome, 1 - level, by) for by in outcome.worst_times for level in case.levels]
    values: dict[str, Any] = plain(estimates)
    return values


def _worst(outcome: Outcome, probability: float, by: float) -> dict[str, Any]:
    """Return the level of the metric that is breached by a time with a probability, None where too few paths tell."""
    share = round(probability, _DIGITS)
    try:
        level = threshold(outcome, share, by)
    except InvalidInput:
        level = Estimate(math.nan, math.nan, math.nan, math.nan)
    return {"by": by, "probability": share, "level": level._asdict()}


# For people


def blocks(results: dict[str, Any]) -> list[Block]:
    """Return a report for people."""
    acts = "escalation" in results
    lowest: list[Block] = [Heading("Lowest metric"), _lowest(results)] if "worst" in results else []
    return [
        *introduction(results),
        Heading("Breaches"),
        _tiers(results),
        *lowest,
        *(escalation_blocks(results["escalation"]) if acts else []),
        Heading("Losses"),
        _losses(results),
        Paragraph(_ESCALATED if acts else _HELD),
    ]


def _tiers(results: dict[str, Any]) -> Table:
    rows = [
        [
            tier["tier"],
            f"{tier['level']:g}",
            *percent(tier["breach_probability"]),
            *time(tier["median_breach_time"]),
        ]
        for tier in results["tiers"]
    ]
    return Table(["tier", "level", "breach probability", "95% interval", "median if breached", "95% interval"], rows)


def _lowest(results: dict[str, Any]) -> Table:
    rows = []
    for worst in results["worst"]:
        level = amount(worst["level"]) if worst["level"]["value"] is not None else ("-", "")
        rows.append([f"within {duration(worst['by'])}", f"{100 * worst['probability']:g} %", *level])
    return Table([f"lowest {results['opening']['metric']}", "probability", "at most", "95% interval"], rows)


def _losses(results: dict[str, Any]) -> Table:
    rows, equity = [], results["opening"]["equity"]
    for measure, label in (("value_at_risk", "value at risk"), ("expected_shortfall", "expected shortfall")):
        for loss in results["losses"]:
            estimate = loss[measure]
            share = {key: value / equity for key, value in bounded(estimate).items()} if equity > 0 else None
            of_equity = percent(share) if share else ("-", "")
            rows.append([label, f"{100 * loss['level']:g} %", *amount(estimate), *of_equity])
    return Table(["loss", "level", "value", "95% interval", "of equity", "95% interval"], rows)

"""What `margin threshold` reports: the levels that keep targets, and how likely the ladder's own tiers breach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernel.checks.plain import plain
from kernel.checks.text import duration
from kernel.measures import ThresholdCurve, breach_probability, threshold, threshold_curve
from kernel.report.blocks import Block, Heading, Points, Table
from kernel.report.introduction import Case, Took, introduction, simulated
from kernel.report.numbers import amount, percent
from kernel.simulation.outcome import Outcome

_NO_EQUITY = (
    "A target at a level of 0 or below is out of reach: equity itself runs out more often than that. Take less risk in "
    "the positions, or more equity."
)


def results(
    case: Case,
    outcome: Outcome,
    probabilities: Sequence[float],
    by: Sequence[float],
    curves: Sequence[ThresholdCurve] = (),
    took: Took | None = None,
) -> dict[str, Any]:
    """Return thresholds, and the tiers' own breach probabilities, as plain values; what is not finite is None.

    Args:
        case: what was simulated.
        outcome: of it.
        probabilities: of a breach.
        by: years, within which.
        curves: by time; none where no file asks for them.
        took: the time that went into it, where that is to be told.
    """
    tiers = case.ladder.tiers.items()
    estimates = {
        **simulated(case, outcome, took),
        "thresholds": [
            {"by": time, "probability": share, "level": threshold(outcome, share, time)._asdict()}
            for time in by
            for share in probabilities
        ],
        "tiers": [
            {
                "by": time,
                "tier": tier,
                "level": level,
                "breach_probability": breach_probability(outcome, tier, time)._asdict(),
            }
            for time in by
            for tier, level in tiers
        ],
    }
    if curves:
        estimates["curves"] = [{"by": curve.by, **curve.columns()} for curve in curves]
    values: dict[str, Any] = plain(estimates)
    return values


def all_curves(outcome: Outcome) -> list[ThresholdCurve]:
    """Return the curves of an outcome with paths, by each of its times."""
    return [threshold_curve(outcome, by=by) for by in outcome.worst_times]


# For people


def blocks(results: dict[str, Any]) -> list[Block]:
    """Return a report for people: the thresholds among the tiers."""
    parts = introduction(results)
    for by in dict.fromkeys(target["by"] for target in results["thresholds"]):
        parts += [Heading(f"Within {duration(by)}"), _within(results, by)]
    if any(target["level"]["value"] <= 0 for target in results["thresholds"]):
        parts += [Heading("Out of reach"), Points([_NO_EQUITY])]
    return parts


def _within(results: dict[str, Any], by: float) -> Table:
    """Return the thresholds and the tiers of a time in one table, the highest level first."""
    rows = [(line["level"]["value"], _target_cells(line)) for line in results["thresholds"] if line["by"] == by]
    rows += [(line["level"], _tier_cells(line)) for line in results["tiers"] if line["by"] == by]
    rows.sort(key=lambda row: -row[0])
    metric = results["opening"]["metric"].replace("_", " ")
    head = [f"within {duration(by)}", metric, "95% interval", "breach probability", "95% interval"]
    return Table(head, [cells for _, cells in rows])


def _target_cells(target: dict[str, Any]) -> list[str]:
    share = f"{100 * target['probability']:g} %"
    return [f"for {share}", *amount(target["level"]), share, ""]


def _tier_cells(tier: dict[str, Any]) -> list[str]:
    return [tier["tier"], f"{tier['level']:g}", "", *percent(tier["breach_probability"])]

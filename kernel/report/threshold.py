"""What `margin threshold` tells: the levels that keep targets, and how likely the ladder's own tiers breach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernel.checks.plain import plain
from kernel.checks.text import duration
from kernel.config.assembly import Run
from kernel.config.targets import Targets
from kernel.measures import ThresholdCurve, breach_probability, threshold, threshold_curve
from kernel.report.layout import aligned, listed
from kernel.report.numbers import amount, percent
from kernel.report.run import Took, introduction, simulated
from kernel.simulation.outcome import Outcome

_NO_EQUITY = (
    "A target at a level of 0 or below is out of reach: equity itself runs out more often than that. Take less risk in "
    "the positions, or more equity."
)


def results(
    run: Run, outcome: Outcome, targets: Targets, curves: Sequence[ThresholdCurve], took: Took
) -> dict[str, Any]:
    """Return thresholds, and the tiers' own breach probabilities, as plain values; what is not finite is None.

    Args:
        run: that was simulated.
        outcome: of it.
        targets: probabilities and times.
        curves: by time; none where no file asks for them.
        took: the time that went into it.
    """
    tiers = run.ladder.tiers.items()
    found = {
        **simulated(run, outcome, took),
        "thresholds": [
            {"by": by, "probability": share, "level": threshold(outcome, share, by)._asdict()}
            for by in targets.by
            for share in targets.probabilities
        ],
        "tiers": [
            {
                "by": by,
                "tier": tier,
                "level": level,
                "breach_probability": breach_probability(outcome, tier, by)._asdict(),
            }
            for by in targets.by
            for tier, level in tiers
        ],
    }
    if curves:
        found["curves"] = [{"by": one.by, **one.columns()} for one in curves]
    told: dict[str, Any] = plain(found)
    return told


def all_curves(outcome: Outcome) -> list[ThresholdCurve]:
    """Return the curves of an outcome with paths, by each of its times."""
    return [threshold_curve(outcome, by=by) for by in outcome.worst_times]


# For people


def text(found: dict[str, Any]) -> str:
    """Write thresholds among the tiers, for people, in at most 100 columns."""
    times = dict.fromkeys(one["by"] for one in found["thresholds"])
    parts = [*introduction(found), *(_by(found, by) for by in times)]
    if any(one["level"]["value"] <= 0 for one in found["thresholds"]):
        parts.append("\n".join(listed([_NO_EQUITY])))
    return "\n\n".join(parts) + "\n"


def _by(found: dict[str, Any], by: float) -> str:
    """Write the thresholds and the tiers of a time in one table, the highest level first."""
    rows = [(one["level"]["value"], _target_cells(one)) for one in found["thresholds"] if one["by"] == by]
    rows += [(one["level"], _tier_cells(one)) for one in found["tiers"] if one["by"] == by]
    rows.sort(key=lambda row: -row[0])
    metric = found["opening"]["metric"].replace("_", " ")
    head = [f"within {duration(by)}", metric, "95% interval", "breach probability", "95% interval"]
    return "\n".join(aligned([head, *(cells for _, cells in rows)], texts=1))


def _target_cells(one: dict[str, Any]) -> list[str]:
    share = f"{100 * one['probability']:g} %"
    return [f"for {share}", *amount(one["level"]), share, ""]


def _tier_cells(one: dict[str, Any]) -> list[str]:
    return [one["tier"], f"{one['level']:g}", "", *percent(one["breach_probability"])]

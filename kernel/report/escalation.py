"""What `margin run` reports of an escalation: what its actions did, and how the paths ended."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernel.measures import Estimate
from kernel.measures.estimate import proportion
from kernel.measures.sample import mean_of_tail
from kernel.measures.weighted import WeightedSample, critical_value
from kernel.report.blocks import Block, Heading, Paragraph, Table
from kernel.report.numbers import amount, percent
from kernel.simulation.escalation_outcome import EscalationOutcome

_CALLS = ("made", "met", "cured", "missed", "cancelled", "open")
_AMOUNTS = ("paid_in", "liquidated_share", "fees", "slippage", "costs", "bad_debt", "shortfall")
_PATHS = 1_000  # that calls are counted on


def escalation_results(outcome: EscalationOutcome) -> dict[str, Any]:
    """Return what the actions did, for `kernel.checks.plain` to make plain.

    Calls are means a path; amounts, in currency (the liquidated share of the opening positions), have the probability
    that they are above 0, and their mean over all paths; ends have their shares of the paths.
    """
    replicates, end = outcome.replicates, outcome.end
    return {
        "calls": {name: _mean(getattr(outcome, f"calls_{name}"), replicates)._asdict() for name in _CALLS},
        "amounts": {name: _amount(getattr(outcome, name), replicates) for name in _AMOUNTS},
        "ends": [
            {"end": name, "share": _probability(end == k, replicates)._asdict()} for k, name in enumerate(outcome.ends)
        ],
    }


def _amount(values: NDArray[np.float64], replicates: int) -> dict[str, Any]:
    probability, mean = _probability(values > 0, replicates), _mean(values, replicates)
    return {"probability": probability._asdict(), "mean": mean._asdict()}


def _probability(hits: NDArray[np.bool_], replicates: int) -> Estimate:
    """Estimate the probability of what hits, [path], with Wilson's interval."""
    if replicates:
        return WeightedSample(hits.astype(np.float64), None, replicates, 0).share_above(0.0)
    return proportion(int(np.count_nonzero(hits)), hits.size)


def _mean(values: NDArray[Any], replicates: int) -> Estimate:
    """Estimate the mean of what is at least 0, [path]; the interval has no upper end if few paths are above 0."""
    parts = values.reshape(replicates, -1).mean(axis=1) if replicates else values.astype(np.float64)
    value, error = float(parts.mean()), float(parts.std(ddof=1)) / math.sqrt(parts.size) if parts.size > 1 else math.inf
    skewness = float((((parts - value) / error) ** 3).sum()) / parts.size**3 if 0 < error < math.inf else 0.0
    above = min(int(np.count_nonzero(values)), replicates or values.size)
    estimate = mean_of_tail(value, error, skewness, 0, above, critical_value(replicates))
    return estimate._replace(low=max(estimate.low, 0.0))


# For people


def escalation_blocks(results: dict[str, Any]) -> list[Block]:
    """Return what the actions did, and how the paths ended, for people."""
    return [
        Heading("Calls"),
        _calls(results["calls"]),
        Heading("Amounts"),
        _amounts(results["amounts"]),
        Heading("Ends"),
        _ends(results["ends"]),
    ]


def _calls(calls: dict[str, Any]) -> Block:
    if calls["made"]["value"] == 0:
        return Paragraph("no path had a call")
    scaled = {
        name: {key: None if value is None else _PATHS * value for key, value in estimate.items()}
        for name, estimate in calls.items()
    }
    rows = [[name, *amount(estimate)] for name, estimate in scaled.items()]
    return Table(["calls", f"on {_PATHS:,} paths", "95% interval"], rows)


def _amounts(amounts: dict[str, Any]) -> Table:
    rows = []
    for name, stated in amounts.items():
        mean = percent(stated["mean"]) if name == "liquidated_share" else amount(stated["mean"])
        rows.append([name.replace("_", " "), *percent(stated["probability"]), *mean])
    return Table(["amount", "probability", "95% interval", "mean of all paths", "95% interval"], rows)


def _ends(ends: list[dict[str, Any]]) -> Table:
    """Show the ends that some path has."""
    rows = [[one["end"], *percent(one["share"])] for one in ends if one["share"]["value"] > 0]
    return Table(["end of a path", "share", "95% interval"], rows)

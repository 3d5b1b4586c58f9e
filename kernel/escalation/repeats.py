"""How often an action would act on one path: estimated at the door, before anything is walked."""

from __future__ import annotations

import math
from typing import NamedTuple

from kernel.escalation.action import Action
from kernel.escalation.call import Call
from kernel.escalation.close_out import CloseOut

MOST_EVENTS = 10_000  # on one path
_FAR = 4.0  # standard deviations that the price falls, or rises: one path in thirty thousand goes farther


class Repeat(NamedTuple):
    """How often an action would act on a path far out."""

    field: str
    """That has to be mended if it is too often."""
    times: float
    mend: str


def repeats(action: Action, level: float, horizon: float, deviation: float, metric_unit: float) -> list[Repeat]:
    """Estimate how often an action, and what it leads to, would act on a path that goes four deviations against it.

    An action that takes the metric from its level to `restore` acts again when the price has moved on by about
    (restore - level) * metric_unit: the prices at which it acts are a geometric ladder. It cannot act more often than
    its delays and its cooldown leave time for.

    Args:
        action: of a tier.
        level: of the tier.
        horizon: years.
        deviation: standard deviation of the log price over the horizon.
        metric_unit: share by which the price moves while the metric moves by one.
    """
    if isinstance(action, CloseOut):
        return _of_close_out(action, "", level, horizon, deviation, metric_unit)
    if not isinstance(action, Call):
        return []
    rise = (action.restore - level) * action.client.share
    count = _count(rise, float(action.client.delay), horizon, deviation, metric_unit)
    found = [Repeat("restore", count, "restore more, or let the client pay after a delay")]
    if action.unmet is not None:
        found += _of_close_out(action.unmet, "unmet.", level, horizon, deviation, metric_unit)
    return found


def _of_close_out(
    action: CloseOut, prefix: str, level: float, horizon: float, deviation: float, metric_unit: float
) -> list[Repeat]:
    pause = float(action.latency) + float(action.cooldown)
    if action.restore is not None:
        count = _count(action.restore - level, pause, horizon, deviation, metric_unit)
        return [Repeat(f"{prefix}restore", count, "restore more, or state a cooldown")]
    share = 1.0 if action.share is None else action.share
    if share == 1.0 or level <= 0.0:
        return []
    count = _count(level * share / (1.0 - share), pause, horizon, deviation, metric_unit)
    return [Repeat(f"{prefix}cooldown", count, "state a longer cooldown, or a larger share")]


def _count(rise: float, pause: float, horizon: float, deviation: float, metric_unit: float) -> float:
    """Return the steps of a ladder of prices that takes the metric up by `rise` each, `pause` years apart or more."""
    step = math.log1p(rise * metric_unit)
    by_price = _FAR * deviation / step if step > 0.0 else math.inf
    return min(by_price, horizon / pause if pause > 0.0 else math.inf)

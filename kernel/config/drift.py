"""The drift of a market that a file states as it was fitted: read, and chosen by a word."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from kernel.errors import Problems
from kernel.fitting.drift import DRIFTS, Drift


def estimated_drift(market: Mapping[str, Any], fit: object) -> Drift | None:
    """Return the drift that the file of a market says was estimated, None where it says nothing.

    Args:
        market: its section of that name.
        fit: the one that `margin fit` writes beside it. Where it has no drift, the market's own is the estimate.
    """
    if not isinstance(fit, Mapping):
        return None
    errors = fit.get("standard_errors")
    assets, values = market.get("assets"), fit.get("drift", market.get("drift"))
    error = errors.get("drift") if isinstance(errors, Mapping) else None
    if not isinstance(assets, list) or not isinstance(values, list) or len(assets) != len(values):
        return None
    known = error if isinstance(error, list) and len(error) == len(values) else [None] * len(values)
    try:
        estimate = np.array([float(value) for value in values])
        spread = np.array([math.nan if value is None else float(value) for value in known])
    except (TypeError, ValueError, OverflowError):
        return None
    return Drift(tuple(map(str, assets)), estimate, spread)


def choose_drift(problems: Problems, section: object, estimate: Drift | None) -> None:
    """Put the numbers in place of "zero" or "fitted"; beside a history they are yet to be found.

    Args:
        problems: takes a "fitted" where nothing was.
        section: [market], which is changed.
        estimate: of the file that it names, if any.
    """
    if not isinstance(section, dict) or "history" in section or section.get("drift") not in DRIFTS:
        return
    if estimate is not None:
        section["drift"] = estimate.chosen(section["drift"]).tolist()
        return
    if section["drift"] == "fitted":
        problems.add("market.drift", "must be a number: this market is stated, so that there is no fitted drift")
    section["drift"] = 0.0

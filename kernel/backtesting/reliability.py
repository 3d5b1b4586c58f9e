"""Whether what is predicted with a probability happens that often."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel import checks
from kernel.backtesting.verdict import Verdict, judged
from kernel.errors import Problems
from kernel.measures.estimate import Estimate, proportion

BINS = 10


class Bin(NamedTuple):
    """Forecasts of about the same probability, and how many they are."""

    forecasts: int
    predicted: float
    """Mean of the probabilities."""
    observed: Estimate
    """Share that happened, with Wilson's interval."""


class Reliability(NamedTuple):
    """How good predicted probabilities are."""

    events: int
    """That happened."""
    expected: float
    """The sum of the probabilities."""
    brier: float
    """Mean squared difference of probability and event (Brier 1950): the lower, the better."""
    skill: float
    """1 - brier / that of always predicting the observed frequency; NaN if nothing, or everything, happened."""
    calibration: Verdict
    """Spiegelhalter's (1986) z, two-sided; above 0 more happened than was predicted, where that was unlikely."""
    curve: tuple[Bin, ...]


def reliability(probabilities: ArrayLike, happened: ArrayLike, bins: int = BINS) -> Reliability:
    """Score probabilities by what happened, test their calibration, and draw up the curve.

    Args:
        probabilities: [forecast], from 0 to 1.
        happened: [forecast], truth values.
        bins: at most so many, of about as many forecasts each; equal probabilities share a bin.

    Raises:
        InvalidInput: for series that do not match, or probabilities outside their range.

    Example:
        >>> scored = reliability([0.2, 0.2], [True, False])
        >>> round(scored.brier, 2), round(scored.calibration.statistic, 2)
        (0.34, 1.06)
    """
    p, o = _checked(probabilities, happened)
    brier, rate = float(((p - o) ** 2).mean()), float(o.mean())
    base = rate * (1 - rate)
    spread = math.sqrt(float((((1 - 2 * p) ** 2) * p * (1 - p)).sum()))
    z = float(((o - p) * (1 - 2 * p)).sum()) / spread if spread > 0 else math.nan
    return Reliability(
        events=int(o.sum()),
        expected=float(p.sum()),
        brier=brier,
        skill=1 - brier / base if base > 0 else math.nan,
        calibration=judged(z, math.erfc(abs(z) / math.sqrt(2))),
        curve=_curve(p, o, bins),
    )


def _checked(probabilities: ArrayLike, happened: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    problems, events = Problems(), np.asarray(happened)
    if events.ndim != 1 or not events.size or not np.isin(events, (0, 1)).all():
        problems.add("happened", "must be truth values, one for each forecast, at least one")
    p = checks.numbers(problems, "probabilities", probabilities, max(events.size, 1), at_least=0, at_most=1)
    problems.raise_any()
    return p, events.astype(np.float64)


def _curve(p: NDArray[np.float64], o: NDArray[np.float64], bins: int) -> tuple[Bin, ...]:
    edges = np.unique(np.quantile(p, np.arange(1, bins) / bins))
    place = np.searchsorted(edges, p, side="right")
    groups = [place == k for k in np.unique(place)]
    return tuple(
        Bin(int(group.sum()), float(p[group].mean()), proportion(float(o[group].sum()), int(group.sum())))
        for group in groups
    )

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
_SERIES = 4_999  # simulated: an exact test at 5% with any number that makes (1 + number) / 20 whole
_SEED = 0
_DRAWS = 2**20  # at a time: 8 MB
_TIE = 1e-9  # of a statistic: rounding must not tell equal ones apart


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
    """Spiegelhalter's (1986) z, two-sided; above 0 more happened than was predicted, where that was unlikely.

    Its p-value is the share of 4,999 series of independent events of these probabilities, and the one at hand, whose z
    is at least as far from 0 (Dufour 2006): the normal law would fail 8% to 14% of right forecasts of rare events. The
    same input gives the same one; other series would give one that differs by a standard error of 0.003 at 5%. Where
    only what was certain came, there is nothing to test; what was impossible fails with a p-value of 0.
    """
    curve: tuple[Bin, ...]


def reliability(
    probabilities: ArrayLike, happened: ArrayLike, bins: int = BINS, paths: int | NDArray[np.int64] | None = None
) -> Reliability:
    """Score probabilities by what happened, test their calibration, and draw up the curve.

    Args:
        probabilities: [forecast], from 0 to 1.
        happened: [forecast], truth values.
        bins: at most so many, of about as many forecasts each; equal probabilities share a bin.
        paths: of the simulations that the probabilities are shares of, one number or [forecast]; None where they are
            stated. What none of n paths met is not impossible: if what happens is one more draw of the same law, it
            alone of n + 1 meets it with probability 1 / (n + 1) at most. So calibration takes 0 as 1 / (n + 1), and 1
            as n / (n + 1).

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
    return Reliability(
        events=int(o.sum()),
        expected=float(p.sum()),
        brier=brier,
        skill=1 - brier / base if base > 0 else math.nan,
        calibration=_calibration(p, o, paths),
        curve=_curve(p, o, bins),
    )


def _calibration(p: NDArray[np.float64], o: NDArray[np.float64], paths: int | NDArray[np.int64] | None) -> Verdict:
    if (p == o).all():
        return judged(math.nan, math.nan)
    if paths is not None:
        p = np.clip(p, 1 / (paths + 1), paths / (paths + 1))
    weights = 1 - 2 * p
    spread, centre = math.sqrt(float((weights**2 * p * (1 - p)).sum())), float(p @ weights)
    seen = float(o @ weights) - centre
    if (np.abs(p - o) == 1).any():
        return judged(seen / spread if spread > 0 else math.inf, 0.0)
    if spread == 0:
        return judged(math.nan, math.nan)  # all are even: whatever comes is as likely
    least, as_far = abs(seen) - _TIE * spread, 0
    random, size = np.random.default_rng(_SEED), max(1, _DRAWS // p.size)
    for first in range(0, _SERIES, size):
        events = random.random((min(size, _SERIES - first), p.size)) < p
        as_far += int(np.count_nonzero(np.abs(events @ weights - centre) >= least))
    return judged(seen / spread, (1 + as_far) / (1 + _SERIES))


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

"""Levels of the ladder's metric from the breach probabilities that they are to have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel import checks
from kernel.checks.text import duration
from kernel.errors import Problems
from kernel.measures.estimate import Estimate
from kernel.measures.quantities import lowest_metrics
from kernel.simulation.outcome import Outcome, require_outcome
from kernel.simulation.path_outcome import PathOutcome
from kernel.tables import Tabular, table_of

if TYPE_CHECKING:
    import pyarrow as pa

_POINTS = 200  # of a curve, unless told otherwise
_LEAST, _MOST = 1e-6, 0.5  # their probabilities
_MOST_LEVELS = 100_000
_FEWEST = 10  # paths below the lowest of them
_SAME = 1e-6  # of the horizon: how far apart two times may be that are one


def threshold(outcome: Outcome, probability: float, by: float | str | None = None) -> Estimate:
    """Estimate the level of the ladder's metric that is breached by a time with a given probability.

    It is the floor(probability * paths)-th lowest of the paths' worst metrics: a tier at that level is breached by
    exactly that share of the paths, unless several paths have that very worst. It rises with the probability. The
    interval comes from order statistics and holds for any law; where the sample is too small for one, it is
    unbounded. The standard error is its half-width over 1.96. With likelihood ratios or replicates it is the level
    that a share of the weight lies below, interpolated between neighbours, and the interval's ranks follow from the
    spread of that share.

    Args:
        outcome: of `simulate` with `worst`.
        probability: of a breach, from 1 / paths (any of importance sampling) to below 1; of a summary, at most 1 less
            the lowest of its `levels`.
        by: one of `outcome.worst_times`, in years or as a text such as "1d"; default: the last of them.

    Raises:
        InvalidInput: for an outcome without worst metrics, a probability or a time that it cannot tell.

    Example:
        >>> import kernel
        >>> outcome = kernel.simulate(
        ...     kernel.Gbm(assets=["BTC"], spot=60_000.0, volatility=0.65),
        ...     kernel.Account(cash=-54_000.0, positions=[kernel.Linear("BTC", quantity=1.0)], maintenance_rate=0.005),
        ...     kernel.Ladder({"liquidation": 1.0}), horizon=5 / 365, steps=1, paths=10_000, worst=True)
        >>> level = kernel.threshold(outcome, 0.1)
        >>> level.low < level.value < level.high
        True
    """
    row = _row(outcome, by)
    shares = _checked(outcome, probability)
    return Estimate(*lowest_metrics(outcome, row).lower_quantiles(shares)[:, 0].tolist())


@dataclass(frozen=True, eq=False, kw_only=True)
class ThresholdCurve(Tabular):
    """Levels of the metric by the probability that they are breached by a time."""

    by: float
    """Years."""
    probabilities: NDArray[np.float64]
    levels: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    provenance: dict[str, Any] | None = field(default=None, repr=False)
    """Of the outcome."""

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """Return probability, level, standard_error, low and high; infinite ends are no bounds."""
        values = self.probabilities, self.levels, self.standard_error, self.low, self.high
        return dict(zip(("probability", "level", "standard_error", "low", "high"), values, strict=True))

    def to_arrow(self) -> pa.Table:
        """Return a row for each probability: by in years, and the columns; null: no bound.

        Its schema carries the provenance of the outcome as JSON under "margin_kernel".
        """
        return curves_table([self])


def curves_table(curves: Sequence[ThresholdCurve]) -> pa.Table:
    """Return the rows of the curves of one outcome, one curve below the other, with the outcome's provenance."""
    each = [curve.columns() for curve in curves]
    columns: dict[str, Any] = {"by": np.repeat([curve.by for curve in curves], [curve.levels.size for curve in curves])}
    for name in each[0]:
        joined = np.concatenate([curve[name] for curve in each])
        columns[name] = np.where(np.isfinite(joined), joined, np.nan)
    return table_of(columns, curves[0].provenance)


def threshold_curve(
    outcome: Outcome, probabilities: ArrayLike | None = None, by: float | str | None = None
) -> ThresholdCurve:
    """Estimate the levels of many breach probabilities at once, each as `threshold` does.

    Args:
        outcome: of `simulate` with `worst`.
        probabilities: in any order; default: 200 of even ratios up to 0.5, from ten paths or a millionth.
        by: one of `outcome.worst_times`, in years or as a text such as "1d"; default: the last of them.

    Raises:
        InvalidInput: as `threshold` does.

    Example:
        `curve = kernel.threshold_curve(outcome, [0.001, 0.01, 0.1])`
    """
    row = _row(outcome, by)
    if probabilities is None:
        probabilities = np.geomspace(min(max(_FEWEST / outcome.paths, _LEAST), _MOST), _MOST, _POINTS)
    shares = _checked(outcome, probabilities)
    levels, error, low, high = lowest_metrics(outcome, row).lower_quantiles(shares)
    return ThresholdCurve(
        by=outcome.worst_times[row],
        probabilities=shares,
        levels=levels,
        standard_error=error,
        low=low,
        high=high,
        provenance=outcome.provenance,
    )


def _row(outcome: Outcome, by: float | str | None) -> int:
    """Return the place of a time among those by which an outcome kept the worst metrics."""
    require_outcome(outcome)
    problems, times = Problems(), outcome.worst_times
    if not times:
        problems.add("outcome", "kept no worst metrics: simulate with worst=True, or the times by which to keep them")
    problems.raise_any()
    if by is None:
        return len(times) - 1
    time = checks.years(problems, "by", by)
    problems.raise_any()
    row = int(np.argmin(np.abs(np.array(times) - time)))
    if abs(times[row] - time) > _SAME * outcome.horizon:
        known = ", ".join(map(duration, times))
        problems.add("by", f"must be a time by which worst metrics were kept ({known}), not {duration(time)}")
    problems.raise_any()
    return row


def _checked(outcome: Outcome, probabilities: ArrayLike) -> NDArray[np.float64]:
    problems = Problems()
    listed = checks.listed(problems, "probabilities", probabilities, _MOST_LEVELS)
    if not listed and not problems.found:
        problems.add("probabilities", "must be at least one probability, such as 0.01")
    shares = np.array([checks.number(problems, "probability", share, above=0, below=1) for share in listed])
    problems.raise_any()
    weighted = isinstance(outcome, PathOutcome) and outcome.weight is not None
    if not weighted and shares.min() * outcome.paths < 1:
        least = f"1 / paths ({1 / outcome.paths:g})"
        problems.add("probability", f"must be at least {least}, not {shares.min():g}: simulate more paths")
    problems.raise_any()
    return shares

"""How the paths of an escalation end, and when: cumulative incidences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kernel import checks
from kernel.errors import Problems
from kernel.measures.escalation import require_escalation
from kernel.measures.quantities import of_paths
from kernel.simulation.outcome import Outcome
from kernel.tables import Tabular, table_of

if TYPE_CHECKING:
    import pyarrow as pa

NOT_YET = "not yet"
_MOST_TIMES = 100_000


@dataclass(frozen=True, eq=False, kw_only=True)
class Endings(Tabular):
    """The probability of each end by each time, and of none yet: at any time they add up to one."""

    times: NDArray[np.float64]
    """[time] years, rising."""
    ends: tuple[str, ...]
    """"not yet", and the ends of `EscalationOutcome.ends` but "untouched"."""
    probabilities: NDArray[np.float64]
    """[end, time]"""
    standard_error: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    provenance: dict[str, Any] | None = field(default=None, repr=False)
    """Of the outcome."""

    def to_arrow(self) -> pa.Table:
        """Return a row for each end and time: end, time in years, probability, standard_error, low and high.

        Its schema carries the provenance of the outcome as JSON under "margin_kernel".
        """
        ends, times = np.repeat(self.ends, self.times.size), np.tile(self.times, len(self.ends))
        columns: dict[str, Any] = {"end": ends, "time": times, "probability": self.probabilities.ravel()}
        columns |= {name: getattr(self, name).ravel() for name in ("standard_error", "low", "high")}
        return table_of(columns, self.provenance)


def endings(outcome: Outcome, times: Sequence[float | str] | float | str | None = None) -> Endings:
    """Estimate the cumulative incidence of each end: the probability that a path has come to it by a time, to stay.

    A path has the end that it has at the horizon since the event that brought it there; before, it counts as "not
    yet", whatever happened to it on the way. The intervals are Wilson's.

    Args:
        outcome: of `simulate` with an escalation.
        times: years, from 0 to the horizon, or texts such as "1d", in any order; default: 1,441 even ones.

    Raises:
        InvalidInput: for an outcome without an escalation, or a time outside the horizon.

    Example:
        `kernel.endings(outcome, ["8h", "1d", "5d"]).to_arrow()`
    """
    escalated = require_escalation(outcome)
    by = outcome.cell_times() if times is None else _checked(times, outcome.horizon)
    end, end_time = escalated.end, np.minimum(escalated.end_time, outcome.horizon)
    since = np.where(np.isnan(end_time), np.inf, end_time)
    found = [of_paths(escalated, since, 0.0, outcome.horizon).survival(by)]
    for k in range(1, len(escalated.ends)):
        sample = of_paths(escalated, np.where(end == k, since, np.inf), 0.0, outcome.horizon)
        survival, error, low, high = sample.survival(by)
        found.append(np.array([1.0 - survival, error, 1.0 - high, 1.0 - low]))
    value, error, low, high = np.array(found).transpose(1, 0, 2)
    return Endings(
        times=by,
        ends=(NOT_YET, *escalated.ends[1:]),
        probabilities=value,
        standard_error=error,
        low=low,
        high=high,
        provenance=outcome.provenance,
    )


def _checked(times: Any, horizon: float) -> NDArray[np.float64]:
    """Return the times in years, rising, each once."""
    problems = Problems()
    listed = checks.listed(problems, "times", times, _MOST_TIMES)
    if not listed and not problems.found:
        problems.add("times", 'must be at least one time, such as "1d"')
    problems.raise_any()
    years = []
    for time in listed:
        years.append(checks.years(problems, "times", time, at_least=0, at_most=horizon))
        problems.raise_any()  # of many, the first is enough
    return np.unique(np.array(years))

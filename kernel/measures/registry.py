"""The measures by name: what each is called with, and its unit; the limits of `--fail-if` follow from it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from kernel.measures.breach import breach_probability, breach_time_quantile
from kernel.measures.escalation import (
    bad_debt_expected_shortfall,
    bad_debt_mean,
    bad_debt_probability,
    bad_debt_value_at_risk,
)
from kernel.measures.estimate import Estimate
from kernel.measures.tail import expected_shortfall, value_at_risk

KINDS: Final = ("tier", "level", "probability", "time", "number")
"""Of arguments: a tier's name; a level of losses, which a summary has to keep, and a probability, both above 0 and
below 1; a time within the horizon, in years; any finite number."""
UNITS: Final = ("currency", "probability", "years", "number")


class Measure(NamedTuple):
    """A measure that limits can be stated on.

    Example:
        >>> MEASURES["breach_probability"].required
        ('tier',)
    """

    name: str
    function: Callable[..., Estimate]
    """Of an outcome and the arguments."""
    arguments: Mapping[str, str]
    """The kind of each, of `KINDS`, in their order; those with a default may be left out."""
    unit: str
    """Of the estimate, of `UNITS`."""

    @property
    def required(self) -> tuple[str, ...]:
        """Return the arguments that have no default."""
        parameters = inspect.signature(self.function).parameters
        return tuple(name for name in self.arguments if parameters[name].default is inspect.Parameter.empty)


MEASURES: Final[dict[str, Measure]] = {}
"""Every registered measure, by name."""


def register(measure: Measure) -> None:
    """Let limits be stated on a measure, from now on and in this process.

    Raises:
        ValueError: if another measure has its name, or an argument or the unit is of no kind known here.

    Example:
        `register(Measure("loss_probability", loss_probability, {"above": "number"}, "probability"))`
    """
    if measure.name in MEASURES or not measure.name.isidentifier():
        raise ValueError(f"a measure's name must be an identifier that no other one has, not {measure.name!r}")
    if unknown := {*measure.arguments.values()} - {*KINDS}:
        raise ValueError(f"{measure.name}: arguments are of the kinds {', '.join(KINDS)}, not {', '.join(unknown)}")
    if measure.unit not in UNITS:
        raise ValueError(f"{measure.name}: the unit must be one of {', '.join(UNITS)}, not {measure.unit!r}")
    MEASURES[measure.name] = measure


register(Measure("breach_probability", breach_probability, {"tier": "tier", "by": "time"}, "probability"))
register(Measure("value_at_risk", value_at_risk, {"level": "level"}, "currency"))
register(Measure("expected_shortfall", expected_shortfall, {"level": "level"}, "currency"))
register(Measure("breach_time_quantile", breach_time_quantile, {"tier": "tier", "probability": "probability"}, "years"))
register(Measure("bad_debt_probability", bad_debt_probability, {}, "probability"))
register(Measure("bad_debt_mean", bad_debt_mean, {}, "currency"))
register(Measure("bad_debt_value_at_risk", bad_debt_value_at_risk, {"level": "level"}, "currency"))
register(Measure("bad_debt_expected_shortfall", bad_debt_expected_shortfall, {"level": "level"}, "currency"))

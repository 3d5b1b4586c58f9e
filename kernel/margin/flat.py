"""The flat rule: a rate of the notional, one for all assets or one for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kernel import checks
from kernel.checks import labels
from kernel.errors import Problems
from kernel.instruments import Instrument
from kernel.instruments.instrument import Numbers
from kernel.margin.rule import MarginRule


def checked_rate(problems: Problems, field: str, rate: Any) -> Any:
    """Return a rate, or rates by asset, as numbers; note those that are not above 0."""
    rate = labels.by_name(rate)
    if isinstance(rate, Mapping):
        return {name: checks.number(problems, f"{field}.{name}", one, above=0) for name, one in rate.items()}
    return checks.number(problems, field, rate, above=0)


@dataclass(frozen=True, eq=False)
class Flat(MarginRule):
    """A maintenance margin of rate * notional, summed over the positions: long and short do not offset each other.

    Args:
        rate: above 0; one for all assets, or a mapping from each asset's name to its own.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> from kernel.instruments import Linear
        >>> Flat(0.005).requirement([Linear("BTC", quantity=-2.0)], np.array([60_000.0]), 0.0)
        array([600.])
    """

    rate: float | Mapping[str, float]

    def __post_init__(self) -> None:
        problems = Problems()
        object.__setattr__(self, "rate", checked_rate(problems, "rate", self.rate))
        problems.raise_any()

    def requirement(self, positions: Sequence[Instrument], price: Numbers, years: float) -> Numbers:
        """Return the sum of rate * notional."""
        rate: Any = self.rate[positions[0].asset] if type(self.rate) is dict else self.rate
        required: Any = 0.0
        for position in positions:
            required = required + rate * abs(position.quantity) * position.unit_notional(price, years)
        return np.asarray(required)

    def lack(self, asset: str) -> str | None:
        """Return that an asset has no rate."""
        missing = type(self.rate) is dict and asset not in self.rate
        return f"must have a rate for {asset}" if missing else None

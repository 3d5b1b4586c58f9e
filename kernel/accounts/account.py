"""An account: cash, positions, and the maintenance rate that they are held under."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernel import checks
from kernel.checks import labels
from kernel.errors import Problems
from kernel.instruments.linear import Linear

MOST_POSITIONS = 100_000


@dataclass(frozen=True, eq=False, kw_only=True)
class Account:
    """Cash and positions in one settlement currency, under one margin rule.

    Equity is cash plus the value of the positions; the requirement is the sum over the positions of
    maintenance rate * |quantity| * price.

    Args:
        cash: may be negative: what was borrowed.
        positions: at least one; any number, also several on one asset.
        maintenance_rate: above 0; one for all assets, or a mapping from each asset's name to its own.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> import kernel
        >>> Account(cash=-54_000.0, positions=[kernel.Linear("BTC", quantity=1.0)], maintenance_rate=0.005).cash
        -54000.0
    """

    cash: float
    positions: Sequence[Linear]
    maintenance_rate: float | Mapping[str, float]

    def __post_init__(self) -> None:
        problems = Problems()
        object.__setattr__(self, "cash", checks.number(problems, "cash", self.cash))
        noted = len(problems.found)
        listed = tuple(checks.listed(problems, "positions", self.positions, MOST_POSITIONS))
        if len(problems.found) > noted:
            problems.raise_any()
        if (
            isinstance(self.positions, Linear)
            or not listed
            or not all(isinstance(position, Linear) for position in listed)
        ):
            problems.add("positions", "must be a list of at least one position, such as a linear one")
        object.__setattr__(self, "positions", listed)
        rate: Any = labels.by_name(self.maintenance_rate)
        if isinstance(rate, Mapping):
            rate = {
                name: checks.number(problems, f"maintenance_rate.{name}", one, above=0) for name, one in rate.items()
            }
        else:
            rate = checks.number(problems, "maintenance_rate", rate, above=0)
        object.__setattr__(self, "maintenance_rate", rate)
        problems.raise_any()

    def check_assets(self, problems: Problems, assets: Sequence[str]) -> None:
        """Note positions on assets that the market does not have, and assets held without a rate."""
        known, rate, there = ", ".join(assets), self.maintenance_rate, set(assets)
        for k, position in enumerate(self.positions):
            if position.asset not in there:
                problems.add(
                    f"account.positions[{k}].asset", f"must be one of the market's ({known}), not {position.asset}"
                )
            elif isinstance(rate, Mapping) and position.asset not in rate:
                problems.add("account.maintenance_rate", f"must have a rate for {position.asset}")

    def exposures(self, assets: Sequence[str], spot: NDArray[np.float64]) -> Exposures:
        """Return what the account is worth and what it requires, as linear functions of relative prices."""
        value, requirement, fixed = np.zeros(len(assets)), np.zeros(len(assets)), self.cash
        places = {name: k for k, name in enumerate(assets)}
        for position in self.positions:
            a, rate = places[position.asset], self.maintenance_rate
            rate = rate[position.asset] if isinstance(rate, Mapping) else rate
            value[a] += position.quantity * spot[a]
            requirement[a] += rate * abs(position.quantity) * spot[a]
            fixed -= position.quantity * position.entry_price
        return Exposures(fixed, value, requirement)

    def revalued(self, ratio: Mapping[str, float]) -> Account:
        """Return the account with the same notionals at prices `ratio` times as high, by asset."""
        positions = [
            replace(one, quantity=one.quantity / ratio[one.asset], entry_price=one.entry_price * ratio[one.asset])
            for one in self.positions
        ]
        return replace(self, positions=positions)

    def parameters(self) -> dict[str, Any]:
        """Return the account as plain values: what a config file would state."""
        return {
            "cash": self.cash,
            "maintenance_rate": self.maintenance_rate,
            "positions": [asdict(position) for position in self.positions],
        }


@dataclass(frozen=True)
class Exposures:
    """Equity = fixed + value @ x and requirement = requirement @ x, for relative prices x = price / opening price."""

    fixed: float
    value: NDArray[np.float64]  # [asset] currency
    requirement: NDArray[np.float64]  # [asset] currency

    @property
    def opening_equity(self) -> float:
        """Return the equity at the opening prices."""
        return float(self.fixed + self.value.sum())

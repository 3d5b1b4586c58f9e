"""Instruments and margin rules as people define them outside the package, a class each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import kernel
from kernel.errors import Problems


@dataclass(frozen=True)
class Power(kernel.Instrument):
    """A power contract: a unit is worth price ** exponent."""

    exponent: float = 2.0

    def unit_value(self, price: Any, years: float) -> Any:
        """Return the power of the price."""
        return price**self.exponent

    def unit_notional(self, price: Any, years: float) -> Any:
        """Return the same."""
        return price**self.exponent


@dataclass(frozen=True)
class Inverse(kernel.Instrument):
    """A coin-margined contract: a unit of the quote currency, settled in the coin; owed what it was at the entry."""

    entry_price: float = 1.0

    def check(self, problems: Problems) -> None:
        """Refuse an entry at no price."""
        if not self.entry_price > 0:
            problems.add("entry_price", "must be above 0")

    @property
    def owed(self) -> float:
        """Return the coins that a unit was at the entry, with the sign of what a rise of the price earns."""
        return -self.quantity / self.entry_price

    def unit_value(self, price: Any, years: float) -> Any:
        """Return less the coins that a unit is."""
        return -1.0 / price

    def unit_notional(self, price: Any, years: float) -> Any:
        """Return the coins that a unit is."""
        return 1.0 / price


@dataclass(frozen=True)
class Decaying(kernel.Instrument):
    """A unit that loses a tenth of its value a year."""

    def unit_value(self, price: Any, years: float) -> Any:
        """Return what is left."""
        return price * 0.9**years

    def unit_notional(self, price: Any, years: float) -> Any:
        """Return the price."""
        return price


@dataclass(frozen=True, eq=False)
class TwoBrackets(kernel.MarginRule):
    """A rate up to a notional, another beyond it, with the deduction that keeps the requirement continuous."""

    bound: float = 50_000.0
    low: float = 0.004
    high: float = 0.02
    scales_with_size = False

    def requirement(self, positions: Sequence[kernel.Instrument], price: Any, years: float) -> Any:
        """Return notional * rate - deduction."""
        notional = sum(position.notional(price, years) for position in positions)
        return np.where(
            notional <= self.bound, self.low * notional, self.high * notional - (self.high - self.low) * self.bound
        )


@dataclass(frozen=True, eq=False)
class Haircut(kernel.MarginRule):
    """A flat rate, and a haircut on what the positions are worth."""

    rate: float = 0.01
    haircut: float = 0.1

    def requirement(self, positions: Sequence[kernel.Instrument], price: Any, years: float) -> Any:
        """Return rate * notional."""
        return self.rate * sum(position.notional(price, years) for position in positions)

    def margin_equity(self, value: Any, positions: Sequence[kernel.Instrument], price: Any, years: float) -> Any:
        """Return what is left of the value."""
        return (1 - self.haircut) * value

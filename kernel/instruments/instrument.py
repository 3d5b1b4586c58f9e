"""What every instrument is: an asset, a quantity, and what one unit is worth."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kernel import checks
from kernel.checks.text import brief, snake
from kernel.errors import InvalidInput, Problem, Problems

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Instrument(ABC):
    """A position on one asset, worth `quantity * unit_value` less what is owed for it, in the settlement currency.

    A new one is a frozen dataclass that states `unit_value` and `unit_notional`, in NumPy and for any shape of prices;
    one with terms of its own checks them in `check`, one that is not paid for at once states `owed`.

    Args:
        asset: name of an asset of the market.
        quantity: units; negative is short; not 0.

    Raises:
        InvalidInput: with every field that has to be mended.
    """

    asset: str
    quantity: float

    def __post_init__(self) -> None:
        problems = Problems()
        if not checks.is_name(self.asset):
            problems.add("asset", f"must be the name of an asset, {checks.NAME}, not {brief(self.asset)}")
        object.__setattr__(self, "quantity", checks.number(problems, "quantity", self.quantity))
        self.check(problems)
        if self.quantity == 0:
            problems.add("quantity", "must not be 0")
        problems.raise_any()

    def check(self, problems: Problems) -> None:  # noqa: B027 - many have no terms of their own
        """Note what is wrong with the terms of its own, and replace them by clean numbers."""

    @property
    def owed(self) -> float:
        """Return what is still to be paid for the position, in currency: its entry price, if it is a future."""
        return 0.0

    @abstractmethod
    def unit_value(self, price: Numbers, years: float) -> Numbers:
        """Return the value of one unit, before what is owed, at prices [...] of the asset, `years` after the opening.

        The result broadcasts against the prices, and nothing in it may depend on their shape.
        """

    @abstractmethod
    def unit_notional(self, price: Numbers, years: float) -> Numbers:
        """Return the notional of one unit, at least 0: what margin rates are a share of."""

    def value(self, price: Numbers, years: float = 0.0) -> Numbers:
        """Return the value of the position, before what is owed for it."""
        return self.quantity * self.unit_value(price, years)

    def notional(self, price: Numbers, years: float = 0.0) -> Numbers:
        """Return the notional of the position, at least 0."""
        return abs(self.quantity) * self.unit_notional(price, years)

    def scaled(self, share: float) -> Self:
        """Return the share of the position, above 0, that is left."""
        return replace(self, quantity=share * self.quantity)

    def revalued(self, ratio: float) -> Self:  # noqa: ARG002 - those that define it ask for it
        """Return the position of the same notional at prices `ratio` times as high.

        Raises:
            InvalidInput: unless the instrument defines it: only it knows which of its terms are prices.
        """
        message = f"cannot be taken to other prices: {type(self).__name__} does not define revalued"
        raise InvalidInput([Problem("positions", message)])

    def parameters(self) -> dict[str, Any]:
        """Return the position as plain values."""
        return {"type": snake(type(self).__name__), **asdict(self)}

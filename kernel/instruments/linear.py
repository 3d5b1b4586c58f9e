"""A linear position: holdings of the asset, a linear future or a linear perpetual."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from kernel import checks
from kernel.errors import Problems
from kernel.instruments.instrument import Instrument, Numbers


@dataclass(frozen=True)
class Linear(Instrument):
    """A position worth quantity * (price - entry_price).

    Args:
        asset: name of an asset of the market.
        quantity: units of the asset; negative is short; not 0.
        entry_price: 0 for holdings of the asset itself; the entry of a future or perpetual; at least 0.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> Linear("BTC", quantity=-0.5, entry_price=60_000.0).quantity
        -0.5
    """

    entry_price: float = 0.0

    def check(self, problems: Problems) -> None:
        """Note an entry price below 0."""
        object.__setattr__(self, "entry_price", checks.number(problems, "entry_price", self.entry_price, at_least=0))

    @property
    def owed(self) -> float:
        """Return the notional at the entry."""
        return self.quantity * self.entry_price

    def unit_value(self, price: Numbers, years: float) -> Numbers:  # noqa: ARG002 - time is nothing to it
        """Return the price."""
        return price

    def unit_notional(self, price: Numbers, years: float) -> Numbers:  # noqa: ARG002 - as above
        """Return the price."""
        return price

    def revalued(self, ratio: float) -> Self:
        """Return the position of the same notional, and the same gain since its entry, at prices `ratio` times as high.

        Example:
            >>> Linear("BTC", quantity=1.0, entry_price=100.0).revalued(2.0)
            Linear(asset='BTC', quantity=0.5, entry_price=200.0)
        """
        return replace(self, quantity=self.quantity / ratio, entry_price=self.entry_price * ratio)

    def parameters(self) -> dict[str, Any]:
        """Return the position as a config file states it, where it is what a position is by default."""
        return asdict(self)

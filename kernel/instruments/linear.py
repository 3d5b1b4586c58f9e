"""A linear position: holdings of the asset, a linear future or a linear perpetual."""

from __future__ import annotations

from dataclasses import dataclass

from kernel import checks
from kernel.checks.text import brief
from kernel.errors import Problems


@dataclass(frozen=True)
class Linear:
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

    asset: str
    quantity: float
    entry_price: float = 0.0

    def __post_init__(self) -> None:
        problems = Problems()
        if not checks.is_name(self.asset):
            problems.add("asset", f"must be the name of an asset, {checks.NAME}, not {brief(self.asset)}")
        object.__setattr__(self, "quantity", checks.number(problems, "quantity", self.quantity))
        object.__setattr__(self, "entry_price", checks.number(problems, "entry_price", self.entry_price, at_least=0))
        if self.quantity == 0:
            problems.add("quantity", "must not be 0")
        problems.raise_any()

"""What every margin rule is: the requirement of the positions on one asset."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from kernel.checks.text import snake
from kernel.instruments import Instrument
from kernel.instruments.instrument import Numbers


@dataclass(frozen=True, eq=False)
class MarginRule(ABC):
    """The maintenance margin of positions, asset by asset.

    A new one is a frozen dataclass that states `requirement`, in NumPy and for any shape of prices; one that counts
    collateral at less than its value states `margin_equity`.
    """

    scales_with_size: ClassVar[bool] = True
    """Whether a share of the positions requires that share. Not so: brackets, minimum charges."""

    @abstractmethod
    def requirement(self, positions: Sequence[Instrument], price: Numbers, years: float) -> Numbers:
        """Return the maintenance margin, at least 0, of at least one position on one asset.

        Args:
            positions: all of the account's on the asset, as far as they are still held.
            price: [...] of the asset.
            years: since the opening.
        """

    def margin_equity(self, value: Numbers, positions: Sequence[Instrument], price: Numbers, years: float) -> Numbers:  # noqa: ARG002 - haircuts ask for all
        """Return what counts as margin of the `value`, [...], that the positions on one asset have: by default all."""
        return value

    def lack(self, asset: str) -> str | None:  # noqa: ARG002 - rules by asset ask for it
        """Return what is missing for positions on an asset, as "must have a rate for BTC"; None: nothing."""
        return None

    def parameters(self) -> dict[str, Any]:
        """Return the rule as plain values."""
        return {"rule": snake(type(self).__name__), **asdict(self)}

"""An account: cash, positions, and the margin rule that they are held under."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel import checks
from kernel.checks.text import brief
from kernel.errors import InvalidInput, Problem, Problems
from kernel.instruments import Instrument
from kernel.margin import Flat, MarginRule
from kernel.margin.flat import checked_rate

MOST_POSITIONS = 100_000


class Worth(NamedTuple):
    """What an account is worth and requires, in its settlement currency; [...] is the shape of each asset's prices."""

    value: NDArray[np.float64]
    """[asset, ...] of the positions, before what is owed for them: what can be lost."""
    margin_equity: NDArray[np.float64]
    """[asset, ...] what of that counts as margin: less, after a haircut."""
    requirement: NDArray[np.float64]
    """[asset, ...] maintenance margin."""
    cash: float
    """What belongs to no asset: cash, less what is owed for the positions. It counts in full."""

    @property
    def equity(self) -> NDArray[np.float64]:
        """Return [...] what the account is worth: losses are counted in it."""
        return np.asarray(self.cash + self.value.sum(axis=0))

    @property
    def margin(self) -> NDArray[np.float64]:
        """Return [...] what of the equity counts as margin: the tiers of a ladder watch it."""
        return np.asarray(self.cash + self.margin_equity.sum(axis=0))

    @property
    def required(self) -> NDArray[np.float64]:
        """Return [...] the maintenance margin of all assets."""
        return np.asarray(self.requirement.sum(axis=0))


@dataclass(frozen=True, eq=False, kw_only=True)
class Account:
    """Cash and positions in one settlement currency, under one margin rule.

    Equity is cash plus the value of the positions; the requirement is what the rule asks for: under a maintenance rate
    the sum over the positions of maintenance rate * |quantity| * price.

    Args:
        cash: may be negative: what was borrowed.
        positions: at least one; any number, also several on one asset.
        maintenance_rate: above 0; one for all assets, or a mapping from each asset's name to its own.
        margin: a rule in place of the rate, such as `kernel.Flat(0.005)`, which is the same.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> import kernel
        >>> Account(cash=-54_000.0, positions=[kernel.Linear("BTC", quantity=1.0)], maintenance_rate=0.005).cash
        -54000.0
    """

    cash: float
    positions: Sequence[Instrument]
    maintenance_rate: float | Mapping[str, float] | None = None
    margin: MarginRule | None = None

    def __post_init__(self) -> None:
        problems = Problems()
        object.__setattr__(self, "cash", checks.number(problems, "cash", self.cash))
        before = len(problems.found)
        listed = tuple(checks.listed(problems, "positions", self.positions, MOST_POSITIONS))
        if len(problems.found) > before:
            problems.raise_any()
        if (
            isinstance(self.positions, Instrument)
            or not listed
            or not all(isinstance(position, Instrument) for position in listed)
        ):
            problems.add("positions", "must be a list of at least one position, such as a linear one")
        object.__setattr__(self, "positions", listed)
        self._check_rule(problems)
        problems.raise_any()

    def _check_rule(self, problems: Problems) -> None:
        if self.margin is None:
            if self.maintenance_rate is None:
                problems.add("maintenance_rate", "is required, such as 0.005, unless a rule is stated as margin")
                return
            rate = checked_rate(problems, "maintenance_rate", self.maintenance_rate)
            object.__setattr__(self, "maintenance_rate", rate)
        elif self.maintenance_rate is not None:
            problems.add("margin", "is stated beside a maintenance_rate: leave one of them out")
        elif not isinstance(self.margin, MarginRule):
            kind = type(self.margin).__name__
            problems.add("margin", f"must be a margin rule, such as kernel.Flat(0.005), not {kind}")

    @cached_property
    def rule(self) -> MarginRule:
        """Return the margin rule, as it was stated or of the rate that was."""
        return Flat(self.maintenance_rate) if self.margin is None else self.margin  # type: ignore[arg-type] # checked

    def check_assets(self, problems: Problems, assets: Sequence[str]) -> None:
        """Note positions on assets that the market does not have, and assets that the margin rule does not know."""
        known, rule, there = ", ".join(assets), self.rule, set(assets)
        field = "account.maintenance_rate" if self.margin is None else "account.margin"
        for k, position in enumerate(self.positions):
            if position.asset not in there:
                problems.add(
                    f"account.positions[{k}].asset", f"must be one of the market's ({known}), not {position.asset}"
                )
                continue
            lack = rule.lack(position.asset)
            if lack is not None:
                problems.add(field, lack)

    def worth(self, assets: Sequence[str], prices: ArrayLike, years: float = 0.0, share: float = 1.0) -> Worth:
        """Return what the account is worth and requires at prices, in NumPy and outside the hot loop.

        Args:
            assets: names, in the order of the prices.
            prices: [asset, ...] above 0.
            years: since the opening; instruments may decay or expire.
            share: of all positions that is still held, from 0 to 1; the cash is the same. A rule that does not scale
                with size requires another share than that.

        Raises:
            InvalidInput: for an asset without prices.

        Example:
            >>> import kernel
            >>> account = Account(cash=-54_000.0, positions=[kernel.Linear("BTC", 1.0)], maintenance_rate=0.005)
            >>> worth = account.worth(["BTC"], [[60_000.0, 57_000.0]])
            >>> worth.equity.tolist(), worth.required.tolist()
            ([6000.0, 3000.0], [300.0, 285.0])
        """
        prices = self._prices(assets, prices)
        if not 0 <= share <= 1:
            raise InvalidInput([Problem("share", f"must be from 0 to 1, not {brief(share)}")])
        places, rule, cash = {name: k for k, name in enumerate(assets)}, self.rule, self.cash
        value, counted, requirement = np.zeros_like(prices), np.zeros_like(prices), np.zeros_like(prices)
        held: dict[int, list[Instrument]] = {}
        for position in self.positions if share > 0 else ():
            left = position if share == 1 else position.scaled(share)
            a = places[position.asset]
            held.setdefault(a, []).append(left)
            value[a] += left.value(prices[a], years)
            cash -= left.owed
        for a, positions in held.items():
            counted[a] = rule.margin_equity(value[a], positions, prices[a], years)
            requirement[a] = rule.requirement(positions, prices[a], years)
        return Worth(value, counted, requirement, cash)

    def notional(self, assets: Sequence[str], prices: ArrayLike, years: float = 0.0) -> NDArray[np.float64]:
        """Return the gross notional, [asset, ...], at prices [asset, ...]: of a linear position |quantity| * price.

        Raises:
            InvalidInput: for an asset without prices.
        """
        prices = self._prices(assets, prices)
        places, gross = {name: k for k, name in enumerate(assets)}, np.zeros_like(prices)
        for position in self.positions:
            a = places[position.asset]
            gross[a] += position.notional(prices[a], years)
        return gross

    def _prices(self, assets: Sequence[str], prices: ArrayLike) -> NDArray[np.float64]:
        """Return prices of all assets that are held, as float64."""
        try:
            prices = np.asarray(prices, dtype=np.float64)
        except (TypeError, ValueError):
            raise InvalidInput([Problem("prices", f"must be numbers, not {brief(prices)}")]) from None
        if prices.shape[:1] != (len(assets),):
            wanted = f"[asset, ...], one for each of {len(assets)}"
            raise InvalidInput([Problem("prices", f"must be {wanted}, not of shape {prices.shape}")])
        missing = sorted({position.asset for position in self.positions} - set(assets))
        if missing:
            raise InvalidInput([Problem("assets", f"must have what is held: {', '.join(missing)} is missing")])
        return prices

    def revalued(self, ratio: Mapping[str, float]) -> Account:
        """Return the account with the same notionals at prices `ratio` times as high, by asset."""
        return replace(self, positions=[position.revalued(ratio[position.asset]) for position in self.positions])

    def parameters(self) -> dict[str, Any]:
        """Return the account as plain values: what a config file would state."""
        rule: dict[str, Any] = {"maintenance_rate": self.maintenance_rate}
        if self.margin is not None:
            rule = {"margin": self.margin.parameters()}
        return {"cash": self.cash, **rule, "positions": [position.parameters() for position in self.positions]}

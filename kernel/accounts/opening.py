"""An account at its opening prices: what it is worth there, how it moves with them, and which tiers are breached.

Prices are relative here: over the opening prices. The tangent plane of an account is what it would be if it were
linear; of linear positions under a flat rate it is the account itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel.accounts.account import Account, Worth
from kernel.accounts.conditions import Condition, Loss, Plane, TierBreach
from kernel.accounts.ladder import Ladder
from kernel.instruments import Linear
from kernel.margin import Flat

ROUNDING = 1e-15  # of the size of what is added up: an account that opens at a level has breached it
_NUDGE = 2.0**-17  # of a relative price, in a central difference: its error is some 1e-10 of what is nudged


class Totals(NamedTuple):
    """What an account is worth and requires in all, [...], in currency."""

    equity: NDArray[np.float64]
    margin: NDArray[np.float64]
    """What of the equity counts as margin."""
    required: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Opening:
    """An account at its opening prices, by its tangent plane there; this class itself: of one that is linear.

    Margin = fixed + value @ x and requirement = base + requirement @ x near the relative prices x = 1.
    """

    fixed: float
    value: NDArray[np.float64]
    """[asset] currency per unit of relative price."""
    base: float
    requirement: NDArray[np.float64]
    """[asset], as `value`."""

    @property
    def margin(self) -> float:
        """Return what counts as margin at the opening prices."""
        return float(self.fixed + self.value.sum())

    @property
    def required(self) -> float:
        """Return the requirement at the opening prices."""
        return float(self.base + self.requirement.sum())

    @property
    def equity(self) -> float:
        """Return the equity at the opening prices."""
        return self.margin

    @property
    def delta(self) -> NDArray[np.float64]:
        """Return [asset] how the equity moves: `value`, but for what does not count as margin."""
        return self.value

    def metric(self, ladder_metric: str) -> float:
        """Return a ladder's metric at the opening prices, NaN where nothing is required."""
        if ladder_metric == "equity_fraction":
            return 1.0
        return self.margin / self.required if self.required > 0 else math.nan

    def totals(self, relative: NDArray[np.float64]) -> Totals:
        """Return what the account is worth and requires at relative prices [..., asset]."""
        equity = self.fixed + relative @ self.value
        return Totals(equity, equity, relative @ self.requirement)

    def denominator(self, ladder: Ladder) -> tuple[float, NDArray[np.float64]]:
        """Return the metric's denominator: its base, and what it has [asset] per unit of relative price."""
        if ladder.metric == "equity_fraction":
            return self.margin, np.zeros_like(self.requirement)
        return self.base, self.requirement

    def conditions(self, ladder: Ladder) -> Sequence[Condition]:
        """Return when each tier is breached: margin - level * denominator <= 0."""
        base, requirement = self.denominator(ladder)
        fixed, weight = self.fixed - ladder.levels * base, self.value - ladder.levels[:, None] * requirement
        return [Plane(*tier) for tier in zip(ladder.names, fixed.tolist(), weight, strict=True)]

    def loss_of(self, amount: float) -> Condition:
        """Return the condition of a loss of at least an amount."""
        return Plane("that loss", amount - float(self.value.sum()), self.value)

    def breached(self, ladder: Ladder) -> int:
        """Count the tiers that are breached at the opening prices: the first ones, whose levels are highest."""
        base, requirement = self.denominator(ladder)
        fixed, weight = self.fixed - ladder.levels * base, self.value - ladder.levels[:, None] * requirement
        size = np.abs(fixed) + np.abs(self.value).sum() + np.abs(ladder.levels) * (abs(base) + requirement.sum())
        return int(np.count_nonzero(fixed + weight.sum(axis=1) <= ROUNDING * size))


@dataclass(frozen=True, eq=False)
class CurvedOpening(Opening):
    """The tangent plane of an account that is not linear, and the account itself."""

    account: Account
    assets: tuple[str, ...]
    spot: NDArray[np.float64]
    slope: NDArray[np.float64]
    """[asset] of the equity, in currency per unit of relative price."""

    @property
    def equity(self) -> float:
        """Return the equity at the opening prices."""
        return float(self.worth(np.ones_like(self.spot)).equity)

    @property
    def delta(self) -> NDArray[np.float64]:
        """Return the slope of the equity."""
        return self.slope

    def worth(self, relative: NDArray[np.float64]) -> Worth:
        """Return the account's worth at relative prices [asset, ...], at the time of the opening."""
        return worth_at(self.account, self.assets, self.spot, relative)

    def totals(self, relative: NDArray[np.float64]) -> Totals:
        """Return what the account is worth and requires at relative prices [..., asset]."""
        worth = self.worth(np.moveaxis(relative, -1, 0))
        return Totals(worth.equity, worth.margin, worth.required)

    def conditions(self, ladder: Ladder) -> Sequence[Condition]:
        """Return when each tier is breached."""
        base = self.margin if ladder.metric == "equity_fraction" else None
        _, requirement = self.denominator(ladder)
        weight = self.value - ladder.levels[:, None] * requirement
        each = zip(ladder.names, weight, ladder.levels.tolist(), strict=True)
        return [TierBreach(name, slope, self.worth, level, base) for name, slope, level in each]

    def loss_of(self, amount: float) -> Condition:
        """Return the condition of a loss of at least an amount."""
        return Loss("that loss", self.slope, self.worth, self.equity - amount)


def worth_at(
    account: Account,
    assets: Sequence[str],
    spot: NDArray[np.float64],
    relative: NDArray[np.float64],
    years: float = 0.0,
) -> Worth:
    """Return an account's worth at relative prices [asset, ...]; what is no number at far prices is none, unwarned."""
    with np.errstate(all="ignore"):
        return account.worth(assets, spot.reshape(-1, *(1,) * (relative.ndim - 1)) * relative, years)


def moves_linearly(account: Account) -> bool:
    """Tell whether the positions are linear in the prices, whatever these are."""
    return all(type(position) is Linear for position in account.positions)


def is_linear(account: Account) -> bool:
    """Tell whether equity and requirement are linear in the prices."""
    return type(account.rule) is Flat and moves_linearly(account)


def open_account(account: Account, assets: Sequence[str], spot: ArrayLike) -> Opening:
    """Return an account at opening prices [asset].

    Example:
        >>> import kernel
        >>> account = kernel.Account(cash=-50.0, positions=[kernel.Linear("A", 2.0)], maintenance_rate=0.1)
        >>> opening = open_account(account, ["A"], [100.0])
        >>> opening.equity, opening.required, opening.value.tolist()
        (150.0, 20.0, [200.0])
    """
    prices = np.array(spot, dtype=np.float64)
    if is_linear(account):
        worth = account.worth(assets, prices)
        return Opening(worth.cash, worth.value, 0.0, worth.requirement)
    size = prices.size
    nudged = 1.0 + _NUDGE * np.hstack([np.eye(size), -np.eye(size), np.zeros((size, 1))])
    worth = worth_at(account, assets, prices, nudged)
    totals = worth.margin, worth.required, worth.equity
    value, requirement, slope = ((total[:size] - total[size:-1]) / (2 * _NUDGE) for total in totals)
    fixed, base = float(totals[0][-1] - value.sum()), float(totals[1][-1] - requirement.sum())
    return CurvedOpening(fixed, value, base, requirement, account, tuple(assets), prices, slope)


def opening_notes(opening: Opening, ladder: Ladder) -> tuple[str, ...]:
    """Say what is settled before anything moves: no equity, a requirement that is not met, tiers in breach.

    Example:
        >>> import kernel
        >>> account = kernel.Account(cash=1.0, positions=[kernel.Linear("A", 1.0, 50.0)], maintenance_rate=0.1)
        >>> opening_notes(open_account(account, ["A"], [50.0]), kernel.Ladder({"call": 2.0, "out": 0.1}))[1]
        'the account opens in breach of call, at margin_ratio 0.2: it breaches at time 0 with probability 1'
    """
    equity, required = opening.equity, opening.required
    slack = ROUNDING * (abs(opening.fixed) + np.abs(opening.value).sum() + required)
    notes = []
    if equity <= slack:
        notes.append(f"the account opens insolvent, with an equity of {equity:,.6g}")
    elif ladder.metric == "margin_ratio" and opening.margin < required - slack:
        notes.append(
            f"the account opens below its requirement of {required:,.6g}, with an equity of {opening.margin:,.6g}"
        )
    count, names = opening.breached(ladder), ladder.names
    if count:
        named = ", ".join(names[:count]) if count < len(names) else "every tier"
        each = f"{'each' if count > 1 else 'it'} breaches at time 0 with probability 1"
        whatever = ", whatever the market does" if count == len(names) else ""
        value = opening.metric(ladder.metric)
        notes.append(f"the account opens in breach of {named}, at {ladder.metric} {value:.4g}: {each}{whatever}")
    return tuple(notes)

"""Barriers by root finding: any account on one asset whose tiers are each breached on one side of one price.

Such a tier is a barrier on the log price, as of a linear account, so first breaches are as exact between steps. What is
asked of the account is its worth, on a grid of prices: it may not depend on time, and whatever crosses a tier more than
once within the prices that the horizon reaches is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from kernel.accounts.books.barrier import BarrierBook
from kernel.accounts.opening import worth_at
from kernel.accounts.watch import FARTHEST_LOG_PRICE, Book, Closing, Readings, Watch, Watched
from kernel.errors import Problem, Problems

# Log prices of the grid on each side of the opening: 9e-6 apart there, farther out by 0.24% of the way.
_POINTS, _CROWDED = 4096, 10.0
_HALVINGS = 64  # of a stretch of the grid: down to the last bit of its root
_FLAT = 1e-12  # of a metric, by which rounding may let it fall where it rises


class Curve(NamedTuple):
    """The metric's numerator and denominator by log prices relative to the opening, [point], rising."""

    log_price: NDArray[np.float64]
    margin: NDArray[np.float64]
    denominator: NDArray[np.float64]

    def stands(self, level: float) -> NDArray[np.bool_]:
        """Return [point] whether a tier stands, that does so at the opening."""
        breached = _is_breached(self, level)
        breached[self.middle] = False  # where rounding might say otherwise
        return ~breached

    @property
    def middle(self) -> int:
        """Return the point of the opening."""
        return int(np.searchsorted(self.log_price, 0.0))

    def between(self, lowest: float, highest: float) -> Curve:
        """Return the points from the last at or below a log price to the first at or above another."""
        first = max(int(np.searchsorted(self.log_price, lowest, side="right")) - 1, 0)
        last = int(np.searchsorted(self.log_price, highest)) + 1
        return Curve(*(row[first:last] for row in self))


class Stretch(NamedTuple):
    """Neighbours on the grid, between which tiers are breached, [tier]; NaN: nowhere."""

    breached: NDArray[np.float64]
    standing: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CurveReadings(Readings):
    """The metric of readings that are log prices times `side`."""

    levels: NDArray[np.float64]
    side: float
    watched: Watched
    knows_breach_price: ClassVar[bool] = True

    def unrounded(self, reading: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return margin / denominator."""
        curve = curve_at(self.watched, self.side * reading.astype(np.float64))
        with np.errstate(divide="ignore"):
            return np.asarray(curve.margin / curve.denominator)


def curve_at(watched: Watched, log_price: NDArray[np.float64]) -> Curve:
    """Return a metric's numerator and denominator at log prices."""
    with np.errstate(over="ignore"):
        worth = worth_at(watched.account, watched.assets, watched.spot, np.exp(log_price)[None])
    if watched.ladder.metric == "equity_fraction":
        return Curve(log_price, worth.margin, np.full_like(worth.margin, watched.opening.margin))
    return Curve(log_price, worth.margin, worth.required)


def log_prices() -> NDArray[np.float64]:
    """Return the log prices of the grid, rising, 0 in the middle."""
    half = FARTHEST_LOG_PRICE * np.sinh(np.linspace(0.0, _CROWDED, _POINTS + 1)) / np.sinh(_CROWDED)
    return np.concatenate([-half[:0:-1], half])


class RootBarriers(Book):
    """An account on one asset whose worth is a matter of the price alone: brackets, inverse and power contracts."""

    def holds(self, watched: Watched) -> bool:
        """Tell whether there is but one asset."""
        return watched.spot.size == 1

    def check(self, problems: Problems, watched: Watched) -> None:
        """Note the first reason why the tiers are no barriers."""
        within = curve_at(watched, log_prices()).between(watched.lowest, watched.highest)
        found = _no_numbers(watched, within) or _in_time(watched, within) or _crossings(watched, within)
        if found is None and watched.keeps_worst and not _is_monotone(within):
            message = "must be False for this account: its metric does not only rise, or only fall, with the price"
            found = Problem("worst", f"{message}, so that its worst is not at the worst price")
        if found is not None:
            problems.add(*found)

    def build(self, watched: Watched, real: DTypeLike) -> Watch:
        """Find the log prices nearest to the opening at which the tiers are breached."""
        ladder, opening = watched.ladder, watched.opening
        curve, opening_tier = curve_at(watched, log_prices()), opening.breached(ladder)
        levels = ladder.levels[opening_tier:]
        rises = _is_left_below(curve.between(watched.lowest, watched.highest), levels)
        roots = _roots(watched, levels, _first_breaches(curve, levels, -1 if rises else 1))
        barrier = np.full(ladder.levels.size + 1, -np.inf)
        barrier[opening_tier:-1] = np.where(np.isnan(roots), -np.inf, -np.abs(roots))
        cast: Any = np.dtype(real).type
        side = 1.0 if rises else -1.0
        book = BarrierBook(watched.spot, np.zeros(1), cast(side), barrier.astype(real))
        closing = Closing(watched.account, watched.assets, opening.equity, watched.horizon)
        return Watch(book, opening_tier, CurveReadings(ladder.levels, side, watched), closing)


def _first_breaches(curve: Curve, levels: NDArray[np.float64], direction: int) -> Stretch:
    """Return where tiers are first breached as the price moves down (-1) or up from the opening."""
    middle, breached, standing = curve.middle, np.full(levels.size, np.nan), np.full(levels.size, np.nan)
    outward = curve.log_price[middle::direction]
    for k, level in enumerate(levels.tolist()):
        fallen = np.flatnonzero(~curve.stands(level)[middle::direction])
        if fallen.size:
            breached[k], standing[k] = outward[fallen[0]], outward[fallen[0] - 1]
    return Stretch(breached, standing)


def _roots(watched: Watched, levels: NDArray[np.float64], stretch: Stretch) -> NDArray[np.float64]:
    """Return the log prices [tier] at which tiers are just breached, NaN for never, by halving."""
    breached, standing = stretch
    for _ in range(_HALVINGS):
        between = 0.5 * (breached + standing)
        curve = curve_at(watched, between)
        passed = _is_breached(curve, levels)
        breached, standing = np.where(passed, between, breached), np.where(passed, standing, between)
    return breached


def _is_breached(curve: Curve, level: NDArray[np.float64] | float) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore", over="ignore"):  # at prices that no path reaches
        return np.asarray(curve.margin - level * curve.denominator <= 0)


def _is_left_below(curve: Curve, levels: NDArray[np.float64]) -> bool:
    """Tell whether tiers are breached as the price falls; where none is within reach, whether the metric then falls."""
    for level in levels.tolist():
        stands = curve.stands(level)
        if not stands[0] or not stands[-1]:
            return not stands[0]
    return bool(curve.margin[-1] * curve.denominator[0] >= curve.margin[0] * curve.denominator[-1])


def _is_monotone(curve: Curve) -> bool:
    with np.errstate(divide="ignore", invalid="ignore"):
        metric = curve.margin / curve.denominator
        moves = np.diff(metric)
    slack = _FLAT * np.maximum(np.abs(metric[1:]), np.abs(metric[:-1]))
    return bool((moves >= -slack).all() or (moves <= slack).all())


# What no barrier can stand for


def _price(watched: Watched, log_price: float) -> str:
    return f"{watched.spot[0] * np.exp(log_price):,.6g}"


def _no_numbers(watched: Watched, curve: Curve) -> Problem | None:
    """Return that the account is worth no number, or requires none of at least 0, at a price within reach."""
    finite = np.isfinite(curve.margin) & np.isfinite(curve.denominator)
    for wrong, what in ((~finite, "is not finite"), (curve.denominator < 0, "is below 0")):
        if wrong.any():
            field, where = "worth" if what == "is not finite" else "requirement", curve.log_price[np.argmax(wrong)]
            return Problem("account", f"must have another {field}: at a price of {_price(watched, where)} it {what}")
    return None


def _in_time(watched: Watched, curve: Curve) -> Problem | None:
    """Return that the account is worth something else, or requires it, as time goes by."""
    first, *later = (
        worth_at(watched.account, watched.assets, watched.spot, np.exp(curve.log_price)[None], years)
        for years in (0.0, watched.horizon / 2, watched.horizon)
    )
    parts = ("value", "margin_equity", "requirement", "cash")
    if all(np.array_equal(getattr(first, part), getattr(worth, part)) for worth in later for part in parts):
        return None
    message = (
        "must be worth, and require, the same at a price whenever it is reached: no book watches what time changes"
    )
    return Problem("account", message)


def _crossings(watched: Watched, curve: Curve) -> Problem | None:
    """Return that a tier is not breached on one side of one price alone."""
    opening_tier = watched.opening.breached(watched.ladder)
    for name, level in list(watched.ladder.tiers.items())[opening_tier:]:
        stands = curve.stands(level)
        changes = np.flatnonzero(stands[1:] != stands[:-1])
        if changes.size > 1:
            prices = " and ".join(_price(watched, one) for one in curve.log_price[changes[:2] + 1])
            message = f"is crossed more than once within the prices that the horizon reaches, near {prices}"
            mend = "such an account can only be watched where each tier is breached on one side of one price"
            return Problem(f"ladder.tiers.{name}", f"{message}: {mend}; take another level or a shorter horizon")
    return None

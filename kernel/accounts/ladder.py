"""The ladder: named tiers of a metric, and the book that the kernels watch for an account under it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from kernel import checks
from kernel.accounts.account import Exposures
from kernel.accounts.books import BarrierBook, LinearBook
from kernel.errors import Problems

ROUNDING = 1e-15  # of the size of what is added up: an account that opens at a level has breached it
MOST_TIERS = 1_000
METRICS = ("margin_ratio", "equity_fraction")


@dataclass(frozen=True, eq=False)
class Ladder:
    """Tiers by name, with levels strictly falling; a tier breaches when the metric first falls to its level.

    Args:
        tiers: mapping from name to level, highest first.
        metric: "margin_ratio", equity / requirement, or "equity_fraction", equity / opening equity.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> Ladder({"warning": 1.5, "call": 1.2, "liquidation": 1.0}).names
        ('warning', 'call', 'liquidation')
    """

    tiers: Mapping[str, float]
    metric: str = "margin_ratio"

    def __post_init__(self) -> None:
        problems = Problems()
        checks.choice(problems, "metric", self.metric, METRICS)
        pairs = list(self.tiers.items()) if isinstance(self.tiers, Mapping) else []
        if not pairs or not all(checks.is_name(name) for name, _ in pairs):
            message = "must map at least one name to a level, such as {'call': 1.2}"
            problems.add("tiers", f"{message}: names are {checks.NAME}")
            pairs = [(str(name), level) for name, level in pairs if isinstance(name, str)]
        if len(pairs) > MOST_TIERS:
            problems.add("tiers", f"must be at most {MOST_TIERS:,}, not {len(pairs):,}")
            pairs = []
        tiers = {name: checks.number(problems, f"tiers.{name}", level) for name, level in pairs}
        for (above, high), (name, low) in zip(list(tiers.items())[:-1], list(tiers.items())[1:], strict=True):
            if not low < high and np.isfinite([low, high]).all():
                problems.add(f"tiers.{name}", f"must be below the level of {above} ({high:g}), not {low:g}")
        object.__setattr__(self, "tiers", tiers)
        problems.raise_any()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the tiers' names, highest level first."""
        return tuple(self.tiers)

    @property
    def levels(self) -> NDArray[np.float64]:
        """Return the levels, [tier]."""
        return np.array(list(self.tiers.values()))

    def parameters(self) -> dict[str, Any]:
        """Return the ladder as plain values: what a config file would state."""
        return {"metric": self.metric, "tiers": dict(self.tiers)}


class Watch(NamedTuple):
    """A book, the first of its tiers that is not breached at the opening prices, and what its readings mean."""

    book: NamedTuple
    opening_tier: int
    scale: Scale


class Scale(NamedTuple):
    """How a book's readings become the metric: as they are, or as log prices of one asset times its side."""

    levels: NDArray[np.float64]  # [tier]
    side: float  # of log prices; 0: the readings are the metric
    fixed: float  # equity at price 0, currency
    value: float  # currency per unit of relative price
    base: float  # requirement at price 0
    requirement: float  # per unit of relative price

    def metric(self, reading: NDArray[np.floating], breached: NDArray[np.integer]) -> NDArray[np.floating]:
        """Return the metric of [path] lowest readings, on the right side of each tier, which rounding might cross.

        breached: [path] how many tiers were breached.
        """
        found = reading
        if self.side != 0:
            price = np.exp(self.side * reading.astype(np.float64))
            found = ((self.fixed + self.value * price) / (self.base + self.requirement * price)).astype(reading.dtype)
        bounds = np.concatenate([[np.inf], self.levels, [-np.inf]]).astype(reading.dtype)
        above = np.nextafter(bounds, bounds.dtype.type(np.inf))
        return np.asarray(np.clip(found, above[breached + 1], bounds[breached]))


class Condition(NamedTuple):
    """An event: fixed + weight @ relative prices is at most 0."""

    name: str
    fixed: float
    weight: NDArray[np.float64]  # [asset]

    def gap(self, prices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far relative prices, [asset] or [asset, path], are from it."""
        return np.asarray(self.fixed + self.weight @ prices)


def conditions(exposures: Exposures, ladder: Ladder) -> list[Condition]:
    """Return when each tier is breached: equity - level * (base + requirement) <= 0."""
    base, requirement = denominator(exposures, ladder)
    fixed, weight = exposures.fixed - ladder.levels * base, exposures.value - ladder.levels[:, None] * requirement
    return [Condition(*one) for one in zip(ladder.names, fixed.tolist(), weight, strict=True)]


def denominator(exposures: Exposures, ladder: Ladder) -> tuple[float, NDArray[np.float64]]:
    """Return the metric's denominator: its base, and what it has [asset] per unit of relative price."""
    if ladder.metric == "equity_fraction":
        return exposures.opening_equity, np.zeros_like(exposures.requirement)
    return 0.0, exposures.requirement


def breached_at_opening(exposures: Exposures, ladder: Ladder) -> int:
    """Count the tiers that are breached at the opening prices: the first ones, whose levels are highest."""
    base, requirement = denominator(exposures, ladder)
    tiers = conditions(exposures, ladder)
    fixed, weight = np.array([one.fixed for one in tiers]), np.array([one.weight for one in tiers])
    size = np.abs(fixed) + np.abs(exposures.value).sum() + np.abs(ladder.levels) * (abs(base) + requirement.sum())
    return int(np.count_nonzero(fixed + weight.sum(axis=1) <= ROUNDING * size))


def opening_notes(exposures: Exposures, ladder: Ladder) -> tuple[str, ...]:
    """Say what is settled before anything moves: no equity, a requirement that is not met, tiers in breach.

    Example:
        >>> import kernel
        >>> account = kernel.Account(cash=1.0, positions=[kernel.Linear("A", 1.0, 50.0)], maintenance_rate=0.1)
        >>> opening_notes(account.exposures(["A"], np.array([50.0])), Ladder({"call": 2.0, "out": 0.1}))[1]
        'the account opens in breach of call, at margin_ratio 0.2: it breaches at time 0 with probability 1'
    """
    equity, required = exposures.opening_equity, float(exposures.requirement.sum())
    slack = ROUNDING * (abs(exposures.fixed) + np.abs(exposures.value).sum() + required)
    notes = []
    if equity <= slack:
        notes.append(f"the account opens insolvent, with an equity of {equity:,.6g}")
    elif ladder.metric == "margin_ratio" and equity < required - slack:
        notes.append(f"the account opens below its requirement of {required:,.6g}, with an equity of {equity:,.6g}")
    count, names = breached_at_opening(exposures, ladder), ladder.names
    if count:
        value = equity / required if ladder.metric == "margin_ratio" else 1.0
        named = ", ".join(names[:count]) if count < len(names) else "every tier"
        each = f"{'each' if count > 1 else 'it'} breaches at time 0 with probability 1"
        whatever = ", whatever the market does" if count == len(names) else ""
        notes.append(f"the account opens in breach of {named}, at {ladder.metric} {value:.4g}: {each}{whatever}")
    return tuple(notes)


def watch(exposures: Exposures, ladder: Ladder, spot: NDArray[np.float64], real: DTypeLike) -> Watch:
    """Return what the kernels watch."""
    base, requirement = denominator(exposures, ladder)
    opening_tier = breached_at_opening(exposures, ladder)
    cast: Any = np.dtype(real).type
    if spot.size == 1:
        value, required = exposures.value[0], requirement[0]
        side = 1.0 if value * base >= exposures.fixed * required else -1.0  # does the metric rise with the price?
        tiers = conditions(exposures, ladder)
        fixed, weight = np.array([one.fixed for one in tiers]), np.array([one.weight[0] for one in tiers])
        barriers = _barriers(exposures, fixed, weight, spot, opening_tier, cast(side), real)
        return Watch(barriers, opening_tier, Scale(ladder.levels, side, exposures.fixed, value, base, required))
    levels = np.append(ladder.levels, -np.inf).astype(real)
    padding = (0, -spot.size % 4)  # the kernels sum four assets at a time
    values, requirements = (np.pad(weights, padding).astype(real) for weights in (exposures.value, requirement))
    book = LinearBook(spot, exposures.value, values, requirements, cast(exposures.fixed), cast(base), levels)
    return Watch(book, opening_tier, Scale(ladder.levels, 0.0, exposures.fixed, 0.0, base, 0.0))


def _barriers(
    exposures: Exposures,
    fixed: NDArray[np.float64],
    weight: NDArray[np.float64],
    spot: NDArray[np.float64],
    opening_tier: int,
    side: np.floating,
    real: DTypeLike,
) -> BarrierBook:
    """Solve fixed + weight exp(x) = 0 for the log price x of each tier not yet breached.

    Such a tier has fixed + weight > 0, so it lies below the opening price if fixed < 0 < weight, above it if
    weight < 0 < fixed, and is out of reach otherwise. The sign of `fixed` is the same for all: one side, that on which
    the metric falls.
    """
    reachable = fixed * weight < 0
    reachable[:opening_tier] = False
    barrier = np.full(fixed.size + 1, -np.inf)
    barrier[:-1][reachable] = -np.abs(np.log(-fixed[reachable] / weight[reachable]))
    return BarrierBook(spot, exposures.value, side, barrier.astype(real))

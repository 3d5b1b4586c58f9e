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

_ROUNDING = 1e-15  # of the size of what is added up: an account that opens at a level has breached it
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
        if self.metric not in METRICS:
            problems.add("metric", f"must be {' or '.join(METRICS)}, not {self.metric!r}")
        pairs = list(self.tiers.items()) if isinstance(self.tiers, Mapping) else []
        if not pairs or not all(isinstance(name, str) and name for name, _ in pairs):
            problems.add("tiers", "must map at least one name to a level, such as {'call': 1.2}")
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
    """A book, and the first of its tiers that is not breached at the opening prices."""

    book: NamedTuple
    opening_tier: int


def watch(exposures: Exposures, ladder: Ladder, spot: NDArray[np.float64], real: DTypeLike) -> Watch:
    """Return what the kernels watch: a tier is breached when equity - level * (base + requirement) <= 0."""
    if ladder.metric == "equity_fraction":
        base, requirement = exposures.opening_equity, np.zeros_like(exposures.requirement)
    else:
        base, requirement = 0.0, exposures.requirement
    fixed = exposures.fixed - ladder.levels * base  # [tier]
    weight = exposures.value - ladder.levels[:, None] * requirement  # [tier, asset]
    size = np.abs(fixed) + np.abs(exposures.value).sum() + np.abs(ladder.levels) * (abs(base) + requirement.sum())
    opening_tier = int(np.count_nonzero(fixed + weight.sum(axis=1) <= _ROUNDING * size))
    if spot.size == 1:
        return Watch(_barriers(exposures, fixed, weight[:, 0], spot, opening_tier, real), opening_tier)
    cast: Any = np.dtype(real).type
    levels = np.append(ladder.levels, -np.inf).astype(real)
    padding = (0, -spot.size % 4)  # the kernels sum four assets at a time
    value, required = (np.pad(weights, padding).astype(real) for weights in (exposures.value, requirement))
    book = LinearBook(spot, exposures.value, value, required, cast(exposures.fixed), cast(base), levels)
    return Watch(book, opening_tier)


def _barriers(
    exposures: Exposures,
    fixed: NDArray[np.float64],
    weight: NDArray[np.float64],
    spot: NDArray[np.float64],
    opening_tier: int,
    real: DTypeLike,
) -> BarrierBook:
    """Solve fixed + weight exp(x) = 0 for the log price x of each tier not yet breached.

    Such a tier has fixed + weight > 0, so it lies below the opening price if fixed < 0 < weight, above it if
    weight < 0 < fixed, and is out of reach otherwise. The sign of `fixed` is the same for all: one side.
    """
    reachable = fixed * weight < 0
    reachable[:opening_tier] = False
    barrier = np.full(fixed.size + 1, -np.inf)
    barrier[:-1][reachable] = -np.abs(np.log(-fixed[reachable] / weight[reachable]))
    cast: Any = np.dtype(real).type
    side = cast(-1.0 if (weight[reachable] < 0).any() else 1.0)
    return BarrierBook(spot, exposures.value, side, barrier.astype(real))

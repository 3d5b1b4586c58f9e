"""The ladder: named tiers of a metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernel import checks
from kernel.errors import Problems

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

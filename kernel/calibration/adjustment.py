"""From a measured rate to the one in force: choices against procyclical margins, a least rate, a venue's grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from kernel import checks
from kernel.errors import InvalidInput, Problem, Problems
from kernel.markets import Market

_MOST_RATES = 10_000  # of a grid
_ROUNDING = 1e-9  # of a step of the grid: a rate so close to it is on it


class Adjustment(NamedTuple):
    """What a rate is after a step that has a name."""

    name: str
    rate: float


class Policy(NamedTuple):
    """Which steps are asked for; the arguments of `calibrate_margin` say what they mean."""

    buffer: float
    stressed: Market | None
    stressed_weight: float
    floor_market: Market | None
    floor: float
    grid: float | Sequence[float] | None

    def checked(self, problems: Problems, market: object) -> Policy:
        """Return it with its numbers as numbers; note what is wrong, for the market that the rate is measured on."""
        numbers: dict[str, Any] = {
            "buffer": checks.number(problems, "buffer", self.buffer, at_least=0, at_most=10),
            "stressed_weight": checks.number(problems, "stressed_weight", self.stressed_weight, at_least=0, at_most=1),
            "floor": checks.number(problems, "floor", self.floor, at_least=0, below=1),
        }
        for field, other in (("stressed", self.stressed), ("floor_market", self.floor_market)):
            if other is not None and not isinstance(other, Market):
                problems.add(field, f"must be a kernel.Market, not {type(other).__name__}")
            elif isinstance(other, Market) and isinstance(market, Market) and other.assets != market.assets:
                wanted, given = ", ".join(market.assets), ", ".join(other.assets)
                problems.add(field, f"must have the market's assets in their order ({wanted}), not {given}")
        return self._replace(**numbers, grid=self._checked_grid(problems))

    def _checked_grid(self, problems: Problems) -> float | list[float] | None:
        if self.grid is None:
            return None
        noted, listed = len(problems.found), checks.listed(problems, "grid", self.grid, _MOST_RATES)
        if not listed and len(problems.found) == noted:
            problems.add("grid", "must be a step, such as 0.005, or at least one rate")
        rates = [checks.number(problems, "grid", rate, above=0, at_most=1) for rate in listed]
        return rates[0] if listed and listed[0] is self.grid else rates

    def adjusted(self, measured: float, rate_of: Callable[[Market], float]) -> tuple[Adjustment, ...]:
        """Return the measured rate and what it is after each step that is asked for.

        Raises:
            InvalidInput: if the grid has no rate so high.
        """
        steps = [Adjustment("measured", measured)]

        def add(name: str, rate: float) -> None:
            steps.append(Adjustment(name, rate))

        if self.stressed is not None:
            weight = self.stressed_weight
            add("stressed", (1 - weight) * measured + weight * rate_of(self.stressed))
        if self.buffer > 0:
            add("buffer", steps[-1].rate * (1 + self.buffer))
        if self.floor_market is not None:
            add("floor_market", max(steps[-1].rate, rate_of(self.floor_market)))
        if self.floor > 0:
            add("floor", max(steps[-1].rate, self.floor))
        if self.grid is not None:
            add("grid", rounded_up(steps[-1].rate, self.grid))
        return tuple(steps)


def rounded_up(rate: float, grid: float | Sequence[float] | None) -> float:
    """Return the least rate of a grid that is not below a rate.

    Args:
        rate: to be rounded.
        grid: a number, for its multiples; or the rates that there are; None: any.

    Raises:
        InvalidInput: if the highest rate of the grid is below.

    Example:
        >>> rounded_up(0.0312, 0.005), rounded_up(0.0312, [0.01, 0.025, 0.05])
        (0.035, 0.05)
    """
    if grid is None:
        return rate
    if np.ndim(grid) == 0:
        step = float(grid)  # type: ignore[arg-type]
        return round(step * math.ceil(rate / step - _ROUNDING), 12)
    rates = np.sort(np.asarray(grid, dtype=np.float64))
    enough = rates[rates * (1 + _ROUNDING) >= rate]
    if not enough.size:
        raise InvalidInput([Problem("grid", f"must have a rate of {rate:.4g} or above; its highest is {rates[-1]:g}")])
    return float(enough[0])

"""Candidate levels: as tiers of one simulation they tell how often a deeper level follows each within a time."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import open_account
from kernel.checks.text import counted, duration, years
from kernel.errors import InvalidInput, Problem
from kernel.markets import Market
from kernel.measures import Estimate
from kernel.measures.estimate import Z, proportion
from kernel.simulation.path_outcome import require_paths
from kernel.simulation.settings import Settings
from kernel.simulation.simulate import simulate

LIQUIDATION = "liquidation"
_CANDIDATES = 24  # 200,000 paths down as many tiers take a tenth of a second, down 128 of them 1.5 s
_ROUNDS = 2  # of a closer look, into a few gaps of the one before
SIMULATIONS = 1 + _ROUNDS  # of a level, at most
_OF_A_STEP = 1e-9  # a time so close to whole steps is meant to be them
FEWEST = 100  # breaches that say how often the next tier follows
_FOLLOWED = 5  # of them, that the next tier has to follow for a target to be told from 0


class Response(NamedTuple):
    """How long clients have, once a tier is breached, before the next deeper one may follow.

    Args:
        time: years, or a text such as "4h", above 0.
        probability: that the next tier follows within that time, at most; above 0 and below 1.

    Example:
        >>> Response(time="4h", probability=0.2).probability
        0.2
    """

    time: float | str
    probability: float

    @property
    def years(self) -> float:
        """Return the time in years.

        Raises:
            ValueError: for a text that is no duration, saying what would be right.
        """
        return years(self.time) if isinstance(self.time, str) else float(self.time)


class Clients(NamedTuple):
    """Accounts that open alike, and how they are simulated."""

    market: Market
    account: Account
    metric: str
    settings: Settings

    @property
    def opening(self) -> float:
        """Return the metric at the opening prices."""
        return open_account(self.account, self.market.assets, np.asarray(self.market.spot)).metric(self.metric)

    def breach_times(self, ladder: Ladder, further: float, seed: int) -> NDArray[np.floating]:
        """Return breach times, [tier, path], over the horizon and `further` years, rounded up to whole steps."""
        horizon, steps = self.settings.horizon, self.settings.steps
        whole = steps + math.ceil(further / (horizon / steps) - _OF_A_STEP)
        settings = replace(self.settings, horizon=horizon * whole / steps, steps=whole, seed=seed)
        return require_paths(simulate(self.market, self.account, ladder, **settings.keywords())).breach_time

    def followed(self, first: NDArray[np.floating], then: NDArray[np.floating], time: float) -> tuple[int, int]:
        """Count the paths that breach a tier within the horizon, and those that the next one follows within `time`."""
        horizon, rounding = self.settings.horizon, 2 * float(np.finfo(first.dtype).eps)  # of two times, and of each
        start, stop = (times[first <= horizon * (1 + rounding)].astype(np.float64) for times in (first, then))
        if self.settings.monitoring == "discrete":  # times are whole steps, and so often the response time is too
            dt = horizon / self.settings.steps
            follows = np.rint(stop / dt) - np.rint(start / dt) <= time / dt + _OF_A_STEP
        else:
            follows = stop - start <= time + rounding * stop
        return int(np.count_nonzero(follows)), start.size


class _Curve(NamedTuple):
    """How often a deeper level follows the candidates within the response time, by candidate, ascending."""

    level: NDArray[np.float64]
    breaches: NDArray[np.int64]  # of the candidate
    share: NDArray[np.float64]  # of them that the deeper level follows; 1 where too few say anything
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def encloses(self, target: float, least: float, most: float) -> bool:
        """Tell whether the level that meets the target lies within, and its interval, as far as it may reach."""
        bounded = self.low[0] > target or self.level[0] == least, self.high[-1] <= target or self.level[-1] == most
        return all(bounded) and bool(self.share[0] > target >= self.share[-1])

    def last_above(self, shares: NDArray[np.float64], target: float) -> int:
        """Return the last candidate before shares first fall to the target, -1 for none."""
        fallen = np.flatnonzero(shares <= target)
        return int(fallen[0]) - 1 if fallen.size else shares.size - 1

    def last_of_all_above(self, shares: NDArray[np.float64], target: float) -> int:
        """Return the last candidate whose share is above the target, -1 for none."""
        above = np.flatnonzero(shares > target)
        return int(above[-1]) if above.size else -1

    def crossing(self, shares: NDArray[np.float64], k: int, target: float) -> float:
        """Interpolate the level at which shares fall to the target between candidates k and k + 1."""
        if k in {-1, self.level.size - 1}:
            return float(self.level[max(k, 0)])
        weight = (shares[k] - target) / (shares[k] - shares[k + 1])
        return float(self.level[k] + weight * (self.level[k + 1] - self.level[k]))


def _curve(clients: Clients, response: Response, below: float, candidates: NDArray[np.float64]) -> _Curve:
    """Simulate candidates, ascending from `below`, at which the next tier follows at once."""
    tiers = {f"{k}": float(level) for k, level in enumerate(candidates[::-1])}
    ladder = Ladder({**tiers, LIQUIDATION: below} if candidates[0] > below else tiers, clients.metric)
    times = clients.breach_times(ladder, response.years, clients.settings.seed)
    tested = [clients.followed(first, times[-1], response.years) for first in times[: candidates.size][::-1]]
    known = [proportion(*counts) if counts[1] >= FEWEST else Estimate(1.0, 0.0, 1.0, 1.0) for counts in tested]
    share, _, low, high = np.array(known).T
    return _Curve(candidates, np.array([count for _, count in tested]), share, low, high)


def solve(clients: Clients, name: str, response: Response, below: float) -> Estimate:
    """Find the lowest level above `below` that leaves the response time."""
    target, candidates = response.probability, np.linspace(below, clients.opening, _CANDIDATES + 1)
    curve = _curve(clients, response, below, candidates)
    if curve.share[-1] > target:
        raise _unreachable(clients, name, response, below, float(curve.share[-1]))
    for _ in range(_ROUNDS):
        first, last = curve.last_above(curve.low, target), curve.last_of_all_above(curve.high, target)
        around = candidates[max(first - 1, 0)], candidates[min(last + 2, _CANDIDATES)]
        candidates = np.linspace(*around, _CANDIDATES + 1)
        closer = _curve(clients, response, below, candidates)
        if not closer.encloses(target, below, clients.opening):
            break  # other tiers draw other bridges: of few paths a share may move by more than a gap
        curve = closer
    at = curve.last_above(curve.share, target)
    if curve.breaches[at] < max(FEWEST, _FOLLOWED / target) and curve.level[at] > below:
        message = (
            f"only {counted(int(curve.breaches[at]), 'path')} of {clients.settings.paths:,} breach a level of "
            f"{curve.level[at]:.4g} within the horizon, too few to tell: simulate more paths, or a longer horizon"
        )
        raise InvalidInput([Problem(f"responses.{name}", message)])
    low = curve.crossing(curve.low, curve.last_above(curve.low, target), target)
    high = curve.crossing(curve.high, curve.last_of_all_above(curve.high, target), target)
    return Estimate(curve.crossing(curve.share, at, target), (high - low) / (2 * Z), low, high)


def _unreachable(clients: Clients, name: str, response: Response, below: float, share: float) -> InvalidInput:
    """Say that no level leaves the response time, and what would help."""
    message = (
        f"no level below the opening {clients.metric} ({clients.opening:.6g}) keeps it: from there the next tier "
        f"({below:.6g}) follows within {duration(response.years)} with probability {share:.3g}, above the "
        f"{response.probability:g} asked for: take a shorter time, a higher probability or more opening equity"
    )
    return InvalidInput([Problem(f"responses.{name}", message)])

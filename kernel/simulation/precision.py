"""What the walk carries in single and in double precision: a simulation that asks for more is refused, not blurred."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import ROUNDING, CurvedOpening, Opening
from kernel.errors import Problem, Problems
from kernel.markets import Market

_DEVIATIONS = 8.0  # of a log price that are counted with: farther goes one path in 10**15 of a normal law
_RARE = 40.0  # above the expected price, by its logarithm, goes one path in 10**17 of any law (Markov's inequality)
_BLUR = 0.01  # of how far equity moves, that rounding may be
_STILL = 1e-12  # of the positions, that equity moves at least: losses are known to 1e-16 of them
_CLOSE = 4.0  # roundings, within which a tier is not told from the opening
_LARGEST_LOG = 700.0  # that has an exponential
_SLIP = 1e-3  # of a price, that steps rounded in one direction may add up to


class Carried(NamedTuple):
    """What a precision carries, with room for the sums in it; and of double, for the squares of losses."""

    name: str
    least: float  # price
    most: float  # price, or sum of currency
    least_sum: float  # of currency, at the opening
    rounding: float  # of a number, by half its last digit


CARRIED = {
    "single": Carried("single", 1e-37, 1e37, 1e-30, 2.0**-24),
    "double": Carried("double", 1e-150, 1e150, 1e-140, 2.0**-53),
}


class Asset(NamedTuple):
    """How far an asset's log price may move within the horizon, and what the account has of it."""

    name: str
    log_spot: float
    deviation: float
    moved: float  # expected, with the deviation
    low: float  # relative to the opening, counted with
    high: float
    value: float  # currency
    requirement: float


class Grid(NamedTuple):
    """The time that is walked."""

    horizon: float  # years
    steps: int
    jumps: float  # expected on a path


class Asked(NamedTuple):
    """What a simulation asks of its numbers; plain ones, for it is looked at in each call of `simulate`."""

    assets: list[Asset]
    grid: Grid
    fixed: float  # equity at prices of 0
    base: float  # of the requirement
    levels: dict[str, float]
    largest: float = 0.0
    """Sum of currency, at the farthest prices that are counted with, of an account that is not linear; else 0."""


def check_precision(
    problems: Problems, market: Market, opening: Opening, ladder: Ladder | None, grid: Grid, precision: str
) -> None:
    """Note the first thing that a precision does not carry, and whether double would.

    Args:
        problems: takes it.
        market: says by its log moments how far prices may go; where they are unknown, that is not looked at.
        opening: of the account.
        ladder: whose levels weigh the requirement; None: there are no tiers yet.
        grid: of time.
        precision: "single" or "double".
    """
    asked = _asked(market, opening, ladder, grid)
    found = _first_problem(asked, CARRIED[precision])
    if found is None:
        return
    mend, _, reason = found.message.partition(": ")
    if precision == "single" and _first_problem(asked, CARRIED["double"]) is None:
        problems.add("precision", f"must be 'double', or {found.field} {mend}: {reason}")
    else:
        problems.add(found.field, f"must be {mend}: {reason}")


def _asked(market: Market, opening: Opening, ladder: Ladder | None, grid: Grid) -> Asked:
    spot, moments = np.asarray(market.spot), market.log_moments(grid.horizon)
    levels = {} if ladder is None else dict(ladder.tiers)
    base, requirement = (opening.base, opening.requirement) if ladder is None else opening.denominator(ladder)
    still = [0.0] * spot.size
    mean, deviation = (still, [1.0] * spot.size) if moments is None else (moment.tolist() for moment in moments)
    drifts = np.asarray(market.drift).tolist()
    each = zip(
        market.assets,
        spot.tolist(),
        drifts,
        mean,
        deviation,
        opening.value.tolist(),
        requirement.tolist(),
        strict=True,
    )
    assets = []
    for name, price, drift, middle, spread, value, required in each:
        low, high = middle - _DEVIATIONS * spread, min(middle + _DEVIATIONS * spread, drift * grid.horizon + _RARE)
        if moments is None:
            low = high = 0.0
        moved = abs(middle) + spread
        assets.append(Asset(name, math.log(price), spread, moved, min(low, 0.0), max(high, 0.0), value, required))
    grid = grid if moments is not None else Grid(grid.horizon, 1, 0.0)
    return Asked(assets, grid, opening.fixed, base, levels, _largest(opening, assets, levels))


def _largest(opening: Opening, assets: list[Asset], levels: dict[str, float]) -> float:
    """Return the largest sum of an account that is not linear, at the lowest and the highest prices; else 0."""
    if not isinstance(opening, CurvedOpening):
        return 0.0
    ends = np.array([[asset.low, 0.0, asset.high] for asset in assets])
    worth, level = opening.worth(np.exp(np.minimum(ends, _LARGEST_LOG))), max(map(abs, levels.values()), default=0.0)
    sums = abs(worth.cash) + np.abs(worth.value) + level * np.abs(worth.requirement)
    return float(np.nan_to_num(sums, nan=np.inf).max())


def _first_problem(asked: Asked, carried: Carried) -> Problem | None:
    """Return the first thing that is not carried: what to mend, "mend: reason"."""
    for check in (_far_prices, _sums, _small_moves, _blurred_tiers, _lost_steps):
        found = check(asked, carried)
        if found is not None:
            return found
    return None


def _far_prices(asked: Asked, carried: Carried) -> Problem | None:
    least, most = math.log(carried.least), math.log(carried.most)
    for asset in asked.assets:
        if min(asset.log_spot, 0.0) + asset.low < least or max(asset.log_spot, 0.0) + asset.high > most:
            low, high = (f"1e{(end + asset.log_spot) / math.log(10):+.0f}" for end in (asset.low, asset.high))
            carries = f"{carried.name} precision carries {carried.least:g} to {carried.most:g}"
            reason = f"{asset.name} may go from {low} to {high} within it, and {carries}, also relative to the opening"
            return Problem("horizon", f"shorter, or drifts and volatilities lower: {reason}")
    return None


def _sums(asked: Asked, carried: Carried) -> Problem | None:
    worth, required = sum(abs(asset.value) for asset in asked.assets), sum(asset.requirement for asset in asked.assets)
    equity = abs(asked.fixed + sum(asset.value for asset in asked.assets))
    level = max(map(abs, asked.levels.values()), default=0.0)
    highest = math.exp(min(max(asset.high for asset in asked.assets), _LARGEST_LOG))
    most = asked.largest or abs(asked.fixed) + level * asked.base + (worth + level * required) * highest
    if most > carried.most:
        reason = f"its sums may reach {most:.2g}, and {carried.name} precision carries {carried.most:g}"
        return Problem("account", f"stated in a larger unit of currency: {reason}")
    least, opening = worth or required or asked.base, required + asked.base
    if min(least, opening) < carried.least_sum:
        reason = f"its sums are as small as {min(least, opening):.2g}, and {carried.name} precision"
        return Problem("account", f"stated in a smaller unit of currency: {reason} carries {carried.least_sum:g}")
    if equity > carried.most * opening:
        reason = f"{carried.name} precision carries a margin ratio of {carried.most:g}, not {equity / opening:.2g}"
        return Problem("account.margin" if asked.largest else "account.maintenance_rate", f"higher: {reason}")
    return None


def _small_moves(asked: Asked, carried: Carried) -> Problem | None:
    """Look for losses that are no more than the rounding of a price.

    Those of a linear account are reckoned in double precision, others from closing prices in that of the walk.
    """
    worth = sum(abs(asset.value) for asset in asked.assets)
    moved = sum(abs(asset.value) * asset.moved for asset in asked.assets)
    still, known = (carried.rounding / _BLUR, carried.rounding) if asked.largest else (_STILL, 1e-16)
    if moved >= still * worth:
        return None
    reason = f"positions move by {moved / worth:.2g} of their value within it, and losses are known to {known:.0e}"
    reason = f"{reason} of that"
    return Problem("horizon", f"longer, or volatilities higher: {reason}")


def _blurred_tiers(asked: Asked, carried: Carried) -> Problem | None:
    """Look for a tier within reach whose distance is lost in the rounding of the sums that it is the difference of.

    On one asset that distance is reckoned in double precision, on several in that of the walk.
    """
    rounding = carried.rounding if len(asked.assets) > 1 else CARRIED["double"].rounding
    for name, level in asked.levels.items():
        gap, size, spread = asked.fixed - level * asked.base, abs(asked.fixed) + abs(level * asked.base), 0.0
        for asset in asked.assets:
            weight = asset.value - level * asset.requirement
            gap, spread = gap + weight, spread + abs(weight) * asset.moved
            size += abs(asset.value) + abs(level * asset.requirement)
        blur = rounding * size
        lost = blur > _BLUR * spread and gap <= _DEVIATIONS * spread + blur
        if gap > ROUNDING * size and (lost or gap <= _CLOSE * blur):
            least = "its distance" if gap <= _CLOSE * blur else "what moves it"
            share = f"{least} is {min(gap, spread) / size:.2g} of the sums that it is reckoned from"
            return Problem(f"ladder.tiers.{name}", f"farther from the opening: {share}, rounded at {rounding:.2g}")
    return None


def _lost_steps(asked: Asked, carried: Carried) -> Problem | None:
    """Look for moves smaller than the last digit of a log price that has gone far, and for many jumps of one mean.

    Such are rounded in one direction, step by step, jump by jump.
    """
    for asset in asked.assets:
        digit = max(-asset.low, asset.high) * carried.rounding
        reason = f"the log price of {asset.name} would be rounded in one direction by {{:.2g}} in all"
        if digit * asked.grid.steps > _SLIP and asset.deviation < digit * math.sqrt(asked.grid.steps):
            return Problem("steps", f"fewer: {reason.format(digit * asked.grid.steps)}")
        slip = asset.moved * carried.rounding * asked.grid.jumps
        if slip > _SLIP and slip > _BLUR * asset.deviation:
            return Problem("market.jump_intensity", f"lower: {reason.format(slip)}")
    return None

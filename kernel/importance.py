"""Importance sampling: a tilt of drift and jumps under which a rare event is common, chosen by a pilot run.

Paths are simulated under the measure whose density is the likelihood ratio exp(exponent @ log price - growth * time),
an Esscher transform (Gerber and Shiu 1994); each counts with the reciprocal: that at the breach for a tier, that at the
horizon for losses.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel._core.noise import MAX_PATHS
from kernel._core.walk import Arrays
from kernel.chunks import ChunkSpec, Job, new_arrays, run_chunk
from kernel.errors import InvalidInput, Problem
from kernel.ladder import Condition
from kernel.markets.diffusion import Diffusion

_PILOT = 2**14  # paths: those at the far end of the addresses, which no simulation is likely to reach
_ROUNDS = 20  # of pilots, in search of a loss
_ENOUGH = 300  # paths of the pilot beyond a loss, so that it stands for the level
_ELITE = 0.95  # where the next round looks for it
_SCALES = np.linspace(0.4, 1.6, 49)  # of the first guess, that the pilot compares
_DIGITS = 3  # of the tilt: so few that the last bits of a pilot's sums do not matter
_FURTHEST = 1e7  # exponent


class Tilt(NamedTuple):
    """A likelihood ratio exp(exponent @ log(price / opening price) - growth * time)."""

    exponent: NDArray[np.float64]  # [asset]
    growth: float  # the cumulant, per year


class Weights(NamedTuple):
    """What simulated paths count under the market's own measure."""

    path: NDArray[np.floating]  # [path] at the horizon
    breach: NDArray[np.floating]  # [tier, path] at the breach; 0: never


def tilted(job: Job, market: Diffusion, tilt: Tilt) -> Job:
    """Return a job under a tilt; it scores the likelihood ratios at breaches."""
    step: Any = market.tilted_step(job.real, tilt.exponent)
    jump_ratio = math.log(job.step.intensity / step.intensity) if hasattr(step, "intensity") else 0.0  # type: ignore[attr-defined]
    plan = job.plan._replace(tilt=tilt.exponent.astype(job.real), growth=tilt.growth, jump_ratio=jump_ratio)
    return job._replace(step=step, plan=plan)


def weigh(job: Job, market: Diffusion, arrays: Arrays) -> Weights:
    """Return the weights of the paths of a tilted job."""
    growth = job.plan.growth if job.scale.side != 0 else 0.0  # of several assets the score has it already
    breach = np.exp(arrays.score + job.real.type(growth) * arrays.breach_time)
    breach[np.isnan(arrays.breach_time)] = 0
    moved = job.plan.tilt @ _log_prices(market, arrays)
    return Weights(np.exp(job.real.type(job.plan.growth * job.plan.horizon) - moved), breach)


def choose_tilt(
    job: Job, market: Diffusion, conditions: list[Condition], losses: Condition, target: str | float
) -> Tilt:
    """Choose the tilt under which the estimate of a rare event's probability varies least.

    Its exponents are multiples of what the prices count for in the event. The first guess leads the mean path to the
    event at the horizon; a pilot run under it then compares the second moments of the likelihood ratios around it.

    Args:
        job: of the market itself.
        market: that the job walks.
        conditions: of the tiers.
        losses: condition of a loss of at least 0.
        target: name of a tier; or a level: the event is then a loss of at least the Value at Risk at it.

    Raises:
        InvalidInput: if the event cannot be reached, or has happened at the opening.
    """
    if isinstance(target, str):
        tier = [one.name for one in conditions].index(target)
        if tier < job.plan.opening_tier:
            message = f"must be a tier that is not breached at the opening: {target} is"
            raise InvalidInput([Problem("importance", message)])
        search = _Search(job, market, conditions[tier], tier)
    else:
        search = _Search(job, market, _rare_loss(job, market, losses, target), None)
    return search.tilt(_rounded(search.best(search.first())))


class _Search(NamedTuple):
    """The tilts that are tried for one event: multiples of one direction."""

    job: Job
    market: Diffusion
    event: Condition
    tier: int | None  # whose breach is the event; None: the event is looked for at the horizon

    def tilt(self, multiple: float) -> Tilt:
        """Return a multiple of the direction, along which the event's prices fall or rise by what they count."""
        exponent = -multiple * self.event.weight / np.abs(self.event.weight).max()
        return Tilt(exponent, self.market.cumulant(exponent) if multiple else 0.0)

    def first(self) -> float:
        """Return the multiple that leads the mean path to the event at the horizon."""
        low, high = 0.0, 1e-3
        while self._short_of(high):
            low, high = high, 2 * high
            if high > _FURTHEST:
                raise InvalidInput([Problem("importance", f"{self.event.name} is out of reach: choose another tier")])
        if low == 0.0:
            return 0.0
        while high - low > 1e-3 * high:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self._short_of(middle) else (low, middle)
        return low

    def _short_of(self, multiple: float) -> bool:
        """Tell whether the mean path stays short of the event."""
        exponent = self.tilt(multiple).exponent
        nudge = 1e-5 * (1 + np.abs(exponent).max())
        moved = [
            self.market.cumulant(exponent + change) - self.market.cumulant(exponent - change)
            for change in nudge * np.eye(exponent.size)
        ]
        log_price = self.job.plan.horizon * np.array(moved) / (2 * nudge)
        return bool(np.isfinite(log_price).all() and self.event.gap(np.exp(np.clip(log_price, -300, 300))) > 0)

    def best(self, first: float) -> float:
        """Return the multiple near `first` whose likelihood ratios have the least second moment on the event."""
        if first == 0.0:
            return first
        tilt = self.tilt(first)
        job = tilted(self.job, self.market, tilt)
        arrays = pilot(job)
        found = weigh(job, self.market, arrays)
        if self.tier is None:
            log_price = _log_prices(self.market, arrays)
            happened = self.event.gap(np.exp(log_price)) <= 0
            ratio, time = found.path[happened], np.full(np.count_nonzero(happened), self.job.plan.horizon)
        else:
            happened = found.breach[self.tier] > 0
            ratio, time = found.breach[self.tier, happened], arrays.breach_time[self.tier, happened]
        own = np.log(ratio.astype(np.float64))
        moved = (tilt.growth * time - own) / first  # of log prices along the direction, until the event
        growths = [self.tilt(scale * first).growth for scale in _SCALES]
        with np.errstate(over="ignore"):
            moments = [
                np.exp(own + growth * time - scale * first * moved).sum() if math.isfinite(growth) else math.inf
                for scale, growth in zip(_SCALES, growths, strict=True)
            ]
        return first * float(_SCALES[int(np.argmin(moments))])


def pilot(job: Job) -> Arrays:
    """Walk the paths of the pilot."""
    first, last = MAX_PATHS - _PILOT, MAX_PATHS
    job = job._replace(mirrored=False, points=None)
    arrays = new_arrays(job, first, last)
    run_chunk(ChunkSpec(job, first, last), arrays)
    return arrays


def _log_prices(market: Diffusion, arrays: Arrays) -> NDArray[np.float64]:
    """Return closing log prices relative to the opening, [asset, path], in the precision of the walk."""
    spot = np.asarray(market.spot, dtype=arrays.terminal_price.dtype)
    return np.asarray(np.log(arrays.terminal_price / spot[:, None]))


def _rare_loss(job: Job, market: Diffusion, losses: Condition, level: float) -> Condition:
    """Return the condition of a loss of about the Value at Risk: pilots follow the elite of their losses to it."""
    event, tilt = losses, Tilt(np.zeros(losses.weight.size), 0.0)
    for _ in range(_ROUNDS):
        moved = tilted(job, market, tilt)
        arrays = pilot(moved)
        order = np.argsort(-arrays.loss, kind="stable")
        tail = np.cumsum(weigh(moved, market, arrays).path[order], dtype=np.float64) / _PILOT
        beyond = int(np.searchsorted(tail, 1 - level))
        rank = min(max(beyond, _ENOUGH), _PILOT - 1)
        event = losses._replace(fixed=losses.fixed + float(arrays.loss[order[rank]]))
        if beyond >= _ENOUGH:
            break
        search = _Search(job, market, event, None)
        tilt = search.tilt(search.first())
    return event


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")

"""Importance sampling: a tilt of drift and jumps under which a rare event is common, chosen by a pilot run.

Paths are simulated under the measure whose density is the likelihood ratio exp(exponent @ log price - growth * time),
an Esscher transform (Gerber and Shiu 1994); a share of them goes without the tilt, and all count by what their mixture
makes of that ratio (Hesterberg 1995, "Weighted average importance sampling and defensive mixture distributions"): at
the breach for a tier, at the horizon for losses. So no path counts more than 1 / share, and what is common is estimated
as well as by so many plain paths, rather than badly and with a small error.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel._core.noise import MAX_PATHS
from kernel._core.walk import Arrays
from kernel.accounts.conditions import Condition
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import Opening
from kernel.errors import InvalidInput, Problem
from kernel.markets.diffusion import Diffusion
from kernel.simulation.chunks import ChunkSpec, Job, new_arrays, run_chunk

_PILOT = 2**14  # paths: those at the far end of the addresses, which no simulation is likely to reach
_ROUNDS = 20  # of pilots, in search of a loss
_ENOUGH = 300  # paths of the pilot beyond a loss, so that it stands for the level; else the next one is led there
_SCALES = np.linspace(0.4, 1.6, 49)  # of the first guess, that the pilot compares
_UNTILTED = 8  # one path in so many goes without the tilt
_DIGITS = 3  # of the tilt: so few that the last bits of a pilot's sums do not matter
_FURTHEST = 1e7  # exponent
_FARTHEST = 80.0  # log price under a tilt: single precision ends at 87
_MOST_JUMPS = (
    10_000  # expected on one path under the tilt: they are walked one by one, by the pilot alone on 2**14 paths
)
_STEPS = 60  # half steps to the likeliest point
_FAR, _TINY, _SETTLED = 50.0, 1e-300, 1e-3  # log prices; of a variance; of the gap, over what the prices count


class Tilt(NamedTuple):
    """A likelihood ratio exp(exponent @ log(price / opening price) - growth * time)."""

    exponent: NDArray[np.float64]  # [asset]
    growth: float  # the cumulant, per year


class Weights(NamedTuple):
    """What simulated paths count under the market's own measure."""

    path: NDArray[np.floating]  # [path] at the horizon
    breach: NDArray[np.floating]  # [tier, path] at the breach; 0: never


def scored(job: Job, market: Diffusion, tilt: Tilt) -> tuple[Job, Job]:
    """Return a job that scores likelihood ratios at breaches: by the market's own law, and under the tilt.

    Raises:
        InvalidInput: for a tilt under which prices have no expectation or leave single precision, or paths are jumps.
    """
    step: Any = market.tilted_step(job.real, tilt.exponent) if math.isfinite(tilt.growth) else None
    if step is None or not np.abs(_mean_path(market, tilt.exponent, job.plan.horizon)).max() < _FARTHEST:
        message = "would tilt this market to prices that no number carries: leave it out"
        raise InvalidInput([Problem("importance", message)])
    jumps = getattr(step, "intensity", 0.0) * job.plan.horizon
    if not jumps <= _MOST_JUMPS:
        message = f"would tilt this market to {jumps:.2g} jumps a path, which takes too long: leave it out"
        raise InvalidInput([Problem("importance", message)])
    jump_ratio = math.log(job.step.intensity / step.intensity) if hasattr(step, "intensity") else 0.0  # type: ignore[attr-defined]
    plan = job.plan._replace(tilt=tilt.exponent.astype(job.real), growth=tilt.growth, jump_ratio=jump_ratio)
    return job._replace(plan=plan), job._replace(step=step, plan=plan)


def parts(jobs: tuple[Job, Job], paths: int, replicates: int) -> list[ChunkSpec]:
    """Return which paths are walked by which job: the first of each replicate, or of all, without the tilt."""
    size = paths // max(replicates, 1)
    cut = size // _UNTILTED
    return [
        ChunkSpec(job, start + first, start + last)
        for start in range(0, paths, size)
        for job, first, last in zip(jobs, (0, cut), (cut, size), strict=True)
    ]


def weigh(job: Job, market: Diffusion, arrays: Arrays, share: float) -> Weights:
    """Return the weights of the paths of scored jobs, a share of which goes without the tilt."""
    growth = job.plan.growth if job.readings.knows_breach_price else 0.0  # else the score has it already
    breach = arrays.breach_time * job.real.type(-growth)
    breach -= arrays.score
    _mix(breach, share)
    np.copyto(breach, 0, where=np.isnan(breach))
    path = job.plan.tilt @ _log_prices(market, arrays)
    path -= job.real.type(job.plan.growth * job.plan.horizon)
    _mix(path, share)
    return Weights(path, breach)


def _mix(log_ratio: NDArray[np.floating], share: float) -> None:
    """Turn logarithms of the tilted density over the market's into the market's over a mixture of both, in place."""
    with np.errstate(over="ignore"):
        np.exp(log_ratio, out=log_ratio)
    log_ratio *= log_ratio.dtype.type(1 - share)
    log_ratio += log_ratio.dtype.type(share)
    np.reciprocal(log_ratio, out=log_ratio)


def choose_tilt(job: Job, market: Diffusion, opening: Opening, ladder: Ladder, target: str | float) -> Tilt:
    """Choose the tilt under which the estimate of a rare event's probability varies least.

    Its exponents are multiples of what the prices count for where the event is likeliest. The first guess leads the
    mean path to the event at the horizon; a pilot run under it then compares second moments of the likelihood ratios.

    Args:
        job: of the market itself.
        market: that the job walks.
        opening: of the account.
        ladder: that it is under.
        target: name of a tier; or a level: the event is then a loss of at least the Value at Risk at it.

    Raises:
        InvalidInput: if the event cannot be reached, or has happened at the opening.
    """
    if isinstance(target, str):
        tier = ladder.names.index(target)
        if tier < job.plan.opening_tier:
            message = f"must be a tier that is not breached at the opening: {target} is"
            raise InvalidInput([Problem("importance", message)])
        search = _search(job, market, opening.conditions(ladder)[tier], tier)
    else:
        search = _search(job, market, _rare_loss(job, market, opening, target), None)
    return search.tilt(_rounded(search.best(search.first())))


class _Search(NamedTuple):
    """The tilts that are tried for one event: multiples of one direction."""

    job: Job
    market: Diffusion
    event: Condition
    tier: int | None  # whose breach is the event; None: the event is looked for at the horizon
    direction: NDArray[np.float64]  # [asset], the largest 1

    def tilt(self, multiple: float) -> Tilt:
        """Return a multiple of the direction."""
        exponent = multiple * self.direction
        return Tilt(exponent, self.market.cumulant(exponent) if multiple else 0.0)

    def first(self) -> float:
        """Return the multiple that leads the mean path to the event at the horizon."""
        low, high = 0.0, 1e-3
        while self._short_of(high):
            low, high = high, 2 * high
            if high > _FURTHEST:
                message = f"no tilt was found that leads to {self.event.name}: choose another tier, or leave it out"
                raise InvalidInput([Problem("importance", message)])
        if low == 0.0:
            return 0.0
        while high - low > 1e-3 * high:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self._short_of(middle) else (low, middle)
        return low

    def _short_of(self, multiple: float) -> bool:
        """Tell whether the mean path stays short of the event."""
        log_price = _mean_path(self.market, multiple * self.direction, self.job.plan.horizon)
        return bool(np.isfinite(log_price).all() and self.event.gap(np.exp(np.clip(log_price, -300, 300))) > 0)

    def best(self, first: float) -> float:
        """Return the multiple near `first` whose likelihood ratios have the least second moment on the event."""
        if first == 0.0:
            return first
        tilt = self.tilt(first)
        _, job = scored(self.job, self.market, tilt)
        arrays = pilot(job)
        found = weigh(job, self.market, arrays, 0.0)
        if self.tier is None:
            log_price = _log_prices(self.market, arrays)
            happened = self.event.gap(np.exp(log_price)) <= 0
            ratio, time = found.path[happened], np.full(np.count_nonzero(happened), self.job.plan.horizon)
        else:
            happened = found.breach[self.tier] > 0
            ratio, time = found.breach[self.tier, happened], arrays.breach_time[self.tier, happened]
        if not happened.any():
            return first
        own = np.log(ratio.astype(np.float64))
        moved = (tilt.growth * time - own) / first  # of log prices along the direction, until the event
        growths = [self.tilt(scale * first).growth for scale in _SCALES]
        with np.errstate(over="ignore"):
            moments = [
                np.exp(own + growth * time - scale * first * moved).sum() if math.isfinite(growth) else math.inf
                for scale, growth in zip(_SCALES, growths, strict=True)
            ]
        return first * float(_SCALES[int(np.argmin(moments))])


def _mean_path(market: Diffusion, exponent: NDArray[np.float64], horizon: float) -> NDArray[np.float64]:
    """Return the mean log prices [asset] at the horizon under a tilt: the gradient of the cumulant, by differences."""
    nudge = 1e-5 * (1 + np.abs(exponent).max())
    moved = [
        market.cumulant(exponent + change) - market.cumulant(exponent - change)
        for change in nudge * np.eye(exponent.size)
    ]
    return np.asarray(horizon * np.array(moved) / (2 * nudge))


def _search(job: Job, market: Diffusion, event: Condition, tier: int | None) -> _Search:
    """Choose the direction: what the prices count for where the event is likeliest."""
    direction = -event.weight
    if not direction.any():
        message = f"cannot lead to {event.name}: no price moves the account at the opening; leave it out"
        raise InvalidInput([Problem("importance", message)])
    if direction.size > 1:
        prices = _likeliest(market, event, job.plan.horizon)
        settled = abs(event.gap(prices)) < _SETTLED * np.abs(event.weight).sum()
        direction = direction * (prices if settled else 1.0)  # else the opening prices stand for them
    return _Search(job, market, event, tier, direction / np.abs(direction).max())


def _likeliest(market: Diffusion, event: Condition, horizon: float) -> NDArray[np.float64]:
    """Search for the relative prices at which an event is likeliest: those nearest to the mean, in standard deviations.

    As in structural reliability (Hasofer and Lind 1974, Rackwitz and Fiessler 1978), by half steps.
    """
    size = event.weight.size
    mean, point, nudges = _mean_path(market, np.zeros(size), horizon), np.zeros(size), 1e-3 * np.eye(size)
    moved = [_mean_path(market, one, horizon) - _mean_path(market, -one, horizon) for one in nudges]
    covariance = np.array(moved) / 2e-3
    for _ in range(_STEPS):
        prices = np.exp(np.clip(point, -_FAR, _FAR))
        gradient = event.weight * prices
        spread = covariance @ gradient
        with np.errstate(over="ignore", invalid="ignore"):  # what is out of reach is found to be so by its gap
            share = (gradient @ (point - mean) - event.gap(prices)) / max(float(gradient @ spread), _TINY)
            point = np.nan_to_num(0.5 * (point + mean + share * spread), posinf=_FAR, neginf=-_FAR)
    return np.asarray(np.exp(np.clip(point, -_FAR, _FAR)))


def pilot(job: Job) -> Arrays:
    """Walk the paths of the pilot, plainly: it is small, and its paths are far off the points of a simulation."""
    first, last = MAX_PATHS - _PILOT, MAX_PATHS
    job = job._replace(mirrored=False, points=None)
    arrays = new_arrays(job, first, last)
    run_chunk(ChunkSpec(job, first, last), arrays)
    return arrays


def _log_prices(market: Diffusion, arrays: Arrays) -> NDArray[np.float64]:
    """Return closing log prices relative to the opening, [asset, path], in the precision of the walk."""
    spot = np.asarray(market.spot, dtype=arrays.terminal_price.dtype)
    return np.asarray(np.log(arrays.terminal_price / spot[:, None]))


def _rare_loss(job: Job, market: Diffusion, opening: Opening, level: float) -> Condition:
    """Return the condition of a loss of about the Value at Risk: pilots follow the elite of their losses to it."""
    event, tilt = opening.loss_of(0.0), Tilt(np.zeros(job.assets), 0.0)
    for _ in range(_ROUNDS):
        _, moved = scored(job, market, tilt)
        arrays = pilot(moved)
        order = np.argsort(-arrays.loss, kind="stable")
        tail = np.cumsum(weigh(moved, market, arrays, 0.0).path[order], dtype=np.float64) / _PILOT
        beyond = int(np.searchsorted(tail, 1 - level))
        rank = min(max(beyond, _ENOUGH), _PILOT - 1)
        event = opening.loss_of(float(arrays.loss[order[rank]]))
        if beyond >= _ENOUGH:
            break
        search = _search(job, market, event, None)
        tilt = search.tilt(search.first())
    return event


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")

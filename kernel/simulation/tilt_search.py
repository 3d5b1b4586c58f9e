"""The tilt of importance sampling, chosen by pilot runs: that under which a rare event's estimate varies least."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.accounts.conditions import Condition
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import Opening
from kernel.errors import InvalidInput, Problem
from kernel.markets.diffusion import Diffusion
from kernel.simulation.importance import PILOT, Tilt, log_prices, mean_path, pilot, scored, weigh
from kernel.simulation.job import Job

_ROUNDS = 20  # of pilots, in search of a loss
_ENOUGH = 300  # paths of the pilot beyond a loss, so that it stands for the level; else the next one is led there
_SCALES = np.linspace(0.4, 1.6, 49)  # of the first guess, that the pilot compares
_DIGITS = 3  # of the tilt: so few that the last bits of a pilot's sums do not matter
_FURTHEST = 1e7  # exponent
_STEPS = 60  # half steps to the likeliest point
_FAR, _TINY, _SETTLED = 50.0, 1e-300, 1e-3  # log prices; of a variance; of the gap, over what the prices count


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
        log_price = mean_path(self.market, multiple * self.direction, self.job.plan.horizon)
        return bool(np.isfinite(log_price).all() and self.event.gap(np.exp(np.clip(log_price, -300, 300))) > 0)

    def best(self, first: float) -> float:
        """Return the multiple near `first` whose likelihood ratios have the least second moment on the event."""
        if first == 0.0:
            return first
        tilt = self.tilt(first)
        _, job = scored(self.job, self.market, tilt)
        arrays = pilot(job)
        weights = weigh(job, self.market, arrays, 0.0)
        if self.tier is None:
            log_price = log_prices(self.market, arrays)
            happened = self.event.gap(np.exp(log_price)) <= 0
            ratio, time = weights.path[happened], np.full(np.count_nonzero(happened), self.job.plan.horizon)
        else:
            happened = weights.breach[self.tier] > 0
            ratio, time = weights.breach[self.tier, happened], arrays.breach_time[self.tier, happened]
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
    mean, point, nudges = mean_path(market, np.zeros(size), horizon), np.zeros(size), 1e-3 * np.eye(size)
    moved = [mean_path(market, nudge, horizon) - mean_path(market, -nudge, horizon) for nudge in nudges]
    covariance = np.array(moved) / 2e-3
    for _ in range(_STEPS):
        prices = np.exp(np.clip(point, -_FAR, _FAR))
        gradient = event.weight * prices
        spread = covariance @ gradient
        with np.errstate(over="ignore", invalid="ignore"):  # what is out of reach is found to be so by its gap
            share = (gradient @ (point - mean) - event.gap(prices)) / max(float(gradient @ spread), _TINY)
            point = np.nan_to_num(0.5 * (point + mean + share * spread), posinf=_FAR, neginf=-_FAR)
    return np.asarray(np.exp(np.clip(point, -_FAR, _FAR)))


def _rare_loss(job: Job, market: Diffusion, opening: Opening, level: float) -> Condition:
    """Return the condition of a loss of about the Value at Risk: pilots follow the elite of their losses to it."""
    event, tilt = opening.loss_of(0.0), Tilt(np.zeros(job.assets), 0.0)
    for _ in range(_ROUNDS):
        _, moved = scored(job, market, tilt)
        arrays = pilot(moved)
        order = np.argsort(-arrays.loss, kind="stable")
        tail = np.cumsum(weigh(moved, market, arrays, 0.0).path[order], dtype=np.float64) / PILOT
        beyond = int(np.searchsorted(tail, 1 - level))
        rank = min(max(beyond, _ENOUGH), PILOT - 1)
        event = opening.loss_of(float(arrays.loss[order[rank]]))
        if beyond >= _ENOUGH:
            break
        search = _search(job, market, event, None)
        tilt = search.tilt(search.first())
    return event


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")

"""The job `bench.timings.jobs.year` as others would do it: a year of GBM in 252 steps, four tiers, closing equity."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.timings import jobs

Walked = tuple[NDArray[np.float32], NDArray[np.int32]]  # closing equity [path]; steps before each breach [tier, path]


class Terms(NamedTuple):
    """The job in numbers: what each contender starts from."""

    steps: int
    spread: float  # standard deviation of the log price over the horizon
    drift: float  # of the log price, a step
    scale: float  # standard deviation of the log price, a step
    debt: float  # equity is the price, 1 at the opening, less it
    levels: NDArray[np.float64]  # [tier] of equity
    barriers: NDArray[np.float64]  # [tier] the same, of the log price


def terms() -> Terms:
    """Read the numbers off the job."""
    market, account, ladder, settings = jobs.year(1)
    stated, steps = market.parameters(), int(settings["steps"])
    dt, debt = settings["horizon"] / steps, -float(account.cash)
    drift, volatility = float(np.ravel(stated["drift"])[0]), float(np.ravel(stated["volatility"])[0])
    levels = ladder.levels * (1 - debt)
    return Terms(
        steps=steps,
        spread=volatility * math.sqrt(settings["horizon"]),
        drift=(drift - volatility**2 / 2) * dt,
        scale=volatility * math.sqrt(dt),
        debt=debt,
        levels=levels,
        barriers=np.log(levels + debt),
    )

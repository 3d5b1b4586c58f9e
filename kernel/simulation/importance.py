"""Importance sampling: paths under a tilt of drift and jumps that makes a rare event common, and their weights.

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
from kernel.errors import InvalidInput, Problem
from kernel.markets.diffusion import Diffusion
from kernel.simulation.chunks import ChunkSpec, new_arrays, run_chunk
from kernel.simulation.job import Job

PILOT = 2**14  # paths: those at the far end of the addresses, which no simulation is likely to reach
_UNTILTED = 8  # one path in so many goes without the tilt
_FARTHEST = 80.0  # log price under a tilt: single precision ends at 87
_MOST_JUMPS = (
    10_000  # expected on one path under the tilt: they are walked one by one, by the pilot alone on 2**14 paths
)


class Tilt(NamedTuple):
    """A likelihood ratio exp(exponent @ log(price / opening price) - growth * time)."""

    exponent: NDArray[np.float64]  # [asset]
    growth: float  # the cumulant, per year


class Weights(NamedTuple):
    """What simulated paths count under the market's own measure."""

    path: NDArray[np.floating]  # [path] at the horizon
    breach: NDArray[np.floating]  # [tier, path] at the breach; 0: never


class Tilted(NamedTuple):
    """A simulation under a tilt, but for the paths that go without."""

    market: Diffusion
    tilt: Tilt
    walks: list[ChunkSpec]
    """Without and with the tilt in turn, once or for each replicate."""

    def results(self, arrays: Arrays) -> dict[str, Any]:
        """Return what an outcome of the walked paths has beside those."""
        (_, first, untilted), (job, _, last), *_ = self.walks
        path, breach = weigh(job, self.market, arrays, (untilted - first) / (last - first))
        return {"weight": path, "breach_weight": breach, "untilted": untilted}


def scored(job: Job, market: Diffusion, tilt: Tilt) -> tuple[Job, Job]:
    """Return a job that scores likelihood ratios at breaches: by the market's own law, and under the tilt.

    Raises:
        InvalidInput: for a tilt under which prices have no expectation or leave single precision, or paths are jumps.
    """
    step: Any = market.tilted_step(job.real, tilt.exponent) if math.isfinite(tilt.growth) else None
    if step is None or not np.abs(mean_path(market, tilt.exponent, job.plan.horizon)).max() < _FARTHEST:
        message = "would tilt this market to prices that no number carries: leave it out"
        raise InvalidInput([Problem("importance", message)])
    jumps = getattr(step, "intensity", 0.0) * job.plan.horizon
    if not jumps <= _MOST_JUMPS:
        message = f"would tilt this market to {jumps:.2g} jumps a path, which takes too long: leave it out"
        raise InvalidInput([Problem("importance", message)])
    jump_ratio = math.log(job.step.intensity / step.intensity) if hasattr(step, "intensity") else 0.0  # type: ignore[attr-defined]
    plan = job.plan._replace(tilt=tilt.exponent.astype(job.real), growth=tilt.growth, jump_ratio=jump_ratio)
    return job._replace(plan=plan), job._replace(step=step, plan=plan)


def under_tilt(job: Job, market: Diffusion, tilt: Tilt, paths: int, replicates: int) -> Tilted:
    """Return the walks of a market's job under a tilt: the first paths of each replicate, or of all, go without it."""
    jobs, size = scored(job, market, tilt), paths // max(replicates, 1)
    cut = size // _UNTILTED
    walks = [
        ChunkSpec(walk, start + first, start + last)
        for start in range(0, paths, size)
        for walk, first, last in zip(jobs, (0, cut), (cut, size), strict=True)
    ]
    return Tilted(market, tilt, walks)


def weigh(job: Job, market: Diffusion, arrays: Arrays, share: float) -> Weights:
    """Return the weights of the paths of scored jobs, a share of which goes without the tilt."""
    growth = job.plan.growth if job.readings.knows_breach_price else 0.0  # else the score has it already
    breach = arrays.breach_time * job.real.type(-growth)
    breach -= arrays.score
    _mix(breach, share)
    np.copyto(breach, 0, where=np.isnan(breach))
    path = job.plan.tilt @ log_prices(market, arrays)
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


def mean_path(market: Diffusion, exponent: NDArray[np.float64], horizon: float) -> NDArray[np.float64]:
    """Return the mean log prices [asset] at the horizon under a tilt: the gradient of the cumulant, by differences."""
    nudge = 1e-5 * (1 + np.abs(exponent).max())
    moved = [
        market.cumulant(exponent + change) - market.cumulant(exponent - change)
        for change in nudge * np.eye(exponent.size)
    ]
    return np.asarray(horizon * np.array(moved) / (2 * nudge))


def pilot(job: Job) -> Arrays:
    """Walk the paths of the pilot, plainly: it is small, and its paths are far off the points of a simulation."""
    first, last = MAX_PATHS - PILOT, MAX_PATHS
    job = job._replace(mirrored=False, points=None)
    arrays = new_arrays(job, first, last)
    run_chunk(ChunkSpec(job, first, last), arrays)
    return arrays


def log_prices(market: Diffusion, arrays: Arrays) -> NDArray[np.float64]:
    """Return closing log prices relative to the opening, [asset, path], in the precision of the walk."""
    spot = np.asarray(market.spot, dtype=arrays.terminal_price.dtype)
    return np.asarray(np.log(arrays.terminal_price / spot[:, None]))

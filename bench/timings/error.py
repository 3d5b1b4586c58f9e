"""Ways to one number, the probability of a liquidation within five days: what each costs, and how far off it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import kernel
from bench.oracles import gbm, grid_passage, merton, passage
from bench.peers import numpy_bridge, numpy_grid, numpy_normals
from bench.timings import jobs
from kernel.simulation.execution.workers import available_threads

GRIDS = {"5 minutes": 1440, "1 hour": 120, "1 day": 5}
METHODS = (
    "exact",
    "numpy bridge",
    *(f"{who}, {grid}" for who in ("kernel", "numpy", "numpy by hand") for grid in GRIDS),
)
CASH = {"liquidation": 6_000.0, "rare": 10_000.0}  # of a price of 60,000: tenfold and sixfold
_DRIFT = 0.0  # of the expected price
_REACH = 1.2  # a log price that is not left within five days


@cache
def _truth(law: numpy_grid.Law, barrier: float) -> float:
    drift, volatility, *jumps = law
    if not law.jump_intensity:
        return float(gbm.hit_probability(barrier, drift, volatility, jobs.FIVE_DAYS))
    return passage.hit_probability(
        barrier, passage.Diffusion(drift, volatility, passage.normal_jumps(*jumps)), jobs.FIVE_DAYS
    )


class Question(NamedTuple):
    """The liquidation of a perpetual: by its job, and as first passage of the log price below a barrier."""

    job: jobs.Job
    law: numpy_grid.Law
    barrier: float

    def steps(self, method: str) -> int:
        """Return how many steps a method takes."""
        return GRIDS[method.split(", ")[1]] if ", " in method else 1

    def threads(self, method: str) -> int:
        """Return how many threads a method has: all, but for the bridge in NumPy, which they would slow."""
        return 1 if method == "numpy bridge" else available_threads()

    def answer(self, method: str, paths: int) -> Callable[[], float]:
        """Return a call that estimates the probability."""
        steps, threads = self.steps(method), self.threads(method)
        if method == "numpy bridge":
            return lambda: numpy_bridge.breach_probability(self.law, self.barrier, jobs.FIVE_DAYS, paths)
        if method.startswith("numpy"):
            normals = numpy_normals.by_hand if "by hand" in method else numpy_normals.own
            return lambda: numpy_grid.breach_probability(
                self.law, self.barrier, jobs.FIVE_DAYS, steps, paths, threads, normals
            )
        how = "continuous" if method == "exact" else "discrete"

        def simulate() -> float:
            outcome = self.job.run(steps=steps, paths=paths, monitoring=how)
            return kernel.breach_probability(outcome, "liquidation").value

        return simulate

    def truth(self) -> float:
        """Return the probability in continuous time: closed form of GBM, transform of Merton's model."""
        return _truth(self.law, self.barrier)

    def expected(self, method: str) -> float:
        """Return what a method tends to with more paths: the truth, or its grid's probability by Fourier transform."""
        steps = self.steps(method)
        if steps == 1:
            return self.truth()

        def exponent(u: NDArray[np.float64]) -> NDArray[np.complex128]:
            return merton.exponent(u, _DRIFT, *self.law[1:])

        return float(grid_passage.hit_probabilities(self.barrier, exponent, jobs.FIVE_DAYS, steps, _REACH)[-1])


def question(model: str, level: str) -> Question:
    """Return the question of a perpetual under "gbm" or "merton", as much leveraged as CASH has it."""
    job = jobs.perpetual(model == "merton", 1, jobs.FIVE_DAYS, 1)
    (position,) = job.account.positions
    rate = 0.005
    account = kernel.Account(cash=CASH[level], positions=[position], maintenance_rate=rate)
    job = job._replace(account=account, ladder=kernel.Ladder({"liquidation": 1.0}))
    stated = job.market.parameters()
    names = "spot", "volatility", "jump_intensity", "jump_mean", "jump_volatility"
    spot, *diffusion_and_jumps = (float(np.ravel(stated.get(name, 0.0))[0]) for name in names)
    barrier = math.log((position.entry_price - account.cash) / (1 - rate) / spot)
    law = numpy_grid.Law(merton.log_drift(_DRIFT, *diffusion_and_jumps), *diffusion_and_jumps)
    return Question(job, law, barrier)

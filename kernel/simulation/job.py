"""What all chunks of a simulation share, built from checked inputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel._core.operations import NoRules
from kernel._core.walk import Plan
from kernel.accounts import Account
from kernel.accounts.books.choose import choose
from kernel.accounts.ladder import Ladder
from kernel.accounts.watch import Closing, Readings
from kernel.errors import InvalidInput, Problem
from kernel.escalation import Escalation
from kernel.escalation.building import rules_of
from kernel.markets import Market
from kernel.simulation.sampling import REPLICATES
from kernel.simulation.sampling.ordering import rotation
from kernel.simulation.settings import Settings
from kernel.simulation.watched import watched_on

if TYPE_CHECKING:
    from kernel.simulation.sampling.sobol import SobolNormals


class Job(NamedTuple):
    """What all chunks of a simulation share; picklable."""

    step: NamedTuple
    book: NamedTuple
    plan: Plan
    seed: np.uint64
    real: np.dtype[Any]
    assets: int
    tiers: int
    summarised: bool
    kept: int  # worst losses, and lowest metrics, that a summary needs at most
    readings: Readings
    worst_step: NDArray[np.int64]  # steps after which the worst metric so far is kept
    closing: Closing | None = None  # how losses are reckoned that the kernels cannot
    mirrored: bool = False  # antithetic pairs
    points: SobolNormals | None = None
    rules: NamedTuple = NoRules()


def new_job(
    market: Market, account: Account, ladder: Ladder, settings: Settings, escalation: Escalation | None = None
) -> Job:
    """Build what the chunks share from checked inputs."""
    real = np.dtype(np.float32 if settings.precision == "single" else np.float64)
    watched = watched_on(market, account, ladder, settings.horizon, keeps_worst=len(settings.worst) > 0)
    book, opening_tier, readings, closing = choose(watched).build(watched, real)
    rules = NoRules() if escalation is None or escalation.is_passive else rules_of(escalation, ladder, watched.opening)
    plan = Plan(
        horizon=settings.horizon,
        steps=settings.steps,
        bridged=settings.monitoring == "continuous",
        opening_tier=opening_tier,
        keeps_lowest=len(settings.worst) > 0,
        tilt=np.empty(0, real),
        growth=0.0,
        jump_ratio=0.0,
    )
    return Job(
        step=market.step(real, settings.horizon / settings.steps),
        book=book,
        plan=plan,
        seed=np.uint64(settings.seed),
        real=real,
        assets=len(market.assets),
        tiers=len(ladder.names),
        summarised=settings.record == "summary",
        kept=tail_size(settings.paths, min(settings.levels)),
        readings=readings,
        closing=closing,
        rules=rules,
        worst_step=np.array(settings.worst_steps, dtype=np.int64),
        mirrored=settings.sampling == "antithetic",
        points=_points(market, watched.opening.delta, settings) if settings.sampling == "sobol" else None,
    )


def tail_size(paths: int, lowest: float) -> int:
    """Return how many of the worst losses VaR, ES and their intervals need at a level: six errors to spare."""
    expected = paths * (1 - lowest)
    return min(paths, math.ceil(expected + 6 * math.sqrt(expected * lowest)) + 10)


def _points(market: Market, delta: NDArray[np.float64], settings: Settings) -> SobolNormals:
    """Return where Sobol's normals come from.

    Raises:
        InvalidInput: without SciPy.
    """
    try:
        from kernel.simulation.sampling.sobol import SobolNormals  # noqa: PLC0415 - SciPy takes long to import
    except ImportError:
        message = 'sobol needs SciPy: pip install "margin-kernel[fit]"'
        raise InvalidInput([Problem("sampling", message)]) from None
    turned = rotation(np.asarray(market.loading()), delta)
    return SobolNormals(settings.seed, settings.paths // REPLICATES["sobol"], settings.steps, turned)

"""simulate(): from a market, an account and a ladder to an outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel._core.walk import Arrays
from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import Opening, open_account
from kernel.errors import Problems
from kernel.escalation import Escalation
from kernel.markets import Market
from kernel.markets.diffusion import Diffusion
from kernel.simulation.check import check_escalation, check_simulation, expected_jumps
from kernel.simulation.chunks import ChunkSpec, chunk_size, new_arrays, outcome_bytes, warm, worst_time
from kernel.simulation.escalation_outcome import EscalationOutcome, noticed, require_few_events
from kernel.simulation.execution.memory import FEWER, memory_errors_refused, require_memory
from kernel.simulation.execution.workers import available_threads, collect, results
from kernel.simulation.importance import Tilted, under_tilt
from kernel.simulation.job import Job, new_job
from kernel.simulation.notes import notes_after, notes_on
from kernel.simulation.outcome import Outcome
from kernel.simulation.path_outcome import PathOutcome
from kernel.simulation.provenance import provenance_of
from kernel.simulation.sampling import REPLICATES
from kernel.simulation.settings import Settings
from kernel.simulation.summary import Summary, count_zeros
from kernel.simulation.summary_outcome import SummaryOutcome
from kernel.simulation.tilt_search import choose_tilt

_HIGHER = "use fewer, or higher levels: a summary keeps all losses beyond the lowest"


def simulate(
    market: Market,
    account: Account,
    ladder: Ladder,
    *,
    escalation: Escalation | None = None,
    horizon: float | str,
    steps: int,
    paths: int,
    seed: int = 0,
    monitoring: str = "continuous",
    precision: str = "single",
    record: str = "paths",
    sampling: str = "plain",
    levels: Sequence[float] = (0.95, 0.975, 0.99, 0.995, 0.999),
    worst: bool | ArrayLike = False,
    importance: str | float | None = None,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Simulate an account on a market and note, path by path, when each tier of the ladder first breaches.

    Args:
        market: a `Gbm`, `Merton`, `Kou`, `Heston`, `Bates` or `FilteredHistorical`.
        account: its positions are on assets of the market.
        ladder: tiers breached at the opening prices breach at time 0, and the outcome's `notes` say so.
        escalation: what the tiers do when they breach; None: nothing. For linear positions on one asset, without
            `worst` and `importance`; the outcome is then an `EscalationOutcome`.
        horizon: years of 365 days, above 0, at most 1,000, or a text such as "5d".
        steps: equal steps of the horizon, at least 1. With continuous monitoring of positions on one asset the law
            of the outcome does not depend on it, where volatilities are constant; those of `Heston` and `Bates` move
            in these steps, and `FilteredHistorical` wants those of its history.
        paths: at least 1.
        seed: from 0 to 2**64 - 1. The same seed gives the same bits for any threads, executor and number of further
            paths (with `importance` and `sampling` for that number).
        monitoring: "continuous": any time counts; exact in law for linear positions on one asset of constant
            volatility, and between steps a Brownian bridge of local variance for others. "discrete": the ends of the
            steps count.
        precision: "single" or "double", of the walk; both walk the same random words.
        record: "paths" keeps every path; "summary" only what the estimates need.
        sampling: how the normals of the steps are drawn; all else (a bridge's dips, jumps, variances) stays random, so
            nothing is biased, and errors come from independent replicates. "plain": independently. "antithetic": each
            odd path takes those of the one before it, negated, which helps means and medians, not tails; paths a
            multiple of 100. "sobol": scrambled Sobol points (Sobol 1967, Owen 1998), which help most what is lost at
            the horizon without jumps (`docs/sampling.md`); paths a power of two, at least 2,048; needs SciPy
            (`pip install "margin-kernel[fit]"`). Neither is for `FilteredHistorical`.
        levels: for a summary, the levels of Value at Risk and Expected Shortfall that it is to serve, and 1 less the
            probabilities of thresholds.
        worst: True keeps each path's worst metric over the horizon, for `threshold`; or the times, in years or as texts
            such as "1d", each the end of a step, by which to keep it.
        importance: a tier, or a level such as 0.9999 of losses: paths are simulated under a tilt of drift and jumps
            that makes its breach, or losses beyond that Value at Risk, common, and weighted in turn; one in eight goes
            without the tilt, so that what is common stays about as well known as by those. For `Gbm`, `Merton` and
            `Kou`. For breaches of positions on several assets take some steps: weights are reckoned at their ends.
        threads: of the own thread pool; default: all available processors.
        executor: any `concurrent.futures.Executor`, or a Dask client, to run the chunks on instead: `docs/scale.md`.
            To one of its own workers the chunks of its calls are left.
        progress: called with paths done and paths in all, in the calling thread, as chunks are done.

    Raises:
        InvalidInput: with every problem found; for paths whose results do not fit into memory; and, as
            `kernel.errors.Incomplete`, if the executor loses its workers before all is done.

    Example:
        >>> import kernel
        >>> outcome = kernel.simulate(
        ...     kernel.Gbm(assets=["BTC"], spot=60_000.0, volatility=0.65),
        ...     kernel.Account(cash=-54_000.0, positions=[kernel.Linear("BTC", quantity=1.0)], maintenance_rate=0.005),
        ...     kernel.Ladder({"call": 2.0, "liquidation": 1.0}), horizon=5 / 365, steps=1, paths=10_000)
        >>> outcome.breach_time.shape
        (2, 10000)
    """
    stated = {
        "horizon": horizon, "steps": steps, "paths": paths, "seed": seed, "monitoring": monitoring,
        "precision": precision, "record": record, "sampling": sampling, "levels": levels, "worst": worst,
        "importance": importance, "threads": threads, "executor": executor, "progress": progress,
    }  # fmt: skip
    problems = Problems()
    settings = check_simulation(problems, stated, market=market, account=account, ladder=ladder)
    if escalation is not None:
        check_escalation(problems, escalation, market, account, ladder, settings)
    problems.raise_any()
    with memory_errors_refused():
        return _outcome(market, account, ladder, settings, escalation)


def _outcome(
    market: Market, account: Account, ladder: Ladder, settings: Settings, escalation: Escalation | None
) -> Outcome:
    """Simulate what has been checked."""
    job = new_job(market, account, ladder, settings, escalation)
    opening = open_account(account, market.assets, np.asarray(market.spot))
    needed = outcome_bytes(job, settings.paths, weighted=settings.importance is not None)
    require_memory(needed, settings.paths, _HIGHER if job.summarised else FEWER)
    warm(job)
    tilted = None if settings.importance is None else _tilted(job, market, opening, ladder, settings)
    walks = [ChunkSpec(job, 0, settings.paths)] if tilted is None else tilted.walks
    kept, states = _walked(walks, expected_jumps(market, settings.horizon), settings)
    zeros = kept.zeros if isinstance(kept, Summary) else count_zeros(kept.terminal_price)
    shared: dict[str, Any] = {
        "paths": settings.paths,
        "horizon": settings.horizon,
        "assets": tuple(market.assets),
        "tiers": ladder.names,
        "opening_equity": opening.equity,
        "provenance": provenance_of(market, account, ladder, settings, escalation),
        "worst_times": tuple(worst_time(job.plan, steps) for steps in settings.worst_steps),
        "notes": (*notes_on(market, opening, ladder, settings), *notes_after(zeros, settings)),
    }
    if isinstance(kept, Summary):
        return SummaryOutcome(**shared, summary=kept)
    if tilted is not None:
        shared |= tilted.results(kept)
        shared["provenance"]["tilt"] = tilted.tilt.exponent.tolist()
    shared |= {
        "loss": kept.loss,
        "terminal_price": kept.terminal_price,
        "breach_time": kept.breach_time,
        "worst": kept.worst,
        "replicates": REPLICATES[settings.sampling],
    }
    if escalation is None:
        return PathOutcome(**shared)
    if escalation.is_passive:
        states = noticed(escalation, ladder, kept.breach_time, opening.equity - kept.loss)
    require_few_events(states)
    return EscalationOutcome(**shared, states=states)


def _tilted(job: Job, market: Market, opening: Opening, ladder: Ladder, settings: Settings) -> Tilted:
    """Return the walks under the tilt that leads paths to what they are wanted for."""
    assert isinstance(market, Diffusion)  # noqa: S101 - checked
    assert settings.importance is not None  # noqa: S101 - or there is no tilt
    tilt = choose_tilt(job, market, opening, ladder, settings.importance)
    return under_tilt(job, market, tilt, settings.paths, REPLICATES[settings.sampling])


def _walked(walks: Sequence[ChunkSpec], jumps: float, settings: Settings) -> tuple[Arrays | Summary, NDArray[np.void]]:
    """Walk ranges of paths on whoever is to do it; return their arrays, or their summary."""
    job = walks[-1].job
    arrays = None if job.summarised else new_arrays(job, 0, settings.paths)
    size = chunk_size(settings.paths, settings.steps, job.assets, jumps)
    threads = settings.threads or available_threads()
    with closing(results(walks, size, arrays, settings.executor, threads)) as chunks:
        return collect(chunks, arrays, job, settings.paths, settings.progress)

"""simulate(): from a market, an account and a ladder to an outcome."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from kernel._core.walk import Arrays, Plan
from kernel.accounts import Account
from kernel.accounts.ladder import Condition, Ladder, conditions, watch
from kernel.errors import InvalidInput, Problem
from kernel.markets import Market
from kernel.markets.diffusion import Diffusion
from kernel.simulation.chunks import (
    ChunkSpec,
    Job,
    Summary,
    chunk_size,
    count_zeros,
    new_arrays,
    outcome_bytes,
    warm,
    worst_time,
)
from kernel.simulation.execution.memory import FEWER, memory_errors_refused, require_memory
from kernel.simulation.execution.workers import KEPT, available_threads, collect, results
from kernel.simulation.importance import choose_tilt, parts, scored, weigh
from kernel.simulation.outcome import Outcome
from kernel.simulation.sampling import REPLICATES
from kernel.simulation.sampling.ordering import rotation
from kernel.simulation.settings import check, expected_jumps, notes_on
from kernel.versions import versions

if TYPE_CHECKING:
    from kernel.simulation.sampling.sobol import SobolNormals

_HIGHER = "use fewer, or higher levels: a summary keeps all losses beyond the lowest"


def tail_size(paths: int, lowest: float) -> int:
    """Return how many of the worst losses VaR, ES and their intervals need at a level: six errors to spare."""
    expected = paths * (1 - lowest)
    return min(paths, math.ceil(expected + 6 * math.sqrt(expected * lowest)) + 10)


def simulate(
    market: Market,
    account: Account,
    ladder: Ladder,
    *,
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
    settings = {
        "horizon": horizon, "steps": steps, "paths": paths, "seed": seed, "monitoring": monitoring,
        "precision": precision, "record": record, "sampling": sampling, "levels": levels, "worst": worst,
        "importance": importance, "threads": threads, "executor": executor, "progress": progress,
    }  # fmt: skip
    problems, clean = check(market, account, ladder, settings)
    problems.raise_any()
    with memory_errors_refused():
        return _outcome(market, account, ladder, clean)


def _outcome(market: Market, account: Account, ladder: Ladder, clean: dict[str, Any]) -> Outcome:
    """Simulate what has been checked."""
    job, exposures = new_job(market, account, ladder, clean), account.exposures(market.assets, np.asarray(market.spot))
    needed = outcome_bytes(job, clean["paths"], weighted=clean["importance"] is not None)
    require_memory(needed, clean["paths"], _HIGHER if job.summarised else FEWER)
    warm(job)
    replicates, tilt, walks = REPLICATES[clean["sampling"]], None, [ChunkSpec(job, 0, clean["paths"])]
    if clean["importance"] is not None:
        assert isinstance(market, Diffusion)  # noqa: S101 - checked
        losses = Condition("that loss", -float(exposures.value.sum()), exposures.value)
        tilt = choose_tilt(job, market, conditions(exposures, ladder), losses, clean["importance"])
        plain, job = scored(job, market, tilt)
        walks = parts((plain, job), clean["paths"], replicates)
    arrays = None if job.summarised else new_arrays(job, 0, clean["paths"])
    size = chunk_size(clean["paths"], clean["steps"], job.assets, expected_jumps(market, clean["horizon"]))
    threads = clean["threads"] or available_threads()
    with closing(results(walks, size, arrays, clean["executor"], threads)) as done:
        summary = collect(done, arrays, job, clean["paths"], clean["progress"])
    provenance = _provenance(market, account, ladder, clean)
    kept: dict[str, Any] = {} if arrays is None else {name: getattr(arrays, name) for name in KEPT}
    if tilt is not None and arrays is not None and isinstance(market, Diffusion):
        kept["untilted"] = walks[0].last
        share = walks[0].last / walks[1].last
        kept["weight"], kept["breach_weight"] = weigh(job, market, arrays, share)
        provenance["tilt"] = tilt.exponent.tolist()
    return Outcome(
        paths=clean["paths"],
        horizon=clean["horizon"],
        assets=tuple(market.assets),
        tiers=ladder.names,
        opening_equity=exposures.opening_equity,
        provenance=provenance,
        worst_times=tuple(worst_time(job.plan, int(steps)) for steps in job.worst_step),
        summary=summary,
        replicates=replicates,
        notes=(*notes_on(market, account, ladder, clean), *_notes_after(arrays, summary, clean)),
        **kept,
    )


def _notes_after(arrays: Arrays | None, summary: Summary | None, clean: dict[str, Any]) -> tuple[str, ...]:
    """Say so where prices fell below what the precision carries."""
    zeros = count_zeros(arrays.terminal_price) if arrays is not None else summary.zeros if summary is not None else 0
    if not zeros:
        return ()
    what = f"end at a price of 0: {clean['precision']} precision carries none so low"
    return (f"{zeros:,} of {clean['paths']:,} paths {what}",)


def new_job(market: Market, account: Account, ladder: Ladder, clean: dict[str, Any]) -> Job:
    """Build what the chunks share from checked inputs."""
    real = np.dtype(np.float32 if clean["precision"] == "single" else np.float64)
    spot = np.asarray(market.spot, dtype=np.float64).copy()
    book, opening_tier, scale = watch(account.exposures(market.assets, spot), ladder, spot, real)
    plan = Plan(
        horizon=clean["horizon"],
        steps=clean["steps"],
        bridged=clean["monitoring"] == "continuous",
        opening_tier=opening_tier,
        keeps_lowest=clean["worst"].size > 0,
        tilt=np.empty(0, real),
        growth=0.0,
        jump_ratio=0.0,
    )
    return Job(
        step=market.step(real, clean["horizon"] / clean["steps"]),
        book=book,
        plan=plan,
        seed=np.uint64(clean["seed"]),
        real=real,
        assets=len(market.assets),
        tiers=len(ladder.names),
        summarised=clean["record"] == "summary",
        kept=tail_size(clean["paths"], float(clean["levels"].min())),
        scale=scale,
        worst_step=clean["worst"],
        mirrored=clean["sampling"] == "antithetic",
        points=_points(market, account, clean) if clean["sampling"] == "sobol" else None,
    )


def _points(market: Market, account: Account, clean: dict[str, Any]) -> SobolNormals:
    """Return where Sobol's normals come from.

    Raises:
        InvalidInput: without SciPy.
    """
    try:
        from kernel.simulation.sampling.sobol import SobolNormals  # noqa: PLC0415 - SciPy takes long to import
    except ImportError:
        message = 'sobol needs SciPy: pip install "margin-kernel[fit]"'
        raise InvalidInput([Problem("sampling", message)]) from None
    value = account.exposures(market.assets, np.asarray(market.spot)).value
    turned = rotation(np.asarray(market.loading()), value)
    return SobolNormals(clean["seed"], clean["paths"] // REPLICATES["sobol"], clean["steps"], turned)


def _provenance(market: Market, account: Account, ladder: Ladder, clean: dict[str, Any]) -> dict[str, Any]:
    """Return what it takes to run a simulation again; the hash covers what determines its numbers."""
    settings = {
        name: value for name, value in clean.items() if name not in {"threads", "levels", "executor", "progress"}
    }
    settings |= {"worst": clean["worst"].tolist()}
    inputs = {
        "market": market.parameters(),
        "account": account.parameters(),
        "ladder": ladder.parameters(),
        "simulation": {**settings, "levels": clean["levels"].tolist()},
    }
    return stamped(inputs)


def stamped(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return inputs with the versions that worked on them and their hash."""
    digest = hashlib.blake2b(json.dumps(inputs, sort_keys=True, default=str).encode(), digest_size=16).hexdigest()
    return {"versions": versions(), "inputs": inputs, "inputs_blake2b": digest}

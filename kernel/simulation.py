"""simulate(): check, build structs, share out chunks, merge."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel import checks
from kernel._core.noise import MAX_PATHS, MAX_STEPS
from kernel._core.walk import Arrays, Plan
from kernel.accounts import Account
from kernel.chunks import (
    ChunkResult,
    ChunkSpec,
    Job,
    Summary,
    chunk_size,
    merge,
    new_arrays,
    run_chunk,
    warm,
    worst_time,
)
from kernel.errors import InvalidInput, Problem, Problems
from kernel.importance import choose_tilt, tilted, weigh
from kernel.ladder import Condition, Ladder, conditions, watch
from kernel.markets import Market
from kernel.markets.diffusion import Diffusion
from kernel.outcome import Outcome
from kernel.sampling import REPLICATES, SAMPLING, check_sampling
from kernel.sampling.ordering import rotation
from kernel.text import duration

if TYPE_CHECKING:
    from kernel.sampling.sobol import SobolNormals

MONITORING, PRECISION, RECORD = ("continuous", "discrete"), ("single", "double"), ("paths", "summary")
_MOST_JUMPS = 100_000  # expected on one path: they are walked one by one
_KEPT = ("loss", "terminal_price", "breach_time", "worst")  # of the arrays, by the outcome's names
_MERGED_AT_ONCE = 16  # summaries that wait to be merged together


def available_threads() -> int:
    """Return the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _choice(problems: Problems, field: str, value: object, choices: Sequence[str]) -> None:
    if value not in choices:
        problems.add(field, f"must be {' or '.join(choices)}, not {value!r}")


def tail_size(paths: int, lowest: float) -> int:
    """Return how many of the worst losses VaR, ES and their intervals need at a level: six errors to spare."""
    expected = paths * (1 - lowest)
    return min(paths, math.ceil(expected + 6 * math.sqrt(expected * lowest)) + 10)


def _jumps(market: Market, horizon: float) -> float:
    """Return the expected jumps on a path."""
    return float(getattr(market, "jump_intensity", 0.0) * horizon)


def _check_callables(problems: Problems, executor: object, progress: object) -> None:
    if executor is not None and not hasattr(executor, "submit"):
        problems.add("executor", f"must be a concurrent.futures.Executor, not {executor!r}")
    if progress is not None and not callable(progress):
        problems.add("progress", f"must be called with paths done and paths in all, not {progress!r}")


def _check_walk(problems: Problems, market: Market, horizon: float, steps: int) -> None:
    if not {"horizon", "steps"} & {field for field, _ in problems.found}:
        market.check_grid(problems, horizon, steps)
    jumps = _jumps(market, horizon)
    if jumps > _MOST_JUMPS:
        problems.add("market.jump_intensity", f"must leave at most {_MOST_JUMPS:,} jumps a path, not {jumps:g}")


def _check_sampling(problems: Problems, market: Market, clean: dict[str, Any]) -> None:
    wrong, sampling = {field for field, _ in problems.found}, clean["sampling"]
    if sampling != "plain" and "sampling" not in wrong and market.loading() is None:
        message = f"must be 'plain' on a {type(market).__name__}: residuals of its history move it, not normals"
        problems.add("sampling", message)
    elif not {"sampling", "record", "paths", "steps"} & wrong:
        check_sampling(problems, sampling, clean["record"], clean["paths"], clean["steps"] * len(market.assets))


def check(
    market: Market, account: Account, ladder: Ladder, settings: dict[str, Any]
) -> tuple[Problems, dict[str, Any]]:
    """Note everything wrong with a simulation; return its numbers as numbers."""
    problems, clean = Problems(), dict(settings)
    parts = (("market", market, Market), ("account", account, Account), ("ladder", ladder, Ladder))
    for field, value, kind in parts:
        if not isinstance(value, kind):
            problems.add(field, f"must be a kernel.{kind.__name__}, not {type(value).__name__}")
    clean["horizon"] = checks.number(problems, "horizon", settings["horizon"], above=0, at_most=1_000)
    clean["steps"] = checks.whole(problems, "steps", settings["steps"], 1, MAX_STEPS)
    clean["paths"] = checks.whole(problems, "paths", settings["paths"], 1, MAX_PATHS)
    clean["seed"] = checks.whole(problems, "seed", settings["seed"], 0, 2**64 - 1)
    if settings["threads"] is not None:
        clean["threads"] = checks.whole(problems, "threads", settings["threads"], 1, 4096)
    _check_importance(problems, market, ladder, settings)
    _check_callables(problems, settings.get("executor"), settings.get("progress"))
    clean["sampling"] = settings.get("sampling", "plain")
    for field, choices in (
        ("monitoring", MONITORING), ("precision", PRECISION), ("record", RECORD), ("sampling", SAMPLING)
    ):  # fmt: skip
        _choice(problems, field, clean[field], choices)
    if np.size(settings["levels"]) == 0:
        problems.add("levels", "must be at least one level, such as 0.99")
    clean["levels"] = np.array(
        [checks.number(problems, "levels", level, above=0, below=1) for level in np.atleast_1d(settings["levels"])]
    )
    clean["worst"] = _worst_steps(problems, settings.get("worst", False), clean["horizon"], clean["steps"])
    if isinstance(market, Market) and isinstance(account, Account):
        account.check_assets(problems, market.assets)
        _check_walk(problems, market, clean["horizon"], clean["steps"])
        _check_sampling(problems, market, clean)
        if not problems.found and isinstance(ladder, Ladder) and ladder.metric == "equity_fraction":
            equity = account.exposures(market.assets, np.asarray(market.spot)).opening_equity
            if equity <= 0:
                problems.add("ladder.metric", f"equity_fraction needs an opening equity above 0, not {equity:g}")
    return problems, clean


def _check_importance(problems: Problems, market: Market, ladder: Ladder, settings: dict[str, Any]) -> None:
    target = settings.get("importance")
    if target is None:
        return
    if isinstance(target, str):
        if isinstance(ladder, Ladder) and target not in ladder.names:
            problems.add("importance", f"must be one of {', '.join(ladder.names)} or a level, not {target!r}")
    else:
        checks.number(problems, "importance", target, above=0, below=1)
    if isinstance(market, Market) and not isinstance(market, Diffusion):
        problems.add("importance", f"is for Gbm, Merton and Kou, not {type(market).__name__}: leave it out")
    if settings["record"] == "summary":
        problems.add("record", "must be 'paths' with importance: few paths will do")


def _worst_steps(problems: Problems, worst: bool | ArrayLike, horizon: float, steps: int) -> NDArray[np.int64]:
    """Return the steps after which the worst metric is kept."""
    if isinstance(worst, bool | np.bool_):
        return np.array([steps] if worst else [], dtype=np.int64)
    if not horizon > 0:
        return np.array([], dtype=np.int64)
    noted = len(problems.found)
    listed = [worst] if np.ndim(worst) == 0 else list(worst)  # type: ignore[arg-type]
    times = np.array([checks.number(problems, "worst", one, above=0, at_most=horizon) for one in listed])
    if len(problems.found) > noted:
        return np.array([], dtype=np.int64)
    ends = times / horizon * steps
    found = np.rint(ends).astype(np.int64)
    if not np.allclose(ends, found, rtol=0, atol=1e-6) or (found < 1).any():
        grid = f"{steps} steps of {duration(horizon / steps)}" if steps > 1 else "one step"
        problems.add("worst", f"must be times at the end of a step, of which the horizon has {grid}: use more")
    if (np.diff(found) <= 0).any():
        problems.add("worst", "must be rising times")
    return found


def simulate(
    market: Market,
    account: Account,
    ladder: Ladder,
    *,
    horizon: float,
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
        ladder: tiers breached at the opening prices breach at time 0.
        horizon: years of 365 days, above 0, at most 1,000.
        steps: equal steps of the horizon, at least 1. With continuous monitoring of positions on one asset the law
            of the outcome does not depend on it, where volatilities are constant; those of `Heston` and `Bates` move
            in these steps, and `FilteredHistorical` wants those of its history.
        paths: at least 1.
        seed: from 0 to 2**64 - 1. The same seed gives the same bits for any threads, executor and number of further
            paths.
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
        worst: True keeps each path's worst metric over the horizon, for `threshold`; or the times in years, each the
            end of a step, by which to keep it.
        importance: a tier, or a level such as 0.9999 of losses: paths are simulated under a tilt of drift and jumps
            that makes its breach, or losses beyond that Value at Risk, common, and weighted in turn. For `Gbm`,
            `Merton` and `Kou`; what is common without the tilt is then estimated badly. For breaches of positions on
            several assets take some steps: their weights are reckoned at the ends of steps.
        threads: of the own thread pool; default: all available processors.
        executor: any `concurrent.futures.Executor` to run the chunks on instead.
        progress: called with paths done and paths in all, in the calling thread, as chunks are done.

    Raises:
        InvalidInput: with every problem found.

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
    job, exposures = new_job(market, account, ladder, clean), account.exposures(market.assets, np.asarray(market.spot))
    warm(job)
    tilt = None
    if importance is not None:
        assert isinstance(market, Diffusion)  # noqa: S101 - checked
        losses = Condition("that loss", -float(exposures.value.sum()), exposures.value)
        drawn = job._replace(points=None)  # the pilot is small, and its paths are far off
        tilt = choose_tilt(drawn, market, conditions(exposures, ladder), losses, clean["importance"])
        job = tilted(job, market, tilt)
    arrays = None if job.summarised else new_arrays(job, 0, clean["paths"])
    size = chunk_size(clean["steps"], job.assets, _jumps(market, clean["horizon"]))
    results = _results(job, clean["paths"], size, arrays, executor, clean["threads"] or available_threads())
    summary = _collect(results, arrays, job, clean["paths"], progress)
    provenance = _provenance(market, account, ladder, clean)
    kept = {} if arrays is None else {name: getattr(arrays, name) for name in _KEPT}
    if tilt is not None and arrays is not None and isinstance(market, Diffusion):
        kept["weight"], kept["breach_weight"] = weigh(job, market, arrays)
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
        replicates=REPLICATES[clean["sampling"]],
        **kept,
    )


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
        sounded=clean["worst"].size > 0,
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
        from kernel.sampling.sobol import SobolNormals  # noqa: PLC0415 - SciPy takes long to import
    except ImportError:
        message = 'sobol needs SciPy: pip install "margin-kernel[fit]"'
        raise InvalidInput([Problem("sampling", message)]) from None
    value = account.exposures(market.assets, np.asarray(market.spot)).value
    turned = rotation(np.asarray(market.loading()), value)
    return SobolNormals(clean["seed"], clean["paths"] // REPLICATES["sobol"], clean["steps"], turned)


def _results(
    job: Job, paths: int, size: int, arrays: Arrays | None, executor: Executor | None, threads: int
) -> Iterator[ChunkResult]:
    """Yield the chunks' results in the order of the paths, with a bounded number of them under way."""
    specs = (ChunkSpec(job, first, min(first + size, paths)) for first in range(0, paths, size))
    if executor is not None:
        yield from _in_order(executor, specs, None, 4 * getattr(executor, "_max_workers", available_threads()))
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="margin-kernel") as pool:
        yield from _in_order(pool, specs, arrays, 4 * threads)


def _in_order(
    executor: Executor, specs: Iterator[ChunkSpec], arrays: Arrays | None, most: int
) -> Iterator[ChunkResult]:
    waiting: deque[Future[ChunkResult]] = deque()
    try:
        for spec in specs:
            waiting.append(executor.submit(run_chunk, spec, arrays))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _collect(
    results: Iterator[ChunkResult],
    arrays: Arrays | None,
    job: Job,
    paths: int,
    progress: Callable[[int, int], None] | None,
) -> Summary | None:
    """Put results where they belong; sums are merged in the order of the paths."""
    parts: list[Summary] = []
    for first, last, part, summary in results:
        if summary is not None:
            parts.append(summary)
            if len(parts) >= _MERGED_AT_ONCE:
                parts = [merge(parts, job.kept)]
        elif arrays is not None and part is not None and part is not arrays:
            for name in (*_KEPT, "score"):
                getattr(arrays, name)[..., first:last] = getattr(part, name)
        if progress is not None:
            progress(last, paths)
    return merge(parts, job.kept) if parts else None


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
    digest = hashlib.blake2b(json.dumps(inputs, sort_keys=True).encode(), digest_size=16).hexdigest()
    return {"versions": versions(), "inputs": inputs, "inputs_blake2b": digest}


def versions() -> dict[str, str]:
    """Return the versions that a run depends on."""
    return {name: _installed(name) for name in ("margin-kernel", "numba", "llvmlite", "numpy")}


@cache  # reading the metadata of packages takes as long as 10,000 paths
def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"

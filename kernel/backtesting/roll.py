"""backtest(): roll over a history, predict, compare with what happened."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import open_account
from kernel.backtesting.forecast import Forecast, Realised, predict, realise
from kernel.backtesting.plan import Plan, new_plan, provenance
from kernel.backtesting.refit import Opening, Refit, markets
from kernel.backtesting.reliability import reliability
from kernel.backtesting.result import Backtest, cover
from kernel.backtesting.settle import settle, walked_again
from kernel.backtesting.shortfall import shortfall_test, z2
from kernel.checks.text import counted
from kernel.prices.history import History, as_history
from kernel.simulation.execution.workers import available_threads, in_order

Progress = Callable[[int, int], None] | None


def backtest(
    history: ArrayLike | History,
    market: Any = "auto",
    *,
    dt: float | str | None = None,
    assets: Sequence[str] | None = None,
    account: Account | None = None,
    ladder: Ladder | None = None,
    window: int = 500,
    horizon: float | str | None = None,
    levels: Sequence[float] = (0.95, 0.99),
    refit: int = 7,
    rechoose: int = 28,
    drift: str = "zero",
    breaches: str | None = None,
    paths: int = 100_000,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress = None,
    **fit_options: Any,
) -> Backtest:
    """Predict an account's loss and breaches, row after row of a history, and test what was predicted.

    At each opening row the market knows the rows up to it alone; it predicts Value at Risk, Expected Shortfall and
    breach probabilities over the horizon, and what happened over it is set against them. The next forecast opens
    where the horizon ended: forecast windows never overlap, so that the tests may take exceptions as independent. A
    horizon over a gap of the history is left out, with a note.

    The account is opened anew each time with the same notionals. Breaches are predicted as they are judged, with a step
    a row: in continuous time where bars judge them, by the ends of the steps where closes do. `FilteredHistorical` then
    bridges within a row at that row's volatility. Forecast k draws its noise from the seed + k.

    A loss within the 95% interval of its Value at Risk may or may not be an exception. Where coverage or a zone is
    another if such losses are decided otherwise, exactly these forecasts are walked again with four times the paths,
    and again, up to 64 times as many and at most ten million. What still hangs on noise then, `coverage[k].noise` says.

    Args:
        history: or prices, [time] or [time, asset], oldest first, evenly spaced, above 0.
        market: "gbm", "merton", "kou" or "filtered_historical"; "auto" for `kernel.choose`; a class of market with a
            fit; or a market, which is taken as it stands at every forecast.
        dt: years between two rows, or a text such as "1d"; None with a history, which knows it.
        assets: names of the columns of prices; default: "asset", or "asset 1", "asset 2", ...
        account: stated at the history's last prices; default: one unit of wealth, in equal parts in the assets, so
            that losses are fractions of it.
        ladder: default: falls of the equity by 5% and by 10%.
        window: rows that a fit looks back on, each with the return from the one before.
        horizon: years, or a text such as "5d", of whole rows; default: one row.
        levels: of Value at Risk and Expected Shortfall, in (0, 1).
        refit: rows from one fit to the next; between them parameters stand, and a volatility that moves
            (`FilteredHistorical`; `Gbm` with volatility="ewma" or "garch") takes up each row's return.
        rechoose: rows from one choice of "auto" to the next; a choice fits every market, four times a refit's time.
        drift: of fitted markets: "zero", as a window says little of it, or "fitted"; a market that is stated keeps its
            own.
        breaches: "bars": judged by the lows of what is net long, the highs of what is net short, in each row of the
            horizon, and by closes where a bar is unknown; for accounts that move with one asset. "closes": by closes
            alone. Default: bars where the history has them for the account, else closes; the result says which, why.
        paths: of each forecast, at first.
        seed: from 0 to 2**64 - 1. The same seed gives the same bits for any threads.
        threads: forecasts at a time; default: all available processors.
        progress: called with forecasts done and forecasts in all, in the calling thread.
        fit_options: options of the market's fit, such as volatility="garch".

    Raises:
        InvalidInput: with every problem found, or naming a window that cannot be fitted.
        ImportError: without SciPy, unless the market is stated.

    Example:
        >>> moves = 0.02 * np.random.default_rng(0).standard_normal(160)
        >>> tested = backtest(100 * np.exp(np.cumsum(moves)), "gbm", dt=1 / 365, window=60, paths=2_000)
        >>> tested.losses.size, tested.coverage[0].exceptions, tested.coverage[0].holds
        (99, 5, True)
    """
    settings = {"levels": levels, "paths": paths, "seed": seed, "threads": threads, "progress": progress}
    settings["breaches"] = breaches
    spans = {"window": window, "refit": refit, "rechoose": rechoose}
    plan = new_plan(
        as_history(history, dt, assets), market, drift, fit_options, account, ladder, horizon, spans, settings
    )
    refits: list[Refit] = []
    realised = realise(plan.history, plan.openings, plan.rows, plan.account, plan.ladder, plan.judged.by_bars)
    times = None if plan.history.times is None else plan.history.times[plan.openings + plan.rows]
    with _one_blas_thread():
        sums, forecasts = _collect(_forecasts(plan, refits, realised.losses), plan, progress)
        forecasts = settle(forecasts, realised.losses, times, plan)
    sums = sums + sum(forecast.contributions for forecast in forecasts if forecast.contributions.size)
    return _result(plan, realised, times, [forecast.bare() for forecast in forecasts], sums, refits)


def _result(
    plan: Plan,
    realised: Realised,
    times: NDArray[np.datetime64] | None,
    forecasts: Sequence[Forecast],
    sums: NDArray[np.float64],
    refits: Sequence[Refit],
) -> Backtest:
    """Test what was predicted; sums: [level, series] of all forecasts' contributions."""
    losses, bounds = realised.losses, _by_level(forecasts, "value_at_risk")
    shortfalls, chances = _by_level(forecasts, "expected_shortfall"), _by_level(forecasts, "breach_probability")
    exceptions, undecided = losses > bounds[0], np.array([forecast.undecided for forecast in forecasts]).T
    paths, listed = np.array([forecast.paths for forecast in forecasts]), plan.settings.levels
    tested = [
        shortfall_test(z2(losses, bounds[0][k], shortfalls[0][k], level), 1 - sums[k] / losses.size)
        for k, level in enumerate(listed)
    ]
    return Backtest(
        assets=plan.history.assets,
        tiers=plan.ladder.names,
        levels=tuple(listed),
        horizon=plan.settings.horizon,
        opening_equity=open_account(plan.account, plan.history.assets, plan.history.last).equity,
        rows=plan.openings,
        times=times,
        losses=losses,
        paths=paths,
        value_at_risk=bounds[0],
        value_at_risk_error=bounds[1],
        expected_shortfall=shortfalls[0],
        expected_shortfall_error=shortfalls[1],
        exceptions=exceptions,
        undecided=undecided,
        breach_probability=chances[0],
        breach_probability_error=chances[1],
        breached=realised.breached,
        breaches=plan.judged.breaches,
        breaches_reason=plan.judged.reason,
        by_bars=plan.judged.by_bars,
        transforms=np.array([forecast.transform for forecast in forecasts]),
        refits=tuple(refits),
        coverage=tuple(cover(exceptions[k], times, level, tested[k], undecided[k]) for k, level in enumerate(listed)),
        reliability=tuple(reliability(*tier, paths=paths) for tier in zip(chances[0], realised.breached, strict=True)),
        notes=(*plan.notes, *_opened(plan), *walked_again(paths, plan), *_fit_notes(refits)),
        provenance=provenance(plan),
    )


# Notes


def _opened(plan: Plan) -> tuple[str, ...]:
    """Tell of tiers that are breached from the start, where there is nothing to predict."""
    start = realise(plan.history, plan.openings[:1], 0, plan.account, plan.ladder)
    named = [name for name, there in zip(plan.ladder.names, start.breached[:, 0], strict=True) if there]
    return (f"the account opens breached: {', '.join(named)}",) if named else ()


def _fit_notes(refits: Sequence[Refit]) -> tuple[str, ...]:
    """Count what the fits note; figures, which differ from one to the next, are left out."""
    counts = Counter(
        note for refit in refits for note in refit.notes if not any(part[:1].isdigit() for part in note.split())
    )
    return tuple(f"{count:,} of {counted(len(refits), 'fit')}: {note}" for note, count in counts.most_common())


# Forecasts


def _forecasts(plan: Plan, refits: list[Refit], losses: NDArray[np.float64]) -> Iterator[Forecast]:
    """Yield forecasts in their order, those of one fit shared out over threads.

    Nothing is simulated while something is fitted: a search gives the interpreter's lock up hundreds of times, and
    would have to wait for it as often.
    """
    threads, numbers = plan.settings.threads or available_threads(), itertools.count()

    def call(opening: Opening) -> tuple[Any, ...]:
        number = next(numbers)
        return opening.market, plan.account, plan.ladder, plan.settings_of(number), float(losses[number])

    with ThreadPoolExecutor(threads, thread_name_prefix="margin-kernel") as pool:
        for openings in markets(plan.history, plan.openings.tolist(), plan.schedule, refits):
            yield from in_order(pool, predict, map(call, openings), 2 * threads)


def _one_blas_thread() -> AbstractContextManager[Any]:
    """Hold the libraries of linear algebra to one thread, in the whole process.

    A search for seven parameters wakes their threads hundreds of times for matrices of ten rows, and they go on
    spinning for a while: on two busy processors a backtest of 1,500 days took two to three times as long with them.
    """
    try:
        from threadpoolctl import threadpool_limits  # noqa: PLC0415 - comes with the fits, which a stated market needs not
    except ImportError:
        return nullcontext()
    limits: AbstractContextManager[Any] = threadpool_limits(1, user_api="blas")
    return limits


def _collect(
    forecasts: Iterator[Forecast], plan: Plan, progress: Progress
) -> tuple[NDArray[np.float64], list[Forecast]]:
    """Return the sums of the contributions, [level, series], and the forecasts without what is in them.

    Kept for each forecast they would take 8 bytes x levels x 5,000: 120 MB of 1,500 forecasts at two levels. Those that
    are undecided may be walked again: they keep theirs.
    """
    sums: Any = 0.0
    collected: list[Forecast] = []
    for forecast in forecasts:
        if forecast.undecided.any():
            collected.append(forecast)
        else:
            sums = sums + forecast.contributions
            collected.append(forecast.bare())
        if progress is not None:
            progress(len(collected), plan.openings.size)
    return np.asarray(sums), collected


def _by_level(forecasts: Sequence[Forecast], name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return estimates and their standard errors, each [level or tier, forecast]."""
    estimates = np.array([getattr(forecast, name) for forecast in forecasts])  # [forecast, level, estimate]
    return estimates[:, :, 0].T.copy(), estimates[:, :, 1].T.copy()

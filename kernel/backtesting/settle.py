"""More paths for the forecasts on whose Monte Carlo error a verdict hangs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kernel.backtesting.forecast import SERIES, Forecast, predict
from kernel.backtesting.noise import on_which
from kernel.backtesting.plan import Plan
from kernel.checks.text import counted
from kernel.simulation.execution.workers import available_threads

_TIMES = 4  # as many paths: half the error
_MOST_TIMES, _MOST_PATHS = 64, 10_000_000  # as many as at first; of one forecast: 160 MB


def settle(
    forecasts: Sequence[Forecast], losses: NDArray[np.float64], times: NDArray[np.datetime64] | None, plan: Plan
) -> list[Forecast]:
    """Walk forecasts again, with more and more paths, until no verdict hangs on their noise, or there are too many.

    One after another, each on all threads: their paths would not fit into memory together.

    Args:
        forecasts: in their order; those undecided at a level with their market.
        losses: [forecast] realised.
        times: [forecast] at which they were; None: unknown.
        plan: of the backtest.
    """
    settled, first = list(forecasts), plan.settings.paths
    paths, most = _TIMES * first, min(_MOST_TIMES * first, _MOST_PATHS)
    while paths <= most and (hanging := _hanging(settled, losses, times, plan)):
        for k in hanging:
            settled[k] = _again(settled[k], k, float(losses[k]), paths, plan)
        paths *= _TIMES
    return settled


def _hanging(
    forecasts: Sequence[Forecast], losses: NDArray[np.float64], times: NDArray[np.datetime64] | None, plan: Plan
) -> list[int]:
    """Return the forecasts on which the verdict of any level hangs."""
    on = np.zeros(losses.size, dtype=bool)
    for k, level in enumerate(plan.settings.levels):
        exceptions = losses > np.array([forecast.value_at_risk[k].value for forecast in forecasts])
        on |= on_which(exceptions, np.array([forecast.undecided[k] for forecast in forecasts]), times, level)
    listed: list[int] = np.flatnonzero(on).tolist()
    return listed


def _again(forecast: Forecast, number: int, loss: float, paths: int, plan: Plan) -> Forecast:
    assert forecast.market is not None  # noqa: S101 - undecided forecasts keep it
    settings = replace(plan.settings_of(number), paths=paths, threads=plan.settings.threads or available_threads())
    series = min(SERIES, plan.settings.paths)  # as many as of the others
    return predict(forecast.market, plan.account, plan.ladder, settings, loss, series)


def walked_again(paths: NDArray[np.int64], plan: Plan) -> tuple[str, ...]:
    """Tell how many forecasts were walked again, if any."""
    first, most = plan.settings.paths, int(paths.max())
    count = int(np.count_nonzero(paths > first))
    if not count:
        return ()
    return (
        f"{counted(count, 'forecast')}, on whose noise a verdict hung, had up to {most:,} paths instead of {first:,}",
    )

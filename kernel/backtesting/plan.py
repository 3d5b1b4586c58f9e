"""What a backtest is to do, checked, every problem at once; and what it takes to do it again."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel import checks
from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import open_account
from kernel.backtesting.bars import BREACHES, Judged, judged
from kernel.backtesting.refit import Schedule
from kernel.checks.text import brief, counted, duration, snake, was
from kernel.errors import InvalidInput, Problem, Problems
from kernel.fitting.drift import DRIFTS
from kernel.instruments import Linear
from kernel.markets import Market
from kernel.markets.choice import check_model
from kernel.prices.history import History
from kernel.simulation.check import check_metric, check_simulation
from kernel.simulation.provenance import stamped
from kernel.simulation.settings import Settings

_WHOLE = 0.05  # of a row, by which a horizon may miss whole rows
_FEWEST_ROWS, _FEWEST_LOSSES = 30, 1  # of a window; beyond the Value at Risk of a forecast
_MOST_ROWS = 10**7
_KEYS = 2**64
_FALLS = {"down 5%": 0.95, "down 10%": 0.9}


class Plan(NamedTuple):
    """A checked backtest."""

    history: History
    schedule: Schedule
    account: Account
    ladder: Ladder
    rows: int  # of the horizon
    openings: NDArray[np.int64]  # [forecast]
    settings: Settings  # of every forecast's simulation, but for its seed and monitoring
    judged: Judged
    notes: tuple[str, ...]

    def settings_of(self, forecast: int) -> Settings:
        """Return those of a forecast's simulation, on one thread: its noise is of a seed of its own."""
        seed = (self.settings.seed + forecast) % _KEYS
        return replace(self.settings, seed=seed, monitoring=self.judged.monitoring(forecast), threads=1, progress=None)


def new_plan(
    history: History,
    market: Any,
    drift: str,
    fit_options: dict[str, Any],
    account: Account | None,
    ladder: Ladder | None,
    horizon: float | str | None,
    spans: dict[str, Any],
    settings: dict[str, Any],
) -> Plan:
    """Check a backtest; arguments are those of `kernel.backtest`, by kind.

    Raises:
        InvalidInput: with every problem found.
    """
    problems = Problems()
    _check_market(problems, market, fit_options, history)
    _check_drift(problems, drift, market)
    if settings["breaches"] is not None:
        checks.choice(problems, "breaches", settings["breaches"], BREACHES)
    spans = {name: checks.whole(problems, name, value, 1, _MOST_ROWS) for name, value in spans.items()}
    rows = _rows(problems, horizon, history.dt)
    account = _wealth(history) if account is None else account
    ladder = Ladder(_FALLS, metric="equity_fraction") if ladder is None else ladder
    grid = {"horizon": rows * history.dt, "steps": rows, "monitoring": "discrete", "record": "paths"}
    clean = check_simulation(problems, {**settings, **grid}, account=account, ladder=ladder)
    _check_held(problems, account, ladder, history)
    _check_paths(problems, clean)
    if not isinstance(market, Market) and 0 < spans["window"] < _FEWEST_ROWS:
        problems.add("window", f"must be at least {_FEWEST_ROWS} rows to fit a market to, not {spans['window']}")
    openings = np.arange(spans["window"], len(history.prices) - rows, rows)
    if not openings.size and not problems.found:
        most, what = len(history.prices) - rows - 1, f"{len(history.prices):,} rows of prices"
        message = f"must leave a horizon of {counted(rows, 'row')} of the {what}: at most {most:,}"
        problems.add("window", f"{message}, not {spans['window']:,}")
    problems.raise_any()
    _check_opening(problems, account, ladder, history)
    problems.raise_any()
    clean = replace(clean, levels=tuple(sorted(set(clean.levels))))
    usable = _without_gaps(history, openings, rows)
    openings = openings[usable]
    by = _judged(judged(history, openings, rows, account, ladder), market, settings["breaches"])
    notes = _left_out(int(np.count_nonzero(~usable)))
    return Plan(
        history, Schedule(market, fit_options, **spans, drift=drift), account, ladder, rows, openings, clean, by, notes
    )


def _judged(judgement: Judged, market: Any, asked: str | None) -> Judged:
    """Return what judges breaches, of what the history's bars can, as asked or as the market can be predicted.

    Raises:
        InvalidInput: if bars are asked for that cannot judge.
    """
    closes = np.zeros(judgement.by_bars.size, dtype=bool)
    unknown = not isinstance(market, str) and getattr(market, "between_steps", "unknown") == "unknown"
    if unknown and judgement.by_bars.any():
        name = getattr(market, "__name__", type(market).__name__)
        judgement = Judged(closes, f"{name} does not say what its prices do between its steps (Market.between_steps)")
    if asked == "bars" and judgement.breaches != asked:
        raise InvalidInput([Problem("breaches", f"must be closes: {judgement.reason}")])
    return Judged(closes, "as asked") if asked == "closes" else judgement


def _check_held(problems: Problems, account: Account, ladder: Ladder, history: History) -> None:
    """Note an account on other assets than the history's, and one of which the metric is no number."""
    if isinstance(account, Account):
        account.check_assets(problems, history.assets)
        if isinstance(ladder, Ladder) and not problems.found:
            check_metric(problems, open_account(account, history.assets, history.last), ladder)


def _check_paths(problems: Problems, settings: Settings) -> None:
    """Note paths that say nothing of the highest level: not one loss is beyond it."""
    if problems.found:
        return
    highest = max(settings.levels)
    fewest = math.ceil(_FEWEST_LOSSES / (1 - highest) - 1e-9)
    if settings.paths < fewest:
        problems.add("paths", f"must be at least {fewest:,} for a level of {highest:g}")


def _check_opening(problems: Problems, account: Account, ladder: Ladder, history: History) -> None:
    """Note an account that has nothing to lose, or whose every tier is breached before anything happens."""
    opening = open_account(account, history.assets, history.last)
    if opening.equity <= 0:
        message = f"opens with an equity of {opening.equity:,.6g} at the last prices: state it for those"
        problems.add("account", message)
    elif all(tier.gap(np.ones(len(history.assets))) <= 0 for tier in opening.conditions(ladder)):
        problems.add("account", "opens with every tier of the ladder breached at the last prices: state it for those")


def _check_market(problems: Problems, market: Any, fit_options: dict[str, Any], history: History) -> None:
    if isinstance(market, Market):
        if tuple(market.assets) != history.assets:
            names = ", ".join(market.assets)
            problems.add("market.assets", f"must be the history's ({', '.join(history.assets)}), not {names}")
        for name in fit_options:
            problems.add(name, "is an option of a fit: a market that is stated takes none")
    elif isinstance(market, str) or hasattr(market, "fit"):
        check_model(problems, market, fit_options)
    else:
        problems.add("market", f"must be a name, a class of market with a fit, or a market, not {brief(market)}")


def _check_drift(problems: Problems, drift: object, market: Any) -> None:
    if checks.choice(problems, "drift", drift, DRIFTS) != DRIFTS[0] and isinstance(market, Market):
        problems.add("drift", "is an option of a fit: a market that is stated keeps its own")


def _rows(problems: Problems, horizon: float | str | None, dt: float) -> int:
    """Return the whole rows of a horizon."""
    if horizon is None:
        return 1
    horizon = checks.years(problems, "horizon", horizon, above=0, at_most=1_000)
    if not horizon > 0:
        return 1
    rows = max(1, round(horizon / dt))
    if abs(horizon / dt - rows) > _WHOLE:
        near = max(1, int(horizon / dt))
        such = " or ".join(f"{duration(k * dt)} ({counted(k, 'row')})" for k in (near, near + 1))
        problems.add(
            "horizon",
            f"must be whole rows of the history, {duration(dt)} each: such as {such}, not {duration(horizon)}",
        )
    return rows


def _wealth(history: History) -> Account:
    """Return one unit of wealth, in equal parts in the assets; its rate is never looked at."""
    share = 1 / len(history.assets)
    positions = [Linear(name, share / price) for name, price in zip(history.assets, history.last, strict=True)]
    return Account(cash=0.0, positions=positions, maintenance_rate=1.0)


def _without_gaps(history: History, openings: NDArray[np.int64], rows: int) -> NDArray[np.bool_]:
    """Return which forecasts have no gap in their horizon.

    Raises:
        InvalidInput: if none has.
    """
    if history.gaps is None:
        return np.ones(openings.size, dtype=bool)
    before = np.concatenate([[0], np.cumsum(history.gaps)])
    usable: NDArray[np.bool_] = before[openings + rows] == before[openings]
    if not usable.any():
        raise InvalidInput([Problem("prices", "must have a horizon without a gap: every one has some")])
    return usable


def _left_out(count: int) -> tuple[str, ...]:
    return (f"{counted(count, 'forecast')} over gaps of the history {was(count)} left out",) if count else ()


def provenance(plan: Plan) -> dict[str, Any]:
    """Return what it takes to run a backtest again; the hash covers what determines its numbers."""
    schedule, market = plan.schedule, plan.schedule.market
    named = market.parameters() if isinstance(market, Market) else market
    inputs = {
        "market": named if isinstance(named, str | dict) else snake(named.__name__),
        "fit": {} if isinstance(market, Market) else {"drift": schedule.drift, **schedule.fit_options},
        "account": plan.account.parameters(),
        "ladder": plan.ladder.parameters(),
        "backtest": {
            **{name: getattr(schedule, name) for name in ("window", "refit", "rechoose")},
            **{name: getattr(plan.settings, name) for name in ("horizon", "paths", "seed")},
            "levels": list(plan.settings.levels),
            "breaches": plan.judged.breaches,
        },
        "history": {"rows": len(plan.history.prices), "dt": plan.history.dt, "blake2b": _digest(plan)},
    }
    return {**stamped(inputs), "breaches_reason": plan.judged.reason}


def _digest(plan: Plan) -> str:
    """Return the hash of the prices, and of lows and highs where they judge."""
    history, digest = plan.history, hashlib.blake2b(plan.history.prices.tobytes(), digest_size=16)
    if plan.judged.breaches == "bars":
        for extremes in (history.lows, history.highs):
            digest.update(b"" if extremes is None else extremes.tobytes())
    return digest.hexdigest()

"""What a simulation is asked for, checked: everything wrong with it at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from kernel import checks
from kernel.accounts import Account
from kernel.accounts.books.choose import check_watchable
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import ROUNDING, Opening, open_account
from kernel.checks.text import brief, duration
from kernel.errors import Problems
from kernel.escalation import Escalation
from kernel.escalation.building import check_account
from kernel.markets import Market
from kernel.markets.diffusion import Diffusion
from kernel.simulation.precision import Grid, check_precision
from kernel.simulation.sampling import check_sampling
from kernel.simulation.settings import DECLARED, REQUIRED, Setting, Settings, least_record
from kernel.simulation.watched import watched_on

MOST_LEVELS = 1_000  # of losses, and times of the worst metric
_LONGEST = 1_000  # years
_ON_GRID = 1e-6  # of a step: how far from its end a time may be
_MOST_JUMPS = 100_000  # expected on one path: they are walked one by one
_PARTS: Final = {"market": Market, "account": Account, "ladder": Ladder}


def check_simulation(problems: Problems, stated: Mapping[str, Any], **parts: Any) -> Settings:
    """Note everything wrong with a simulation; return its settings, numbers as numbers.

    Args:
        problems: takes what is wrong, by the names of `simulate`.
        stated: the settings, as they are stated; what is left out has its default.
        parts: `market`, `account` and `ladder`; those that are not there yet are left out.
    """
    before = len(problems.found)
    for name, value in parts.items():
        if not isinstance(value, _PARTS[name]):
            problems.add(name, f"must be a kernel.{_PARTS[name].__name__}, not {type(value).__name__}")
    settings = check_settings(problems, stated)
    market, account, ladder = (
        parts[name] if isinstance(parts.get(name), kind) else None for name, kind in _PARTS.items()
    )
    if settings.importance is not None:
        _check_importance(problems, market, ladder, settings)
    if market is not None and account is not None:
        account.check_assets(problems, market.assets)
        _check_market(problems, market, settings, before)
        if len(problems.found) == before:
            _check_account(problems, market, account, ladder, settings)
    return settings


def check_escalation(
    problems: Problems, escalation: Any, market: Any, account: Any, ladder: Any, settings: Settings
) -> None:
    """Note what is wrong with actions, and with simulating them.

    Args:
        problems: noted so far: what is wrong with the other parts is not looked at again.
        escalation: as it is stated.
        market: as it is stated, as are account and ladder.
        account: see there.
        ladder: see there.
        settings: checked.
    """
    if not isinstance(escalation, Escalation):
        problems.add("escalation", f"must be a kernel.Escalation, not {type(escalation).__name__}")
        return
    for name, stands in (("importance", settings.importance is not None), ("worst", bool(settings.worst))):
        if stands:
            problems.add(name, "is not for a simulation with an escalation")
    if settings.record == "summary":
        problems.add("record", "must be 'paths' with an escalation")
    if problems.found or not isinstance(ladder, Ladder):
        return
    opening = open_account(account, market.assets, np.asarray(market.spot))
    check_account(problems, opening, ladder)
    if not problems.found:
        moments = market.log_moments(settings.horizon)
        deviation = None if moments is None else float(moments[1][0])
        gross = float(np.abs(opening.value).sum())
        unit = opening.equity if ladder.metric == "equity_fraction" else opening.required
        escalation.check(problems, ladder, settings.horizon, deviation, unit / gross)


def check_settings(problems: Problems, stated: Mapping[str, Any]) -> Settings:
    """Note everything wrong with settings by themselves; return them as numbers.

    Args:
        problems: takes what is wrong.
        stated: by the names of `simulate`; what is left out has its default.
    """
    given = {
        name: stated[name] if setting.default is REQUIRED else setting.default for name, setting in DECLARED.items()
    }
    given |= {"record": least_record(stated), **{name: stated[name] for name in given if name in stated}}
    checked = {name: _CHECKS[setting.kind](problems, setting, given[name]) for name, setting in DECLARED.items()}
    checked["worst"] = _check_times(problems, given["worst"], checked["horizon"], checked["steps"])
    if given["importance"] is not None and isinstance(given["record"], str) and given["record"] == "summary":
        problems.add("record", "must be 'paths' with importance: few paths will do")
    return Settings(**checked)


def _fields(problems: Problems, before: int) -> set[str]:
    """Return the fields of the problems that were found after the first so many."""
    return {field for field, _ in problems.found[before:]}


def _check_duration(problems: Problems, setting: Setting, value: Any) -> float:
    return checks.years(problems, setting.name, value, above=0, at_most=_LONGEST)


def _check_number(problems: Problems, setting: Setting, value: Any) -> int | None:
    if value is None and setting.default is None:
        return None
    return checks.whole(problems, setting.name, value, *setting.bounds)


def _check_word(problems: Problems, setting: Setting, value: Any) -> str:
    return checks.choice(problems, setting.name, value, setting.choices)


def _check_target(problems: Problems, setting: Setting, value: Any) -> str | float | None:
    if value is None or isinstance(value, str):
        return value
    return checks.number(problems, setting.name, value, above=0, below=1)


def _check_levels(problems: Problems, setting: Setting, value: Any) -> tuple[float, ...]:
    before, listed = len(problems.found), checks.listed(problems, setting.name, value, MOST_LEVELS)
    if not listed and len(problems.found) == before:
        problems.add(setting.name, "must be at least one level, such as 0.99")
    return tuple(checks.number(problems, setting.name, level, above=0, below=1) for level in listed)


def _check_executor(problems: Problems, setting: Setting, value: Any) -> Any:
    if value is not None and (isinstance(value, type) or not hasattr(value, "submit")):
        problems.add(setting.name, f"must be a concurrent.futures.Executor, not {brief(value)}")
    return value


def _check_progress(problems: Problems, setting: Setting, value: Any) -> Any:
    if value is not None and not callable(value):
        problems.add(setting.name, f"must be called with paths done and paths in all, not {brief(value)}")
    return value


def _check_times(problems: Problems, worst: Any, horizon: float, steps: int) -> tuple[float, ...]:
    """Return the times, each the end of a step, by which the worst metric is kept."""
    if isinstance(worst, bool | np.bool_):
        return (horizon,) if worst else ()
    if not horizon > 0:
        return ()
    before = len(problems.found)
    listed = checks.listed(problems, "worst", worst, MOST_LEVELS)
    times = [checks.years(problems, "worst", time, above=0, at_most=horizon) for time in listed]
    if len(problems.found) > before:
        return ()
    ends = np.array(times) / horizon * steps
    whole = np.rint(ends)
    if not np.allclose(ends, whole, rtol=0, atol=_ON_GRID) or (whole < 1).any():
        grid = f"{steps} steps of {duration(horizon / steps)}" if steps > 1 else "one step"
        problems.add("worst", f"must be times at the end of a step, of which the horizon has {grid}: use more")
    if (np.diff(whole) <= 0).any():
        problems.add("worst", "must be rising times")
    return tuple(times)


_CHECKS: Final[Mapping[str, Callable[[Problems, Setting, Any], Any]]] = {
    "duration": _check_duration,
    "number": _check_number,
    "word": _check_word,
    "target": _check_target,
    "times": lambda _, __, value: value,  # which are checked against the grid that the others make
    "levels": _check_levels,
    "executor": _check_executor,
    "progress": _check_progress,
}


def _check_importance(problems: Problems, market: Market | None, ladder: Ladder | None, settings: Settings) -> None:
    target = settings.importance
    if isinstance(target, str) and ladder is not None and target not in ladder.names:
        problems.add("importance", f"must be one of {', '.join(ladder.names)} or a level, not {brief(target)}")
    if market is not None and getattr(type(market), "step", None) is not Diffusion.step:
        problems.add("importance", f"is for Gbm, Merton and Kou, not {type(market).__name__}: leave it out")


def _check_market(problems: Problems, market: Market, settings: Settings, before: int) -> None:
    """Note what a market cannot be asked for; the simulation's problems are those after the first `before`."""
    if not {"horizon", "steps"} & _fields(problems, before):
        market.check_grid(problems, settings.horizon, settings.steps)
    jumps = expected_jumps(market, settings.horizon)
    if jumps > _MOST_JUMPS:
        problems.add("market.jump_intensity", f"must leave at most {_MOST_JUMPS:,} jumps a path, not {jumps:g}")
    if settings.monitoring == "continuous" and market.between_steps == "unknown":
        what = f"{type(market).__name__}, which does not say what its prices do between its steps"
        problems.add("monitoring", f"must be 'discrete' on a {what} (Market.between_steps)")
    wrong = _fields(problems, before)
    if settings.sampling != "plain" and "sampling" not in wrong and market.loading() is None:
        message = f"must be 'plain' on a {type(market).__name__}: residuals of its history move it, not normals"
        problems.add("sampling", message)
    elif not {"sampling", "record", "paths", "steps"} & wrong:
        dimensions = settings.steps * len(market.assets)
        check_sampling(problems, settings.sampling, settings.record, settings.paths, dimensions)


def _check_account(
    problems: Problems, market: Market, account: Account, ladder: Ladder | None, settings: Settings
) -> None:
    """Note what parts that are right by themselves make of each other."""
    before = len(problems.found)
    if ladder is None:
        opening = open_account(account, market.assets, np.asarray(market.spot))
    else:
        watched = watched_on(market, account, ladder, settings.horizon, keeps_worst=len(settings.worst) > 0)
        opening = watched.opening
        check_metric(problems, opening, ladder)
        if len(problems.found) == before:
            check_watchable(problems, watched)
    if len(problems.found) == before:
        grid = Grid(settings.horizon, settings.steps, expected_jumps(market, settings.horizon))
        check_precision(problems, market, opening, ladder, grid, settings.precision)


def check_metric(problems: Problems, opening: Opening, ladder: Ladder) -> None:
    """Note a ladder whose metric is no number at the opening prices."""
    sums = abs(opening.fixed) + float(np.abs(opening.value).sum())
    if ladder.metric == "equity_fraction" and opening.margin <= ROUNDING * sums:
        problems.add("ladder.metric", f"equity_fraction needs an opening equity above 0, not {opening.margin:g}")


def expected_jumps(market: Market, horizon: float) -> float:
    """Return the expected jumps on a path."""
    return float(getattr(market, "jump_intensity", 0.0) * horizon)

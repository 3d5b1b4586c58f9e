"""What a simulation is asked for, checked: everything wrong with it at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel import checks
from kernel._core.noise import MAX_PATHS, MAX_STEPS
from kernel.accounts import Account
from kernel.accounts.books.choose import check_watchable
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import ROUNDING, Opening, open_account, opening_notes
from kernel.checks.text import brief, duration, snake
from kernel.errors import Problems
from kernel.markets import Market
from kernel.markets.diffusion import Diffusion
from kernel.simulation.declared import SETTINGS
from kernel.simulation.precision import Grid, check_precision
from kernel.simulation.sampling import check_sampling
from kernel.simulation.watched import watched_on

_COARSE = 0.1  # standard deviation of a step's log price
MOST_LEVELS = 1_000  # of losses, and times of the worst metric
_MOST_JUMPS = 100_000  # expected on one path: they are walked one by one


def check(
    market: Market, account: Account, ladder: Ladder, settings: dict[str, Any]
) -> tuple[Problems, dict[str, Any]]:
    """Note everything wrong with a simulation; return its numbers as numbers."""
    problems, clean = Problems(), dict(settings)
    parts = (("market", market, Market), ("account", account, Account), ("ladder", ladder, Ladder))
    for field, value, kind in parts:
        if not isinstance(value, kind):
            problems.add(field, f"must be a kernel.{kind.__name__}, not {type(value).__name__}")
    clean["horizon"] = checks.years(problems, "horizon", settings["horizon"], above=0, at_most=1_000)
    clean["steps"] = checks.whole(problems, "steps", settings["steps"], 1, MAX_STEPS)
    clean["paths"] = checks.whole(problems, "paths", settings["paths"], 1, MAX_PATHS)
    clean["seed"] = checks.whole(problems, "seed", settings["seed"], 0, 2**64 - 1)
    if settings["threads"] is not None:
        clean["threads"] = checks.whole(problems, "threads", settings["threads"], 1, 4096)
    _check_importance(problems, market, ladder, settings)
    _check_callables(problems, settings.get("executor"), settings.get("progress"))
    clean["sampling"] = settings.get("sampling", "plain")
    _check_choices(problems, clean)
    clean["levels"] = _levels(problems, settings["levels"])
    clean["worst"] = _worst_steps(problems, settings.get("worst", False), clean["horizon"], clean["steps"])
    if isinstance(market, Market) and isinstance(account, Account):
        account.check_assets(problems, market.assets)
        _check_walk(problems, market, clean["horizon"], clean["steps"])
        if clean["monitoring"] == "continuous" and market.between_steps == "unknown":
            what = f"{type(market).__name__}, which does not say what its prices do between its steps"
            problems.add("monitoring", f"must be 'discrete' on a {what} (Market.between_steps)")
        _check_sampling(problems, market, clean)
        if not problems.found:
            _check_numbers(problems, market, account, ladder, clean)
    return problems, clean


def _check_numbers(problems: Problems, market: Market, account: Account, ladder: Ladder, clean: dict[str, Any]) -> None:
    """Note what parts that are right by themselves make of each other."""
    watched = watched_on(market, account, ladder, clean["horizon"], keeps_worst=clean["worst"].size > 0)
    opening = watched.opening
    if ladder.metric == "equity_fraction":
        sums = abs(opening.fixed) + float(np.abs(opening.value).sum())
        if opening.margin <= ROUNDING * sums:
            problems.add("ladder.metric", f"equity_fraction needs an opening equity above 0, not {opening.margin:g}")
            return
    check_watchable(problems, watched)
    if problems.found:
        return
    grid = Grid(clean["horizon"], clean["steps"], expected_jumps(market, clean["horizon"]))
    check_precision(problems, market, watched, grid, clean["precision"])


def _check_choices(problems: Problems, settings: dict[str, Any]) -> None:
    for one in SETTINGS:
        if one.choices:
            settings[one.name] = checks.choice(problems, one.name, settings[one.name], one.choices)


def _levels(problems: Problems, levels: Any) -> NDArray[np.float64]:
    noted, found = len(problems.found), checks.listed(problems, "levels", levels, MOST_LEVELS)
    if not found and len(problems.found) == noted:
        problems.add("levels", "must be at least one level, such as 0.99")
    return np.array([checks.number(problems, "levels", level, above=0, below=1) for level in found])


def _check_callables(problems: Problems, executor: object, progress: object) -> None:
    if executor is not None and (isinstance(executor, type) or not hasattr(executor, "submit")):
        problems.add("executor", f"must be a concurrent.futures.Executor, not {brief(executor)}")
    if progress is not None and not callable(progress):
        problems.add("progress", f"must be called with paths done and paths in all, not {brief(progress)}")


def _check_walk(problems: Problems, market: Market, horizon: float, steps: int) -> None:
    if not {"horizon", "steps"} & {field for field, _ in problems.found}:
        market.check_grid(problems, horizon, steps)
    jumps = expected_jumps(market, horizon)
    if jumps > _MOST_JUMPS:
        problems.add("market.jump_intensity", f"must leave at most {_MOST_JUMPS:,} jumps a path, not {jumps:g}")


def _check_sampling(problems: Problems, market: Market, clean: dict[str, Any]) -> None:
    wrong, sampling = {field for field, _ in problems.found}, clean["sampling"]
    if sampling != "plain" and "sampling" not in wrong and market.loading() is None:
        message = f"must be 'plain' on a {type(market).__name__}: residuals of its history move it, not normals"
        problems.add("sampling", message)
    elif not {"sampling", "record", "paths", "steps"} & wrong:
        check_sampling(problems, sampling, clean["record"], clean["paths"], clean["steps"] * len(market.assets))


def _check_importance(problems: Problems, market: Market, ladder: Ladder, settings: dict[str, Any]) -> None:
    target = settings.get("importance")
    if target is None:
        return
    if isinstance(target, str):
        if isinstance(ladder, Ladder) and target not in ladder.names:
            problems.add("importance", f"must be one of {', '.join(ladder.names)} or a level, not {brief(target)}")
    else:
        checks.number(problems, "importance", target, above=0, below=1)
    if isinstance(market, Market) and getattr(type(market), "step", None) is not Diffusion.step:
        problems.add("importance", f"is for Gbm, Merton and Kou, not {type(market).__name__}: leave it out")
    if isinstance(settings["record"], str) and settings["record"] == "summary":
        problems.add("record", "must be 'paths' with importance: few paths will do")


def _worst_steps(problems: Problems, worst: bool | ArrayLike, horizon: float, steps: int) -> NDArray[np.int64]:
    """Return the steps after which the worst metric is kept."""
    if isinstance(worst, bool | np.bool_):
        return np.array([steps] if worst else [], dtype=np.int64)
    if not horizon > 0:
        return np.array([], dtype=np.int64)
    noted = len(problems.found)
    listed = checks.listed(problems, "worst", worst, MOST_LEVELS)
    times = np.array([checks.years(problems, "worst", one, above=0, at_most=horizon) for one in listed])
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


def expected_jumps(market: Market, horizon: float) -> float:
    """Return the expected jumps on a path."""
    return float(getattr(market, "jump_intensity", 0.0) * horizon)


def notes_on(market: Market, account: Account, ladder: Ladder, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Say what is to be known of a simulation before it runs.

    Args:
        market: of the simulation.
        account: on its assets.
        ladder: of tiers.
        settings: with `horizon`, `steps` and `monitoring`, as they were checked.
    """
    opening = open_account(account, market.assets, np.asarray(market.spot))
    notes = (*opening_notes(opening, ladder), *_independent(market), *market.notes(settings["horizon"]))
    if settings["monitoring"] == "discrete":
        return notes
    if market.between_steps == "approximate":
        name = snake(type(market).__name__)
        notes += (f"what {name} does between its steps is approximated, by Brownian bridges of the steps' variances",)
    return (*notes, *_bridged_coarsely(market, opening, settings["horizon"] / settings["steps"]))


def _independent(market: Market) -> tuple[str, ...]:
    correlation = getattr(market, "correlation", None)
    if correlation is None or len(market.assets) == 1 or (np.asarray(correlation) != np.eye(len(market.assets))).any():
        return ()
    return (f"the diffusions of {', '.join(market.assets)} are independent: their correlation is 0",)


def _bridged_coarsely(market: Market, opening: Opening, span: float) -> tuple[str, ...]:
    """Say so where the bridge of several assets is coarse (`docs/accuracy.md`)."""
    moments, held = market.log_moments(span), (opening.value != 0) | (opening.requirement != 0)
    if moments is None or np.count_nonzero(held) <= 1 or moments[1][held].max() <= _COARSE:
        return ()
    far = f"log prices move by {moments[1][held].max():.2g} in a step, and beyond {_COARSE:g} its bias shows"
    return (f"the distance of a tier is bridged approximately on several assets: {far}; use more steps",)

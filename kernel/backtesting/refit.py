"""The market of each forecast: fitted to the window before it, or brought up to date since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.checks.text import snake
from kernel.errors import InvalidInput, Problem
from kernel.fitting import Fit
from kernel.fitting.drift import drift_of
from kernel.markets import FITTED, Market
from kernel.markets.choice import choose
from kernel.prices.history import History


class Schedule(NamedTuple):
    """What is fitted, to how much, and how often; in rows."""

    market: Any
    """A name of `FITTED`, "auto", a class with a fit, or a market that is taken as it stands."""
    fit_options: Mapping[str, Any]
    """Options of the fit."""
    window: int
    refit: int
    rechoose: int
    drift: str = "zero"
    """Of fitted markets: one of `kernel.fitting.drift.DRIFTS`."""


class Refit(NamedTuple):
    """A market that was fitted, or stated once for all."""

    row: int
    """Of the history, the last of its window."""
    market: str
    """Its name."""
    notes: tuple[str, ...]


class Opening(NamedTuple):
    """A forecast to be made."""

    row: int
    market: Market


def markets(
    history: History, openings: Sequence[int], schedule: Schedule, refits: list[Refit]
) -> Iterator[Iterator[Opening]]:
    """Yield, for each fit, the openings that it serves; the market opens at the last prices, as the account does.

    Between refits the parameters stand, and a volatility that moves is brought up to date with the returns that came
    since, those over gaps left out.

    Args:
        history: prices.
        openings: rows, rising.
        schedule: see there.
        refits: takes what was fitted.

    Raises:
        InvalidInput: for a window that cannot be fitted, naming it.
    """
    last = history.last
    if isinstance(schedule.market, Market):
        stated = replace(schedule.market, spot=last)
        refits.append(Refit(openings[0], snake(type(stated).__name__), ()))
        yield (Opening(row, stated) for row in openings)
        return
    returns, usable = np.diff(np.log(history.prices), axis=0), _usable(history)
    chosen, name = openings[0], ""
    for block in _blocks(openings, schedule.refit):
        row = block[0]
        again = not name or row - chosen >= schedule.rechoose
        chosen = row if again else chosen
        fit, name = _fit(history, row, schedule, "" if again else name)
        refits.append(Refit(row, name, fit.notes))
        opened = {"spot": last, "drift": drift_of(fit).chosen(schedule.drift)}
        since = [(later, returns[row:later][usable[row:later]]) for later in block]
        yield (Opening(later, replace(fit.after(moves), **opened)) for later, moves in since)


def _blocks(openings: Sequence[int], refit: int) -> Iterator[list[int]]:
    """Yield the openings that one fit serves.

    Example:
        >>> list(_blocks([10, 12, 14, 16, 18], 4))
        [[10, 12], [14, 16], [18]]
    """
    block: list[int] = []
    for row in openings:
        if block and row - block[0] >= refit:
            yield block
            block = []
        block.append(row)
    yield block


def _usable(history: History) -> NDArray[np.bool_]:
    """Return which steps have a return, [time - 1]."""
    return np.ones(len(history.prices) - 1, dtype=bool) if history.gaps is None else ~history.gaps


def window_of(history: History, first: int, last: int) -> History:
    """Return the rows from `first` to `last`, both included.

    Example:
        >>> window_of(History(assets=("A",), prices=[1.0, 2.0, 3.0, 4.0], dt=0.1), 1, 3).prices[:, 0].tolist()
        [2.0, 3.0, 4.0]
    """
    return replace(
        history,
        prices=history.prices[first : last + 1],
        times=None if history.times is None else history.times[first : last + 1],
        gaps=None if history.gaps is None else history.gaps[first:last],
        lows=None if history.lows is None else history.lows[first : last + 1],
        highs=None if history.highs is None else history.highs[first : last + 1],
        notes=(),
    )


def _fit(history: History, row: int, schedule: Schedule, chosen: str) -> tuple[Fit[Any], str]:
    """Fit the market to the window that ends at a row; `chosen`: the last choice, while it holds, or ""."""
    first, kind = row - schedule.window, schedule.market
    try:
        window = window_of(history, first, row)
        if kind == "auto" and not chosen:
            choice = choose(window)
            return choice.fit, choice.model
        if isinstance(kind, str):
            name = chosen if kind == "auto" else kind
            return FITTED[name].fit(window, **schedule.fit_options), name
        return kind.fit(window, **schedule.fit_options), snake(kind.__name__)
    except InvalidInput as invalid:
        where = f" (in the window of rows {first} to {row}, counted from 0)"
        raise InvalidInput([Problem(field, message + where) for field, message in invalid.problems]) from None

"""Rules and books defined outside the package, as escalation and other accounts define theirs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel._core.covariance import volatility
from kernel._core.fields import ACCOUNT, NEXT_TIMER, Field, Fields
from kernel._core.jit import implements
from kernel._core.operations import (
    act,
    add_loss,
    at,
    distances,
    expire,
    level_of,
    mark,
    open_state,
    read,
)


class Idle(NamedTuple):
    """Rules that do nothing."""


class Counting(NamedTuple):
    """An action that counts."""

    breaches: NDArray[np.int64]  # [tier, path]


@implements(act, Counting)
def _count(rules: Any, book: Any, lanes: Any, assets: Any, n: int) -> None:
    for j in range(n):
        rules.breaches[lanes.tier[j] - 1, np.int64(lanes.path[j])] += 1


class TopUp(NamedTuple):
    """An action that pays in at the breach of a tier, and leaves the positions alone."""

    tier: int
    amount: float
    cash: float
    base: float

    @staticmethod
    def lane_fields() -> Fields:
        """Declare the account of a lane."""
        return Fields(lane=ACCOUNT)


@implements(open_state, TopUp)
def _open_account(rules: Any, lanes: Any, assets: Any, n: int) -> None:
    for i in range(n):
        lanes.cash[i], lanes.base[i] = rules.cash, rules.base


@implements(act, TopUp)
def _pay_in(rules: Any, book: Any, lanes: Any, assets: Any, n: int) -> None:
    for j in range(n):
        if lanes.tier[j] == rules.tier + 1:
            lanes.cash[j] += rules.amount


class Ticking(NamedTuple):
    """Timers at the same times on each path, at which the log prices are noted."""

    years: NDArray[np.float64]  # [timer], rising; the last is infinite
    seen: NDArray[np.float64]  # [timer, asset, path]

    @staticmethod
    def lane_fields() -> Fields:
        """Declare the next timer, and how many have been."""
        return Fields(lane=(NEXT_TIMER, Field("ticks", "state", np.int64)))


@implements(open_state, Ticking)
def _set_first_timer(rules: Any, lanes: Any, assets: Any, n: int) -> None:
    for i in range(n):
        lanes.ticks[i], lanes.next_timer[i] = 0, rules.years[0]


@implements(expire, Ticking)
def _note(rules: Any, book: Any, lanes: Any, assets: Any, n: int) -> None:
    for j in range(n):
        for a in range(assets.size):
            rules.seen[lanes.ticks[j], a, np.int64(lanes.path[j])] = assets[a].log_spot[j]
        lanes.ticks[j] += 1
        lanes.next_timer[j] = rules.years[lanes.ticks[j]]


class PlainBook(NamedTuple):
    """Barriers on the log price of one asset, below the opening, shifted on each path: the least that a book writes."""

    spot: NDArray[np.float64]
    quantity: float
    level: NDArray[np.floating]
    shift: NDArray[np.floating]  # [path]


@implements(level_of, PlainBook)
def _level_of(book: Any, lanes: Any, i: int, tier: int) -> Any:
    return book.level[tier] + book.shift[np.int64(lanes.path[i])]


@implements(mark, PlainBook)
def _mark(book: Any, assets: Any, n: int) -> None:
    log_spot, before, after = assets[0].log_spot, assets[0].before, assets[0].after
    for i in range(n):
        before[i] = after[i]
        after[i] = log_spot[i]


@implements(distances, PlainBook)
def _distances(book: Any, covariance: Any, lanes: Any, assets: Any, n: int) -> None:
    before, after, level, local = assets[0].before, assets[0].after, lanes.level, volatility(covariance, assets[0])
    for i in range(n):
        deviation = covariance.factor[0, 0] * at(local, i)
        lanes.start_distance[i], lanes.end_distance[i] = before[i] - level[i], after[i] - level[i]
        lanes.variance[i] = deviation * deviation


@implements(read, PlainBook)
def _read(book: Any, lanes: Any, assets: Any, n: int) -> None:
    for i in range(n):
        lanes.reading[i] = assets[0].after[i]


@implements(add_loss, PlainBook)
def _add_loss(book: Any, a: int, lanes: Any, n: int) -> None:
    for i in range(n):
        lanes.loss[i] -= book.quantity * (lanes.relative_price[i] - 1.0)

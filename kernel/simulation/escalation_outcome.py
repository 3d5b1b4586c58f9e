"""The paths of a simulation whose tiers act when they breach."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from kernel.accounts.ladder import Ladder
from kernel.errors import InvalidInput, Problem
from kernel.escalation import Escalation
from kernel.escalation.records import CLOSED, CLOSED_IN_DEBT, ENDS, MOST_EVENTS, NOTICED, STATE
from kernel.simulation.path_outcome import PathOutcome

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
_COUNTS = ("calls_made", "calls_met", "calls_cured", "calls_missed", "calls_cancelled", "calls_open")
_AMOUNTS = ("paid_in", "liquidated_share", "fees", "slippage", "costs", "bad_debt", "shortfall", "closing_equity")


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class EscalationOutcome(PathOutcome):
    """The paths of a simulation with an escalation: what the actions did on each, beside losses and breach times.

    A loss is the opening equity and what was paid in, less the closing equity, before anybody forgives it. Every array
    is [path]; amounts are in currency, times in years.
    """

    states: NDArray[np.void] = field(repr=False)
    """Of the paths on which a tier was breached, in any order; the arrays are made from it."""

    def _dense(self, name: str, untouched: float = 0.0) -> NDArray[Any]:
        """Return what stands in the states for every path."""
        values = np.full(self.paths, untouched, self.states.dtype[name])
        values[self.states["path"]] = self.states[name]
        return values

    @property
    def calls_made(self) -> Counts:
        """Return how many calls were made: as many as were met, cured, missed, cancelled and are open."""
        return self._dense("calls_made")

    @property
    def calls_met(self) -> Counts:
        """Return how many calls the client paid whole."""
        return self._dense("calls_met")

    @property
    def calls_cured(self) -> Counts:
        """Return how many calls the market made unnecessary."""
        return self._dense("calls_cured")

    @property
    def calls_missed(self) -> Counts:
        """Return how many calls were not met by their deadline."""
        return self._dense("calls_missed")

    @property
    def calls_cancelled(self) -> Counts:
        """Return how many calls a deeper action, or the end of the account, cancelled."""
        return self._dense("calls_cancelled")

    @property
    def calls_open(self) -> Counts:
        """Return how many calls are open at the horizon: at most one."""
        open_now = np.zeros(self.paths, np.int64)
        open_now[self.states["path"]] = self.states["call"] >= 0
        return open_now

    @property
    def paid_in(self) -> Floats:
        """Return what the client paid in."""
        return self._dense("paid_in")

    @property
    def liquidated_share(self) -> Floats:
        """Return the share of the opening positions that was sold."""
        return 1.0 - self._dense("left", 1.0)

    @property
    def fees(self) -> Floats:
        """Return the fees of close-outs, and what venues took over with an account."""
        return self._dense("fees")

    @property
    def slippage(self) -> Floats:
        """Return what close-outs lost by slippage and impact."""
        return self._dense("slippage")

    @property
    def costs(self) -> Floats:
        """Return the costs of calls and close-outs."""
        return self._dense("costs")

    @property
    def closing_equity(self) -> Floats:
        """Return the equity at the horizon; below 0 what is owed."""
        equity = self.opening_equity - self.loss.astype(np.float64)
        equity[self.states["path"]] = self.states["closing_equity"]
        return equity

    @property
    def bad_debt(self) -> Floats:
        """Return what accounts that were closed wholly owe."""
        return np.where(self.is_closed, np.maximum(-self.closing_equity, 0.0), 0.0)

    @property
    def shortfall(self) -> Floats:
        """Return what accounts that are not closed owe."""
        return np.where(self.is_closed, 0.0, np.maximum(-self.closing_equity, 0.0))

    @property
    def first_close_out(self) -> Floats:
        """Return when something was first sold, NaN: never."""
        return self._dense("first_close_out", np.nan)

    @property
    def end(self) -> Counts:
        """Return how each path ended: a place in `ends`."""
        return self._dense("end")

    @property
    def end_time(self) -> Floats:
        """Return since when; NaN of what is untouched."""
        return self._dense("end_time", np.nan)

    @property
    def ends(self) -> tuple[str, ...]:
        """Return the names of the ends."""
        return ENDS

    @property
    def is_closed(self) -> NDArray[np.bool_]:
        """Return whether the account was closed wholly."""
        return np.isin(self.end, (CLOSED, CLOSED_IN_DEBT))

    def _further_columns(self) -> dict[str, Any]:
        columns = {name: getattr(self, name) for name in (*_COUNTS, *_AMOUNTS, "first_close_out", "end_time")}
        return {**columns, "end": np.array(ENDS)[self.end]}


def noticed(
    escalation: Escalation, ladder: Ladder, breach_time: NDArray[np.floating], equity: NDArray[np.floating]
) -> NDArray[np.void]:
    """Return the states of paths that notices alone have touched, walked without any rules.

    Args:
        escalation: of notices alone.
        ladder: whose tiers they stand at.
        breach_time: [tier, path] years, NaN: never.
        equity: [path] at the horizon.
    """
    noting = [k for k, tier in enumerate(escalation.on(ladder)) if tier.notice]
    first = np.fmin.reduce(breach_time[noting].astype(np.float64), axis=0)
    paths = np.flatnonzero(~np.isnan(first))
    states = np.zeros(paths.size, STATE)
    states["path"], states["left"], states["call"], states["waiting"] = paths, 1.0, -1, -1
    states["end"], states["end_time"], states["first_close_out"] = NOTICED, first[paths], np.nan
    states["closing_equity"] = equity[paths]
    return states


def require_few_events(states: NDArray[np.void]) -> None:
    """Refuse paths on which more happened than is followed.

    Raises:
        InvalidInput: naming what makes for less.
    """
    if states.size and int(states["events"].max()) >= MOST_EVENTS:
        message = f"must leave at most {MOST_EVENTS:,} events on a path: restore more, or state a longer cooldown"
        raise InvalidInput([Problem("escalation", message)])

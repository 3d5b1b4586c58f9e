"""What the kernels hold of an escalation: the rules, and the state of each path to which something has happened."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel._core.fields import Field, Fields

MOST_EVENTS = 10_000  # instants of a path at which something happens; and so its calls, and MOST_TIERS, fit int16
ENDS = (
    "untouched",
    "noticed",
    "call open",
    "call met",
    "call cured",
    "call missed",
    "close-out pending",
    "reduced",
    "closed",
    "closed in debt",
)
UNTOUCHED, NOTICED, CALL_OPEN, CALL_MET, CALL_CURED, CALL_MISSED = range(6)
CLOSE_OUT_PENDING, REDUCED, CLOSED, CLOSED_IN_DEBT = range(6, 10)

CALL = np.dtype(
    [
        ("exists", np.bool_),
        ("restore", np.float64),
        ("cure_period", np.float64),  # years, as all times
        ("delay", np.float64),
        ("share", np.float64),
        ("capacity", np.float64),  # currency
        ("minimum_transfer", np.float64),
        ("cost", np.float64),
    ],
    align=True,
)
CLOSE_OUT = np.dtype(
    [
        ("exists", np.bool_),
        ("recheck", np.bool_),
        ("to_venue", np.bool_),
        ("restore", np.float64),  # NaN: the share, 1 for all
        ("share", np.float64),
        ("latency", np.float64),
        ("fee", np.float64),  # of the notional sold, as the next two
        ("slippage", np.float64),
        ("cost_share", np.float64),
        ("impact", np.float64),  # times the root of the notional sold: of the notional sold
        ("cost", np.float64),
        ("cooldown", np.float64),
        ("batch", np.float64),  # 0: at any time
        ("minimum", np.float64),
    ],
    align=True,
)
STATE = np.dtype(
    [
        ("path", np.int64),
        ("cash", np.float64),
        ("left", np.float64),  # share of the opening positions
        ("look", np.float64),  # when the ladder is read afresh since a cooldown ends
        ("demand", np.float64),
        ("payment", np.float64),
        ("payment_due", np.float64),
        ("deadline", np.float64),
        ("barrier", np.float64),  # log price, times side, at which the next armed tier breaches
        ("made", np.float64),  # when
        ("fill_due", np.float64),
        ("begun", np.float64),
        ("paid_in", np.float64),
        ("fees", np.float64),
        ("slippage", np.float64),
        ("costs", np.float64),
        ("first_close_out", np.float64),
        ("closing_equity", np.float64),
        ("end_time", np.float64),
        ("tier", np.int16),  # next tier that is armed
        ("events", np.int16),
        ("call", np.int16),  # tier of the open call; -1: none
        ("waiting", np.int16),  # the close-out that is to be filled: 2 tier, + 1 for that of a missed call; -1: none
        ("calls_made", np.int16),
        ("calls_met", np.int16),
        ("calls_cured", np.int16),
        ("calls_missed", np.int16),
        ("calls_cancelled", np.int16),
        ("end", np.int8),
    ],
    align=True,
)


class EscalationRules(NamedTuple):
    """The actions of a ladder's tiers, for a linear account on one asset: fixed + value p, p over the opening price."""

    fixed: float  # equity at price 0, currency
    value: float  # currency per unit of relative price
    requirement: float  # of the metric, per unit of relative price
    base: float  # of which at price 0
    side: float  # +1: tiers breach as the price falls; -1: as it rises
    opens_in_breach: bool
    level: NDArray[np.float64]  # [tier] of the metric, falling
    notice: NDArray[np.bool_]  # [tier]
    calls: NDArray[np.void]  # [tier] CALL
    close_outs: NDArray[np.void]  # [2 tier, and + 1 for that of a missed call] CLOSE_OUT
    meets: NDArray[np.float64]  # [tier, call] probability that a call is answered; the last for all later ones
    row: NDArray[np.int32]  # [path - offset] of the states; -1: nothing has happened
    rows: NDArray[np.int64]  # [1] how many are taken
    state: NDArray[np.void]  # [row] STATE
    ready: NDArray[np.float64]  # [row, close-out] years before which it does not begin again
    offset: int

    @staticmethod
    def lane_fields() -> Fields:
        """Declare when something is due for a lane."""
        return Fields(lane=(Field("due", "account", np.float64),))

    def for_paths(self, first: int, last: int) -> EscalationRules:
        """Return the rules with room for the states of the paths [first, last)."""
        paths = last - first
        return self._replace(
            row=np.full(paths, -1, np.int32),
            rows=np.zeros(1, np.int64),
            state=np.zeros(paths, STATE),
            ready=np.zeros((paths, self.ready.shape[1])),
            offset=first,
        )

    def states(self) -> NDArray[np.void]:
        """Return the states of the paths to which something has happened, in any order."""
        return self.state[: self.rows[0]]

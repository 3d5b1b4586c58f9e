"""The slow, obvious escalation: one path, one asset, a linear account, one event after the other, in plain Python.

It shares no code with the package: of an escalation and a ladder it reads what was stated, and reckons with that. A
path is a deterministic curve, on which breaches are located exactly, or prices on a grid, at whose points alone
anything happens. The client's decisions come in as uniforms, one for each call.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

import kernel

Vector = NDArray[np.float64]

MOST_EVENTS = 10_000
ROUNDING = 1e-10  # of the size of what is compared: a metric this near a level stands at it
NEVER, SPENT = math.inf, math.inf

UNTOUCHED, NOTICED, CALL_OPEN, CALL_MET, CALL_CURED, CALL_MISSED = range(6)
CLOSE_OUT_PENDING, REDUCED, CLOSED, CLOSED_IN_DEBT = range(6, 10)
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


# --- paths


class Path(Protocol):
    """Prices from time 0 to the horizon."""

    horizon: float

    def price(self, time: float) -> float:
        """Return the price, after a jump at that time."""

    def following(self, now: float, until: float, barriers: Sequence[tuple[float, int]]) -> float:
        """Return the first time after `now` at which the price has reached a barrier, or jumped, at most `until`.

        barriers: prices and sides; the price comes from above where the side is 1, from below where it is -1.
        """


class Curve:
    """Pieces of exponential growth or decay, with jumps between them where their ends do not meet."""

    def __init__(self, horizon: float, *pieces: tuple[float, float, float]) -> None:
        """Take pieces (start, price at the start, growth rate); the first starts at 0."""
        self.horizon, self.pieces = horizon, pieces

    def _piece(self, time: float) -> tuple[float, float, float]:
        return [piece for piece in self.pieces if piece[0] <= time][-1]

    def price(self, time: float) -> float:
        """Return the price, after a jump at that time."""
        start, price, rate = self._piece(time)
        return price * math.exp(rate * (time - start))

    def following(self, now: float, until: float, barriers: Sequence[tuple[float, int]]) -> float:
        """Return the first time after `now` at which a barrier is reached or a piece begins, at most `until`."""
        price, rate = self.price(now), self._piece(now)[2]
        times = [until, *(piece[0] for piece in self.pieces if piece[0] > now)]
        for barrier, side in barriers:
            if side * rate < 0 and side * (price - barrier) > 0:
                times.append(now + math.log(barrier / price) / rate)
        return min(times)


class Grid:
    """Prices at rising times, the first of which is 0: nothing happens between them."""

    def __init__(self, times: Vector, prices: Vector) -> None:
        self.times, self.prices, self.horizon = times, prices, float(times[-1])

    def price(self, time: float) -> float:
        """Return the price at a point of the grid."""
        return float(self.prices[np.searchsorted(self.times, time)])

    def following(self, now: float, until: float, barriers: Sequence[tuple[float, int]]) -> float:
        """Return the first point after `now` at or beyond a barrier, or the first one that is not before `until`."""
        first, last = np.searchsorted(self.times, now, "right"), np.searchsorted(self.times, until)
        prices = self.prices[first:last]
        beyond = np.zeros(len(prices), dtype=bool)
        for barrier, side in barriers:
            beyond |= side * (prices - barrier) <= 0
        hits = np.flatnonzero(beyond)
        return float(self.times[first + hits[0]] if len(hits) else self.times[last])


# --- what is held, and what waits


class Account(NamedTuple):
    """A linear position under a flat rate."""

    cash: float  # less what is owed for the position
    quantity: float
    maintenance_rate: float


class OpenCall(NamedTuple):
    """A call that has not ended."""

    tier: int
    demand: float
    amount: float  # that will be paid
    due: float  # the payment
    deadline: float
    made: float


class Waiting(NamedTuple):
    """A close-out that is to be filled."""

    tier: int
    of_missed_call: bool
    begun: float
    due: float

    @property
    def depth(self) -> tuple[int, bool]:
        """Return how deep it is; what a missed call leads to is deeper than its own tier's close-out."""
        return self.tier, self.of_missed_call


class Event(NamedTuple):
    """Something that happened on the path."""

    time: float
    kind: str
    tier: int
    amount: float  # demanded, paid or sold, in currency
    price: float


class Outcome(NamedTuple):
    """What the path came to."""

    calls_made: int
    calls_met: int
    calls_cured: int
    calls_missed: int
    calls_cancelled: int
    calls_open: int
    paid_in: float
    liquidated_share: float
    fees: float
    slippage: float
    costs: float
    bad_debt: float
    shortfall: float
    closing_equity: float
    loss: float
    first_close_out: float
    end: int
    end_time: float
    breach_time: Vector  # [tier], NaN: never
    events: tuple[Event, ...]


class TooManyEventsError(Exception):
    """Raised of a path on which more happens than anybody would want."""


# --- the machine


class Machine:
    """The account and the state of its escalation; `at` is called at every instant at which anything can happen."""

    def __init__(
        self, account: Account, ladder: kernel.Ladder, escalation: kernel.Escalation, uniforms: Sequence[float]
    ) -> None:
        names, stated = list(ladder.tiers), escalation.actions
        self.levels, self.of_equity = [ladder.tiers[name] for name in names], ladder.metric == "equity_fraction"
        self.actions = [list(stated.get(name, ())) for name in names]  # type: ignore[call-overload]
        self.call_of = [self._only(actions, kernel.Call) for actions in self.actions]
        self.close_out_of = [self._only(actions, kernel.CloseOut) for actions in self.actions]
        self.deepest = next((one for one in reversed(self.close_out_of) if one is not None), None)
        self.rate, self.uniforms = account.maintenance_rate, uniforms
        self.cash, self.quantity, self.opening_quantity = account.cash, account.quantity, account.quantity
        self.time, self.price, self.closed = 0.0, math.nan, False
        self.armed = [True] * len(names)
        self.call: OpenCall | None = None
        self.waiting: Waiting | None = None
        self.free: dict[tuple[int, bool], float] = {}  # when an action may begin again, if not now
        self.fresh_looks: list[float] = []  # when cooldowns end
        self.count = dict.fromkeys(("made", "met", "cured", "missed", "cancelled"), 0)
        self.paid_in = self.fees = self.slippage = self.costs = 0.0
        self.first_close_out, self.end, self.end_time = math.nan, UNTOUCHED, math.nan
        self.breach_time = [math.nan] * len(names)
        self.events: list[Event] = []
        self.opening_equity = math.nan

    @staticmethod
    def _only(actions: Sequence[object], kind: type) -> object:
        return next((one for one in actions if isinstance(one, kind)), None)

    # what the account is worth

    def equity(self) -> float:
        """Return cash and the value of what is held."""
        return self.cash + self.quantity * self.price

    def notional(self) -> float:
        """Return the gross value of what is held."""
        return abs(self.quantity) * self.price

    def requirement(self) -> float:
        """Return what the metric is a multiple of: the maintenance margin, or the opening equity."""
        return self.opening_equity if self.of_equity else self.rate * self.notional()

    def excess(self, level: float) -> float:
        """Return by how much the equity is above a level of the metric: 0 where rounding alone tells them apart."""
        excess = self.equity() - level * self.requirement()
        size = abs(self.cash) + self.notional() + abs(level) * abs(self.requirement())
        return 0.0 if abs(excess) <= ROUNDING * size else excess

    # one instant

    def at(self, time: float, price: float) -> None:
        """Let everything happen that happens at an instant: payments, deadlines, fills, new breaches, in this order."""
        if math.isnan(self.price):
            self.price = price
            self.opening_equity = self.equity()
        self.time, self.price = time, price
        while not self.closed:
            is_done = self._pay()
            is_done |= self._end_cure_period()
            is_done |= self._fill()
            is_done |= self._end_cooldown()
            if not self.closed:
                self._look_at_ladder(afresh=is_done)
            if self.next_timer() > time:
                break

    def next_timer(self) -> float:
        """Return when something is due next, whatever the price does."""
        times = [*self.fresh_looks]
        if self.call is not None:
            times += [self.call.due, self.call.deadline]
        if self.waiting is not None:
            times.append(self.waiting.due)
        return math.inf if self.closed else min(times, default=math.inf)

    def _note(self, kind: str, tier: int, amount: float = 0.0) -> None:
        self.events.append(Event(self.time, kind, tier, amount, self.price))
        if len(self.events) > MOST_EVENTS:
            raise TooManyEventsError
        if self.end == UNTOUCHED:
            self.end, self.end_time = NOTICED, self.time

    def _settle(self, end: int) -> None:
        self.end, self.end_time = end, self.time

    # payments, deadlines

    def _pay(self) -> bool:
        """Make a payment that is due; tell whether that ends the call."""
        call = self.call
        if call is None or call.due > self.time:
            return False
        if self.excess(self._call_action(call).restore) >= 0:
            return self._end_call("cured", CALL_CURED)
        self.cash += call.amount
        self.paid_in += call.amount
        self._note("payment", call.tier, call.amount)
        if call.amount < call.demand:  # credited; the deadline decides
            self.call = call._replace(due=NEVER)
            return False
        return self._end_call("met", CALL_MET)

    def _end_cure_period(self) -> bool:
        """Decide about a call whose deadline has come; tell whether that ends it without a close-out."""
        call = self.call
        if call is None or call.deadline > self.time:
            return False
        if self.excess(self.levels[call.tier]) > 0:
            return self._end_call("cured", CALL_CURED)
        self._end_call("missed", CALL_MISSED)
        self._begin_close_out(call.tier, of_missed_call=True)
        return False  # done when the close-out is

    def _end_call(self, how: str, end: int) -> bool:
        assert self.call is not None
        self.count[how] += 1
        self._note(how, self.call.tier, self.call.demand)
        self.call = None
        self._settle(end)
        return True

    def _cancel_call(self) -> None:
        if self.call is not None:
            self.count["cancelled"] += 1
            self._note("cancelled", self.call.tier, self.call.demand)
            self.call = None

    def _call_action(self, call: OpenCall) -> kernel.Call:
        action = self.call_of[call.tier]
        assert isinstance(action, kernel.Call)
        return action

    # fills

    def _action(self, waiting: Waiting) -> kernel.CloseOut:
        action = self.close_out_of[waiting.tier]
        if waiting.of_missed_call:
            call = self.call_of[waiting.tier]
            assert isinstance(call, kernel.Call)
            action = call.unmet if call.unmet is not None else self.deepest
        assert isinstance(action, kernel.CloseOut)
        return action

    def _fill(self) -> bool:
        """Fill a close-out that is due, or drop it; tell whether one was due."""
        waiting = self.waiting
        if waiting is None or waiting.due > self.time:
            return False
        self.waiting, action = None, self._action(waiting)
        has_recovered = action.recheck and self.excess(self.levels[waiting.tier]) > 0
        share = 0.0 if has_recovered else self.share_to_sell(action)
        if share == 0:
            self._note("dropped", waiting.tier)
            return True
        self._sell(action, waiting.tier, share)
        if not waiting.of_missed_call:
            self.free[waiting.tier, False] = self.time + action.cooldown if action.cooldown > 0 else SPENT
            if action.cooldown > 0:
                self.fresh_looks.append(self.time + action.cooldown)
        elif action.cooldown > 0:
            self.free[waiting.tier, True] = self.time + action.cooldown
        return True

    def _sell(self, action: kernel.CloseOut, tier: int, share: float) -> None:
        sold, before = share * self.notional(), self.equity()
        slippage = self._slippage(action, sold)
        left = max(0.0, before - slippage)
        fee = min(action.fee * sold, left)
        cost = min(action.cost + action.cost_share * sold, left - fee)
        self.cash += share * self.quantity * self.price - slippage - fee - cost
        self.quantity = 0.0 if share == 1 else self.quantity * (1 - share)
        self.slippage += slippage
        self.fees += fee
        self.costs += cost
        if math.isnan(self.first_close_out):
            self.first_close_out = self.time
        self._note("close-out", tier, sold)
        self._settle(REDUCED)
        if share == 1:
            self.cash = before - slippage - fee - cost  # the same, without rounding
            self._close(action)

    def _close(self, action: kernel.CloseOut) -> None:
        if action.remainder == "venue" and self.cash > 0:
            self.fees += self.cash
            self.cash = 0.0
        self._cancel_call()
        self._settle(CLOSED_IN_DEBT if self.cash < 0 else CLOSED)
        self.closed = True

    @staticmethod
    def _slippage(action: kernel.CloseOut, sold: float) -> float:
        rate, impact = action.slippage, action.impact
        if impact is not None:
            rate += impact.coefficient * impact.daily_volatility * math.sqrt(sold / impact.daily_volume)
        return rate * sold

    def share_to_sell(self, action: kernel.CloseOut) -> float:
        """Return the share that is sold at the prices of now."""
        share = 1.0 if action.share is None else action.share
        if action.restore is not None:
            if self.excess(action.restore) >= 0:
                return 0.0
            share = self._least_share(action)
        left = (1 - share) * self.notional()
        return 1.0 if left < action.minimum - 1e-12 * self.notional() else share

    def _least_share(self, action: kernel.CloseOut) -> float:
        """Return the least share after which the metric stands at `restore`, costs paid, or 1."""

        def excess_after(share: float) -> float:
            sold = share * self.notional()
            costs = self._slippage(action, sold) + (action.fee + action.cost_share) * sold + action.cost
            return self.equity() - costs - action.restore * (1 - share) * self.requirement()  # type: ignore[operator]

        low, high = 0.0, 1.0  # it is concave: up to its highest point it rises
        for _ in range(200):
            left, right = (2 * low + high) / 3, (low + 2 * high) / 3
            low, high = (low, right) if excess_after(left) >= excess_after(right) else (left, high)
        least, most = 0.0, high if excess_after(high) > excess_after(1.0) else 1.0
        if excess_after(most) < 0:
            return 1.0
        for _ in range(200):
            middle = (least + most) / 2
            least, most = (middle, most) if excess_after(middle) < 0 else (least, middle)
        return most

    # cooldowns, breaches

    def _end_cooldown(self) -> bool:
        """Forget cooldowns that have ended; tell whether there were any."""
        over = [time for time in self.fresh_looks if time <= self.time]
        self.fresh_looks = [time for time in self.fresh_looks if time > self.time]
        return bool(over)

    def _look_at_ladder(self, *, afresh: bool) -> None:
        """See which tiers are breached, and let the deepest of them act that has anything left to do."""
        breached = [tier for tier, level in enumerate(self.levels) if self.excess(level) <= 0]
        passed = [tier for tier in breached if self.armed[tier]]
        for tier in passed:
            self.armed[tier] = False
            if math.isnan(self.breach_time[tier]):
                self.breach_time[tier] = self.time
            if self._only(self.actions[tier], kernel.Notice):
                self._note("notice", tier)
        if afresh:
            for tier in range(len(self.levels)):
                if tier not in breached:
                    self.armed[tier] = True
                    if self.free.get((tier, False)) == SPENT:
                        del self.free[tier, False]
        for tier in reversed(breached if afresh else passed):
            if self.call_of[tier] or (self.close_out_of[tier] and self.free.get((tier, False)) != SPENT):
                self._act(tier)
                break

    def _act(self, tier: int) -> None:
        if self.close_out_of[tier] and self.free.get((tier, False), 0.0) <= self.time:
            self._begin_close_out(tier, of_missed_call=False)
        if self.call_of[tier]:
            self._make_call(tier)

    def _begin_close_out(self, tier: int, *, of_missed_call: bool) -> None:
        """Let a close-out wait for its fill, unless the one that waits already goes first."""
        new = Waiting(tier, of_missed_call, self.time, NEVER)
        action = self._action(new)
        start = max(self.time, self.free.get((tier, True), 0.0)) if of_missed_call else self.time
        new = new._replace(due=self._fill_time(action, start))
        old = self.waiting
        if old is not None:
            if new.depth <= old.depth:
                return
            sells_no_more = self.share_to_sell(action) <= self.share_to_sell(self._action(old))
            if new.due > old.due and sells_no_more:
                return
        if self.call is not None and self.call.tier < tier:
            self._cancel_call()
        self.waiting = new
        self._note("begun", tier)

    @staticmethod
    def _fill_time(action: kernel.CloseOut, start: float) -> float:
        due = start + float(action.latency)
        if action.batch is None:
            return due
        ticks = due / float(action.batch)
        at_tick = abs(ticks - round(ticks)) < 1e-9
        return (round(ticks) if at_tick else math.ceil(ticks)) * float(action.batch)

    def _make_call(self, tier: int) -> None:
        """Make a call, unless one stands that is as deep, or a deeper close-out is under way."""
        action = self.call_of[tier]
        assert isinstance(action, kernel.Call)
        if self.call is not None and self.call.tier >= tier:
            return
        if self.waiting is not None and self.waiting.depth > (tier, False):
            return
        demand = -self.excess(action.restore)
        if demand < action.minimum_transfer:
            return
        self._cancel_call()
        cost = min(action.cost, max(0.0, self.equity()))
        self.cash -= cost
        self.costs += cost
        number = self.count["made"]
        self.count["made"] += 1
        client, demand = action.client, demand + cost
        meets = np.atleast_1d(client.meets)
        pays = self.uniforms[number] < meets[min(number, len(meets) - 1)]
        amount = min(client.share * demand, client.capacity - self.paid_in) if pays else 0.0
        is_in_time = client.delay <= action.cure_period
        due = self.time + float(client.delay) if amount > 0 and is_in_time else NEVER
        self.call = OpenCall(tier, demand, amount, due, self.time + float(action.cure_period), self.time)
        self._note("call", tier, demand)

    # the end

    def outcome(self) -> Outcome:
        """Return what the path came to."""
        end, end_time = self.end, self.end_time
        if not self.closed and self.waiting is not None:
            end, end_time = CLOSE_OUT_PENDING, self.waiting.begun
        elif self.call is not None:
            end, end_time = CALL_OPEN, self.call.made
        closing, owed = self.equity(), max(0.0, -self.equity())
        return Outcome(
            calls_made=self.count["made"],
            calls_met=self.count["met"],
            calls_cured=self.count["cured"],
            calls_missed=self.count["missed"],
            calls_cancelled=self.count["cancelled"],
            calls_open=int(self.call is not None),
            paid_in=self.paid_in,
            liquidated_share=1 - self.quantity / self.opening_quantity,
            fees=self.fees,
            slippage=self.slippage,
            costs=self.costs,
            bad_debt=owed if self.closed else 0.0,
            shortfall=0.0 if self.closed else owed,
            closing_equity=closing,
            loss=self.opening_equity + self.paid_in - closing,
            first_close_out=self.first_close_out,
            end=end,
            end_time=end_time,
            breach_time=np.array(self.breach_time),
            events=tuple(self.events),
        )

    def barriers(self) -> list[tuple[float, int]]:
        """Return the prices at which armed tiers breach, and the sides that the price comes from."""
        found = []
        for tier, level in enumerate(self.levels):
            base = self.opening_equity if self.of_equity else 0.0
            slope = self.quantity - (0.0 if self.of_equity else level * self.rate * abs(self.quantity))
            fixed = self.cash - level * base
            if self.armed[tier] and slope != 0 and -fixed / slope > 0:
                found.append((-fixed / slope, 1 if slope > 0 else -1))
        return found


def run(
    path: Path,
    account: Account,
    ladder: kernel.Ladder,
    escalation: kernel.Escalation,
    uniforms: Sequence[float] = (),
) -> Outcome:
    """Walk one path from instant to instant: timers, breaches, jumps."""
    machine, now = Machine(account, ladder, escalation, uniforms), 0.0
    machine.at(0.0, path.price(0.0))
    while now < path.horizon and not machine.closed:
        until = min(path.horizon, machine.next_timer())
        now = path.following(now, until, machine.barriers())
        machine.at(now, path.price(now))
    return machine.outcome()

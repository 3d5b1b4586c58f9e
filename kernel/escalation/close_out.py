"""The close-out: positions sold by rule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kernel import checks
from kernel.accounts.ladder import Ladder
from kernel.checks.text import brief
from kernel.errors import Problems
from kernel.escalation.action import Action, check_restore
from kernel.escalation.impact import SquareRootImpact
from kernel.escalation.stated import LONGEST, Stated, flag

REMAINDERS = ("client", "venue")
_LEAST_TICKS, _ROUNDING = 1_000.0, 1e-12  # of a time over the clock's tick


@dataclass(frozen=True)
class CloseOut(Action):
    """A close-out: all positions, long and short, are sold by the same share, after a latency.

    How much, at the prices of the fill: the least share k after which the metric stands at `restore`, costs paid; or
    the `share` that is stated; or, without either, all. With `restore` it is all if no share restores the metric, and
    nothing if the metric stands at or above `restore` by then: nothing sold is nothing done. An account that is sold
    whole stays closed, and its open call is cancelled.

    One close-out waits at a time. A deeper tier's takes the place of the one that waits, unless it would be filled
    later and, at the prices of that instant, sell no more; the `unmet` of a call is deeper than its own tier's
    close-out. Another one is not done.

    Args:
        restore: the metric to restore, above the tier's level and 0; needs metric="margin_ratio".
        share: of what is held, above 0 and at most 1: a close factor.
        latency: from the breach to the fill, years or a text such as "60s".
        recheck: whether it is dropped where the metric stands above the tier's level when it is to be filled.
        fee: of the notional sold: to the venue, and only out of the equity that is left after slippage.
        slippage: of the notional sold: always paid.
        impact: slippage that grows with what is sold; None: none.
        cooldown: from the fill until the same action may begin again, years or a text. When it ends the ladder is read
            afresh: the action begins if the metric stands at or below its tier. 0: not before the tier re-arms. The
            close-out of a missed call begins when its cooldown ends, whatever the metric.
        batch: tick of a clock that starts at the opening, years or a text: the fill waits for the next tick. None: no
            clock.
        minimum: smallest notional, in currency, that may be left; less is sold as well.
        remainder: who has what is left of an account sold whole: "client"; or "venue", as where the venue takes over at
            the bankruptcy price: it counts among the fees.
        cost: of every fill that sells, in currency: paid after the fee, out of the equity that is left.
        cost_share: the same, as a share of the notional sold.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> CloseOut(restore=1.5, latency="60s", fee=0.006, slippage=0.002).rate
        0.008
    """

    PARTS: ClassVar[Mapping[str, type[Stated]]] = {"impact": SquareRootImpact}

    restore: float | None = None
    share: float | None = None
    latency: float | str = 0.0
    recheck: bool = False
    fee: float = 0.0
    slippage: float = 0.0
    impact: SquareRootImpact | None = None
    cooldown: float | str = 0.0
    batch: float | str | None = None
    minimum: float = 0.0
    remainder: str = "client"
    cost: float = 0.0
    cost_share: float = 0.0

    def __post_init__(self) -> None:
        problems = Problems()
        if self.restore is not None and self.share is not None:
            problems.add("share", "is stated beside a restore: leave one of them out")
        for name in ("fee", "slippage", "cost_share"):
            self._set(name, checks.number(problems, name, getattr(self, name), at_least=0, at_most=1))
        for name in ("minimum", "cost"):
            self._set(name, checks.number(problems, name, getattr(self, name), at_least=0))
        for name in ("latency", "cooldown"):
            self._set(name, checks.years(problems, name, getattr(self, name), at_least=0, at_most=LONGEST))
        if self.restore is not None:
            self._set("restore", checks.number(problems, "restore", self.restore, above=0))
        if self.share is not None:
            self._set("share", checks.number(problems, "share", self.share, above=0, at_most=1))
        if self.batch is not None:
            self._set("batch", checks.years(problems, "batch", self.batch, above=0, at_most=LONGEST))
        self._set("recheck", flag(problems, "recheck", self.recheck))
        self._set("remainder", checks.choice(problems, "remainder", self.remainder, REMAINDERS))
        if self.impact is not None and not isinstance(self.impact, SquareRootImpact):
            problems.add("impact", f"must be a kernel.SquareRootImpact, or be left out, not {brief(self.impact)}")
        problems.raise_any()

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def check_on(self, problems: Problems, field: str, ladder: Ladder, tier: str) -> None:
        """Note a `restore` that does not suit the tier, or the ladder's metric."""
        if self.restore is None:
            return
        if ladder.metric != "margin_ratio":
            message = 'needs metric="margin_ratio": selling moves no other; state a share, or neither for all'
            problems.add(f"{field}.restore", message)
        else:
            check_restore(problems, field, self.restore, ladder, tier)

    @property
    def rate(self) -> float:
        """Return the costs that grow in line with what is sold, as a share of it."""
        return self.fee + self.slippage + self.cost_share

    def fill_time(self, start: float) -> float:
        """Return when it is filled if it begins at `start`, in years: after the latency, at a tick of the clock.

        Example:
            >>> CloseOut(latency=0.3, batch=0.25).fill_time(0.2), CloseOut(latency=0.3, batch=0.25).fill_time(0.3)
            (0.5, 0.75)
        """
        due = start + float(self.latency)
        if self.batch is None:
            return due
        ticks, batch = due / float(self.batch), float(self.batch)
        nearest = round(ticks)
        at_tick = abs(ticks - nearest) <= _ROUNDING * max(_LEAST_TICKS, nearest)
        return (nearest if at_tick else math.ceil(ticks)) * batch

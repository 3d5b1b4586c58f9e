"""The margin call: a demand that restores the metric, and what is done if it is not met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kernel import checks
from kernel.accounts.ladder import Ladder
from kernel.checks.text import brief
from kernel.errors import Problems
from kernel.escalation.action import Action, check_restore
from kernel.escalation.client import Client
from kernel.escalation.close_out import CloseOut
from kernel.escalation.stated import LONGEST, Stated


@dataclass(frozen=True)
class Call(Action):
    """A margin call: at the breach it demands what takes the metric to `restore`, at the prices of that instant.

    The demand is restore * requirement - equity, and with metric="equity_fraction" restore * opening equity - equity.
    It stays what it was when it was made. The call ends in one of these ways:

    - met: all of the demand is paid. A part payment is credited, and the call stays open.
    - cured: the metric stands at or above `restore` when a payment is due, and nothing is paid; or above the tier's
      level when the cure period ends. A payment and the end of the cure period at one instant come in this order.
    - missed: it stands at or below the tier's level when the cure period ends: `unmet` is done.
    - cancelled: an action of a deeper tier begins, or the account is closed.

    One call is open at a time. While it is, the breach of its own tier or of one above makes no other, and while a
    close-out of a deeper tier, or the one of a missed call, is to be filled, none is made.

    Args:
        restore: the metric to restore, above the tier's level.
        cure_period: from the call to its deadline, years or a text such as "8h".
        client: what the client does about it.
        unmet: what is done if it is missed; None: the close-out of the deepest tier that has one.
        minimum_transfer: smallest demand that is made, in currency. A smaller one is no call, and costs nothing; it is
            looked at again when the ladder is read afresh.
        cost: of every call made, in currency: paid first, and only out of the equity that is left. The demand makes up
            for it.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> Call(restore=3.0, cure_period="8h", client=Client(meets=0.7, delay="2h")).client.probability(0)
        0.7
    """

    PARTS: ClassVar[Mapping[str, type[Stated]]] = {"client": Client, "unmet": CloseOut}

    restore: float
    cure_period: float | str
    client: Client
    unmet: CloseOut | None = None
    minimum_transfer: float = 0.0
    cost: float = 0.0

    def __post_init__(self) -> None:
        problems = Problems()
        clean = {
            "restore": checks.number(problems, "restore", self.restore),
            "cure_period": checks.years(problems, "cure_period", self.cure_period, at_least=0, at_most=LONGEST),
            "minimum_transfer": checks.number(problems, "minimum_transfer", self.minimum_transfer, at_least=0),
            "cost": checks.number(problems, "cost", self.cost, at_least=0),
        }
        if not isinstance(self.client, Client):
            problems.add("client", f"must be a kernel.Client, such as Client(meets=0.7), not {brief(self.client)}")
        if self.unmet is not None and not isinstance(self.unmet, CloseOut):
            problems.add("unmet", f"must be a kernel.CloseOut, or be left out, not {brief(self.unmet)}")
        for name, value in clean.items():
            object.__setattr__(self, name, value)
        problems.raise_any()

    def check_on(self, problems: Problems, field: str, ladder: Ladder, tier: str) -> None:
        """Note a `restore`, that of `unmet` too, that does not suit the tier."""
        check_restore(problems, field, self.restore, ladder, tier)
        if self.unmet is not None:
            self.unmet.check_on(problems, f"{field}.unmet", ladder, tier)

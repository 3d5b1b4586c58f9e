"""What every action is: what a tier does when it breaches."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.accounts.ladder import Ladder
from kernel.errors import Problems
from kernel.escalation.stated import Stated


@dataclass(frozen=True)
class Action(Stated):
    """What a tier does when it breaches."""

    def check_on(self, problems: Problems, field: str, ladder: Ladder, tier: str) -> None:
        """Note what does not suit the tier of a ladder that it is for."""


def check_restore(problems: Problems, field: str, restore: float, ladder: Ladder, tier: str) -> None:
    """Note a level to restore that is not above the tier's own: the action would leave the tier breached."""
    level = ladder.tiers[tier]
    if not restore > level:
        problems.add(f"{field}.restore", f"must be above the level of {tier} ({level:g}), not {restore:g}")

"""The escalation: the actions of a ladder's tiers, together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from kernel import checks
from kernel.accounts.ladder import Ladder
from kernel.checks.text import brief, near, snake
from kernel.errors import InvalidInput, Problem, Problems
from kernel.escalation.action import Action
from kernel.escalation.call import Call
from kernel.escalation.close_out import CloseOut
from kernel.escalation.notice import Notice
from kernel.escalation.repeats import MOST_EVENTS, Repeat, repeats

ACTIONS: dict[str, type[Action]] = {"notice": Notice, "call": Call, "close_out": CloseOut}
"""By the `action` of a tier in a config file."""


class TierActions(NamedTuple):
    """What one tier of a ladder does, defaults resolved."""

    notice: bool = False
    call: Call | None = None
    close_out: CloseOut | None = None
    unmet: CloseOut | None = None
    """What a missed call leads to."""


@dataclass(frozen=True)
class Escalation:
    """The actions of a ladder's tiers.

    The ladder is read afresh when an action is done (a call met or cured, a close-out filled or dropped) and when a
    cooldown ends: tiers below the metric re-arm, and of those at or above it the deepest acts that has anything left to
    do. A breach acts in the same way on the tiers that it passed, as do the tiers that are in breach at the opening. A
    call can always be made anew; a close-out without a cooldown not before its tier re-arms; while a tier's close-out
    waits or cools down, no tier above it acts. At one instant payments come first, then deadlines, fills, and what is
    newly breached.

    Args:
        actions: mapping from the name of a tier to its action, or to a list of a notice, a call and a close-out, at
            most one of each. Tiers that are not named do nothing.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> from kernel.escalation import Client
        >>> call = Call(restore=3.0, cure_period="8h", client=Client(meets=0.7), unmet=CloseOut(restore=2.5))
        >>> Escalation({"warning": Notice(), "call": call, "liquidation": CloseOut()}).is_passive
        False
    """

    actions: Mapping[str, Action | Sequence[Action]]

    def __post_init__(self) -> None:
        problems = Problems()
        pairs = list(self.actions.items()) if isinstance(self.actions, Mapping) else []
        if not pairs or not all(checks.is_name(name) for name, _ in pairs):
            message = "must map at least one tier to an action, such as {'call': kernel.Notice()}"
            problems.add("actions", f"{message}: names are {checks.NAME}")
            problems.raise_any()
        clean = {name: _listed(problems, name, actions) for name, actions in pairs}
        object.__setattr__(self, "actions", clean)
        problems.raise_any()

    @property
    def by_tier(self) -> dict[str, tuple[Action, ...]]:
        """Return the actions of each tier that has any."""
        return cast("dict[str, tuple[Action, ...]]", self.actions)

    @property
    def is_passive(self) -> bool:
        """Tell whether it only records: with notices alone no account is touched."""
        return all(isinstance(one, Notice) for actions in self.by_tier.values() for one in actions)

    def check(
        self,
        problems: Problems,
        ladder: Ladder,
        horizon: float | None = None,
        deviation: float | None = None,
        metric_unit: float | None = None,
    ) -> None:
        """Note what does not suit a ladder, and what would act too often.

        Args:
            problems: taken over, with fields below `escalation`.
            ladder: whose tiers act.
            horizon: years. With the two others known, actions that are due more than 10,000 times on a path far out
                are noted.
            deviation: standard deviation of the log price over the horizon.
            metric_unit: share by which the price moves while the metric moves by one: requirement over notional, or
                with metric="equity_fraction" equity over notional, at the opening.
        """
        fallback = self._fallback(ladder)
        for tier, actions in self.by_tier.items():
            if tier not in ladder.tiers:
                problems.add(f"escalation.{tier}", f"is not a tier of the ladder{near(tier, ladder.names)}")
                continue
            for field, action in _fields(tier, actions):
                action.check_on(problems, field, ladder, tier)
                if isinstance(action, Call) and action.unmet is None:
                    _check_fallback(problems, field, fallback, ladder, tier)
        if horizon is not None and deviation is not None and metric_unit is not None and not problems.found:
            for tier, actions in self.by_tier.items():
                for field, action in _fields(tier, actions):
                    for one in repeats(action, ladder.tiers[tier], horizon, deviation, metric_unit):
                        _check_repeat(problems, field, one)

    def _fallback(self, ladder: Ladder) -> tuple[str, CloseOut] | None:
        """Return the deepest tier with a close-out, and that."""
        for tier in reversed(ladder.names):
            for action in self.by_tier.get(tier, ()):
                if isinstance(action, CloseOut):
                    return tier, action
        return None

    def on(self, ladder: Ladder) -> tuple[TierActions, ...]:
        """Return what each tier of a ladder does, highest level first; the escalation has passed `check`."""
        fallback, tiers = self._fallback(ladder), []
        for tier in ladder.names:
            kinds = {type(action): action for action in self.by_tier.get(tier, ())}
            call, close_out = cast("Call | None", kinds.get(Call)), cast("CloseOut | None", kinds.get(CloseOut))
            unmet = call.unmet if call is not None else None
            if call is not None and unmet is None and fallback is not None:
                unmet = fallback[1]
            tiers.append(TierActions(Notice in kinds, call, close_out, unmet))
        return tuple(tiers)

    def parameters(self) -> dict[str, Any]:
        """Return the actions by tier as plain values: what a config file would state, durations in years."""
        listed = {
            tier: [{"action": snake(type(one).__name__), **one.parameters()} for one in actions]
            for tier, actions in self.by_tier.items()
        }
        return {tier: actions[0] if len(actions) == 1 else actions for tier, actions in listed.items()}

    @staticmethod
    def of(sections: Mapping[str, Any]) -> Escalation:
        """Return the escalation that plain values state: by tier a table with its `action`, or a list of tables.

        Raises:
            InvalidInput: with every field that has to be mended, below the name of its tier.

        Example:
            >>> Escalation.of({"call": {"action": "notice"}}).by_tier
            {'call': (Notice(),)}
        """
        if not isinstance(sections, Mapping):
            raise InvalidInput([Problem("", f"must be a table of actions by tier, not {brief(sections)}")])
        problems, actions = Problems(), {}
        for tier, stated in sections.items():
            listed = list(stated) if isinstance(stated, list | tuple) else [stated]
            names = [str(tier) if len(listed) == 1 else f"{tier}[{k}]" for k in range(len(listed))]
            actions[tier] = [_action(problems, name, one) for name, one in zip(names, listed, strict=True)]
        problems.raise_any()
        return Escalation(actions)


def _listed(problems: Problems, tier: str, actions: Any) -> tuple[Action, ...]:
    """Return the actions of a tier, at most one of each kind."""
    listed = checks.listed(problems, tier, actions, len(ACTIONS))
    unfit = [one for one in listed if not isinstance(one, Action)]
    if unfit or not listed:
        known = "kernel.Notice(), kernel.Call(...) or kernel.CloseOut(...)"
        problems.add(tier, f"must be {known}, or a list of them, not {brief(unfit[0] if unfit else actions)}")
    for kind, count in Counter(type(one).__name__ for one in listed).items():
        if count > 1 and not unfit:
            problems.add(tier, f"must have at most one {kind}, not {count}")
    return tuple(listed)


def _fields(tier: str, actions: Sequence[Action]) -> list[tuple[str, Action]]:
    """Return the actions of a tier with their places in a config."""
    if len(actions) == 1:
        return [(f"escalation.{tier}", actions[0])]
    return [(f"escalation.{tier}[{k}]", action) for k, action in enumerate(actions)]


def _check_fallback(
    problems: Problems, field: str, fallback: tuple[str, CloseOut] | None, ladder: Ladder, tier: str
) -> None:
    """Note a missed call that leads nowhere, or to a close-out that would not lift its tier."""
    if fallback is None:
        problems.add(f"{field}.unmet", "is required, such as kernel.CloseOut(): no tier has a close-out in its place")
        return
    deepest, close_out = fallback
    level = ladder.tiers[tier]
    if close_out.restore is not None and not close_out.restore > level:
        what = f"the close-out of {deepest} restores {close_out.restore:g}"
        problems.add(f"{field}.unmet", f"is required: {what}, not above {tier} ({level:g})")


def _check_repeat(problems: Problems, field: str, repeat: Repeat) -> None:
    if repeat.times > MOST_EVENTS:
        message = f"must leave at most {MOST_EVENTS:,} actions on a path, not some {repeat.times:,.0f}: {repeat.mend}"
        problems.add(f"{field}.{repeat.field}", message)


def _action(problems: Problems, field: str, stated: Any) -> Action:
    """Return the action that a table states, or a notice that stands in for it."""
    if not isinstance(stated, Mapping):
        problems.add(field, f"must be a table with an action: {' or '.join(ACTIONS)}, not {brief(stated)}")
        return Notice()
    settings = {name: value for name, value in stated.items() if name != "action"}
    if "action" not in stated:
        problems.add(f"{field}.action", f"is required: {' or '.join(ACTIONS)}")
        return Notice()
    kind = checks.choice(problems, f"{field}.action", stated["action"], tuple(ACTIONS))
    if kind != stated["action"]:
        return Notice()
    with problems.under(field):
        return ACTIONS[kind].of(settings)
    return Notice()

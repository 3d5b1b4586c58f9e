"""The section [escalation]: what each tier does when it breaches, by the tier's name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.checks.text import near
from kernel.config import values
from kernel.config.building import Section, built, take
from kernel.config.shapes import Flaw, Kind, ListOf, Scalar, Shape, TableOf, Variants, keys_of
from kernel.config.simulation import place_of
from kernel.errors import Problem, Problems
from kernel.escalation import Escalation
from kernel.escalation.escalation import ACTIONS
from kernel.escalation.stated import Stated
from kernel.markets import Market
from kernel.simulation.check import check_escalation
from kernel.simulation.settings import Settings

_YEARS, _DURATION = Scalar(values.step), Scalar(values.duration)


class _Actions(NamedTuple):
    """The action of a tier, or a list of several."""

    action: Kind

    def flaws(self, stated: Any) -> Iterator[Flaw]:
        """Yield what is wrong with the actions of a tier."""
        if stated == []:
            yield Flaw((), "must be a table with an action, or a list of such tables that is not empty")
        elif isinstance(stated, list):
            yield from ListOf(self.action).flaws(stated)
        else:
            yield from self.action.flaws(stated)


def escalation_shape(_: Mapping[str, Any]) -> TableOf:
    """Return the shape of the section: by tier the fields of its action, of which every duration has its unit."""
    return TableOf(_Actions(Variants("action", {name: _shape(kind) for name, kind in ACTIONS.items()})))


def _shape(stated: type[Stated]) -> Shape:
    keys = keys_of(stated, {part: _shape(part) for part in stated.PARTS.values()})
    return Shape({name: key._replace(kind=_DURATION) if key.kind == _YEARS else key for name, key in keys.items()})


def build_escalation(problems: Problems, section: Section, ladder: Ladder | None) -> Escalation | None:
    """Return the escalation, as far as it can be built; None also where the section states nothing.

    Args:
        problems: noted so far; takes those of the actions.
        section: its keys known.
        ladder: whose tiers act; None: it could not be built.
    """
    stated = dict(section or {})
    for tier in [tier for tier in stated if ladder is not None and tier not in ladder.tiers]:
        problems.add(f"escalation.{tier}", f"is not a tier of the ladder{near(tier, ladder.names if ladder else ())}")
        del stated[tier]
    if not stated:
        return None
    further = Problems()
    escalation = built(further, "escalation", Escalation.of, {"sections": stated})
    if escalation is not None and ladder is not None:
        escalation.check(further, ladder)
    take(problems, _placed(further, stated))
    return escalation


def escalated_settings(
    problems: Problems,
    escalation: Escalation,
    section: Section,
    simulation: Mapping[str, Any],
    settings: Settings,
    parts: tuple[Market | None, Account | None, Ladder | None],
) -> Settings:
    """Return the settings of a simulation with actions: it keeps its paths; note what it would refuse.

    Args:
        problems: noted so far; takes those of the simulation with the actions.
        escalation: that was built.
        section: that states it.
        simulation: keyword arguments of `simulate`: the record only where it is stated.
        settings: the same, checked.
        parts: market, account and ladder, as far as they could be built.
    """
    if "record" not in simulation:
        settings = replace(settings, record="paths")
    market, account, ladder = parts
    further = Problems()  # an account can be opened only where nothing is wrong
    check_escalation(further, escalation, market, account, None if problems.found else ladder, settings)
    take(problems, _placed(further, section or {}))
    return settings


def _placed(further: Problems, stated: Mapping[str, Any]) -> list[Problem]:
    """Return problems by their places in the config: that of an action in a list of one has its number there."""
    found = []
    for field, message in further.found:
        place = place_of(field)
        for tier, actions in stated.items():
            if isinstance(actions, list) and len(actions) == 1 and place.startswith(f"escalation.{tier}."):
                place = place.replace(f"escalation.{tier}.", f"escalation.{tier}[0].", 1)
        found.append(Problem(place, message))
    return found

"""From the sections of a config to the objects of a run, every problem at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import open_account
from kernel.config.account import build_account
from kernel.config.building import Section, built
from kernel.config.escalation import build_escalation, escalated_settings
from kernel.config.market import build_market, stated_assets
from kernel.config.run import Run
from kernel.config.simulation import simulation_settings
from kernel.errors import InvalidInput, Problems
from kernel.markets import Market
from kernel.report.introduction import Case
from kernel.simulation.notes import notes_on


def assemble(problems: Problems, sections: Mapping[str, Section], folder: Path) -> Run:
    """Build a run from sections whose keys are known; NaN stands for a value whose problem is noted already.

    Args:
        problems: noted so far.
        sections: by name, in the order of the report; None for one that is missing.
        folder: in which a history is looked for.

    Raises:
        InvalidInput: with the problems noted before and those found here.
    """
    market, source, notes = build_market(problems, sections["market"], folder)
    assets = stated_assets(sections["market"]) if market is None else market.assets
    account = build_account(problems, sections["account"], market, assets)
    ladder = built(problems, "ladder", Ladder, sections["ladder"])
    escalation = build_escalation(problems, sections["escalation"], ladder)
    levels = _levels(sections["measures"])
    simulation, settings = simulation_settings(problems, sections["simulation"], levels, market, account, ladder)
    if escalation is not None:
        parts = market, account, ladder
        settings = escalated_settings(problems, escalation, sections["escalation"], simulation, settings, parts)
    if market is None or account is None or ladder is None or problems.found:
        order = list(sections)
        raise InvalidInput(sorted(problems.found, key=lambda problem: _rank(problem.field, order)))
    opening = open_account(account, market.assets, np.asarray(market.spot))
    return Run(
        market=market,
        account=account,
        ladder=ladder,
        escalation=escalation,
        simulation=simulation,
        levels=levels,
        source=source,
        files=(folder / source.file,) if source else (),
        notes=(*notes, *notes_on(market, opening, ladder, settings)),
    )


def assemble_account(problems: Problems, sections: Mapping[str, Section], market: Market) -> tuple[Account, Ladder]:
    """Build the account and the ladder alone, at a market's opening prices.

    Raises:
        InvalidInput: with the problems noted before and those found here.
    """
    account = build_account(problems, sections["account"], market, market.assets)
    ladder = built(problems, "ladder", Ladder, sections["ladder"])
    problems.raise_any()
    assert account is not None  # noqa: S101 - or there were problems
    assert ladder is not None  # noqa: S101 - as above
    return account, ladder


def _rank(field: str, order: Sequence[str]) -> int:
    """Return the place of the section that a field belongs to."""
    return next((k for k, name in enumerate(order) if re.match(rf"{name}\b", field)), -1)


def _levels(section: Section) -> tuple[float, ...]:
    """Return the levels of Value at Risk and Expected Shortfall, rising."""
    stated = (section or {}).get("levels", Case.levels)
    return tuple(sorted(set(stated))) if isinstance(stated, list | tuple) else (stated,)

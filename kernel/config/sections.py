"""The sections of a config, in the order in which their problems are reported, and their shapes."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kernel.accounts.ladder import Ladder
from kernel.checks.text import brief
from kernel.config import values
from kernel.config.account import account_shape
from kernel.config.documents import joined
from kernel.config.escalation import escalation_shape
from kernel.config.market import market_shape
from kernel.config.shapes import Flaw, Kind, Shape, key, keys_of
from kernel.config.simulation import SIMULATION
from kernel.errors import Problems


class _Section(NamedTuple):
    shape: Callable[[Mapping[str, Any]], Kind]
    """Of what it states."""
    required: bool = True


_LADDER, _MEASURES = Shape(keys_of(Ladder)), Shape({"levels": key(values.NUMBERS)})
SECTIONS = {
    "market": _Section(market_shape),
    "account": _Section(account_shape),
    "ladder": _Section(lambda _: _LADDER),
    "escalation": _Section(escalation_shape, required=False),
    "simulation": _Section(lambda _: SIMULATION),
    "measures": _Section(lambda _: _MEASURES, required=False),
}


def checked(problems: Problems, name: str, stated: Any) -> dict[str, Any] | None:
    """Return a section without unknown keys, and with NaN for what is missing or of the wrong kind.

    So the checks of the dataclasses can go on to the other fields.

    Args:
        problems: takes what is wrong.
        name: of the section.
        stated: what the config has under it; None: nothing.
    """
    section = SECTIONS[name]
    if stated is None and not section.required:
        return {}
    if not isinstance(stated, dict):
        wanted = f"is required: a section [{name}]" if stated is None else f"must be a section, not {brief(stated)}"
        problems.add(name, wanted)
        return None
    clean = copy.deepcopy(stated)
    for flaw in sorted(section.shape(stated).flaws(stated), key=lambda flaw: flaw.missing):
        problems.add(joined([name, *flaw.steps]), flaw.message)
        _mend(clean, flaw)
    return clean


def _mend(section: dict[str, Any], flaw: Flaw) -> None:
    """Leave out a key that has no place; put NaN for what is missing or wrong."""
    *above, last = flaw.steps
    place: Any = section
    for step in above:
        place = place[step]
    if flaw.unknown:
        del place[last]
    else:
        place[last] = math.nan

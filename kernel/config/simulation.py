"""The section [simulation]: the settings of `kernel.simulate`, as they are declared."""

from __future__ import annotations

from typing import Any

from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.config import values
from kernel.config.building import Section, take
from kernel.config.shapes import Shape, key
from kernel.errors import Problem, Problems
from kernel.markets import Market
from kernel.simulation.check import check_simulation
from kernel.simulation.settings import REQUIRED, SETTINGS, Settings

_KINDS = {
    "duration": values.duration,
    "number": values.NUMBER,
    "word": values.TEXT,
    "target": values.TARGET,
    "times": values.times,
}
_DECLARED = {setting.name: setting for setting in SETTINGS}
_STAND_IN = {"horizon": "1d", "steps": 1, "paths": 1}  # of a section that is not there
SIMULATION = Shape(
    {setting.name: key(_KINDS[setting.kind], required=setting.default is REQUIRED) for setting in SETTINGS}
)


def place_of(field: str) -> str:
    """Return where a config states what `simulate` calls `field`."""
    if field == "levels":
        return "measures.levels"
    return f"simulation.{field}" if field in _DECLARED else field


def simulation_settings(
    problems: Problems,
    section: Section,
    levels: tuple[float, ...],
    market: Market | None,
    account: Account | None,
    ladder: Ladder | None,
) -> tuple[dict[str, Any], Settings]:
    """Return keyword arguments of `simulate`, and the same checked; note what it would refuse.

    Among the former the worst metric's times are as stated, and the record stands only where it is stated: it follows
    from what else is asked for.

    Args:
        problems: noted so far; takes those of the settings.
        section: its keys known.
        levels: of Value at Risk and Expected Shortfall.
        market: as far as it could be built, as are account and ladder.
        account: see there.
        ladder: see there.
    """
    stated, own = _STAND_IN if section is None else section, Problems()
    parts = {"market": market, "account": account, "ladder": ladder}
    known = {name: part for name, part in parts.items() if part is not None}
    settings = check_simulation(own, {**stated, "levels": levels}, **known)
    missing = {"horizon", "steps"} if section is None else set()
    take(problems, [Problem(place_of(field), message) for field, message in own.found if field not in missing])
    kept = {name: getattr(settings, name) for name in _DECLARED if name != "record" or "record" in stated}
    return {**kept, "worst": stated.get("worst", _DECLARED["worst"].default)}, settings

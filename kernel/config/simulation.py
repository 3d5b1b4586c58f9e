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
from kernel.simulation.settings import REQUIRED, SETTINGS, least_record

_KINDS = {
    "duration": values.duration,
    "number": values.NUMBER,
    "word": values.TEXT,
    "target": values.TARGET,
    "times": values.times,
}
_DEFAULTS = {setting.name: setting.default for setting in SETTINGS}
_STAND_IN = {"horizon": "1d", "steps": 1, "paths": 1}  # of a section that is not there
SIMULATION = Shape(
    {setting.name: key(_KINDS[setting.kind], required=setting.default is REQUIRED) for setting in SETTINGS}
)


def place_of(field: str) -> str:
    """Return where a config states what `simulate` calls `field`."""
    if field == "levels":
        return "measures.levels"
    return f"simulation.{field}" if field in _DEFAULTS else field


def simulation_settings(
    problems: Problems,
    section: Section,
    levels: tuple[float, ...],
    market: Market | None,
    account: Account | None,
    ladder: Ladder | None,
) -> dict[str, Any]:
    """Return the settings, numbers clean and times as stated; note what `simulate` would refuse.

    The record is among them only where it is stated: it follows from what else is asked for.

    Args:
        problems: noted so far; takes those of the settings.
        section: its keys known.
        levels: of Value at Risk and Expected Shortfall.
        market: as far as it could be built, as are account and ladder.
        account: see there.
        ladder: see there.
    """
    stated = _STAND_IN if section is None else section
    settings: dict[str, Any] = {**_DEFAULTS, **stated, "levels": levels}
    if settings["record"] is None:
        settings["record"] = least_record(settings)
    further, parts = Problems(), {"market": market, "account": account, "ladder": ladder}
    clean = check_simulation(further, settings, **{name: part for name, part in parts.items() if part is not None})
    missing = {"horizon", "steps"} if section is None else set()
    take(problems, [Problem(place_of(field), message) for field, message in further.found if field not in missing])
    kept = {name: getattr(clean, name) for name in _DEFAULTS if name != "record" or "record" in stated}
    return {**kept, "worst": settings["worst"]}  # as it was stated

"""From the sections of a config file to the objects of a run, every problem at once."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.config.fitted import OF_HISTORY, Source, fitted_market
from kernel.errors import Incomplete, InvalidInput, Problem, Problems
from kernel.instruments import INSTRUMENTS, Instrument, Linear
from kernel.markets import MARKETS, Market
from kernel.simulation import simulate as simulation
from kernel.simulation.check import check_settings, check_simulation
from kernel.simulation.notes import notes_on
from kernel.simulation.outcome import Outcome
from kernel.simulation.settings import SETTINGS, least_record

AT_SPOT = "spot"  # as an entry price: the market's opening price
_LEVELS = (0.95, 0.99)

Section = dict[str, Any] | None
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a config file asks for, checked."""

    market: Market
    account: Account
    ladder: Ladder
    simulation: dict[str, Any]
    """Keyword arguments of `simulate`."""
    levels: tuple[float, ...]
    """Of Value at Risk and Expected Shortfall."""
    source: Source | None = None
    market_file: str | None = None
    """That states the market."""
    files: tuple[Path, ...] = ()
    """That were read."""
    notes: tuple[str, ...] = ()
    """Sentences: what is to be known of the opening, and of a fitted drift."""

    def simulate(self, **changes: Any) -> Outcome:
        """Simulate what was loaded: the same bits as `margin run`.

        What is kept follows from `record` as the config states it; where it does not, it is a summary, or the paths
        where `sampling` or `importance` needs them.

        Args:
            changes: keyword arguments of `kernel.simulate`, in place of what the config states, such as
                record="paths", executor or progress.

        Raises:
            InvalidInput: with every problem found, by the config's names.

        Example:
            `outcome = kernel.load("margin.toml").simulate(record="paths", seed=7)`
        """
        settings = {**self.simulation, "levels": self.levels, **changes}
        settings.setdefault("record", least_record(settings))
        problems = Problems()
        try:
            outcome = simulation.simulate(self.market, self.account, self.ladder, **settings)
        except Incomplete:  # nothing of it is to be mended in a config
            raise
        except InvalidInput as invalid:
            problems.found += [Problem(_place(field), message) for field, message in invalid.problems]
        problems.raise_any()
        if self.source is None:
            return outcome
        return replace(outcome, provenance={**outcome.provenance, "history": self.source._asdict()})


def assemble(problems: Problems, sections: Mapping[str, Section], folder: Path) -> Run:
    """Build a run from sections whose keys are known; NaN stands for a value whose problem is noted already.

    Args:
        problems: noted so far.
        sections: by name, in the order of the report; None for one that is missing.
        folder: in which a history is looked for.

    Raises:
        InvalidInput: with the problems noted before and those found here.
    """
    market, source, notes = _market(problems, sections["market"], folder)
    assets = _assets(sections["market"]) if market is None else market.assets
    account = _account(problems, sections["account"], market, assets)
    ladder = _built(problems, "ladder", Ladder, sections["ladder"])
    levels = _levels(sections["measures"])
    simulation = _simulation(problems, sections, market, account, ladder, levels)
    if market is None or account is None or ladder is None or problems.found:
        order = list(sections)
        raise InvalidInput(sorted(problems.found, key=lambda one: _rank(one.field, order)))
    return Run(
        market=market,
        account=account,
        ladder=ladder,
        simulation=simulation,
        levels=levels,
        source=source,
        files=(folder / source.file,) if source else (),
        notes=(*notes, *notes_on(market, account, ladder, check_settings(Problems(), simulation))),
    )


def assemble_account(problems: Problems, sections: Mapping[str, Section], market: Market) -> tuple[Account, Ladder]:
    """Build the account and the ladder alone, at a market's opening prices.

    Raises:
        InvalidInput: with the problems noted before and those found here.
    """
    account = _account(problems, sections["account"], market, market.assets)
    ladder = _built(problems, "ladder", Ladder, sections["ladder"])
    problems.raise_any()
    assert account is not None  # noqa: S101 - or there were problems
    assert ladder is not None  # noqa: S101 - as above
    return account, ladder


def _rank(field: str, order: Sequence[str]) -> int:
    """Return the place of the section that a field belongs to."""
    return next((k for k, name in enumerate(order) if re.match(rf"{name}\b", field)), -1)


def _take(problems: Problems, found: Sequence[Problem]) -> None:
    """Note problems, but one for each field: the first says why."""
    noted = {field for field, _ in problems.found}
    problems.found.extend(problem for problem in dict.fromkeys(found) if problem.field not in noted)


def _built(problems: Problems, prefix: str, build: Callable[..., T], section: Section) -> T | None:
    if section is None:
        return None
    found = Problems()
    with found.under(prefix):
        return build(**section)
    _take(problems, found.found)
    return None


def _is_noted(problems: Problems, *names: str) -> bool:
    return any(field == name for field, _ in problems.found for name in names)


# Market


def _market(problems: Problems, section: Section, folder: Path) -> tuple[Market | None, Source | None, tuple[str, ...]]:
    """Return the market, the history that it was fitted to, and sentences about it, as far as they are there."""
    if section is None or _is_noted(problems, "market.model", "market.assets"):
        return None, None, ()
    if "history" not in section:
        parameters = {name: value for name, value in section.items() if name != "model"}
        return _built(problems, "market", MARKETS[section["model"]], parameters), None, ()
    if _is_noted(
        problems, "market.history", "market.column", "market.asset", *(f"market.{name}" for name in OF_HISTORY)
    ):
        return None, None, ()
    fitted = _built(problems, "market", fitted_market, {"section": section, "folder": folder})
    return fitted if fitted is not None else (None, None, ())


# Account


def _account(problems: Problems, section: Section, market: Market | None, assets: Sequence[str]) -> Account | None:
    if section is None:
        return None
    listed = section["positions"] if isinstance(section["positions"], list) else []
    spots = {} if market is None else dict(zip(market.assets, np.asarray(market.spot).tolist(), strict=True))
    positions = [_position(problems, f"account.positions[{k}]", one, spots) for k, one in enumerate(listed)]
    account = _built(problems, "account", Account, {**section, "positions": positions})
    if assets:
        _check_assets(problems, positions, section["maintenance_rate"], assets)
    return account


def _check_assets(problems: Problems, positions: Sequence[Instrument], rates: Any, assets: Sequence[str]) -> None:
    """Check names, also for a market or an account that could not be built."""
    found, stand_in = Problems(), dict.fromkeys(rates, 1.0) if isinstance(rates, dict) else 1.0
    if positions:
        Account(cash=0.0, positions=positions, maintenance_rate=stand_in).check_assets(found, assets)
    for name in rates if isinstance(rates, dict) else ():
        if name not in assets:
            found.add(
                f"account.maintenance_rate.{name}", f"must be for one of the market's assets ({', '.join(assets)})"
            )
    _take(problems, found.found)


def _position(problems: Problems, field: str, section: Any, spots: dict[str, float]) -> Instrument:
    """Return a position, or one that stands in for it so that the others keep their places."""
    stand_in = Linear("?", 1.0)
    if not isinstance(section, dict):
        return stand_in
    if ("quantity" in section) == ("notional" in section):
        problems.add(field, "must have either quantity, in units, or notional, in currency")
        section = {"quantity": math.nan, **section}
    asset = section["asset"] if isinstance(section["asset"], str) else "?"
    stand_in, spot = Linear(asset, 1.0), spots.get(asset, 1.0)
    size = "quantity" if "quantity" in section else "notional"
    entry = section.get("entry_price", 0.0)
    fields = {
        "asset": asset,
        "quantity": section[size] / (1.0 if size == "quantity" else spot),
        "entry_price": spot if entry == AT_SPOT else entry,
    }
    found = Problems()
    built = _built(found, field, INSTRUMENTS.get(section.get("type", "linear"), Linear), fields)
    renamed = [Problem(name.replace(".quantity", f".{size}"), message) for name, message in found.found]
    _take(problems, [one for one in renamed if not _is_noted(problems, field) or not one.field.endswith(size)])
    return built if built is not None else stand_in


# Simulation


def _levels(section: Section) -> tuple[float, ...]:
    stated = (section or {}).get("levels", _LEVELS)
    return tuple(sorted(set(stated))) if isinstance(stated, list | tuple) else (stated,)


def _simulation(
    problems: Problems,
    sections: Mapping[str, Section],
    market: Market | None,
    account: Account | None,
    ladder: Ladder | None,
    levels: tuple[float, ...],
) -> dict[str, Any]:
    """Return the settings, numbers clean and times as stated; note what `simulate` would refuse.

    The record is among them only where it is stated: it follows from what else is asked for.
    """
    section, defaults = sections["simulation"], {one.name: one.default for one in SETTINGS}
    stated = {"horizon": "1d", "steps": 1, "paths": 1} if section is None else section
    settings: dict[str, Any] = {**defaults, **stated, "levels": levels}
    if settings["record"] is None:
        settings["record"] = least_record(settings)
    found, parts = Problems(), {"market": market, "account": account, "ladder": ladder}
    checked = check_simulation(found, settings, **{name: part for name, part in parts.items() if part is not None})
    missing = {"horizon", "steps"} if section is None else set()
    _take(problems, [Problem(_place(field), message) for field, message in found.found if field not in missing])
    kept = {one.name: getattr(checked, one.name) for one in SETTINGS if one.name != "record" or "record" in stated}
    return {**kept, "worst": settings["worst"]}  # as it was stated


def _assets(section: Section) -> list[str]:
    """Return the names of the assets that a market is to have, also when it cannot be built."""
    stated = section or {}
    named = stated.get("assets", stated.get("column"))
    named = [stated.get("asset", named)] if "history" in stated and not isinstance(named, dict) else named
    listed = [named] if isinstance(named, str) else list(named) if isinstance(named, list | dict) else []
    return [name for name in listed if isinstance(name, str)]


def _place(field: str) -> str:
    if field == "levels":
        return "measures.levels"
    return f"simulation.{field}" if field in {one.name for one in SETTINGS} else field

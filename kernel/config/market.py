"""The section [market]: a market that is stated, or one that is fitted to a history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from kernel.config import values
from kernel.config.building import Section, built, is_noted
from kernel.config.fitted import OF_HISTORY, Source, fitted_market
from kernel.config.shapes import Key, Shape, Variants, key, keys_of
from kernel.errors import Problems
from kernel.fitting.drift import DRIFTS
from kernel.markets import FITTED, MARKETS, Market

_COLUMNS = values.value(
    "a column's name, or a table of them by asset",
    lambda stated: values.is_text(stated) or values.is_table(stated, values.is_text),
)
_DRIFT = values.value(
    f"a number or a list of numbers, one per asset, a table of them by asset, or {' or '.join(map(repr, DRIFTS))}",
    lambda stated: values.is_by_asset(stated) or (values.is_text(stated) and stated in DRIFTS),
)
_HISTORY: dict[str, Key] = {
    "history": key(values.TEXT, required=True),
    "column": key(_COLUMNS),
    "asset": key(values.TEXT),
    "time": key(values.TEXT),
    "first": key(values.DAY),
    "last": key(values.DAY),
    "max_gap": key(values.duration),
    "drift": key(_DRIFT),
    "spot": key(values.BY_ASSET),
}


def _is_parameter(name: str) -> bool:
    return any(name == field.name for market in MARKETS.values() for field in fields(market))


def _explain_fitted(name: str) -> str | None:
    if not _is_parameter(name):
        return None
    return "is fitted to the history: leave it out, or leave the history out and state every parameter"


def _explain_stated(name: str) -> str | None:
    if name in _HISTORY:
        return "belongs to a market that is fitted: name its file as history"
    return "belongs to another model: leave it out" if _is_parameter(name) else None


def market_shape(section: Mapping[str, Any]) -> Shape:
    """Return the shape of a section that states a market, or names a history."""
    if "history" in section:
        model = key(values.word(FITTED, " to be fitted"), required=True)
        return Shape({"model": model, **_HISTORY}, _explain_fitted)
    return Variants("model", {name: _stated_shape(market) for name, market in MARKETS.items()}).shape(section)


@cache
def _stated_shape(market: type[Market]) -> Shape:
    """Return the shape of a market by its parameters, the fields of its dataclass."""
    return Shape(keys_of(market), _explain_stated)


def build_market(
    problems: Problems, section: Section, folder: Path
) -> tuple[Market | None, Source | None, tuple[str, ...]]:
    """Return the market, the history that it was fitted to, and sentences about it, as far as they are there.

    Args:
        problems: noted so far; takes those of the market.
        section: its keys known.
        folder: in which a history is looked for.
    """
    if section is None or is_noted(problems, "market.model", "market.assets"):
        return None, None, ()
    if "history" not in section:
        parameters = {name: stated for name, stated in section.items() if name != "model"}
        return built(problems, "market", MARKETS[section["model"]], parameters), None, ()
    if is_noted(problems, *(f"market.{name}" for name in ("history", "column", "asset", *OF_HISTORY))):
        return None, None, ()
    fitted = built(problems, "market", fitted_market, {"section": section, "folder": folder})
    return fitted if fitted is not None else (None, None, ())


def stated_assets(section: Section) -> list[str]:
    """Return the names of the assets that a market is to have, also when it cannot be built."""
    stated = section or {}
    named = stated.get("assets", stated.get("column"))
    named = [stated.get("asset", named)] if "history" in stated and not isinstance(named, dict) else named
    listed = [named] if isinstance(named, str) else list(named) if isinstance(named, list | dict) else []
    return [name for name in listed if isinstance(name, str)]

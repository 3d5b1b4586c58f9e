"""Shapes of sections follow from the fields of what they state: by type, for fields that nobody has thought of yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

import pytest
from numpy.typing import ArrayLike

import kernel
from kernel.accounts import Account
from kernel.config.account import account_shape
from kernel.config.load import load
from kernel.config.market import market_shape
from kernel.config.sections import checked
from kernel.config.shapes import ListOf, Shape, Variants, keys_of
from kernel.errors import Problems
from kernel.instruments import INSTRUMENTS
from kernel.markets import MARKETS
from kernel.markets.market import Matrix


class Gadget:
    """What no config can state."""


@dataclass(frozen=True)
class Part:
    """A part of a whole."""

    weight: float


@dataclass(frozen=True)
class Whole:
    """A field of every type that is known, some with defaults; annotations are texts, as this file's all are."""

    text: str
    flag: bool
    count: int
    span: float | str
    names: Sequence[str]
    levels: Sequence[float]
    numbers: ArrayLike
    rows: Matrix
    rates: float | Mapping[str, float]
    tiers: Mapping[str, float]
    parts: Sequence[Part]
    label: str | None = None
    square: Matrix | None = None
    gadget: Gadget | None = None
    made: float = field(default=0.0, init=False)


PARTS = Variants("type", {"part": Shape(keys_of(Part))}, "part")
WHOLE = Shape(keys_of(Whole, {Part: PARTS}))
RIGHT: dict[str, Any] = {
    "text": "a",
    "flag": True,
    "count": 3,
    "span": "5d",
    "names": ["a", "b"],
    "levels": [0.95, 1],
    "numbers": {"a": 1.0},
    "rows": [[1, 0.5], [0.5, 1]],
    "rates": 0.1,
    "tiers": {"call": 2},
    "parts": [{"weight": 1.0}, {"type": "part", "weight": 2}],
}
WRONG: list[tuple[str, Any, str, str]] = [
    ("text", 5, "text", "must be a text, not 5"),
    ("text", "", "text", "must be a text, not ''"),
    ("flag", 1, "flag", "must be true or false, not 1"),
    ("flag", "true", "flag", "must be true or false, not 'true'"),
    ("count", True, "count", "must be a number, not True"),
    ("span", 5, "span", "must have a unit, such as '5d' or '12h'; 5 years is '5y'"),
    ("names", [1], "names", "must be a list of names, not [1]"),
    ("levels", ["a"], "levels", "must be a number or a list of numbers, not ['a']"),
    (
        "numbers",
        [[1.0]],
        "numbers",
        "must be a number or a list of numbers, one per asset, or a table",
    ),
    ("rows", [1.0], "rows", "must be a list of rows of numbers, not [1.0]"),
    ("square", [1.0], "square", "must be a list of rows of numbers, not [1.0]"),
    ("rates", ["a"], "rates", "must be a number, or a table of them by asset, not ['a']"),
    ("tiers", {"call": "a"}, "tiers.call", "must be a number, not 'a'"),
    ("tiers", [1], "tiers", "must be a table of keys and values, not [1]"),
    ("parts", {}, "parts", "must be a list of tables, not {}"),
    ("parts", [5], "parts.0", "must be a table of keys and values, not 5"),
    ("parts", [{"weight": "a"}], "parts.0.weight", "must be a number, not 'a'"),
    ("parts", [{"wight": 1.0}], "parts.0.wight", "is not known here; did you mean weight?"),
    ("parts", [{"type": "hole", "weight": 1.0}], "parts.0.type", "must be part, not 'hole'"),
    ("gadget", 5, "gadget", "is not known here"),
    ("made", 5, "made", "is not known here"),
]


def _flaws(shape: Shape, stated: Any) -> dict[str, str]:
    return {".".join(map(str, flaw.steps)): flaw.message for flaw in shape.flaws(stated)}


def test_fields_of_every_type_can_be_stated() -> None:
    """What is right has no flaw; what lacks a default is required, and nothing else is."""
    assert _flaws(WHOLE, RIGHT) == {}
    assert _flaws(WHOLE, {**RIGHT, "label": "b", "square": [[1.0]]}) == {}
    assert _flaws(WHOLE, {}) == dict.fromkeys(RIGHT, "is required")


@pytest.mark.parametrize(("key", "stated", "place", "message"), WRONG, ids=[f"{one[0]}={one[1]!r}" for one in WRONG])
def test_values_of_another_type_are_named_with_what_would_be_right(
    key: str, stated: object, place: str, message: str
) -> None:
    """A wrong value is judged by the type of its field, wherever it lies."""
    flaws = _flaws(WHOLE, {**RIGHT, key: stated})
    assert next(iter(flaws)) == place
    assert flaws[place].startswith(message)


@pytest.mark.parametrize("model", MARKETS)
def test_a_market_is_stated_by_its_fields(model: str) -> None:
    """Every field of every market is a key of its section; those without a default are required."""
    keys = market_shape({"model": model}).keys
    stated = {one.name: one.default is MISSING for one in fields(MARKETS[model])}
    assert {name: key.required for name, key in keys.items()} == {"model": True, **stated}


def test_an_account_is_stated_by_its_fields() -> None:
    """So is an account, and each of its positions, which may have a notional instead of a quantity."""
    keys = account_shape({}).keys
    assert set(keys) <= {one.name for one in fields(Account)}
    positions = keys["positions"].kind
    assert isinstance(positions, ListOf)
    assert isinstance(positions.entry, Variants)
    for name, kind in INSTRUMENTS.items():
        stated = {one.name for one in fields(kind)}
        assert set(positions.entry.shape({"type": name}).keys) == {"type", "notional", *stated}


def test_sections_go_on_with_nan_for_what_is_wrong() -> None:
    """Unknown keys are left out, what is missing or wrong is NaN, and each is told once, the missing last."""
    problems = Problems()
    section = checked(problems, "ladder", {"tier": {"call": 2.0}, "metric": 5})
    assert [field for field, _ in problems.found] == ["ladder.metric", "ladder.tier", "ladder.tiers"]
    assert section is not None
    assert sorted(section) == ["metric", "tiers"]
    assert all(value != value for value in section.values())  # noqa: PLR0124 - NaN is what is not itself


@dataclass(frozen=True, eq=False, kw_only=True)
class Labelled(kernel.Gbm):
    """A market with parameters of types that no other market has."""

    label: str
    reflected: bool = False


def test_a_market_from_outside_is_stated_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listed by its name, a market can be stated, its text and its truth value as well, and is refused like others."""
    monkeypatch.setitem(MARKETS, "labelled", Labelled)
    monkeypatch.setattr(Labelled, "_align", lambda _: None)  # a market's labels are of numbers
    config = {
        "market": {"model": "labelled", "assets": ["A"], "spot": 1.0, "volatility": 0.5, "label": "x"},
        "account": {"cash": 0.0, "maintenance_rate": 0.1, "positions": [{"asset": "A", "quantity": 1.0}]},
        "ladder": {"tiers": {"call": 2.0}},
        "simulation": {"horizon": "1d", "steps": 1, "paths": 1, "monitoring": "discrete"},
    }
    market = load(config, {"market.reflected": True}).market
    assert isinstance(market, Labelled)
    assert (market.label, market.reflected) == ("x", True)
    with pytest.raises(kernel.InvalidInput) as refused:
        load(config, {"market.reflected": 1, "market.label": 2, "market.jump_mean": 0.0})
    assert [str(problem) for problem in refused.value.problems] == [
        "market.label: must be a text, not 2",
        "market.reflected: must be true or false, not 1",
        "market.jump_mean: belongs to another model: leave it out",
    ]

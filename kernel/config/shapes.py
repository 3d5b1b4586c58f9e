"""Shapes of sections: which keys they have, of which kinds, as the fields of what they state are declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Protocol, Union, get_args, get_origin, get_type_hints

from numpy.typing import ArrayLike

from kernel.checks.text import brief, near
from kernel.config import values


class Flaw(NamedTuple):
    """Something that a section states wrongly, or does not state."""

    steps: tuple[str | int, ...]
    """To its place in the section."""
    message: str
    unknown: bool = False
    """The key has no place there."""
    missing: bool = False
    """The key is not there."""


class Kind(Protocol):
    """What a value is to be."""

    def flaws(self, stated: Any) -> Iterator[Flaw]:
        """Yield what is wrong with a value."""


class Scalar(NamedTuple):
    """A value that is judged as a whole."""

    problem: values.Value

    def flaws(self, stated: Any) -> Iterator[Flaw]:
        """Yield what is wrong with a value."""
        message = self.problem(stated)
        if message is not None:
            yield Flaw((), message)


class TableOf(NamedTuple):
    """Values of one kind, by names that are free."""

    entry: Kind

    def flaws(self, stated: Any) -> Iterator[Flaw]:
        """Yield what is wrong with a table."""
        if not isinstance(stated, dict):
            yield Flaw((), f"must be a table of keys and values, not {brief(stated)}")
            return
        for name, entry in stated.items():
            yield from _below(name, self.entry.flaws(entry))


class ListOf(NamedTuple):
    """Tables of one kind."""

    entry: Kind

    def flaws(self, stated: Any) -> Iterator[Flaw]:
        """Yield what is wrong with a list."""
        if not isinstance(stated, list):
            yield Flaw((), f"must be a list of tables, not {brief(stated)}")
            return
        for k, entry in enumerate(stated):
            yield from _below(k, self.entry.flaws(entry))


class Key(NamedTuple):
    """A key of a table."""

    kind: Kind
    required: bool = False


def key(problem: values.Value, *, required: bool = False) -> Key:
    """Return a key of a value that is judged as a whole."""
    return Key(Scalar(problem), required)


@dataclass(frozen=True)
class Shape:
    """A table of known keys."""

    keys: Mapping[str, Key]
    explain: Callable[[str], str | None] = lambda _: None
    """Says of a key that is unknown where it belongs, if it is known elsewhere."""

    def flaws(self, stated: Any) -> Iterator[Flaw]:
        """Yield what is wrong with a table: values in the order of the keys, then unknown keys, then missing ones."""
        if not isinstance(stated, dict):
            yield Flaw((), f"must be a table of keys and values, not {brief(stated)}")
            return
        for name in self.keys:
            if name in stated:
                yield from _below(name, self.keys[name].kind.flaws(stated[name]))
        for name in stated:
            if name not in self.keys:
                message = self.explain(name) or f"is not known here{near(name, self.keys)}"
                yield Flaw((name,), message, unknown=True)
        for name in self.keys:
            if name not in stated and self.keys[name].required:
                yield Flaw((name,), "is required", missing=True)


@dataclass(frozen=True)
class Variants:
    """Tables of which one key says what kind of thing they state."""

    tag: str
    shapes: Mapping[str, Shape]
    """By the tag, which is not among their keys."""
    default: str | None = None
    """What a table without a tag states; None: the tag is required."""

    def shape(self, stated: Mapping[str, Any]) -> Shape:
        """Return the shape of a table; where its tag tells nothing, that of the default, or one of any known keys."""
        named = stated.get(self.tag, self.default)
        tag = {self.tag: key(values.word(self.shapes), required=self.default is None)}
        known = self.shapes.get(named if isinstance(named, str) else "") or self.shapes.get(self.default or "")
        if known is not None:
            return Shape({**tag, **known.keys}, known.explain)
        every = {name: key(values.anything) for shape in self.shapes.values() for name in shape.keys}
        return Shape({**tag, **every}, next(iter(self.shapes.values())).explain)

    def flaws(self, stated: Any) -> Iterator[Flaw]:
        """Yield what is wrong with a table."""
        yield from self.shape(stated if isinstance(stated, dict) else {}).flaws(stated)


def _below(step: str | int, flaws: Iterator[Flaw]) -> Iterator[Flaw]:
    for flaw in flaws:
        yield flaw._replace(steps=(step, *flaw.steps))


# From dataclasses

# A market's matrices are annotated by an alias of the type of its other numbers, which evaluates to that very type
_ALIASES = {"Matrix": Annotated[ArrayLike, "rows"]}


def _members(hint: Any) -> frozenset[Any]:
    """Return the types of a union but None, or the one type."""
    union = get_origin(hint) in {Union, UnionType}
    return frozenset(get_args(hint) if union else [hint]) - {NoneType}


_KINDS: dict[frozenset[Any], values.Value] = {
    _members(bool): values.FLAG,
    _members(int): values.NUMBER,
    _members(float): values.NUMBER,
    _members(int | float): values.NUMBER,
    _members(str): values.TEXT,
    _members(float | str): values.step,
    _members(Sequence[str]): values.NAMES,
    _members(Sequence[float]): values.NUMBERS,
    _members(tuple[float, ...]): values.NUMBERS,
    _members(float | Sequence[float]): values.NUMBERS,
    _members(float | Mapping[str, float]): values.RATES,
    _members(ArrayLike): values.BY_ASSET,
    _members(_ALIASES["Matrix"]): values.ROWS,
}


def keys_of(stated: type, variants: Mapping[type, Kind] | None = None) -> dict[str, Key]:
    """Return the keys that state a dataclass: those of its fields that a config can state, the required ones first.

    Args:
        stated: the dataclass.
        variants: what states classes that stand in the types of its fields.

    Example:
        >>> from kernel.markets import Gbm
        >>> {name: key.required for name, key in keys_of(Gbm).items()}
        {'assets': True, 'spot': True, 'volatility': True, 'drift': False, 'correlation': False}
    """
    hints, keys = get_type_hints(stated, localns=_ALIASES, include_extras=True), {}
    for field in fields(stated):
        kind = kind_of(hints[field.name], variants or {})
        if field.init and kind is not None:
            keys[field.name] = Key(kind, required=field.default is MISSING and field.default_factory is MISSING)
    return dict(sorted(keys.items(), key=lambda item: not item[1].required))


def kind_of(hint: Any, variants: Mapping[type, Kind]) -> Kind | None:
    """Return the kind of the values of a type, None of a type that no config can state."""
    members = _members(hint)
    problem = _KINDS.get(members)
    if problem is not None or len(members) != 1:
        return None if problem is None else Scalar(problem)
    (member,) = members
    inner = get_args(member)
    if get_origin(member) is Mapping:
        entry = kind_of(inner[1], variants)
        return None if entry is None else TableOf(entry)
    if get_origin(member) is Sequence:
        table = _stating(inner[0], variants)
        return None if table is None else ListOf(table)
    return _stating(member, variants)


def _stating(wanted: Any, variants: Mapping[type, Kind]) -> Kind | None:
    """Return what states a class or, where it is a base of them, those that come of it."""
    return next((kind for stated, kind in variants.items() if wanted in stated.__mro__), None)

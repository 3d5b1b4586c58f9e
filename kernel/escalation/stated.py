"""From plain values, as a config file states them, to what they state, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np

from kernel.checks.text import brief, near
from kernel.errors import InvalidInput, Problem, Problems

LONGEST = 1_000.0  # years, of any duration


def flag(problems: Problems, field: str, value: Any) -> bool:
    """Return a truth value, or False and a problem."""
    if not isinstance(value, bool | np.bool_):
        problems.add(field, f"must be true or false, not {brief(value)}")
        return False
    return bool(value)


@dataclass(frozen=True)
class Stated:
    """A frozen dataclass that plain values state: numbers, texts, and tables of its parts."""

    PARTS: ClassVar[Mapping[str, type[Stated]]] = {}
    """By field, what a table there states."""

    def parameters(self) -> dict[str, Any]:
        """Return what was stated as plain values: what has a default, and is that, is left out."""
        return {
            one.name: _plain(getattr(self, one.name))
            for one in fields(self)
            if getattr(self, one.name) != one.default or one.default is MISSING
        }

    @classmethod
    def of(cls, section: Any) -> Self:
        """Return what plain values state.

        Raises:
            InvalidInput: with every field that has to be mended.
        """
        if not isinstance(section, Mapping):
            raise InvalidInput([Problem("", f"must be a table of settings, not {brief(section)}")])
        problems, known = Problems(), {one.name: one for one in fields(cls)}
        stated = {name: value for name, value in section.items() if value is not None}
        for name in [name for name in stated if name not in known]:
            problems.add(str(name), f"is not a setting here{near(str(name), known) if known else ''}")
            del stated[name]
        for name, part in cls.PARTS.items():
            if name in stated:
                with problems.under(name):
                    stated[name] = part.of(stated[name])
        for name, one in known.items():
            if one.default is MISSING and name not in stated:
                problems.add(name, "is required")
        unfit = {field.partition(".")[0] for field, _ in problems.found}
        try:
            built = cls(**stated)
        except (InvalidInput, TypeError) as error:  # TypeError: of what is missing, which is noted
            found = error.problems if isinstance(error, InvalidInput) else ()
            problems.found += [one for one in found if one.field.partition(".")[0] not in unfit]
        problems.raise_any()
        return built


def _plain(value: Any) -> Any:
    if isinstance(value, Stated):
        return value.parameters()
    if isinstance(value, tuple):
        return value[0] if len(value) == 1 else list(value)
    return value

"""From a section to the object that it states, with its problems under the section's name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from kernel.errors import Problem, Problems

Section = dict[str, Any] | None
"""What a config states of a section, its keys known; None: nothing."""
T = TypeVar("T")


def take(problems: Problems, further: Sequence[Problem]) -> None:
    """Note further problems, but one for each field: the first says why."""
    noted = {field for field, _ in problems.found}
    problems.found.extend(problem for problem in dict.fromkeys(further) if problem.field not in noted)


def built(problems: Problems, prefix: str, build: Callable[..., T], section: Section) -> T | None:
    """Build what a section states; return None, and note why, if it cannot be built or there is no section."""
    if section is None:
        return None
    further = Problems()
    with further.under(prefix):
        return build(**section)
    take(problems, further.found)
    return None


def is_noted(problems: Problems, *fields: str) -> bool:
    """Say whether any of the fields has a problem."""
    return any(field in fields for field, _ in problems.found)

"""What can be wrong with an input, all of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing to mend: the field's path and a sentence that says what would be right."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class InvalidInput(ValueError):  # noqa: N818 - the input is what is wrong, not the program
    """Raised once per input, with every problem found in it."""

    incomplete = False

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))

    def __reduce__(self) -> tuple[type[InvalidInput], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class Incomplete(InvalidInput):
    """Raised when the work ended before it was done, through those who did it: another time the same input may do."""

    incomplete = True


class Problems:
    """Collects problems and raises them together."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, field: str, message: str) -> None:
        """Note that `field` has to be mended."""
        self.found.append(Problem(field, message))

    @contextmanager
    def under(self, prefix: str) -> Iterator[None]:
        """Take over the problems of a part, with their fields below `prefix`."""
        try:
            yield
        except InvalidInput as invalid:
            for field, message in invalid.problems:
                self.add(".".join(part for part in (prefix, field) if part), message)

    def raise_any(self) -> None:
        """Raise `InvalidInput` if anything was found."""
        if self.found:
            raise InvalidInput(self.found)

"""What can be wrong with an input, all of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

_LONGEST_FIELD, _LONGEST, _MOST = 200, 1_000, 100  # letters; problems


class Problem(NamedTuple):
    """One thing to mend: the field's path and a sentence that says what would be right."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class InvalidInput(ValueError):  # noqa: N818 - the input is what is wrong, not the program
    """Raised once per input, with every problem found in it, each on one line whatever the input holds."""

    incomplete = False

    def __init__(self, problems: Sequence[Problem]) -> None:
        shown = [(field, message) for field, message in problems[:_MOST]]
        if len(problems) > _MOST:
            shown.append(("", f"and {len(problems) - _MOST:,} more like these"))
        self.problems = tuple(
            Problem(one_line(field, _LONGEST_FIELD), one_line(message, _LONGEST)) for field, message in shown
        )
        super().__init__("\n".join(map(str, self.problems)))

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


def one_line(text: str, longest: int) -> str:
    r"""Write a text on one line: what does not print is escaped, and the middle left out if it is long.

    Example:
        >>> one_line("a\nb\x1b[31m", 80), one_line("abcdefghij", 4)
        ('a b\\x1b[31m', 'ab...ij')
    """
    text = printable(text)
    if not text.isprintable():
        joined = " ".join(line.strip() for line in text.splitlines())
        text = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in joined)
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]}...{text[-half:]}"


def printable(name: str) -> str:
    """Write text with what it holds of a file's name, bytes that are not UTF-8, in Python's escapes.

    Example:
        >>> len(printable("btc" + chr(0xDCFF)))
        7
    """
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half of a pair of UTF-16, as JSON can hold
        return name.encode("utf-8", "backslashreplace").decode("utf-8")

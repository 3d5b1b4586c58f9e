"""The client: whether, when and how far a call is paid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kernel import checks
from kernel.errors import Problems
from kernel.escalation.stated import LONGEST, Stated

_MOST_CALLS = 10_000


@dataclass(frozen=True)
class Client(Stated):
    """What a client does about calls.

    Args:
        meets: probability that a call is answered, from 0 to 1; or one for each call of a path: the first, the second,
            and so on, the last one for all later calls.
        delay: from the call to the payment, years or a text such as "2h". A payment that is due when the cure period
            ends is in time; one that would be later is not made.
        share: of the demand that is paid, above 0 and at most 1. A call is met only if all of it is paid.
        capacity: what the client can pay in all on one path, in currency.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> client = Client(meets=[0.9, 0.5], delay="2h")
        >>> [client.probability(call) for call in (0, 1, 7)]
        [0.9, 0.5, 0.5]
    """

    meets: float | Sequence[float]
    delay: float | str = 0.0
    share: float = 1.0
    capacity: float = math.inf

    def __post_init__(self) -> None:
        problems = Problems()
        listed = checks.listed(problems, "meets", self.meets, _MOST_CALLS)
        if not listed and not problems.found:
            problems.add("meets", "must be at least one probability, such as 0.7")
        meets = tuple(checks.number(problems, "meets", one, at_least=0, at_most=1) for one in listed)
        object.__setattr__(self, "meets", meets)
        object.__setattr__(self, "delay", checks.years(problems, "delay", self.delay, at_least=0, at_most=LONGEST))
        object.__setattr__(self, "share", checks.number(problems, "share", self.share, above=0, at_most=1))
        unlimited = isinstance(self.capacity, float) and self.capacity == math.inf
        capacity = math.inf if unlimited else checks.number(problems, "capacity", self.capacity, at_least=0)
        object.__setattr__(self, "capacity", capacity)
        problems.raise_any()

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Return the probability that the first call of a path is answered, the second, and so on."""
        return self.meets  # type: ignore[return-value] # made a tuple above

    def probability(self, call: int) -> float:
        """Return the probability that a call of a path is answered; the first is number 0."""
        return self.probabilities[min(call, len(self.probabilities) - 1)]

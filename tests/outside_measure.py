"""A measure defined outside the package: a function of an outcome, and what limits have to know of it."""

from __future__ import annotations

import kernel
from kernel.measures import Measure, losses


def loss_probability(outcome: kernel.Outcome, above: float) -> kernel.Estimate:
    """Estimate the probability that the account loses more than a sum."""
    return losses(outcome).share_above(above)


LOSS_PROBABILITY = Measure("loss_probability", loss_probability, {"above": "number"}, "probability")

"""What is to be known of a simulation: said before it runs, and after."""

from __future__ import annotations

import numpy as np

from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import Opening, opening_notes
from kernel.checks.text import snake
from kernel.markets import Market
from kernel.simulation.settings import Settings

_COARSE = 0.1  # standard deviation of a step's log price


def notes_on(market: Market, opening: Opening, ladder: Ladder, settings: Settings) -> tuple[str, ...]:
    """Say what is to be known of a simulation before it runs, of an account at its opening prices."""
    notes = (*opening_notes(opening, ladder), *_independent(market), *market.notes(settings.horizon))
    if settings.monitoring == "discrete":
        return notes
    if market.between_steps == "approximate":
        name = snake(type(market).__name__)
        notes += (f"what {name} does between its steps is approximated, by Brownian bridges of the steps' variances",)
    return (*notes, *_bridged_coarsely(market, opening, settings.horizon / settings.steps))


def _independent(market: Market) -> tuple[str, ...]:
    correlation = getattr(market, "correlation", None)
    if correlation is None or len(market.assets) == 1 or (np.asarray(correlation) != np.eye(len(market.assets))).any():
        return ()
    return (f"the diffusions of {', '.join(market.assets)} are independent: their correlation is 0",)


def _bridged_coarsely(market: Market, opening: Opening, span: float) -> tuple[str, ...]:
    """Say so where the bridge of several assets is coarse (`docs/accuracy.md`)."""
    moments, held = market.log_moments(span), (opening.value != 0) | (opening.requirement != 0)
    if moments is None or np.count_nonzero(held) <= 1 or moments[1][held].max() <= _COARSE:
        return ()
    far = f"log prices move by {moments[1][held].max():.2g} in a step, and beyond {_COARSE:g} its bias shows"
    return (f"the distance of a tier is bridged approximately on several assets: {far}; use more steps",)


def notes_after(zeros: int, settings: Settings) -> tuple[str, ...]:
    """Say so where prices, of so many paths, fell below what the precision carries."""
    if not zeros:
        return ()
    what = f"end at a price of 0: {settings.precision} precision carries none so low"
    return (f"{zeros:,} of {settings.paths:,} paths {what}",)

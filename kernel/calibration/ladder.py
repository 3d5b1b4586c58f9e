"""Levels of a ladder that leave clients a stated time to respond, with a stated probability."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kernel import checks
from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.calibration.candidates import FEWEST, LIQUIDATION, SIMULATIONS, Clients, Response, solve
from kernel.calibration.progress import Together
from kernel.checks.text import brief
from kernel.errors import Problems
from kernel.markets import Market
from kernel.measures import Estimate
from kernel.measures.estimate import proportion
from kernel.simulation.check import check_simulation
from kernel.tables import Tabular, table_of

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_RESPONSES = 100  # each takes three simulations
_UNKNOWN = Estimate(math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True, eq=False, kw_only=True)
class CalibratedLadder(Tabular):
    """A ladder whose tiers leave the response times asked for."""

    ladder: Ladder
    """The tiers of the responses and, deepest, "liquidation"."""
    levels: dict[str, Estimate]
    """By tier; each interval is given the level of the next deeper tier."""
    achieved: dict[str, Estimate]
    """By tier, the probability that the next one follows within the response time, from noise of its own."""

    def to_arrow(self) -> pa.Table:
        """Return a row for each tier, the highest first: tier, level, achieved, and of both standard_error, low, high.

        Those of the level are null for "liquidation", whose level was stated, and so is what follows it.
        """
        columns: dict[str, Any] = {"tier": self.ladder.names, "level": self.ladder.levels}
        for name, estimates in (("level", self.levels), ("achieved", self.achieved)):
            value, *errors = zip(*(estimates.get(tier, _UNKNOWN) for tier in self.ladder.names), strict=True)
            columns.setdefault(name, value)
            for part, column in zip(("standard_error", "low", "high"), errors, strict=True):
                columns[f"{name}_{part}"] = column
        return table_of(columns)


def calibrate_ladder(
    market: Market,
    account: Account,
    responses: Mapping[str, Response],
    *,
    horizon: float | str,
    liquidation: float = 1.0,
    metric: str = "margin_ratio",
    steps: int = 1,
    paths: int = 200_000,
    seed: int = 0,
    monitoring: str = "continuous",
    precision: str = "single",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> CalibratedLadder:
    """Find the lowest levels such that each tier, once breached, leaves a stated time before the next deeper one.

    For every tier: given that it is breached within the horizon, the next deeper tier is breached within the response
    time of that moment with probability at most the target. Levels are solved from the deepest tier up. One
    simulation has many candidate levels as tiers, so every path tells when it breached each of them; two more, on the
    same noise, look closer around the level found. Its interval holds the levels whose Wilson interval of that
    probability holds the target. A jump that passes both tiers leaves no time at all: where jumps alone do so more
    often than the target allows, no level keeps it.

    Args:
        market: at its opening state, also that of its volatility.
        account: its opening equity and requirement are those of the client.
        responses: by tier, the highest first; the last is followed by the tier "liquidation".
        horizon: years, or a text such as "30d", within which a tier is breached; the simulation goes on for the
            response time. It matters only where what follows a breach depends on when it happens, or how.
        liquidation: level of the deepest tier, below the opening value of the metric.
        metric: "margin_ratio" or "equity_fraction".
        steps: equal steps of the horizon; the response time takes further ones of their length.
        paths: of each simulation, at least 100.
        seed: that of the levels; the achieved probabilities come from the next one.
        monitoring: as of `simulate`.
        precision: as of `simulate`.
        threads: as of `simulate`.
        progress: called with paths done and paths in all, of all simulations, in the calling thread.

    Raises:
        InvalidInput: with every field to be mended; for a target that no level below the opening value keeps; for
            too few paths that breach.

    Example:
        >>> import kernel
        >>> found = kernel.calibrate_ladder(
        ...     kernel.Gbm(assets=["BTC"], spot=60_000.0, volatility=0.65),
        ...     kernel.Account(cash=-54_000.0, positions=[kernel.Linear("BTC", quantity=1.0)], maintenance_rate=0.005),
        ...     {"call": kernel.Response(time=4 / 24 / 365, probability=0.2)}, horizon=5 / 365, paths=20_000)
        >>> found.ladder.names
        ('call', 'liquidation')
    """
    stated = {
        "horizon": horizon, "steps": steps, "paths": paths, "seed": seed, "monitoring": monitoring,
        "precision": precision, "record": "paths", "threads": threads, "progress": progress,
    }  # fmt: skip
    problems = Problems()
    responses = _checked_responses(problems, responses)
    parts = {"market": market, "account": account}
    with problems.under(""):
        liquidation = checks.number(problems, "liquidation", liquidation)
        parts["ladder"] = Ladder({LIQUIDATION: liquidation if math.isfinite(liquidation) else 0.0}, metric)
    settings = check_simulation(problems, stated, **parts)
    if settings.paths < FEWEST:
        problems.add("paths", f"must be at least {FEWEST}, or no share of them says anything")
    problems.raise_any()
    together = Together(progress, SIMULATIONS * len(responses) + 1, settings.paths)
    clients = Clients(market, account, metric, replace(settings, progress=together))
    if liquidation >= clients.opening:
        problems.add("liquidation", f"must be below the opening {metric} ({clients.opening:g}), not {liquidation:g}")
    problems.raise_any()
    levels: dict[str, Estimate] = {}
    below = liquidation
    for name in reversed(list(responses)):
        levels[name] = solve(clients, name, responses[name], below)
        together.pass_over(SIMULATIONS * len(levels))
        below = levels[name].value
    levels = {name: levels[name] for name in responses}
    ladder = Ladder({**{name: level.value for name, level in levels.items()}, LIQUIDATION: liquidation}, metric)
    return CalibratedLadder(ladder=ladder, levels=levels, achieved=_achieved(clients, ladder, responses))


def _checked_responses(problems: Problems, responses: object) -> dict[str, Response]:
    """Return the responses with their numbers as numbers."""
    checked: dict[str, Response] = {}
    listed = responses if isinstance(responses, Mapping) else {}
    if not listed or not all(map(checks.is_name, listed)):
        message = "must map at least one tier to a kernel.Response, such as {'call': Response(...)}"
        problems.add("responses", f"{message}: names are {checks.NAME}")
        return checked
    if len(listed) > _MOST_RESPONSES:
        problems.add("responses", f"must be at most {_MOST_RESPONSES}, not {len(listed):,}")
        return checked
    for name, response in listed.items():
        if name == LIQUIDATION:
            problems.add("responses.liquidation", "is the deepest tier, which nothing follows: leave it out")
        elif not isinstance(response, Response):
            problems.add(f"responses.{name}", f"must be a kernel.Response, not {brief(response)}")
        else:
            time = checks.years(problems, f"responses.{name}.time", response.time, above=0, at_most=1_000)
            share = checks.number(problems, f"responses.{name}.probability", response.probability, above=0, below=1)
            checked[name] = Response(time, share)
    return checked


def _achieved(clients: Clients, ladder: Ladder, responses: Mapping[str, Response]) -> dict[str, Estimate]:
    """Estimate how often the next tier follows, from the noise of the next seed."""
    seed = (clients.settings.seed + 1) % 2**64
    times = clients.breach_times(ladder, max(response.years for response in responses.values()), seed)
    return {
        name: proportion(*clients.followed(times[k], times[k + 1], response.years))
        for k, (name, response) in enumerate(responses.items())
    }

"""Margin rates by leverage, volatility state and horizon, on the same noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kernel import checks
from kernel._core.noise import MAX_STEPS
from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import open_account
from kernel.calibration.period import check_period
from kernel.calibration.progress import Together
from kernel.errors import Problems
from kernel.instruments import Linear
from kernel.markets import Market
from kernel.measures import Estimate, threshold
from kernel.simulation.simulate import simulate
from kernel.tables import Tabular, table_of

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_POINTS = 1_000  # states, leverages or horizons
_MOST_STEPS = 10_000  # that horizons may ask for
_NONE = Estimate(math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True, eq=False, kw_only=True)
class Surface(Tabular):
    """Rates [state, leverage, horizon], NaN where no rate above 0 keeps the target."""

    states: tuple[str, ...]
    leverages: NDArray[np.float64]
    """Opening gross notional over opening equity."""
    horizons: NDArray[np.float64]
    """Years."""
    probability: float
    rate: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def to_arrow(self) -> pa.Table:
        """Return a row for each rate: state, leverage, horizon in years, rate, error and interval; null: none."""
        places = np.array(list(np.ndindex(self.rate.shape)))
        columns: dict[str, Any] = {
            "state": [self.states[k] for k in places[:, 0]],
            "leverage": self.leverages[places[:, 1]],
            "horizon": self.horizons[places[:, 2]],
        }
        for name in ("rate", "standard_error", "low", "high"):
            columns[name] = getattr(self, name).ravel()
        return table_of(columns)


def margin_surface(
    states: Mapping[str, Market],
    leverages: Sequence[float],
    horizons: Sequence[float | str],
    probability: float,
    *,
    account: Account | None = None,
    steps: int | None = None,
    paths: int = 200_000,
    seed: int = 0,
    monitoring: str = "continuous",
    precision: str = "single",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Surface:
    """Find, by volatility state, leverage and horizon, the highest maintenance rate that seldom liquidates a client.

    A client opens with equity of 1 / leverage of the gross notional, the sum over the positions of |quantity| * price,
    and is liquidated when the equity first falls to the rate times the gross notional at the prices of that time. The
    rate is the one for which that happens within the horizon with the stated probability: a venue that asks for more
    liquidates such clients more often. Where equity runs out more often than that, no rate above 0 does: NaN.

    One simulation for each state and leverage has the worst equity over gross notional by every horizon; all of them
    share their seed, so that what differs between rates is not noise.

    Args:
        states: markets by name, such as {"calm": ..., "stressed": ...}, with the same assets.
        leverages: above 0, rising.
        horizons: years, or texts such as "1d", above 0, rising; each is the end of one of the equal steps of the last.
        probability: of a liquidation within the horizon, from 1 / paths to below 1.
        account: its positions count, at the opening prices of each state; its cash and margin rule do not.
            Default: long one asset.
        steps: equal ones of the last horizon, by the rules of `simulate`; default: the fewest that end at every one.
        paths: of each simulation.
        seed: of all of them.
        monitoring: as of `simulate`.
        precision: as of `simulate`.
        threads: as of `simulate`.
        progress: called with paths done and paths in all, of all simulations, in the calling thread.

    Raises:
        InvalidInput: with every field to be mended.

    Example:
        >>> import kernel
        >>> calm, wild = (kernel.Gbm(assets=["BTC"], spot=60_000.0, volatility=sigma) for sigma in (0.4, 1.0))
        >>> surface = kernel.margin_surface(
        ...     {"calm": calm, "wild": wild}, [5, 10, 20], [1 / 365, 5 / 365], 0.05, paths=20_000)
        >>> surface.rate.shape
        (2, 3, 2)
    """
    problems = Problems()
    shared = {
        "paths": paths, "seed": seed, "monitoring": monitoring, "precision": precision, "threads": threads,
        "progress": progress,
    }  # fmt: skip
    leverage = _rising(problems, "leverages", leverages, checks.number, at_most=1e6)
    horizon = _rising(problems, "horizons", horizons, checks.years, at_most=1_000)
    probability = checks.number(problems, "probability", probability, above=0, below=1)
    whole = _steps(problems, horizon, steps)
    markets = _checked_states(problems, states)
    if account is None and markets and len(markets[0].assets) > 1:
        problems.add("account", "must be stated where there are several assets: its positions are what is held")
    held = account
    if account is None and markets:
        held = Account(cash=0.0, positions=[Linear(markets[0].assets[0], quantity=1.0)], maintenance_rate=1.0)
    for name, market in zip(states if markets else (), markets, strict=True):
        stated = {**shared, "horizon": float(horizon[-1]), "steps": whole}
        fields = {"horizon": "horizons", "market": f"states.{name}"}
        settings = check_period(problems, market, held, stated, fields)
    problems.raise_any()
    if probability * settings.paths < 1:
        problems.add("probability", f"must be at least 1 / paths ({1 / settings.paths:g}), not {probability:g}")
    problems.raise_any()
    assert held is not None  # noqa: S101 - or there were problems
    together = Together(progress, len(markets) * leverage.size, settings.paths)
    walked = {**settings.keywords(), "levels": (1 - probability,), "worst": horizon, "progress": together}
    found = [[_rates(market, held, one, probability, walked) for one in leverage] for market in markets]
    rate, error, low, high = np.moveaxis(np.array(found), -1, 0)
    return Surface(
        states=tuple(states), leverages=leverage, horizons=horizon, probability=probability,
        rate=rate, standard_error=error, low=low, high=high,
    )  # fmt: skip


def _checked_states(problems: Problems, states: object) -> list[Market]:
    """Return the markets, or none and a problem."""
    if not isinstance(states, Mapping) or not states or not all(map(checks.is_name, states)):
        message = "must map at least one name to a market, such as {'calm': kernel.Gbm(...)}"
        problems.add("states", f"{message}: names are {checks.NAME}")
        return []
    if len(states) > _MOST_POINTS:
        problems.add("states", f"must be at most {_MOST_POINTS:,}, not {len(states):,}")
        return []
    markets = list(states.values())
    wrong = [name for name, one in states.items() if not isinstance(one, Market)]
    for name in wrong:
        problems.add(f"states.{name}", f"must be a kernel.Market, not {type(states[name]).__name__}")
    if wrong:
        return []
    for name, one in states.items():
        if one.assets != markets[0].assets:
            problems.add(f"states.{name}", f"must have the assets of the first, {', '.join(markets[0].assets)}")
    return markets


def _rising(
    problems: Problems, field: str, values: object, check: Callable[..., float], *, at_most: float
) -> NDArray[np.float64]:
    """Return numbers above 0 that rise, or a 1 and a problem."""
    noted = len(problems.found)
    listed = checks.listed(problems, field, values, _MOST_POINTS)
    found = np.array([check(problems, field, one, above=0, at_most=at_most) for one in listed])
    if len(problems.found) == noted and (not found.size or (np.diff(found) <= 0).any()):
        problems.add(field, "must be at least one number, each above the one before")
    return found if len(problems.found) == noted else np.ones(1)


def _steps(problems: Problems, horizons: NDArray[np.float64], steps: int | None) -> int:
    """Return the steps stated, or the fewest equal ones of the last horizon; they end at every one."""
    shares = [Fraction(float(one)).limit_denominator(_MOST_STEPS) for one in horizons / horizons[-1]]
    fewest = math.lcm(*(share.denominator for share in shares))
    if fewest > _MOST_STEPS or not np.allclose(
        [float(one) for one in shares], horizons / horizons[-1], rtol=0, atol=1e-9
    ):
        problems.add("horizons", f"must be ends of at most {_MOST_STEPS:,} equal steps of the last: round them")
        return 1
    if steps is None:
        return fewest
    noted = len(problems.found)
    whole = checks.whole(problems, "steps", steps, 1, MAX_STEPS)
    if whole % fewest and len(problems.found) == noted:
        problems.add("steps", f"must end at every horizon: {fewest} or a multiple of it, not {whole}")
    return whole


def _rates(
    market: Market,
    held: Account,
    leverage: float,
    probability: float,
    settings: Mapping[str, Any],
) -> list[Estimate]:
    """Return the rates of a state and a leverage, by horizon: a maintenance rate of 1 makes them the margin ratio."""
    gross = float(held.notional(market.assets, np.asarray(market.spot)).sum())
    owned = replace(held, cash=0.0, maintenance_rate=1.0, margin=None)
    client = replace(owned, cash=gross / leverage - open_account(owned, market.assets, np.asarray(market.spot)).equity)
    outcome = simulate(market, client, Ladder({"nothing left": 0.0}), **settings)
    rates = [threshold(outcome, probability, by) for by in outcome.worst_times]
    return [one if one.value > 0 else _NONE for one in rates]

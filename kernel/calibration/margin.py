"""Margin rates from targets: how much equity an account needs for its close-out, and to stay clear of a call."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kernel import checks
from kernel.accounts import Account
from kernel.calibration.adjustment import Adjustment, Policy, rounded_up
from kernel.calibration.period import Period, check_linear, check_period, portfolio_of
from kernel.calibration.progress import Together
from kernel.calibration.target import (
    LONGEST,
    MEASURES,
    check_rate,
    check_risk_period,
    check_shares,
    check_target,
    is_passage,
)
from kernel.errors import Problems
from kernel.markets import Market
from kernel.measures import Estimate
from kernel.simulation.settings import Settings
from kernel.tables import Tabular, table_of

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False, kw_only=True)
class Margin(Tabular):
    """Margin rates, as shares of the gross notional: the sum over the positions of |quantity| * price."""

    maintenance_rate: float
    """The final one, after every adjustment."""
    initial_rate: float
    """The final one, on top of the final maintenance rate."""
    maintenance: Estimate
    """As measured on the market, before any adjustment."""
    initial: Estimate
    """As measured for the final maintenance rate, before rounding."""
    adjustments: tuple[Adjustment, ...]
    """From the measured maintenance rate, step by step, to the final one."""

    def to_arrow(self) -> pa.Table:
        """Return a row for each step to a final rate: margin (maintenance or initial), step, rate and its errors.

        Steps are those of `adjustments`; of the initial rate "measured" and "final". Only what is measured has a
        standard_error, low and high; the last row of each margin is in force.
        """
        steps = [("maintenance", *adjustment) for adjustment in self.adjustments]
        steps += [("initial", "measured", self.initial.value), ("initial", "final", self.initial_rate)]
        measured = {"maintenance": self.maintenance, "initial": self.initial}
        errors = [measured[kind][1:] if name == "measured" else (math.nan,) * 3 for kind, name, _ in steps]
        names = ("margin", "step", "rate", "standard_error", "low", "high")
        rows = [(*step, *error) for step, error in zip(steps, errors, strict=True)]
        return table_of(dict(zip(names, zip(*rows, strict=True), strict=True)))


def calibrate_margin(
    market: Market,
    account: Account,
    *,
    liquidation_period: float | str,
    latency: float | str = 0.0,
    measure: str = "first_passage",
    probability: float | None = None,
    confidence: float | None = None,
    call_probability: float = 0.05,
    call_period: float | str = 1 / 365,
    buffer: float = 0.0,
    stressed: Market | None = None,
    stressed_weight: float = 0.25,
    floor_market: Market | None = None,
    floor: float = 0.0,
    grid: float | Sequence[float] | None = None,
    steps: int = 1,
    call_steps: int = 1,
    paths: int = 1_000_000,
    seed: int = 0,
    monitoring: str = "continuous",
    precision: str = "single",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Margin:
    """Find the least maintenance and initial rates that keep stated targets for a portfolio.

    The margin period of risk is the latency, from the breach to the fill, and the liquidation period, until the
    position is closed. The whole position is held until its end: conservative, since most is closed before.

    The maintenance rate m is a share of the gross notional, and the account stands exactly at that requirement when the
    period begins (a jump that carries it below is not part of the period). By measure:

    - "first_passage": the least m such that the equity falls to zero or below at any time of the period with at most
      the stated `probability`;
    - "value_at_risk", "expected_shortfall": the loss over the period at the stated `confidence`, over the opening gross
      notional, as clearing houses reckon (99% Expected Shortfall over two days, 99.5% Value at Risk over five).

    Then the choices of article 28 of the delegated regulation (EU) 153/2013 against procyclical margins, each where it
    is asked for and in this order: the weight on a stressed market, the buffer, the floor of a market with the
    volatility of a long look-back; then the least rate and the venue's grid.

    The initial rate i is the least such that an account opened at it, with equity of i times its gross notional, is
    called within the call period with at most the stated probability: its equity falls to the final m times the gross
    notional at the prices of that time.

    Of stochastic volatility, every period begins in the market's opening state; breaches are likelier when it is high,
    so calibrate on a market that opens in such a state, or state one as `stressed`.

    Args:
        market: that the account is held on.
        account: its positions count, linear ones; its cash and margin rule do not.
        liquidation_period: years, or a text such as "2d", above 0.
        latency: years, or a text such as "1h", at least 0.
        measure: "first_passage", "value_at_risk" or "expected_shortfall".
        probability: of "first_passage", above 0 and below 1, at least 10 / paths.
        confidence: of the other two, such as 0.99.
        call_probability: of a call within the call period, above 0 and below 1, at least 10 / paths.
        call_period: years, or a text such as "1d", above 0.
        buffer: share added to the rate; the regulation has 0.25.
        stressed: market of the same assets, whose rate counts with `stressed_weight`.
        stressed_weight: from 0 to 1; the regulation has 0.25.
        floor_market: market of the same assets, whose rate is a floor; the regulation looks ten years back.
        floor: least rate, from 0 to below 1.
        grid: that rates are rounded up to: a number, to its multiples; or the rates that there are.
        steps: equal steps of the margin period of risk, by the rules of `simulate`.
        call_steps: equal steps of the call period.
        paths: of each simulation.
        seed: of all of them: what differs between rates is not noise.
        monitoring: as of `simulate`.
        precision: as of `simulate`.
        threads: as of `simulate`.
        progress: called with paths done and paths in all, of all simulations, in the calling thread.

    Raises:
        InvalidInput: with every field to be mended; for targets that no rate above 0 and below 1, or none of the grid,
            keeps.

    Example:
        >>> import kernel
        >>> margin = kernel.calibrate_margin(
        ...     kernel.Gbm(assets=["BTC"], spot=60_000.0, volatility=0.65),
        ...     kernel.Account(cash=0.0, positions=[kernel.Linear("BTC", quantity=1.0)], maintenance_rate=0.005),
        ...     liquidation_period=1 / 24 / 365, probability=0.01, buffer=0.25, grid=0.005, paths=20_000)
        >>> margin.maintenance_rate
        0.025
    """
    policy = Policy(buffer, stressed, stressed_weight, floor_market, floor, grid)
    shared = {
        "paths": paths, "seed": seed, "monitoring": monitoring, "precision": precision, "threads": threads,
        "progress": progress,
    }  # fmt: skip
    problems = Problems()
    target = check_target(problems, measure, probability, confidence)
    call_probability = checks.number(problems, "call_probability", call_probability, above=0, below=1)
    whole, field = check_risk_period(problems, latency, liquidation_period)
    call_period = checks.years(problems, "call_period", call_period, above=0, at_most=LONGEST)
    risk = {**shared, "horizon": whole, "steps": steps}
    of_risk = check_period(problems, market, account, risk, {"horizon": field})
    call = {**shared, "horizon": call_period, "steps": call_steps}
    of_call = check_period(problems, market, account, call, {"horizon": "call_period", "steps": "call_steps"})
    check_linear(problems, account)
    policy = policy.checked(problems, market)
    _check_policy_periods(problems, policy, market, account, risk)
    check_shares(problems, target if is_passage(measure) else 1.0, call_probability, of_risk.paths)
    return _calibrated(market, account, measure, target, policy, of_risk, of_call, call_probability)


def _check_policy_periods(
    problems: Problems, policy: Policy, market: object, account: Account, risk: Mapping[str, Any]
) -> None:
    """Note what cannot be simulated on the policy's own markets."""
    for field, other in (("stressed", policy.stressed), ("floor_market", policy.floor_market)):
        if isinstance(other, Market) and isinstance(market, Market) and other.assets == market.assets:
            check_period(problems, other, account, risk, dict.fromkeys(("horizon", "steps"), field))


def _calibrated(
    market: Market,
    account: Account,
    measure: str,
    target: float,
    policy: Policy,
    of_risk: Settings,
    of_call: Settings,
    call_probability: float,
) -> Margin:
    """Measure both rates."""
    simulations = 2 + (policy.stressed is not None) + (policy.floor_market is not None)
    together = Together(of_risk.progress, simulations, of_risk.paths)
    risk, call = (Period(replace(settings, progress=together)) for settings in (of_risk, of_call))
    portfolio = portfolio_of(account, market)
    gross = float(portfolio.gross.sum())

    def rate_on(market: Market) -> Estimate:
        if measure == MEASURES[0]:
            return risk.deepest_fall(market, portfolio.net, gross, target)
        return risk.loss(market, portfolio.net, gross, measure, target)

    maintenance = rate_on(market)
    adjustments = policy.adjusted(maintenance.value, lambda other: rate_on(other).value)
    final = adjustments[-1].rate
    check_rate("probability" if measure == MEASURES[0] else "confidence", "maintenance", final)
    # Equity less the requirement, i G + sum of q (S - S0) - m sum of |q| S, is linear in the prices too.
    fall = call.deepest_fall(market, portfolio.net - final * portfolio.gross, gross, call_probability)
    together.pass_over(simulations)  # what is worth nothing is not simulated
    initial = Estimate(final + fall.value, fall.standard_error, final + fall.low, final + fall.high)
    opened = rounded_up(initial.value, policy.grid)
    check_rate("call_probability", "initial", opened)
    return Margin(
        maintenance_rate=final, initial_rate=opened, maintenance=maintenance, initial=initial, adjustments=adjustments
    )

"""Margin rates from targets: how much equity an account needs for its close-out, and to stay clear of a call."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kernel import checks
from kernel.accounts import Account
from kernel.calibration.adjustment import Adjustment, Policy, rounded_up
from kernel.calibration.period import Period, Portfolio, check_linear, check_period, portfolio_of
from kernel.calibration.progress import Together
from kernel.errors import Problems
from kernel.markets import Market
from kernel.measures import Estimate
from kernel.tables import Tabular, table_of

if TYPE_CHECKING:
    import pyarrow as pa

MEASURES = ("first_passage", "value_at_risk", "expected_shortfall")
_LONGEST = 1_000  # years
_FEWEST = 10  # paths that miss a target, so that it has an interval


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
        steps = [("maintenance", *one) for one in self.adjustments]
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
    target = _check_target(problems, measure, probability, confidence)
    call_probability = checks.number(problems, "call_probability", call_probability, above=0, below=1)
    latency = checks.years(problems, "latency", latency, at_least=0, at_most=_LONGEST)
    liquidation_period = checks.years(problems, "liquidation_period", liquidation_period, above=0, at_most=_LONGEST)
    call_period = checks.years(problems, "call_period", call_period, above=0, at_most=_LONGEST)
    risk_period = {**shared, "horizon": latency + liquidation_period, "steps": steps}
    of_risk = check_period(
        problems, market, account, risk_period, {"horizon": "latency" if math.isnan(latency) else "liquidation_period"}
    )
    stated = {**shared, "horizon": call_period, "steps": call_steps}
    of_call = check_period(problems, market, account, stated, {"horizon": "call_period", "steps": "call_steps"})
    check_linear(problems, account)
    policy = policy.checked(problems, market)
    for field, one in (("stressed", stressed), ("floor_market", floor_market)):
        if isinstance(one, Market) and isinstance(market, Market) and one.assets == market.assets:
            check_period(problems, one, account, risk_period, dict.fromkeys(("horizon", "steps"), field))
    problems.raise_any()
    shares = {"probability": target if measure == MEASURES[0] else 1.0, "call_probability": call_probability}
    for field, share in shares.items():
        if share * of_risk.paths < _FEWEST:
            least = f"{_FEWEST} / paths ({_FEWEST / of_risk.paths:g})"
            problems.add(field, f"must be at least {least}, not {share:g}: use more paths")
    problems.raise_any()
    simulations = 2 + (stressed is not None) + (floor_market is not None)
    together = Together(progress, simulations, of_risk.paths)
    period, call = (Period(replace(one, progress=together)) for one in (of_risk, of_call))
    portfolio = portfolio_of(account, market)
    found = _calibrated(market, portfolio, measure, target, policy, period, call, call_probability)
    together.pass_over(simulations)  # what is worth nothing is not simulated
    return found


def _check_target(problems: Problems, measure: str, probability: float | None, confidence: float | None) -> float:
    """Return the target of the measure; note another measure's."""
    noted = len(problems.found)
    checks.choice(problems, "measure", measure, MEASURES)
    if len(problems.found) > noted:
        return math.nan
    wanted, other = ("probability", "confidence") if measure == MEASURES[0] else ("confidence", "probability")
    given = {"probability": probability, "confidence": confidence}
    if given[other] is not None:
        problems.add(other, f"is not for {measure}: leave it out and state the {wanted}")
    if given[wanted] is None:
        problems.add(wanted, f"is required for {measure}, such as {0.01 if wanted == 'probability' else 0.99}")
        return math.nan
    return checks.number(problems, wanted, given[wanted], above=0, below=1)


def _calibrated(
    market: Market,
    portfolio: Portfolio,
    measure: str,
    target: float,
    policy: Policy,
    period: Period,
    call: Period,
    call_probability: float,
) -> Margin:
    gross = float(portfolio.gross.sum())

    def rate_of(one: Market) -> Estimate:
        if measure == MEASURES[0]:
            return period.deepest_fall(one, portfolio.net, gross, target)
        return period.loss(one, portfolio.net, gross, measure, target)

    maintenance = rate_of(market)
    adjustments = policy.adjusted(maintenance.value, lambda one: rate_of(one).value)
    final = adjustments[-1].rate
    _check_rate("probability" if measure == MEASURES[0] else "confidence", "maintenance", final)
    # Equity less the requirement, i G + sum of q (S - S0) - m sum of |q| S, is linear in the prices too.
    fall = call.deepest_fall(market, portfolio.net - final * portfolio.gross, gross, call_probability)
    initial = Estimate(final + fall.value, fall.standard_error, final + fall.low, final + fall.high)
    opened = rounded_up(initial.value, policy.grid)
    _check_rate("call_probability", "initial", opened)
    return Margin(
        maintenance_rate=final, initial_rate=opened, maintenance=maintenance, initial=initial, adjustments=adjustments
    )


def _check_rate(field: str, kind: str, rate: float) -> None:
    """Refuse a rate that is none, or that leaves nothing to be borrowed."""
    problems = Problems()
    if rate >= 1:
        mend = "aim lower, shorten the period or lessen what is added to the rate"
        problems.add(field, f"no {kind} rate below 1 keeps it, {rate:.4g} would be needed: {mend}")
    if rate <= 0:
        problems.add(field, f"asks for no margin: the {kind} rate would be {rate:.4g}: aim higher, or state a floor")
    problems.raise_any()

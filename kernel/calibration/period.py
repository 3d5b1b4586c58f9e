"""What may happen to a portfolio within a period, as shares of its opening gross notional."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import moves_linearly
from kernel.errors import Problem, Problems
from kernel.instruments import Linear
from kernel.markets import Market
from kernel.measures import Estimate, expected_shortfall, threshold, value_at_risk
from kernel.simulation.check import check_simulation
from kernel.simulation.outcome import Outcome
from kernel.simulation.settings import Settings
from kernel.simulation.simulate import simulate

_LADDER = Ladder({"nothing left": 0.0}, metric="equity_fraction")


class Portfolio(NamedTuple):
    """Positions by the value that they move with, [asset], at the opening prices, in currency."""

    net: NDArray[np.float64]
    """Quantity times price."""
    gross: NDArray[np.float64]
    """|Quantity| times price, added up over the positions."""


def portfolio_of(account: Account, market: Market) -> Portfolio:
    """Return the positions of an account at a market's opening prices."""
    return Portfolio(account.worth(market.assets, market.spot).value, account.notional(market.assets, market.spot))


def check_linear(problems: Problems, account: Any) -> None:
    """Note positions whose fall is not theirs at another size or level of prices, as those of a rate have to be."""
    if isinstance(account, Account) and not moves_linearly(account):
        problems.add("account.positions", "must be linear: a margin rate is a share of what their prices make of them")


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """Return an estimate of a multiple; a factor below 0 turns the interval round."""
    value, error, low, high = (factor * part for part in estimate)
    return Estimate(value, abs(error), min(low, high), max(low, high))


class Period(NamedTuple):
    """A time in steps, and how it is simulated."""

    settings: Settings

    def deepest_fall(self, market: Market, net: NDArray[np.float64], gross: float, probability: float) -> Estimate:
        """Estimate the fall in value, over `gross`, that is reached at any time of the period with a probability."""
        if not net.any():
            return Estimate(0.0, 0.0, 0.0, 0.0)
        level = threshold(self._outcome(market, net, gross, 1 - probability, worst=True), probability)
        return Estimate(1 - level.value, level.standard_error, 1 - level.high, 1 - level.low)

    def loss(self, market: Market, net: NDArray[np.float64], gross: float, measure: str, confidence: float) -> Estimate:
        """Estimate Value at Risk or Expected Shortfall at the end of the period, over `gross`."""
        if not net.any():
            return Estimate(0.0, 0.0, 0.0, 0.0)
        estimate = value_at_risk if measure == "value_at_risk" else expected_shortfall
        outcome = self._outcome(market, net, gross, confidence, worst=False)
        return scaled(estimate(outcome, confidence), 1 / gross)

    def _outcome(self, market: Market, net: NDArray[np.float64], gross: float, level: float, *, worst: bool) -> Outcome:
        """Simulate an account whose opening equity is `gross`, so that its metric is 1 less the fall over it."""
        held = zip(market.assets, net / np.asarray(market.spot), strict=True)
        positions = [Linear(name, float(quantity)) for name, quantity in held if quantity != 0]
        account = Account(cash=gross - float(net.sum()), positions=positions, maintenance_rate=1.0)
        return simulate(market, account, _LADDER, **{**self.settings.keywords(), "levels": (level,), "worst": worst})


def check_period(
    problems: Problems, market: Any, account: Any, stated: Mapping[str, Any], fields: Mapping[str, str]
) -> Settings:
    """Note what `simulate` would refuse, by the names in `fields`, once each; return the settings of a summary."""
    own = Problems()
    settings = check_simulation(own, stated, market=market, account=account)
    noted = {field for field, _ in problems.found}
    renamed = [Problem(fields.get(field, field), message) for field, message in own.found]
    problems.found += [problem for problem in renamed if problem.field not in noted]
    return settings

"""Monte Carlo for margin-call escalation: losses, and when each tier of a margin ladder first breaches."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # and when used: the command's help would wait a second for what it does not need
    from kernel.accounts import Account as Account
    from kernel.accounts.ladder import Ladder as Ladder
    from kernel.backtesting import Backtest as Backtest
    from kernel.backtesting import backtest as backtest
    from kernel.calibration import CalibratedLadder as CalibratedLadder
    from kernel.calibration import Margin as Margin
    from kernel.calibration import Response as Response
    from kernel.calibration import Surface as Surface
    from kernel.calibration import calibrate_ladder as calibrate_ladder
    from kernel.calibration import calibrate_margin as calibrate_margin
    from kernel.calibration import margin_surface as margin_surface
    from kernel.config.load import load as load
    from kernel.config.run import Run as Run
    from kernel.errors import InvalidInput as InvalidInput
    from kernel.escalation import Call as Call
    from kernel.escalation import Client as Client
    from kernel.escalation import CloseOut as CloseOut
    from kernel.escalation import Escalation as Escalation
    from kernel.escalation import Notice as Notice
    from kernel.escalation import SquareRootImpact as SquareRootImpact
    from kernel.figures import plot_backtest as plot_backtest
    from kernel.figures import plot_endings as plot_endings
    from kernel.figures import plot_fits as plot_fits
    from kernel.figures import plot_surface as plot_surface
    from kernel.figures import plot_thresholds as plot_thresholds
    from kernel.fitting import Fit as Fit
    from kernel.instruments import Instrument as Instrument
    from kernel.instruments import Linear as Linear
    from kernel.margin import Flat as Flat
    from kernel.margin import MarginRule as MarginRule
    from kernel.markets import Bates as Bates
    from kernel.markets import FilteredHistorical as FilteredHistorical
    from kernel.markets import Gbm as Gbm
    from kernel.markets import Heston as Heston
    from kernel.markets import Kou as Kou
    from kernel.markets import Market as Market
    from kernel.markets import Merton as Merton
    from kernel.markets.choice import Choice as Choice
    from kernel.markets.choice import choose as choose
    from kernel.measures import BadDebt as BadDebt
    from kernel.measures import CallCounts as CallCounts
    from kernel.measures import Endings as Endings
    from kernel.measures import Estimate as Estimate
    from kernel.measures import Survival as Survival
    from kernel.measures import ThresholdCurve as ThresholdCurve
    from kernel.measures import bad_debt as bad_debt
    from kernel.measures import breach_probability as breach_probability
    from kernel.measures import breach_time_quantile as breach_time_quantile
    from kernel.measures import call_counts as call_counts
    from kernel.measures import endings as endings
    from kernel.measures import expected_shortfall as expected_shortfall
    from kernel.measures import response_time as response_time
    from kernel.measures import survival as survival
    from kernel.measures import threshold_curve as threshold_curve
    from kernel.measures import value_at_risk as value_at_risk
    from kernel.measures.threshold import threshold as threshold
    from kernel.prices import read_prices as read_prices
    from kernel.prices.history import History as History
    from kernel.simulation.escalation_outcome import EscalationOutcome as EscalationOutcome
    from kernel.simulation.outcome import Outcome as Outcome
    from kernel.simulation.path_outcome import PathOutcome as PathOutcome
    from kernel.simulation.simulate import simulate as simulate
    from kernel.simulation.summary_outcome import SummaryOutcome as SummaryOutcome

_PLACES = {
    "Account": "kernel.accounts",
    "Instrument": "kernel.instruments",
    "Linear": "kernel.instruments",
    "Flat": "kernel.margin",
    "MarginRule": "kernel.margin",
    "Backtest": "kernel.backtesting",
    "backtest": "kernel.backtesting",
    "CalibratedLadder": "kernel.calibration",
    "Margin": "kernel.calibration",
    "Response": "kernel.calibration",
    "Surface": "kernel.calibration",
    "calibrate_ladder": "kernel.calibration",
    "calibrate_margin": "kernel.calibration",
    "margin_surface": "kernel.calibration",
    "Choice": "kernel.markets.choice",
    "choose": "kernel.markets.choice",
    "Run": "kernel.config.run",
    "load": "kernel.config.load",
    "InvalidInput": "kernel.errors",
    "Call": "kernel.escalation",
    "Client": "kernel.escalation",
    "CloseOut": "kernel.escalation",
    "Escalation": "kernel.escalation",
    "Notice": "kernel.escalation",
    "SquareRootImpact": "kernel.escalation",
    "plot_backtest": "kernel.figures",
    "plot_endings": "kernel.figures",
    "plot_fits": "kernel.figures",
    "plot_surface": "kernel.figures",
    "plot_thresholds": "kernel.figures",
    "Fit": "kernel.fitting",
    "History": "kernel.prices.history",
    "Ladder": "kernel.accounts.ladder",
    "Bates": "kernel.markets",
    "FilteredHistorical": "kernel.markets",
    "Gbm": "kernel.markets",
    "Heston": "kernel.markets",
    "Kou": "kernel.markets",
    "Market": "kernel.markets",
    "Merton": "kernel.markets",
    "BadDebt": "kernel.measures",
    "CallCounts": "kernel.measures",
    "Endings": "kernel.measures",
    "Estimate": "kernel.measures",
    "bad_debt": "kernel.measures",
    "call_counts": "kernel.measures",
    "endings": "kernel.measures",
    "response_time": "kernel.measures",
    "Survival": "kernel.measures",
    "ThresholdCurve": "kernel.measures",
    "breach_probability": "kernel.measures",
    "breach_time_quantile": "kernel.measures",
    "expected_shortfall": "kernel.measures",
    "survival": "kernel.measures",
    "threshold": "kernel.measures.threshold",
    "threshold_curve": "kernel.measures",
    "value_at_risk": "kernel.measures",
    "EscalationOutcome": "kernel.simulation.escalation_outcome",
    "Outcome": "kernel.simulation.outcome",
    "PathOutcome": "kernel.simulation.path_outcome",
    "SummaryOutcome": "kernel.simulation.summary_outcome",
    "read_prices": "kernel.prices",
    "simulate": "kernel.simulation.simulate",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_PLACES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})

"""Proof out of sample: roll over a history, predict, and test what was predicted."""

from kernel.backtesting.coverage import conditional_coverage as conditional_coverage
from kernel.backtesting.coverage import independence as independence
from kernel.backtesting.coverage import proportion_of_failures as proportion_of_failures
from kernel.backtesting.coverage import time_until_first_failure as time_until_first_failure
from kernel.backtesting.reliability import reliability as reliability
from kernel.backtesting.result import Backtest as Backtest
from kernel.backtesting.roll import backtest as backtest
from kernel.backtesting.shortfall import z2 as z2
from kernel.backtesting.traffic_light import traffic_light as traffic_light

"""Proof out of sample: roll over a history, predict, and test what was predicted."""

from kernel.backtest.coverage import conditional_coverage as conditional_coverage
from kernel.backtest.coverage import independence as independence
from kernel.backtest.coverage import proportion_of_failures as proportion_of_failures
from kernel.backtest.coverage import time_until_first_failure as time_until_first_failure
from kernel.backtest.reliability import reliability as reliability
from kernel.backtest.result import Backtest as Backtest
from kernel.backtest.roll import backtest as backtest
from kernel.backtest.shortfall import z2 as z2
from kernel.backtest.traffic_light import traffic_light as traffic_light

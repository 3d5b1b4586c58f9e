"""Markets: a model with its parameters and opening prices."""

from kernel.markets.bates import Bates as Bates
from kernel.markets.filtered_historical import FilteredHistorical as FilteredHistorical
from kernel.markets.gbm import Gbm as Gbm
from kernel.markets.heston import Heston as Heston
from kernel.markets.kou import Kou as Kou
from kernel.markets.market import Market as Market
from kernel.markets.merton import Merton as Merton

"""From a price history to the parameters of a market, with their errors."""

from kernel.fitting.fit import Fit as Fit
from kernel.fitting.fit import Law as Law
from kernel.fitting.fit import fitted as fitted

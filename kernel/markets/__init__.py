"""Markets: a model with its parameters and opening prices."""

from typing import Any

from kernel.checks.text import snake
from kernel.markets.bates import Bates as Bates
from kernel.markets.filtered_historical import FilteredHistorical as FilteredHistorical
from kernel.markets.gbm import Gbm as Gbm
from kernel.markets.heston import Heston as Heston
from kernel.markets.kou import Kou as Kou
from kernel.markets.market import Market as Market
from kernel.markets.merton import Merton as Merton

MARKETS: dict[str, type[Market]] = {
    snake(kind.__name__): kind for kind in (Gbm, Merton, Kou, Heston, Bates, FilteredHistorical)
}
"""By the name that a config file has for them."""
FITTED: dict[str, Any] = {name: kind for name, kind in MARKETS.items() if hasattr(kind, "fit")}
"""Those that can be fitted to a history."""

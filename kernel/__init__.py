"""Monte Carlo for margin-call escalation: losses, and when each tier of a margin ladder first breaches."""

from kernel.accounts import Account as Account
from kernel.accounts import Linear as Linear
from kernel.choice import Choice as Choice
from kernel.choice import choose as choose
from kernel.errors import InvalidInput as InvalidInput
from kernel.figures import plot_fits as plot_fits
from kernel.fitting import Fit as Fit
from kernel.history import History as History
from kernel.ladder import Ladder as Ladder
from kernel.markets import Bates as Bates
from kernel.markets import FilteredHistorical as FilteredHistorical
from kernel.markets import Gbm as Gbm
from kernel.markets import Heston as Heston
from kernel.markets import Kou as Kou
from kernel.markets import Market as Market
from kernel.markets import Merton as Merton
from kernel.measures import Estimate as Estimate
from kernel.measures import Survival as Survival
from kernel.measures import breach_probability as breach_probability
from kernel.measures import breach_time_quantile as breach_time_quantile
from kernel.measures import expected_shortfall as expected_shortfall
from kernel.measures import survival as survival
from kernel.measures import value_at_risk as value_at_risk
from kernel.outcome import Outcome as Outcome
from kernel.prices import read_prices as read_prices
from kernel.simulation import simulate as simulate

"""The config files that `margin init` writes: a commented one, and the examples that come with the package."""

import tomllib
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "examples"


def example_files(name: str) -> dict[str, bytes]:
    """Return an example's config file and what it needs, its history with that one's licence, by file name."""
    config = _FOLDER / f"{name}.toml"
    history = tomllib.loads(config.read_text(encoding="utf-8"))["market"].get("history")
    beside = sorted(_FOLDER.glob(f"{Path(history).stem}.*")) if history else []
    return {path.name: path.read_bytes() for path in (config, *beside)}


_NEXT = "[simulation]\n"  # that the actions stand before


def commented_example(*, escalation: bool = False) -> str:
    """Return the commented config, with what its tiers do when they breach, if that is asked for."""
    return EXAMPLE.replace(_NEXT, f"{ESCALATION}\n{_NEXT}") if escalation else EXAMPLE


EXAMPLE = """\
# What may happen to a margin account over a horizon. Run it:      margin run margin.toml
# Try another value without editing:                               margin run margin.toml --set market.volatility=0.8

[market]
model = "merton"              # gbm, merton, kou, heston, bates or filtered_historical
assets = ["BTC"]              # with several, numbers below are lists, one per asset; one number is for all
spot = 60_000.0               # opening price
drift = 0.0                   # growth of the expected price per year, jumps compensated
volatility = 0.55             # per square root of a year
jump_intensity = 12.0         # expected jumps a year
jump_mean = -0.02             # mean of the log-jump
jump_volatility = 0.06        # standard deviation of the log-jump
# correlation = [[1.0, 0.8], [0.8, 1.0]]                           # with two assets; likewise jump_correlation

# Instead of stating the market's parameters, fit it to a price history:
# [market]
# model = "merton"            # gbm, merton, kou or filtered_historical
# history = "prices.csv"      # beside this file; .csv, .csv.gz or .parquet, as exchanges write them
# column = "Close"            # or {BTC = "BTC:close", ETH = "ETH:close"}; default: the closes
# asset = "BTC"               # name of the one column's asset
# time = "Date"               # default: the column that is so called, or the first
# first = "2018-01-01"        # optional range of dates
# last = "2023-12-31"
# max_gap = "36h"             # no return is taken over longer steps; default: found out, with a note
# drift = "fitted"            # default: "zero", as a history says little of it; or a number
# spot = 60_000.0             # instead of the last price

# Or take the market from a file that `margin fit prices.csv --output market.toml` wrote:
# [market]
# file = "market.toml"        # beside this file; what is stated besides, such as drift, has the last word

[account]
cash = 6_000.0                # settlement currency
maintenance_rate = 0.005      # of |quantity| x price; or {BTC = 0.005, ETH = 0.01}

[[account.positions]]         # any number of them
type = "linear"               # worth quantity x (price - entry_price)
asset = "BTC"
quantity = 1.0                # units, negative: short; or, instead, notional = 60_000.0 in currency
entry_price = "spot"          # a price, "spot" for the opening price; left out: 0, for holdings of the asset itself

[ladder]
metric = "margin_ratio"       # equity / requirement; or equity_fraction, equity / opening equity

[ladder.tiers]                # highest first
warning = 10.0
initial_call = 5.0
final_call = 2.0
liquidation = 1.0

[simulation]
horizon = "5d"                # a number with its unit: s, m, h, d, w or y, of 365 days
steps = 5
paths = 1_000_000
seed = 0
monitoring = "continuous"     # or discrete: only the ends of the steps count
precision = "single"          # or double
# sampling = "sobol"          # for paths a power of two; or antithetic, for a multiple of 100; default: plain
# importance = "liquidation"  # a tier, or a level such as 0.9999 of losses: what is rare, from few paths
# worst = ["1d", "5d"]        # keep each path's lowest metric by these ends of steps; or true: by the horizon
# record = "paths"            # or summary; default: what --output, sampling and importance need
# threads = 4                 # default: all available processors

[measures]
levels = [0.95, 0.99]         # of Value at Risk and Expected Shortfall
"""

ESCALATION = """\
# What a tier does when it breaches; tiers that are not named here do nothing. Without this section breaches are noted,
# and the account is left alone. For linear positions on one asset, without `worst` and `importance`.
[escalation.warning]
action = "notice"             # recorded, nothing else

[escalation.final_call]       # several actions: [[escalation.final_call]], once for each
action = "call"
restore = 5.0                 # demands what takes the metric there, at the prices of the breach
cure_period = "8h"            # from the call to its deadline
# minimum_transfer = 0.0      # smallest demand that is made, in currency
# cost = 0.0                  # of every call, in currency

[escalation.final_call.client]
meets = 0.7                   # probability that a call is paid; or [0.9, 0.5]: the first, all later ones
delay = "2h"                  # from the call to the payment; later than the cure period: missed
share = 1.0                   # of the demand that is paid; only the whole demand meets a call
# capacity = 5_000.0          # the most that is paid in all; default: no limit

[escalation.final_call.unmet] # what follows a missed call; default: the close-out of the deepest tier
restore = 3.0
fee = 0.001                   # of the notional sold, as all rates here

[escalation.liquidation]
action = "close_out"
restore = 1.5                 # sells as little as takes the metric there; or share = 0.5; neither: all
latency = "60s"               # from the breach to the fill
recheck = false               # true: dropped where the metric stands above the tier by then
fee = 0.001                   # only out of the equity that is left
slippage = 0.0005             # always paid
# cooldown = "5m"             # before it may act again; default: not before the tier re-arms
# batch = "1h"                # tick of a clock that fills wait for
# minimum = 1_000.0           # smallest notional that may be left
# remainder = "client"        # or venue: who has what a whole close-out leaves
# cost = 0.0                  # of every fill, in currency
# cost_share = 0.0            # of the notional sold
# impact = {coefficient = 1.0, daily_volume = 2e9, daily_volatility = 0.03}     # adds to the slippage
"""

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

"""Price histories from files and tables: checked, put in order, never filled."""

from kernel.prices.read import read_prices as read_prices
from kernel.prices.times import written as written

"""Margin rules: what a venue or broker asks an account to keep, and what it counts towards that."""

from kernel.margin.flat import Flat as Flat
from kernel.margin.rule import MarginRule as MarginRule

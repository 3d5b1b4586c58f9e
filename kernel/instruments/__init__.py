"""Instruments: what a position is in, and what it is worth."""

from kernel.instruments.linear import Linear as Linear

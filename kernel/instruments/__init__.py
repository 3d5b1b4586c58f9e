"""Instruments: what a position is in, and what it is worth."""

from kernel.instruments.instrument import Instrument as Instrument
from kernel.instruments.linear import Linear as Linear

INSTRUMENTS: dict[str, type[Instrument]] = {"linear": Linear}
"""By the `type` of a position in a config file."""

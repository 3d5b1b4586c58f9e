"""What the walk asks of a market's step and of an account's book: generic functions, one body per struct.

A market's step has to implement `open_state`, `move_state`, `advance` and `covariance`; one that jumps has a field
`intensity`, the expected jumps a year, and implements `jump`. A book has to implement `mark`, `distances`, `screen`,
`glance`, `read`, `fathom`, `fathoms_all` and `score`. Both are NamedTuples; bodies are registered by `implements`.
"""

from __future__ import annotations

from numba.core import types
from numba.extending import overload

from kernel._core.jit import INLINE


def open_state(step, assets, n):
    """Set what else the lanes hold, such as assets[:].variance[:n], to time 0."""
    raise NotImplementedError


def move_state(step, seed, s, lanes, assets, n):
    """Move the state of the lanes over step s of the grid, before their prices move.

    A market whose covariance is Local fills assets[:].rate and .volatility, which hold for the whole step.
    lanes.path and s // 4 are its address; lanes.words is free.
    """
    raise NotImplementedError


def advance(step, segment, assets, n):
    """Move assets[:].log_spot[:n] over the segment, by the normals assets[:].noise[segment.slot]."""
    raise NotImplementedError


def covariance(step):
    """Return the covariance of the diffusion per year: Fixed or Local."""
    raise NotImplementedError


def jump(step, seed, lanes, assets, n):
    """Add one jump to assets[:].log_spot[:n]; assets[:].noise[1] holds standard normals for its size.

    lanes.path and lanes.moment are its address, for those who need more noise; lanes.words is free.
    """
    raise NotImplementedError


def mark(book, assets, n):
    """Fill assets[:].after[:n] with what the distances need of the prices; what was there moves to `before`."""
    raise NotImplementedError


def distances(book, covariance, lanes, assets, n):
    """Fill lanes.near, .far, .variance from lanes.level and the marks of the assets.

    A distance is positive while the lane's next tier stands and zero or less once it is breached; its variance is
    the local variance of the diffusion, per year.
    """
    raise NotImplementedError


def screen(book, covariance, lanes, assets, span, exponent, n):
    """Set lanes.flag[:n] where the next tier is breached during the segment.

    span: one number or an array over lanes. exponent: an array, or the number 0 where only the end counts.

    A Brownian bridge from a > 0 to c with variance v passes zero with probability min(1, exp(-2ac/v)); with an
    exponential variate e of mean 1/2 that is: ac <= v e. Variates known not to be exceeded find the lanes that may
    have passed zero.
    """
    raise NotImplementedError


def glance(book, covariance, lanes, assets, span, ceiling, n):
    """Set lanes.flag[:n] where `screen`, with exponents up to `ceiling`, might: cheaply, and for some too many."""
    raise NotImplementedError


def read(book, lanes, assets, n):
    """Fill lanes.reading[:n] with what the book's levels are compared with, at the end of the segment."""
    raise NotImplementedError


def fathom(book, covariance, lanes, assets, n):
    """Fill lanes.reading[:n] with the lowest reading within the segment: the level that `screen` just flags.

    lanes.span and lanes.exponent hold the segment and its chance, lanes.lowest a level that it is known to pass.
    """
    raise NotImplementedError


def fathoms_all(book):
    """Tell, when compiling, whether `fathom` is so cheap that no lanes need be chosen for it."""
    raise NotImplementedError


def score(book, tilt, growth, lanes, assets, bridged, n):
    """Fill lanes.reading[:n] with the logarithm of the likelihood ratio where the lanes' tiers are breached.

    tilt: [asset] exponents of the tilt; growth: of the cumulant, per year. A book that knows the very prices at the
    breach leaves out growth * breach time; others reckon at the end of the segment.
    """
    raise NotImplementedError


def at(value, i):
    """Return value[i] of an array, or the number itself."""
    raise NotImplementedError


@overload(at, jit_options=INLINE)
def _at(value, i):
    return (lambda value, i: value[i]) if isinstance(value, types.Array) else (lambda value, i: value)


def is_number(value):
    """Tell, when compiling, a number from an array."""
    raise NotImplementedError


@overload(is_number, jit_options=INLINE)
def _is_number(value):
    answer = not isinstance(value, types.Array)
    return lambda value: answer

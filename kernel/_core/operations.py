"""What the walk asks of a market's step, an account's book and its rules: generic functions, one body per struct.

All three are NamedTuples; bodies are registered by `implements`, and `default` has the bodies of those that need none
of their own. What a struct has to write:

- a market's step: `advance` and `covariance`; one with state of its own `open_state` and `move_state` too; one that
  jumps a field `intensity`, the expected jumps a year, and `jump`;
- a book: `mark`, `distances`, `read` and `add_loss`, and the fields `spot`, [asset] opening prices, and `level`,
  [tier + 1] of which the last is never reached, or a `level_of` of its own; `screen`, `screen_end`, `may_breach`,
  `lowest_reading` and `score` where it knows something faster than their defaults;
- rules: nothing, or `act`, or `expire` and the column NEXT_TIMER; those that change a lane's account declare ACCOUNT
  and fill its columns in `open_state`.

Columns of the lanes that a struct needs beside those of `kernel._core.lanes` it declares in a static method
`lane_fields`; it fills those that are state in `open_state`.
"""

from __future__ import annotations

from typing import NamedTuple

from numba.core import types
from numba.extending import overload

from kernel._core.jit import INLINE


class NoRules(NamedTuple):
    """Breaches are noted and nothing else happens."""


def open_state(struct, lanes, assets, n):
    """Set to time 0 what a step, a book or rules declare of the lanes; by default nothing."""
    raise NotImplementedError


def move_state(step, seed, s, lanes, assets, n):
    """Move the state of the lanes over step s of the grid, before their prices move; by default there is none.

    A market whose covariance is Local fills assets[:].rate and .volatility, which hold for the whole step.
    lanes.path and s // 4 are its address; lanes.words and all of lanes.scratch are free.
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
    """Fill lanes.start_distance, .end_distance and .variance from lanes.level and the marks of the assets.

    A distance is positive while the lane's next tier stands and zero or less once it is breached; its variance is
    the local variance of the diffusion, per year.
    """
    raise NotImplementedError


def read(book, lanes, assets, n):
    """Fill lanes.reading[:n] with what the book's levels are compared with, at the end of the segment."""
    raise NotImplementedError


def add_loss(book, a, lanes, n):
    """Add to lanes.loss[:n], float64 currency, what the positions on asset a have lost at the horizon.

    lanes.relative_price[:n], float64, has its prices there over its opening price.
    """
    raise NotImplementedError


def level_of(book, lanes, i, tier):
    """Return the level of a tier for lane i, in the unit of the readings; by default book.level[tier] for all lanes."""
    raise NotImplementedError


def cash_of(book, lanes):
    """Return the cash of the lanes, an array, where rules declare ACCOUNT; else book.cash, one number for all."""
    raise NotImplementedError


def base_of(book, lanes):
    """Return the same of the requirement that does not move with prices."""
    raise NotImplementedError


def screen(book, covariance, lanes, assets, span, exponent, n):
    """Set lanes.flag[:n] where the next tier is breached during the segment; by default by `distances`.

    span: one number or an array over lanes.

    A Brownian bridge from a > 0 to c with variance v passes zero with probability min(1, exp(-2ac/v)); with an
    exponential variate e of mean 1/2 that is: ac <= v e. Variates known not to be exceeded find the lanes that may
    have passed zero.
    """
    raise NotImplementedError


def screen_end(book, lanes, assets, n):
    """Set lanes.flag[:n] where the next tier is breached at the end of the segment; by default by `read`."""
    raise NotImplementedError


def may_breach(book, covariance, lanes, assets, span, ceiling, n):
    """Set lanes.flag[:n] where `screen` would, with any exponents up to `ceiling`, and perhaps elsewhere, cheaply.

    By default it is `screen` itself.
    """
    raise NotImplementedError


def lowest_reading(book, covariance, lanes, assets, n):
    """Fill lanes.reading[:n] with the lowest reading within the segment: the level that `screen` just flags.

    lanes.span and lanes.exponent hold the segment and its chance, lanes.lowest the lowest reading so far: what is not
    lower need not be exact. By default a search by `distances`, which takes some sixty of them. A book whose own is so
    cheap that no lanes need be chosen for it returns True from a static method `knows_lowest`.
    """
    raise NotImplementedError


def score(book, tilt, growth, lanes, assets, bridged, n):
    """Fill lanes.reading[:n] with the logarithm of the likelihood ratio where the lanes' tiers are breached.

    tilt: [asset] exponents of the tilt; growth: of the cumulant, per year. A book that knows the very prices at the
    breach leaves out growth * breach time; others, and the default, reckon at the end of the segment.
    """
    raise NotImplementedError


def act(rules, book, lanes, assets, n):
    """Act on the first n lanes, whose tiers lanes.tier - 1 have just been breached; by default nothing happens.

    lanes.stop is the end of the segment in which they are. Columns of role "path" may be changed; of a change of
    tier, or of what level_of depends on, the level is read anew afterwards, and judged in what is left to judge of the
    segment. In continuous time a breach's own time is drawn later, and not known here.
    """
    raise NotImplementedError


def expire(rules, book, lanes, assets, n):
    """Act on the first n lanes, whose timers are due at lanes.stop, and set lanes.next_timer, np.inf for none.

    assets[:].log_spot holds the prices at that time. Levels are read anew afterwards.
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

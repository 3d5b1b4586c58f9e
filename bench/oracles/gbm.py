"""Closed forms of geometric Brownian motion.

The log price relative to spot is X(t) = nu t + sigma W(t), with nu = drift - sigma^2 / 2 where `drift` is the
growth rate of the expected price. Barriers and closes are log prices relative to spot (barrier -0.1 is a price
of spot exp(-0.1)); times are years, `nu` and `drift` per year, `sigma` and `volatility` per square root of a year.

Sources: Borodin and Salminen (2002), Handbook of Brownian Motion, part II, section 2 (extremes and hitting times of
Brownian motion with drift); Harrison (1985), Brownian Motion and Stochastic Flow Systems, section 1.8 (joint law
with the close). Both follow from the reflection principle and a change of drift.
"""

import itertools
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri


def hit_probability(barrier: float, nu: float, sigma: float, t: ArrayLike) -> NDArray[np.float64]:
    """Return P(the running extreme on the barrier's side of spot reaches `barrier` by `t`).

    The minimum counts for `barrier` < 0, the maximum for `barrier` > 0; a barrier at spot is hit at once.
    Takes and returns any shape of `t`. Source: Borodin and Salminen (2002), part II, formula 2.1.1.4.
    """
    times = np.asarray(t, dtype=np.float64)
    if barrier == 0.0:
        return np.ones_like(times)
    level, rate = abs(barrier), (nu if barrier > 0.0 else -nu)
    started = np.where(times > 0.0, times, 1.0)
    spread = sigma * np.sqrt(started)
    beyond = ndtr((rate * started - level) / spread)
    reflected = np.exp(2.0 * rate * level / sigma**2 + log_ndtr(-(rate * started + level) / spread))
    return np.where(times > 0.0, beyond + reflected, 0.0)


def survival_and_close(barrier: float, close: float, nu: float, sigma: float, t: float) -> float:
    """Return P(`barrier` is not hit by `t` and X(t) <= `close`).

    The event on the close is "at or below" for barriers of either sign; `t` > 0. A close of infinity gives the
    probability of survival. Source: Harrison (1985), section 1.8 (upper barrier); the lower one follows by
    reflecting X.
    """
    spread = sigma * math.sqrt(t)
    tilt = 2.0 * nu * barrier / sigma**2
    if barrier > 0.0:
        top = min(close, barrier)
        free = ndtr((top - nu * t) / spread)
        return float(free - np.exp(tilt + log_ndtr((top - 2.0 * barrier - nu * t) / spread)))
    if barrier == 0.0 or close <= barrier:
        return 0.0
    free = ndtr((close - nu * t) / spread) - ndtr((barrier - nu * t) / spread)
    image = np.exp(tilt + log_ndtr((barrier + nu * t) / spread))
    beyond_close = np.exp(tilt + log_ndtr((2.0 * barrier - close + nu * t) / spread))
    return float(free - (image - beyond_close))


def hit_time_quantile(barrier: float, nu: float, sigma: float, t: float, q: float) -> float:
    """Return the `q`-quantile, in years, of the hitting time given a hit by `t`; 0 < `q` <= 1.

    Inverts `hit_probability` by Brent's method to 1e-14 of `t`.
    """
    if barrier == 0.0:
        return 0.0
    target = q * float(hit_probability(barrier, nu, sigma, t))

    def excess(fraction: float) -> float:
        return float(hit_probability(barrier, nu, sigma, fraction * t)) - target

    return t * float(brentq(excess, 0.0, 1.0, xtol=1e-14, rtol=1e-14))


def joint_hit_probability(upper: float, lower: float, nu: float, sigma: float, s: float, t: float) -> float:
    """Return P(`upper` is hit by `s` and `lower` by `t`) for lower barriers `lower` < `upper` < 0 and 0 < `s` <= `t`.

    The strong Markov property at the hit of `upper` leaves the integral over u in (0, s) of its first passage
    density times the probability of falling from `upper` to `lower` in t - u. In z = |upper| / (sigma sqrt(u))
    the density (Borodin and Salminen 2002, part II, formula 2.2.0.2) is smooth: 2 phi(z + nu |upper| / (sigma^2 z)).
    The pieces grow fourfold from the least z: there the integrand changes on the scale of that z if `upper` is close to
    spot, and on that of the time to fall on from `upper` if `lower` is close to it.
    """
    depth = -upper / sigma
    pull = nu * depth / sigma

    def integrand(z: float) -> float:
        density = 2.0 * math.exp(-0.5 * (z + pull / z) ** 2) / math.sqrt(2.0 * math.pi)
        return density * float(hit_probability(lower - upper, nu, sigma, max(t - (depth / z) ** 2, 0.0)))

    start, peak = depth / math.sqrt(s), math.sqrt(abs(pull))
    top = max(start, peak) + 40.0
    finest = min(1.0, max(0.02 * ((upper - lower) / sigma) ** 2 / s, 1e-12))
    scales = start * (1.0 + finest * 4.0 ** np.arange(math.ceil(math.log(top / (start * finest), 4.0))))
    edges = np.unique(np.clip([start, *scales, peak - 3.0, peak, peak + 3.0, top], start, top))
    pieces = [
        quad(integrand, left, right, epsabs=1e-12, epsrel=1e-11, limit=400)[0]
        for left, right in itertools.pairwise(edges)
    ]
    return float(math.fsum(pieces))


def value_at_risk(
    level: float,
    quantity: float,
    entry: float,
    spot: float,
    drift: float,
    volatility: float,
    t: float,
    cash: float = 0.0,
) -> float:
    """Return the `level`-quantile of the loss -(`quantity` (S(t) - `entry`) + `cash`), in currency.

    Long for `quantity` > 0, short below; `entry` = `spot` and no cash give the fall in equity from now. The loss
    is monotone in the close, so its quantile is the loss at a lognormal quantile of the close.
    """
    tail = 1.0 - level if quantity > 0.0 else level
    spread = volatility * math.sqrt(t)
    close = spot * math.exp((drift - 0.5 * volatility**2) * t + spread * float(ndtri(tail)))
    return -(quantity * (close - entry) + cash)


def expected_shortfall(
    level: float,
    quantity: float,
    entry: float,
    spot: float,
    drift: float,
    volatility: float,
    t: float,
    cash: float = 0.0,
) -> float:
    """Return the mean of the worst 1 - `level` share of the loss -(`quantity` (S(t) - `entry`) + `cash`), in currency.

    By the lognormal partial expectation E[S; S <= k] = E[S] Phi(z_k - spread), where k lies z_k standard deviations
    of the log price above its mean, and its mirror above k: the terms of Black and Scholes (1973), eq. 13.
    """
    side = math.copysign(1.0, quantity)
    spread = volatility * math.sqrt(t)
    share = float(ndtr(float(ndtri(1.0 - level)) - side * spread)) / (1.0 - level)
    return -(quantity * (spot * math.exp(drift * t) * share - entry) + cash)

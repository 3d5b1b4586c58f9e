"""The markets that have known answers, the accounts, and those answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import kernel
from bench.oracles import closing, gbm, kou, merton, passage

SPOT, HORIZON = 60_000.0, 5 / 365
MAINTENANCE = 0.005
TAIL = (("VaR 99%", kernel.value_at_risk, 0.99), ("ES 97.5%", kernel.expected_shortfall, 0.975))
LADDER = kernel.Ladder({"warning": 10.0, "liquidation": 1.0})
LONG, SHORT = (
    kernel.Account(
        cash=6_000.0, positions=[kernel.Linear("BTC", quantity=side, entry_price=SPOT)], maintenance_rate=MAINTENANCE
    )
    for side in (1.0, -1.0)
)
SIDES = {"long": LONG, "short": SHORT}
_BOUND = 2.0  # no close lies beyond, as a log return, but for less than rounding
_VOLATILITY, _WITH_JUMPS = 0.65, 0.5
_MERTON = (20.0, -0.02, 0.06)  # intensity, mean and volatility of the log-jump
_KOU = (20.0, 0.4, 0.03, 0.05)  # intensity, probability and mean up, mean down


def stated() -> str:
    """Say the parameters of the markets."""
    intensity, mean, deviation = _MERTON
    _, up, mean_up, mean_down = _KOU
    rises = f"Kou's up by {mean_up:.0%} in the mean ({up:.0%} of them) or down by {mean_down:.0%}"
    return (
        f"GBM with a volatility of {_VOLATILITY:.0%}; Merton and Kou with {_WITH_JUMPS:.0%} and {intensity:g} jumps a "
        f"year, Merton's of {mean:.0%} ± {deviation:.0%}, {rises}; no drift"
    )


class Case(NamedTuple):
    """A market and its truths; barriers are log prices relative to spot, times years."""

    name: str
    market: kernel.Market
    volatility: float
    """Of the diffusion."""
    hit_probability: Callable[[float, float], float]
    median_hit_time: Callable[[float, float], float]
    """Given a hit by then."""
    exponent: Callable[[Any], NDArray[np.complex128]]
    """log E[exp(i u X(1))] of the log return."""

    def loss(self, measure: str, level: float, side: float) -> float:
        """Return VaR or ES of one unit, long or short."""
        if self.name == "GBM":
            closed = gbm.value_at_risk if measure.startswith("VaR") else gbm.expected_shortfall
            return closed(level, side, SPOT, SPOT, 0.0, _VOLATILITY, HORIZON)
        transformed = closing.value_at_risk if measure.startswith("VaR") else closing.expected_shortfall
        return transformed(level, side, SPOT, lambda u: complex(np.exp(HORIZON * self.exponent(u))), _BOUND)


def barrier(account: kernel.Account, tier: str) -> float:
    """Return where equity, 6,000 + side (S - 60,000), is level * 0.005 * S."""
    side = account.positions[0].quantity
    fixed = account.cash - side * SPOT
    return math.log(-fixed / (side - LADDER.tiers[tier] * MAINTENANCE) / SPOT)


def _gbm() -> Case:
    nu = -(_VOLATILITY**2) / 2
    return Case(
        "GBM",
        kernel.Gbm(assets=["BTC"], spot=SPOT, volatility=_VOLATILITY),
        _VOLATILITY,
        lambda level, t: float(gbm.hit_probability(level, nu, _VOLATILITY, t)),
        lambda level, t: gbm.hit_time_quantile(level, nu, _VOLATILITY, t, 0.5),
        lambda u: merton.exponent(u, 0.0, _VOLATILITY, 0.0, 0.0, 0.0),
    )


def _merton() -> Case:
    nu = merton.log_drift(0.0, _WITH_JUMPS, *_MERTON)
    law = passage.Diffusion(nu, _WITH_JUMPS, passage.normal_jumps(*_MERTON))
    stated = dict(zip(("jump_intensity", "jump_mean", "jump_volatility"), _MERTON, strict=True))
    return Case(
        "Merton",
        kernel.Merton(assets=["BTC"], spot=SPOT, volatility=_WITH_JUMPS, **stated),
        _WITH_JUMPS,
        lambda level, t: passage.hit_probability(level, law, t),
        lambda level, t: passage.hit_time_quantile(level, law, t, 0.5),
        lambda u: merton.exponent(u, 0.0, _WITH_JUMPS, *_MERTON),
    )


def _kou() -> Case:
    law = kou.law_of(0.0, _WITH_JUMPS, *_KOU)
    moving = passage.Diffusion(law.log_drift, _WITH_JUMPS, passage.double_exponential_jumps(*_KOU))
    stated = dict(zip(("jump_intensity", "up_probability", "up_mean", "down_mean"), _KOU, strict=True))
    return Case(
        "Kou",
        kernel.Kou(assets=["BTC"], spot=SPOT, volatility=_WITH_JUMPS, **stated),
        _WITH_JUMPS,
        lambda level, t: kou.hit_probability_of(level, law, t),
        lambda level, t: passage.hit_time_quantile(level, moving, t, 0.5),
        partial(kou.exponent, law=law),
    )


def cases() -> list[Case]:
    """Return the markets of the page."""
    return [_gbm(), _merton(), _kou()]

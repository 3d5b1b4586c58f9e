"""Heston's and Bates's models by QuantLib: European calls, and first passage by its difference scheme."""

from __future__ import annotations

import math

import QuantLib as ql

from bench.oracles.heston import Law

SPOT = 100.0


def curves(drift: float) -> list[ql.YieldTermStructureHandle | ql.QuoteHandle]:
    """Return QuantLib's curves with `drift` as the riskless rate, no dividends, and SPOT."""
    today, days = ql.Settings.instance().evaluationDate, ql.Actual365Fixed()
    rates = [ql.YieldTermStructureHandle(ql.FlatForward(today, r, days)) for r in (drift, 0.0)]
    return [*rates, ql.QuoteHandle(ql.SimpleQuote(SPOT))]


def call(strike: float, law: Law, days: int, discount_rate: float = 0.0) -> float:
    """Return the call by QuantLib's adaptive quadrature, or for jumps by its Gauss-Laguerre rule."""
    expiry = ql.Settings.instance().evaluationDate + days
    option = ql.VanillaOption(ql.PlainVanillaPayoff(ql.Option.Call, strike), ql.EuropeanExercise(expiry))
    if law.jump_intensity:
        bates = ql.BatesModel(ql.BatesProcess(*curves(law.drift), *law[:5], *law[6:]))
        option.setPricingEngine(ql.BatesEngine(bates, 192))
    else:
        model = ql.HestonModel(ql.HestonProcess(*curves(law.drift), *law[:5]))
        option.setPricingEngine(ql.AnalyticHestonEngine(model, 1e-12, 100_000))
    return float(option.NPV()) * math.exp((law.drift - discount_rate) * days / 365)


def hit_probability(barrier: float, law: Law, days: int) -> float:
    """Return P(a hit of `barrier`, a log price relative to spot, by then) under Heston's model.

    A hit is what a digital struck far beyond the barrier, and knocked out there, misses. The scheme's error is of
    first order in the time step, which the step's halving removes (Richardson 1911).
    """
    kinds = (ql.Barrier.DownOut, ql.Option.Call, 0.5) if barrier < 0.0 else (ql.Barrier.UpOut, ql.Option.Put, 2.0)

    def digital(steps: int) -> float:
        level, expiry = SPOT * math.exp(barrier), ql.Settings.instance().evaluationDate + days
        payoff = ql.CashOrNothingPayoff(kinds[1], kinds[2] * level, 1.0)
        option = ql.BarrierOption(kinds[0], level, 0.0, payoff, ql.EuropeanExercise(expiry))
        model = ql.HestonModel(ql.HestonProcess(*curves(law.drift), *law[:5]))
        option.setPricingEngine(ql.FdHestonBarrierEngine(model, steps, 200, 50, 4))
        return float(option.NPV()) * math.exp(law.drift * days / 365)

    return 1.0 - (2.0 * digital(400) - digital(200))

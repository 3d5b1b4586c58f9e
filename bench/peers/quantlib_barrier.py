"""QuantLib's Monte Carlo barrier engine, as its users would call it.

`MCBarrierEngine` with pseudorandom numbers, 252 steps and `isBiased=True`: it looks at the grid points only, as the job
does, and takes no bridge between them. It knows one barrier, here the last of the four tiers, which is less work than
the job. An option that knocks in but pays nothing, with a rebate of one where it never does, is worth the probability
that the tier stands. The engine holds the interpreter, so two processors take two processes, each with its share of the
paths and its own seed.
"""

from __future__ import annotations

from typing import NamedTuple

from bench.peers import terms

_OUT_OF_REACH = 1e9


class Price(NamedTuple):
    """The probability that the last tier is breached, and its standard error."""

    probability: float
    standard_error: float


def price(paths: int, seed: int) -> Price:
    """Return how probable the last tier's breach is, by the engine."""
    import QuantLib as ql

    job, today, calendar, days = terms(), ql.Date(1, 1, 2024), ql.NullCalendar(), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today
    growth = (job.drift + job.scale**2 / 2) * job.steps
    process = ql.GeneralizedBlackScholesProcess(
        ql.QuoteHandle(ql.SimpleQuote(1.0)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, -growth, days)),  # a dividend: nothing is discounted
        ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, days)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, calendar, job.spread, days)),
    )
    engine = ql.MCBarrierEngine(
        process, "pseudorandom", timeSteps=job.steps, requiredSamples=paths, isBiased=True, seed=seed
    )
    payoff = ql.PlainVanillaPayoff(ql.Option.Call, _OUT_OF_REACH)
    option = ql.BarrierOption(
        ql.Barrier.DownIn, float(job.levels[-1] + job.debt), 1.0, payoff, ql.EuropeanExercise(today + 365)
    )
    option.setPricingEngine(engine)
    return Price(1 - option.NPV(), option.errorEstimate())

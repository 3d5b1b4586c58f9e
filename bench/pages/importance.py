"""Write docs/importance.md: what a tilt is worth for rare breaches and losses, beside closed forms and transforms.

python -m bench.pages.importance
"""

from __future__ import annotations

import math
from pathlib import Path

import kernel
from bench.oracles import gbm, kou
from bench.pages.markdown import two_figures
from bench.timings import jobs

TARGET = Path(__file__).parents[2] / "docs" / "importance.md"
PATHS, SPOT, DRIFT = 1_000_000, 60_000.0, 0.1
RATE = 0.005
LONG = kernel.Account(cash=-54_000.0, positions=[kernel.Linear("BTC", quantity=1.0)], maintenance_rate=RATE)
GBM = kernel.Gbm(assets=["BTC"], spot=SPOT, drift=DRIFT, volatility=0.65)
KOU_LAW = (DRIFT, 0.5, 40.0, 0.4, 0.03, 0.05)
KOU = kernel.Kou(
    assets=["BTC"], spot=SPOT, drift=DRIFT, volatility=0.5, jump_intensity=40.0, up_probability=0.4, up_mean=0.03,
    down_mean=0.05,
)  # fmt: skip
MERTON = jobs.perpetual(True, 1, jobs.FIVE_DAYS, 1).market
BARRIERS = {"GBM": (-0.18, -0.25, -0.29, -0.34, -0.38), "Kou": (-0.24, -0.37, -0.5, -0.61, -0.73)}


def truth(name: str, barrier: float) -> float:
    """Return the probability that the log price falls to a barrier within five days."""
    if name == "GBM":
        return float(gbm.hit_probability(barrier, DRIFT - 0.65**2 / 2, 0.65, jobs.FIVE_DAYS))
    return float(kou.hit_probability(barrier, *KOU_LAW, jobs.FIVE_DAYS))


def breaches() -> list[str]:
    """Estimate breaches from common to rare, each with a tilt of its own."""
    rows = ["| market | true probability | estimate | standard error | off by, in errors | times fewer paths |"]
    rows.append("|---|---|---|---|---|---|")
    for name, market in (("GBM", GBM), ("Kou", KOU)):
        for barrier in BARRIERS[name]:
            price = SPOT * math.exp(barrier)
            ladder = kernel.Ladder({"rare": (price - 54_000.0) / (RATE * price)})
            outcome = kernel.simulate(
                market, LONG, ladder, horizon=jobs.FIVE_DAYS, steps=1, paths=PATHS, importance="rare"
            )
            found, real = kernel.breach_probability(outcome, "rare"), truth(name, barrier)
            fewer = found.value * (1 - found.value) / (found.standard_error**2 * PATHS)
            off = (found.value - real) / found.standard_error
            error = f"{100 * found.standard_error / found.value:.2f}%"
            rows.append(f"| {name} | {real:.3e} | {found.value:.3e} | {error} | {off:+.1f} | {two_figures(fewer)} |")
    return rows


def losses() -> list[str]:
    """Compare the variance of VaR and ES with that of plain sampling."""
    rows = ["| market | level | VaR | standard error | ES | standard error | times fewer paths: VaR | ES |"]
    rows.append("|---|---|---|---|---|---|---|---|")
    measures = (kernel.value_at_risk, kernel.expected_shortfall)
    for name, market in (("GBM", GBM), ("Merton", MERTON), ("Kou", KOU)):
        for level in (0.99, 0.999, 0.9999):
            settings = {"horizon": jobs.FIVE_DAYS, "steps": 1, "paths": PATHS}
            ladder = kernel.Ladder({"liquidation": 1.0})
            tilted = kernel.simulate(market, LONG, ladder, importance=level, **settings)  # type: ignore[arg-type]
            plain = kernel.simulate(market, LONG, ladder, **settings)  # type: ignore[arg-type]
            found = [measure(tilted, level) for measure in measures]
            fewer = [
                (measure(plain, level).standard_error / one.standard_error) ** 2
                for measure, one in zip(measures, found, strict=True)
            ]
            cells = " | ".join(f"{one.value:,.0f} | {100 * one.standard_error / one.value:.3f}%" for one in found)
            rows.append(f"| {name} | {100 * level:g}% | {cells} | {' | '.join(map(two_figures, fewer))} |")
    return rows


def main() -> None:
    """Write the page."""
    text = [
        "# Importance sampling",
        "",
        "Written by `python -m bench.pages.importance`: what `simulate(..., importance=)` is worth. A tenfold long",
        f"position over five days in one exact step, {PATHS:,} paths; times fewer paths: the variance of plain",
        "sampling over the tilt's.",
        "",
        "## Breaches",
        "",
        "True probabilities are the closed form (GBM) and the transform of Kou and Wang (2003).",
        "",
        *breaches(),
        "",
        "## Losses",
        "",
        *losses(),
        "",
        "- The tilt is an Esscher transform: drift, jump intensity and jump sizes move together, along one direction,",
        "  and a pilot run of 16,384 paths chooses how far.",
        "- Breaches of one asset's positions are weighted at the very breach, in continuous time; of several assets'",
        "  positions at the end of the step, or jump, in which they happen: take some steps there.",
        "- One path in eight goes without the tilt: what is common is about as well known as by those alone. Ask for",
        "  one rare thing at a time.",
        "",
    ]
    TARGET.write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()

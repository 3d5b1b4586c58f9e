"""What does single precision cost? Both walk the same random words."""

from __future__ import annotations

import numpy as np

import kernel
from bench.pages.accuracy.comparison import table
from bench.pages.accuracy.heston import CRYPTO, market
from bench.pages.accuracy.truths import HORIZON, LADDER, LONG, SPOT, TAIL, cases

STEPS = (1, 252, 1_440)
_SECONDS = 365 * 86_400


def _markets() -> dict[str, kernel.Market]:
    heston = market(CRYPTO)
    stated = {name: value for name, value in heston.parameters().items() if name not in {"model", "correlation"}}
    moved = kernel.Heston(**stated | {"assets": ["BTC"], "spot": SPOT})
    return {case.name: case.market for case in cases()} | {"Heston": moved}


def _differences(single: kernel.Outcome, double: kernel.Outcome) -> list[str]:
    """Return the cells on the paths, and on the estimates in units of their standard error."""
    assert single.loss is not None  # noqa: S101 - recorded
    assert double.loss is not None  # noqa: S101 - recorded
    assert single.breach_time is not None  # noqa: S101 - recorded
    assert double.breach_time is not None  # noqa: S101 - recorded
    losses = np.abs(single.loss - double.loss) / SPOT
    differ = (np.isnan(single.breach_time) != np.isnan(double.breach_time)).any(axis=0)
    times = np.abs(single.breach_time - double.breach_time) * _SECONDS
    times = times[~np.isnan(times)].astype(float)
    pairs = [(measure(single, level), measure(double, level)) for _, measure, level in TAIL]
    for tier in LADDER.names:
        pairs.append((kernel.breach_probability(single, tier), kernel.breach_probability(double, tier)))
        pairs.append((kernel.breach_time_quantile(single, tier, 0.5), kernel.breach_time_quantile(double, tier, 0.5)))
    apart = max(abs(one.value - other.value) / other.standard_error for one, other in pairs)
    return [
        f"{losses.mean():.0e}", f"{losses.max():.0e}", f"{1e6 * differ.mean():.1f}", f"{times.mean():.0e}",
        f"{times.max():.0e}", f"{apart:.4f}",
    ]  # fmt: skip


def precision(paths: int) -> list[str]:
    """Compare runs in single and in double precision, path by path and estimate by estimate."""
    rows = []
    for name, one in _markets().items():
        for steps in STEPS:
            runs = [
                kernel.simulate(
                    one, LONG, LADDER, horizon=HORIZON, steps=steps, paths=paths, precision=precision, seed=7
                )
                for precision in ("single", "double")
            ]
            rows.append([name, f"{steps:,}", *_differences(*runs)])
    heads = [
        "market", "steps", "loss, mean", "largest", "tiers differ, per million", "time, mean, s", "largest, s",
        "estimates, in errors",
    ]  # fmt: skip
    return table(heads, rows)

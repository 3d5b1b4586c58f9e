"""Time to accuracy: seconds for the same paths, and what no number of paths mends; the kernel beside a few lines."""

from __future__ import annotations

from itertools import product

from bench.pages.benchmarks.cases import Case, Run, ratio

_BRIDGE, _MILLION = "numpy bridge", ", million"
_SHOWN = 0.005  # percent: what rounds up to the last figure
MODELS = {"gbm": "GBM", "merton": "Merton"}
LEVELS = {"liquidation": "liquidation of a tenfold long perpetual", "rare": "liquidation of a sixfold long perpetual"}
WHO = {"kernel": "kernel", "numpy": "threaded NumPy", "numpy by hand": "threaded NumPy, normals by hand"}
GRIDS = {"5 minutes": "every 5 minutes", "1 hour": "every hour", "1 day": "every day"}
METHODS = {
    "exact": "one exact step, kernel",
    _BRIDGE: "one exact step, NumPy by hand, one tier, no times",
    **{f"{who}, {grid}": f"{each}, {by}" for grid, each in GRIDS.items() for who, by in WHO.items()},
}


def to_one_percent(run: Run, model: str, level: str) -> list[str]:
    """Write what each method takes for the paths that give the exact step a standard error of 1%, and its bias."""
    cases = {method: run[f"error, {model}, {level}, {method}"] for method in METHODS}
    exact = cases["exact"]
    lines = ["| looked at | time | over the exact step | bias of the probability |", "|---|---|---|---|"]
    for method, case in cases.items():
        over = "" if case is exact else ratio(case.median / exact.median)
        lines.append(f"| {METHODS[method]} | {case.seconds()} | {over} | {bias(case)} |")
    return lines


def bias(case: Case) -> str:
    """Write how far off a case's method is whatever the number of paths, with the error of that."""
    relative, error = 100 * case.noted("relative_bias"), 100 * case.noted("bias_error") / case.noted("truth")
    if relative == 0:
        return "none in law (docs/accuracy.md)"
    return f"{relative:+.2f}%" + (f" ± {error:.2f}%" if error >= _SHOWN else "")


def plainly(run: Run, model: str, level: str) -> str:
    """Say what the kernel's exact step takes beside a few lines of NumPy for one tier's probability."""
    paths = run[f"error, {model}, {level}, exact"].noted("paths")
    few, many = (
        ratio(
            run[f"error, {model}, {level}, exact{size}"].median
            / run[f"error, {model}, {level}, {_BRIDGE}{size}"].median
        )
        for size in ("", _MILLION)
    )
    return (
        "The probability of one tier alone takes a few lines of NumPy with a bridge, on one thread: at "
        f"{paths:,} paths the kernel, on all processors, takes {few} their time, at a million {many}. What its time "
        "buys is everything else that the same call gives: when each path breaches, its losses, errors of all "
        "estimates; and it takes any number of tiers and several assets."
    )


def million(run: Run) -> list[str]:
    """Write what a million paths take an exact step, in the kernel and in NumPy."""
    lines = ["| a million paths | exact step, kernel | NumPy by hand | over the kernel |", "|---|---|---|---|"]
    for level, model in product(LEVELS, MODELS):
        kernel, bridge = (run[f"error, {model}, {level}, {method}{_MILLION}"] for method in ("exact", _BRIDGE))
        over = ratio(bridge.median / kernel.median)
        lines.append(f"| {MODELS[model]}, {LEVELS[level]} | {kernel.seconds()} | {bridge.seconds()} | {over} |")
    return lines


def truth(run: Run, model: str, level: str) -> str:
    """Say what is estimated, and how the truth is known."""
    case = run[f"error, {model}, {level}, exact"]
    return f"{100 * case.noted('truth'):.4g}%, by {case.noted('truth_by')}"

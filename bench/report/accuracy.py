"""Time to accuracy: seconds to a standard error of 1%, and what no number of paths mends."""

from __future__ import annotations

from bench.report.cases import Case, Run, ratio

_SHOWN = 0.005  # percent: what rounds up to the last figure
MODELS = {"gbm": "GBM", "merton": "Merton"}
LEVELS = {"liquidation": "liquidation of a tenfold long perpetual", "rare": "liquidation of a sixfold long perpetual"}
WHO = {"kernel": "kernel", "numpy": "threaded NumPy", "numpy by hand": "threaded NumPy, normals by hand"}
GRIDS = {"5 minutes": "every 5 minutes", "1 hour": "every hour", "1 day": "every day"}
METHODS = {
    "exact": "one exact step",
    **{f"{who}, {grid}": f"{each}, {by}" for grid, each in GRIDS.items() for who, by in WHO.items()},
}


def to_one_percent(run: Run, model: str, level: str) -> list[str]:
    """Write what each method takes to a standard error of 1% of the probability, and its bias."""
    cases = {method: run[f"error, {model}, {level}, {method}"] for method in METHODS}
    exact = cases["exact"]
    lines = ["| looked at | time to 1% | over the exact step | bias of the probability |", "|---|---|---|---|"]
    for method, case in cases.items():
        over = "" if case is exact else ratio(case.median / exact.median)
        lines.append(f"| {METHODS[method]} | {case.seconds()} | {over} | {_bias(case)} |")
    return lines


def _bias(case: Case) -> str:
    relative, error = 100 * case.noted("relative_bias"), 100 * case.noted("bias_error") / case.noted("truth")
    if relative == 0:
        return "none"
    return f"{relative:+.2f}%" + (f" ± {error:.2f}%" if error >= _SHOWN else "")


def truth(run: Run, model: str, level: str) -> str:
    """Say what is estimated, and how the truth is known."""
    case = run[f"error, {model}, {level}, exact"]
    return f"{100 * case.noted('truth'):.4g}%, by {case.noted('truth_by')}"

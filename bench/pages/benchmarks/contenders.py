"""Who is measured beside the kernel, and how they are written."""

from __future__ import annotations

from bench.pages.benchmarks.cases import Case, Run, ratio
from kernel.report.numbers import three_figures

LABELS = {
    "kernel": "margin-kernel",
    "c": "C by hand in AVX2",
    "c with exp": "C by hand in AVX2, an exponential a step",
    "numpy": "NumPy",
    "numpy by hand": "NumPy, normals by hand",
    "jax": "JAX, jitted, CPU",
    "quantlib": "QuantLib, double precision, one tier only",
}
NEEDED = ("kernel", "numpy", "numpy by hand")  # NumPy is always there; the others are extras


def contest(run: Run) -> list[str]:
    """Write the table of contenders, on one processor and on all, who was absent, and how wide vectors are."""
    columns = sorted({1, counts(run)[-1]})
    kernel = {count: run[f"peers, kernel, {count}"] for count in columns}
    heads = [f"{'one processor' if count == 1 else f'all {count}'}: ns a path-step" for count in columns]
    lines = ["| | " + " | ".join(f"{head} | over the kernel" for head in heads) + " |"]
    lines.append("|---|" + "---|---|" * len(columns))
    absent = []
    for who, label in LABELS.items():
        found = {count: _of(run, who, count) for count in columns}
        if not any(found.values()):
            absent.append(label)
            continue
        cells = [cell for count in columns for cell in _cells(found[count], kernel[count])]
        lines.append(f"| {f'**{label}**' if who == 'kernel' else label} | {' | '.join(cells)} |")
    notes = [f"Absent from this run: {', '.join(absent)}."] if absent else []
    if run.machine.get("margin", {}).get("avx512"):
        notes.append("The kernel uses vectors of 512 bits on this machine, and the C by hand in AVX2 those of 256.")
    return [*lines, *(line for note in notes for line in ("", note))]


def counts(run: Run) -> list[int]:
    """Return on how many processors the kernel was measured, and so was everyone: 1, 2, 4, ... to all."""
    run["peers, kernel, 1"]
    return [case.noted("threads") for case in run.sized("peers, kernel, ")]


def _of(run: Run, who: str, count: int) -> Case | None:
    name = f"peers, {who}, {count}"
    return run[name] if who in NEEDED else run.find(name)


def _cells(case: Case | None, kernel: Case) -> tuple[str, str]:
    if case is None:
        return "", ""
    return case.spread(), "" if case is kernel else ratio(case.ns() / kernel.ns())


def scaling(run: Run) -> list[str]:
    """Write throughput by processors, in billions of path-steps a second."""
    present = [who for who in LABELS if _of(run, who, 1)]
    lines = [f"| processors | {' | '.join(LABELS[who] for who in present)} |", "|---|" + "---|" * len(present)]
    for count in counts(run):
        cells = [_throughput(run, who, count) for who in present]
        lines.append(f"| {count} | {' | '.join(cells)} |")
    return lines


def _throughput(run: Run, who: str, count: int) -> str:
    case, alone = run[f"peers, {who}, {count}"], run[f"peers, {who}, 1"]
    return f"{three_figures(1 / case.ns())}" + ("" if count == 1 else f", {ratio(alone.ns() / case.ns())} one")

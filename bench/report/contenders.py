"""Who is measured beside the kernel, and how they are written."""

from __future__ import annotations

from bench.report.cases import Case, Run, figure, ratio

LABELS = {
    "kernel": "margin-kernel",
    "c": "hand-written C, AVX2",
    "c with exp": "hand-written C, AVX2, an exponential a step",
    "numpy": "NumPy",
    "numpy by hand": "NumPy, normals by hand",
    "jax": "JAX, jitted, CPU",
    "quantlib": "QuantLib, one tier only",
}
NEEDED = ("kernel", "numpy", "numpy by hand")  # NumPy is always there; the others are extras
COUNTS = ("one", "all")
_SCALED = ("kernel", "numpy")  # are there on every number of threads


def contest(run: Run) -> list[str]:
    """Write the table of contenders, on one processor and on all, and who was absent."""
    columns = [count for count in COUNTS if count == "one" or run.find(f"peers, kernel, {count}")]
    kernel = {count: run[f"peers, kernel, {count}"] for count in columns}
    heads = [f"{_processors(count, kernel[count])}: ns a path-step" for count in columns]
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
    return [*lines, *(["", f"Absent from this run: {', '.join(absent)}."] if absent else [])]


def _of(run: Run, who: str, count: str) -> Case | None:
    name = f"peers, {who}, {count}"
    return run[name] if who in NEEDED else run.find(name)


def _processors(count: str, kernel: Case) -> str:
    return "one processor" if count == "one" else f"all {kernel.noted('threads')}"


def _cells(case: Case | None, kernel: Case) -> tuple[str, str]:
    if case is None:
        return "", ""
    return case.spread(), "" if case is kernel else ratio(case.ns() / kernel.ns())


def scaling(run: Run) -> list[str]:
    """Write throughput by threads, in billions of path-steps a second."""
    lines = ["| threads | " + " | ".join(LABELS[who] for who in _threaded(run)) + " |"]
    lines.append("|---|" + "---|" * len(_threaded(run)))
    for kernel in run.sized("threads, kernel, "):
        threads = kernel.noted("threads")
        cells = [_throughput(run, who, threads) for who in _threaded(run)]
        lines.append(f"| {threads} | {' | '.join(cells)} |")
    return lines


def _threaded(run: Run) -> list[str]:
    return [who for who in LABELS if who in _SCALED or run.find(f"threads, {who}, 1")]


def _throughput(run: Run, who: str, threads: int) -> str:
    case, alone = run[f"threads, {who}, {threads}"], run[f"threads, {who}, 1"]
    return f"{figure(1 / case.ns())}" + ("" if threads == 1 else f", {ratio(alone.ns() / case.ns())} one")

"""Write docs/fitting.md: whether fits find the markets that histories were drawn from, and know how surely.

python -m bench.pages.fitting
"""

from __future__ import annotations

import time
from pathlib import Path

from bench.pages.recovery import SHORT, TRUTHS, Truth, study

HISTORIES = 200
TARGET = Path(__file__).parents[2] / "docs" / "fitting.md"


def table(truth: Truth) -> list[str]:
    """Return a truth's rows."""
    rows = [
        f"## {truth.name}",
        "",
        "| parameter | truth | mean estimate | their deviation | mean stated error | coverage | no error |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in study(truth, HISTORIES):
        figures = " | ".join(f"{value:.4g}" for value in (one.truth, one.mean, one.deviation, one.stated))
        rows.append(f"| {one.name} | {figures} | {100 * one.coverage:.1f}% | {one.silent or ''} |")
    return [*rows, ""]


def main() -> None:
    """Write the page."""
    start = time.perf_counter()
    text = [
        "# Fitting",
        "",
        f"Written by `python -m bench.pages.fitting`. {HISTORIES} histories of each market, drawn with NumPy alone,",
        "are fitted by maximum likelihood. An honest error has the size of the estimates' deviation, and intervals of",
        "1.96 of it to both sides cover the truth 95% of the time (of 200, 91.5 to 98% as a rule): `coverage`.",
        "`no error` counts fits that stated none, because their history does not say: they are left out of the columns",
        "before. The two markets at the end show what few jumps do: the errors have the right size, but means and",
        "probabilities of jumps are skewed, and an interval of the same width to both sides covers less often.",
        "",
    ]
    for truth in (*TRUTHS, *SHORT):
        text += table(truth)
    TARGET.write_text("\n".join(text), encoding="utf-8")
    print(f"{time.perf_counter() - start:.0f} s")  # noqa: T201 - a script says how long it took


if __name__ == "__main__":
    main()

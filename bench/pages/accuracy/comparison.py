"""An estimate beside the truth, and many of them beside what chance would do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from scipy.stats import norm

import kernel
from bench.pages.markdown import wrapped


class Comparison(NamedTuple):
    """An estimate and the truth, whose own error is 0 if it is known."""

    truth: float
    estimate: kernel.Estimate
    truth_error: float = 0.0

    @property
    def error(self) -> float:
        """Return the standard error of the difference."""
        return math.hypot(self.estimate.standard_error, self.truth_error)

    @property
    def z(self) -> float:
        """Return the bias in standard errors."""
        return (self.estimate.value - self.truth) / self.error

    @property
    def bias(self) -> str:
        """Write the bias and its standard error in percent of the truth."""
        percent = 100 / abs(self.truth)
        digits = 2 if self.error * percent < 1 else 1
        return f"{(self.estimate.value - self.truth) * percent:+.{digits}f} ± {self.error * percent:.{digits}f}"


class Section(NamedTuple):
    """Lines of the page, the comparisons in them that should differ by chance alone, and what is biased, in words."""

    lines: list[str]
    comparisons: list[Comparison]
    biased: Sequence[str] = ()


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def prose(text: str) -> list[str]:
    """Return a paragraph, wrapped, and an empty line."""
    return [*wrapped(text), ""]


def largest_by_chance(count: int, probability: float) -> float:
    """Return the `probability`-quantile of the largest of `count` independent normals' magnitudes."""
    return float(norm.ppf((1 + probability ** (1 / count)) / 2))


def tally(name: str, comparisons: Sequence[Comparison]) -> list[str]:
    """Return a row of the summary: what was seen, and what chance alone would do."""
    sizes = [abs(one.z) for one in comparisons]
    beyond = sum(size > norm.ppf(0.975) for size in sizes) / len(sizes)
    return [
        name,
        f"{len(sizes)}",
        f"{max(sizes):.2f}",
        f"{largest_by_chance(len(sizes), 0.5):.2f}",
        f"{largest_by_chance(len(sizes), 0.95):.2f}",
        f"{100 * beyond:.1f}",
        f"{math.sqrt(math.fsum(size**2 for size in sizes) / len(sizes)):.2f}",
    ]

"""Write docs/accuracy.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.accuracy import heston, one_asset, several_assets
from bench.accuracy.comparison import Section, table, tally
from bench.accuracy.coverage import coverage
from bench.accuracy.precision import precision

TARGET = Path(__file__).parents[2] / "docs" / "accuracy.md"
PATHS, GRID_PATHS, BOOK_PATHS, PRECISION_PATHS, RUNS = 4_000_000, 1_000_000, 2_000_000, 250_000, 1_000


def summary(continuous: Section, grid: Section, books: Section, others: Sequence[Section]) -> list[str]:
    """Return the head of the page."""
    parts = {
        "one asset, continuous": continuous.comparisons,
        "one asset, on a grid": grid.comparisons,
        "several assets, closed form, exact bridge": books.comparisons,
    }
    together = [one for part in parts.values() for one in part]
    heads = [
        "compared",
        "numbers",
        "largest z",
        "chance: median",
        "chance: 95%",
        "beyond 1.96, %",
        "root mean square z",
    ]
    rows = [tally(name, part) for name, part in {**parts, "all": together}.items()]
    biased = [note for section in (*others, books) for note in section.biased]
    return [
        "# Accuracy",
        "",
        "Written by `python -m bench.accuracy`, nothing by hand. How far estimates are from the truth, where there is a",
        "truth that owes nothing to the simulation: closed forms, transforms, equations solved without paths.",
        "",
        "z is estimate less truth, in standard errors of the estimate. Of many numbers 5% should be beyond 1.96, and the",
        "largest of so many independent normals has the median and the 95% point below. Numbers of one run move together,",
        "which makes the largest by chance a little smaller than that, and the other two columns spread more.",
        "",
        *table(heads, rows),
        "",
        "Exact, as far as this many paths can tell: one asset under GBM, Merton and Kou, long and short, at any number of",
        "steps; discrete monitoring, as the law of its grid; books of several assets whose margin ratio is a function of",
        "one lognormal price, or of the ratio of two.",
        "",
        "Biased:",
        "",
        *[f"- {note}" for note in biased],
        "- Discrete monitoring, where the account is watched continuously: what it misses is in its table.",
        "",
        "The first are those of the Heston and Bates scheme whose bias in one step is beyond four standard errors; those",
        "named after them are told of under their headings.",
        "",
    ]


def main() -> None:
    """Write the page."""
    continuous, grid = one_asset.continuous(PATHS), one_asset.on_a_grid(GRID_PATHS)
    books, moving, covered = several_assets.several_assets(BOOK_PATHS), heston.measures(heston.PATHS), coverage(RUNS)
    text = [
        *summary(continuous, grid, books, (moving, covered)),
        "## One asset, watched continuously",
        "",
        f"A tenfold long and a tenfold short perpetual over five days, {PATHS:,} paths, a seed for each run. Tiers at a",
        "margin ratio of 10 and 1; the median is that of the breach time given a breach. Truths of breaches: first",
        "passage in closed form (GBM), the transform of Kou and Wang (2003) (Kou), and for Merton the equation of first",
        "passage solved by collocation and a Laplace transform (`tests/oracles/passage.py`), which agrees with the other",
        "two on their markets to eight digits and with the limit of fine grids on its own to six. Of losses: lognormal",
        "(GBM) and the integral of the characteristic function (Merton, Kou). Losses do not depend on the monitoring.",
        "",
        *continuous.lines,
        "## One asset, watched on a grid",
        "",
        f"The same accounts where only the ends of steps count, {GRID_PATHS:,} paths: breach probabilities in percent.",
        "The truth is that of the grid, by Hilbert transforms (Feng and Linetsky 2008), good to ten digits. Corrected:",
        "continuous monitoring of a barrier moved away by 0.5826 volatility sqrt(step) (Broadie, Glasserman and Kou",
        "1997), a check of the truth on fine grids and an approximation on coarse ones. Missed: the share of breaches in",
        "continuous time that the grid does not see. Medians are the ends of steps, by number.",
        "",
        *grid.lines,
        "",
        "## Do the intervals hold?",
        "",
        f"Long, one step, {RUNS:,} seeds: how often the 95% interval holds the truth, ± the error of that share; the mean",
        "stated standard error over the standard deviation of the estimates; the mean of the estimates less the truth in",
        "those standard deviations. Intervals of VaR and of median times run between order statistics, whole ranks: with",
        "few paths they hold a little more than 95%, and their half-width over 1.96, the stated error, is wide.",
        "",
        *covered.lines,
        "",
        "## Several assets: a bridge of local variance",
        "",
        "Liquidation over five days unless it says so (ten assets: 36.5 days). The distance of a tier is the logarithm of",
        "what counts for it over what counts against it; its bridge takes the variance from the mean of both ends. Bias",
        f"in percent of the truth ± one standard error, {BOOK_PATHS:,} paths ({BOOK_PATHS // 4:,} with ten assets). The",
        "truth is a closed form for the books of perfectly correlated assets, and for the one without cash, whose margin",
        f"ratio is a function of the ratio of both prices; for others the bridge at {several_assets.FINE:,} steps, whose",
        "error is in all biases of its row.",
        "",
        "The last two books are hard ones: within a step the mix of what is held changes much on the way to the tier.",
        "Choose the steps so that the volatility of the most volatile asset times the root of a step is at most 0.1.",
        "",
        *books.lines,
        "",
        "## Single against double precision",
        "",
        f"The long account, continuous, {PRECISION_PATHS:,} paths, the same random words in both. Losses: difference in",
        "parts of the opening price. Tiers differ: paths on which one precision breaches a tier and the other does not.",
        "Times: difference where both breach. Estimates: the largest difference, of breach probabilities, median times,",
        "VaR 99% and ES 97.5%, in standard errors.",
        "",
        *precision(PRECISION_PATHS),
        "",
        *heston.page(moving),
    ]
    TARGET.write_text("\n".join(text))


if __name__ == "__main__":
    main()

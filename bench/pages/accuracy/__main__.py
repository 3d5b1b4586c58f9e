"""Write docs/accuracy.md."""

from __future__ import annotations

from pathlib import Path

from bench.pages.accuracy import coverage, heston, heston_measures, one_asset, precision, several_assets, truths
from bench.pages.accuracy.comparison import Section, prose, table, tally

TARGET = Path(__file__).parents[3] / "docs" / "accuracy.md"
PATHS, GRID_PATHS, BOOK_PATHS, PRECISION_PATHS, RUNS = 4_000_000, 1_000_000, 1_000_000, 250_000, 1_000


def summary(parts: dict[str, Section], biased: dict[str, Section]) -> list[str]:
    """Return the head of the page: what chance alone should move, and what is biased."""
    compared = {name: part.comparisons for name, part in parts.items()}
    compared["all"] = [one for part in compared.values() for one in part]
    heads = [
        "compared",
        "numbers",
        "largest z",
        "chance: median",
        "chance: 95%",
        "beyond 1.96, %",
        "root mean square z",
    ]
    named = [line for head, part in biased.items() for line in (f"- {head}", *(f"  - {note}" for note in part.biased))]
    return [
        "# Accuracy",
        "",
        *prose("""Written by `python -m bench.pages.accuracy`, nothing by hand. How far estimates are from the truth,
            where there is a truth that owes nothing to the simulation: closed forms, transforms, equations solved
            without paths."""),
        *prose("""z is estimate less truth, in standard errors of the estimate. By chance alone 5% of all numbers are
            beyond 1.96, and the largest of so many independent normals has the median and the 95% point below. Numbers
            of one run move together, so that the largest is by chance a little smaller than that, and the last two
            columns spread more."""),
        *table(heads, [tally(name, numbers) for name, numbers in compared.items()]),
        "",
        *prose("""Exact, as far as this many paths can tell: one asset under GBM, Merton and Kou, long and short, at any
            number of steps; discrete monitoring, as the law of its grid; books of several assets that are
            one lognormal price in truth, held on one side, or the ratio of two."""),
        "Biased:",
        "",
        *named,
        "- Discrete monitoring, taken for continuous: it misses the share of breaches that is in its table.",
        "",
    ]


def _one_asset(continuous: Section, grid: Section) -> list[str]:
    return [
        "## One asset, watched continuously",
        "",
        *prose(f"""A tenfold long and a tenfold short perpetual over five days, {PATHS:,} paths, a seed for each run.
            Tiers at a margin ratio of 10 and 1; the median is that of the breach time given a breach. Truths of
            breaches: first passage in closed form (GBM), the transform of Kou and Wang (2003) (Kou), and for Merton,
            and Kou's medians, the equation of first passage solved by collocation and a Laplace transform
            (`bench/oracles/passage.py`), which agrees with the closed form and the transform to eight digits and, on
            another of Merton's markets, with the limit of fine grids to six. Of losses: lognormal (GBM) and the
            integral of the characteristic function (Merton, Kou). Losses do not depend on the monitoring."""),
        *prose(f"Markets: {truths.stated()}."),
        *continuous.lines,
        "## One asset, watched on a grid",
        "",
        *prose(f"""The same accounts where only the ends of steps count, {GRID_PATHS:,} paths: breach probabilities in
            percent. The truth is that of the grid, by Hilbert transforms (Feng and Linetsky 2008), good to nine digits.
            Corrected: continuous monitoring of a barrier moved away by 0.5826 volatility sqrt(step) (Broadie,
            Glasserman and Kou 1997), a check of the truth on fine grids and an approximation on coarse ones. Missed:
            the share of breaches in continuous time that the grid does not see. Medians are ends of steps, by
            number."""),
        *grid.lines,
    ]


def _intervals(covered: Section) -> list[str]:
    return [
        "## Do the intervals hold?",
        "",
        *prose(f"""Long, one step, {RUNS:,} seeds: how often the 95% interval holds the truth, ± the error of that
            share; the mean stated standard error over the standard deviation of the estimates; the mean of the
            estimates less the truth, in those standard deviations. Intervals of VaR and of median times run between
            order statistics, whole ranks, whatever the law: that of VaR with {coverage.PATHS[0]:,} paths is due to hold
            in {coverage.due()}%, and its half-width over 1.96, the stated error, is wide in proportion. The
            bias of VaR is that of an order statistic, and falls as one over the paths. Intervals of
            Expected Shortfall by law and by the number of losses in the tail: `docs/intervals.md`."""),
        *covered.lines,
        "",
    ]


def _books(books: Section) -> list[str]:
    return [
        "## Several assets: a bridge of local variance",
        "",
        *prose(f"""Liquidation over five days unless it says so (ten assets: 36.5 days). The distance of a tier is the
            logarithm of what counts for it over what counts against it; its bridge takes the variance from the mean of
            both ends. Bias in percent of the truth ± one standard error, {BOOK_PATHS:,} paths ({BOOK_PATHS // 4:,} with
            ten assets). The truth is a closed form for the books of perfectly correlated assets, and for the one
            without cash, whose margin ratio is a function of the ratio of both prices. For others it is the bridge at
            {several_assets.FINE} steps, whose error is in all biases of its row."""),
        *prose("""The last two books are hard ones: within a step the mix of what is held changes much on the way to the
            tier. Where all is held on one side, choose the steps so that the volatility of the most volatile asset
            times the root of a step is at most 0.1; where what is held offsets itself several times over, at most
            0.02."""),
        *books.lines,
        "",
    ]


def _precisions(compared: list[str]) -> list[str]:
    return [
        "## Single against double precision",
        "",
        *prose(f"""The long account, watched continuously, {PRECISION_PATHS:,} paths, the same random words in both.
            Losses: difference in parts of the opening price. Tiers differ: paths on which one precision breaches a tier
            and the other does not. Times: difference where both breach; the largest are of paths that just
            touch a tier in one precision, just miss it in the other, and breach it later. Estimates: the largest
            difference, of breach probabilities, median times, VaR 99% and ES 97.5%, in standard errors."""),
        *compared,
        "",
    ]


def main() -> None:
    """Write the page."""
    continuous, grid = one_asset.continuous(PATHS), one_asset.on_a_grid(GRID_PATHS)
    books, moving = several_assets.several_assets(BOOK_PATHS), heston_measures.measures(heston.PATHS)
    covered = coverage.coverage(RUNS)
    exact = {
        "one asset, continuous": continuous,
        "one asset, on a grid": grid,
        "several assets in closed form": books,
    }
    biased = {
        "Heston and Bates move by a scheme; in one step, beyond four standard errors:": moving,
        "Several assets where the mix of what is held changes much within a step:": books,
    }
    text = [
        *summary(exact, biased),
        *_one_asset(continuous, grid),
        *_intervals(covered),
        *_books(books),
        *_precisions(precision.precision(PRECISION_PATHS)),
        *heston.page(moving),
    ]
    TARGET.write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()

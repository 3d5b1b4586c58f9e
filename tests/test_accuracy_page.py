"""What writes docs/accuracy.md: its figures of chance, its comparisons, on few paths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

import kernel
from bench.pages.accuracy import coverage, one_asset, several_assets
from bench.pages.accuracy.comparison import Comparison, largest_by_chance, table, tally
from bench.pages.accuracy.truths import LONG, Case, cases
from tests.cases import ALARM


def test_a_comparison_reckons_bias_and_both_errors() -> None:
    """Z and the relative bias take the error of the truth, where it has one, with that of the estimate."""
    compared = Comparison(2.0, kernel.Estimate(2.1, 0.03, 2.04, 2.16), truth_error=0.04)
    assert compared.z == pytest.approx(2.0)
    assert compared.bias == "+5.0 ± 2.5"


@pytest.mark.parametrize("count", [1, 40])
def test_the_largest_by_chance_is_that_of_simulated_normals(count: int) -> None:
    """Half of the samples of so many normals have a largest magnitude below the median that is stated."""
    largest = np.abs(np.random.default_rng(0).standard_normal((20_000, count))).max(axis=1)
    below = int(np.count_nonzero(largest < largest_by_chance(count, 0.5)))
    assert binomtest(below, largest.size).pvalue > 1e-5


def test_a_tally_counts_what_is_beyond() -> None:
    """Two of four numbers beyond 1.96 are 50%; the root mean square is over all of them."""
    numbers = [Comparison(0.0, kernel.Estimate(z, 1.0, z - 2, z + 2)) for z in (0.0, 1.0, -2.0, 3.0)]
    assert tally("some", numbers)[:3] == ["some", "4", "3.00"]
    assert tally("some", numbers)[5:] == ["50.0", f"{math.sqrt(14 / 4):.2f}"]


def test_a_table_is_markdown() -> None:
    """Heads, a rule, rows."""
    assert table(["a", "b"], [["1", "2"]]) == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_every_measure_of_one_asset_meets_its_truth(case: Case) -> None:
    """The comparisons of the page, on 100,000 paths."""
    run = one_asset.simulate(case, LONG, 1, 100_000, 1, "continuous")
    for row in one_asset.measured(run, one_asset.truths(case, LONG)):
        assert abs(row.compared.z) < ALARM


def test_books_with_an_exact_bridge_meet_their_closed_forms() -> None:
    """Two books of two assets, in one step."""
    for book in several_assets.books(50_000)[:2]:
        estimate = kernel.breach_probability(book.job.run(), book.tier)
        assert book.truth is not None
        assert abs(Comparison(book.truth, estimate).z) < ALARM


def test_intervals_between_ranks_are_due_to_hold_a_little_more() -> None:
    """VaR 99% of 1,000 paths has binomial(1,000, 1%) losses beyond: whole numbers of them cover 97.6%."""
    assert coverage.due() == "97.6"

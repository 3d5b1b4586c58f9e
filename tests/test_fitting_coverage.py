"""Stated errors are honest: their intervals cover the truth as often as they say."""

from __future__ import annotations

import pytest

from bench.pages.recovery import TRUTHS, Truth, study


@pytest.mark.slow
@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth.name)
def test_intervals_cover_the_truth(truth: Truth) -> None:
    """Of 200 histories of a market, 90 to 98% have the truth of each number within 1.96 of its error.

    At an exact 95% a number leaves the range once in 50 times; the seeds are fixed.
    """
    for one in study(truth, 200):
        assert 0.90 <= one.coverage <= 0.98, one
        assert one.silent <= 2, one

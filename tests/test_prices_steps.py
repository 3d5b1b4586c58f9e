"""Steps of a history: gaps, closures of the market, moves and splits."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from kernel import read_prices
from tests.price_files import CLOSES, DAYS, HOURS, START, Write, csv


def test_gaps_are_no_returns(file: Write) -> None:
    """In a market that never closes, steps beyond 1.5 medians are gaps, and dt is the usual step."""
    kept = [k for k in range(60) if k not in {20, 21, 22, 40}]
    history = read_prices(file(csv([HOURS[k] for k in kept], [CLOSES[k] for k in kept])))
    assert history.gaps is not None
    assert np.flatnonzero(history.gaps).tolist() == [19, 36]
    assert (len(history.returns), history.dt) == (53, 1 / (365 * 24))
    assert "2 steps longer than 1.5 h" in history.notes[0]
    assert "the longest is 4 h from 2020-01-01T19:00 to 2020-01-01T23:00" in history.notes[0]


def test_a_stated_gap_decides(file: Write) -> None:
    """Steps up to max_gap count as steps, longer ones are gaps; dt is the mean of those that count."""
    kept = [k for k in range(60) if k not in {20, 21, 22, 40}]
    path = file(csv([HOURS[k] for k in kept], [CLOSES[k] for k in kept]))
    history = read_prices(path, max_gap="2h")
    assert history.dt * 365 * 24 == pytest.approx((59 - 4) / 54)
    assert "1.9% of the steps are longer than the usual 1 h, up to 2 h" in history.notes[0]
    assert read_prices(path, max_gap="1d").gaps is None


def test_a_market_that_closes_counts_its_closures_as_steps(file: Write) -> None:
    """Weekends and nights are one step each; only what is far longer, or was left out, is a gap."""
    times = [one for k in range(400) if (one := START + timedelta(days=k)).weekday() < 5 and not 100 < k < 120]
    history = read_prices(file(csv([one.date() for one in times], CLOSES * 7)))
    assert history.gaps is not None
    steps = np.diff(np.array(times, "datetime64[D]")).astype(int)
    assert np.flatnonzero(history.gaps).tolist() == np.flatnonzero(steps > 7).tolist()
    assert history.dt * 365 == pytest.approx(steps[steps <= 7].mean())
    assert "longer than the usual 24 h, up to 3 d, as of a market that closes" in history.notes[0]
    nights = [one + timedelta(hours=9.5 + k) for one in times[:60] for k in range(7)]
    history = read_prices(file(csv(nights, CLOSES * 7)))
    assert history.gaps is None
    assert "14% of the steps are longer than the usual 1 h" in history.notes[0]


def test_moves_that_markets_seldom_make_are_noted(file: Write) -> None:
    """A price that is ten times as high from one line to the next may be so, but not without a word."""
    closes = [*CLOSES[:20], *(round(10 * one, 2) for one in CLOSES[20:])]
    (note,) = read_prices(file(csv(DAYS, closes))).notes
    assert "btc is multiplied by 9.86 from line 21 to 22, as by a split of 1:10" in note
    assert "are its units the same?" in note


RATIOS = {"2:1": 0.5, "3:1": 1 / 3, "3:2": 2 / 3, "4:3": 0.75, "20:1": 0.05, "1:2": 2.0, "1:10": 10.0, "2:3": 1.5}


@pytest.mark.parametrize("shares", RATIOS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_likely_splits_are_noted(file: Write, shares: str, seed: int) -> None:
    """A step of just a split's ratio among returns of 1% is told with its lines and the ratio, new for old."""
    prices = 100 * np.exp(np.append(0.0, np.random.default_rng(seed).normal(0.0, 0.01, 299).cumsum()))
    prices[150:] *= RATIOS[shares]
    times = [START + timedelta(days=k) for k in range(300)]
    (note,) = read_prices(file(csv(times, prices.tolist()))).notes
    assert f"from line 151 to 152, as by a split of {shares} that its prices are not adjusted for" in note


@pytest.mark.parametrize(
    ("scale", "crash"),
    [(0.01, 0.88), (0.01, 0.55), (0.1, 0.5), (0.01, 1.0)],
    ids=["no split's ratio", "between ratios", "volatile", "calm"],
)
def test_other_moves_are_no_splits(file: Write, scale: float, crash: float) -> None:
    """A crash of another ratio, one that the market's own moves do not rule out, or none is left without a word.

    Normal returns of ten seeds: a single note in 10 histories of 300 days would be a false alarm of chance below 1e-9.
    """
    for seed in range(10):
        prices = 100 * np.exp(np.append(0.0, np.random.default_rng(seed).normal(0.0, scale, 299).cumsum()))
        prices[150:] *= crash
        times = [START + timedelta(days=k) for k in range(300)]
        assert read_prices(file(csv(times, prices.tolist()))).notes == ()


def test_a_history_of_crashes_has_no_splits(file: Write) -> None:
    """Halvings that a history is full of are moves of its market."""
    prices = 100 * np.exp(np.append(0.0, np.random.default_rng(1).normal(0.0, 0.01, 299).cumsum()))
    for k in range(50, 300, 50):
        prices[k:] *= 0.5 if k % 100 else 2.0
    times = [START + timedelta(days=k) for k in range(300)]
    assert not any("split" in note for note in read_prices(file(csv(times, prices.tolist()))).notes)

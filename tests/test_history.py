"""Histories: what they refuse, and the returns they give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kernel
from kernel.prices.history import as_history

PRICES = np.array([[100.0, 10.0], [110.0, 11.0], [99.0, 12.0], [101.0, 9.0]])


def _fields(**changes: Any) -> list[str]:
    with pytest.raises(kernel.InvalidInput) as refused:
        kernel.History(**{"assets": ("A", "B"), "prices": PRICES, "dt": 0.1, **changes})
    return [problem.field for problem in refused.value.problems]


def test_returns_are_those_between_rows_but_for_gaps() -> None:
    """Log returns run over every step that is no gap; the last prices stay the last."""
    history = kernel.History(assets=("A", "B"), prices=PRICES, dt=0.1, gaps=np.array([False, True, False]))
    np.testing.assert_allclose(history.returns, np.log([[1.1, 1.1], [101 / 99, 0.75]]))
    assert history.last.tolist() == [101.0, 9.0]


def test_what_a_history_holds_cannot_be_changed() -> None:
    """Arrays are copied and read-only."""
    prices = PRICES.copy()
    history = kernel.History(assets=("A", "B"), prices=prices, dt=0.1)
    prices[0] = 5.0
    assert history.prices[0, 0] == 100.0
    with pytest.raises(ValueError, match="read-only"):
        history.prices[0] = 5.0


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"dt": 0.0, "assets": ("A",)}, ["dt", "assets"]),
        ({"prices": PRICES[:2]}, ["prices"]),
        ({"prices": PRICES * [1, -1]}, ["prices"]),
        ({"prices": PRICES * [1, np.nan]}, ["prices"]),
        ({"prices": PRICES * 0 + 1}, ["prices"]),
        ({"prices": "high"}, ["prices"]),
        ({"times": np.arange(3)}, ["times"]),
        ({"times": [4, 3, 2, 1]}, ["times"]),
        ({"gaps": [True]}, ["gaps"]),
        ({"gaps": [1, 0, 0]}, ["gaps"]),
        ({"gaps": [True, True, False]}, ["gaps"]),
    ],
)
def test_wrong_histories_are_named_by_field(changes: dict[str, Any], fields: list[str]) -> None:
    """Each wrong field is named, all of them at once."""
    assert _fields(**changes) == fields


def test_prices_become_a_history_once() -> None:
    """Numbers need dt and may have names; a history brings both, and stating them again is refused."""
    history = as_history(PRICES, 0.1, None)
    assert history.assets == ("asset 1", "asset 2")
    assert as_history(history, None, None) is history
    for arguments, field in (
        ((PRICES, None, None), "dt"),
        ((history, 0.1, None), "dt"),
        ((history, None, "A"), "assets"),
    ):
        with pytest.raises(kernel.InvalidInput) as refused:
            as_history(*arguments)
        assert [problem.field for problem in refused.value.problems] == [field]


def test_markets_are_fitted_to_histories_without_their_gaps() -> None:
    """A fit to a history is that to its returns alone: the step over a gap, however large, changes nothing."""
    steps = np.random.default_rng(0).normal(0.0, 0.02, 200)
    whole = np.exp(np.append(0.0, np.cumsum(steps)))
    split = np.concatenate([whole[:100], 5 * whole[99:]])
    gaps = np.arange(split.size - 1) == 99
    fitted = kernel.Gbm.fit(kernel.History(assets=("A",), prices=split, dt=1 / 365, gaps=gaps)).market
    expected = kernel.Gbm.fit(whole, dt=1 / 365).market
    np.testing.assert_allclose([fitted.volatility, fitted.drift], [expected.volatility, expected.drift], rtol=1e-9)


def test_lows_and_highs_lie_on_their_side_of_the_prices() -> None:
    """Extremes of the steps are kept, NaN where unknown, and refused on the wrong side or in another shape."""
    lows = PRICES - 1.0
    lows[0, 0] = np.nan
    history = kernel.History(assets=("A", "B"), prices=PRICES, dt=0.1, lows=lows, highs=PRICES)
    np.testing.assert_array_equal(history.lows, lows)
    assert _fields(lows=PRICES + 1.0) == ["lows"]
    assert _fields(lows=PRICES - 20.0) == ["lows"]
    assert _fields(highs=PRICES - 1.0) == ["highs"]
    assert _fields(highs=PRICES[:, 0]) == ["highs"]


def test_masked_prices_are_missing() -> None:
    """A mask is not lost: what it hides is refused among prices, and unknown among extremes."""
    mask = np.zeros(PRICES.shape, dtype=bool)
    mask[1, 0] = True
    assert _fields(prices=np.ma.array(PRICES, mask=mask)) == ["prices"]
    history = kernel.History(assets=("A", "B"), prices=PRICES, dt=0.1, lows=np.ma.array(PRICES - 1, mask=mask))
    assert history.lows is not None
    np.testing.assert_array_equal(np.isnan(history.lows), mask)


@pytest.mark.parametrize(("dt", "fits"), [("1d", True), (1 / 252, True), ("1h", False), (1.0, False), (1 / 365, True)])
def test_a_step_that_contradicts_the_times_is_refused(dt: float | str, fits: bool) -> None:
    """Rows a day apart are no hours and no years; days of trading in a year, 252 of them, pass."""
    times = np.datetime64("2024-01-01") + np.arange(4)
    if fits:
        assert kernel.History(assets=("A", "B"), prices=PRICES, dt=dt, times=times).times is not None
    else:
        with pytest.raises(kernel.InvalidInput, match="dt: must be near the step of the times, usually 24 h, not"):
            kernel.History(assets=("A", "B"), prices=PRICES, dt=dt, times=times)

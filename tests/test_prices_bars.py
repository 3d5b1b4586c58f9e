"""Bars: the lows and highs that come with their closes, and where these are unknown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from kernel import read_prices

CLOSES = np.array([100.0, 102.0, 101.0, 104.0, 103.0, 107.0, 105.0, 106.0, 108.0, 107.0, 109.0, 111.0])
LOWS, HIGHS = CLOSES - np.arange(12) / 4, CLOSES + 1 + np.arange(12) / 4
DAYS = [f"2020-01-{k + 1:02}" for k in range(12)]


def _rows(closes: Sequence[float] = CLOSES, lows: Sequence[float] = LOWS, highs: Sequence[float] = HIGHS) -> list[str]:
    return [f"{day},{high},{low},{close}" for day, high, low, close in zip(DAYS, highs, lows, closes, strict=True)]


def _write(folder: Path, rows: Sequence[str], header: str = "date,high,low,close", name: str = "btc.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize("order", [1, -1])
def test_closes_bring_their_lows_and_highs_along(tmp_path: Path, order: int) -> None:
    """Lows and highs stand beside their closes, whatever the order of the rows."""
    history = read_prices(_write(tmp_path, _rows()[::order]))
    assert history.prices[:, 0].tolist() == CLOSES.tolist()
    np.testing.assert_array_equal(history.lows, LOWS[:, None])
    np.testing.assert_array_equal(history.highs, HIGHS[:, None])


def test_extremes_are_adjusted_as_their_closes_are(tmp_path: Path) -> None:
    """Beside an adjusted close, low and high are those of the bar times the same factor."""
    rows = [f"{row},{close / 2}" for row, close in zip(_rows(), CLOSES, strict=True)]
    path = _write(tmp_path, rows, "date,high,low,close,adj close")
    history = read_prices(path)
    np.testing.assert_allclose(history.lows, LOWS[:, None] / 2)
    np.testing.assert_allclose(history.highs, HIGHS[:, None] / 2)
    np.testing.assert_array_equal(read_prices(path, columns="close").lows, LOWS[:, None])


def test_impossible_bars_have_no_extremes(tmp_path: Path) -> None:
    """Where a close lies outside its bar, a low is zero or an extreme is missing, both are unknown."""
    lows, highs = LOWS.copy(), HIGHS.copy()
    lows[1], lows[2], highs[3], lows[4] = 102.5, 0.0, 103.5, np.nan
    history = read_prices(_write(tmp_path, _rows(lows=lows, highs=highs)))
    unknown = np.isin(np.arange(12), [1, 2, 3, 4])
    np.testing.assert_array_equal(history.lows[:, 0], np.where(unknown, np.nan, LOWS))
    np.testing.assert_array_equal(history.highs[:, 0], np.where(unknown, np.nan, HIGHS))


def test_an_asset_without_bars_has_no_extremes(tmp_path: Path) -> None:
    """Beside an asset with bars, one with closes alone has unknown extremes; where none has bars there are none."""
    bars = _write(tmp_path, _rows())
    closes = _write(
        tmp_path, [f"{day},{2 * one}" for day, one in zip(DAYS, CLOSES, strict=True)], "date,close", "x.csv"
    )
    history = read_prices([closes, bars])
    np.testing.assert_array_equal(history.lows, np.column_stack([np.full(12, np.nan), LOWS]))
    np.testing.assert_array_equal(history.highs, np.column_stack([np.full(12, np.nan), HIGHS]))
    assert read_prices(closes).lows is None
    assert read_prices(bars, columns="high").lows is None, "the bar of an opening or of an extreme is not over by then"


def test_extremes_over_rows_that_were_left_out_are_unknown(tmp_path: Path) -> None:
    """A step over a missing row has only a part of its bars, even where a stated gap counts it as a step."""
    rows = _rows()
    bars = _write(tmp_path, rows)
    other = [f"{day},{2 * one}" for day, one in zip(DAYS, CLOSES, strict=True)]
    closes = _write(tmp_path, other[:3] + other[4:], "date,close", "x.csv")
    history = read_prices([bars, closes], max_gap="3d")
    assert history.gaps is None
    expected = np.delete(LOWS, 3)
    expected[3] = np.nan
    np.testing.assert_array_equal(history.lows[:, 0], expected)

"""Data frames: times in the index or beside, prices masked, nullable or as texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kernel import read_prices
from tests.price_files import CLOSES, DAYS, HIGHS, refused

pd = pytest.importorskip("pandas")
VOLUMES = [1000 + 37 * k % 101 for k in range(60)]


def _frame(closes: object, **more: object) -> Any:
    return pd.DataFrame({"date": pd.to_datetime(DAYS), "close": closes, **more})


FRAMES = {
    "index": lambda: pd.DataFrame({"Close": CLOSES}, index=pd.DatetimeIndex(DAYS)),
    "whole numbers as index": lambda: pd.DataFrame({"Close": CLOSES}, index=[int(f"{one:%Y%m%d}") for one in DAYS]),
    "reset index": lambda: _frame(CLOSES).reset_index(),
    "two levels": lambda: pd.DataFrame({("Close", "X"): CLOSES, ("High", "X"): HIGHS}, index=pd.DatetimeIndex(DAYS)),
    "texts": lambda: _frame([f"${one}" for one in CLOSES]),
    "decimals": lambda: _frame(pd.array([pa.scalar(str(one)).cast(pa.decimal128(9, 2)).as_py() for one in CLOSES])),
    "volumes": lambda: _frame(CLOSES, volume=VOLUMES, rows=range(60)),
    "dates": lambda: _frame(CLOSES).assign(date=[one.date() for one in DAYS]),
}


@pytest.mark.parametrize("form", FRAMES)
def test_data_frames_read_like_files(form: str) -> None:
    """Whether times stand in the index or a column, and prices as numbers or texts, a frame gives the same history."""
    history = read_prices(FRAMES[form]())
    assert history.prices[:, 0].tolist() == CLOSES
    assert history.times is not None
    assert (history.times.tolist(), history.notes) == (DAYS, ())


@pytest.mark.parametrize("form", ["float64", "Float64", "double[pyarrow]", "object"])
def test_what_is_missing_in_a_frame_stays_missing(form: str) -> None:
    """A masked, nullable or empty cell is no price: its row is left out and told."""
    closes = pd.Series(CLOSES, dtype="Float64")
    closes[7] = pd.NA
    column = closes.astype(form) if form != "float64" else closes.to_numpy("float64", na_value=np.nan)
    history = read_prices(_frame(column))
    assert history.prices[:, 0].tolist() == [*CLOSES[:7], *CLOSES[8:]]
    assert history.notes[0] == "1 row was left out, where asset is missing: row 8."


def test_frames_that_tell_too_little_are_refused() -> None:
    """Two columns of one name, a series without its times' column, and a volume alone are sentences."""
    twice = pd.DataFrame(np.column_stack([CLOSES, CLOSES]), columns=["close", "close"], index=pd.DatetimeIndex(DAYS))
    assert "Duplicate column names found: ['close', 'close']" in refused(twice)["history"]
    assert "a series alone has none" in refused(pd.Series(CLOSES, index=pd.DatetimeIndex(DAYS)))["history"]
    assert "it has 'volume'" in refused(_frame(VOLUMES).rename(columns={"close": "volume"}))["columns"]

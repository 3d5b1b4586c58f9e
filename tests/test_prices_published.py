"""Published price files, as their publisher wrote them."""

from __future__ import annotations

import gzip
from importlib.resources import as_file, files

import numpy as np
import pytest

from kernel import read_prices


@pytest.mark.parametrize("name", ["sp500", "nasdaq"])
def test_published_index_bars_are_read(name: str) -> None:
    """Twenty years of an index's daily bars need no setting: 5,031 closes, weekends and holidays one step each."""
    pytest.importorskip("arch")
    with as_file(files("arch") / "data" / name / f"{name}.csv.gz") as path:
        history = read_prices(path)
    with gzip.open(path, "rt") as text:
        closes = [float(line.split(",")[5]) for line in list(text)[1:]]
    assert (history.assets, history.gaps) == ((name,), None)
    assert history.prices[:, 0].tolist() == closes
    assert history.times is not None
    span = history.times[-1] - history.times[0]
    assert history.dt == pytest.approx(span / np.timedelta64(365, "D") / 5030)


def test_published_indices_are_aligned() -> None:
    """Two indices in two files share their days."""
    pytest.importorskip("arch")
    with (
        as_file(files("arch") / "data" / "sp500" / "sp500.csv.gz") as first,
        as_file(files("arch") / "data" / "nasdaq" / "nasdaq.csv.gz") as second,
    ):
        history = read_prices({"SPX": first, "NDX": second}, first="2010-01-01")
    assert (history.assets, history.prices.shape) == (("SPX", "NDX"), (2264, 2))
    assert np.corrcoef(history.returns, rowvar=False)[0, 1] > 0.9

"""Breaches counted by cells inside the kernel are those that a search through the cells' edges finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike

from kernel._core.cells import count_by_cell
from kernel._core.jit import entry
from kernel.simulation.summary import CELLS, cell_edges, count_breaches

COLUMNS, TIERS = 5_000, 3


@entry
def _count(breach_time: Any, edge: Any, first: int, last: int, chosen: Any, breaches: Any) -> None:
    count_by_cell(breach_time, edge, first, last, chosen, breaches)


def _times(edge: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return times within the horizon, many of them at an edge or a bit beside it, of tiers breached in turn."""
    away = [edge[rng.integers(0, CELLS + 1, COLUMNS)] for _ in range(3)]
    real = edge.dtype.type
    kinds = [away[0], np.nextafter(away[1], real(0)), np.nextafter(away[2], edge[-1]), edge[-1] * rng.random(COLUMNS)]
    picked = np.choose(rng.integers(0, len(kinds), (TIERS, COLUMNS)), kinds).astype(edge.dtype)
    picked.sort(axis=0)
    never = rng.random(COLUMNS) * (TIERS + 1)
    return np.where(np.arange(TIERS)[:, None] < never, picked, real(np.nan))


@pytest.mark.parametrize("real", [np.float32, np.float64])
@pytest.mark.parametrize("horizon", [1e-6, 5 / 365, 1 / 3, 1.0, 999.9])
def test_the_kernel_counts_what_a_search_finds(horizon: float, real: DTypeLike) -> None:
    """Times at the edges, a bit beside them, at 0, at the horizon and never: all in the cell that a search names."""
    edge = cell_edges(horizon, real)
    times = _times(edge, np.random.default_rng(0))
    breaches = np.zeros((TIERS, CELLS + 1), np.int64)
    _count(times, edge, 0, 1_234, np.zeros(512, np.int64), breaches)
    _count(times, edge, 1_234, COLUMNS, np.zeros(512, np.int64), breaches)
    np.testing.assert_array_equal(breaches, count_breaches(times, horizon))
    assert breaches.sum() == np.count_nonzero(~np.isnan(times))

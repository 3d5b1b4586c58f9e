"""The two kinds of outcome: paths, and a summary of them."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pyarrow as pa
import pytest

import kernel
from kernel.simulation.path_outcome import require_paths
from tests.cases import GBM, HORIZON, LADDER, run

CELL_TIMES = np.arange(1_441) / 1_440 * HORIZON


def test_a_record_of_paths_and_a_summary_are_two_types() -> None:
    """Either is an `Outcome`, which is neither by itself; none has room for what only the other can have."""
    paths, summary = run(GBM, paths=1_000), run(GBM, paths=1_000, record="summary")
    assert type(paths) is kernel.PathOutcome
    assert type(summary) is kernel.SummaryOutcome
    assert isinstance(paths, kernel.Outcome)
    assert isinstance(summary, kernel.Outcome)
    own = [{one.name for one in fields(one)} - {one.name for one in fields(kernel.Outcome)} for one in (paths, summary)]
    assert own[0] & own[1] == set()
    assert own[1] == {"summary"}
    with pytest.raises(TypeError, match="abstract"):
        kernel.Outcome()  # type: ignore[abstract,call-arg]


def test_a_summary_says_that_it_has_no_paths() -> None:
    """Its arrays are None, and what needs them is refused with what to do."""
    summary = run(GBM, paths=1_000, record="summary")
    arrays = ("loss", "terminal_price", "breach_time", "worst", "weight", "breach_weight")
    assert all(getattr(summary, name) is None for name in arrays)
    for call in (summary.to_arrow, lambda: pa.table(summary), lambda: require_paths(summary)):
        with pytest.raises(kernel.InvalidInput, match=r'outcome: is a summary, .* record="paths"'):
            call()


def test_both_count_the_same() -> None:
    """Breaches by any times of the grid, and losses above any sum that was kept, are those of an explicit loop."""
    paths = run(GBM, paths=5_000)
    summary = run(GBM, paths=5_000, record="summary", levels=(0.5,))
    for k, tier in enumerate(LADDER.names):
        times = paths.breach_time[k]
        expected = [np.count_nonzero(times <= np.float32(time)) for time in CELL_TIMES[::97]]
        assert paths.breaches_by(tier, CELL_TIMES[::97]).tolist() == expected
        assert summary.breaches_by(tier, CELL_TIMES[::97]).tolist() == expected
        assert [float(paths.breaches_by(tier, time)[0]) for time in CELL_TIMES[::97]] == expected
    for bound in (1_000.0, 4_000.0):
        expected_losses = sum(loss > bound for loss in paths.loss.tolist())
        assert paths.losses_above(bound) == summary.losses_above(bound) == expected_losses


def test_an_outcome_is_its_own_table() -> None:
    """Any Arrow library reads it as it is, with weights beside the paths of importance sampling."""
    outcome = run(GBM, paths=500, importance="liquidation", worst=True)
    table = pa.table(outcome)
    assert table.equals(outcome.to_arrow())
    assert table["weight"].to_numpy().tobytes() == outcome.weight.tobytes()

"""Results are tables: each is read by any Arrow library as it is, with every number that it holds."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

import kernel
from kernel.tables import Tabular
from tests.cases import GBM, HORIZON, LADDER, LONG

DAY = 1 / 365
OUTCOME = kernel.simulate(GBM, LONG, LADDER, horizon=HORIZON, steps=5, paths=2_000, worst=[DAY, 5 * DAY])


def _rows(result: Tabular) -> dict[str, list[object]]:
    """Read a result as an Arrow library does that knows nothing of it."""
    table = pa.RecordBatchReader.from_stream(result).read_all()
    assert table.equals(result.to_arrow(), check_metadata=True)
    columns: dict[str, list[object]] = table.to_pydict()
    return columns


def _carried(result: Tabular) -> dict[str, object]:
    carried: dict[str, object] = json.loads(result.to_arrow().schema.metadata[b"margin_kernel"])
    return carried


def test_worst_metrics_stand_beside_losses() -> None:
    """An outcome that kept worst metrics has a column of them for each time."""
    assert OUTCOME.worst is not None
    rows = _rows(OUTCOME)
    assert list(rows)[-2:] == ["worst.1d", "worst.5d"]
    assert rows["worst.1d"] == OUTCOME.worst[0].tolist()


def test_tilted_paths_bring_their_weights() -> None:
    """The table of importance sampling tells what each path counts: with it the estimates are found again."""
    outcome = kernel.simulate(
        GBM, LONG, LADDER, horizon=HORIZON, steps=1, paths=4_000, importance="liquidation", precision="double"
    )
    rows = {name: np.array(column, dtype=float) for name, column in _rows(outcome).items()}
    for tier in LADDER.names:
        found = kernel.breach_probability(outcome, tier).value
        assert rows[f"breach_weight.{tier}"].mean() == pytest.approx(found, rel=1e-12)
        assert ((rows[f"breach_weight.{tier}"] > 0) == ~np.isnan(rows[f"breach_time.{tier}"])).all()
    loss = kernel.value_at_risk(outcome, 0.99).value
    beyond = rows["weight"][rows["loss"] >= loss].sum() / 4_000
    assert beyond == pytest.approx(0.01, abs=rows["weight"].max() / 4_000)


def test_survival_is_a_table_and_still_two_columns() -> None:
    """Survival unpacks into times and probabilities; its table holds the errors and the provenance as well."""
    found = kernel.survival(OUTCOME, "call")
    times, probabilities = found
    rows = _rows(found)
    assert list(rows) == ["time", "probability", "standard_error", "low", "high"]
    assert (rows["time"], rows["probability"]) == (times.tolist(), probabilities.tolist())
    assert (rows["low"], rows["high"]) == (found.low.tolist(), found.high.tolist())
    assert _carried(found) == OUTCOME.provenance


def test_threshold_curves_are_tables() -> None:
    """A curve has a row for each probability; an end that the sample is too small for is null, not infinite."""
    found = kernel.threshold_curve(OUTCOME, [0.001, 0.1], by="1d")
    rows = _rows(found)
    assert list(rows) == ["by", "probability", "level", "standard_error", "low", "high"]
    assert (rows["by"], rows["probability"]) == ([found.by] * 2, [0.001, 0.1])
    assert rows["level"] == [kernel.threshold(OUTCOME, one, by="1d").value for one in (0.001, 0.1)]
    assert rows["low"] == [None, found.low[1]]
    assert _carried(found) == OUTCOME.provenance


@pytest.mark.parametrize("assets", [("BTC",), ("BTC", "asset 2")])
def test_histories_are_tables_that_read_back(assets: tuple[str, ...]) -> None:
    """The table of a history is read as that history again: prices, extremes, gap, step, names."""
    days = np.arange(40) + 5 * (np.arange(40) > 20)
    prices = np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.02, (40, len(assets))), axis=0))
    lows = 0.99 * prices
    lows[3, 0] = np.nan
    history = kernel.History(
        assets=assets,
        prices=prices,
        dt=DAY,
        times=np.datetime64("2024-01-01", "us") + days.astype("timedelta64[D]"),
        gaps=np.diff(days) > 1,
        lows=lows,
        highs=np.where(np.isnan(lows), np.nan, 1.02 * prices),
        notes=("told",),
    )
    found = kernel.read_prices(history)
    assert (found.assets, found.dt) == (assets, pytest.approx(DAY, rel=1e-12))
    for name in ("times", "prices", "gaps", "lows", "highs"):
        np.testing.assert_array_equal(getattr(found, name), getattr(history, name))
    assert _carried(history) == {"dt": DAY, "notes": ["told"]}
    bare = kernel.History(assets=("A",), prices=[1.0, 2.0, 1.5], dt=DAY)
    assert _rows(bare) == {"A:close": [1.0, 2.0, 1.5]}


def test_calibrated_ladders_are_tables() -> None:
    """A row for each tier, the highest first, with what was measured; the stated level has no error."""
    found = kernel.calibrate_ladder(
        GBM, LONG, {"call": kernel.Response("4h", 0.3)}, horizon=HORIZON, paths=10_000, precision="double"
    )
    level, achieved = found.levels["call"], found.achieved["call"]
    names = ("standard_error", "low", "high")
    expected = {"tier": ["call", "liquidation"], "level": [level.value, 1.0]}
    expected |= {f"level_{name}": [one, None] for name, one in zip(names, level[1:], strict=True)}
    expected |= {"achieved": [achieved.value, None]}
    expected |= {f"achieved_{name}": [one, None] for name, one in zip(names, achieved[1:], strict=True)}
    assert list(_rows(found).items()) == list(expected.items())


def test_margins_are_tables() -> None:
    """A row for each step from the measured rates to those in force, which come last."""
    found = kernel.calibrate_margin(
        GBM, LONG, liquidation_period="1h", probability=0.01, buffer=0.25, grid=0.005, paths=10_000
    )
    rows = _rows(found)
    assert rows["margin"] == ["maintenance"] * 3 + ["initial"] * 2
    assert rows["step"] == ["measured", "buffer", "grid", "measured", "final"]
    assert rows["rate"][:3] == [one.rate for one in found.adjustments]
    assert rows["rate"][2:] == [found.maintenance_rate, found.initial.value, found.initial_rate]
    assert rows["low"] == [found.maintenance.low, None, None, found.initial.low, None]
    assert rows["standard_error"][3] == found.initial.standard_error


def test_data_frames_read_results_as_they_are() -> None:
    """A surface becomes a data frame of pandas without a word of how."""
    pandas = pytest.importorskip("pandas")
    found = kernel.margin_surface({"calm": GBM}, [5, 10], [DAY], 0.05, paths=2_000)
    frame = pandas.DataFrame.from_arrow(found)
    assert frame["rate"].tolist() == found.rate.ravel().tolist()
    assert list(frame)[:3] == ["state", "leverage", "horizon"]

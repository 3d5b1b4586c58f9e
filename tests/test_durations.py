"""Durations from Python: years as a number, or a text with a unit, wherever time is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kernel
from tests.cases import FILTERED, GBM, LONG, run

DAY = 1 / 365
PRICES = 100 * np.exp(np.cumsum(0.02 * np.random.default_rng(0).standard_normal(160)))


def _outcome(**settings: Any) -> kernel.Outcome:
    return run(GBM, **{"horizon": "5d", "steps": 5, "paths": 2_000, **settings})


def _margin(liquidation: Any, latency: Any, call: Any) -> list[float]:
    found = kernel.calibrate_margin(
        GBM, LONG, liquidation_period=liquidation, latency=latency, call_period=call, probability=0.01, paths=10_000
    )
    return [*found.maintenance, *found.initial]


def _ladder(time: Any, horizon: Any) -> list[float]:
    responses = {"call": kernel.Response(time=time, probability=0.2)}
    found = kernel.calibrate_ladder(GBM, LONG, responses, horizon=horizon, paths=20_000)
    return [*found.levels["call"], *found.achieved["call"]]


def _filtered(dt: Any) -> kernel.FilteredHistorical:
    return kernel.FilteredHistorical(
        assets=["A"], spot=1.0, volatility=0.5, omega=0.0, alpha=0.1, beta=0.9, residuals=FILTERED.residuals, dt=dt
    )


DOORS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], tuple[Any, ...]]] = {
    "simulate": (lambda one: _outcome(horizon=one).loss, ("5d",), (5 * DAY,)),
    "worst": (lambda *times: _outcome(worst=times).worst, ("24h", "3d"), (DAY, 3 * DAY)),
    "one worst": (lambda one: _outcome(worst=one).worst, ("48h",), (2 * DAY,)),
    "breach_probability": (lambda by: kernel.breach_probability(_outcome(), "call", by=by), ("36h",), (1.5 * DAY,)),
    "threshold": (lambda by: kernel.threshold(_outcome(worst=["1d", "5d"]), 0.1, by=by), ("1d",), (DAY,)),
    "threshold_curve": (
        lambda by: kernel.threshold_curve(_outcome(worst=["1d", "5d"]), [0.1], by=by).levels, ("1d",), (DAY,),
    ),
    "calibrate_margin": (_margin, ("2d", "60m", "1d"), (2 * DAY, DAY / 24, DAY)),
    "calibrate_ladder": (_ladder, ("4h", "5d"), (4 / 24 / 365, 5 * DAY)),
    "margin_surface": (
        lambda *times: kernel.margin_surface({"one": GBM}, [5.0], times, 0.05, paths=5_000).rate,
        ("1d", "5d"),
        (DAY, 5 * DAY),
    ),
    "backtest": (
        lambda dt, one: kernel.backtest(PRICES, "gbm", dt=dt, horizon=one, window=60, paths=500).value_at_risk,
        ("1d", "2d"),
        (DAY, 2 * DAY),
    ),
    "fit": (lambda dt: kernel.Gbm.fit(PRICES, dt=dt).market.volatility, ("1d",), (DAY,)),
    "choose": (lambda dt: kernel.choose(PRICES[:100], dt=dt).fit.bic, ("1d",), (DAY,)),
    "history": (lambda dt: kernel.History(assets=("A",), prices=PRICES[:, None], dt=dt).dt, ("8h",), (DAY / 3,)),
    "filtered": (lambda dt: _filtered(dt).dt, ("12h",), (DAY / 2,)),
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_a_text_is_its_number_of_years(door: str) -> None:
    """Durations written as texts give the same bits as the years that they are."""
    call, texts, numbers = DOORS[door]
    np.testing.assert_array_equal(call(*texts), call(*numbers))


@pytest.mark.parametrize("door", DOORS)
def test_a_text_without_a_unit_is_asked_about(door: str) -> None:
    """A bare number as a text, which could be days or years, is refused in a line that asks for the unit."""
    call, texts, _ = DOORS[door]
    for k in range(len(texts)):
        with pytest.raises(kernel.InvalidInput) as refused:
            call(*texts[:k], "2", *texts[k + 1 :])
        (problem,) = refused.value.problems
        assert problem.message == "must have a unit, such as '5d' or '12h'; 2 years is '2y'"


def test_the_provenance_holds_years() -> None:
    """What was stated as a text is kept as the number of years, and the hash is that of the number."""
    text, number = _outcome(worst=["1d"]).provenance, _outcome(horizon=5 / 365, worst=[DAY]).provenance
    assert text["inputs"]["simulation"]["horizon"] == 5 / 365
    assert text["inputs_blake2b"] == number["inputs_blake2b"]
    assert _filtered("1d").parameters()["dt"] == DAY


def test_a_gap_is_a_duration_like_any_other() -> None:
    """A gap may be stated in years too; what is no duration is refused in a line."""
    pa = pytest.importorskip("pyarrow")
    days = [f"2020-01-{day:02}" for day in (1, 2, 3, 5, 6, 9)]
    table = pa.table({"date": days, "A": [1.0, 1.1, 1.0, 1.2, 1.1, 1.0]})
    by_text, by_number = (kernel.read_prices(table, max_gap=one) for one in ("48h", 2 / 365))
    assert by_text.gaps is not None
    assert by_text.gaps.tolist() == [False, False, False, False, True]
    np.testing.assert_array_equal(by_text.gaps, by_number.gaps)
    for wrong in ("7", [7], "0d", float("nan")):
        with pytest.raises(kernel.InvalidInput, match=r"^max_gap: must"):
            kernel.read_prices(table, max_gap=wrong)  # type: ignore[arg-type]


def test_ladders_of_a_text_name_the_response() -> None:
    """A response time that is none is named by its tier, with all else that is wrong."""
    responses = {"call": kernel.Response(time="soon", probability=2.0)}
    with pytest.raises(kernel.InvalidInput) as refused:
        kernel.calibrate_ladder(GBM, LONG, responses, horizon="five")
    assert [one.field for one in refused.value.problems] == [
        "responses.call.time",
        "responses.call.probability",
        "horizon",
    ]

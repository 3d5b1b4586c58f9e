"""Calibrations say how far they are, as one simulation does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import kernel
from tests.cases import GBM, HORIZON, LONG

PATHS = 4_000
BOTH = {"warning": kernel.Response("1d", 0.2), "call": kernel.Response("4h", 0.3)}
HEDGED = kernel.Account(
    cash=0.0, positions=[kernel.Linear("BTC", 1.0), kernel.Linear("BTC", -1.0)], maintenance_rate=0.1
)


def _margin(account: kernel.Account = LONG, **settings: Any) -> kernel.Margin:
    given = {"liquidation_period": "1h", "probability": 0.01, "call_probability": 0.05, "paths": PATHS}
    return kernel.calibrate_margin(GBM, account, **{**given, **settings})


CALIBRATIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "margin": (2, _margin),
    "stressed": (4, lambda **settings: _margin(stressed=GBM, floor_market=GBM, **settings)),
    "hedged": (2, lambda **settings: _margin(HEDGED, floor=0.01, **settings)),
    "ladder": (7, lambda **settings: kernel.calibrate_ladder(
        GBM, LONG, BOTH, horizon=HORIZON, paths=PATHS, **settings)),
    "surface": (4, lambda **settings: kernel.margin_surface(
        {"calm": GBM, "wild": GBM}, [5, 10], ["1d"], 0.05, paths=PATHS, **settings)),
}  # fmt: skip


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_calibrations_tell_their_progress(name: str) -> None:
    """Paths done rise to paths in all, of every simulation, in the calling thread; the numbers stay the same."""
    simulations, calibrate = CALIBRATIONS[name]
    told: list[tuple[int, int]] = []
    callers = set()

    def note(done: int, of: int) -> None:
        told.append((done, of))
        callers.add(threading.get_ident())

    found = calibrate(progress=note)
    done = [one for one, _ in told]
    assert callers == {threading.get_ident()}
    assert {of for _, of in told} == {simulations * PATHS}
    assert done == sorted(set(done))
    assert done[-1] == simulations * PATHS
    assert found.to_arrow().equals(calibrate().to_arrow())


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_what_cannot_be_called_is_refused(name: str) -> None:
    """Progress that is no callable is refused under its name before anything is simulated, once."""
    with pytest.raises(kernel.InvalidInput) as refused:
        CALIBRATIONS[name][1](progress=5)
    assert [str(one) for one in refused.value.problems] == [
        "progress: must be called with paths done and paths in all, not 5"
    ]

"""Rates by leverage, state and horizon: against first passage in closed form, and kept on fresh noise."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

import kernel
from bench.oracles import gbm
from tests.cases import ALARM, FILTERED, GBM, HORIZON, MERTON, strays
from tests.conftest import pair

DAY = 1 / 365
WILD = kernel.Gbm(assets=["BTC"], spot=30_000.0, drift=0.0, volatility=1.2)
SPREAD = kernel.Account(
    cash=0.0,
    positions=[kernel.Linear("BTC", quantity=1.0, entry_price=1.0), kernel.Linear("ETH", quantity=-0.6)],
    maintenance_rate=0.3,
)


def surface(**settings: Any) -> kernel.Surface:
    """Find the rates of two states, three leverages and two horizons."""
    given: dict[str, Any] = {
        "states": {"calm": GBM, "wild": WILD}, "leverages": [2, 5, 20], "horizons": [DAY, 5 * DAY],
        "probability": 0.05, "paths": 100_000,
    }  # fmt: skip
    return kernel.margin_surface(**given | settings)


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
def test_rates_meet_first_passage_laws(side: int) -> None:
    """Each rate is equity over notional at the price reached with the probability; NaN where that is below 0."""
    account = kernel.Account(cash=0.0, positions=[kernel.Linear("BTC", quantity=side * 2.0)], maintenance_rate=0.1)
    found = surface(account=account)
    for (s, k, h), rate in np.ndenumerate(found.rate):
        drift, volatility = ((0.1, 0.65), (0.0, 1.2))[s]
        law = drift - volatility**2 / 2, volatility, found.horizons[h]
        low, high = sorted((-side * 1e-9, -side * 2.0))
        price = math.exp(brentq(lambda x, law=law: float(gbm.hit_probability(x, *law)) - 0.05, low, high))
        truth = (1 / found.leverages[k] + side * (price - 1)) / price
        assert math.isnan(rate) == (truth <= 0)
        assert math.isnan(rate) or strays(rate, truth, found.standard_error[s, k, h]) < ALARM


def test_clients_are_liquidated_as_often_as_the_target_on_fresh_noise() -> None:
    """Accounts of several assets, opened at a leverage and held to the rate found, are liquidated with the target."""
    market = pair(GBM)
    found = surface(states={"only": market}, account=SPREAD, leverages=[4], paths=200_000)
    gross, worth = 1.6 * 60_000, 0.4 * 60_000 - 1
    for horizon, rate in zip(found.horizons, found.rate[0, 0], strict=True):
        client = kernel.Account(cash=gross / 4 - worth, positions=SPREAD.positions, maintenance_rate=float(rate))
        ladder = kernel.Ladder({"liquidation": 1.0})
        outcome = kernel.simulate(market, client, ladder, horizon=horizon, steps=5, paths=200_000, seed=4)
        liquidated = kernel.breach_probability(outcome, "liquidation")
        assert strays(liquidated.value, 0.05, math.sqrt(2) * liquidated.standard_error) < ALARM


def test_rates_fall_with_leverage_horizon_and_volatility() -> None:
    """On the same noise the order is that of the laws, without exception."""
    found = surface(states={"calm": GBM, "jumps": MERTON}, leverages=[2, 3, 4], horizons=[DAY, 2 * DAY, 5 * DAY])
    assert all(np.all(np.diff(found.rate, axis=axis) < 0) for axis in range(3))
    assert np.all(found.low < found.rate)
    assert np.all(found.rate < found.high)


def test_the_table_has_a_row_for_each_rate() -> None:
    """Arrow rows go by state, leverage and horizon; null stands for no rate."""
    found = surface()
    rows = found.to_arrow().to_pylist()
    assert len(rows) == found.rate.size
    assert (rows[0]["state"], rows[0]["leverage"], rows[0]["horizon"]) == ("calm", 2.0, DAY)
    assert rows[0]["rate"] == found.rate[0, 0, 0]
    assert rows[-1]["rate"] is None
    assert math.isnan(found.rate[-1, -1, -1])


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"states": {}}, "states: must map at least one name to a market"),
    ({"states": {"calm": 3}}, "states.calm: must be a kernel.Market, not int"),
    ({"states": {"one": GBM, "two": pair(GBM)}}, "states.two: must have the assets of the first, BTC"),
    ({"states": {"two": pair(GBM)}}, "account: must be stated where there are several assets"),
    ({"states": {"moving": FILTERED}, "horizons": [HORIZON]}, "steps: must be 18"),
    ({"leverages": [5, 2]}, "leverages: must be at least one number, each above the one before"),
    ({"leverages": [0]}, "leverages: must be above 0, not 0"),
    ({"horizons": []}, "horizons: must be at least one number"),
    ({"horizons": [DAY, math.pi * DAY]}, "horizons: must be ends of at most 10,000 equal steps of the last"),
    ({"steps": 7}, "steps: must end at every horizon: 5 or a multiple of it, not 7"),
    ({"probability": 0}, "probability: must be above 0, not 0"),
    ({"probability": 1e-9}, "probability: must be at least 1 / paths (1e-05), not 1e-09"),
    ({"account": "long"}, "account: must be a kernel.Account, not str"),
    ({"paths": 0}, "paths: must be from 1"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_cannot_be_is_refused(settings: dict[str, Any], message: str) -> None:
    """Wrong fields end in a sentence that names the field and the mend."""
    with pytest.raises(kernel.InvalidInput) as refused:
        surface(**settings)
    assert message in str(refused.value)


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_figures_are_drawn(tmp_path: Path, suffix: str, start: bytes) -> None:
    """A surface, also one without any rate, is drawn, the same bytes each time."""
    found, none = surface(paths=2_000), surface(paths=2_000, leverages=[100], horizons=[5 * DAY])
    assert np.isnan(none.rate).all()
    for one in (found, none):
        kernel.plot_surface(one, tmp_path / f"once.{suffix}")
        kernel.plot_surface(one, tmp_path / f"twice.{suffix}")
        drawn = (tmp_path / f"once.{suffix}").read_bytes()
        assert drawn.startswith(start)
        assert drawn == (tmp_path / f"twice.{suffix}").read_bytes()


def test_other_figures_are_refused(tmp_path: Path) -> None:
    """A suffix that is none of a figure's is refused before anything is written."""
    with pytest.raises(kernel.InvalidInput, match="must end in"):
        kernel.plot_surface(surface(paths=2_000), tmp_path / "surface.jpg")
    assert not list(tmp_path.iterdir())

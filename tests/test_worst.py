"""The worst metric of each path agrees with breaches, with closed forms, and with what a ladder would have seen."""

from __future__ import annotations

import math

import numpy as np
import pytest

import kernel
from bench.oracles import gbm, kou
from tests.cases import ALARM, GBM, HESTON, HORIZON, KOU, LADDER, LONG, MERTON, SHORT, barriers, run, strays
from tests.conftest import pair

FAR = kernel.Ladder({"far": -1e6})
KOU_PARAMETERS = (0.05, 0.5, 40.0, 0.4, 0.03, 0.05)
BASKET = kernel.Account(
    cash=-60_000.0,
    positions=[kernel.Linear("BTC", 1.0), kernel.Linear("ETH", 0.6), kernel.Linear("ETH", -0.3, 60_000.0)],
    maintenance_rate=0.05,
)
SPREAD = kernel.Account(
    cash=30_000.0,
    positions=[kernel.Linear("BTC", 1.0), kernel.Linear("ETH", -1.2, 60_000.0)],
    maintenance_rate=0.05,
)
MARKETS = [(GBM, LONG), (GBM, SHORT), (MERTON, LONG), (KOU, SHORT), (HESTON, LONG)]
PAIRS = [(pair(GBM), BASKET), (pair(GBM), SPREAD), (pair(MERTON), SPREAD), (pair(HESTON), SPREAD)]


@pytest.mark.parametrize(("market", "account"), MARKETS)
@pytest.mark.parametrize("monitoring", ["continuous", "discrete"])
def test_it_never_disagrees_with_breaches(market: kernel.Market, account: kernel.Account, monitoring: str) -> None:
    """By every time that is kept, it is at or below a level exactly where that tier is breached."""
    outcome = run(market, account, steps=4, worst=[HORIZON / 4, HORIZON], monitoring=monitoring, paths=100_000)
    assert outcome.worst is not None
    assert outcome.breach_time is not None
    for worst, time in zip(outcome.worst, outcome.worst_times, strict=True):
        for breach_time, level in zip(outcome.breach_time, LADDER.levels, strict=True):
            np.testing.assert_array_equal(worst <= np.float32(level), breach_time <= np.float32(time))


@pytest.mark.parametrize(("market", "account"), MARKETS + PAIRS)
@pytest.mark.parametrize("monitoring", ["continuous", "discrete"])
def test_a_tier_there_would_have_been_breached(market: kernel.Market, account: kernel.Account, monitoring: str) -> None:
    """At any level the paths whose worst metric is at or below it are those that breach a tier set there."""
    settings = {"horizon": HORIZON, "steps": 2, "paths": 50_000, "monitoring": monitoring}
    (worst,) = kernel.simulate(market, account, FAR, worst=True, **settings).worst
    for probability in (0.001, 0.05, 0.3, 0.8):
        level = float(np.quantile(worst, probability)) + 1e-4
        outcome = kernel.simulate(market, account, kernel.Ladder({"there": level}), **settings)
        differing = np.count_nonzero((worst <= np.float32(level)) != ~np.isnan(outcome.breach_time[0]))
        assert differing <= 1  # a worst metric within single precision of the level


@pytest.mark.parametrize("account", [LONG, SHORT], ids=["long", "short"])
@pytest.mark.parametrize("steps", [1, 6])
def test_its_law_is_that_of_the_first_passage(account: kernel.Account, steps: int) -> None:
    """Under GBM, without a tier nearby, it is at or below a level as often as closed form says, for any steps."""
    outcome = kernel.simulate(GBM, account, FAR, horizon=HORIZON, steps=steps, paths=400_000, worst=True)
    sigma = float(np.ravel(GBM.volatility)[0])
    nu = float(np.ravel(GBM.drift)[0]) - sigma**2 / 2
    for barrier, level in zip(barriers(account), LADDER.levels, strict=True):
        truth = float(gbm.hit_probability(barrier, nu, sigma, HORIZON))
        error = math.sqrt(truth * (1 - truth) / 400_000)
        assert strays(np.mean(outcome.worst[0] <= level), truth, error) < ALARM


def test_jumps_count() -> None:
    """Under Kou's jumps it is at or below a level as often as the transform says."""
    outcome = kernel.simulate(KOU, LONG, FAR, horizon=HORIZON, steps=3, paths=400_000, worst=True)
    for barrier, level in zip(barriers(LONG), LADDER.levels, strict=True):
        truth = kou.hit_probability(barrier, *KOU_PARAMETERS, HORIZON)
        error = math.sqrt(truth * (1 - truth) / 400_000)
        assert strays(np.mean(outcome.worst[0] <= level), truth, error) < ALARM


@pytest.mark.parametrize(
    ("worst", "message"),
    [
        ([HORIZON / 3], "worst: must be times at the end of a step, of which the horizon has one step: use more"),
        ([HORIZON, HORIZON], "worst: must be rising times"),
        ([2 * HORIZON], "worst: must be at most 0.0136986, not 0.0273973"),
        ("soon", "worst: must be a number with the unit m, h, d, w or y, such as '5d', not 'soon'"),
    ],
)
def test_times_off_the_grid_are_refused(worst: object, message: str) -> None:
    """A time that is not the end of a step, one twice, one beyond the horizon, and no number at all are named."""
    with pytest.raises(kernel.InvalidInput) as raised:
        run(GBM, worst=worst)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("account", "metric", "floor"),
    [
        (kernel.Account(cash=200.0, positions=[kernel.Linear("BTC", -1.0), kernel.Linear("ETH", -1.0)],
                        maintenance_rate=0.05), "margin_ratio", -20.0),
        (kernel.Account(cash=-100.0, positions=[kernel.Linear("BTC", 1.0), kernel.Linear("ETH", 1.0)],
                        maintenance_rate=0.05), "equity_fraction", -2.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("volatility", [0.8, 1.5])
def test_large_moves_stay_above_what_no_price_reaches(
    account: kernel.Account, metric: str, floor: float, volatility: float
) -> None:
    """A year in one step: a tier there is breached by the same paths, and none is below what prices can bring about."""
    market = kernel.Gbm(
        assets=["BTC", "ETH"], spot=[100.0, 50.0], volatility=volatility, correlation=[[1, 0.6], [0.6, 1]]
    )
    settings = {"horizon": 1.0, "steps": 1, "paths": 20_000}
    (worst,) = kernel.simulate(market, account, kernel.Ladder({"far": -1e6}, metric), worst=True, **settings).worst
    assert worst.min() >= floor
    for probability in (0.003, 0.1, 0.5):
        level = float(np.quantile(worst, probability)) + 1e-4
        outcome = kernel.simulate(market, account, kernel.Ladder({"there": level}, metric), **settings)
        assert np.count_nonzero((worst <= np.float32(level)) != ~np.isnan(outcome.breach_time[0])) <= 1


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("volatility", [1e-9, 1e-3, 0.65])
@pytest.mark.parametrize("drift", [-20.0, -186.0])
def test_it_is_at_most_the_last(precision: str, volatility: float, drift: float) -> None:
    """Of several assets too it is no higher than the metric at the horizon, also where paths hardly tremble."""
    correlation = [[1.0, 0.8], [0.8, 1.0]]
    market = kernel.Gbm(assets=["A", "B"], spot=60e3, drift=drift, volatility=volatility, correlation=correlation)
    positions = [kernel.Linear("A", 1.0), kernel.Linear("B", 1.0)]
    account = kernel.Account(cash=-118_800.0, positions=positions, maintenance_rate=0.005)
    ladder = kernel.Ladder({"half": 0.5, "fifth": 0.2}, "equity_fraction")
    settings = {"horizon": HORIZON, "steps": 3, "paths": 500, "precision": precision}
    outcome = kernel.simulate(market, account, ladder, worst=True, **settings)
    assert outcome.worst is not None
    assert outcome.loss is not None
    last = 1 - outcome.loss / outcome.opening_equity
    assert (outcome.worst[0] <= last + 1e-4 * np.abs(last)).all()

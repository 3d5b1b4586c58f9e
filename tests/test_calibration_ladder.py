"""Levels from response times: against first passage in closed form, and found again on fresh noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

import kernel
from bench.oracles import gbm
from kernel.calibration.candidates import Clients
from kernel.errors import Problems
from kernel.simulation.check import check_settings
from tests.cases import ALARM, FILTERED, GBM, GRID, HORIZON, LONG, MERTON, SHORT, barrier, strays
from tests.conftest import pair

DAY, FOUR_HOURS = 1 / 365, 4 / 24 / 365
BOTH = {"warning": kernel.Response(DAY, 0.2), "call": kernel.Response(FOUR_HOURS, 0.3)}
CALL = {"call": kernel.Response(FOUR_HOURS, 0.3)}


def calibrate(market: kernel.Market = GBM, account: kernel.Account = LONG, **settings: Any) -> kernel.CalibratedLadder:
    """Calibrate a call, unless told otherwise, over five days."""
    return kernel.calibrate_ladder(
        market, account, **{"responses": CALL, "horizon": HORIZON, "paths": 40_000, **settings}
    )


def true_level(account: kernel.Account, response: kernel.Response, below: float) -> float:
    """Solve for the level from which `below` is hit within the response time with the target's probability.

    Prices are continuous, so what follows a breach is a fresh start from the tier's barrier (strong Markov property).
    """

    def excess(level: float) -> float:
        fall = barrier(account, below) - barrier(account, level)
        return float(gbm.hit_probability(fall, 0.1 - 0.65**2 / 2, 0.65, response.time)) - response.probability

    return float(brentq(excess, below + 1e-9, 20.0 - 1e-9))


@pytest.mark.parametrize("account", [LONG, SHORT], ids=["long", "short"])
def test_levels_meet_first_passage_in_closed_form(account: kernel.Account) -> None:
    """Both levels are those of the closed form, given the level below; long and short."""
    found = calibrate(account=account, responses=BOTH)
    below = 1.0
    for name in ("call", "warning"):
        assert strays(found.levels[name].value, true_level(account, BOTH[name], below), 1) < (
            ALARM * found.levels[name].standard_error
        )
        below = found.levels[name].value
    assert found.ladder.names == ("warning", "call", "liquidation")
    assert found.ladder.levels.tolist() == [found.levels["warning"].value, found.levels["call"].value, 1.0]


def test_intervals_cover() -> None:
    """Of 200 intervals of a level 95% hold the true one, within the alarm for a binomial of 200."""
    truth = true_level(LONG, CALL["call"], 1.0)
    levels = [calibrate(paths=1_000, seed=seed, threads=1).levels["call"] for seed in range(200)]
    covered = sum(one.low <= truth <= one.high for one in levels)
    assert abs(covered - 190) < ALARM * math.sqrt(200 * 0.95 * 0.05)


@pytest.mark.parametrize(
    ("market", "grid"),
    [(MERTON, {}), (FILTERED, {"steps": GRID}), (pair(GBM), {"steps": 5})],
    ids=["merton", "filtered", "two assets"],
)
def test_targets_are_found_on_fresh_noise(market: kernel.Market, grid: dict[str, int]) -> None:
    """In a simulation with another seed, counted path by path, the next tier follows as often as the target says."""
    found = calibrate(market, responses=BOTH, seed=3, **grid)
    steps = grid.get("steps", 1)
    whole = steps + math.ceil(DAY / (HORIZON / steps) - 1e-9)
    times = kernel.simulate(
        market, LONG, found.ladder, horizon=HORIZON * whole / steps, steps=whole, paths=40_000, seed=77
    ).breach_time
    assert times is not None
    for k, (name, response) in enumerate(BOTH.items()):
        pairs = [(a, b) for a, b in zip(times[k], times[k + 1], strict=True) if a <= HORIZON]
        share = np.mean([b - a <= response.time for a, b in pairs])
        error = math.sqrt(2 * response.probability * (1 - response.probability) / len(pairs))
        assert strays(share, response.probability, error) < ALARM
        achieved = found.achieved[name]
        assert strays(achieved.value, response.probability, math.sqrt(2) * achieved.standard_error) < ALARM


@pytest.mark.parametrize("precision", ["single", "double"])
def test_a_response_of_whole_steps_is_counted_in_steps(precision: str) -> None:
    """With discrete monitoring the next tier follows within four steps if it is four steps later, however rounded."""
    steps, within = 120, 4
    dt = HORIZON / steps
    found = calibrate(
        responses={"call": kernel.Response(within * dt, 0.03)}, steps=steps, monitoring="discrete", precision=precision
    )
    times = kernel.simulate(
        GBM, LONG, found.ladder, horizon=HORIZON * (steps + within) / steps, steps=steps + within, paths=40_000,
        seed=1, monitoring="discrete", precision=precision,
    ).breach_time  # fmt: skip
    assert times is not None
    first, then = ((times / times.dtype.type(dt)).round() for times in times)
    known = then[first <= steps] - first[first <= steps]
    assert found.achieved["call"].value == np.count_nonzero(known <= within) / known.size
    assert strays(found.achieved["call"].value, 0.03, math.sqrt(2) * found.achieved["call"].standard_error) < ALARM


@pytest.mark.parametrize("monitoring", ["discrete", "continuous"])
@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_times_are_compared_as_far_as_they_are_known(monitoring: str, real: type) -> None:
    """A tie counts in either precision, at the horizon too; a ten-thousandth more time than there is does not."""
    dt, before = HORIZON / 120, np.arange(1, 121)
    stated = {"horizon": HORIZON, "steps": 120, "paths": 1, "monitoring": monitoring}
    clients = Clients(GBM, LONG, "margin_ratio", check_settings(Problems(), stated))
    first, then = (before * dt).astype(real), ((before + 4) * dt).astype(real)
    assert clients.followed(first, then, 4 * dt) == (120, 120)
    assert clients.followed(first, then, 3.999 * dt) == (0, 120)
    assert clients.followed(first, np.full_like(first, np.nan), 4 * dt) == (0, 120)


def test_more_time_and_less_risk_ask_for_higher_levels() -> None:
    """Levels rise with the response time and fall with the probability."""
    levels = [
        calibrate(responses={"call": kernel.Response(time, probability)}, paths=10_000).levels["call"].value
        for time, probability in ((FOUR_HOURS, 0.3), (DAY, 0.3), (DAY, 0.1))
    ]
    assert levels == sorted(set(levels))


def test_bits_do_not_depend_on_threads() -> None:
    """One thread and two find the same levels to the last bit."""
    assert calibrate(threads=1).levels == calibrate(threads=2).levels


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"responses": {}}, "responses: must map at least one tier to a kernel.Response"),
    ({"responses": {"call": 0.2}}, "responses.call: must be a kernel.Response, not 0.2"),
    ({"responses": {"liquidation": CALL["call"]}}, "responses.liquidation: is the deepest tier"),
    ({"responses": {"call": kernel.Response(-1.0, 2.0)}}, "responses.call.time: must be above 0, not -1"),
    ({"responses": {"call": kernel.Response(-1.0, 2.0)}}, "responses.call.probability: must be below 1, not 2"),
    ({"liquidation": 20.5}, "liquidation: must be below the opening margin_ratio (20), not 20.5"),
    ({"liquidation": "1"}, "liquidation: must be one number, not '1'"),
    ({"metric": "equity"}, "metric: must be margin_ratio or equity_fraction, not 'equity'"),
    ({"paths": 99}, "paths: must be at least 100"),
    ({"horizon": -1}, "horizon: must be above 0, not -1"),
    ({"account": None}, "account: must be a kernel.Account, not NoneType"),
    ({"market": FILTERED}, "steps: must be 18"),
    ({"responses": {"call": kernel.Response(1.0, 0.01)}}, "no level below the opening margin_ratio (20) keeps it"),
    ({"horizon": FOUR_HOURS, "paths": 500}, "responses.call: only "),
]


@pytest.mark.parametrize(("settings", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_cannot_be_is_refused(settings: dict[str, Any], message: str) -> None:
    """Wrong fields and targets out of reach end in a sentence that names the field and the mend."""
    with pytest.raises(kernel.InvalidInput) as refused:
        calibrate(**{"account": LONG, **settings})
    assert message in str(refused.value)
    assert "Traceback" not in str(refused.value)

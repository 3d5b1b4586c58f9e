"""Filtered historical simulation: replayed by hand from the addressed words, its expectations, its refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import kernel
from bench.oracles import gbm
from tests import naive
from tests.cases import ALARM, strays

STEPS, DT, SEED = 22, 1 / 365, 2**35 + 1
CAP = 32**2  # times the larger of the opening variance and the long-run variance
RESIDUALS = np.random.default_rng(3).standard_t(4, (50, 2)) * math.sqrt(0.5) + [0.1, -0.05]
STATED: dict[str, Any] = {"drift": [0.3, -0.5], "volatility": [0.6, 0.9], "spot": [100.0, 50.0]}
GARCH = {"omega": [0.02, 0.01], "alpha": [0.15, 0.1], "beta": [0.8, 0.88]}
EWMA = {"omega": 0.0, "alpha": 0.06, "beta": 0.94}
WILD = {"omega": 0.0, "alpha": 1.0, "beta": 1.0}
LADDER = kernel.Ladder({"near": 0.75, "far": 0.25}, metric="equity_fraction")


def market(assets: int, block: int = 1, **law: Any) -> kernel.FilteredHistorical:
    """Return a market of one or both assets."""
    numbers = {name: value[:assets] if isinstance(value, list) else value for name, value in {**STATED, **law}.items()}
    return kernel.FilteredHistorical(
        assets=["A", "B"][:assets], residuals=RESIDUALS[:, :assets], dt=DT, block=block, **numbers
    )


def run(one: kernel.Market, **settings: Any) -> kernel.Outcome:
    """Simulate a long of the first asset, with tiers at 95 and 85 of 100."""
    account = kernel.Account(cash=-80.0, positions=[kernel.Linear("A", quantity=1.0)], maintenance_rate=0.01)
    stated = {"horizon": STEPS * DT, "steps": STEPS, "seed": SEED, "precision": "double", "monitoring": "discrete"}
    return kernel.simulate(one, account, LADDER, **{**stated, **settings})


def replay(one: kernel.FilteredHistorical, path: int) -> tuple[NDArray[np.float64], float]:
    """Walk one path by the recursion; return log prices [step + 1, asset] and its largest variance over the cap."""
    e, drift, omega, alpha, beta, v = (
        np.asarray(x, float) for x in (one.residuals, one.drift, one.omega, one.alpha, one.beta, one.volatility)
    )
    v, most = v**2, CAP * np.maximum(v**2, omega / np.maximum(1 - alpha - beta, 1e-3))
    x, points, largest = np.zeros(len(v)), [np.zeros(len(v))], 0.0
    for step in range(STEPS):
        number, within = divmod(step, one.block)
        word = naive.words_at(SEED, path, number // 4, 0, naive.RESAMPLE)[number % 4]
        picked = e[(word * len(e) // 2**32 + within) % len(e)]
        deviation = np.sqrt(v * DT)
        x = x + drift * DT + deviation * picked - np.log(np.mean(np.exp(deviation * e), axis=0))
        v = np.minimum(omega + (alpha * picked**2 + beta) * v, most)
        points.append(x)
        largest = max(largest, float(np.max(v / most)))
    return np.array(points), largest


@pytest.mark.parametrize("law", [GARCH, EWMA, WILD], ids=["garch", "ewma", "wild"])
@pytest.mark.parametrize("block", [1, 3])
@pytest.mark.parametrize("assets", [1, 2])
def test_paths_are_the_replayed_ones(assets: int, block: int, law: dict[str, Any]) -> None:
    """Closing prices agree to 2e-6, and tiers breach on the same grid points.

    The growth that is taken from each residual is interpolated: that is the difference, measured as 6e-7.
    """
    one = market(assets, block, **law)
    outcome = run(one, paths=60)
    walks = [replay(one, path) for path in range(60)]
    log_prices = np.array([points for points, _ in walks])
    spot = np.asarray(one.spot)[:, None]
    np.testing.assert_allclose(outcome.terminal_price, spot * np.exp(log_prices[:, -1].T), rtol=2e-6)
    for times, level in zip(outcome.breach_time, (95, 85), strict=True):
        below = 100 * np.exp(log_prices[:, :, 0]) <= level
        steps = np.where(below.any(axis=1), below.argmax(axis=1), np.nan)
        np.testing.assert_allclose(times, steps * DT, rtol=1e-12)
    assert np.isfinite(outcome.breach_time).any(), "the case should test something"
    assert max(largest for _, largest in walks) == pytest.approx(1.0) or law is not WILD, "the cap should be met"


def test_assets_take_the_residuals_of_one_time() -> None:
    """Of a history in which one asset mirrors the other, so do the simulated log returns, but for their growth."""
    mirrored = np.column_stack([RESIDUALS[:, 0], -RESIDUALS[:, 0]])
    one = kernel.FilteredHistorical(
        assets=["A", "B"], spot=100.0, volatility=0.5, omega=0.0, alpha=0.0, beta=1.0, residuals=mirrored, dt=DT
    )
    total = np.log(run(one, paths=500).terminal_price / 100).sum(axis=0)
    np.testing.assert_allclose(total, total.mean(), atol=1e-12)


@pytest.mark.parametrize("law", [GARCH, EWMA], ids=["garch", "ewma"])
def test_expected_prices_grow_by_the_drift(law: dict[str, Any]) -> None:
    """Residuals have no mean and no law to rely on: the drift is the expected price's all the same."""
    for steps in (1, STEPS):
        prices = run(market(1, **law), horizon=steps * DT, steps=steps, paths=400_000).terminal_price[0]
        error = float(prices.std()) / math.sqrt(prices.size)
        assert strays(float(prices.mean()), 100 * math.exp(0.3 * steps * DT), error) < ALARM


def test_normal_surprises_and_a_still_variance_are_gbm() -> None:
    """Closes are lognormal, and watched continuously, tiers are passed as GBM passes them."""
    normals = stats.norm.ppf((np.arange(2_000) + 0.5) / 2_000)[:, None]
    one = kernel.FilteredHistorical(
        assets=["A"], spot=100.0, drift=0.3, volatility=0.6, omega=0.0, alpha=0.0, beta=1.0, residuals=normals, dt=DT
    )
    outcome = run(one, paths=200_000, monitoring="continuous")
    t, nu = STEPS * DT, 0.3 - 0.6**2 / 2
    returns = np.log(outcome.terminal_price[0] / 100)
    assert stats.kstest(returns, "norm", (nu * t, 0.6 * math.sqrt(t))).pvalue > 1e-5
    for tier, level in zip(LADDER.names, (95, 85), strict=True):
        for by in (t / 2, t):
            truth = float(gbm.hit_probability(math.log(level / 100), nu, 0.6, by))
            found = kernel.breach_probability(outcome, tier, by)
            assert strays(found.value, truth, found.standard_error) < ALARM, (level, by)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 5}, "steps: must be 22: this market moves in the steps of its history, 24 h"),
        (
            {"horizon": 0.4 / 365, "steps": 1},
            "horizon: must be near whole steps of this market's history, such as 24 h or 2 d",
        ),
        ({"horizon": 1.3 / 365, "steps": 1}, "horizon: must be"),
        ({"steps": 0}, "steps: must be from 1"),
        ({"horizon": -1.0}, "horizon: must be above 0"),
    ],
)
def test_only_the_steps_of_the_history_are_walked(settings: dict[str, Any], message: str) -> None:
    """A grid whose steps are not the history's is refused with what would be right, once."""
    with pytest.raises(kernel.InvalidInput) as caught:
        run(market(1, **EWMA), paths=10, **settings)
    (problem,) = caught.value.problems
    assert str(problem).startswith(message)


def test_steps_may_differ_from_those_of_the_history_by_a_little() -> None:
    """A month's 22 trading days of a history of trading days, stated as a calendar month, are walked."""
    assert run(market(1, **EWMA), paths=10, horizon=STEPS * DT * 1.05).paths == 10


@pytest.mark.parametrize("size", [0.5, 1.0, 2.0])
def test_the_bridge_takes_residuals_of_any_spread(size: float) -> None:
    """Residuals twice as large at half the volatility are the same market, between the steps too."""
    normal = stats.norm.ppf((np.arange(4_000) + 0.5) / 4_000)[:, None]
    one = kernel.FilteredHistorical(
        assets=["A"], spot=100.0, volatility=0.6 / size, omega=0.0, alpha=0.0, beta=1.0, residuals=size * normal,
        dt=DT,
    )  # fmt: skip
    outcome = run(one, horizon=5 * DT, steps=5, paths=200_000, monitoring="continuous")
    truth = float(gbm.hit_probability(math.log(0.95), -0.18, 0.6, 5 * DT))
    found = kernel.breach_probability(outcome, "near")
    assert strays(found.value, truth, found.standard_error) < ALARM

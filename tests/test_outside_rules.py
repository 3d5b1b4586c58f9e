"""Rules from outside the package: what acts at breaches and timers, and what it leaves as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ks_2samp, kstest, norm

import kernel
from kernel.simulation import simulate as simulation
from tests.cases import ALARM, GBM, HORIZON, LADDER, LONG, MERTON, run
from tests.conftest import pair
from tests.outside_rules import Counting, Idle, Ticking, TopUp

PATHS = 20_000
BOTH_LONG = kernel.Account(
    cash=-108_000.0, positions=[kernel.Linear(name, quantity=1.0) for name in ("BTC", "ETH")], maintenance_rate=0.005
)
P_VALUE = 1e-5  # of each of some twenty tests, at fixed seeds
Change = Callable[[Any], Any]


@pytest.fixture
def simulate(monkeypatch: pytest.MonkeyPatch) -> Callable[..., kernel.Outcome]:
    """Simulate under rules: what states them for people is not part of the engine."""
    original = simulation.new_job

    def ruled(rules: NamedTuple | None, *arguments: Any, **settings: Any) -> kernel.Outcome:
        job: Change = (lambda job: job) if rules is None else (lambda job: job._replace(rules=rules))
        with monkeypatch.context() as patch:
            patch.setattr(simulation, "new_job", lambda *stated: job(original(*stated)))
            return run(*arguments, **{"paths": PATHS, "threads": 1, **settings})

    return ruled


def same(one: kernel.Outcome, other: kernel.Outcome) -> bool:
    """Tell whether two outcomes have the same arrays, bit for bit."""
    names = ("loss", "terminal_price", "breach_time", "worst")
    pairs = [(getattr(one, name), getattr(other, name)) for name in names]
    return all(a is b is None or a.tobytes() == b.tobytes() for a, b in pairs)


CASES = pytest.mark.parametrize(
    ("market", "account"), [(MERTON, LONG), (pair(MERTON), BOTH_LONG)], ids=["one asset", "several"]
)
SETTINGS = (
    {"steps": 3},
    {"steps": 3, "monitoring": "discrete"},
    {"steps": 3, "worst": True},
    {"steps": 1, "importance": "liquidation"},
)


@CASES
def test_rules_that_do_nothing_change_no_bit(
    market: kernel.Market, account: kernel.Account, simulate: Callable[..., kernel.Outcome]
) -> None:
    """Columns are copied that the plain walk leaves where they are, and nothing comes of it."""
    for settings in SETTINGS:
        plain, idle = (simulate(rules, market, account, **settings) for rules in (None, Idle()))
        assert same(plain, idle)


@CASES
def test_an_action_sees_each_breach_once(
    market: kernel.Market, account: kernel.Account, simulate: Callable[..., kernel.Outcome]
) -> None:
    """An action that counts is called for each tier of each path that has a breach time, and for no other."""
    for settings in SETTINGS[:2]:
        counting = Counting(np.zeros((4, PATHS), np.int64))
        plain, counted = (simulate(rules, market, account, **settings) for rules in (None, counting))
        assert same(plain, counted)
        np.testing.assert_array_equal(counting.breaches, ~np.isnan(plain.breach_time))
        assert (counting.breaches.sum(axis=1) > 100).all()


def _replayed(prices: NDArray[np.float64], amount: float) -> NDArray[np.float64]:
    """Watch paths, [step, asset, path], of BOTH_LONG whose cash grows by an amount at the breach of the second tier."""
    steps, _, paths = prices.shape
    times = np.full((4, paths), np.nan)
    for path in range(paths):
        cash, tier, levels = BOTH_LONG.cash, 0, list(LADDER.tiers.values())
        for step in range(steps):
            value = prices[step, :, path].sum()
            while tier < 4 and (cash + value) / (0.005 * value) <= levels[tier]:
                times[tier, path] = HORIZON * (step + 1) / steps
                cash += amount if tier == 1 else 0.0
                tier += 1
    return times


def test_a_lane_has_an_account_of_its_own(simulate: Callable[..., kernel.Outcome]) -> None:
    """Cash paid in on the paths that breach a tier moves their deeper tiers, as a plain loop over paths finds."""
    market, steps, paths, amount = pair(GBM), 5, 3_000, 3_000.0
    settings = {"paths": paths, "monitoring": "discrete", "precision": "double"}
    prices = [  # the prefix of a path does not depend on how many steps follow
        simulate(None, market, BOTH_LONG, horizon=HORIZON * (k / steps), steps=k, **settings).terminal_price
        for k in range(1, steps + 1)
    ]
    rules = TopUp(1, amount, BOTH_LONG.cash, 0.0)
    found = simulate(rules, market, BOTH_LONG, steps=steps, **settings).breach_time
    plain = simulate(None, market, BOTH_LONG, steps=steps, **settings).breach_time
    np.testing.assert_allclose(plain, _replayed(np.array(prices), 0.0), rtol=1e-12)
    np.testing.assert_allclose(found, _replayed(np.array(prices), amount), rtol=1e-12)
    assert np.isnan(found[3]).sum() > np.isnan(plain[3]).sum() + 50


def ticking(years: list[float], assets: int, paths: int = PATHS) -> Ticking:
    """Return timers at some times."""
    return Ticking(np.array([*years, np.inf]), np.full((len(years), assets, paths), np.nan))


@pytest.mark.parametrize(("market", "account"), [(MERTON, LONG), (pair(GBM), BOTH_LONG)], ids=["one", "several"])
def test_timers_move_no_price_at_the_end_of_a_step(
    market: kernel.Market, account: kernel.Account, simulate: Callable[..., kernel.Outcome]
) -> None:
    """Diffusions are cut on the bridge to the ends that they have without timers; at steps' ends nothing is cut."""
    years = [0.1 * HORIZON, 0.35 * HORIZON, 0.4 * HORIZON, HORIZON]
    for settings in SETTINGS[:2]:
        rules = ticking(years, len(market.assets))
        plain, timed = (simulate(each, market, account, **settings) for each in (None, rules))
        assert plain.terminal_price.tobytes() == timed.terminal_price.tobytes()
        assert plain.loss.tobytes() == timed.loss.tobytes()
        assert not np.isnan(rules.seen).any()
        closing = np.log(plain.terminal_price / np.asarray(market.spot)[:, None])
        np.testing.assert_allclose(rules.seen[-1], closing, rtol=0, atol=3e-7)
        if settings.get("monitoring") == "discrete":
            assert same(plain, timed)
            np.testing.assert_array_equal(rules.seen[1], rules.seen[2])  # both are seen at the end of the second step
        else:
            assert plain.breach_time.tobytes() != timed.breach_time.tobytes()


def test_a_timer_sees_the_prices_of_its_time(simulate: Callable[..., kernel.Outcome]) -> None:
    """Log prices at timers inside one step have the law, and the covariances, of correlated Brownian motions.

    Correlations are judged by Fisher's transform.
    """
    correlation = [[1, 0.6], [0.6, 1]]
    market = kernel.Gbm(
        assets=["BTC", "ETH"], spot=60_000.0, drift=0.1, volatility=[0.65, 0.9], correlation=correlation
    )
    shares, paths = (0.2, 0.7), 50_000
    rules = ticking([share * HORIZON for share in shares], 2, paths)
    outcome = simulate(rules, market, BOTH_LONG, steps=1, precision="double", paths=paths)
    closing = np.log(outcome.terminal_price / 60_000.0)
    deviation, drift = np.array([0.65, 0.9]), 0.1 - np.array([0.65, 0.9]) ** 2 / 2
    moves = np.array([rules.seen[0], rules.seen[1] - rules.seen[0], closing - rules.seen[1]])
    spans = HORIZON * np.diff([0.0, *shares, 1.0])
    z = (moves - drift[:, None] * spans[:, None, None]) / (deviation[:, None] * np.sqrt(spans)[:, None, None])
    for each in z.reshape(6, paths):
        assert kstest(each, norm.cdf).pvalue > P_VALUE
    found, expected = np.corrcoef(z.reshape(6, paths)), np.kron(np.eye(3), correlation)
    off = ~np.eye(6, dtype=bool)
    errors = (np.arctanh(found[off]) - np.arctanh(expected[off])) * np.sqrt(paths - 3)
    assert np.abs(errors).max() < ALARM


def test_breaches_around_timers_have_the_law_of_those_without(simulate: Callable[..., kernel.Outcome]) -> None:
    """First passages, and prices at timers, are in law those of walks without timers, at other seeds."""
    share, paths = 0.4, 100_000
    rules = ticking([0.1 * HORIZON, share * HORIZON, 0.8 * HORIZON], 1, paths)
    timed = simulate(rules, MERTON, LONG, steps=1, paths=paths)
    plain = simulate(None, MERTON, LONG, steps=1, paths=paths, seed=1)
    part = simulate(None, MERTON, LONG, steps=1, paths=paths, seed=2, horizon=share * HORIZON)
    assert ks_2samp(rules.seen[1, 0], np.log(part.terminal_price[0] / 60_000.0)).pvalue > P_VALUE
    for one, other in zip(timed.breach_time, plain.breach_time, strict=True):
        shares = [np.mean(~np.isnan(times)) for times in (one, other)]
        error = np.sqrt(2 * shares[1] * (1 - shares[1]) / paths)
        assert abs(shares[0] - shares[1]) < ALARM * error
        assert ks_2samp(one[~np.isnan(one)], other[~np.isnan(other)]).pvalue > P_VALUE


def test_a_timer_more_moves_no_other_noise(simulate: Callable[..., kernel.Outcome]) -> None:
    """What a timer sees does not depend on timers in other steps, nor on later ones of its own."""
    early, late, later = 0.1 * HORIZON, 0.6 * HORIZON, 0.62 * HORIZON
    seen = {}
    for years in ([early], [late], [early, late, later]):
        rules = ticking(years, 1)
        simulate(rules, MERTON, LONG, steps=4)
        seen[len(years), years[0]] = rules.seen
    assert seen[3, early][0].tobytes() == seen[1, early][0].tobytes()
    assert seen[3, early][1].tobytes() == seen[1, late][0].tobytes()

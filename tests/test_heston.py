"""Heston's and Bates's markets against published prices, the transform, QuantLib's differences and a naive walk."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import kernel
from bench.oracles import heston, quantlib_heston
from bench.oracles.heston import PUBLISHED, Law
from tests.cases import ALARM, strays
from tests.naive_heston import heston_paths

SPOT = quantlib_heston.SPOT
CRYPTO = Law(0.5, 3.0, 0.5, 1.5, -0.3, 0.1)
JUMPY = CRYPTO._replace(jump_intensity=20.0, jump_mean=-0.02, jump_volatility=0.05)
RISING = CRYPTO._replace(correlation=0.5)  # prices and variances rise together
AT_ZERO = Law(0.01, 0.5, 0.02, 1.0, -0.9)  # Feller's ratio is 0.02, where 1 would keep the variance above zero
LONG = kernel.Account(cash=-80.0, positions=[kernel.Linear("A", quantity=1.0)], maintenance_rate=0.01)
SHORT = kernel.Account(cash=120.0, positions=[kernel.Linear("A", quantity=-1.0)], maintenance_rate=0.01)
# Of the opening equity of 20: a long's tiers lie at 95 and 85, a short's at 105 and 115.
LADDER = kernel.Ladder({"near": 0.75, "far": 0.25}, metric="equity_fraction")
DAYS = 10


def market(*laws: Law, **more: Any) -> kernel.Heston:
    """Return the market of as many assets as there are laws; Bates's where the first of them jumps."""
    names = "variance", "mean_reversion", "long_variance", "volatility_of_variance", "price_variance_correlation"
    stated = dict(zip((*names, "drift"), zip(*(law[:6] for law in laws), strict=True), strict=True))
    stated |= {"assets": ["A", "B"][: len(laws)], "spot": SPOT, **more}
    if not laws[0].jump_intensity:
        return kernel.Heston(**stated)
    jumps = dict(zip(("jump_intensity", "jump_mean", "jump_volatility"), laws[0][6:], strict=True))
    return kernel.Bates(**stated, **jumps)


def run(one: kernel.Market, account: kernel.Account = LONG, **settings: Any) -> kernel.Outcome:
    """Simulate ten days by the day."""
    return kernel.simulate(
        one, account, LADDER, **{"horizon": DAYS / 365, "steps": DAYS, "paths": 300_000, "seed": 7, **settings}
    )


def closes(law: Law, t: float, steps: int, **settings: Any) -> NDArray[np.float64]:
    """Return closing prices."""
    return run(market(law), horizon=t, steps=steps, monitoring="discrete", **settings).terminal_price[0].astype(float)


def error(values: NDArray[np.float64]) -> float:
    """Return the standard error of a mean."""
    return float(values.std()) / math.sqrt(values.size)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_prices(name: str) -> None:
    """Calls are worth what is published; steps are so many that the bias is far below the error."""
    case = PUBLISHED[name]
    a_year = {"Andersen I": 8, "Andersen II": 16, "Lewis": 32}.get(name.split(",", maxsplit=1)[0], 16)
    prices = closes(case.law, case.t, round(a_year * case.t), paths=100_000)
    payoffs = math.exp(-case.discount_rate * case.t) * np.maximum(prices - case.strike, 0.0)
    assert strays(float(payoffs.mean()), case.price, error(payoffs)) < ALARM
    transform = heston.price("call", SPOT, case.strike, case.law, case.t, case.discount_rate)
    assert strays(float(payoffs.mean()), transform, error(payoffs)) < ALARM


@pytest.mark.parametrize("steps", [1, 40])
@pytest.mark.parametrize("law", [CRYPTO, JUMPY, RISING, AT_ZERO], ids=["crypto", "jumpy", "rising", "at zero"])
def test_expected_prices_are_exact(law: Law, steps: int) -> None:
    """However long the steps, the expected price grows by the drift."""
    prices = closes(law, 0.5, steps)
    assert strays(float(prices.mean()), SPOT * math.exp(law.drift * 0.5), error(prices)) < ALARM


def assert_quantiles(returns: NDArray[np.float64], law: Law, shares: tuple[float, ...]) -> None:
    """Assert that below each quantile of the sample lies that share of the transform's law after the ten days."""
    for share in shares:
        truth = heston.close_distribution(float(np.quantile(returns, share)), law, DAYS / 365)
        assert strays(share, truth, math.sqrt(share * (1 - share) / returns.size)) < ALARM, share


@pytest.mark.parametrize("law", [CRYPTO, JUMPY, RISING, AT_ZERO], ids=["crypto", "jumpy", "rising", "at zero"])
def test_closes_have_the_law_of_the_transform(law: Law) -> None:
    """Quantiles of the closes are the transform's, far out in both tails too."""
    returns = np.log(closes(law, DAYS / 365, 20) / SPOT)
    assert_quantiles(returns, law, (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999))


@pytest.mark.parametrize("law", [CRYPTO, RISING], ids=["crypto", "rising"])
@pytest.mark.parametrize(("account", "levels"), [(LONG, (95, 85)), (SHORT, (105, 115))], ids=["below", "above"])
def test_first_passage_is_quantlibs(account: kernel.Account, levels: tuple[int, int], law: Law) -> None:
    """Watched continuously, walked by the day: as many paths pass a level by then as QuantLib's scheme says."""
    outcome = run(market(law), account)
    for tier, level, days in zip(LADDER.names, levels, (DAYS // 2, DAYS), strict=True):
        truth = quantlib_heston.hit_probability(math.log(level / SPOT), law, days)
        found = kernel.breach_probability(outcome, tier, days / 365)
        assert strays(found.value, truth, found.standard_error) < ALARM, level


@pytest.mark.parametrize("account", [LONG, SHORT], ids=["below", "above"])
@pytest.mark.parametrize("law", [CRYPTO, JUMPY, AT_ZERO._replace(variance=0.2)], ids=["crypto", "jumpy", "at zero"])
def test_tiers_breach_in_order(law: Law, account: kernel.Account) -> None:
    """A path breaches a tier with or after the tier above it and within the horizon, and ever more surely by then."""
    times = run(market(law), account, paths=100_000, seed=8).breach_time
    ever = np.nan_to_num(times, nan=np.inf)
    assert (ever[1] >= ever[0]).all()
    assert np.nanmin(times) > 0
    assert np.nanmax(times) <= DAYS / 365
    assert np.isfinite(times[1]).mean() > 0.01, "the case should test something"


def test_discrete_monitoring_sees_what_a_naive_walk_sees() -> None:
    """Looked at once a day, with jumps: as many paths are below a level on a day as on a fine naive grid."""
    outcome = run(market(JUMPY), monitoring="discrete")
    barriers = [math.log(0.95), math.log(0.85)]
    naive = heston_paths(JUMPY, DAYS / 365, steps=120, paths=60_000, seed=3, barriers=barriers, every=120 // DAYS)
    for tier, hits in zip(LADDER.names, naive.hit, strict=True):
        found = kernel.breach_probability(outcome, tier)
        spread = math.hypot(found.standard_error, error(hits))
        assert strays(found.value, float(hits.mean()), spread) < ALARM


MILD = Law(0.3, 2.0, 0.2, 0.8, -0.3, -0.2)
PAIR = market(CRYPTO, MILD, correlation=[[1.0, 0.6], [0.6, 1.0]])
SECOND = kernel.Account(cash=-80.0, positions=[kernel.Linear("B", quantity=1.0)], maintenance_rate=0.01)


def test_prices_correlate_as_stated() -> None:
    """Where the correlations with the variance agree, over a day the log returns correlate as the shocks do."""
    returns = np.log(run(PAIR, horizon=1 / 365, steps=4, monitoring="discrete").terminal_price.astype(float))
    found = float(np.corrcoef(returns)[0, 1])
    assert strays(found, 0.6, (1 - 0.6**2) / math.sqrt(returns.shape[1])) < ALARM


def test_each_of_two_assets_has_the_law_that_it_has_alone() -> None:
    """Means and quantiles of both closing prices are those of their own laws."""
    t = DAYS / 365
    prices = run(PAIR, steps=20, monitoring="discrete").terminal_price.astype(float)
    for law, price in zip((CRYPTO, MILD), prices, strict=True):
        assert strays(float(price.mean()), SPOT * math.exp(law.drift * t), error(price)) < ALARM
        assert_quantiles(np.log(price / SPOT), law, (0.01, 0.5, 0.99))


def test_an_account_on_the_second_asset_breaches_as_on_that_asset_alone() -> None:
    """Tiers of an account on one of two assets are passed as often as QuantLib says of that asset."""
    outcome = run(PAIR, SECOND, steps=8 * DAYS)
    for tier, level in zip(LADDER.names, (95, 85), strict=True):
        truth = quantlib_heston.hit_probability(math.log(level / SPOT), MILD, DAYS)
        found = kernel.breach_probability(outcome, tier)
        assert strays(found.value, truth, found.standard_error) < ALARM, level


def test_variances_move_alike_where_shocks_are_one() -> None:
    """Two assets of one law, one shock and one own noise have one price."""
    twins = market(CRYPTO, CRYPTO, correlation=[[1.0, 1.0], [1.0, 1.0]])
    prices = run(twins, paths=2_000).terminal_price
    np.testing.assert_allclose(prices[0], prices[1], rtol=1e-6)


@pytest.mark.parametrize(
    ("correlations", "common", "quantities"),
    [((0.0, -0.9), 0.8, (1.0, -1.0)), ((0.6, -0.6), 0.5, (1.0, -1.0)), ((0.0, -0.9), 0.8, (1.0, 1.0))],
)
def test_the_bridge_of_several_assets_bends(
    correlations: tuple[float, float], common: float, quantities: tuple[float, float]
) -> None:
    """Ten days in two steps breach as often as in forty, also where only one variance moves with prices.

    A straight bridge is off by 1 to 2 percentage points, of which the forty steps keep a twentieth.
    """
    laws = [Law(0.5, 3.0, 0.5, 2.0, rho, 0.0) for rho in correlations]
    pair = market(*laws, correlation=[[1.0, common], [common, 1.0]])
    positions = [kernel.Linear(name, quantity=q, entry_price=SPOT) for name, q in zip("AB", quantities, strict=True)]
    account = kernel.Account(cash=SPOT, positions=positions, maintenance_rate=0.01)
    ladder = kernel.Ladder({"call": 0.85}, metric="equity_fraction")
    coarse, fine = (
        kernel.breach_probability(
            kernel.simulate(pair, account, ladder, horizon=10 / 365, steps=steps, paths=150_000, seed=steps), "call"
        )
        for steps in (2, 40)
    )
    spread = math.hypot(coarse.standard_error, fine.standard_error)
    assert abs(coarse.value - fine.value) < 0.002 + 3 * spread


@pytest.mark.parametrize(
    ("changes", "fewest"), [({"mean_reversion": 100.0}, 50), ({"correlation": 0.9, "volatility_of_variance": 5.0}, 6)]
)
def test_steps_that_the_scheme_cannot_take_are_refused(changes: dict[str, float], fewest: int) -> None:
    """Steps over which the variance reverts, or the expected price cannot be given back, are too few by name."""
    law = CRYPTO._replace(**changes)
    with pytest.raises(kernel.InvalidInput, match=f"steps: must be at least {fewest}: the variance of this market"):
        run(market(law), horizon=1.0, steps=1)
    run(market(law), horizon=1.0, steps=fewest, paths=10)

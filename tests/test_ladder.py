"""Accounts and ladders: which price breaches which tier."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import kernel
from kernel.accounts.books import BarrierBook
from kernel.accounts.books.choose import choose
from kernel.accounts.ladder import METRICS
from kernel.accounts.watch import watched_at
from tests.cases import GBM, HORIZON

MONEY = st.floats(-200.0, 200.0).filter(lambda x: abs(x) > 0.01)


def metric(account: kernel.Account, price: float, opening: float, name: str) -> float:
    """Reckon the metric of an account on one asset from its words alone."""
    equity = account.cash + sum(p.quantity * (price - p.entry_price) for p in account.positions)
    if name == "equity_fraction":
        return equity / opening
    return equity / sum(0.02 * abs(p.quantity) * price for p in account.positions)


@given(
    MONEY,
    st.lists(st.tuples(MONEY, st.floats(0, 150)), min_size=1, max_size=3),
    st.lists(st.floats(-3, 20), min_size=1, max_size=4, unique=True),
    st.sampled_from(METRICS),
)
def test_barriers_tell_what_the_metric_tells(
    cash: float, positions: list[tuple[float, float]], levels: list[float], name: str
) -> None:
    """For any account on one asset, price by price, a tier's barrier is passed just when its metric is at its level."""
    account = kernel.Account(
        cash=cash, positions=[kernel.Linear("A", q, entry) for q, entry in positions], maintenance_rate=0.02
    )
    ladder = kernel.Ladder({f"tier {k}": level for k, level in enumerate(sorted(levels, reverse=True))}, name)
    watched = watched_at(account, ladder, ("A",), np.array([100.0]))
    opening = watched.opening.equity
    assume(name == "margin_ratio" or opening > 0.01)
    book, opening_tier, *_ = choose(watched).build(watched, np.float64)
    assert isinstance(book, BarrierBook)
    for price in (100.0, 101.0, 99.0, 160.0, 60.0, 1_000.0, 1.0):
        reckoned = metric(account, price, opening, name)
        for k, level in enumerate(ladder.levels):
            if abs(reckoned - level) < 1e-7 * (1 + abs(level)):
                continue
            if k < opening_tier:
                assert metric(account, 100.0, opening, name) <= level + 1e-9
            else:
                assert (reckoned <= level) == (book.side * np.log(price / 100.0) <= book.level[k])


@settings(deadline=None)  # the first example compiles
@given(st.integers(0, 2**32), st.sampled_from([kernel.Linear("BTC", 1.0), kernel.Linear("BTC", -0.2, 60_000.0)]))
def test_tiers_breach_in_order_and_within_the_horizon(seed: int, position: kernel.Linear) -> None:
    """A deeper tier is never breached before a higher one, and no time lies outside [0, horizon]."""
    cash = -54_000.0 if position.quantity > 0 else 1_500.0
    outcome = kernel.simulate(
        GBM,
        kernel.Account(cash=cash, positions=[position], maintenance_rate=0.005),
        kernel.Ladder({"a": 30.0, "b": 18.0, "c": 9.0, "d": 1.0}),
        horizon=HORIZON,
        steps=2,
        paths=2_000,
        seed=seed,
    )
    times = np.nan_to_num(outcome.breach_time, nan=np.inf)
    assert (times[:-1] <= times[1:]).all()
    assert (times[0] == 0).all()
    assert (times[np.isfinite(times)] <= np.float32(HORIZON)).all()


def test_a_tier_breached_at_the_opening_breaches_at_time_zero() -> None:
    """An account that opens below a level breaches it at once, on every path, in any market."""
    account = kernel.Account(
        cash=-900.0, positions=[kernel.Linear("A", 5.0), kernel.Linear("B", 5.0)], maintenance_rate=0.1
    )
    market = kernel.Gbm(assets=["A", "B"], spot=100.0, volatility=0.3)
    outcome = kernel.simulate(
        market, account, kernel.Ladder({"call": 1.5, "out": 0.5}), horizon=0.01, steps=1, paths=100
    )
    assert (outcome.breach_time[0] == 0).all()
    assert not (outcome.breach_time[1] == 0).any()


@pytest.mark.parametrize(
    ("spot", "rate", "level", "cash"), [(81_300.0, 0.13, 13.7, 63_495.3), (60_000.0, 0.005, 20.0, -54_000.0)]
)
def test_an_account_that_opens_at_a_level_has_breached_it(spot: float, rate: float, level: float, cash: float) -> None:
    """A ratio equal to the level in decimals is breached at time 0, however it rounds in binary."""
    market = kernel.Gbm(assets=["A"], spot=spot, volatility=0.5)
    account = kernel.Account(cash=cash, positions=[kernel.Linear("A", 1.0)], maintenance_rate=rate)
    outcome = kernel.simulate(
        market, account, kernel.Ladder({"at": level, "below": 0.9 * level}), horizon=0.1, steps=1, paths=50
    )
    assert (outcome.breach_time[0] == 0).all()
    assert not (outcome.breach_time[1] == 0).any()


def test_a_hedged_account_moves_only_by_its_residue() -> None:
    """Long and short of one asset in equal size never breach, and lose nothing; the requirement counts both."""
    account = kernel.Account(
        cash=100.0, positions=[kernel.Linear("A", 1.0, 100.0), kernel.Linear("A", -1.0, 100.0)], maintenance_rate=0.1
    )
    market = kernel.Gbm(assets=["A"], spot=100.0, volatility=0.9)
    ladder = kernel.Ladder({"call": 0.9}, metric="equity_fraction")
    outcome = kernel.simulate(market, account, ladder, horizon=1.0, steps=4, paths=1_000)
    assert (outcome.loss == 0).all()
    assert np.isnan(outcome.breach_time).all()


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        (lambda: kernel.Ladder({"a": 1.0, "b": 1.0}), ["tiers.b"]),
        (lambda: kernel.Ladder({"a": 1.0, "b": 2.0, "c": float("nan")}), ["tiers.c", "tiers.b"]),
        (lambda: kernel.Ladder({}), ["tiers"]),
        (lambda: kernel.Ladder({"a": 1.0}, metric="equity"), ["metric"]),
        (lambda: kernel.Linear("", quantity=0.0, entry_price=-1.0), ["asset", "entry_price", "quantity"]),
        (
            lambda: kernel.Account(cash=float("inf"), positions=[], maintenance_rate=0.0),
            ["cash", "positions", "maintenance_rate"],
        ),
        (
            lambda: kernel.Account(cash=0.0, positions=[kernel.Linear("A", 1.0)], maintenance_rate={"A": -1.0}),
            ["maintenance_rate.A"],
        ),
    ],
)
def test_wrong_ladders_and_accounts_are_refused(make: object, fields: list[str]) -> None:
    """Every problem of an input is named at once, by its field."""
    with pytest.raises(kernel.InvalidInput) as caught:
        make()  # type: ignore[operator]
    assert [problem.field for problem in caught.value.problems] == fields

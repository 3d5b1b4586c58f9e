"""The kernels against the naive walk, path by path: the same noise, written twice."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import pytest

import kernel
from tests import naive

PATHS, STEPS, HORIZON, SEED = 300, 12, 10 / 365, 2**40 + 3
NAMES = ("BTC", "ETH", "SOL")
SPOT = (60_000.0, 3_000.0, 150.0)
DRIFT = (0.1, -0.3, 0.0)
VOLATILITY = (0.65, 0.8, 1.1)
CORRELATION = ((1.0, 0.8, 0.5), (0.8, 1.0, -0.1), (0.5, -0.1, 1.0))
JUMP_CORRELATION = ((1.0, -0.4), (-0.4, 1.0))
INTENSITY = 1_000.0  # a year: 2.3 a step
JUMP_MEAN, JUMP_VOLATILITY = (-0.004, 0.002), (0.01, 0.02)
UP_PROBABILITY, UP_MEAN, DOWN_MEAN = (0.4, 0.7), (0.006, 0.01), (0.009, 0.015)
RATES = (0.005, 0.01, 0.02)


def _corner(matrix: tuple[tuple[float, ...], ...], size: int) -> list[list[float]]:
    return [list(row[:size]) for row in matrix[:size]]


class _Case(NamedTuple):
    """One market and one account, stated for both sides."""

    assets: int
    model: Literal["gbm", "merton", "kou"]
    cash: float
    positions: list[tuple[int, float, float]]  # asset, quantity, entry price
    metric: Literal["margin_ratio", "equity_fraction"]
    levels: list[float]

    def naive_outcome(self) -> naive.Outcome:
        """Walk the case by the naive implementation."""
        n = self.assets
        jumps: dict[str, naive.NormalJumps | naive.ExponentialJumps | None] = {
            "gbm": None,
            "merton": naive.NormalJumps(INTENSITY, JUMP_MEAN[:n], JUMP_VOLATILITY[:n], _corner(JUMP_CORRELATION, n)),
            "kou": naive.ExponentialJumps(INTENSITY, UP_PROBABILITY[:n], UP_MEAN[:n], DOWN_MEAN[:n]),
        }
        market = naive.Market(SPOT[:n], DRIFT[:n], VOLATILITY[:n], _corner(CORRELATION, n), jumps[self.model])
        account = naive.Account(self.cash, self.positions, RATES[:n], self.levels, self.metric)
        return naive.simulate(market, account, HORIZON, STEPS, PATHS, SEED)

    def _market(self) -> kernel.Market:
        n = self.assets
        diffusion: dict[str, Any] = {
            "assets": NAMES[:n],
            "spot": SPOT[:n],
            "drift": DRIFT[:n],
            "volatility": VOLATILITY[:n],
            "correlation": _corner(CORRELATION, n),
        }
        if self.model == "gbm":
            return kernel.Gbm(**diffusion)
        if self.model == "merton":
            return kernel.Merton(
                **diffusion,
                jump_intensity=INTENSITY,
                jump_mean=JUMP_MEAN[:n],
                jump_volatility=JUMP_VOLATILITY[:n],
                jump_correlation=_corner(JUMP_CORRELATION, n),
            )
        return kernel.Kou(
            **diffusion,
            jump_intensity=INTENSITY,
            up_probability=UP_PROBABILITY[:n],
            up_mean=UP_MEAN[:n],
            down_mean=DOWN_MEAN[:n],
        )

    def kernel_outcome(self, monitoring: str = "discrete", precision: str = "double") -> Any:
        """Simulate the case; Any, since an outcome need not hold paths, and these do."""
        account = kernel.Account(
            cash=self.cash,
            positions=[kernel.Linear(NAMES[a], quantity=size, entry_price=entry) for a, size, entry in self.positions],
            maintenance_rate=dict(zip(NAMES, RATES, strict=True)),
        )
        ladder = kernel.Ladder({f"tier {k}": level for k, level in enumerate(self.levels)}, metric=self.metric)
        return kernel.simulate(
            self._market(),
            account,
            ladder,
            horizon=HORIZON,
            steps=STEPS,
            paths=PATHS,
            seed=SEED,
            monitoring=monitoring,
            precision=precision,
            record="paths",
        )


LONG = [(0, 1.0, 0.0)]
SHORT = [(0, -1.0, 60_000.0)]
PAIR = [(0, 1.0, 59_000.0), (1, -15.0, 3_100.0)]
HEDGED = [(0, 1.5, 60_000.0), (0, -0.5, 59_000.0)]
MIXED = [(0, 1.0, 0.0), (1, -20.0, 2_900.0), (2, 100.0, 0.0)]
FALLING = [19.0, 16.0, 12.0, 6.0, 1.0]  # levels of the margin ratio; at the first account's opening it is 20
FRACTIONS = [0.95, 0.7, 0.4, 0.0, -0.5]

CASES = {
    "long": _Case(1, "gbm", -54_000.0, LONG, "margin_ratio", FALLING),
    "long, equity fraction": _Case(1, "gbm", -54_000.0, LONG, "equity_fraction", FRACTIONS),
    "short": _Case(1, "gbm", 6_000.0, SHORT, "margin_ratio", FALLING),
    "short, equity fraction": _Case(1, "gbm", 6_000.0, SHORT, "equity_fraction", FRACTIONS),
    "long and short of one asset": _Case(1, "gbm", 3_000.0, HEDGED, "margin_ratio", [6.0, 4.0, 1.0]),
    "breached from the start": _Case(1, "gbm", -54_000.0, LONG, "margin_ratio", [25.0, 20.0, 19.0, 10.0]),
    "breached from the start, two assets": _Case(2, "gbm", 9_000.0, PAIR, "margin_ratio", [15.0, 14.0, 10.0]),
    "three assets": _Case(3, "gbm", -70_000.0, MIXED, "margin_ratio", [3.0, 1.0, 0.0, -1.0, -8.0]),
    "three assets, equity fraction": _Case(3, "gbm", -60_000.0, MIXED, "equity_fraction", FRACTIONS),
    "merton": _Case(1, "merton", -54_000.0, LONG, "margin_ratio", FALLING),
    "merton, short": _Case(1, "merton", 6_000.0, SHORT, "equity_fraction", FRACTIONS),
    "merton, two assets": _Case(2, "merton", 9_000.0, PAIR, "margin_ratio", [9.0, 7.0, 4.0, 1.0, -3.0]),
    "kou": _Case(1, "kou", -54_000.0, LONG, "margin_ratio", FALLING),
    "kou, short": _Case(1, "kou", 6_000.0, SHORT, "margin_ratio", FALLING),
    "kou, two assets": _Case(2, "kou", 9_000.0, PAIR, "equity_fraction", FRACTIONS),
}
EACH = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


@EACH
def test_paths_are_the_naive_ones(case: _Case) -> None:
    """Closing prices and losses agree to twelve digits, and every tier breaches at the same grid point."""
    expected, outcome = case.naive_outcome(), case.kernel_outcome()
    np.testing.assert_allclose(expected.terminal_price, outcome.terminal_price, rtol=1e-12)
    np.testing.assert_allclose(expected.loss, outcome.loss, rtol=1e-10, atol=1e-7)
    np.testing.assert_allclose(expected.breach_time, outcome.breach_time, rtol=1e-14)
    breaches = np.mean(~np.isnan(expected.breach_time), axis=1)
    assert breaches[0] > breaches[-1]
    assert breaches[0] > 0.1, "the case should test something"


@EACH
def test_continuous_monitoring_sees_more(case: _Case) -> None:
    """Watched at any time, the same paths close alike and breach each tier no later than watched on the grid."""
    discrete, continuous = case.kernel_outcome(), case.kernel_outcome("continuous")
    assert np.array_equal(discrete.terminal_price, continuous.terminal_price)
    assert np.array_equal(discrete.loss, continuous.loss)
    breached = ~np.isnan(discrete.breach_time)
    assert (continuous.breach_time[breached] <= discrete.breach_time[breached]).all()
    assert np.count_nonzero(~np.isnan(continuous.breach_time)) > np.count_nonzero(breached)


@EACH
def test_tiers_breach_in_order(case: _Case) -> None:
    """In continuous time, a path breaches a tier only after, or with, the tier above it, and within the horizon."""
    times = case.kernel_outcome("continuous").breach_time
    ever = np.nan_to_num(times, nan=np.inf)
    assert (ever[1:] >= ever[:-1]).all()
    assert (ever >= 0).all()
    assert np.nanmax(times) <= HORIZON


@pytest.mark.parametrize("model", ["gbm", "merton", "kou"])
@pytest.mark.parametrize(("cash", "positions"), [(-54_000.0, LONG), (6_000.0, SHORT)], ids=["long", "short"])
def test_an_asset_without_a_position_changes_nothing(
    model: Literal["gbm", "merton", "kou"], cash: float, positions: list[tuple[int, float, float]]
) -> None:
    """Tiers watched as barriers of the only asset and as the values of two breach at the same times, bridges included.

    With one asset held, the coordinate of the book of many assets is that asset's log price, and its bridge exact.
    """
    one, two = (_Case(n, model, cash, positions, "margin_ratio", FALLING).kernel_outcome("continuous") for n in (1, 2))
    np.testing.assert_allclose(one.terminal_price[0], two.terminal_price[0], rtol=1e-12)
    np.testing.assert_allclose(one.breach_time, two.breach_time, rtol=1e-9)


@EACH
def test_single_precision_is_close(case: _Case) -> None:
    """Single precision walks the same words: prices agree to 1e-5, and nearly every breach is at the same time."""
    single, double = case.kernel_outcome(precision="single"), case.kernel_outcome()
    np.testing.assert_allclose(single.terminal_price, double.terminal_price, rtol=1e-5)
    same = np.isclose(single.breach_time, double.breach_time, rtol=1e-6, equal_nan=True)
    assert np.mean(same) > 0.999


def test_measures_of_the_naive_paths() -> None:
    """Value at Risk and Expected Shortfall of the outcome are those of explicit loops over the naive losses."""
    case = CASES["three assets"]
    losses, outcome = case.naive_outcome().loss.tolist(), case.kernel_outcome()
    for level in (0.5, 0.9, 0.95, 0.99, 0.995):
        assert naive.value_at_risk(losses, level) == pytest.approx(kernel.value_at_risk(outcome, level).value)
        assert naive.expected_shortfall(losses, level) == pytest.approx(kernel.expected_shortfall(outcome, level).value)


def test_naive_measures() -> None:
    """By hand: the worst 30% of ten losses, of which a share of 0.25 takes the two worst and half of the third."""
    losses = [float(loss) for loss in (3, 1, 2, 10, 5, 4, 8, 7, 6, 9)]
    assert naive.value_at_risk(losses, 0.7) == 7
    assert naive.value_at_risk(losses, 0.75) == 8
    assert naive.expected_shortfall(losses, 0.7) == pytest.approx(9.0)
    assert naive.expected_shortfall(losses, 0.75) == pytest.approx((10 + 9 + 8 / 2) / 2.5)

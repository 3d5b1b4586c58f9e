"""Markets: what they refuse, and what they hand to the kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kernel
from kernel.markets import MARKETS
from kernel.markets.market import lower_factor
from tests.cases import ALARM, BATES, FILTERED, GBM, HESTON, KOU, MERTON

JUMPS = {"jump_intensity": 1.0, "jump_mean": 0.0, "jump_volatility": 0.1}
TAILS = {"jump_intensity": 1.0, "up_probability": 0.5, "up_mean": 0.1, "down_mean": 0.1}

MOVING = {
    "variance": 0.5,
    "mean_reversion": 3.0,
    "long_variance": 0.5,
    "volatility_of_variance": 1.5,
    "price_variance_correlation": -0.3,
}
SURPRISES = np.linspace(-1.5, 1.5, 10)[:, None]
FILTER = {"volatility": 0.5, "omega": 0.01, "alpha": 0.1, "beta": 0.8, "residuals": SURPRISES, "dt": 1 / 365}
RIGHT: dict[Any, dict[str, Any]] = {
    kernel.Gbm: {"volatility": 0.5},
    kernel.Merton: {"volatility": 0.5},
    kernel.Kou: {"volatility": 0.5},
    kernel.Heston: MOVING,
    kernel.Bates: MOVING | JUMPS,
    kernel.FilteredHistorical: FILTER,
}


@pytest.mark.parametrize(
    ("kind", "changes", "fields"),
    [
        (kernel.Gbm, {"spot": 0.0}, ["spot"]),
        (kernel.Gbm, {"spot": [1.0, 2.0]}, ["spot"]),
        (kernel.Gbm, {"volatility": -0.1, "drift": float("nan")}, ["drift", "volatility"]),
        (kernel.Gbm, {"volatility": "high"}, ["volatility"]),
        (kernel.Gbm, {"assets": []}, ["assets"]),
        (kernel.Gbm, {"assets": {"A"}}, ["assets"]),
        (kernel.Gbm, {"assets": ["A", "A"], "correlation": [[1, 0.5], [0.4, 1]]}, ["assets", "correlation"]),
        (kernel.Gbm, {"assets": ["A", "B"], "correlation": [[1, 0.5], [0.5, 2]]}, ["correlation"]),
        (kernel.Gbm, {"assets": ["A", "B"], "correlation": [[1, 1.5], [1.5, 1]]}, ["correlation"]),
        (kernel.Gbm, {"correlation": [[1, 0.5], [0.5, 1]]}, ["correlation"]),
        (
            kernel.Merton,
            JUMPS | {"jump_intensity": 0.0, "jump_volatility": -1.0},
            ["jump_intensity", "jump_volatility"],
        ),
        (kernel.Merton, JUMPS | {"jump_mean": True}, ["jump_mean"]),
        (
            kernel.Kou,
            TAILS | {"up_mean": 1.0, "down_mean": 0.0, "up_probability": 1.1},
            ["up_probability", "up_mean", "down_mean"],
        ),
        (
            kernel.Heston,
            {"variance": -0.1, "mean_reversion": 0.0, "long_variance": 101, "volatility_of_variance": 0.0},
            ["variance", "mean_reversion", "long_variance", "volatility_of_variance"],
        ),
        (
            kernel.Heston,
            {"price_variance_correlation": -1.1, "correlation": [[2.0]]},
            ["price_variance_correlation", "correlation"],
        ),
        (kernel.Heston, {"variance": [0.1, 0.2]}, ["variance"]),
        (
            kernel.Bates,
            {"variance": "low", "jump_intensity": 0.0, "jump_volatility": -1.0},
            ["variance", "jump_intensity", "jump_volatility"],
        ),
        (
            kernel.FilteredHistorical,
            {"volatility": 0.0, "omega": -1.0, "alpha": 1.1, "beta": float("nan"), "dt": 0.0, "block": 11},
            ["volatility", "omega", "alpha", "beta", "dt", "block"],
        ),
        (kernel.FilteredHistorical, {"residuals": [[0.1], [0.2]]}, ["residuals"]),
        (kernel.FilteredHistorical, {"residuals": SURPRISES[:, 0]}, ["residuals"]),
        (kernel.FilteredHistorical, {"residuals": np.full((20, 1), 0.5)}, ["residuals"]),
        (kernel.FilteredHistorical, {"residuals": [*SURPRISES.tolist(), [float("inf")]]}, ["residuals"]),
        (kernel.FilteredHistorical, {"block": 1.5}, ["block"]),
    ],
)
def test_wrong_parameters_are_named_together(kind: Any, changes: dict[str, Any], fields: list[str]) -> None:
    """Each wrong field is named, all of them at once."""
    with pytest.raises(kernel.InvalidInput) as caught:
        kind(**{"assets": ["A"], "spot": 100.0, **RIGHT[kind], **changes})
    assert [problem.field for problem in caught.value.problems] == fields


@pytest.mark.parametrize(
    "market", [GBM, MERTON, KOU, HESTON, BATES, FILTERED], ids=lambda market: type(market).__name__
)
def test_parameters_build_the_market_again(market: kernel.Market) -> None:
    """What `parameters` states is a name for configs, and the keywords of an equal market."""
    stated = market.parameters()
    kind = MARKETS[stated.pop("model")]
    assert kind is type(market)
    assert kind(**stated).parameters() == market.parameters()


def test_the_eigenvalue_that_spoils_a_correlation_is_named() -> None:
    """The message names the negative eigenvalue."""
    with pytest.raises(kernel.InvalidInput, match=r"eigenvalue -0\.8"):
        kernel.Gbm(
            assets=["A", "B", "C"],
            spot=1.0,
            volatility=0.5,
            correlation=[[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]],
        )


def test_what_was_passed_is_copied() -> None:
    """Changing an array afterwards does not change the market, and the market's arrays refuse changes."""
    spot = np.array([100.0, 200.0])
    market = kernel.Gbm(assets=["A", "B"], spot=spot, volatility=0.5)
    spot[0] = -1.0
    assert market.spot[0] == 100.0  # type: ignore[index, call-overload]
    with pytest.raises(ValueError, match="read-only"):
        market.volatility[0] = 2.0  # type: ignore[index, call-overload]


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 1_000))
def test_a_covariance_is_factored_also_when_it_is_singular(size: int, rank: int, seed: int) -> None:
    """The factor is lower triangular and reproduces the covariance, whatever its rank."""
    root = np.random.default_rng(seed).normal(size=(size, rank))
    factor = lower_factor(root @ root.T)
    assert np.allclose(np.triu(factor, 1), 0.0, atol=1e-12)
    assert np.allclose(factor @ factor.T, root @ root.T, atol=1e-9)


def test_perfectly_correlated_assets_move_alike() -> None:
    """A singular correlation is fine: two assets of one noise have one return."""
    market = kernel.Gbm(assets=["A", "B"], spot=[1.0, 2.0], volatility=0.5, correlation=[[1, 1], [1, 1]])
    account = kernel.Account(cash=1.0, positions=[kernel.Linear("A", 1.0)], maintenance_rate=0.1)
    ladder = kernel.Ladder({"call": 2.0})
    outcome = kernel.simulate(market, account, ladder, horizon=1.0, steps=3, paths=500, precision="double")
    assert np.allclose(outcome.terminal_price[0] * 2.0, outcome.terminal_price[1])


@pytest.mark.parametrize("kind", ["gbm", "merton", "kou"])
def test_several_assets_have_the_moments_that_they_should(kind: str) -> None:
    """Expected prices grow by the drift, and log returns covary by diffusion and jumps together."""
    correlation, jumps = np.array([[1, 0.6], [0.6, 1]]), {"jump_intensity": 30.0}
    shared = {
        "assets": ["A", "B"],
        "spot": [100.0, 50.0],
        "drift": [0.3, -0.2],
        "volatility": [0.5, 0.8],
        "correlation": correlation,
    }
    volatility, mean, second = np.array([0.5, 0.8]), np.array([-0.02, 0.01]), np.zeros((2, 2))
    market: kernel.Market = kernel.Gbm(**shared)
    if kind == "merton":
        market = kernel.Merton(
            **shared, **jumps, jump_mean=mean, jump_volatility=[0.05, 0.04], jump_correlation=[[1, -0.5], [-0.5, 1]]
        )
        second = np.outer(mean, mean) + np.array([[0.05**2, -0.5 * 0.05 * 0.04], [-0.5 * 0.05 * 0.04, 0.04**2]])
    if kind == "kou":
        market = kernel.Kou(**shared, **jumps, up_probability=[0.4, 0.5], up_mean=[0.03, 0.02], down_mean=[0.05, 0.04])
        first = np.array([0.4 * 0.03 - 0.6 * 0.05, 0.5 * 0.02 - 0.5 * 0.04])
        second = np.outer(first, first)
        second[np.diag_indices(2)] = [2 * (0.4 * 0.03**2 + 0.6 * 0.05**2), 2 * (0.5 * 0.02**2 + 0.5 * 0.04**2)]
    account = kernel.Account(cash=1.0, positions=[kernel.Linear("A", 1.0)], maintenance_rate=0.1)
    outcome = kernel.simulate(market, account, kernel.Ladder({"call": 2.0}), horizon=0.25, steps=3, paths=400_000)
    prices = outcome.terminal_price.astype(float)
    returns = np.log(prices / np.array([[100.0], [50.0]]))
    covariance = correlation * np.outer(volatility, volatility) + (30.0 * second if kind != "gbm" else 0.0)
    for a, drift in enumerate((0.3, -0.2)):
        error = prices[a].std() / np.sqrt(prices.shape[1])
        assert abs(prices[a].mean() - np.array([100.0, 50.0])[a] * np.exp(drift * 0.25)) < ALARM * error
    products = (returns - returns.mean(axis=1, keepdims=True))[:, None] * (
        returns - returns.mean(axis=1, keepdims=True)
    )
    error = products.std(axis=2) / np.sqrt(prices.shape[1])
    assert (np.abs(products.mean(axis=2) - covariance * 0.25) < ALARM * error).all()


@pytest.mark.parametrize(
    ("prices", "words"),
    [
        ([1.0, 2.0], "at least 3 rows"),
        ([1.0, 2.0, -1.0, 3.0, 0.0], "above 0: see rows 2, 4"),
        ([1.0, float("nan"), 2.0, 3.0], "without gaps: see row 1"),
        ([1.0, 1.0, 1.0, 1.0], "constant"),
        ("prices", "must be numbers"),
    ],
)
def test_histories_that_cannot_be_fitted_are_refused(prices: object, words: str) -> None:
    """The message says which rows, or what is missing."""
    for kind in (kernel.Gbm, kernel.Merton, kernel.Kou):
        with pytest.raises(kernel.InvalidInput, match=words):
            kind.fit(prices, dt=1 / 365)  # type: ignore[arg-type]

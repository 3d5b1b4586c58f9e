"""Which market is chosen, by which tests, and what it is told with."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from statsmodels.stats.diagnostic import acorr_ljungbox

import kernel
from kernel.fitting.goodness import goodness

DAY = 1 / 365


def prices_of(returns: np.ndarray) -> np.ndarray:
    """Return prices from 100 on, [time] or [time, asset]."""
    return 100 * np.exp(np.cumsum(np.concatenate([np.zeros_like(returns[:1]), returns]), axis=0))


def clustered(steps: int, seed: int, alpha: float = 0.12, beta: float = 0.85) -> np.ndarray:
    """Return log returns of GARCH(1,1) with Student-t innovations of five degrees of freedom."""
    random, variance, returns = np.random.default_rng(seed), 4e-4, []
    for noise in random.standard_t(5, steps) * np.sqrt(3 / 5):
        returns.append(np.sqrt(variance) * noise)
        variance = 4e-4 * (1 - alpha - beta) + alpha * returns[-1] ** 2 + beta * variance
    return np.array(returns)


def jumping(steps: int, seed: int) -> np.ndarray:
    """Return log returns of a diffusion with rare, large falls."""
    random = np.random.default_rng(seed)
    jumps = random.poisson(0.05, steps) * random.normal(-0.06, 0.03, steps)
    return random.normal(0.0, 0.02, steps) + jumps


@pytest.mark.parametrize(
    ("returns", "models"),
    [
        (np.random.default_rng(1).normal(0.0, 0.03, 1_000), {"gbm"}),
        (jumping(1_500, 2), {"merton", "kou"}),
        (clustered(1_500, 3), {"filtered_historical"}),
    ],
    ids=["normal", "jumps", "clusters"],
)
def test_the_model_that_made_the_returns_is_chosen(returns: np.ndarray, models: set[str]) -> None:
    """Of returns simulated here, by NumPy, the market of their kind has the lowest BIC and passes its tests."""
    choice = kernel.choose(prices_of(returns), dt=DAY, assets=["A"])
    assert choice.model in models
    assert type(choice.fit.market).__name__.lower() == choice.model.replace("_", "")
    assert [one.bic for one in choice.candidates] == sorted(one.bic for one in choice.candidates)
    assert min(choice.candidates[0].goodness) > 0.001
    assert "has the lowest BIC" in choice.reasons[0]


def test_what_speaks_against_the_others_is_said() -> None:
    """A market without clusters is told to leave them; one with another shape, that too."""
    choice = kernel.choose(prices_of(clustered(1_500, 3)), dt=DAY)
    (gbm,) = (reason for reason in choice.reasons if reason.startswith("gbm:"))
    assert "the shape of the returns is another" in gbm
    assert "volatility still clusters" in gbm


def test_several_assets_are_compared_one_by_one_and_fitted_together() -> None:
    """The BIC of two assets is the sum of their own; the fit that is returned has both, and their dependence."""
    returns = np.column_stack([clustered(600, 5), clustered(600, 6)])
    returns[:, 1] += returns[:, 0]
    choice = kernel.choose(prices_of(returns), dt=DAY, assets=["A", "B"])
    alone = [kernel.Gbm.fit(prices_of(returns[:, [k]]), dt=DAY).bic for k in range(2)]
    (gbm,) = (one for one in choice.candidates if one.model == "gbm")
    assert gbm.bic == pytest.approx(sum(alone))
    assert choice.fit.market.assets == ("A", "B")
    assert any("kou is left out" in reason for reason in choice.reasons)


def test_a_model_that_cannot_be_fitted_is_left_out_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """A history too short for GARCH, or a missing package, leaves one candidate out, not the choice."""
    short = kernel.choose(prices_of(clustered(100, 7)), dt=DAY)
    assert any("filtered_historical is left out: its prices: must have at least 250 rows" in r for r in short.reasons)
    monkeypatch.setitem(sys.modules, "arch", None)
    without = kernel.choose(prices_of(clustered(400, 7)), dt=DAY)
    assert any("margin-kernel[garch]" in reason for reason in without.reasons)
    with pytest.raises(kernel.InvalidInput, match="must move"):
        kernel.choose(2.0 ** np.arange(40), dt=DAY)
    with pytest.raises(kernel.InvalidInput, match="at least 31 rows"):
        kernel.choose([1.0, 2.0, 4.0, 3.0, 5.0], dt=DAY)


# --- goodness


def test_true_transforms_have_uniform_p_values() -> None:
    """Over 400 samples of independent uniforms each test rejects at 10% about 10% of the time (4.5 standard errors)."""
    random = np.random.default_rng(0)
    found = np.array([goodness(random.random((250, 1))) for _ in range(400)])
    rejected, error = (found < 0.1).mean(axis=0), np.sqrt(0.1 * 0.9 / 400)
    assert (np.abs(rejected - 0.1) < 4.5 * error).all()


@pytest.mark.parametrize(
    ("flaw", "test"),
    [("shape", "uniform"), ("mean", "independent"), ("memory", "independent"), ("clusters", "clusters")],
)
def test_each_flaw_is_found(flaw: str, test: str) -> None:
    """Wrong shape, mean, memory and clustering each fail the test that is for them."""
    random = np.random.default_rng(4)
    scores = random.normal(size=2_000)
    if flaw == "shape":
        scores = random.standard_t(2, 2_000)
    if flaw == "mean":
        scores = scores + 0.15
    if flaw == "memory":
        scores = scores[1:] * np.sqrt(1 - 0.2**2) + 0.2 * scores[:-1]
    if flaw == "clusters":
        scores = clustered(2_000, 5) / 0.02
    assert getattr(goodness(ndtr(scores)[:, None]), test) < 1e-6


def test_ljung_box_is_that_of_statsmodels() -> None:
    """The p-value of clusters is statsmodels' Ljung-Box test of the squared normal scores at ten lags."""
    transforms = np.random.default_rng(8).random(500)
    expected = acorr_ljungbox(ndtri(transforms) ** 2, lags=[10])["lb_pvalue"].iloc[0]
    assert goodness(transforms[:, None]).clusters == pytest.approx(expected, rel=1e-9)


def test_several_assets_take_the_worst_with_its_price() -> None:
    """Of two assets the smaller p-value counts, doubled."""
    transforms = np.random.default_rng(9).random((400, 2))
    alone = [goodness(transforms[:, [k]]) for k in range(2)]
    together = goodness(transforms)
    assert together == pytest.approx([min(1.0, 2 * min(pair)) for pair in zip(*alone, strict=True)])

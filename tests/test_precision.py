"""What single and double precision do not carry is refused; what is accepted comes out as numbers, and right."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

import kernel
from kernel.errors import Problem

LADDER = {"call": 2.0, "liquidation": 1.0}
# The ranges that the docs state, by field; log-uniform where all are above 0, else of either sign.
RANGES: dict[str, tuple[float, float]] = {
    "spot": (1e-12, 1e12),
    "drift": (-1_000, 1_000),
    "volatility": (1e-12, 100),
    "jump_intensity": (1e-12, 1e12),
    "jump_mean": (-5, 5),
    "jump_volatility": (1e-12, 5),
    "up_probability": (1e-300, 1),
    "up_mean": (1e-12, 0.999999),
    "down_mean": (1e-12, 5),
    "variance": (1e-300, 100),
    "mean_reversion": (1e-3, 1e4),
    "long_variance": (1e-6, 100),
    "volatility_of_variance": (1e-3, 1e3),
    "price_variance_correlation": (-1, 1),
    "omega": (1e-300, 1e4),
    "alpha": (1e-300, 1),
    "beta": (1e-300, 1),
    "dt": (1e-9, 1_000),
    "cash": (-1e12, 1e12),
    "quantity": (-1e12, 1e12),
    "entry_price": (1e-300, 1e12),
    "maintenance_rate": (1e-12, 1e12),
    "level": (-1e12, 1e12),
    "gap": (1e-12, 1e12),
    "horizon": (1e-12, 1_000),
}
USUAL: dict[str, float] = {
    "spot": 60_000.0, "drift": 0.1, "volatility": 0.65, "jump_intensity": 12.0, "jump_mean": -0.02,
    "jump_volatility": 0.06, "up_probability": 0.4, "up_mean": 0.03, "down_mean": 0.05, "variance": 0.5,
    "mean_reversion": 3.0, "long_variance": 0.5, "volatility_of_variance": 1.5, "price_variance_correlation": -0.3,
    "omega": 0.01, "alpha": 0.08, "beta": 0.9, "dt": 1 / 365, "cash": -54_000.0, "quantity": 1.0, "entry_price": 0.0,
    "maintenance_rate": 0.005, "level": 1.0, "gap": 1.0, "horizon": 5 / 365,
}  # fmt: skip


def simulate(changes: dict[str, Any], **settings: Any) -> kernel.Outcome:
    """Simulate a leveraged account on geometric Brownian motion, but for the changes."""
    stated = {**USUAL, **changes}
    return kernel.simulate(
        kernel.Gbm(assets=["A"], spot=stated["spot"], drift=stated["drift"], volatility=stated["volatility"]),
        kernel.Account(
            cash=stated["cash"],
            positions=[kernel.Linear("A", stated["quantity"], stated["entry_price"])],
            maintenance_rate=stated["maintenance_rate"],
        ),
        kernel.Ladder(stated.get("ladder", LADDER), stated.get("metric", "margin_ratio")),
        **{"horizon": stated["horizon"], "steps": 1, "paths": 64, "worst": True, **settings},
    )


def problem_of(changes: dict[str, Any], **settings: Any) -> Problem:
    """Return the one problem that a simulation has."""
    with pytest.raises(kernel.InvalidInput) as refused:
        simulate(changes, **settings)
    (problem,) = refused.value.problems
    return problem


@pytest.mark.parametrize("name", ["spot", "volatility", "maintenance_rate", "horizon"])
@pytest.mark.parametrize("value", [1e-300, 1e-38, 1e-13])
def test_numbers_above_0_are_at_least_a_trillionth(name: str, value: float) -> None:
    """A number that single precision would read as 0, or square to 0, is refused by its name and the bound."""
    field, message = problem_of({name: value})
    assert field == name
    assert message == f"must be at least 1e-12, not {value:g}"


@pytest.mark.parametrize(
    ("changes", "settings", "field"),
    [
        ({"drift": 100.0}, {"horizon": 1_000}, "horizon"),
        ({"volatility": 100.0}, {"horizon": 1_000}, "horizon"),
        ({"volatility": 3.0}, {"horizon": 20}, "precision"),
        ({"drift": 20.0}, {"horizon": 4}, "precision"),
        ({"spot": 1e-12, "cash": 0.0, "volatility": 1.5}, {"horizon": 15}, "precision"),
        ({"quantity": 1e-300, "cash": 0.0}, {}, "account"),
        ({"quantity": 1e12, "spot": 1e12, "drift": 20.0}, {"horizon": 1.5}, "precision"),
        ({"volatility": 1e-9, "drift": 0.0}, {"horizon": 1e-12}, "horizon"),
        ({"cash": 1e12, "quantity": 1e-12, "spot": 1e-9, "maintenance_rate": 1e-6}, {}, "precision"),
        (
            {"cash": 1e12, "quantity": 1e-6, "ladder": {"a": 1 - 1e-14}, "metric": "equity_fraction"},
            {},
            "ladder.tiers.a",
        ),
        ({"drift": 10.0, "volatility": 1e-6, "horizon": 5.0}, {"steps": 10**7}, "precision"),
    ],
)
def test_what_a_precision_does_not_carry_is_refused_together(
    changes: dict[str, Any], settings: dict[str, Any], field: str
) -> None:
    """Numbers right by themselves are refused for what they make together; if double would do, that is the mend."""
    problem = problem_of(changes, **settings)
    assert problem.field == field
    assert problem.message.startswith("must be 'double', or " if field == "precision" else "must be ")
    if field == "precision" and settings.get("steps", 1) == 1:
        simulate(changes, **settings, precision="double")


def test_a_tier_lost_in_the_rounding_of_sums_asks_for_double() -> None:
    """Two pegged assets within a minute move by less than single precision tells their sum apart: double does."""
    market = kernel.Gbm(assets=["A", "B"], spot=1.0, volatility=1e-4)
    positions = [kernel.Linear("A", 1.0), kernel.Linear("B", 1.0)]
    account = kernel.Account(cash=-2.0 + 2e-7, positions=positions, maintenance_rate=1e-10)
    ladder = kernel.Ladder({"liquidation": 1.0})
    settings: dict[str, Any] = {"horizon": "1m", "steps": 1, "paths": 20_000}
    with pytest.raises(kernel.InvalidInput, match=r"^precision: must be 'double', or ladder\.tiers"):
        kernel.simulate(market, account, ladder, **settings)
    outcome = kernel.simulate(market, account, ladder, precision="double", **settings)
    deviation = math.sqrt(2) * 1e-4 * math.sqrt(1 / 525_600)
    expected = math.erfc(2e-7 / deviation / math.sqrt(2))  # of a Brownian motion; the sum is one but for 1e-7 of it
    found = kernel.breach_probability(outcome, "liquidation")
    assert abs(found.value - expected) < 4.5 * found.standard_error  # false once in 147,000 seeds


def test_many_jumps_of_one_mean_ask_for_double() -> None:
    """Added thousands of times to a log price that has gone far, a jump's mean is rounded in one direction."""
    market = kernel.Merton(
        assets=["A"], spot=1.0, volatility=0.1, jump_intensity=6.5e6, jump_mean=-0.01, jump_volatility=0.0
    )
    account = kernel.Account(cash=-0.9, positions=[kernel.Linear("A", 1.0)], maintenance_rate=0.005)
    with pytest.raises(kernel.InvalidInput, match=r"^precision: must be 'double', or market\.jump_intensity lower"):
        kernel.simulate(market, account, kernel.Ladder(LADDER), horizon=5 / 365, steps=1, paths=1)


def test_a_tilt_of_too_many_jumps_is_refused() -> None:
    """Importance sampling that would walk jumps without end says so, rather than to go on for hours."""
    market = kernel.Merton(
        assets=["A"], spot=1.0, volatility=1e-4, jump_intensity=1.0, jump_mean=-5e-6, jump_volatility=0.0
    )
    account = kernel.Account(cash=-0.5, positions=[kernel.Linear("A", 1.0)], maintenance_rate=0.005)
    with pytest.raises(kernel.InvalidInput, match=r"^importance: would tilt this market to .* jumps a path"):
        kernel.simulate(market, account, kernel.Ladder({"out": 0.0}), horizon=0.01, steps=1, paths=64, importance="out")


def test_equity_that_is_rounding_is_none() -> None:
    """An equity fraction of an equity that only rounding holds above 0 is refused."""
    changes = {"quantity": -1.0, "spot": 0.3, "entry_price": 0.1 + 0.2, "cash": 0.0, "metric": "equity_fraction"}
    assert problem_of(changes | {"ladder": {"half": 0.5}}).field == "ladder.metric"


def drawn(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw from a range, its ends one time in five."""
    if low < 0:
        return float(rng.choice([-1.0, 1.0])) * drawn(rng, 1e-12, high)
    ends = rng.random()
    if ends < 0.2:
        return low if ends < 0.1 else high
    return float(np.exp(rng.uniform(math.log(low), math.log(high))))


class Case:
    """A simulation of one or two assets, one to all of whose numbers are anywhere in their ranges."""

    def __init__(self, seed: int, kinds: list[type[kernel.Market]], most_assets: dict[str, int]) -> None:
        rng = np.random.default_rng(seed)
        kind = kinds[rng.integers(len(kinds))]
        count = int(rng.integers(1, 1 + most_assets.get(kind.__name__, 2)))
        own = [one.name for one in fields(kind) if one.name in RANGES]
        rest = ["cash", "quantity", "entry_price", "maintenance_rate", "level", "gap", "horizon"]
        names = [*own, *rest]
        changed = rng.permutation(names)[: rng.choice([1, 2, 2, 3, len(names)])].tolist()
        one = USUAL | {name: drawn(rng, *RANGES[name]) for name in changed}
        stated: dict[str, Any] = {name: one[name] for name in own}
        if count > 1:
            name = str(rng.choice([name for name in own if name not in {"jump_intensity", "dt"}]))
            stated[name] = [stated[name], drawn(rng, *RANGES[name])]
        if kind is kernel.FilteredHistorical:
            stated["residuals"] = rng.standard_t(4, (60, count))
        elif count > 1:
            stated["correlation"] = [[1.0, 0.8], [0.8, 1.0]]
        self.steps, self.continuous = int(rng.choice([1, 3])), bool(rng.integers(2))
        self.horizon = min(1_000.0, stated["dt"] * self.steps) if "dt" in stated else one["horizon"]
        self.metric = str(rng.choice(["margin_ratio", "equity_fraction"]))
        self.market, self.stated, self.names = kind, stated, ["A", "B"][:count]
        self.positions = [("A", one["quantity"], one["entry_price"]), ("B", drawn(rng, -1e12, 1e12), 0.0)][:count]
        self.rate, self.levels = one["maintenance_rate"], {"high": one["level"] + one["gap"], "low": one["level"]}
        spot = np.broadcast_to(stated["spot"], count)
        self.gross = float(sum(abs(size) * price for (_, size, _), price in zip(self.positions, spot, strict=True)))
        worth = sum(size * (price - entry) for (_, size, entry), price in zip(self.positions, spot, strict=True))
        near = rng.random() < 0.5  # to the lower tier
        self.cash = one["level"] * self.rate * self.gross * (1 + drawn(rng, 1e-10, 1)) - worth if near else one["cash"]

    def run(self, precision: str) -> kernel.Outcome:
        """Simulate a few paths.

        Raises:
            InvalidInput: for what is refused.
        """
        return kernel.simulate(
            self.market(assets=self.names, **self.stated),
            kernel.Account(
                cash=self.cash,
                positions=[kernel.Linear(*position) for position in self.positions],
                maintenance_rate=self.rate,
            ),
            kernel.Ladder(self.levels, self.metric),
            horizon=self.horizon,
            steps=self.steps,
            paths=64,
            worst=True,
            threads=1,
            monitoring="continuous" if self.continuous else "discrete",
            precision=precision,
        )

    def check(self) -> bool:
        """Check what comes out, and single against double precision, whose words are the same; false of a refusal."""
        try:
            single = self.run("single")
        except kernel.InvalidInput:
            return False
        double = self.run("double")
        for outcome in (single, double):
            loss, price, worst = outcome.loss, outcome.terminal_price, outcome.worst
            assert np.isfinite(loss).all()
            assert np.isfinite(price).all()
            assert (price >= np.finfo(price.dtype).tiny).all()
            assert np.isfinite(worst).all()
            assert not (np.isnan(outcome.breach_time[0]) & ~np.isnan(outcome.breach_time[1])).any()
            measured = [kernel.value_at_risk(outcome, 0.5), kernel.threshold(outcome, 0.2)]
            measured += [kernel.breach_probability(outcome, tier) for tier in ("high", "low")]
            assert np.isfinite(measured).all()
            assert not np.isnan(kernel.expected_shortfall(outcome, 0.5)).any()
            outcome.to_arrow()
        assert np.abs(np.log(single.terminal_price / double.terminal_price)).max() < 3e-3
        off = np.abs(single.loss - double.loss).max()
        least = 1e-8 if "variance" in self.stated else 1e-12  # of paths that a rare variance leaves all but still
        assert off <= max(1e-2 * np.abs(double.loss).max(), least * self.gross)
        assert (np.isnan(single.breach_time) != np.isnan(double.breach_time)).sum(axis=1).max() <= 2
        return True


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_extremes_within_the_ranges_are_refused_or_right(first: int) -> None:
    """Wherever its numbers lie, a simulation is refused, or is finite and single precision agrees with double.

    Losses within 1% and prices within 0.3%, on the same random words; breaches on all but two of 64 paths.
    """
    kinds: list[Any] = [kernel.Gbm, kernel.Merton, kernel.Kou, kernel.Heston, kernel.FilteredHistorical]
    alone = {"Heston": 1, "FilteredHistorical": 1}
    accepted = sum(Case(seed, kinds, alone).check() for seed in range(first, first + 100))
    assert accepted > 30  # or nothing was tested


@pytest.mark.slow
def test_many_extremes_are_refused_or_right() -> None:
    """So are 10,000 more, of every market, on one asset and two."""
    kinds: list[Any] = [
        kernel.Gbm, kernel.Merton, kernel.Kou, kernel.Heston, kernel.Bates, kernel.FilteredHistorical
    ]  # fmt: skip
    assert sum(Case(seed, kinds, {}).check() for seed in range(1_000, 11_000)) > 3_000

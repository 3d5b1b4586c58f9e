"""Settings of a simulation: declared once, checked into one frozen value, and shared by all that simulate."""

from __future__ import annotations

import inspect
import pickle
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from typing import Any

import numpy as np
import pytest

import kernel
from kernel._core.noise import MAX_PATHS, MAX_STEPS
from kernel.errors import Problems
from kernel.simulation.check import check_settings, check_simulation
from kernel.simulation.settings import DECLARED, REQUIRED, Settings
from tests import processes
from tests.cases import GBM, HORIZON, LADDER, LONG

GRID: dict[str, Any] = {"horizon": HORIZON, "steps": 5, "paths": 1_000}
RESPONSES = {"call": kernel.Response("4h", 0.2)}
PRICES = 100 * np.exp(np.cumsum(0.02 * np.random.default_rng(0).standard_normal(160)))
CALLS: dict[str, Callable[..., object]] = {
    "simulate": lambda **stated: kernel.simulate(GBM, LONG, LADDER, **{**GRID, **stated}),
    "calibrate_margin": lambda **stated: kernel.calibrate_margin(
        GBM, LONG, liquidation_period="1d", probability=0.01, **{"paths": 2_000, **stated}
    ),
    "calibrate_ladder": lambda **stated: kernel.calibrate_ladder(GBM, LONG, RESPONSES, **{**GRID, **stated}),
    "margin_surface": lambda **stated: kernel.margin_surface(
        {"now": GBM}, [10], [HORIZON], 0.05, **{"paths": 1_000, **stated}
    ),
    "backtest": lambda **stated: kernel.backtest(PRICES, "gbm", dt=1 / 365, window=60, **{"paths": 1_000, **stated}),
}


def checked(**stated: Any) -> Settings:
    """Return checked settings, of which nothing is wrong."""
    problems = Problems()
    settings = check_simulation(problems, {**GRID, **stated}, market=GBM, account=LONG, ladder=LADDER)
    assert problems.found == []
    return settings


def test_a_setting_is_declared_for_each_keyword() -> None:
    """Names and defaults are those of `simulate`; but the record, of which the least is taken where nothing is said."""
    keywords = {
        name: one for name, one in inspect.signature(kernel.simulate).parameters.items() if one.kind is one.KEYWORD_ONLY
    }
    assert keywords.pop("escalation").default is None  # a part, as market, account and ladder are
    assert set(keywords) == set(DECLARED) == {one.name for one in fields(Settings)}
    for name, one in keywords.items():
        if name != "record":
            assert DECLARED[name].default == (REQUIRED if one.default is one.empty else one.default)


def test_bounds_are_those_of_the_addresses_of_noise() -> None:
    """No more paths and steps may be asked for than have random numbers of their own, and no fewer."""
    assert DECLARED["paths"].bounds == (1, MAX_PATHS)
    assert DECLARED["steps"].bounds == (1, MAX_STEPS)


def test_the_declaration_loads_nothing_that_takes_long() -> None:
    """The command's help is made of it, in a moment."""
    heavy = "{'numpy', 'numba', 'pyarrow', 'scipy', 'pydantic'}"
    code = f"import sys, kernel.simulation.settings; print({heavy} & set(sys.modules))"
    assert processes.printed([sys.executable, "-c", code]) == "set()\n"


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"horizon": "5d", "paths": 1e3, "seed": np.int64(7), "levels": [0.99, 0.5], "worst": True},
        {"worst": ["1d", "2d", "5d"], "record": "summary"},
        {"importance": np.float64(0.999), "record": "paths"},
        {"importance": "call", "sampling": "antithetic", "threads": 1},
    ],
)
def test_checked_settings_are_what_simulate_takes(stated: dict[str, Any]) -> None:
    """Checked once more they are the same, and simulated they give what was stated gives."""
    settings = checked(**stated)
    again = checked(**settings.keywords())
    assert again.keywords() == settings.keywords()
    plainly = {**GRID, **stated, "record": settings.record}
    one, other = (kernel.simulate(GBM, LONG, LADDER, **each) for each in (plainly, settings.keywords()))
    assert other.provenance == one.provenance
    assert kernel.value_at_risk(other, 0.99) == kernel.value_at_risk(one, 0.99)


def test_they_are_plain_frozen_numbers() -> None:
    """Durations are years, times of the worst metric too, and steps whole; nothing can be changed, all can travel."""
    settings = checked(horizon="10d", steps=10.0, worst=["1d", "10d"], levels=np.array([0.9, 0.99]))
    assert (settings.horizon, settings.steps) == (10 / 365, 10)
    assert settings.worst == pytest.approx((1 / 365, 10 / 365))
    assert settings.worst_steps == (1, 10)
    assert (settings.levels, settings.record) == ((0.9, 0.99), "summary")
    with pytest.raises(FrozenInstanceError):
        settings.paths = 5  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(settings)).keywords() == settings.keywords()


def test_parts_that_are_not_there_yet_are_not_asked_for() -> None:
    """A calibration has no ladder and a backtest no market: nothing stands in for them, and the rest is checked."""
    problems = Problems()
    check_simulation(problems, {**GRID, "paths": 0}, account=LONG)
    assert [field for field, _ in problems.found] == ["paths"]
    check_simulation(problems, GRID, market=GBM, account=None)
    assert str(problems.found[-1]) == "account: must be a kernel.Account, not NoneType"


def test_everything_wrong_is_said_at_once() -> None:
    """Each wrong setting has its line, and what is right keeps its value."""
    wrong = {
        "horizon": "soon", "steps": 0, "paths": 0.5, "seed": -1, "monitoring": "often", "precision": "half",
        "record": None, "sampling": "sobl", "worst": [1, 2], "importance": 1.5, "levels": [], "threads": 0,
        "executor": 3, "progress": 3,
    }  # fmt: skip
    problems = Problems()
    settings = check_settings(problems, wrong)
    assert {field for field, _ in problems.found} == set(wrong) - {"worst"}  # which needs a horizon
    assert (settings.steps, settings.precision) == (1, "single")


WRONG: list[dict[str, Any]] = [{"paths": 0}, {"seed": -1}, {"threads": 0}, {"monitoring": "often"}, {"precision": 32}]


# A backtest monitors as its history can judge, in single precision
REFUSED = [
    (call, wrong)
    for call in CALLS
    for wrong in WRONG
    if call != "backtest" or not {*wrong} & {"monitoring", "precision"}
]


@pytest.mark.parametrize(("call", "wrong"), REFUSED, ids=str)
def test_all_that_simulate_refuse_alike(call: str, wrong: dict[str, Any]) -> None:
    """What five functions share has one check, and so one message in all of them."""
    with pytest.raises(kernel.InvalidInput) as refused:
        CALLS[call](**wrong)
    problems = Problems()
    check_settings(problems, {**GRID, **wrong})
    assert problems.found[0] in refused.value.problems

"""Calls of the public functions and classes, one or two of whose arguments are odd."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

import kernel
from kernel.errors import InvalidInput
from tests.cases import BATES, FILTERED, GBM, HESTON, HORIZON, KOU, LADDER, LONG, MERTON
from tests.fuzz.command import TooLargeError, cap_work
from tests.fuzz.configs import documents
from tests.fuzz.harness import FaultError, Fuzzer
from tests.fuzz.odd import MAKERS

_PATHS = 300
_CLOSES = 100 * np.exp(np.cumsum(0.02 * np.random.default_rng(3).normal(size=45)))
_PAIR = {"assets": ["BTC", "ETH"], "spot": [6e4, 3e3], "drift": 0.0, "correlation": [[1.0, 0.5], [0.5, 1.0]]}
_OFTEN_UNKNOWN = {"standard_error", "standard_errors", "low", "high", "fits", "lows", "highs", "breach_time",
"provenance", "rate",
                  "levels_at", "covariance", "laws", "candidates", "coverage", "reliability"}  # fmt: skip


class Call(NamedTuple):
    """A call that is valid as it stands."""

    call: Callable[..., Any]
    arguments: dict[str, Any]


def _stated(market: kernel.Market) -> dict[str, Any]:
    return {name: value for name, value in market.parameters().items() if name != "model" and value is not None}


def _calibrate(time: Any, probability: Any) -> kernel.CalibratedLadder:
    """Calibrate a ladder to a response: a tuple, which is checked where it is used."""
    response = kernel.Response(time, probability)
    return kernel.calibrate_ladder(GBM, LONG, {"call": response}, horizon="5d", paths=_PATHS, threads=1)


def _load(**sections: Any) -> Any:
    """Load sections that stand in Python."""
    return kernel.load(sections)


def calls(folder: Path) -> dict[str, Call]:
    """Return a call of everything public, with each of its arguments."""
    history = kernel.History(assets=("BTC",), prices=_CLOSES, dt=1 / 365)
    settings: dict[str, Any] = {
        "paths": _PATHS,
        "seed": 0,
        "monitoring": "continuous",
        "precision": "single",
        "threads": 1,
    }
    whole: dict[str, Any] = {
        **settings, "horizon": HORIZON, "steps": 2, "record": "paths", "sampling": "plain", "levels": (0.9,),
        "worst": True,
        "importance": None, "executor": None, "progress": None,
    }  # fmt: skip
    outcome = kernel.simulate(GBM, LONG, LADDER, **whole)
    summary = kernel.simulate(GBM, LONG, LADDER, **{**whole, "record": "summary"})
    weighted = kernel.simulate(GBM, LONG, LADDER, **{**whole, "importance": "call", "worst": False})
    actions = {name: kernel.CloseOut(latency="12h") for name in LADDER.names[-1:]}
    unwatched = {**whole, "worst": False}
    escalated = kernel.simulate(GBM, LONG, LADDER, escalation=kernel.Escalation(actions), **unwatched)
    curve, fit = kernel.threshold_curve(outcome), kernel.Gbm.fit(history)
    surface_arguments = {"states": {"calm": GBM}, "leverages": [5.0], "horizons": ["1d"], "probability": 0.1,
    "account": LONG,
                         "steps": 1, **settings}  # fmt: skip
    tested_arguments = {
        "history": history, "market": "gbm", "dt": None, "assets": None, "account": None, "ladder": None,
        "window": 35,
        "horizon": None, "levels": (0.9,), "refit": 7, "rechoose": 28, "drift": "zero", "breaches": None,
        "paths": _PATHS, "seed": 0,
        "threads": 1, "progress": None,
    }  # fmt: skip
    margin_arguments = {
        "market": GBM, "account": LONG, "liquidation_period": "1d", "latency": 0.0, "measure": "first_passage",
        "probability": 0.1,
        "confidence": None, "call_probability": 0.1, "call_period": "1d", "buffer": 0.0, "stressed": None,
        "stressed_weight": 0.25,
        "floor_market": None, "floor": 0.0, "grid": None, "steps": 1, "call_steps": 1, **settings,
    }  # fmt: skip
    table = pa.table({"Date": [date(2020, 1, day) for day in range(1, 11)], "Close": _CLOSES[:10]})
    fitted = {"prices": _CLOSES, "dt": "1d", "assets": ["BTC"]}
    found = {
        "Gbm": Call(kernel.Gbm, _stated(GBM)), "Merton": Call(kernel.Merton, _stated(MERTON)),
        "Kou": Call(kernel.Kou, _stated(KOU)),
        "Heston": Call(kernel.Heston, _stated(HESTON)), "Bates": Call(kernel.Bates, _stated(BATES)),
        "FilteredHistorical": Call(kernel.FilteredHistorical, _stated(FILTERED)),
        "Gbm of two": Call(kernel.Gbm, {**_PAIR, "volatility": 0.5}),
        "Merton of two": Call(kernel.Merton, {**_PAIR, "volatility": 0.5, "jump_intensity": 9.0, "jump_mean": -0.01,
                                              "jump_volatility": 0.1, "jump_correlation": [[1.0, 0.2], [0.2, 1.0]]}),
        "Linear": Call(kernel.Linear, {"asset": "BTC", "quantity": 1.0, "entry_price": 0.0}),
        "Flat": Call(kernel.Flat, {"rate": {"BTC": 0.01}}),
        "Account": Call(kernel.Account, {"cash": 1.0, "positions": list(LONG.positions),
        "maintenance_rate": {"BTC": 0.01}}),
        "Ladder": Call(kernel.Ladder, {"tiers": {"call": 2.0, "out": 1.0}, "metric": "margin_ratio"}),
        "calibrate_ladder of a response": Call(_calibrate, {"time": "4h", "probability": 0.3}),
        "History": Call(kernel.History, {"assets": ("BTC",), "prices": _CLOSES[:, None], "dt": 0.1, "times": None,
        "gaps": None,
                                         "lows": None, "highs": None, "notes": ()}),
        "read_prices": Call(kernel.read_prices, {"source": table, "columns": "Close", "time": "Date",
        "first": date(2020, 1, 1),
                                                 "last": datetime(2020, 2, 1, tzinfo=UTC), "max_gap": "3d"}),
        "simulate": Call(kernel.simulate, {"market": GBM, "account": LONG, "ladder": LADDER, **whole}),
        "Gbm.fit": Call(kernel.Gbm.fit, {**fitted, "volatility": "average", "decay": 0.94}),
        "Gbm.fit of a history": Call(kernel.Gbm.fit, {"prices": history}),
        "FilteredHistorical.fit": Call(kernel.FilteredHistorical.fit, {**fitted, "volatility": "ewma"}),
        "backtest": Call(kernel.backtest, tested_arguments),
        "calibrate_margin": Call(kernel.calibrate_margin, margin_arguments),
        "calibrate_ladder": Call(kernel.calibrate_ladder, {
            "market": GBM, "account": LONG, "responses": {"call": kernel.Response("4h", 0.3)}, "horizon": "5d",
            "liquidation": 1.0,
            "metric": "margin_ratio", "steps": 1, **settings}),
        "margin_surface": Call(kernel.margin_surface, surface_arguments),
        "plot_thresholds": Call(kernel.plot_thresholds, {"curves": [curve], "ladder": LADDER,
        "path": folder / "t.svg", "targets": (0.1,)}),
        "bad_debt": Call(kernel.bad_debt, {"outcome": escalated, "level": 0.9}),
        "call_counts": Call(kernel.call_counts, {"outcome": escalated}),
        "response_time": Call(kernel.response_time, {"outcome": escalated, "from_tier": LADDER.names[0],
        "to_tier": LADDER.names[-1], "quantile": 0.5}),
        "endings": Call(kernel.endings, {"outcome": escalated, "times": ["1d", 0.01]}),
        "plot_endings": Call(kernel.plot_endings, {"of": kernel.endings(escalated), "path": folder / "e.svg"}),
        "plot_fits": Call(kernel.plot_fits, {"history": history, "fits": {"gbm": [fit]}, "path": folder / "f.svg"}),
        "plot_surface": Call(kernel.plot_surface, {"surface": kernel.margin_surface(**surface_arguments),
        "path": folder / "s.svg"}),
        "plot_backtest": Call(kernel.plot_backtest, {"backtest": kernel.backtest(**tested_arguments),
        "path": folder / "b.svg"}),
    }  # fmt: skip
    for kind, one in (("paths", outcome), ("summary", summary), ("weighted", weighted)):
        found |= {
            f"value_at_risk of {kind}": Call(kernel.value_at_risk, {"outcome": one, "level": 0.9}),
            f"expected_shortfall of {kind}": Call(kernel.expected_shortfall, {"outcome": one, "level": 0.9}),
            f"breach_probability of {kind}": Call(
                kernel.breach_probability, {"outcome": one, "tier": "call", "by": "1d"}
            ),
            f"breach_time_quantile of {kind}": Call(
                kernel.breach_time_quantile, {"outcome": one, "tier": "call", "probability": 0.5}
            ),
            f"survival of {kind}": Call(kernel.survival, {"outcome": one, "tier": "call"}),
            f"tier_index of {kind}": Call(one.tier_index, {"tier": "call"}),
        }
        if kind != "weighted":
            found |= {
                f"threshold of {kind}": Call(kernel.threshold, {"outcome": one, "probability": 0.05, "by": None}),
                f"threshold_curve of {kind}": Call(
                    kernel.threshold_curve, {"outcome": one, "probabilities": [0.05], "by": None}
                ),
            }
    config = documents()[0]
    found |= {
        "load": Call(kernel.load, {"config": config, "overrides": {}, "market": None}),
        "load of sections": Call(_load, config),
        "load of an account": Call(lambda **account: _load(**{**config, "account": account}), config["account"]),
        "load of a simulation": Call(lambda **stated: _load(**{**config, "simulation": stated}), config["simulation"]),
    }
    slow = {"Merton.fit": kernel.Merton.fit, "Kou.fit": kernel.Kou.fit, "choose": kernel.choose}
    return found | {name: Call(one, dict(fitted)) for name, one in slow.items()}


_SELDOM = {"plot_thresholds", "plot_endings", "plot_fits", "plot_surface", "plot_backtest", "Merton.fit", "Kou.fit",
           "choose", "backtest",
           "FilteredHistorical.fit"}  # fmt: skip


class Drawn(NamedTuple):
    """Which call, and which of its arguments are which odd values."""

    name: str
    odd: dict[str, str]


class Calls(Fuzzer):
    """Calls from Python."""

    name = "calls"

    def __init__(self, folder: Path, *, quick: bool = False) -> None:
        super().__init__(folder, quick=quick)
        cap_work()
        self.calls = {name: one for name, one in calls(folder).items() if not (quick and name in _SELDOM)}
        for name, one in self.calls.items():
            try:
                self._check(name, one.call(**one.arguments))
            except InvalidInput as invalid:
                raise AssertionError(f"{name} is to be valid: {invalid}") from invalid

    def draw(self, chance: random.Random) -> Drawn:
        names = list(self.calls)
        weights = [0.15 if name in _SELDOM else 1.0 + len(self.calls[name].arguments) / 4 for name in names]
        name = chance.choices(names, weights)[0]
        arguments = list(self.calls[name].arguments)
        chosen = chance.sample(arguments, min(chance.choice((1, 1, 1, 2)), len(arguments)))
        return Drawn(name, {argument: chance.choice(list(MAKERS)) for argument in chosen})

    def attempt(self, drawn: Drawn) -> bool:
        call, arguments = self.calls[drawn.name]
        odd = {argument: MAKERS[name]() for argument, name in drawn.odd.items()}
        if callable(odd.get("progress")):
            return True  # what it raises is the caller's own
        try:
            self._check(drawn.name, call(**{**arguments, **odd}))
        except TooLargeError:
            return True
        return True

    def _check(self, name: str, result: Any) -> None:
        for path, value in _numbers(result, ""):
            if _OFTEN_UNKNOWN & set(path.split(".")):
                continue
            if not math.isfinite(value):
                raise FaultError(f"{name} returned {value} at {path}")

    def show(self, drawn: Drawn) -> str:
        stated = ", ".join(f"{argument}={name}" for argument, name in drawn.odd.items())
        return f"{drawn.name}({stated})"


def _numbers(value: Any, path: str, depth: int = 4) -> list[tuple[str, float]]:
    """Return the numbers of a result with their places."""
    if value is None or isinstance(value, bool | str | bytes) or depth == 0:
        return []
    if isinstance(value, int | float | np.number):
        return [(path, float(value))]
    if isinstance(value, np.ndarray):
        return [(path, float(one)) for one in value.ravel()[:1000]] if value.dtype.kind == "f" else []
    if isinstance(value, dict):
        return [found for key, one in value.items() for found in _numbers(one, f"{path}.{key}", depth - 1)]
    if hasattr(value, "_asdict"):
        return _numbers(value._asdict(), path, depth)
    if isinstance(value, list | tuple):
        return [found for one in value for found in _numbers(one, path, depth - 1)]
    return _numbers(vars(value), path, depth - 1) if hasattr(value, "__dict__") and not callable(value) else []

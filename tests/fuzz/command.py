"""The command, run in this process; what it prints is checked."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from click.testing import CliRunner

import kernel.simulation.simulate
from kernel.commands.main import main
from kernel.simulation.check import expected_jumps
from kernel.simulation.settings import Settings
from tests.fuzz.harness import FaultError, check_lines

MOST_PATHS = 64_000  # a backtest that hangs on noise walks 64 times as many as it is asked for
_MOST_WORK = 3_000_000  # paths times steps times assets, with jumps
_CODES = (0, 1, 2)


class TooLargeError(BaseException):
    """What was asked for is legitimate, and too much work to be tried."""


def cap_work() -> None:
    """Let simulations that are too large end where they would begin: once for a process."""
    whole = kernel.simulation.simulate.new_job

    def capped(market: Any, account: Any, ladder: Any, settings: Settings, escalation: Any = None) -> Any:
        steps = settings.steps * len(market.assets) + expected_jumps(market, settings.horizon)
        if settings.paths > MOST_PATHS or settings.paths * steps > _MOST_WORK or settings.sampling == "sobol":
            raise TooLargeError
        return whole(market, account, ladder, settings, escalation)

    kernel.simulation.simulate.new_job = capped


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def succeeded(self) -> bool:
        """Say whether it did its work; a violated limit is no failure."""
        return self.code < 2

    def json(self) -> Any:
        """Return what it printed as strict JSON."""

        def refuse(text: str) -> float:
            raise FaultError(f"printed {text}, which is no JSON")

        return json.loads(self.out, parse_constant=refuse)


def margin(arguments: Sequence[str]) -> Ended:
    """Run `margin` with arguments.

    Raises:
        FaultError: for a traceback, another exit code than 0, 1 or 2, or messages that do not read well.
    """
    try:
        result = CliRunner().invoke(main, list(arguments))
    except TooLargeError:
        return Ended(0, "", "")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    if result.exit_code not in _CODES:
        raise FaultError(f"exit code {result.exit_code}: {result.stderr[-200:]!r}")
    lines = result.stderr.removesuffix("\n").split("\n") if result.stderr else []
    if result.exit_code == max(_CODES):
        check_lines(lines)
        wrong = [line for line in lines if not line.startswith(("error: ", "note: "))]
        if wrong or not any(line.startswith("error: ") for line in lines):
            raise FaultError(f"refused without saying that it is an error: {(wrong or lines)[0][:100]!r}")
        if result.stdout:
            raise FaultError("refused, but printed results")
    elif lines:
        check_lines(lines)
    return Ended(result.exit_code, result.stdout, result.stderr)


def check_run(found: dict[str, Any]) -> None:
    """Check that the results of a run are legitimate numbers.

    Raises:
        FaultError: if one is not.
    """
    before = None
    for tier in found["tiers"]:
        probability = tier["breach_probability"]
        _check_estimate(probability, "breach_probability", 0.0, 1.0)
        if before is not None and probability["value"] > before:
            raise FaultError("a deeper tier is breached more often")
        before = probability["value"]
        if probability["value"]:
            horizon = found["provenance"]["inputs"]["simulation"]["horizon"]
            _check_estimate(tier["median_breach_time"], "median_breach_time", 0.0, horizon * (1 + 1e-6))
    for level in found["losses"]:
        risk, shortfall = level["value_at_risk"], level["expected_shortfall"]
        _check_estimate(risk, "value_at_risk")
        _check_estimate(shortfall, "expected_shortfall")
        if shortfall["value"] < risk["value"] - 1e-6 * abs(risk["value"]):
            raise FaultError("Expected Shortfall is below Value at Risk")


def _check_estimate(found: dict[str, Any], what: str, least: float = -math.inf, most: float = math.inf) -> None:
    value = found["value"]
    if value is None or not math.isfinite(value):
        raise FaultError(f"{what} is {value}")
    low = -math.inf if found["low"] is None else found["low"]
    high = math.inf if found["high"] is None else found["high"]
    if not (least <= value <= most and low - 1e-9 * abs(low) <= value <= high + 1e-9 * abs(high)):
        raise FaultError(f"{what} is {value} of {low} to {high}, beyond {least} to {most}")


def check_stated(document: dict[str, Any], inputs: dict[str, Any]) -> None:
    """Check that what ran is what a config states, number by number, where it states the market itself.

    Raises:
        FaultError: naming what is another.
    """
    market, account = document["market"], document["account"]
    if "history" not in market and "file" not in market:
        for name, value in market.items():
            if name not in {"model", "assets", "dt"} and value != "zero":
                by_asset = [value[asset] for asset in inputs["market"]["assets"]] if isinstance(value, dict) else value
                _check_same(f"market.{name}", by_asset, inputs["market"][name])
    _check_same("account.cash", account["cash"], inputs["account"]["cash"])
    for stated, ran in zip(account["positions"], inputs["account"]["positions"], strict=True):
        for name in ("quantity", "entry_price"):
            if name in stated and stated[name] != "spot":
                _check_same(f"positions.{name}", stated[name], ran[name])
    rate = account["maintenance_rate"]
    if not isinstance(rate, dict):
        _check_same("account.maintenance_rate", rate, inputs["account"]["maintenance_rate"])
    if document["ladder"]["tiers"] != inputs["ladder"]["tiers"]:
        raise FaultError("other tiers ran than were stated")
    for name in ("steps", "seed"):
        if name in document["simulation"]:
            _check_same(f"simulation.{name}", document["simulation"][name], inputs["simulation"][name])


def _check_same(name: str, stated: Any, ran: Any) -> None:
    if not (np.asarray(ran) == np.asarray(stated)).all():
        raise FaultError(f"{name}: {ran!r} ran, and {stated!r} was stated")

"""Backtests on price files, as the command line states them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kernel.backtesting import Backtest, backtest
from kernel.checks.text import brief, share, years
from kernel.config.fitted import NEEDS_SCIPY, Source, read_files
from kernel.config.load import load_account
from kernel.errors import InvalidInput, Problem, Problems
from kernel.markets import Gbm
from kernel.prices.history import History

_ROWS = re.compile(r"\s*(\d+)\s*rows?\s*")


def check_settings(stated: Mapping[str, str | None], levels: Sequence[str]) -> dict[str, Any]:
    """Read what the command line states: counts, levels such as 99%, a horizon in years or as "5 rows".

    Args:
        stated: texts of window, refit, breaches, paths, seed, threads and horizon; None: the default.
        levels: such as "99%".

    Raises:
        InvalidInput: with everything that has to be mended.

    Example:
        >>> check_settings({"paths": "1e4", "horizon": "3 rows"}, ["99%"])
        {'paths': 10000.0, 'horizon': '3 rows', 'levels': [0.99]}
    """
    problems = Problems()
    settings: dict[str, Any] = {}
    for name, text in stated.items():
        if text is None:
            continue
        if name == "horizon":
            settings[name] = text if _ROWS.fullmatch(text) else _read(problems, name, years, text)
        elif name == "breaches":
            settings[name] = text
        else:
            settings[name] = _read(problems, name, _number, text)
    if levels:
        settings["levels"] = [_read(problems, "level", share, level) for level in levels]
        for text, value in zip(levels, settings["levels"], strict=True):
            if value <= 0 or value >= 1:
                problems.add("level", f"must be above 0 and below 1 (100%), such as 99%, not {text}")
    problems.raise_any()
    return settings


def _read(problems: Problems, field: str, convert: Callable[[str], float], text: str) -> float:
    try:
        return convert(text)
    except ValueError as error:
        problems.add(field, str(error))
        return math.nan


def _number(text: str) -> float:
    """Return a number; a whole one to its last digit."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except (ValueError, OverflowError):
        raise ValueError(f"must be a number, not {brief(text)}") from None


def backtest_files(
    files: Sequence[tuple[str, Path]],
    columns: Mapping[str, str] | str | None,
    reading: Mapping[str, Any],
    config: Path | None,
    settings: dict[str, Any],
) -> tuple[Backtest, Source]:
    """Backtest a market on price files.

    Args:
        files: one, or one for each asset, with the asset's name or "" for the file's own.
        columns: as `kernel.read_prices` takes them.
        reading: further settings of it.
        config: file that states the account and the ladder, at the last prices; None: the default ones.
        settings: of `kernel.backtest`; the horizon also as a text such as "5 rows".

    Returns:
        The backtest, and where its history comes from.

    Raises:
        InvalidInput: with everything that has to be mended.
    """
    history, source = read_files(files, columns, reading)
    if config is not None:
        stand_in = Gbm(assets=history.assets, spot=history.last, volatility=1.0)
        account, ladder, notes = load_account(config, stand_in)
        source = source._replace(notes=(*source.notes, *notes))
        settings = {**settings, "account": account, "ladder": ladder}
    try:
        return backtest(history, **_in_years(settings, history)), source
    except ImportError:
        raise InvalidInput([Problem("market", NEEDS_SCIPY)]) from None


def _in_years(settings: dict[str, Any], history: History) -> dict[str, Any]:
    horizon = settings.get("horizon")
    if not isinstance(horizon, str):
        return settings
    match = _ROWS.fullmatch(horizon)
    return {**settings, "horizon": int(match[1]) * history.dt if match else horizon}

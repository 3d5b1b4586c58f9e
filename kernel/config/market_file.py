"""The market of a file that `margin fit` wrote, in place of a section, and the drift that it says was estimated."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kernel.checks.text import brief
from kernel.config.documents import read_document
from kernel.config.values import is_text
from kernel.errors import InvalidInput, Problem, Problems
from kernel.fitting.drift import DRIFTS, Drift

Overrides = Mapping[str, Any] | Iterable[str]
"""Values by path, or texts such as "market.volatility=0.8"."""
_FILE = "market.file"


def pull_file(document: dict[str, Any], overrides: dict[str, Any] | list[str]) -> Overrides:
    """Take over the name of a market's file from the overrides: the others have their places in what it states.

    Returns:
        The other overrides.
    """
    rest: Overrides
    if isinstance(overrides, dict):
        named = [value for key, value in overrides.items() if key == _FILE]
        rest = {key: value for key, value in overrides.items() if key != _FILE}
    else:
        named = [text.partition("=")[2].strip(" \"'") for text in overrides if text.partition("=")[0].strip() == _FILE]
        rest = [text for text in overrides if text.partition("=")[0].strip() != _FILE]
    if named:
        document["market"] = {"file": named[-1]}
    return rest


def take_market(document: dict[str, Any], folder: Path) -> tuple[tuple[Path, ...], Drift | None]:
    """Put in place of a market's file what it states; what the section states besides has the last word.

    Args:
        document: of the config, which is changed.
        folder: in which the file is looked for.

    Returns:
        The file, if there is one, and the drift that it says was estimated.

    Raises:
        InvalidInput: for a file that cannot be read or states no market.
    """
    section = document.get("market")
    if not isinstance(section, dict) or "file" not in section:
        return (), None
    name, rest = section["file"], {key: value for key, value in section.items() if key != "file"}
    if not is_text(name):
        raise InvalidInput([Problem(_FILE, f"must be the name of a file, not {brief(name)}")])
    try:
        file = read_document(folder / name)
    except InvalidInput as invalid:
        renamed = [Problem(_FILE, str(problem).replace(": ", " ", 1)) for problem in invalid.problems]
        raise InvalidInput(renamed) from None
    stated = file.get("market")
    if not isinstance(stated, dict):
        message = f"{name} has no section [market], as `margin fit --output` writes it"
        raise InvalidInput([Problem(_FILE, message)])
    document["market"] = {**stated, **rest}
    return (folder / name,), estimated_drift(stated, file.get("fit"))


def estimated_drift(market: Mapping[str, Any], fit: object) -> Drift | None:
    """Return the drift that the file of a market says was estimated, None where it says nothing.

    Args:
        market: its section of that name.
        fit: the one that `margin fit` writes beside it. Where it has no drift, the market's own is the estimate.
    """
    if not isinstance(fit, Mapping):
        return None
    errors = fit.get("standard_errors")
    assets, values = market.get("assets"), fit.get("drift", market.get("drift"))
    error = errors.get("drift") if isinstance(errors, Mapping) else None
    if not isinstance(assets, list) or not isinstance(values, list) or len(assets) != len(values):
        return None
    known = error if isinstance(error, list) and len(error) == len(values) else [None] * len(values)
    try:
        estimate = np.array([float(value) for value in values])
        spread = np.array([math.nan if value is None else float(value) for value in known])
    except (TypeError, ValueError, OverflowError):
        return None
    return Drift(tuple(map(str, assets)), estimate, spread)


def choose_drift(problems: Problems, section: object, estimate: Drift | None) -> None:
    """Put the numbers in place of "zero" or "fitted"; beside a history they are yet to be found.

    Args:
        problems: takes a "fitted" where nothing was.
        section: [market], which is changed.
        estimate: of the file that it names, if any.
    """
    if not isinstance(section, dict) or "history" in section or section.get("drift") not in DRIFTS:
        return
    if estimate is not None:
        section["drift"] = estimate.chosen(section["drift"]).tolist()
        return
    if section["drift"] == "fitted":
        problems.add("market.drift", "must be a number: this market is stated, so that there is no fitted drift")
    section["drift"] = 0.0

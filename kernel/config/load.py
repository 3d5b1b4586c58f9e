"""A run from TOML or JSON, every problem at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from kernel import checks
from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.checks.text import brief, near
from kernel.config.assembly import assemble, assemble_account
from kernel.config.documents import override
from kernel.config.market_file import Overrides, choose_drift, pull_file, take_market
from kernel.config.run import LEFT_ALONE, Run
from kernel.config.sections import SECTIONS, checked
from kernel.config.source import plain_document, read_config
from kernel.errors import Problems, printable
from kernel.markets import Market

_MOST_OVERRIDES = 10_000


def load(
    config: str | os.PathLike[str] | Mapping[str, Any],
    overrides: Overrides = (),
    market: str | os.PathLike[str] | None = None,
) -> Run:
    """Load what `margin run` simulates: market, account, ladder and settings, checked.

    Args:
        config: a .toml or .json file; a history, or a file of the market, that it names is looked for beside it. Or
            "-" for stdin, TOML or JSON, or a mapping of the sections: for both what they name is looked for in the
            working folder.
        market: a file that `margin fit` wrote, in place of the section [market]; what that states beside a `file`
            of its own, such as a drift, goes on to have the last word.
        overrides: values by path, such as {"market.volatility": 0.8}, or texts such as "market.volatility=0.8".

    Raises:
        InvalidInput: with every problem of every section.

    Example:
        >>> import kernel
        >>> position = {"asset": "BTC", "quantity": 1.0, "entry_price": "spot"}
        >>> config = {
        ...     "market": {"model": "gbm", "assets": ["BTC"], "spot": 60_000.0, "volatility": 0.65},
        ...     "account": {"cash": 6_000.0, "maintenance_rate": 0.005, "positions": [position]},
        ...     "ladder": {"tiers": {"call": 2.0, "liquidation": 1.0}},
        ...     "simulation": {"horizon": "5d", "steps": 1, "paths": 10_000},
        ... }
        >>> run = kernel.load(config, ["simulation.seed=7"])  # or kernel.load("margin.toml", ...)
        >>> run.simulation["seed"], run.levels, run.notes
        (7, (0.95, 0.99), ())
        >>> outcome = run.simulate()  # the same bits as `margin run margin.toml --seed 7`
        >>> round(kernel.breach_probability(outcome, "liquidation").value, 1)
        0.2
    """
    problems, (document, folder, files) = Problems(), read_config(config)
    overrides = _checked_overrides(overrides)
    if market is not None:
        checks.path(problems, "market", market)
        problems.raise_any()
        stated = document.get("market")
        beside = stated if isinstance(stated, dict) and "file" in stated else {}
        document["market"] = {**beside, "file": os.fspath(market)}
    overrides = pull_file(document, overrides)
    fitted, estimate = take_market(document, Path() if market is not None else folder)
    override(problems, document, overrides)
    choose_drift(problems, document.get("market"), estimate)
    for name in [name for name in document if name not in SECTIONS]:
        problems.add(name, f"is not a section{near(name, SECTIONS)}")
    sections = {name: checked(problems, name, document.get(name)) for name in SECTIONS}
    run = assemble(problems, sections, folder)
    notes = run.notes
    if estimate is not None and estimate.assets == run.market.assets:
        notes = (*estimate.notes(run.market.drift), *notes)
    return replace(
        run, files=(*files, *run.files, *fitted), market_file=printable(str(fitted[0])) if fitted else None, notes=notes
    )


def load_account(config: str | os.PathLike[str], market: Market) -> tuple[Account, Ladder, tuple[str, ...]]:
    """Read the account and the ladder of a config file, for another market than its own.

    Where the file states opening prices of its own, the account is stated at those: quantities and entry prices are
    taken to the market's prices, so that notionals and leverage stay.

    Args:
        config: the file, or "-" for stdin; its other sections are passed over, but for the opening prices of a market
            of the same assets.
        market: at whose opening prices the account is to be.

    Returns:
        Account, ladder, and a note if the file states an escalation, which is passed over too.

    Raises:
        InvalidInput: with every problem of the two sections.

    Example:
        `account, ladder, notes = load_account("margin.toml", market)`
    """
    problems, document = Problems(), read_config(config).document
    sections = {name: checked(problems, name, document.get(name)) for name in ("account", "ladder")}
    stated = _stated_prices(document.get("market"), market)
    account, ladder = assemble_account(problems, sections, stated)
    notes = (LEFT_ALONE.format("forecasts"),) if document.get("escalation") else ()
    ratios = np.asarray(market.spot) / np.asarray(stated.spot)
    return account.revalued(dict(zip(market.assets, ratios.tolist(), strict=True))), ladder, notes


def _stated_prices(section: Any, market: Market) -> Market:
    """Return the market at the opening prices that a config states of the same assets, or as it is."""
    if not isinstance(section, Mapping) or "spot" not in section or section.get("file") is not None:
        return market
    assets = section.get("assets", market.assets)
    stated = [assets] if isinstance(assets, str) else assets
    if not isinstance(stated, list | tuple) or tuple(stated) != tuple(market.assets):
        return market
    return replace(market, spot=section["spot"])


def _checked_overrides(overrides: Any) -> dict[str, Any] | list[str]:
    """Return values by path, or texts.

    Raises:
        InvalidInput: for anything else.
    """
    if isinstance(overrides, Mapping):
        return dict(plain_document(overrides, "overrides"))
    problems = Problems()
    listed = checks.listed(problems, "overrides", overrides, _MOST_OVERRIDES)
    if not all(isinstance(text, str) for text in listed):
        message = "must map paths to values, or be a list of texts such as 'market.volatility=0.8'"
        problems.add("overrides", f"{message}, not {brief(overrides)}")
    problems.raise_any()
    return listed

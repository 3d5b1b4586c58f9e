"""What every report of a simulation tells first: what was simulated, and how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.accounts.opening import open_account
from kernel.checks.text import counted, duration
from kernel.escalation import Escalation
from kernel.markets import Market
from kernel.report.blocks import Block, Heading, Paragraph, Points, Table, matrix
from kernel.report.numbers import figure
from kernel.simulation.outcome import Outcome

SCHEMA = 1
_NAMED = 4  # assets


class Source(Protocol):
    """Where a history comes from: a named tuple with file, rows, first, last, dt and notes."""

    def _asdict(self) -> dict[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class Case:
    """What was simulated, and where it came from."""

    market: Market
    account: Account
    ladder: Ladder
    escalation: Escalation | None = None
    """What its tiers do when they breach."""
    levels: tuple[float, ...] = (0.95, 0.99)
    """Of Value at Risk and Expected Shortfall."""
    source: Source | None = None
    """Of the history that the market was fitted to."""
    market_file: str | None = None
    """That states the market."""
    notes: tuple[str, ...] = ()
    """Sentences: what is to be known of the opening, and of a fitted drift."""


class Took(NamedTuple):
    """Seconds that a simulation took."""

    seconds: float
    """Of the simulation, with the preparing of its kernel."""
    kernel_seconds: float
    """Of these, for compiling the kernel or loading it from the cache."""
    compiled: bool
    """Whether it was compiled."""
    all_seconds: float
    """Since the command began: loading the program and reading files too."""


def simulated(case: Case, outcome: Outcome, took: Took | None) -> dict[str, Any]:
    """Return what was simulated, for `kernel.checks.plain` to make plain."""
    return {
        "schema": SCHEMA,
        "provenance": outcome.provenance,
        **(_times(took) if took else {}),
        # residuals of a history, by the thousand, stand in the provenance alone
        "market": {name: value for name, value in case.market.parameters().items() if name != "residuals"},
        "market_file": case.market_file,
        "history": case.source._asdict() if case.source else None,
        "opening": _opening(case),
        "notes": list(dict.fromkeys((*case.notes, *outcome.notes))),
    }


def _times(took: Took) -> dict[str, Any]:
    seconds = {name: round(value, 4) for name, value in took._asdict().items() if name != "compiled"}
    return {**seconds, "compiled": took.compiled}


def _opening(case: Case) -> dict[str, Any]:
    metric = case.ladder.metric
    opening = open_account(case.account, case.market.assets, np.asarray(case.market.spot))
    return {
        "equity": opening.equity,
        "requirement": opening.required,
        "metric": metric,
        "value": opening.metric(metric),
    }


# For people


def introduction(results: dict[str, Any]) -> list[Block]:
    """Return what was simulated, and what there is to know of it."""
    return [
        Heading("Simulation"),
        *_head(results),
        Heading("Market"),
        *_origin(results),
        Heading("Notes"),
        Points(results["notes"]),
    ]


def _head(results: dict[str, Any]) -> list[Block]:
    inputs, opening, market = results["provenance"]["inputs"], results["opening"], results["market"]
    run, count = inputs["simulation"], len(inputs["account"]["positions"])
    positions = f"{counted(count, 'position')} on {_named(market['assets'])}, {market['model']} market"
    amounts = (f"{name} {figure(opening[name], ',.2f')}" for name in ("equity", "requirement"))
    walk = f"{run['paths']:,} paths of {counted(run['steps'], 'step')}"
    sentences = [
        f"{positions}, over {duration(run['horizon'])}",
        f"{walk}, {run['monitoring']} monitoring, {run['precision']} precision, seed {run['seed']}",
        *_unusual(run, opening["metric"]),
        f"opening {', '.join(amounts)}, {opening['metric']} {figure(opening['value'], '.4g')}",
        *_time(results),
    ]
    return [Paragraph(sentence) for sentence in sentences]


def _unusual(run: dict[str, Any], metric: str) -> list[str]:
    """Say how paths are sampled and what is kept of them, where that is not the usual."""
    parts, target = [], run["importance"]
    if target is not None:
        event = target if isinstance(target, str) else f"losses beyond value at risk {100 * target:g} %"
        parts.append(f"importance sampling of {event}")
    if run["sampling"] != "plain":
        parts.append(f"{run['sampling']} sampling")
    if run["worst"]:
        times = (duration(run["horizon"] * step / run["steps"]) for step in run["worst"])
        parts.append(f"lowest {metric} kept by {', '.join(times)}")
    if run["record"] == "paths":
        parts.append("every path kept")
    return [", ".join(parts)] if parts else []


def _time(results: dict[str, Any]) -> list[str]:
    """Write what took how long: compiling, once, may take longer than simulating."""
    if "seconds" not in results:
        return []
    kernel, verb = results["kernel_seconds"], "compiled" if results["compiled"] else "loaded"
    simulating = results["seconds"] - kernel
    return [f"{verb} in {kernel:.2f} s, simulated in {simulating:.2f} s, {results['all_seconds']:.2f} s in all"]


def _named(assets: Sequence[str]) -> str:
    rest = len(assets) - _NAMED
    return ", ".join(assets[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _origin(results: dict[str, Any]) -> list[Block]:
    """Show a market that the config does not state itself."""
    source = results["history"]
    if source:
        history = (
            f"fitted to {Path(source['file']).name}: {source['rows']:,} prices from {source['first']} to "
            f"{source['last']}, {duration(source['dt'])} apart on average"
        )
        return [Paragraph(history), Points(source["notes"]), *_market(results["market"])]
    if results["market_file"]:
        return [Paragraph(f"the market is that of {results['market_file']}"), *_market(results["market"])]
    return []


def _market(market: dict[str, Any]) -> list[Block]:
    """Show a column for each number per asset, a line for what the assets share."""
    assets = market["assets"]
    columns = [name for name, value in market.items() if name != "assets" and _is_per_asset(value)]
    rows = [[asset, *(f"{market[column][k]:,.5g}" for column in columns)] for k, asset in enumerate(assets)]
    blocks: list[Block] = [Table(["asset", *columns], rows)]
    if "dt" in market:
        blocks.append(Paragraph(f"steps of {duration(market['dt'])}"))
    shared = [f"{name} {value:.5g}" for name, value in market.items() if isinstance(value, float) and name != "dt"]
    if shared:
        blocks.append(Paragraph(", ".join(shared) + " a year"))
    return blocks + (matrix("correlation", assets, market["correlation"]) if "correlation" in market else [])


def _is_per_asset(value: Any) -> bool:
    return isinstance(value, list) and not isinstance(value[0], list)

"""What `margin run` tells: losses, breaches and their errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kernel.accounts.opening import open_account
from kernel.checks.plain import plain
from kernel.checks.text import counted, duration
from kernel.config.assembly import Run
from kernel.errors import InvalidInput
from kernel.measures import (
    Estimate,
    breach_probability,
    breach_time_quantile,
    expected_shortfall,
    threshold,
    value_at_risk,
)
from kernel.report.layout import aligned, listed, matrix, wrapped
from kernel.report.numbers import amount, bounded, figure, percent, time
from kernel.simulation.outcome import Outcome

SCHEMA = 1
_HELD = "Losses are of the account left alone: whatever breaches, its positions are held to the horizon."
_MEDIAN = 0.5
_NAMED = 4
_DIGITS = 12  # of 1 less a level: what more there is comes of the subtraction


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


def results(run: Run, outcome: Outcome, took: Took) -> dict[str, Any]:
    """Return a run's results as plain values, ready for strict JSON: what is not finite is None."""
    levels = zip(run.ladder.names, run.ladder.levels.tolist(), strict=True)
    found = {
        **simulated(run, outcome, took),
        "tiers": [
            {
                "tier": tier,
                "level": level,
                "breach_probability": breach_probability(outcome, tier)._asdict(),
                "median_breach_time": breach_time_quantile(outcome, tier, _MEDIAN)._asdict(),
            }
            for tier, level in levels
        ],
        "losses": [
            {
                "level": level,
                "value_at_risk": value_at_risk(outcome, level)._asdict(),
                "expected_shortfall": expected_shortfall(outcome, level)._asdict(),
            }
            for level in run.levels
        ],
    }
    if outcome.worst_times:
        found["worst"] = [_worst(outcome, 1 - level, by) for by in outcome.worst_times for level in run.levels]
    told: dict[str, Any] = plain(found)
    return told


def _worst(outcome: Outcome, probability: float, by: float) -> dict[str, Any]:
    """Return the level of the metric that is breached by a time with a probability, None where too few paths tell."""
    share = round(probability, _DIGITS)
    try:
        level = threshold(outcome, share, by)
    except InvalidInput:
        level = Estimate(math.nan, math.nan, math.nan, math.nan)
    return {"by": by, "probability": share, "level": level._asdict()}


def simulated(run: Run, outcome: Outcome, took: Took) -> dict[str, Any]:
    """Return what was simulated: what every command that simulates tells first."""
    return {
        "schema": SCHEMA,
        "provenance": outcome.provenance,
        **{name: round(value, 4) for name, value in took._asdict().items() if name != "compiled"},
        "compiled": took.compiled,
        # residuals of a history, by the thousand, stand in the provenance alone
        "market": {name: value for name, value in run.market.parameters().items() if name != "residuals"},
        "market_file": run.market_file,
        "history": run.source._asdict() if run.source else None,
        "opening": _opening(run),
        "notes": list(dict.fromkeys((*run.notes, *outcome.notes))),
    }


def _opening(run: Run) -> dict[str, Any]:
    opening, metric = open_account(run.account, run.market.assets, np.asarray(run.market.spot)), run.ladder.metric
    return {
        "equity": opening.equity,
        "requirement": opening.required,
        "metric": metric,
        "value": opening.metric(metric),
    }


# For people


def text(found: dict[str, Any]) -> str:
    """Write results for people, in at most 100 columns."""
    worst = ["\n".join(_lowest(found))] if "worst" in found else []
    return "\n\n".join([*introduction(found), _tiers(found), *worst, _losses(found) + "\n" + _HELD]) + "\n"


def introduction(found: dict[str, Any]) -> list[str]:
    """Write what was simulated, as paragraphs."""
    parts = [_head(found)]
    if found["history"]:
        parts.append(_fitted(found["history"]) + "\n" + _market(found["market"]))
    elif found["market_file"]:
        parts.append(wrapped(f"the market is that of {found['market_file']}") + "\n" + _market(found["market"]))
    return parts + (["\n".join(listed(found["notes"]))] if found["notes"] else [])


def _head(found: dict[str, Any]) -> str:
    inputs, opening = found["provenance"]["inputs"], found["opening"]
    run, count = inputs["simulation"], len(inputs["account"]["positions"])
    first = f"{counted(count, 'position')} on {_named(found['market']['assets'])}, {found['market']['model']} market"
    second = (
        f"{run['paths']:,} paths of {counted(run['steps'], 'step')}, {run['monitoring']} monitoring, "
        f"{run['precision']} precision, seed {run['seed']}"
    )
    amounts = (f"{name} {figure(opening[name], ',.2f')}" for name in ("equity", "requirement"))
    third = f"opening {', '.join(amounts)}, {opening['metric']} {figure(opening['value'], '.4g')}"
    lines = [f"{first}, over {duration(run['horizon'])}", second]
    lines += [*_kept(run, opening["metric"]), third, _time(found)]
    return "\n".join(wrapped(line) for line in lines)


def _kept(run: dict[str, Any], metric: str) -> list[str]:
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


def _time(found: dict[str, Any]) -> str:
    """Write what took how long: compiling, once, may take longer than simulating."""
    kernel, whole, verb = found["kernel_seconds"], found["all_seconds"], "compiled" if found["compiled"] else "loaded"
    return f"{verb} in {kernel:.2f} s, simulated in {found['seconds'] - kernel:.2f} s, {whole:.2f} s in all"


def _named(assets: Sequence[str]) -> str:
    rest = len(assets) - _NAMED
    return ", ".join(assets[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _fitted(source: dict[str, Any]) -> str:
    """Name the history that the market was fitted to."""
    history = (
        f"fitted to {Path(source['file']).name}: {source['rows']:,} prices from {source['first']} to {source['last']}, "
        f"{duration(source['dt'])} apart on average"
    )
    return "\n".join([wrapped(history), *listed(source["notes"])])


def _market(market: dict[str, Any]) -> str:
    """Show a column for each number per asset, a line for what the assets share."""
    assets = market["assets"]
    columns = [name for name, value in market.items() if name != "assets" and _is_per_asset(value)]
    rows = [["asset", *columns]]
    rows += [[name, *(f"{market[column][k]:,.5g}" for column in columns)] for k, name in enumerate(assets)]
    lines = aligned(rows, texts=1)
    if "dt" in market:
        lines.append(f"steps of {duration(market['dt'])}")
    shared = [f"{name} {value:.5g}" for name, value in market.items() if isinstance(value, float) and name != "dt"]
    lines += [", ".join(shared) + " a year"] if shared else []
    return "\n".join(
        [*lines, *(matrix("correlation", assets, market["correlation"]) if "correlation" in market else [])]
    )


def _is_per_asset(value: Any) -> bool:
    return isinstance(value, list) and not isinstance(value[0], list)


def _tiers(found: dict[str, Any]) -> str:
    rows = [["tier", "level", "breach probability", "95% interval", "median if breached", "95% interval"]]
    for one in found["tiers"]:
        value, interval = percent(one["breach_probability"])
        rows.append([one["tier"], f"{one['level']:g}", value, interval, *time(one["median_breach_time"])])
    return "\n".join(aligned(rows, texts=1))


def _lowest(found: dict[str, Any]) -> list[str]:
    rows = [[f"lowest {found['opening']['metric']}", "probability", "at most", "95% interval"]]
    for one in found["worst"]:
        level = amount(one["level"]) if one["level"]["value"] is not None else ("-", "")
        rows.append([f"within {duration(one['by'])}", f"{100 * one['probability']:g} %", *level])
    return aligned(rows, texts=1)


def _losses(found: dict[str, Any]) -> str:
    rows = [["loss", "level", "value", "95% interval", "of equity", "95% interval"]]
    equity = found["opening"]["equity"]
    for name, label in (("value_at_risk", "value at risk"), ("expected_shortfall", "expected shortfall")):
        for one in found["losses"]:
            estimate = one[name]
            share = {key: value / equity for key, value in bounded(estimate).items()} if equity > 0 else None
            rows.append(
                [label, f"{100 * one['level']:g} %", *amount(estimate), *(percent(share) if share else ("-", ""))]
            )
    return "\n".join(aligned(rows, texts=1))

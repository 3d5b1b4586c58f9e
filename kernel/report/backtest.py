"""What `margin backtest` tells: per level exceptions and tests, per tier how reliable its probabilities were."""

from __future__ import annotations

from typing import Any

from kernel.backtesting.verdict import SIGNIFICANCE
from kernel.checks.text import counted, duration
from kernel.config.backtested import Backtested
from kernel.markets.choice import p_value
from kernel.report.layout import aligned, listed, wrapped

SCHEMA = 1
_TESTED = {
    "proportion_of_failures": "frequency",
    "independence": "independence",
    "conditional_coverage": "both together",
}
_JUDGED = {
    "bars": "Breaches are judged by the bars of the rows, and were predicted in continuous time",
    "closes": "Breaches are judged, and were predicted, by the closes of the rows",
}


def results(found: Backtested) -> dict[str, Any]:
    """Return a backtest as plain values, ready for strict JSON: what is not finite is None."""
    source = {**found.source._asdict(), "notes": list(found.source.notes)}
    return {"schema": SCHEMA, "history": source, **found.backtest.summary()}


def text(told: dict[str, Any]) -> str:
    """Write a backtest for people, in at most 100 columns."""
    parts = [_head(told), _levels(told), *_years(told), "\n".join(_sentences(told)), _tiers(told)]
    return "\n\n".join(parts) + "\n"


def _head(told: dict[str, Any]) -> str:
    source, inputs = told["history"], told["provenance"]["inputs"]
    run = inputs["backtest"]
    period = f" from {told['first'][:10]} to {told['last'][:10]}" if told["first"] else ""
    first = (
        f"{source['file']}: {counted(told['forecasts'], 'forecast')} of {', '.join(told['assets'])}{period}, "
        f"{duration(told['horizon'])} ahead, {run['paths']:,} paths each, seed {run['seed']}"
    )
    fits = ", ".join(f"{name} {count:,}" for name, count in told["refits"].items())
    asked = inputs["market"] if isinstance(inputs["market"], str) else "stated"
    second = f"market {asked}: fitted to {counted(run['window'], 'row')}, every {counted(run['refit'], 'row')} ({fits})"
    second += f", {'without' if inputs['fit'].get('drift') == 'zero' else 'with'} the fitted drift"
    if asked == "auto":
        second += f", chosen every {counted(run['rechoose'], 'row')}"
    if asked == "stated":
        second = f"market {next(iter(told['refits']))}, as it is stated"
    return "\n".join([wrapped(first), wrapped(second), *listed([*source["notes"], *told["notes"]])])


def _p(verdict: dict[str, Any]) -> str:
    return "-" if verdict["p_value"] is None else p_value(verdict["p_value"]).removeprefix("= ")


def _percent(level: float) -> str:
    return f"{100 * level:g} %"


def _levels(told: dict[str, Any]) -> str:
    rows = [
        ["level", "exceptions", "expected", "zone", "last 250", "p failures", "p first", "p memory", "p both", "p ES"]
    ]
    for one in told["levels"]:
        last = one["last_250"]
        tests = (
            "proportion_of_failures",
            "time_until_first_failure",
            "independence",
            "conditional_coverage",
            "shortfall",
        )
        zones = [one["traffic_light"]["zone"], last["zone"] if last else "-"]
        counts = [f"{one['exceptions']:,}", f"{one['expected']:,.1f}"]
        rows.append([_percent(one["level"]), *counts, *zones, *(_p(one[test]) for test in tests)])
    legend = (
        "failures, first: Kupiec's proportion of failures and time until the first; memory, both: Christoffersen's "
        "independence and conditional coverage; ES: Acerbi and Szekely's Z2; zones: Basel's traffic light. Coverage "
        f'holds unless "both" fails at {_percent(SIGNIFICANCE)}; right forecasts fail each test at most that often'
    )
    return "\n".join([*aligned(rows, texts=1), wrapped(legend)])


def _years(told: dict[str, Any]) -> list[str]:
    """Show the zone of the last 500 forecasts up to the end of each year, by level."""
    levels = told["levels"]
    if not levels[0]["by_year"]:
        return []
    rows = [["last 500 by the end of", *(_percent(one["level"]) for one in levels)]]
    for each in zip(*(one["by_year"] for one in levels), strict=True):
        lights = [one["light"] for one in each]
        rows.append([str(each[0]["year"]), *(f"{light['zone']} ({light['exceptions']})" for light in lights)])
    return ["\n".join(aligned(rows, texts=1))]


def _sentences(told: dict[str, Any]) -> list[str]:
    """Say whether coverage held, and where it did not."""
    said = []
    for one in told["levels"]:
        level = _percent(one["level"])
        said += [_held(one, level), *_noise(one, level)]
        if one["shortfall"]["word"] == "fails":
            said.append(f"Losses beyond the {level} Value at Risk were worse than the Expected Shortfall said.")
        lights = [(each["year"], each["light"]) for each in one["by_year"] if each["light"]["zone"] != "green"]
        said += [
            f"The 500 forecasts up to the end of {year} are {light['zone']} at {level}: "
            f"{counted(light['exceptions'], 'exception')}, {light['expected']:g} expected."
            for year, light in lights
        ]
    return [wrapped(sentence) for sentence in said]


def _held(one: dict[str, Any], level: str) -> str:
    failed = [name for test, name in _TESTED.items() if one[test]["word"] == "fails"]
    count = f"{counted(one['exceptions'], 'exception')} where {one['expected']:,.1f} were expected"
    held, zone = "held" if one["holds"] else "did not hold", one["traffic_light"]["zone"]
    head = f"Coverage at {level} {held}: {count}, {zone} zone"
    if not failed:
        return f"{head}."
    fail = f"{'fails' if len(failed) == 1 else 'fail'} at {_percent(SIGNIFICANCE)}"
    return f"{head}; {', '.join(failed)} {'alone ' if one['holds'] else ''}{fail}."


def _noise(one: dict[str, Any], level: str) -> list[str]:
    """Say what hangs on the error of Value at Risk, if anything does."""
    noise = one["noise"]
    if not noise["hanging"]:
        return []
    *most, last = ("whether coverage holds" if what == "coverage" else f"the {what}" for what in noise["hanging"])
    what = f"{', '.join(most)} and {last} hang" if most else f"{last} hangs"
    losses = f"{noise['undecided']:,} of the losses {'is' if noise['undecided'] == 1 else 'are'}"
    count = f"{noise['fewest']:,} to {noise['most']:,} are exceptions"
    error = "within the error of the Value at Risk"
    return [f"At {level}, {what} on Monte Carlo noise: {losses} {error}, {count}; use more paths."]


def _tiers(told: dict[str, Any]) -> str:
    rows = [["tier", "breaches", "expected", "Brier score", "skill", "p calibration"]]
    for one in told["tiers"]:
        skill = "-" if one["skill"] is None else f"{100 * one['skill']:.1f} %"
        counts = [f"{one['events']:,}", f"{one['expected']:,.1f}"]
        rows.append([one["tier"], *counts, f"{one['brier']:.4f}", skill, _p(one["calibration"])])
    failed = [one["tier"] for one in told["tiers"] if one["calibration"]["word"] == "fails"]
    said = [f"Breach probabilities of {', '.join(failed)} were not reliable."] if failed else []
    judged = f"{_JUDGED[told['breaches']]}: {told['breaches_reason']}. Forecast windows do not overlap."
    return "\n".join([*aligned(rows, texts=1), *said, wrapped(judged)])

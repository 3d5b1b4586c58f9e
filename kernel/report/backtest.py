"""What `margin backtest` reports: per level exceptions and tests, per tier how reliable its probabilities were."""

from __future__ import annotations

from typing import Any

from kernel.backtesting import Backtest
from kernel.backtesting.verdict import SIGNIFICANCE
from kernel.checks.text import counted, duration
from kernel.markets.choice import p_value
from kernel.report.blocks import Block, Heading, Paragraph, Points, Table
from kernel.report.introduction import Source

SCHEMA = 1
_TESTED = {
    "proportion_of_failures": "frequency",
    "independence": "independence",
    "conditional_coverage": "both together",
}
_TESTS = ("proportion_of_failures", "time_until_first_failure", "independence", "conditional_coverage", "shortfall")
_JUDGED = {
    "bars": "Breaches are judged by the bars of the rows, and were predicted in continuous time",
    "closes": "Breaches are judged, and were predicted, by the closes of the rows",
}
_LEGEND = (
    "failures, first: Kupiec's proportion of failures and time until the first; memory, both: Christoffersen's "
    "independence and conditional coverage; ES: Acerbi and Szekely's Z2; zones: Basel's traffic light. Coverage "
    'holds unless "both" fails at {level}; right forecasts fail each test at most that often'
)


def results(backtest: Backtest, source: Source | None = None) -> dict[str, Any]:
    """Return a backtest as plain values, ready for strict JSON: what is not finite is None.

    Args:
        backtest: of a market.
        source: of the history.
    """
    stated = source._asdict() if source else None
    history = {**stated, "notes": list(stated["notes"])} if stated else None
    return {"schema": SCHEMA, "history": history, **backtest.summary()}


# For people


def blocks(results: dict[str, Any]) -> list[Block]:
    """Return a report for people."""
    return [
        Heading("Backtest"),
        *_head(results),
        Heading("Coverage"),
        *_levels(results),
        Heading("Years"),
        *_years(results),
        Heading("Verdicts"),
        *_verdicts(results),
        Heading("Breaches"),
        *_tiers(results),
    ]


def _head(results: dict[str, Any]) -> list[Block]:
    source, inputs = results["history"] or {"notes": []}, results["provenance"]["inputs"]
    run = inputs["backtest"]
    period = f" from {results['first'][:10]} to {results['last'][:10]}" if results["first"] else ""
    forecasts = (
        f"{counted(results['forecasts'], 'forecast')} of {', '.join(results['assets'])}{period}, "
        f"{duration(results['horizon'])} ahead, {run['paths']:,} paths each, seed {run['seed']}"
    )
    named = f"{source['file']}: {forecasts}" if "file" in source else forecasts
    return [Paragraph(named), Paragraph(_fits(results, inputs)), Points([*source["notes"], *results["notes"]])]


def _fits(results: dict[str, Any], inputs: dict[str, Any]) -> str:
    """Say which market was fitted, to what and how often."""
    run, asked = inputs["backtest"], inputs["market"]
    if not isinstance(asked, str):
        return f"market {next(iter(results['refits']))}, as it is stated"
    fits = ", ".join(f"{name} {count:,}" for name, count in results["refits"].items())
    said = f"market {asked}: fitted to {counted(run['window'], 'row')}, every {counted(run['refit'], 'row')} ({fits})"
    said += f", {'without' if inputs['fit'].get('drift') == 'zero' else 'with'} the fitted drift"
    return said + (f", chosen every {counted(run['rechoose'], 'row')}" if asked == "auto" else "")


def _p(verdict: dict[str, Any]) -> str:
    return "-" if verdict["p_value"] is None else p_value(verdict["p_value"]).removeprefix("= ")


def _percent(level: float) -> str:
    return f"{100 * level:g} %"


def _levels(results: dict[str, Any]) -> list[Block]:
    tests = ["p failures", "p first", "p memory", "p both", "p ES"]
    rows = []
    for coverage in results["levels"]:
        last = coverage["last_250"]
        zones = [coverage["traffic_light"]["zone"], last["zone"] if last else "-"]
        counts = [f"{coverage['exceptions']:,}", f"{coverage['expected']:,.1f}"]
        rows.append([_percent(coverage["level"]), *counts, *zones, *(_p(coverage[test]) for test in _TESTS)])
    head = ["level", "exceptions", "expected", "zone", "last 250", *tests]
    return [Table(head, rows), Paragraph(_LEGEND.format(level=_percent(SIGNIFICANCE)))]


def _years(results: dict[str, Any]) -> list[Block]:
    """Show the zone of the last 500 forecasts up to the end of each year, by level."""
    levels = results["levels"]
    if not levels[0]["by_year"]:
        return []
    rows = []
    for year in zip(*(coverage["by_year"] for coverage in levels), strict=True):
        lights = [at_level["light"] for at_level in year]
        rows.append([str(year[0]["year"]), *(f"{light['zone']} ({light['exceptions']})" for light in lights)])
    return [Table(["last 500 by the end of", *(_percent(coverage["level"]) for coverage in levels)], rows)]


def _verdicts(results: dict[str, Any]) -> list[Block]:
    """Say whether coverage held, and where it did not."""
    sentences = []
    for coverage in results["levels"]:
        level = _percent(coverage["level"])
        sentences += [_held(coverage, level), *_noise(coverage, level)]
        if coverage["shortfall"]["word"] == "fails":
            sentences.append(f"Losses beyond the {level} Value at Risk were worse than the Expected Shortfall said.")
        lights = [(year["year"], year["light"]) for year in coverage["by_year"] if year["light"]["zone"] != "green"]
        sentences += [
            f"The 500 forecasts up to the end of {year} are {light['zone']} at {level}: "
            f"{counted(light['exceptions'], 'exception')}, {light['expected']:g} expected."
            for year, light in lights
        ]
    return [Paragraph(sentence) for sentence in sentences]


def _held(coverage: dict[str, Any], level: str) -> str:
    failed = [name for test, name in _TESTED.items() if coverage[test]["word"] == "fails"]
    count = f"{counted(coverage['exceptions'], 'exception')} where {coverage['expected']:,.1f} were expected"
    held, zone = "held" if coverage["holds"] else "did not hold", coverage["traffic_light"]["zone"]
    head = f"Coverage at {level} {held}: {count}, {zone} zone"
    if not failed:
        return f"{head}."
    fail = f"{'fails' if len(failed) == 1 else 'fail'} at {_percent(SIGNIFICANCE)}"
    return f"{head}; {', '.join(failed)} {'alone ' if coverage['holds'] else ''}{fail}."


def _noise(coverage: dict[str, Any], level: str) -> list[str]:
    """Say what hangs on the error of Value at Risk, if anything does."""
    noise = coverage["noise"]
    if not noise["hanging"]:
        return []
    *most, last = ("whether coverage holds" if what == "coverage" else f"the {what}" for what in noise["hanging"])
    what = f"{', '.join(most)} and {last} hang" if most else f"{last} hangs"
    losses = f"{noise['undecided']:,} of the losses {'is' if noise['undecided'] == 1 else 'are'}"
    count = f"{noise['fewest']:,} to {noise['most']:,} are exceptions"
    error = "within the error of the Value at Risk"
    return [f"At {level}, {what} on Monte Carlo noise: {losses} {error}, {count}; use more paths."]


def _tiers(results: dict[str, Any]) -> list[Block]:
    rows = []
    for tier in results["tiers"]:
        skill = "-" if tier["skill"] is None else f"{100 * tier['skill']:.1f} %"
        counts = [f"{tier['events']:,}", f"{tier['expected']:,.1f}"]
        rows.append([tier["tier"], *counts, f"{tier['brier']:.4f}", skill, _p(tier["calibration"])])
    failed = [tier["tier"] for tier in results["tiers"] if tier["calibration"]["word"] == "fails"]
    judged = f"{_JUDGED[results['breaches']]}: {results['breaches_reason']}. Forecast windows do not overlap."
    return [
        Table(["tier", "breaches", "expected", "Brier score", "skill", "p calibration"], rows),
        *([Paragraph(f"Breach probabilities of {', '.join(failed)} were not reliable.")] if failed else []),
        Paragraph(judged),
    ]

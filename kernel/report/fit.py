"""What `margin fit` reports: the market, how sure its numbers are, and why it is the one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kernel.checks.plain import plain
from kernel.checks.text import duration
from kernel.fitting import Fit
from kernel.markets import Market
from kernel.markets.choice import Choice, p_value
from kernel.report.blocks import Block, Heading, Paragraph, Points, Table, matrix
from kernel.report.introduction import Source

SCHEMA = 1
_SHOWN = 5  # significant figures of a number without error


def results(
    fit: Fit[Any],
    market: Market | None = None,
    choice: Choice | None = None,
    source: Source | None = None,
    notes: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return a fit as plain values, ready for strict JSON: what is not finite is None.

    Args:
        fit: of one market.
        market: that is to be used of it, such as one without its drift; default: the fitted one.
        choice: that it was chosen by.
        source: of the history.
        notes: on the fit, and on the market; default: those of the fit.

    Example:
        >>> import kernel
        >>> results(kernel.Gbm.fit([100.0, 102.0, 99.0, 101.0], dt=1 / 365))["fit"]["observations"]
        3
    """
    values: dict[str, Any] = plain(
        {
            "schema": SCHEMA,
            "market": (fit.market if market is None else market).parameters(),
            "fit": {
                "drift": fit.market.drift,  # as estimated
                "standard_errors": fit.standard_errors,
                "log_likelihood": fit.log_likelihood,
                "parameters": fit.parameters,
                "observations": fit.observations,
                "bic": fit.bic,
                "notes": fit.notes if notes is None else notes,
                **(_chosen(choice) if choice else {}),
            },
            "history": source._asdict() if source else None,
        }
    )
    return values


def _chosen(choice: Choice) -> dict[str, Any]:
    candidates = [
        {
            "model": candidate.model,
            "bic": candidate.bic,
            "log_likelihood": candidate.log_likelihood,
            "parameters": candidate.parameters,
            "p_values": candidate.goodness._asdict(),
        }
        for candidate in choice.candidates
    ]
    return {"candidates": candidates, "reasons": choice.reasons}


# For people


def blocks(results: dict[str, Any]) -> list[Block]:
    """Return a report for people."""
    history = [Heading("History"), *_history(results)] if results["history"] else []
    candidates = [Heading("Candidates"), *_candidates(results["fit"])] if "candidates" in results["fit"] else []
    return [*history, *candidates, Heading("Market"), *_market(results)]


def _history(results: dict[str, Any]) -> list[Block]:
    source, assets = results["history"], results["market"]["assets"]
    period = f" from {source['first']} to {source['last']}" if source["first"] else ""
    prices = f"{source['rows']:,} prices of {', '.join(assets)}{period}, {duration(source['dt'])} apart"
    return [Paragraph(f"{source['file']}: {prices}"), Points(source["notes"])]


def _candidates(fit: dict[str, Any]) -> list[Block]:
    head = ["model", "BIC", "above best", "log likelihood", "parameters", "p uniform", "p memory", "p clusters"]
    rows, best = [], fit["candidates"][0]["bic"]
    for candidate in fit["candidates"]:
        bic, likelihood = candidate["bic"], candidate["log_likelihood"]
        numbers = [f"{bic:,.1f}", f"{bic - best:,.1f}", f"{likelihood:,.1f}", f"{candidate['parameters']}"]
        tests = [p_value(value).removeprefix("= ") for value in candidate["p_values"].values()]
        rows.append([candidate["model"], *numbers, *tests])
    return [Table(head, rows), Points(fit["reasons"])]


def _market(results: dict[str, Any]) -> list[Block]:
    fit = results["fit"]
    market = results["market"] | {"drift": fit["drift"]}
    assets, errors = market["assets"], fit["standard_errors"]
    rows: list[list[str]] = []
    shared: list[Block] = []
    matrices: list[Block] = []
    for name, value in market.items():
        if name == "dt":
            shared.append(Paragraph(f"steps of {duration(value)}"))
        elif isinstance(value, float):
            shared.append(Paragraph(f"{name} {_with_error(value, errors.get(name, 'none'))} a year"))
        elif name in {"correlation", "jump_correlation"}:
            matrices += matrix(name, assets, value)
        elif isinstance(value, list) and isinstance(value[0], float):
            each = errors.get(name, ["none"] * len(value))
            rows.append([name, *(_with_error(number, error) for number, error in zip(value, each, strict=True))])
    table = Table(["", *assets], rows, instead=f"numbers of {len(assets)} assets: see --format json")
    likelihood = (
        f"log likelihood {fit['log_likelihood']:,.2f}, {fit['parameters']} parameters, "
        f"{fit['observations']:,} returns, BIC {fit['bic']:,.1f}"
    )
    title = Paragraph(f"{market['model']}, fitted; ± standard error")
    return [title, table, *shared, *matrices, Paragraph(likelihood), Points(fit["notes"])]


def _with_error(value: float, error: Any) -> str:
    """Write a number to the second figure of its error."""
    if error == "none":
        return f"{value:,.{_SHOWN}g}"
    if error is None or error <= 0:
        return f"{value:,.4g} ± -"
    decimals = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:,.{decimals}f} ± {error:,.{decimals}f}"

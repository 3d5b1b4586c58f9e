"""What `margin fit` tells: the market, how sure its numbers are, and why it is the one."""

from __future__ import annotations

import math
from typing import Any

from kernel.checks.plain import plain
from kernel.checks.text import duration
from kernel.config.fitted import Fitted
from kernel.markets.choice import Choice, p_value
from kernel.report.layout import WIDTH, aligned, listed, matrix, wrapped

SCHEMA = 1
_SHOWN = 5  # significant figures of a number without error


def results(found: Fitted) -> dict[str, Any]:
    """Return a fit as plain values, ready for strict JSON: what is not finite is None."""
    fit = found.fit
    told: dict[str, Any] = plain(
        {
            "schema": SCHEMA,
            "market": found.market.parameters(),
            "fit": {
                "drift": fit.market.drift,  # as estimated
                "standard_errors": fit.standard_errors,
                "log_likelihood": fit.log_likelihood,
                "parameters": fit.parameters,
                "observations": fit.observations,
                "bic": fit.bic,
                "notes": found.notes,
                **_chosen(found.choice),
            },
            "history": found.source._asdict(),
        }
    )
    return told


def _chosen(choice: Choice | None) -> dict[str, Any]:
    if choice is None:
        return {}
    candidates = [
        {
            "model": one.model,
            "bic": one.bic,
            "log_likelihood": one.log_likelihood,
            "parameters": one.parameters,
            "p_values": one.goodness._asdict(),
        }
        for one in choice.candidates
    ]
    return {"candidates": candidates, "reasons": choice.reasons}


def text(told: dict[str, Any]) -> str:
    """Write a fit for people, in at most 100 columns."""
    parts = [_history(told), *([_candidates(told)] if "candidates" in told["fit"] else []), _market(told)]
    return "\n\n".join(parts) + "\n"


def _history(told: dict[str, Any]) -> str:
    source, assets = told["history"], told["market"]["assets"]
    period = f" from {source['first']} to {source['last']}" if source["first"] else ""
    head = f"{source['file']}: {source['rows']:,} prices of {', '.join(assets)}{period}, {duration(source['dt'])} apart"
    return "\n".join([wrapped(head), *listed(source["notes"])])


def _candidates(told: dict[str, Any]) -> str:
    candidates = told["fit"]["candidates"]
    rows = [["model", "BIC", "above best", "log likelihood", "parameters", "p uniform", "p memory", "p clusters"]]
    for one in candidates:
        above = one["bic"] - candidates[0]["bic"]
        tested = [p_value(value).removeprefix("= ") for value in one["p_values"].values()]
        numbers = [f"{one['bic']:,.1f}", f"{above:,.1f}", f"{one['log_likelihood']:,.1f}", f"{one['parameters']}"]
        rows.append([one["model"], *numbers, *tested])
    return "\n".join([*aligned(rows, texts=1), *listed(told["fit"]["reasons"])])


def _market(told: dict[str, Any]) -> str:
    fit = told["fit"]
    market = told["market"] | {"drift": fit["drift"]}
    assets, errors = market["assets"], fit["standard_errors"]
    rows, shared, matrices = [["", *assets]], [], []
    for name, value in market.items():
        if name == "dt":
            shared.append(f"steps of {duration(value)}")
        elif isinstance(value, float):
            shared.append(f"{name} {_with_error(value, errors.get(name, 'none'))} a year")
        elif name in {"correlation", "jump_correlation"}:
            matrices += matrix(name, assets, value)
        elif isinstance(value, list) and isinstance(value[0], float):
            each = errors.get(name, ["none"] * len(value))
            rows.append([name, *(_with_error(one, error) for one, error in zip(value, each, strict=True))])
    table = aligned(rows, texts=1)
    if len(table[0]) > WIDTH:
        table = [f"numbers of {len(assets)} assets: see --format json"]
    likelihood = (
        f"log likelihood {fit['log_likelihood']:,.2f}, {fit['parameters']} parameters, "
        f"{fit['observations']:,} returns, BIC {fit['bic']:,.1f}"
    )
    lines = [f"{market['model']}, fitted; ± standard error", *table, *shared, *matrices, likelihood]
    return "\n".join([*lines, *listed(fit["notes"])])


def _with_error(value: float, error: Any) -> str:
    """Write a number to the second figure of its error."""
    if error == "none":
        return f"{value:,.{_SHOWN}g}"
    if error is None or error <= 0:
        return f"{value:,.4g} ± -"
    decimals = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:,.{decimals}f} ± {error:,.{decimals}f}"

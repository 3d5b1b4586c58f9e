"""Which market a history asks for, and why."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from kernel.checks.text import brief, near
from kernel.errors import InvalidInput, Problems
from kernel.fitting import Fit
from kernel.fitting.fit import moving_returns
from kernel.markets import FITTED, MARKETS, Market
from kernel.prices.history import History, as_history

if TYPE_CHECKING:
    from kernel.fitting.goodness import Goodness

_DECISIVE = ((2.0, "hardly"), (6.0, "positive"), (10.0, "strong"))
_ALONE = {"kou": "its assets jump by independent sizes, which hides how alike several of them are"}
_FEWEST_ROWS = 31
_LEAST_P = 1e-15  # what is below is rounding
_DOUBT = 0.01  # a p-value below speaks against a model


class Candidate(NamedTuple):
    """How well a model describes a history, each asset by itself."""

    model: str
    bic: float
    log_likelihood: float
    parameters: int
    goodness: Goodness
    fits: tuple[Fit[Any], ...]
    """[asset]"""


@dataclass(frozen=True, eq=False, kw_only=True)
class Choice:
    """The market chosen for a history."""

    fit: Fit[Market]
    """Of the chosen market, to all assets together."""
    model: str
    candidates: tuple[Candidate, ...] = field(repr=False)
    """The lowest Bayesian information criterion first."""
    reasons: tuple[str, ...]
    """Sentences."""

    @property
    def fits(self) -> dict[str, tuple[Fit[Any], ...]]:
        """Return every candidate's fits, one for each asset alone: what `kernel.plot_fits` draws."""
        return {one.model: one.fits for one in self.candidates}


def choose(
    prices: ArrayLike | History, *, dt: float | str | None = None, assets: Sequence[str] | None = None
) -> Choice:
    """Fit every market that a history can be asked for, and choose the one of the lowest BIC.

    The comparison is of each asset by itself, added up: so models with and without a joint likelihood compare. The
    chosen market is then fitted to all assets together. Kou is a candidate for one asset alone. Heston and Bates are
    not among the candidates: prices alone hardly tell their parameters, which come from option prices. Needs SciPy,
    and arch for filtered historical simulation (`pip install "margin-kernel[garch]"`).

    Args:
        prices: a history, or [time] or [time, asset], oldest first, evenly spaced, above 0; at least 31 rows.
        dt: years between two rows, or a text such as "1d"; None with a history, which knows it.
        assets: names of the columns; default: "asset", or "asset 1", "asset 2", ...

    Raises:
        InvalidInput: naming the rows that cannot be used, or that the history is too short.
        ImportError: without SciPy.

    Example:
        >>> moves = 0.02 * np.sin(np.arange(60.0) ** 2)
        >>> choose(100 * np.exp(np.cumsum(moves)), dt=1 / 365).model
        'gbm'
    """
    history = as_history(prices, dt, assets)
    moving_returns(history, _FEWEST_ROWS)
    columns = [_column(history, k) for k in range(len(history.assets))]
    candidates: list[Candidate] = []
    left_out: list[str] = []
    refused: list[InvalidInput] = []
    for model, kind in FITTED.items():
        if model in _ALONE and len(columns) > 1:
            left_out.append(f"{model} is left out: {_ALONE[model]}")
            continue
        try:
            candidates.append(_candidate(model, [kind.fit(column) for column in columns]))
        except InvalidInput as invalid:
            left_out.append(f"{model} is left out: its {invalid.problems[0]}")
            refused.append(invalid)
    if not candidates:
        raise refused[0]
    candidates.sort(key=lambda one: one.bic)
    best = candidates[0]
    fit = best.fits[0] if len(columns) == 1 else FITTED[best.model].fit(history)
    return Choice(fit=fit, model=best.model, candidates=tuple(candidates), reasons=(*_reasons(candidates), *left_out))


def check_model(problems: Problems, market: object, how: Mapping[str, Any]) -> None:
    """Note a name of a market that cannot be fitted, and options that its fit does not take.

    Args:
        problems: takes what is wrong.
        market: its name, "auto", or a class with a fit.
        how: options of the fit.
    """
    kind: Any = FITTED.get(market) if isinstance(market, str) else market
    if kind is None and not (isinstance(market, str) and market == "auto"):
        stated = f"must be auto, {', '.join(FITTED)}: {brief(market)} is stated, not fitted"
        named = market if isinstance(market, str) else ""
        unknown = f"{brief(market)} is not known{near(named, ['auto', *FITTED])}"
        problems.add("market", stated if named in MARKETS else unknown)
        return
    for name in how:
        if kind is None or name not in _options(kind):
            takers = [one for one, other in FITTED.items() if name in _options(other)]
            mend = f"belongs to {' and '.join(takers)}, not to" if takers else "is no option of"
            problems.add(name, f"{mend} {market if isinstance(market, str) else kind.__name__}")


def _options(kind: Any) -> set[str]:
    return set(inspect.signature(kind.fit).parameters) - {"prices", "dt", "assets"}


def _column(history: History, k: int) -> History:
    return replace(history, assets=(history.assets[k],), prices=history.prices[:, [k]], lows=None, highs=None, notes=())


def _candidate(model: str, fits: list[Fit[Any]]) -> Candidate:
    from kernel.fitting.goodness import goodness  # noqa: PLC0415 - SciPy takes long to import

    return Candidate(
        model,
        float(np.sum([fit.bic for fit in fits])),
        float(np.sum([fit.log_likelihood for fit in fits])),
        sum(fit.parameters for fit in fits),
        goodness(np.column_stack([fit.transforms for fit in fits])),
        tuple(fits),
    )


def _reasons(candidates: Sequence[Candidate]) -> list[str]:
    best, *others = candidates
    reasons = []
    if others:
        gain = others[0].bic - best.bic
        word = next((word for most, word in _DECISIVE if gain < most), "very strong")
        reasons.append(
            f"{best.model} has the lowest BIC, by {gain:,.1f} below {others[0].model}: {word} evidence on the scale "
            "of Kass and Raftery (1995)"
        )
    doubts = {one.model: _doubts(one.goodness) for one in candidates}
    if not doubts[best.model]:
        reasons.append(f"its transforms of the returns pass the tests at {100 * _DOUBT:g} %")
    else:
        reasons.append(
            f"{best.model} is the best of those tried, but does not pass the tests at {100 * _DOUBT:g} % itself"
        )
    reasons += [f"{model}: {', '.join(found)}" for model, found in doubts.items() if found]
    return reasons


def _doubts(tested: Goodness) -> list[str]:
    """Say what speaks against a model."""
    words: Mapping[str, str] = {
        "uniform": "the shape of the returns is another",
        "independent": "mean, spread or memory of the returns are others",
        "clusters": "volatility still clusters",
    }
    return [f"{word} (p {p_value(p)})" for word, p in zip(words.values(), tested, strict=True) if p < _DOUBT]


def p_value(value: float) -> str:
    """Write a p-value with its sign, such as "= 0.02"."""
    return f"= {value:.2g}" if value >= _LEAST_P else f"< {_LEAST_P:g}"

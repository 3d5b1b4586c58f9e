"""Maximum likelihood for geometric Brownian motion, in closed form; or with the volatility of now."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from kernel.fitting.fit import Estimates, check_method, moving_returns
from kernel.fitting.mixture import Mixture
from kernel.fitting.moving import Recursion
from kernel.prices.history import History

_Matrix = NDArray[np.float64]
METHODS = ("average", "ewma", "garch")
_FEWEST_ROWS = 3
_ALIKE = 1e-10  # eigenvalue of a correlation below which some assets move as one


class _Moves(NamedTuple):
    """How the returns grow and spread: at each step, at the next, and how sure that is."""

    mean: NDArray[np.float64]  # [asset] of a step
    variances: NDArray[np.float64]  # [return, asset]
    next_variance: NDArray[np.float64]  # [asset]
    relative_error: NDArray[np.float64]  # [asset] of the next volatility
    growth: NDArray[np.float64]  # [asset] of the expected price, a step
    growth_error: NDArray[np.float64]
    correlation: NDArray[np.float64]
    correlation_error: NDArray[np.float64]
    parameters: int  # of each asset
    notes: tuple[str, ...] = ()
    recursions: tuple[Recursion, ...] = ()


def estimate(history: History, volatility: str = "average", decay: float = 0.94) -> Estimates:
    """Estimate the fields of a `Gbm` and their errors.

    The errors are those of independent returns of any law, by influence functions (Huber 1967): of normal ones they
    are volatility / root of 2 n and (1 - correlation^2) / root of n, of fat-tailed ones more.

    Raises:
        InvalidInput: if the history is too short or an asset does not move, or for what the method cannot be.
    """
    decay = check_method(METHODS, volatility, decay)
    returns = moving_returns(history, _FEWEST_ROWS)
    moves = _average(returns) if volatility == "average" else _now(history, volatility, decay)
    fields, errors = _in_years(moves, history.dt)
    standard = (returns - moves.mean) / np.sqrt(moves.variances)
    size = len(history.assets)
    laws = tuple(
        Mixture(np.ones(1), np.array([mean]), np.sqrt([variance]))
        for mean, variance in zip(moves.mean, moves.next_variance, strict=True)
    )
    notes = moves.notes
    if np.linalg.eigvalsh(moves.correlation)[0] < _ALIKE:
        notes += ("some assets move as one: the log likelihood has no bound",)
    value = _log_density(standard, moves.correlation) - 0.5 * float(np.log(moves.variances).sum())
    count = moves.parameters * size + size * (size - 1) // 2
    return Estimates(fields, errors, value, count, laws, notes, ndtr(standard), moves.recursions)


def _average(returns: NDArray[np.float64]) -> _Moves:
    n, mean, variance = len(returns), returns.mean(axis=0), returns.var(axis=0)
    centred = returns - mean
    relative = (centred**2 / variance).std(axis=0) / math.sqrt(4 * n)
    growth_error = (centred + 0.5 * centred**2).std(axis=0) / math.sqrt(n)
    variances = np.broadcast_to(variance, returns.shape)
    correlation = _correlation(centred / np.sqrt(variance), np.full(n, 1 / n))
    return _Moves(mean, variances, variance, relative, mean + 0.5 * variance, growth_error, *correlation, 2)


def _now(history: History, method: str, decay: float) -> _Moves:
    """Take each asset's variances from its own model; the residuals' correlation is constant (Bollerslev 1990).

    With EWMA the correlation is of the returns, by the weights of the variances (RiskMetrics 1996). The expected
    price grows as it did on average: it is the volatility alone that is of now.
    """
    from kernel.fitting.garch import fit_each  # noqa: PLC0415 - the average does without all that it imports

    n, returns = len(history.returns), history.returns
    fits, notes = fit_each(returns, history.assets, method, decay, moving=False)  # type: ignore[arg-type]
    next_variance = np.array([fit.next_variance for fit in fits])
    errors = np.array([fit.standard_errors["next_variance"] for fit in fits])
    spread, weights = np.column_stack([fit.residuals for fit in fits]), np.full(n, 1 / n)
    if method == "ewma":
        spread, weights = returns - returns.mean(axis=0), decay ** np.arange(n - 1.0, -1.0, -1.0)
    relative = np.exp(returns) / np.exp(returns).mean(axis=0)
    return _Moves(
        np.array([fit.mean for fit in fits]),
        np.column_stack([fit.variances for fit in fits]),
        next_variance,
        0.5 * errors / next_variance,
        np.log(np.exp(returns).mean(axis=0)),
        relative.std(axis=0) / math.sqrt(n),
        *_correlation(spread, weights / weights.sum()),
        2 if method == "ewma" else 4,
        notes,
        tuple(fit.recursion(history.dt) for fit in fits),
    )


def _correlation(spread: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[_Matrix, _Matrix]:
    """Return the weighted correlation of columns about zero, and its error."""
    standard = spread / np.sqrt(weights @ spread**2)
    correlation = (weights[:, None] * standard).T @ standard
    np.fill_diagonal(correlation, 1.0)
    correlation = np.clip(0.5 * (correlation + correlation.T), -1.0, 1.0)
    squares = standard**2
    influence = standard[:, :, None] * standard[:, None, :]
    influence -= 0.5 * correlation * (squares[:, :, None] + squares[:, None, :])
    return correlation, np.sqrt(np.einsum("t,tij->ij", weights**2, influence**2))


def _in_years(moves: _Moves, dt: float) -> tuple[dict[str, Any], dict[str, Any]]:
    volatility = np.sqrt(moves.next_variance / dt)
    fields = {"drift": moves.growth / dt, "volatility": volatility, "correlation": moves.correlation}
    errors = {
        "drift": moves.growth_error / dt,
        "volatility": volatility * moves.relative_error,
        "correlation": moves.correlation_error,
    }
    return fields, errors


def _log_density(standard: NDArray[np.float64], correlation: NDArray[np.float64]) -> float:
    """Return the log density of correlated standard normals; where they are one, up to a rounding's spread."""
    n, size = standard.shape
    values, vectors = np.linalg.eigh(correlation)
    values = np.clip(values, _ALIKE, None)
    squares = ((standard @ vectors) ** 2 / values).sum()
    return -0.5 * float(n * (size * math.log(2 * math.pi) + np.log(values).sum()) + squares)

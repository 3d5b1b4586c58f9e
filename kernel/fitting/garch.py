"""Volatility that changes: GARCH(1,1) with Student-t innovations (Bollerslev 1987), and EWMA (RiskMetrics 1996)."""

from __future__ import annotations

import math
import warnings
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.signal import lfilter
from scipy.stats import t as student

from kernel.errors import InvalidInput, Problem
from kernel.fitting.moving import Recursion

FEWEST_RETURNS = {"ewma": 30, "garch": 249}
_DEGREES = (2.05, 500.0)
_BACKCAST = 75  # returns from which the first variance is taken, weighted by 0.94 a step, as arch does
_BACKCAST_DECAY = 0.94
_STEP = 1e-5
_NO_CLUSTERS = 1e-4  # alpha: at its bound, 0, the likelihood does not depend on beta
_NEVER_BACK = 0.9999  # alpha + beta: a half-life of 7,000 steps, beyond what a history tells
_LEAST_VARIANCE = 1e-8  # of the average: prices that stood still for long would have none
_PER_SCALE = 100.0  # standard deviation of the returns that arch sees: it wants them from 1 to 1,000


class Garch(NamedTuple):
    """Variances of log returns: variance[t + 1] = omega + alpha (return[t] - mean)^2 + beta variance[t]."""

    omega: float
    alpha: float
    beta: float
    mean: float
    """Of a step."""
    next_variance: float
    """Of the step after the last."""
    variances: NDArray[np.float64]
    """[return]"""
    residuals: NDArray[np.float64]
    """[return] of mean 0 and variance 1."""
    log_likelihood: float
    """Under Student-t innovations."""
    parameters: int
    standard_errors: dict[str, float]
    """Of omega, alpha, beta, mean, degrees and next_variance; NaN of what is stated, or not known."""
    degrees: float
    """Of freedom of the Student-t innovations."""
    notes: tuple[str, ...] = ()

    def recursion(self, dt: float) -> Recursion:
        """Return how the variance goes on, in years, for steps of `dt` years."""
        return Recursion(self.omega / dt, self.alpha, self.beta, self.mean, dt)


def fit_garch(returns: NDArray[np.float64], method: Literal["garch", "ewma"], decay: float = 0.94) -> Garch:
    """Estimate how the variance of log returns moves.

    Args:
        returns: [return] of one asset.
        method: "garch", by maximum likelihood with the package arch; or "ewma": alpha is 1 - decay, beta decay.
        decay: weight of a return over that of the next, above 0 and below 1; of "ewma" alone.

    Raises:
        InvalidInput: if the returns are too few, or arch is not installed.

    Example:
        >>> returns = 0.02 * np.sin(np.arange(50.0) ** 2)
        >>> fitted = fit_garch(returns, "ewma")
        >>> fitted.alpha.__round__(2), fitted.beta, fitted.variances.shape
        (0.06, 0.94, (50,))
    """
    if len(returns) < FEWEST_RETURNS[method]:
        message = f"must have at least {FEWEST_RETURNS[method] + 1} rows for {method}, not {len(returns) + 1}"
        raise InvalidInput([Problem("prices", message)])
    return _fit_ewma(returns, decay) if method == "ewma" else _fit_garch(returns)


def _filtered(
    returns: NDArray[np.float64], mean: float, omega: float, alpha: float, beta: float
) -> NDArray[np.float64]:
    """Return the variances of all steps and of the next, from a backcast as the one before the first."""
    squares = (returns - mean) ** 2
    weights = _backcast_weights(len(squares))
    backcast = weights @ squares
    first = omega + (alpha + beta) * backcast
    later: NDArray[np.float64] = lfilter([1.0], [1.0, -beta], omega + alpha * squares, zi=[beta * first])[0]
    least = _LEAST_VARIANCE * squares.mean()
    return np.asarray(np.maximum(np.concatenate([[first], later]), least))


def _backcast_weights(size: int) -> NDArray[np.float64]:
    weights = np.zeros(size)
    weights[:_BACKCAST] = _BACKCAST_DECAY ** np.arange(min(_BACKCAST, size))
    return np.asarray(weights / weights.sum())


def _fit_ewma(returns: NDArray[np.float64], decay: float) -> Garch:
    mean = float(returns.mean())
    variances = _filtered(returns, mean, 0.0, 1 - decay, decay)
    standard = (returns - mean) / np.sqrt(variances[:-1])

    def cost(degrees: float) -> float:
        scale = math.sqrt((degrees - 2) / degrees)  # to variance 1
        return -float(student.logpdf(standard, degrees, scale=scale).sum())

    degrees = float(minimize_scalar(cost, bounds=_DEGREES, method="bounded").x)
    log_likelihood = -cost(degrees) - 0.5 * float(np.log(variances[:-1]).sum())
    # the next variance is a weighted mean of squares, those of the backcast included; here of independent ones
    n = len(returns)
    weights = (1 - decay) * decay ** np.arange(n - 1.0, -1.0, -1.0) + decay**n * _backcast_weights(n)
    spread = float((standard**2).std()) * math.sqrt(float(weights @ weights))
    errors = dict.fromkeys(("omega", "alpha", "beta", "degrees"), math.nan)
    errors |= {"mean": float(returns.std()) / math.sqrt(len(returns))}
    errors |= {"next_variance": float(variances[-1]) * spread}
    moved = {"omega": 0.0, "alpha": 1 - decay, "beta": decay, "mean": mean, "degrees": degrees}
    return _garch(moved, variances, standard, log_likelihood, 2, errors, ())


def _fit_garch(returns: NDArray[np.float64]) -> Garch:
    try:
        from arch import arch_model  # noqa: PLC0415 - an extra, and takes long to import
    except ImportError:
        message = 'garch needs the package arch: pip install "margin-kernel[garch]"'
        raise InvalidInput([Problem("volatility", message)]) from None
    scale = _PER_SCALE / float(returns.std())
    with warnings.catch_warnings():  # arch warns of what the notes say
        warnings.simplefilter("ignore")
        model = arch_model(scale * returns, mean="Constant", vol="GARCH", p=1, q=1, dist="t", rescale=False)
        found = model.fit(disp="off", show_warning=False)
        covariance = np.asarray(found.param_cov)
    theta = np.asarray(found.params)  # mean, omega, alpha, beta, degrees

    def variances_at(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        mean, omega, alpha, beta = parameters[:4]
        return _filtered(scale * returns, mean, omega, alpha, beta)

    variances = variances_at(theta)
    moves = np.diag(_STEP * np.maximum(np.abs(theta), 1e-3))[:4]
    slopes = [(variances_at(theta + m) - variances_at(theta - m))[-1] / (2 * m.max()) for m in moves]
    next_error = math.sqrt(max(float(slopes @ covariance[:4, :4] @ np.array(slopes)), 0.0))
    units = dict(zip(("mean", "omega", "alpha", "beta", "degrees"), (scale, scale**2, 1.0, 1.0, 1.0), strict=True))
    moved = {name: float(value / unit) for (name, unit), value in zip(units.items(), theta, strict=True)}
    each = np.sqrt(np.where(np.diag(covariance) > 0, np.diag(covariance), np.nan))
    errors = {name: float(error / unit) for (name, unit), error in zip(units.items(), each, strict=True)}
    errors["next_variance"] = next_error / scale**2
    standard = (scale * returns - moved["mean"] * scale) / np.sqrt(variances[:-1])
    value = float(found.loglikelihood) + len(returns) * math.log(scale)
    notes: tuple[str, ...] = (
        () if found.convergence_flag == 0 else ("the search for the GARCH parameters did not settle",)
    )
    if moved["alpha"] < _NO_CLUSTERS:
        errors |= dict.fromkeys(("omega", "alpha", "beta"), math.nan)
        errors["next_variance"] = float(((returns - moved["mean"]) ** 2).std()) / math.sqrt(len(returns))
        notes += ("volatility shows no clusters: GARCH says no more than the average",)
    elif moved["alpha"] + moved["beta"] > _NEVER_BACK:
        notes += ("alpha + beta is 1, the end of its range: volatility does not go back to an average",)
    return _garch(moved, variances / scale**2, standard, value, theta.size, errors, notes)


def _garch(
    moved: dict[str, Any],
    variances: NDArray[np.float64],
    standard: NDArray[np.float64],
    log_likelihood: float,
    parameters: int,
    errors: dict[str, float],
    notes: tuple[str, ...],
) -> Garch:
    return Garch(
        **moved,
        next_variance=float(variances[-1]),
        variances=variances[:-1],
        residuals=(standard - standard.mean()) / standard.std(),
        log_likelihood=log_likelihood,
        parameters=parameters,
        standard_errors=errors,
        notes=notes,
    )

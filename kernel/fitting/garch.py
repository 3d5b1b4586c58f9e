"""Volatility that changes: GARCH(1,1) with Student-t innovations (Bollerslev 1987), and EWMA (RiskMetrics 1996).

Both say how a variance moves; how large it is, the returns say. So what either finds is multiplied by the mean square
of its residuals, (return - mean) / root of variance, which then have mean square 1. Of a Student-t likelihood this is
the third step of Fan, Qi and Xiu (2014): it alone makes the variance that of the returns where their law is another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import t as student

from kernel.errors import InvalidInput, Problem
from kernel.fitting.garch_search import Likeliest, search
from kernel.fitting.moving import Recursion
from kernel.fitting.variances import Filtered, backcast_weights, filter_variances

FEWEST_RETURNS = {"ewma": 30, "garch": 249}
_DEGREES = (2.05, 500.0)
_LEAST_DEGREES = 2.1  # of a Student-t law whose variance says something: 21 times its squared scale
_SIZES = (0.25, 4.0)  # of the residuals' mean square, beyond which a likelihood followed something else than variance
_STEP = 1e-5
_NO_CLUSTERS = 1e-4  # alpha: at its bound, 0, the likelihood does not depend on beta
_NEVER_BACK = 1e-4  # alpha + beta from 1: a half-life of 7,000 steps, beyond what a history tells
_ALIKE = 0.1  # share of equal returns that explains a degenerate law
_PER_SCALE = 100.0  # standard deviation of the returns that arch sees: it wants them from 1 to 1,000


class Garch(NamedTuple):
    """Variances of log returns: variance[t + 1] = omega + alpha (return[t] - mean)^2 + beta variance[t].

    They have the size of the returns: the mean of (return[t] - mean)^2 / variance[t] is 1.
    """

    omega: float
    alpha: float
    beta: float
    mean: float
    """Of a step."""
    next_variance: float
    """Of the step after the last."""
    variances: NDArray[np.float64]
    """[return]"""
    least_variance: float
    """That is stated where prices have all but stood still."""
    residuals: NDArray[np.float64]
    """[return] of mean square 1: (return - mean) / root of variance."""
    log_likelihood: float
    """Under Student-t innovations."""
    parameters: int
    standard_errors: dict[str, float]
    """Of omega, alpha, beta, mean, degrees and next_variance; NaN of what is stated, or not known."""
    degrees: float
    """Of freedom of the Student-t innovations."""
    student_variance: float = 1.0
    """Of the likeliest Student-t innovations, whose heavy tails may promise more or less than the returns showed."""
    notes: tuple[str, ...] = ()
    growth: tuple[str, ...] = ()
    """Sentences on what becomes of the expected variance over many steps: for markets whose volatility moves on."""

    def recursion(self, dt: float) -> Recursion:
        """Return how the variance goes on, in years, for steps of `dt` years."""
        return Recursion(self.omega / dt, self.alpha, self.beta, self.mean, dt, self.least_variance / dt)


def fit_garch(returns: NDArray[np.float64], method: Literal["garch", "ewma"], decay: float = 0.94) -> Garch:
    """Estimate how the variance of log returns moves.

    Args:
        returns: [return] of one asset.
        method: "garch", by maximum likelihood with the package arch; or "ewma": beta is the decay, alpha the rest
            times the mean square of the residuals.
        decay: weight of a return over that of the next, above 0 and below 1; of "ewma" alone.

    Raises:
        InvalidInput: if the returns are too few, or arch is not installed.

    Example:
        >>> returns = 0.02 * np.sin(np.arange(50.0) ** 2)
        >>> fitted = fit_garch(returns, "ewma")
        >>> fitted.alpha.__round__(2), fitted.beta, fitted.variances.shape
        (0.07, 0.94, (50,))
    """
    if len(returns) < FEWEST_RETURNS[method]:
        message = f"must have at least {FEWEST_RETURNS[method] + 1} rows for {method}, not {len(returns) + 1}"
        raise InvalidInput([Problem("prices", message)])
    return _fit_ewma(returns, decay) if method == "ewma" else _fit_garch(returns)


def fit_each(
    returns: NDArray[np.float64], assets: Sequence[str], method: Literal["garch", "ewma"], decay: float, *, moving: bool
) -> tuple[list[Garch], tuple[str, ...]]:
    """Return `fit_garch` of each asset, [return, asset], and their notes, of several assets with the names.

    moving: of a market whose volatility goes on moving, the notes on its growth too.
    """
    fits = [fit_garch(moves, method, decay) for moves in returns.T]
    names = [f"{asset}: " if len(fits) > 1 else "" for asset in assets]
    notes = [(*fit.notes, *fit.growth) if moving else fit.notes for fit in fits]
    return fits, tuple(name + note for name, each in zip(names, notes, strict=True) for note in each)


def _fit_ewma(returns: NDArray[np.float64], decay: float) -> Garch:
    mean, n = float(returns.mean()), len(returns)
    filtered = filter_variances(returns, mean, 0.0, 1 - decay, decay)
    degrees, log_likelihood = _student(filtered)
    # by how much a square moves the next variance: its weight in it, and in the mean square of the residuals
    ages, backcast = np.arange(n - 1.0, -1.0, -1.0), backcast_weights(n)
    weights = (1 - decay) * decay**ages + decay**n * backcast
    weights += decay**ages / n - backcast * (1 - decay**n) / (n * (1 - decay))
    spread = float((filtered.residuals**2).std()) * math.sqrt(float(weights @ weights))
    errors = dict.fromkeys(("omega", "alpha", "beta", "degrees"), math.nan)
    errors |= {"mean": float(returns.std()) / math.sqrt(n)}
    errors |= {"next_variance": float(filtered.variances[-1]) * spread}
    alpha = (1 - decay) * filtered.size
    moved = {"omega": 0.0, "alpha": alpha, "beta": decay, "mean": mean, "degrees": degrees}
    times = f"{math.sqrt(filtered.size):.3g} times the root of the exponentially weighted mean square"
    notes = [f"volatility is {times}: by so much returns spread about that"]
    if degrees < _LEAST_DEGREES:
        notes.append(f"the Student-t law degenerates ({_why(returns, degrees)}): its likelihood is not to be compared")
    return _garch(moved, filtered, log_likelihood, 3, errors, notes)


def _student(filtered: Filtered) -> tuple[float, float]:
    """Return the likeliest degrees of Student-t innovations of variance 1, and the log likelihood of the returns."""

    def cost(degrees: float) -> float:
        scale = math.sqrt((degrees - 2) / degrees)  # to variance 1
        return -float(student.logpdf(filtered.residuals, degrees, scale=scale).sum())

    degrees = float(minimize_scalar(cost, bounds=_DEGREES, method="bounded").x)
    return degrees, -cost(degrees) - 0.5 * float(np.log(filtered.variances[:-1]).sum())


def _fit_garch(returns: NDArray[np.float64]) -> Garch:
    unit = _PER_SCALE / float(returns.std())
    scaled, notes = unit * returns, list[str]()
    likeliest = search(scaled, "t")
    filtered, degrees = filter_variances(scaled, *likeliest.theta.tolist()), likeliest.degrees
    log_likelihood, student_variance = likeliest.log_likelihood, 1 / filtered.size
    if degrees < _LEAST_DEGREES or filtered.held or not _SIZES[0] <= filtered.size <= _SIZES[1]:
        way = "GARCH is fitted by the quasi-likelihood of normal innovations (Bollerslev and Wooldridge 1992)"
        notes.append(f"the Student-t law degenerates ({_why(returns, degrees)}): {way}")
        likeliest = search(scaled, "normal")
        filtered = filter_variances(scaled, *likeliest.theta.tolist())
        (degrees, log_likelihood), student_variance = _student(filtered), 1.0
    if not likeliest.settled:
        notes.append("the search for the GARCH parameters did not settle")
    values, errors = _sized(scaled, likeliest, filtered)
    per_unit = {"mean": unit, "omega": unit**2, "alpha": 1.0, "beta": 1.0, "next_variance": unit**2}
    values, errors = ({name: numbers[name] / unit for name, unit in per_unit.items()} for numbers in (values, errors))
    errors["degrees"] = _root(likeliest.degrees_variance)
    if values["alpha"] < _NO_CLUSTERS:
        errors |= dict.fromkeys(("omega", "alpha", "beta"), math.nan)
        errors["next_variance"] = float(((returns - values["mean"]) ** 2).std()) / math.sqrt(len(returns))
        notes.append("volatility shows no clusters: GARCH says little more than the average")
    del values["next_variance"]
    filtered = filtered._replace(variances=filtered.variances / unit**2, least=filtered.least / unit**2)
    log_likelihood += len(returns) * math.log(unit)
    moved = {**values, "degrees": degrees, "student_variance": student_variance}
    return _garch(moved, filtered, log_likelihood, 5, errors, notes)


def _why(returns: NDArray[np.float64], degrees: float) -> str:
    alike = float(np.unique(returns, return_counts=True)[1].max()) / len(returns)
    if alike > _ALIKE:
        return f"{100 * alike:.0f} % of the returns are alike"
    return (
        f"{degrees:.3g} degrees of freedom" if degrees < _LEAST_DEGREES else "its variance is not that of the returns"
    )


def _sized(
    scaled: NDArray[np.float64], likeliest: Likeliest, filtered: Filtered
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the parameters and the next variance at the size of the returns, and their errors."""

    def values_at(theta: NDArray[np.float64]) -> NDArray[np.float64]:
        mean, omega, alpha, beta = theta.tolist()
        moved = filter_variances(scaled, mean, omega, alpha, beta)
        return np.array([mean, omega * moved.size, alpha * moved.size, beta, moved.variances[-1]])

    theta = likeliest.theta
    moves = np.diag(_STEP * np.maximum(np.abs(theta), 1e-3))
    slopes = np.column_stack([(values_at(theta + m) - values_at(theta - m)) / (2 * m.max()) for m in moves])
    values = values_at(theta)
    chance = values * [0, 1, 1, 0, 1] * (filtered.residuals**2).std() / math.sqrt(len(scaled))  # of the mean square
    squares = np.diag(slopes @ likeliest.covariance @ slopes.T) + chance**2
    names = ("mean", "omega", "alpha", "beta", "next_variance")
    return dict(zip(names, values.tolist(), strict=True)), dict(zip(names, map(_root, squares), strict=True))


def _root(square: float) -> float:
    return math.sqrt(square) if square > 0 else math.nan


def _garch(
    moved: dict[str, Any],
    filtered: Filtered,
    log_likelihood: float,
    parameters: int,
    errors: dict[str, float],
    notes: list[str],
) -> Garch:
    if filtered.held:
        held = f"at {filtered.held} of {len(filtered.residuals)} steps"
        notes.append(f"prices all but stood still: volatility is held at a tenth of its average {held}")
    return Garch(
        **moved,
        next_variance=float(filtered.variances[-1]),
        variances=filtered.variances[:-1],
        least_variance=filtered.least,
        residuals=filtered.residuals,
        log_likelihood=log_likelihood,
        parameters=parameters,
        standard_errors=errors,
        notes=tuple(notes),
        growth=_growth(moved["omega"], moved["alpha"] + moved["beta"] - 1),
    )


def _growth(omega: float, excess: float) -> tuple[str, ...]:
    """Say what becomes of the expected variance over many steps, where it does not go back to an average."""
    if excess > _NEVER_BACK or (omega == 0 and excess < -_NEVER_BACK):
        way, steps = ("grows", "doubles") if excess > 0 else ("falls", "halves")
        after = f"{math.log(2) / abs(math.log1p(excess)):,.0f}"
        rate = f"by {100 * abs(excess):.2g} % a step and {steps} in {after}"
        return (f"alpha + beta is {1 + excess:.5g}: the expected variance {way} {rate}; the fewer steps, the surer",)
    if abs(excess) <= _NEVER_BACK:
        return ("alpha + beta is 1, the end of its range: volatility does not go back to an average",)
    return ()

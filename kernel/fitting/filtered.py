"""What a history says of `FilteredHistorical`: each asset's volatility by GARCH or EWMA, and the residuals."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from kernel.fitting.fit import Estimates, check_method, moving_returns
from kernel.fitting.garch import Garch, fit_each
from kernel.prices.history import History

METHODS = ("garch", "ewma")
_FEWEST_ROWS = 31
_MOST_DEVIATIONS = 500  # of the many that a history has, spread evenly: enough for a law


class StudentLaw(NamedTuple):
    """A Student-t law whose standard deviation is one of the history's, each as likely.

    Example:
        >>> law = StudentLaw(0.0, np.array([0.02, 0.05]), 4.0)
        >>> law.cumulative([-0.05, 0.0]).round(4)
        array([0.0636, 0.5   ])
    """

    mean: float
    deviations: NDArray[np.float64]
    degrees: float

    def _standard(self, x: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        scales = self.deviations * np.sqrt((self.degrees - 2) / self.degrees)
        return (np.asarray(x, dtype=np.float64)[..., None] - self.mean) / scales, scales

    def density(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the density at `x`."""
        standard, scales = self._standard(x)
        return np.asarray((student.pdf(standard, self.degrees) / scales).mean(axis=-1))

    def cumulative(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of at most `x`."""
        return np.asarray(student.cdf(self._standard(x)[0], self.degrees).mean(axis=-1))


def estimate(history: History, volatility: str = "garch", decay: float = 0.94, block: int = 1) -> Estimates:
    """Estimate the fields of a `FilteredHistorical` and their errors.

    The log likelihood is that of Student-t innovations, of several assets the sum of their own.

    Raises:
        InvalidInput: if the history is too short or an asset does not move, or for what the method cannot be.
    """
    decay = check_method(METHODS, volatility, decay)
    returns = moving_returns(history, _FEWEST_ROWS)
    fits, notes = fit_each(returns, history.assets, volatility, decay, moving=True)  # type: ignore[arg-type]
    fields, errors = _in_years(fits, returns, history.dt)
    usual = ", ".join(f"{fit:.3g}" for fit in np.sqrt([fit.variances.mean() / history.dt for fit in fits]))
    notes += (f"the volatility is that of the step to come; over the history it was {usual} on average",)
    if history.gaps is not None and history.gaps.any():
        notes += ("the volatility is taken not to move over the gaps of the history",)
    if block > 1:
        notes += ("expected prices grow by the drift only as far as the residuals of a block are independent",)
    if len(fits) > 1:
        notes += ("the log likelihood is that of each asset by itself: do not compare it with a joint one",)
    return Estimates(
        {**fields, "residuals": np.column_stack([fit.residuals for fit in fits]), "dt": history.dt, "block": block},
        errors,
        float(np.sum([fit.log_likelihood for fit in fits])),
        sum(fit.parameters for fit in fits),
        tuple(_law(fit) for fit in fits),
        notes,
        np.column_stack([_transforms(fit, moves) for fit, moves in zip(fits, returns.T, strict=True)]),
        tuple(fit.recursion(history.dt) for fit in fits),
    )


def _in_years(fits: list[Garch], returns: NDArray[np.float64], dt: float) -> tuple[dict[str, Any], dict[str, Any]]:
    growth = np.log(np.exp(returns).mean(axis=0)) / dt
    fields, errors = {"drift": growth}, {"drift": returns.std(axis=0) / np.sqrt(len(returns)) / dt}
    volatility = np.sqrt([fit.next_variance / dt for fit in fits])
    fields["volatility"] = volatility
    errors["volatility"] = np.array([fit.standard_errors["next_variance"] for fit in fits]) / (2 * volatility * dt)
    for name, unit in (("omega", dt), ("alpha", 1.0), ("beta", 1.0)):
        fields[name] = np.array([getattr(fit, name) for fit in fits]) / unit
        errors[name] = np.array([fit.standard_errors[name] for fit in fits]) / unit
    return fields, errors


def _law(garch: Garch) -> StudentLaw:
    shares = (np.arange(_MOST_DEVIATIONS) + 0.5) / _MOST_DEVIATIONS
    variances = garch.student_variance * np.quantile(garch.variances, shares)
    return StudentLaw(garch.mean, np.sqrt(variances), garch.degrees)


def _transforms(garch: Garch, returns: NDArray[np.float64]) -> NDArray[np.float64]:
    scale = np.sqrt(garch.student_variance * garch.variances * (garch.degrees - 2) / garch.degrees)
    return np.asarray(student.cdf((returns - garch.mean) / scale, garch.degrees))

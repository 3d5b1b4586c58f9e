"""What a fit returns: a market, how sure its numbers are, and the law that it gives to one step's return."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel import checks
from kernel.errors import InvalidInput, Problem, Problems
from kernel.fitting.moving import Recursion
from kernel.prices.history import History

M = TypeVar("M")
_RANGES = {  # that a market's fields may have; where a fit leaves them, they are set to the end and a note says so
    "drift": (-1_000.0, 1_000.0),
    "volatility": (1e-9, 100.0),
    "jump_intensity": (1e-9, 1e12),
    "jump_mean": (-5.0, 5.0),
    "jump_volatility": (0.0, 5.0),
    "up_mean": (1e-9, 0.999),
    "down_mean": (1e-9, 5.0),
    "omega": (0.0, 10_000.0),
    "alpha": (0.0, 1.0),
}
_LEAST_TRANSFORM = 1e-15
_STILL = 1e-12  # rounding of the logarithms of two prices


class Law(Protocol):
    """The law of one step's log return of one asset, in natural units."""

    def density(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the density at `x`."""

    def cumulative(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of a return of at most `x`."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Fit(Generic[M]):
    """A market fitted to a history.

    Example:
        >>> import kernel
        >>> fit = kernel.Gbm.fit([100.0, 102.0, 99.0, 101.0], dt=1 / 365)
        >>> fit.market.volatility.round(3), fit.standard_errors["volatility"].round(3)
        (array([0.448]), array([0.091]))
    """

    market: M
    """Opens at the last prices. Its drift is the estimate, which says little of what comes: for risk, leave it out by
    `dataclasses.replace(fit.market, drift=0.0)`, as `margin fit`, config files and `kernel.backtest` do by default."""
    standard_errors: dict[str, Any]
    """By field of the market: float, array [asset] or [asset, asset]; NaN where the history does not say."""
    log_likelihood: float
    """Of the log returns, in natural units."""
    parameters: int
    """That were estimated."""
    observations: int
    """Returns."""
    transforms: NDArray[np.float64] = field(repr=False)
    """[return, asset] probability under the model of a return at most the observed one, in (0, 1)."""
    laws: tuple[Law, ...] = field(repr=False)
    """[asset] of one step's log return."""
    notes: tuple[str, ...] = ()
    """Sentences: what the history does not say, and what was done about it."""
    recursions: tuple[Recursion, ...] = field(default=(), repr=False)
    """[asset] by which the market's volatility moves, or none."""

    def after(self, returns: NDArray[np.float64]) -> M:
        """Return the market with its volatility brought up to date by log returns that came since, nothing refitted.

        A market whose volatility does not move stays as it is; prices do too.

        Args:
            returns: [return, asset], the oldest first.

        Example:
            >>> import kernel
            >>> prices = [100.0, 101.0, 99.5, 100.5, 93.0, 92.0, 93.5, 93.0] * 10
            >>> fit = kernel.Gbm.fit(prices, dt=1 / 365, volatility="ewma")
            >>> fit.market.volatility.round(3), fit.after(np.array([[0.2]])).volatility.round(3)
            (array([0.743]), array([1.216]))
        """
        if not self.recursions or not len(returns):
            return self.market
        market: Any = self.market
        moved = zip(self.recursions, np.asarray(market.volatility) ** 2, np.asarray(returns).T, strict=True)
        variances = [recursion.after(float(variance), column) for recursion, variance, column in moved]
        updated: M = replace(market, volatility=np.clip(np.sqrt(variances), *_RANGES["volatility"]))
        return updated

    @property
    def bic(self) -> float:
        """Return the Bayesian information criterion (Schwarz 1978): the lower, the better the model."""
        return self.parameters * math.log(self.observations) - 2 * self.log_likelihood


class Estimates(NamedTuple):
    """What maximum likelihood found, before it becomes a market."""

    fields: dict[str, Any]
    standard_errors: dict[str, Any]
    log_likelihood: float
    parameters: int
    laws: tuple[Law, ...]
    notes: tuple[str, ...] = ()
    transforms: NDArray[np.float64] | None = None
    """None: those of the laws."""
    recursions: tuple[Recursion, ...] = ()


def fitted(kind: Callable[..., M], history: History, estimates: Estimates) -> Fit[M]:
    """Build the market that estimates describe; what lies outside a field's range is set to its end, with a note."""
    notes, errors = list(estimates.notes), dict(estimates.standard_errors)
    fields = {name: _within(name, value, errors, notes) for name, value in estimates.fields.items()}
    returns, transforms = history.returns, estimates.transforms
    if transforms is None:
        transforms = np.column_stack([law.cumulative(returns[:, a]) for a, law in enumerate(estimates.laws)])
    return Fit(
        market=kind(assets=history.assets, spot=history.last, **fields),
        standard_errors=errors,
        log_likelihood=float(estimates.log_likelihood),
        parameters=estimates.parameters,
        observations=len(returns),
        transforms=np.clip(transforms, _LEAST_TRANSFORM, 1 - _LEAST_TRANSFORM),
        laws=estimates.laws,
        notes=tuple(notes),
        recursions=estimates.recursions,
    )


def _within(name: str, value: Any, errors: dict[str, Any], notes: list[str]) -> Any:
    """Return a value that the market takes; if it is another, it has no error, and a note says so."""
    if name not in _RANGES:
        return value
    low, high = _RANGES[name]
    clipped = np.clip(value, low, high)
    if np.any(clipped != value):
        numbers = ", ".join(f"{number:.4g}" for number in np.ravel(value))
        notes.append(f"{name} would be {numbers}: set within {low:g} to {high:g}, the range that a market takes")
        errors[name] = plain(np.where(clipped != value, np.nan, errors[name]))
    return plain(clipped)


def plain(value: Any) -> Any:
    """Return a float for an array without axes, else the array."""
    return float(value) if np.ndim(value) == 0 else np.asarray(value)


def check_method(methods: Sequence[str], volatility: str, decay: float) -> float:
    """Return the decay as a float.

    Raises:
        InvalidInput: for a volatility that is none of the methods, or a decay outside (0, 1).
    """
    problems = Problems()
    checks.choice(problems, "volatility", volatility, methods)
    decay = checks.number(problems, "decay", decay, above=0, below=1)
    problems.raise_any()
    return decay


def moving_returns(history: History, fewest_rows: int) -> NDArray[np.float64]:
    """Return the log returns of a history that is long enough and moves.

    Raises:
        InvalidInput: saying how many rows are wanted, or what does not move.
    """
    returns = history.returns
    if len(returns) < fewest_rows - 1:
        message = f"must have at least {fewest_rows} rows, not {len(returns) + 1}"
        raise InvalidInput([Problem("prices", message)])
    still = [name for name, moves in zip(history.assets, returns.T, strict=True) if np.ptp(moves) < _STILL]
    if still:
        raise InvalidInput([Problem("prices", f"must move: {', '.join(still)} always makes the same step")])
    return returns

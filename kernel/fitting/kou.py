"""Maximum likelihood for Kou's model: the density of one step by Fourier inversion (Kou 2002; Carr and Madan 1999).

Over one step the characteristic function of a standardised return is exp(psi), psi(w) = i m w - s^2 w^2 / 2
+ lambda (p / (1 - i u w) + (1 - p) / (1 + i d w) - 1), u and d the mean jumps up and down. Its derivative by a
parameter is exp(psi) times that of psi, so the gradient costs one more FFT a parameter and is exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline
from scipy.special import expit

from kernel.errors import InvalidInput, Problem
from kernel.fitting.correlation import repair
from kernel.fitting.fit import Estimates, moving_returns
from kernel.fitting.fourier import Grid, grid_for, spline_values, splines
from kernel.fitting.jumps import Standardised, intensity_bounds, judged, standardise
from kernel.fitting.likelihood import Vector, maximise, standard_errors
from kernel.prices.history import History

FEWEST_ROWS = 31
_OWN = 5  # free parameters of each asset: m, log s, logit p, log u, log d
_STARTS = ((0.02, 0.9, 2.0), (0.1, 0.8, 1.3), (0.5, 0.6, 0.8))  # intensity, s, u and d
_FLOOR = 1e-13  # of the density: what rounding leaves of the Fourier sum
_FINE = 12  # points in a standard deviation of the diffusion: the spline is then off by 1e-6 of the density's peak
_TAIL = 25.0  # mean jumps: what is beyond comes back on the other side, exp(-25) of it
_DIFFUSION = 10.0  # standard deviations
_MOST_CORRELATION = 1.5  # of the diffusion, before it is repaired: beyond it is no error of estimation
_APART = "the log likelihood is that of each asset by itself: do not compare it with another model's"
_MEAN, _DEVIATION, _LOGIT, _JUMP = (-3.0, 3.0), (0.03, 1.5), (-7.0, 7.0), (0.01, 20.0)


class Parameters(NamedTuple):
    """The model over one step of one asset's standardised return."""

    intensity: float
    mean: float
    deviation: float
    up_probability: float
    up_mean: float
    down_mean: float


def unpack(theta: Vector) -> list[Parameters]:
    """Return the parameters by asset from log intensity and the five of each asset."""
    intensity = float(np.exp(theta[0]))
    return [
        Parameters(intensity, m, float(np.exp(s)), float(expit(p)), float(np.exp(u)), float(np.exp(d)))
        for m, s, p, u, d in theta[1:].reshape(-1, _OWN)
    ]


def characteristic(parameters: Parameters, frequencies: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Return the characteristic function and its derivatives by the free parameters, [1 + parameter, frequency]."""
    intensity, mean, deviation, p, up, down = parameters
    i_w, diffusion = 1j * frequencies, -((deviation * frequencies) ** 2)
    rising, falling = 1 / (1 - up * i_w), 1 / (1 + down * i_w)
    jumps = intensity * (p * rising + (1 - p) * falling - 1)
    psi = mean * i_w + 0.5 * diffusion + jumps
    slopes = [
        np.ones_like(psi),
        jumps,
        i_w,
        diffusion,
        intensity * p * (1 - p) * (rising - falling),
        intensity * p * up * i_w * rising**2,
        -intensity * (1 - p) * down * i_w * falling**2,
    ]
    return np.asarray(np.exp(psi) * np.array(slopes))


def density(parameters: Parameters, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the density and its derivatives by the free parameters, [x, 1 + parameter]."""
    grid = _grid(parameters, float(np.abs(x).max()))
    return spline_values(splines(characteristic(parameters, grid.frequencies), grid), grid, x)


def _grid(parameters: Parameters, largest: float) -> Grid:
    """Return a grid that holds the data, and on which what comes back from the other side is nothing."""
    tail = _TAIL * max(parameters.up_mean, parameters.down_mean)
    width = 2 * (largest + abs(parameters.mean) + _DIFFUSION * parameters.deviation) + tail
    return grid_for(width, parameters.deviation / _FINE)


def scores(theta: Vector, returns: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the log likelihood of each return, of all assets together, and its gradient, [return, parameter]."""
    total, gradient = np.zeros(len(returns)), np.zeros((len(returns), theta.size))
    for a, parameters in enumerate(unpack(theta)):
        values = density(parameters, returns[:, a])
        floored = np.clip(values[:, 0], 0.0, None) + _FLOOR
        slopes = values[:, 1:] / floored[:, None]
        total += np.log(floored)
        gradient[:, 0] += slopes[:, 0]
        gradient[:, 1 + _OWN * a : 1 + _OWN * (a + 1)] = slopes[:, 1:]
    return total, gradient


def log_likelihood(theta: Vector, returns: NDArray[np.float64]) -> tuple[float, Vector]:
    """Return the log likelihood and its gradient."""
    total, gradient = scores(theta, returns)
    return float(total.sum()), gradient.sum(axis=0)


def estimate(history: History) -> Estimates:
    """Estimate the fields of a `Kou` and their errors.

    Several assets: theta is followed by the covariances of the standardised returns, which give the diffusion's
    correlations; the covariance of all of them is that of their influence functions (Huber 1967), for which the
    sandwich H^-1 J H^-1 is another name.

    Raises:
        InvalidInput: if the history is too short or an asset does not move.
    """
    standard = standardise(moving_returns(history, FEWEST_ROWS))
    returns, size = standard.returns, standard.scale.size
    optimum = maximise(lambda theta: log_likelihood(theta, returns), _starts(size), _bounds(standard))
    whole, pairs = optimum, np.tril_indices(size, -1)
    if size > 1:
        products = returns[:, pairs[0]] * returns[:, pairs[1]]
        centred = (products - products.mean(axis=0)) / len(returns)
        influence = np.column_stack([scores(optimum.theta, returns)[1] @ optimum.covariance, centred])
        more = pairs[0].size
        whole = optimum._replace(
            theta=np.r_[optimum.theta, products.mean(axis=0)],
            covariance=influence.T @ influence,
            loose=np.pad(optimum.loose, (0, more)),
        )

    def fields(theta: Vector) -> dict[str, Any]:
        return _in_years(theta, standard, history.dt)

    fitted, errors = fields(whole.theta), standard_errors(fields, whole)
    wanted = fitted["correlation"]
    if np.abs(wanted).max() > _MOST_CORRELATION:
        message = (
            "cannot be fitted by kou together: its assets jump by independent sizes, and the diffusion alone would "
            f"have to correlate by {np.abs(wanted - np.eye(size)).max():.2g}; fit merton, or each asset by itself"
        )
        raise InvalidInput([Problem("prices", message)])
    fitted["correlation"], repaired = repair(wanted, "correlation of the diffusion")
    if repaired:
        errors["correlation"] = np.full((size, size), np.nan)
    apart = () if size == 1 else (_APART,)
    errors, notes = judged(standard, optimum, errors, _names(history.assets), joint=False)
    laws = tuple(
        FourierLaw.of(own, centre, scale, float(np.abs(column).max()))
        for own, centre, scale, column in zip(
            unpack(optimum.theta), standard.centre, standard.scale, returns.T, strict=True
        )
    )
    value = optimum.log_likelihood + standard.log_jacobian
    return Estimates(fitted, errors, value, whole.theta.size, laws, notes + repaired + apart)


def _starts(size: int) -> list[Vector]:
    return [
        np.r_[np.log(intensity), np.tile([0.0, np.log(deviation), 0.0, np.log(jump), np.log(jump)], size)]
        for intensity, deviation, jump in _STARTS
    ]


def _bounds(standard: Standardised) -> list[tuple[float, float]]:
    bounds = [intensity_bounds(len(standard.returns))]
    low, high = np.log(_JUMP)
    for scale in standard.scale:
        most_up = min(high, np.log(0.99 / scale))  # below 1 in natural units, or the expected price is infinite
        bounds += [_MEAN, tuple(np.log(_DEVIATION)), _LOGIT, (min(low, most_up - 1), most_up), (low, high)]
    return bounds


def _names(assets: tuple[str, ...]) -> list[str]:
    own = ("mean", "volatility", "up_probability", "up_mean", "down_mean")
    return ["jump_intensity", *(f"{name} of {asset}" for asset in assets for name in own)]


def _in_years(theta: Vector, standard: Standardised, dt: float) -> dict[str, Any]:
    """Return the fields per year; the correlation may still be none."""
    size, scale = standard.scale.size, standard.scale
    own = unpack(theta[: 1 + _OWN * size])
    _, mean, deviation, p, up, down = np.array(own).T
    intensity, volatility = own[0].intensity, scale * deviation / dt**0.5
    up_mean, down_mean = scale * up, scale * down
    growth = p / (1 - up_mean) + (1 - p) / (1 + down_mean) - 1
    jump = p * up - (1 - p) * down
    covariance = np.zeros((size, size))
    covariance[np.tril_indices(size, -1)] = theta[1 + _OWN * size :]
    covariance += covariance.T
    correlation = (covariance - intensity * np.outer(jump, jump)) / np.outer(deviation, deviation)
    np.fill_diagonal(correlation, 1.0)
    return {
        "drift": (standard.centre + scale * mean) / dt + 0.5 * volatility**2 + intensity / dt * growth,
        "volatility": volatility,
        "correlation": correlation,
        "jump_intensity": intensity / dt,
        "up_probability": p,
        "up_mean": up_mean,
        "down_mean": down_mean,
    }


class FourierLaw(NamedTuple):
    """The law of one step's log return, as a spline through its density."""

    spline: CubicSpline
    integral: CubicSpline
    centre: float
    scale: float

    @classmethod
    def of(cls, parameters: Parameters, centre: float, scale: float, largest: float) -> FourierLaw:
        """Tabulate the density of a standardised return."""
        grid = _grid(parameters, largest)
        x = grid.places
        spline = CubicSpline(x, np.clip(density(parameters, x)[:, 0], 0.0, None))
        return cls(spline, spline.antiderivative(), centre, scale)

    def _inside(self, x: ArrayLike) -> NDArray[np.float64]:
        standard = (np.asarray(x, dtype=np.float64) - self.centre) / self.scale
        inside: NDArray[np.float64] = np.clip(standard, self.spline.x[0], self.spline.x[-1])
        return inside

    def density(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the density at `x`."""
        return np.asarray(np.clip(self.spline(self._inside(x)), 0.0, None) / self.scale)

    def cumulative(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of at most `x`."""
        return np.asarray(np.clip(self.integral(self._inside(x)) / self.integral(self.spline.x[-1]), 0.0, 1.0))

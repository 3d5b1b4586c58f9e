"""What the fits of Merton and Kou share: standardised returns, and a plain word on what they do not say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from kernel.fitting.fit import plain
from kernel.fitting.likelihood import Optimum, Vector

_FEWEST_EXPECTED = 0.25  # jumps in the whole history
_MOST_EXPECTED = 2.0  # in one step: beyond it jumps look like diffusion
_LEAST_DETERMINANT = -700.0  # its logarithm: of perfectly correlated assets it would be infinite
_LEAST_GAIN = 0.95  # level of the likelihood ratio test of jumps against none; on the careful side: without jumps
# their sizes are not identified, and the test rejects half as often


class Standardised(NamedTuple):
    """Returns in their own standard deviations, [return, asset]."""

    returns: NDArray[np.float64]
    centre: Vector
    scale: Vector
    correlation: NDArray[np.float64]

    @property
    def log_jacobian(self) -> float:
        """Return what turns the log likelihood of the standardised returns into that of the returns."""
        return -len(self.returns) * float(np.log(self.scale).sum())

    @property
    def without_jumps(self) -> float:
        """Return the log likelihood of the standardised returns under correlated normals."""
        n, size = self.returns.shape
        determinant = max(float(np.linalg.slogdet(self.correlation)[1]), _LEAST_DETERMINANT)
        return float(-0.5 * n * (size * (math.log(2 * math.pi) + 1) + determinant))


def standardise(returns: NDArray[np.float64]) -> Standardised:
    """Return standardised returns and how to undo it."""
    centre, scale = returns.mean(axis=0), returns.std(axis=0)
    standard = (returns - centre) / scale
    return Standardised(standard, centre, scale, standard.T @ standard / len(standard))


def intensity_bounds(observations: int) -> tuple[float, float]:
    """Return the range of the logarithm of the jumps in one step."""
    return math.log(_FEWEST_EXPECTED / observations), math.log(_MOST_EXPECTED)


def judged(
    standard: Standardised, optimum: Optimum, errors: dict[str, Any], names: Sequence[str], *, joint: bool = True
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the errors without those that a history does not tell, and sentences that say so.

    Args:
        standard: the returns.
        optimum: its first free parameter is the logarithm of the intensity.
        errors: by field; those of the jumps become NaN where jumps are not identified.
        names: of the free parameters.
        joint: whether the likelihood is of all assets together, else of each by itself.
    """
    size = standard.scale.size
    independent = standard if joint else standard._replace(correlation=np.eye(size))
    gain = optimum.log_likelihood - independent.without_jumps
    more = optimum.theta.size - 2 * size - (size * (size - 1) // 2 if joint else 0)
    relative = math.sqrt(optimum.covariance[0, 0] + optimum.loose[0, 0])
    loose, useless = relative >= 1, 2 * gain < chdtri(more, 1 - _LEAST_GAIN)
    notes = [f"{names[k]} sits at the bound of its range: it has no error" for k in optimum.at_bound]
    if optimum.flat:
        notes.append("the likelihood is flat: some numbers only count together, and have no error of their own")
    if loose:
        notes.append(
            "the jumps' intensity and size are not separately identified: the intensity's relative error is not below "
            "1; a longer history would say more, or Gbm as much"
        )
    if useless:
        notes.append(
            f"jumps gain nothing over none: with {more} numbers more than Gbm they raise the log likelihood by "
            f"{max(gain, 0.0):.2f} alone"
        )
    kept = dict(errors)
    for name, error in errors.items() if loose or useless else ():
        if name.startswith(("jump_", "up_", "down_")):
            kept[name] = plain(np.full_like(error, np.nan))
    return kept, tuple(notes)

"""A market defined outside the package: the normal inverse Gaussian process (Barndorff-Nielsen 1997) on the grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from kernel import checks
from kernel._core.covariance import Fixed
from kernel._core.fields import Field, Fields
from kernel._core.jit import implements
from kernel._core.noise import RESAMPLE, draw_words, to_normals
from kernel._core.operations import advance, at, covariance, move_state
from kernel._core.special import uniform
from kernel.errors import Problems
from kernel.markets import Market


class NigStep(NamedTuple):
    """Of one asset: its drift per year, its skewness, and the mean and shape of a step's inverse Gaussian time."""

    drift: float
    skewness: float
    mean: float
    shape: float
    factor: np.ndarray[Any, Any]

    @staticmethod
    def lane_fields() -> Fields:
        """Declare the inverse Gaussian time of a step, and what it is drawn from."""
        return Fields(asset=(Field("time", "block"), Field("normals", "block", None, 2)))


@implements(move_state, NigStep)
def _move_state(step: Any, seed: Any, s: int, lanes: Any, assets: Any, n: int) -> None:
    """Draw each lane's time, as Michael, Schucany and Haas (1976) do."""
    draw_words(seed, lanes.path, np.uint64(s), 0, RESAMPLE, n, lanes.words)
    to_normals(lanes.words, 1, n, assets[0].normals)
    normal, time, mean, shape = assets[0].normals[0], assets[0].time, step.mean, step.shape
    for i in range(n):
        y = mean * normal[i] * normal[i] / (2.0 * shape)
        small = mean * (1.0 + y - math.sqrt(y * (2.0 + y)))
        time[i] = small if uniform(lanes.words[2, i], 1.0) <= mean / (mean + small) else mean * mean / small


@implements(advance, NigStep)
def _advance(step: Any, segment: Any, assets: Any, n: int) -> None:
    log_spot, time, z = assets[0].log_spot, assets[0].time, assets[0].noise[segment.slot]
    for i in range(n):
        log_spot[i] += step.drift * at(segment.span, i) + step.skewness * time[i] + math.sqrt(time[i]) * z[i]


@implements(covariance, NigStep)
def _covariance(step: Any) -> Any:
    return Fixed(step.factor)


@dataclass(frozen=True, eq=False, kw_only=True)
class Nig(Market):
    """One asset whose log return over t years is normal inverse Gaussian (tail, skewness, scale t)."""

    tail: float
    skewness: float
    scale: float

    def _check(self, problems: Problems, size: int) -> None:
        for name in ("tail", "skewness", "scale"):
            self._set(**{name: checks.number(problems, name, getattr(self, name))})

    def log_drift(self) -> float:
        """Return the drift of the log price with which the expected price grows by `drift`."""
        root, moved = (math.sqrt(self.tail**2 - (self.skewness + one) ** 2) for one in (0, 1))
        return float(np.asarray(self.drift)[0]) + self.scale * (moved - root)

    def loading(self) -> NDArray[np.float64]:
        """Return the root of the variance per year, about."""
        return np.array([[math.sqrt(self.scale / self.tail)]])

    def step(self, real: DTypeLike, span: float) -> NamedTuple:
        """Return the law of a step."""
        root = math.sqrt(self.tail**2 - self.skewness**2)
        time = self.scale * span
        return NigStep(self.log_drift(), self.skewness, time / root, time**2, self.loading().astype(real))

"""What every market is: named assets with opening prices and drifts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from kernel import checks
from kernel.checks import labels
from kernel.checks.text import snake
from kernel.errors import Problems

_MOVES = frozenset({"step", "tilted_step", "_diffusion"})  # what says how prices move
Matrix = ArrayLike  # in a field's annotation: not one number per asset, but rows of them


def lower_factor(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a lower triangular L with L L' = covariance, also when it is singular."""
    values, vectors = np.linalg.eigh(covariance)
    upper: NDArray[np.float64] = np.linalg.qr((vectors * np.sqrt(np.clip(values, 0.0, None))).T)[1]
    return np.ascontiguousarray((upper * np.where(np.diag(upper) < 0, -1.0, 1.0)[:, None]).T)


def law_of(values: Mapping[str, ArrayLike], size: int, real: DTypeLike) -> NDArray[np.void]:
    """Return numbers by name as one record per asset: to a kernel one pointer, where as many arrays would pass."""
    law = np.zeros(size, np.dtype([(name, real) for name in values], align=True))
    for name, value in values.items():
        law[name] = value
    return law


@dataclass(frozen=True, eq=False, kw_only=True)
class Market(ABC):
    """Several assets, whose prices each market moves in its own way.

    The fields hold checked, read-only copies after construction: names as a tuple, one float64 per asset, matrices.
    Numbers may come with labels, as a mapping, a series or a frame: they are put into the order of the assets by them,
    or refused. Those that must be above 0 are at least 1e-12, and none is beyond 1e12.
    """

    assets: Sequence[str]
    spot: ArrayLike
    drift: ArrayLike = 0.0
    between_steps: ClassVar[Literal["exact", "approximate", "unknown"]] = "unknown"
    """What Brownian bridges between steps and jumps are of the prices; unknown: these are seen at the steps alone."""
    example_parameters: ClassVar[Mapping[str, Any]] = {}
    """Of `example`."""

    def __init_subclass__(cls) -> None:
        """Let a class that moves in its own way say anew what is true between its steps: it does not inherit that."""
        super().__init_subclass__()
        for base in cls.__mro__:
            if "between_steps" in vars(base):
                return
            if not _MOVES.isdisjoint(vars(base)):  # be it of a class that is no market itself
                cls.between_steps = "unknown"
                return

    @classmethod
    def example(cls, assets: Sequence[str]) -> Self:
        """Return one with plausible parameters, for what needs any of the kind, such as compiling beforehand."""
        return cls(assets=assets, spot=1.0, **cls.example_parameters)

    def __post_init__(self) -> None:
        problems = Problems()
        assets = checks.names(problems, "assets", self.assets)
        size = len(assets)
        self._set(assets=assets)
        if not problems.found:
            self._align()
        self._set(
            spot=checks.numbers(problems, "spot", self.spot, size, above=0),
            drift=checks.numbers(problems, "drift", self.drift, size, at_least=-1_000, at_most=1_000),
        )
        self._set(**self.check(problems, size))
        problems.raise_any()

    def _align(self) -> None:
        """Put the numbers that carry labels into the order of the assets.

        Raises:
            InvalidInput: for labels that are not the assets; numbers cannot be judged before they are in order.
        """
        problems = Problems()
        stated = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "assets"}
        self._set(**{name: labels.aligned(problems, name, value, self.assets) for name, value in stated.items()})
        problems.raise_any()

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @abstractmethod
    def check(self, problems: Problems, size: int) -> Mapping[str, Any]:
        """Return clean copies of the fields of its own, and note what is wrong with them; size: number of assets."""

    @abstractmethod
    def step(self, real: DTypeLike, span: float) -> NamedTuple:
        """Return what the kernels need of the market, in the precision `real`, for steps of `span` years."""

    @abstractmethod
    def loading(self) -> NDArray[np.float64] | None:
        """Return [asset, normal] how far the walk's normals move the log prices, per root of a year; None: not at all.

        Where volatilities move, it is with those of the opening: it serves to find which normals matter most.
        """

    def log_moments(self, horizon: float) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Return mean and standard deviation, [asset] each, of how far the log prices move within a horizon in years.

        They serve to tell how far prices may go, so a good guess will do. None: unknown, and so not looked at.
        """
        return None

    def notes(self, horizon: float) -> tuple[str, ...]:
        """Return sentences on what the market does within a horizon in years that its parameters do not show."""
        return ()

    def check_grid(self, problems: Problems, horizon: float, steps: int) -> None:  # noqa: B027 - most take any grid
        """Note what is wrong with a grid of time, where the market cannot walk any."""

    def parameters(self) -> dict[str, Any]:
        """Return the market as plain values: what a config file would state.

        Example:
            >>> import kernel
            >>> kernel.Gbm(assets=["BTC"], spot=60_000.0, volatility=0.65).parameters()["volatility"]
            [0.65]
        """
        stated = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {
            name: np.asarray(value).tolist() if name != "assets" else list(value) for name, value in stated.items()
        }
        return {"model": snake(type(self).__name__), **plain}

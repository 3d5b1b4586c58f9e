"""Filtered historical simulation: past surprises, scaled to the volatility of now (Barone-Adesi et al. 1999)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from kernel import checks
from kernel._core.covariance import Local
from kernel._core.fields import Field, Fields
from kernel._core.jit import block as block_of_lanes
from kernel._core.jit import implements
from kernel._core.noise import ALL_ASSETS, RESAMPLE, draw_words
from kernel._core.operations import advance, at, covariance, move_state, open_state
from kernel._core.special import fma
from kernel.checks.text import duration
from kernel.errors import Problems
from kernel.fitting import Fit, fitted
from kernel.markets.market import Market, Matrix, law_of, lower_factor
from kernel.prices.history import History, as_history

_NODES = 4096  # of the table of the growth that a step's volatility brings
_MOST = 32  # times today's or the long-run volatility: a lane's is held below
_SETTLED = 1_000  # steps within which what counts as the long run is reached: no volatility explodes to infinity
_STRETCH = 0.2  # by which a step may differ from those of the history
_FEWEST = 10
_MOST_POWER = 300.0  # of a logarithm: far beyond what the variance is held at
_NOTED_GROWTH = 1.1  # of the expected variance within a horizon


class FilteredStep(NamedTuple):
    """The recursion of each asset's variance, the residuals, and what each volatility adds to the expected growth."""

    law: NDArray[np.void]  # [asset] numbers by the names in FilteredHistorical.step
    residuals: NDArray[np.floating]  # [asset, time]
    growth: NDArray[np.floating]  # [asset, node] log of the mean of exp(volatility of a step * residual)
    block: int
    covariance: Local

    @staticmethod
    def lane_fields() -> Fields:
        """Declare the variance per year, and the words that pick the times of the next four blocks."""
        return Fields(lane=(Field("picks", "block", np.uint32, 4),), asset=(Field("variance", "block"),))


@implements(open_state, FilteredStep)
def _open_state(step, lanes, assets, n):
    for a in range(assets.size):
        assets[a].variance[:n] = step.law[a].opening


@block_of_lanes
def _pick(step, seed, s, lanes, n):
    """Fill lanes.words[0] with the time whose residuals each lane takes: blocks of times in a circle."""
    number, within = s // step.block, s % step.block
    if within == 0 and number & 3 == 0:
        draw_words(seed, lanes.path, np.uint64(number >> 2), ALL_ASSETS, RESAMPLE, n, lanes.picks)
    word, pick, size = lanes.picks[number & 3], lanes.words[0], np.uint64(step.residuals.shape[1])
    for i in range(n):
        time = ((np.uint64(word[i]) * size) >> np.uint64(32)) + np.uint64(within)
        pick[i] = np.uint32(time - size if time >= size else time)


@block_of_lanes
def _look_up(residuals, growth, scale, variance, lanes, n):
    """Fill scratch with the picked residuals, and with the growth that they bring at the lane's variance.

    What is looked up stands in loops of its own: the vectoriser leaves them alone. Indices are unsigned, or Numba
    would ask of each whether it counts from the end.
    """
    pick, node, residual, mean = lanes.words[0], lanes.words[1], lanes.scratch[0], lanes.scratch[1]
    place, low, high = lanes.scratch[2], lanes.scratch[3], lanes.scratch[4]
    for i in range(n):
        residual[i] = residuals[pick[i]]
    for i in range(n):
        exact = math.sqrt(variance[i]) * scale
        whole = np.int32(exact)
        node[i], place[i] = np.uint32(whole), exact - type(exact)(whole)
    for i in range(n):
        low[i], high[i] = growth[node[i]], growth[node[i] + np.uint32(1)]
    for i in range(n):
        mean[i] = fma(high[i] - low[i], place[i], low[i])


@implements(move_state, FilteredStep)
def _move_state(step, seed, s, lanes, assets, n):
    """Take the picked residuals, less the growth that they bring on average; move the variance by GARCH(1,1)."""
    _pick(step, seed, s, lanes, n)
    for a in range(assets.size):
        law, variance, rate, local = step.law[a], assets[a].variance, assets[a].rate, assets[a].volatility
        _look_up(step.residuals[a], step.growth[a], law.scale, variance, lanes, n)
        omega, alpha, beta, most = law.omega, law.alpha, law.beta, law.most
        drift, root, frequency = law.drift, law.root, law.frequency
        residual, mean = lanes.scratch[0], lanes.scratch[1]
        for i in range(n):
            deviation = math.sqrt(variance[i])
            rate[i] = fma(frequency, fma(deviation * root, residual[i], -mean[i]), drift)
            local[i] = deviation
            variance[i] = min(fma(fma(alpha * residual[i], residual[i], beta), variance[i], omega), most)


@implements(advance, FilteredStep)
def _advance(step, segment, assets, n):
    for a in range(assets.size):
        log_spot, rate = assets[a].log_spot, assets[a].rate
        for i in range(n):
            log_spot[i] += rate[i] * at(segment.span, i)


@implements(covariance, FilteredStep)
def _covariance(step):
    return step.covariance


@dataclass(frozen=True, eq=False, kw_only=True)
class FilteredHistorical(Market):
    """Log returns are a volatility that moves by GARCH(1,1), times residuals resampled from a history.

    With v the variance per year and e the residual, the next step's is omega + (alpha e**2 + beta) v. All assets
    take the residuals of one time, so their dependence is the history's. The market moves in the steps of its
    history: a simulation takes horizon / dt of them, rounded; each may be a fifth longer or shorter than dt, with its
    variance in proportion. Within a step, continuous monitoring bridges with the step's variance.

    A return's variance is v times the mean square of the residuals, m, which a fit makes 1. From step to step its
    expectation is multiplied by alpha m + beta, and omega added: above 1 it grows without end (a path's volatility
    is held at 32 times the opening or the long-run one), and a fit says how fast. With EWMA it is above 1 as a rule,
    by what squares of the past say badly of the next: such a market is one for few steps.

    Args:
        assets: names.
        spot: opening prices, above 0; one for all assets or one each, as all numbers below.
        drift: growth rate of the expected price per year, from -1,000 to 1,000.
        volatility: of the first step, per square root of a year, above 0, at most 100.
        omega: variance per year, from 0 to 10,000.
        alpha: from 0 to 1.
        beta: from 0 to 1.
        residuals: [time, asset], at least 10 times, from -1,000 to 1,000; usually of mean square 1.
        dt: years of one step, from 1e-9 to 1,000, or a text such as "1d"; held as years.
        block: steps resampled together, in the order of the history, from 1 to the number of times. With more than 1
            expected prices grow by the drift only as far as the residuals of a block are independent.

    Raises:
        InvalidInput: with every field that has to be mended.

    Example:
        >>> surprises = [[-2.0], [0.5], [1.0], [-0.5], [0.1], [0.9], [-0.9], [1.3], [-0.4], [0.0]]
        >>> FilteredHistorical(assets=["BTC"], spot=60_000.0, volatility=0.6, omega=0.01, alpha=0.08, beta=0.9,
        ...                    residuals=surprises, dt=1 / 365).block
        1
    """

    between_steps = "approximate"
    example_parameters: ClassVar[Mapping[str, Any]] = {
        "volatility": 0.1,
        "omega": 0.0,
        "alpha": 0.1,
        "beta": 0.9,
        "dt": 1.0,
    }

    volatility: ArrayLike
    omega: ArrayLike
    alpha: ArrayLike
    beta: ArrayLike
    residuals: Matrix
    dt: float | str
    block: int = 1

    @classmethod
    def example(cls, assets: Sequence[str]) -> Self:
        """Return one with plausible parameters, and ten residuals of each asset."""
        residuals = np.linspace(-1.0, 1.0, 10 * len(assets)).reshape(10, -1)
        return cls(assets=assets, spot=1.0, residuals=residuals, **cls.example_parameters)

    def _check(self, problems: Problems, size: int) -> None:
        noted = len(problems.found)
        residuals = checks.matrix(problems, "residuals", self.residuals, size, at_least=-1_000, at_most=1_000)
        if len(problems.found) == noted and len(residuals) < _FEWEST:
            problems.add("residuals", f"must be at least {_FEWEST} rows, not {len(residuals)}")
        elif len(problems.found) == noted and (np.ptp(residuals, axis=0) == 0).any():
            problems.add("residuals", "must vary, of every asset")
        self._set(
            volatility=checks.numbers(problems, "volatility", self.volatility, size, above=0, at_most=100),
            omega=checks.numbers(problems, "omega", self.omega, size, at_least=0, at_most=10_000),
            alpha=checks.numbers(problems, "alpha", self.alpha, size, at_least=0, at_most=1),
            beta=checks.numbers(problems, "beta", self.beta, size, at_least=0, at_most=1),
            residuals=residuals,
            dt=checks.years(problems, "dt", self.dt, at_least=1e-9, at_most=1_000),
            block=checks.whole(problems, "block", self.block, 1, max(len(residuals), 1)),
        )

    def log_moments(self, horizon: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return those at the largest of the variances that the steps expect."""
        e = np.asarray(self.residuals)
        omega, opening = np.asarray(self.omega), np.asarray(self.volatility) ** 2
        steps = max(1, round(horizon / float(self.dt)))
        again = np.minimum(np.asarray(self.alpha) * (e**2).mean(axis=0) + np.asarray(self.beta), 2.0)
        power = np.exp(np.minimum(steps * np.log(np.maximum(again, 1e-300)), _MOST_POWER))  # what explodes is held
        later = omega * steps * np.maximum(power, 1) + opening * power
        scale = np.sqrt(np.minimum(np.maximum(opening, later), self._most()) * (horizon / steps))
        largest = (scale * e).max(axis=0)
        growth = largest + np.log(np.exp(scale * e - largest).mean(axis=0)) - scale * e.mean(axis=0)
        return np.asarray(self.drift) * horizon - steps * growth, scale * e.std(axis=0) * math.sqrt(steps)

    def notes(self, horizon: float) -> tuple[str, ...]:
        """Say how much variance is expected to grow, where it does not go back to an average."""
        growth = np.asarray(self.alpha) * (np.asarray(self.residuals) ** 2).mean(axis=0) + np.asarray(self.beta)
        steps = max(1, round(horizon / float(self.dt)))
        times = np.exp(np.minimum(steps * np.log(np.maximum(growth, 1e-300)), _MOST_POWER))
        return tuple(
            f"{asset}: the expected variance grows by {100 * (each - 1):.2g} % a step, {grown:.3g} times within the "
            "horizon; the fewer steps, the surer"
            for asset, each, grown in zip(self.assets, growth, times, strict=True)
            if grown > _NOTED_GROWTH
        )

    def check_grid(self, problems: Problems, horizon: float, steps: int) -> None:
        """Note a step that is not the history's."""
        dt = float(self.dt)
        wanted = max(1, round(horizon / dt))
        if abs(horizon / wanted / dt - 1) > _STRETCH:
            near = max(1, math.floor(horizon / dt))
            whole = f"such as {duration(near * dt)} or {duration((near + 1) * dt)}"
            problems.add("horizon", f"must be near whole steps of this market's history, {whole}")
        elif abs(horizon / steps / dt - 1) > _STRETCH:
            problems.add("steps", f"must be {wanted}: this market moves in the steps of its history, {duration(dt)}")

    def loading(self) -> None:
        """Return None: residuals move the prices."""

    def step(self, real: DTypeLike, span: float) -> NamedTuple:
        """Return the recursion, the residuals and the table of their growth."""
        residuals = np.asarray(self.residuals)
        opening, omega, alpha, beta = (
            np.asarray(value) for value in (self.volatility, self.omega, self.alpha, self.beta)
        )
        most = self._most()
        values = {
            "opening": opening**2, "omega": omega, "alpha": alpha, "beta": beta, "most": most, "drift": self.drift,
            "root": np.sqrt(span), "frequency": 1 / span, "scale": (_NODES - 2) / np.sqrt(most),
        }  # fmt: skip
        growth = np.array([_growth(e, top) for e, top in zip(residuals.T, np.sqrt(most * span), strict=True)])
        spread = np.atleast_2d(np.cov(residuals, rowvar=False, ddof=0))
        return FilteredStep(
            law_of(values, len(self.assets), real),
            np.ascontiguousarray(residuals.T).astype(real),
            growth.astype(real),
            self.block,
            Local(lower_factor(spread).astype(real), np.zeros((len(self.assets), len(self.assets)), real)),
        )

    def _most(self) -> NDArray[np.float64]:
        """Return the variance below which a lane's is held."""
        settled = np.asarray(self.omega) / np.maximum(1 - np.asarray(self.alpha) - np.asarray(self.beta), 1 / _SETTLED)
        return np.asarray(_MOST**2 * np.maximum(np.asarray(self.volatility) ** 2, settled))

    @classmethod
    def fit(
        cls,
        prices: ArrayLike | History,
        *,
        dt: float | str | None = None,
        assets: Sequence[str] | None = None,
        volatility: Literal["garch", "ewma"] = "garch",
        decay: float = 0.94,
        block: int = 1,
    ) -> Fit[Self]:
        """Filter each asset's returns by its volatility, and keep the residuals; open at the last prices.

        Args:
            prices: a history, or [time] or [time, asset], oldest first, evenly spaced, above 0.
            dt: years between two rows, or a text such as "1d"; None with a history, which knows it.
            assets: names of the columns; default: "asset", or "asset 1", "asset 2", ...
            volatility: "garch", by maximum likelihood with Student-t innovations (250 rows; needs arch:
                `pip install "margin-kernel[garch]"`); or "ewma", weighted by `decay` a step back (31 rows). Either
                way volatility, omega and alpha are scaled to the size of the returns (`kernel.Gbm.fit`).
            decay: of "ewma" alone, above 0 and below 1.
            block: steps resampled together; more than 1 where residuals are not independent.

        Returns:
            The market with its errors; its transforms and likelihood are those of the Student-t innovations.

        Raises:
            InvalidInput: naming the rows that cannot be used, or that the history is too short.
            ImportError: without SciPy.

        Example:
            >>> prices = [100.0, 101.0, 99.5, 100.5, 93.0, 92.0, 93.5, 93.0] * 10
            >>> FilteredHistorical.fit(prices, dt=1 / 365, volatility="ewma").market.beta
            array([0.94])
        """
        from kernel.fitting import filtered  # noqa: PLC0415 - SciPy takes long to import

        history = as_history(prices, dt, assets)
        return fitted(cls, history, filtered.estimate(history, volatility, decay, block))


def _growth(residuals: NDArray[np.float64], top: float) -> NDArray[np.float64]:
    """Return log mean exp(s e) over the residuals e, for volatilities s of a step from 0 to `top` and a node more."""
    distinct, counts = np.unique(residuals, return_counts=True)
    nodes = np.arange(_NODES) * (top / (_NODES - 2))
    parts = []
    for part in np.split(nodes, 64):  # a long history would not fit into memory at all nodes at once
        exponents = np.multiply.outer(part, distinct)
        largest = exponents.max(axis=1)
        parts.append(largest + np.log(np.exp(exponents - largest[:, None]) @ (counts / residuals.size)))
    return np.concatenate(parts)

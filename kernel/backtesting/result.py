"""What a backtest returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.backtesting.coverage import (
    conditional_coverage,
    independence,
    proportion_of_failures,
    time_until_first_failure,
)
from kernel.backtesting.noise import Noise, noise
from kernel.backtesting.refit import Refit
from kernel.backtesting.reliability import Reliability
from kernel.backtesting.shortfall import ShortfallVerdict
from kernel.backtesting.traffic_light import TrafficLight, YearlyLight, by_year, last_year, traffic_light
from kernel.backtesting.verdict import Verdict
from kernel.checks.plain import plain
from kernel.tables import Tabular, table_of

if TYPE_CHECKING:
    import pyarrow as pa


class Coverage(NamedTuple):
    """The tests of Value at Risk and Expected Shortfall at one level."""

    level: float
    exceptions: int
    expected: float
    proportion_of_failures: Verdict
    time_until_first_failure: Verdict
    independence: Verdict
    conditional_coverage: Verdict
    shortfall: ShortfallVerdict
    traffic_light: TrafficLight
    """Of all forecasts."""
    last_250: TrafficLight | None
    """Of the last 250; None of fewer."""
    by_year: tuple[YearlyLight, ...]
    """Of the last 500 up to the end of each year; none where the history has no times."""
    noise: Noise
    """What hangs on the Monte Carlo error of Value at Risk."""

    @property
    def holds(self) -> bool:
        """Tell whether conditional coverage, frequency and independence together, does not fail.

        Of right forecasts it fails at most 5%: 3.0% of 250 at 99%, 5.0% of 250 at 95%, 3.8% of 1,000 at 99%. The zone
        is told beside it, and has a size of its own: of 250 right forecasts at 99% it is not green in 10.8%.
        """
        return self.conditional_coverage.word != "fails"


def cover(
    exceptions: NDArray[np.bool_],
    times: NDArray[np.datetime64] | None,
    level: float,
    shortfall: ShortfallVerdict,
    undecided: NDArray[np.bool_],
) -> Coverage:
    """Run every test of one level."""
    light = traffic_light(exceptions, level)
    return Coverage(
        level,
        light.exceptions,
        light.expected,
        proportion_of_failures(exceptions, level),
        time_until_first_failure(exceptions, level),
        independence(exceptions),
        conditional_coverage(exceptions, level),
        shortfall,
        light,
        last_year(exceptions, level),
        () if times is None else by_year(exceptions, times, level),
        noise(exceptions, undecided, times, level),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Backtest(Tabular):
    """Forecasts, what then happened, and what the tests say of them."""

    assets: tuple[str, ...]
    tiers: tuple[str, ...]
    levels: tuple[float, ...]
    horizon: float
    """Years, of each forecast."""
    opening_equity: float
    """Of each day's account; 1 for the default one, so that losses are fractions of it."""
    rows: NDArray[np.int64] = field(repr=False)
    """[forecast] rows of the history at which they open."""
    times: NDArray[np.datetime64] | None = field(repr=False)
    """[forecast] at which the horizons end: a loss is of that day; None where the history has none."""
    losses: NDArray[np.float64] = field(repr=False)
    """[forecast] realised."""
    paths: NDArray[np.int64] = field(repr=False)
    """[forecast] simulated: more where a verdict hung on fewer."""
    value_at_risk: NDArray[np.float64] = field(repr=False)
    """[level, forecast]"""
    value_at_risk_error: NDArray[np.float64] = field(repr=False)
    """[level, forecast] standard errors."""
    expected_shortfall: NDArray[np.float64] = field(repr=False)
    """[level, forecast]"""
    expected_shortfall_error: NDArray[np.float64] = field(repr=False)
    """[level, forecast] standard errors."""
    exceptions: NDArray[np.bool_] = field(repr=False)
    """[level, forecast], true where the loss was above the Value at Risk."""
    undecided: NDArray[np.bool_] = field(repr=False)
    """[level, forecast], true where the loss was within the 95% interval of the Value at Risk."""
    breach_probability: NDArray[np.float64] = field(repr=False)
    """[tier, forecast]"""
    breach_probability_error: NDArray[np.float64] = field(repr=False)
    """[tier, forecast] standard errors."""
    breached: NDArray[np.bool_] = field(repr=False)
    """[tier, forecast], by the closes of the horizon's rows, and by lows and highs where bars judge."""
    breaches: str
    """bars or closes: what they are judged, and were predicted, by."""
    breaches_reason: str
    """Why."""
    by_bars: NDArray[np.bool_] = field(repr=False)
    """[forecast], false: by closes."""
    transforms: NDArray[np.float64] = field(repr=False)
    """[forecast] predicted probability of a loss of at most the realised one."""
    refits: tuple[Refit, ...] = field(repr=False)
    """Which market was fitted when."""
    coverage: tuple[Coverage, ...]
    """[level]"""
    reliability: tuple[Reliability, ...]
    """[tier]"""
    notes: tuple[str, ...]
    """Sentences."""
    provenance: dict[str, Any] = field(repr=False)
    """Versions, seed, settings and their hash."""

    @property
    def markets(self) -> list[str]:
        """Return the market's name behind each forecast."""
        place = np.searchsorted([refit.row for refit in self.refits], self.rows, side="right") - 1
        return [self.refits[k].market for k in place.tolist()]

    def summary(self) -> dict[str, Any]:
        """Return settings, tests and notes as plain values, ready for strict JSON: what is not finite is None."""
        names = [refit.market for refit in self.refits]
        values = {
            "forecasts": self.losses.size,
            "first": None if self.times is None else str(self.times[0].astype("datetime64[s]")),
            "last": None if self.times is None else str(self.times[-1].astype("datetime64[s]")),
            "horizon": self.horizon,
            "assets": self.assets,
            "opening_equity": self.opening_equity,
            "breaches": self.breaches,
            "breaches_reason": self.breaches_reason,
            "refits": {name: names.count(name) for name in dict.fromkeys(names)},
            "levels": [{**_nested(level), "holds": level.holds} for level in self.coverage],
            "tiers": [
                {"tier": tier, **_nested(scored)} for tier, scored in zip(self.tiers, self.reliability, strict=True)
            ],
            "notes": self.notes,
            "provenance": self.provenance,
        }
        summary: dict[str, Any] = plain(values)
        return summary

    def to_arrow(self) -> pa.Table:
        """Return a row for each forecast: time (if known), row, market, loss, transform, paths, by_bars, and by level
        and tier value_at_risk, expected_shortfall, exception, undecided, breach_probability, breached, with errors.

        Its schema carries the provenance as JSON under "margin_kernel".
        """  # noqa: D205 - a list of columns
        columns: dict[str, Any] = {} if self.times is None else {"time": self.times}
        columns |= {"row": self.rows, "market": self.markets, "loss": self.losses}
        for k, level in enumerate(self.levels):
            for name in ("value_at_risk", "value_at_risk_error", "expected_shortfall", "expected_shortfall_error"):
                columns[f"{name}.{level:g}"] = getattr(self, name)[k]
            columns[f"exception.{level:g}"] = self.exceptions[k]
            columns[f"undecided.{level:g}"] = self.undecided[k]
        for k, tier in enumerate(self.tiers):
            for name in ("breach_probability", "breach_probability_error", "breached"):
                columns[f"{name}.{tier}"] = getattr(self, name)[k]
        columns |= {"transform": self.transforms, "paths": self.paths, "by_bars": self.by_bars}
        return table_of(columns, self.provenance)


def _nested(value: Any) -> Any:
    """Return named tuples as dictionaries."""
    if hasattr(value, "_asdict"):
        return {name: _nested(part) for name, part in value._asdict().items()}
    return [_nested(part) for part in value] if isinstance(value, tuple) else value

"""Verdicts that hang on the Monte Carlo error of Value at Risk: when they do, what is done and said about it."""

from __future__ import annotations

import importlib
import itertools
import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

import kernel
from kernel.backtesting import conditional_coverage, traffic_light, z2
from kernel.backtesting.forecast import predict
from kernel.backtesting.noise import noise, on_which
from kernel.backtesting.shortfall import shortfall_test
from kernel.errors import Problems
from kernel.prices.history import History
from kernel.report import backtest as report
from kernel.report.text import to_text
from kernel.simulation.check import check_settings
from tests.test_backtest import DAY, gbm, normal_history
from tests.test_choice import prices_of

DEVIATION = 0.6 * math.sqrt(DAY)
PATHS = 2_000
ERROR = math.sqrt(0.99 * 0.01 / PATHS) / norm.pdf(norm.ppf(0.99))  # of VaR 99%, in deviations of a day


def decided(exceptions: np.ndarray, undecided: np.ndarray) -> list[np.ndarray]:
    """Return every series that there can be: the slow, obvious way."""
    series, free = [], np.flatnonzero(undecided)
    for choice in itertools.product([False, True], repeat=free.size):
        one = exceptions.copy()
        one[free] = choice
        series.append(one)
    return series


@pytest.mark.parametrize(("size", "level"), [(12, 0.9), (60, 0.95), (250, 0.99), (300, 0.98)])
def test_what_hangs_is_what_every_decision_finds(size: int, level: float) -> None:
    """Coverage and zones hang exactly where two of the 2**k ways to decide k losses differ."""
    random, seen = np.random.default_rng(size), set()
    for _ in range(40):
        exceptions = random.random(size) < random.uniform(0.5, 2.5) * (1 - level)
        near = np.flatnonzero(exceptions) + random.integers(-1, 2, np.count_nonzero(exceptions))
        undecided = np.isin(np.arange(size), random.choice([*near, 0, size - 1], random.integers(0, 6)))
        every = decided(exceptions, undecided)
        expected = [] if len({conditional_coverage(one, level).word for one in every}) == 1 else ["coverage"]
        if len({traffic_light(one, level).zone for one in every}) > 1:
            expected.append("zone")
        if size >= 250 and len({traffic_light(one[-250:], level).zone for one in every}) > 1:
            expected.append("zone of the last 250")
        found = noise(exceptions, undecided, None, level)
        assert list(found.hanging) == expected
        counts = [int(one.sum()) for one in every]
        assert (found.undecided, found.fewest, found.most) == (undecided.sum(), min(counts), max(counts))
        seen |= {name in expected for name in ("coverage", "zone")}
    assert seen == {False, True}


def test_the_zone_of_a_year_hangs_on_its_own_forecasts() -> None:
    """A loss of the first 500 days, which decides that year's zone, is walked again; one after them is not."""
    times = np.datetime64("2020-01-01") + np.arange(1_200)
    exceptions, undecided = np.isin(np.arange(1_200), 240 + 30 * np.arange(8)), np.isin(np.arange(1_200), [700, 1_100])
    found = noise(exceptions, undecided, times, 0.99)
    assert found.hanging == ("zone of 2021",)  # eight of 500 are green, nine yellow
    assert np.flatnonzero(on_which(exceptions, undecided, times, 0.99)).tolist() == [700]


def test_too_many_undecided_are_taken_to_hang() -> None:
    """Of more than 200 not every outcome is looked at."""
    assert "coverage" in noise(np.zeros(9_000, bool), np.arange(9_000) < 201, None, 0.99).hanging


# Backtests


def four_and(*further: float) -> History:
    """Return 251 prices with four exceptions at 99%, and further falls by so many errors more than the true VaR."""
    deviations = np.random.default_rng(2).uniform(-1.5, 1.5, 250)
    deviations[[30, 90, 150, 210]] = -4.0
    for k, errors in enumerate(further):
        deviations[60 + 20 * k] = norm.ppf(0.01) - errors * ERROR
    moves = -(DEVIATION**2) / 2 + DEVIATION * deviations
    return History(assets=("A",), prices=prices_of(moves)[-251:], dt=DAY)


def run(history: History, **settings: Any) -> kernel.Backtest:
    """Backtest the market of these prices."""
    return kernel.backtest(history, gbm(), **{"window": 1, "levels": [0.99], "paths": PATHS, **settings})


def test_a_zone_that_hangs_gets_more_paths_until_it_does_not() -> None:
    """The fifth exception, half an error beyond the true VaR, is one: its forecast alone is walked again until sure."""
    found = run(four_and(0.5))
    ((coverage,), more) = found.coverage, np.flatnonzero(found.paths > PATHS)
    assert found.rows[more].tolist() == [60]
    assert found.paths[more] in (16 * PATHS, 64 * PATHS)
    assert coverage.noise == (0, 5, 5, ())
    assert coverage.traffic_light.zone == "yellow"
    assert found.value_at_risk_error[0, more] < found.value_at_risk_error[0].min(initial=1, where=found.paths == PATHS)
    most = int(found.paths.max())
    assert found.notes == (f"1 forecast, on whose noise a verdict hung, had up to {most:,} paths instead of 2,000",)


def test_a_loss_at_the_value_at_risk_stays_undecided_and_is_said() -> None:
    """Up to 64 times the paths do not tell a loss from the VaR that it equals: the result says what hangs on it."""
    found = run(four_and(0.0))
    ((coverage,), told) = found.coverage, found.summary()
    assert found.paths.max() == 64 * PATHS
    assert coverage.noise == (1, 4, 5, ("zone",))
    assert found.undecided.sum() == 1
    assert told["levels"][0]["noise"] == {"undecided": 1, "fewest": 4, "most": 5, "hanging": ["zone"]}
    text = to_text(report.blocks({"history": {"file": "A.csv", "notes": []}, **told}))
    assert (
        "At 99 %, the zone hangs on Monte Carlo noise: 1 of the losses is within the error of the Value at\n"
        "Risk, 4 to 5 are exceptions; use more paths."
    ) in text


def test_what_does_not_hang_is_walked_once() -> None:
    """Two exceptions more or less of 250 leave the zone green: an undecided loss costs nothing, and is counted."""
    history = four_and(0.0)
    moves = np.diff(np.log(history.prices[:, 0]))
    moves[[30, 90]] = 0.0
    found = run(History(assets=("A",), prices=prices_of(moves)[-251:], dt=DAY))
    assert (found.paths == PATHS).all()
    assert found.coverage[0].noise == (1, 2, 3, ())
    assert found.notes == ()


def test_threads_do_not_matter_where_forecasts_are_walked_again() -> None:
    """The same bits on one thread and on four."""
    one, two = (run(four_and(0.5, 0.2, -0.3), threads=threads) for threads in (1, 4))
    assert (one.paths > PATHS).sum() == 3
    for name in ("paths", "value_at_risk", "expected_shortfall", "breach_probability", "transforms"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()
    assert one.coverage == two.coverage


def test_all_of_a_forecast_is_of_its_own_paths() -> None:
    """A forecast walked again is what a backtest with so many paths predicts at its row, seed and all."""
    history = four_and(0.5)
    found = run(history)
    (k,) = np.flatnonzero(found.paths > PATHS).tolist()
    more = run(history, paths=int(found.paths[k]))
    for name in ("value_at_risk", "value_at_risk_error", "expected_shortfall", "breach_probability"):
        assert getattr(found, name)[0, k] == getattr(more, name)[0, k]
    assert found.transforms[k] == more.transforms[k]
    table = found.to_arrow()
    assert table["paths"].to_pylist() == found.paths.tolist()
    assert table["undecided.0.99"].to_pylist() == found.undecided[0].tolist()


def test_z2_takes_each_forecast_once_with_its_own_paths() -> None:
    """The test of Expected Shortfall is that of a loop over forecasts, those walked again among them."""
    found = run(four_and(0.5, 0.0, 0.4), levels=[0.95, 0.99])
    assert (found.paths > PATHS).sum() >= 2
    account = kernel.Account(cash=0.0, positions=[kernel.Linear("A", 1.0)], maintenance_rate=1.0)
    ladder, sums = kernel.Ladder({"half": 0.5}, metric="equity_fraction"), np.zeros((2, PATHS))
    for k, (loss, paths) in enumerate(zip(found.losses.tolist(), found.paths.tolist(), strict=True)):
        stated = {"horizon": DAY, "steps": 1, "paths": paths, "seed": k, "record": "paths", "monitoring": "discrete"}
        settings = check_settings(Problems(), {**stated, "levels": (0.95, 0.99)})
        sums += predict(gbm(), account, ladder, settings, loss, PATHS).contributions
    for k, one in enumerate(found.coverage):
        statistic = z2(found.losses, found.value_at_risk[k], found.expected_shortfall[k], one.level)
        expected = shortfall_test(statistic, 1 - sums[k] / found.losses.size)
        assert one.shortfall.statistic == pytest.approx(expected.statistic)
        assert one.shortfall.critical_value == pytest.approx(expected.critical_value, rel=1e-3)


def test_the_zone_no_longer_depends_on_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """By 2,000 paths a day one series is green for some seeds, yellow for others; walked again it is yellow for all."""
    history, seeds = four_and(0.6), range(0, 10_000, 1_000)
    assert {run(history, seed=seed).coverage[0].traffic_light.zone for seed in seeds} == {"yellow"}
    monkeypatch.setattr(importlib.import_module("kernel.backtesting.roll"), "settle", lambda found, *_: found)
    once = [run(history, seed=seed).coverage[0] for seed in seeds]
    assert {one.traffic_light.zone for one in once} == {"green", "yellow"}
    assert all(one.noise.hanging == ("zone",) for one in once if one.traffic_light.zone == "green")


def test_the_usual_backtest_has_nothing_undecided_that_counts() -> None:
    """At 100,000 paths a day hardly any loss is within the error: these 100 forecasts are walked once."""
    found = kernel.backtest(normal_history(201, seed=1), "gbm", window=100)
    assert (found.paths == 100_000).all()
    assert not any(one.noise.hanging for one in found.coverage)

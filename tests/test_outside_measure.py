"""A measure defined outside the package: right for every kind of sampling, and stated as a limit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

import kernel
from kernel.commands.main import main
from kernel.config.limits import parse_limits
from kernel.measures import MEASURES, Measure, register
from tests.cases import ALARM, GBM, HORIZON, LONG, run, strays
from tests.outside_measure import LOSS_PROBABILITY, loss_probability
from tests.test_cli import CONFIG

SAMPLED: dict[str, dict[str, Any]] = {
    "plain": {"paths": 100_000},
    "summary": {"paths": 100_000, "record": "summary", "levels": (0.5,)},
    "antithetic": {"paths": 100_000, "sampling": "antithetic"},
    "sobol": {"paths": 2**15, "sampling": "sobol"},
    "importance": {"paths": 50_000, "importance": 0.999},
}


@pytest.fixture
def registered() -> Iterator[None]:
    """Register the measure for a test."""
    register(LOSS_PROBABILITY)
    yield
    del MEASURES[LOSS_PROBABILITY.name]


def truth(above: float) -> float:
    """Return the probability that one coin loses more than a sum, in closed form."""
    (volatility,), (drift,) = GBM.volatility, GBM.drift
    mean = (drift - volatility**2 / 2) * HORIZON
    return float(stats.norm.cdf(math.log(1 - above / 60_000.0), mean, volatility * math.sqrt(HORIZON)))


@pytest.mark.parametrize("sampled", SAMPLED)
def test_it_meets_the_closed_form_however_paths_are_sampled(sampled: str) -> None:
    """The probability of a loss is the normal law's, within 4.5 of its stated errors, and its interval holds it."""
    outcome = run(GBM, seed=2, **SAMPLED[sampled])
    for above in (2_000.0, 9_000.0):
        found = loss_probability(outcome, above)
        assert strays(found.value, truth(above), found.standard_error) < ALARM
        assert found.low < found.value < found.high


def test_it_counts() -> None:
    """Of plain paths it is the share that a loop counts, and a summary tells the same wherever it can tell."""
    paths, summary = (run(GBM, paths=20_000, record=record) for record in ("paths", "summary"))
    for above in (8_000.0, 10_000.0):
        assert loss_probability(paths, above).value == sum(one > above for one in paths.loss.tolist()) / 20_000
        assert loss_probability(summary, above) == loss_probability(paths, above)
    with pytest.raises(kernel.InvalidInput, match="bound: is below what this summary kept"):
        loss_probability(summary, 0.0)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(("bound", "code"), [("1%", 1), ("0.99", 0)])
def test_it_is_stated_as_a_limit_of_the_command(tmp_path: Path, bound: str, code: int) -> None:
    """`margin run --fail-if` reads its argument and its bound, and says what it is where it is violated."""
    (tmp_path / "run.toml").write_text(CONFIG, encoding="utf-8")
    limit = f"loss_probability(above=5000) > {bound}"
    paths = ["--set", "simulation.record=paths"]  # a summary may know less than how often so small a sum is lost
    done = CliRunner().invoke(main, ["run", str(tmp_path / "run.toml"), *paths, "--fail-if", limit])
    assert done.exit_code == code
    outcome = kernel.load(tmp_path / "run.toml").simulate(record="paths")
    value, _, low, high = loss_probability(outcome, 5_000.0)
    said = f"violated: {limit}: it is {value:.6g}, 95% interval {low:.6g} to {high:.6g}"
    assert (said in done.stderr) == (code == 1)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("loss_probability() > 1%", "loss_probability needs above"),
        ("loss_probability(below=1) > 1%", "loss_probability takes above, not 'below=1'"),
        ("loss_probability(lots) > 1%", "above must be a number, not 'lots'"),
        ("loss_probability(5) > 1.5", "a probability is from 0 to 1, such as 0.05 or 5%, not 1.5"),
        ("loss_probabilty(5) > 1%", "did you mean loss_probability?"),
    ],
)
def test_what_is_wrong_with_its_limits_is_said(text: str, message: str) -> None:
    """Arguments and bounds are checked as those of every measure."""
    with pytest.raises(kernel.InvalidInput) as refused:
        parse_limits([text])
    assert str(refused.value).endswith(message)


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (Measure("value_at_risk", loss_probability, {"above": "number"}, "probability"), "that no other one has"),
        (Measure("loss probability", loss_probability, {"above": "number"}, "probability"), "an identifier"),
        (Measure("other", loss_probability, {"above": "sum"}, "probability"), "not sum"),
        (Measure("other", loss_probability, {"above": "number"}, "shares"), "not 'shares'"),
    ],
)
def test_what_cannot_be_registered_is_refused(measure: Measure, message: str) -> None:
    """A name that is taken or none, and kinds and units that nothing reads, are named at once."""
    before = dict(MEASURES)
    with pytest.raises(ValueError, match=message):
        register(measure)
    assert before == MEASURES


@pytest.mark.usefixtures("registered")
def test_a_level_of_any_measure_is_kept_by_summaries() -> None:
    """A limit tells the level that a summary must keep from the kind of its argument, not from its name."""
    tail = Measure("tail", kernel.value_at_risk, {"level": "level"}, "currency")
    register(tail)
    try:
        limits = parse_limits(["tail(99.5%) > 1", "loss_probability(1) > 0"])
    finally:
        del MEASURES["tail"]
    assert [limit.level for limit in limits] == [0.995, None]
    assert limits[0].estimate(run(GBM, LONG)) == kernel.value_at_risk(run(GBM, LONG), 0.995)
    assert np.isfinite(limits[0].bound)

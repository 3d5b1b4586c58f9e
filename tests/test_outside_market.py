"""A market defined outside the package: its law, what it may be asked for, and that it leaves nothing in the cache."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest, norminvgauss

import kernel
from tests import processes
from tests.cases import FILTERED, GBM, HESTON, HORIZON, LADDER, LONG, run
from tests.extending import FILES, Nig

NIG = Nig(assets=["BTC"], spot=60_000.0, drift=0.1, tail=8.0, skewness=-2.0, scale=3.0)
PROGRAM = """
import kernel
{imports}
market = {market}
account = kernel.Account(cash=-0.5, positions=[kernel.Linear("A", quantity=1.0)], maintenance_rate=0.01)
outcome = kernel.simulate(market, account, kernel.Ladder({{"call": 2.0}}), horizon=0.1, steps=1, paths=1_000,
                          monitoring="discrete")
from kernel._core.walk import walk
print(float(outcome.loss.std()), sum(walk.stats.cache_hits.values()))
"""
OUTSIDE = {
    "imports": "import outside",
    "market": "outside.Nig(assets=['A'], spot=1.0, tail=8.0, skewness=-2.0, scale=3.0)",
}
INSIDE = {"imports": "", "market": "kernel.Gbm(assets=['A'], spot=1.0, volatility=0.5)"}


def test_it_walks_by_its_own_law() -> None:
    """Log returns of one step, and of ten, are normal inverse Gaussian: p-values above 1e-5 at a fixed seed."""
    size = NIG.scale * HORIZON
    law = norminvgauss(NIG.tail * size, NIG.skewness * size, loc=NIG.log_drift() * HORIZON, scale=size)
    for steps in (1, 10):
        outcome = run(NIG, steps=steps, paths=100_000, monitoring="discrete", precision="double")
        assert outcome.terminal_price is not None
        returns = np.log(outcome.terminal_price[0] / 60_000.0)
        grid = np.linspace(returns.min(), returns.max(), 1_001)  # SciPy integrates for each point
        shares = law.cdf(grid)
        assert kstest(returns, partial(np.interp, xp=grid, fp=shares)).pvalue > 1e-5


@pytest.mark.parametrize("monitoring", [{}, {"monitoring": "continuous"}])
def test_what_says_nothing_of_its_prices_between_steps_is_watched_at_them_alone(monitoring: dict[str, str]) -> None:
    """Continuous monitoring is refused: bridges between the steps of a process that jumps are wrong by a third."""
    with pytest.raises(kernel.InvalidInput, match="monitoring: must be 'discrete' on a Nig"):
        run(NIG, **monitoring)


def test_a_market_that_moves_anew_does_not_inherit_what_is_exact() -> None:
    """A subclass keeps what its base says of its bridges, unless it defines how it moves; then it has to say it."""

    class Same(kernel.Gbm):
        pass

    class Other(kernel.Gbm):
        def step(self, real: object, span: float) -> object:  # type: ignore[override]
            raise NotImplementedError

    class Stated(Other):
        between_steps = "approximate"

    class Moves:
        def step(self, real: object, span: float) -> object:
            raise NotImplementedError

    class Mixed(Moves, kernel.Gbm):  # type: ignore[misc]
        pass

    assert (Same.between_steps, Other.between_steps, Stated.between_steps) == ("exact", "unknown", "approximate")
    assert Mixed.between_steps == "unknown"
    assert {market.between_steps for market in (kernel.Gbm, kernel.Merton, kernel.Kou)} == {"exact"}
    stated = {name: value for name, value in GBM.parameters().items() if name != "model"}
    with pytest.raises(kernel.InvalidInput, match="importance: is for Gbm, Merton and Kou, not Stated"):
        kernel.simulate(Stated(**stated), LONG, LADDER, horizon=0.1, steps=1, paths=100, importance="call")


def _printed(program: dict[str, str], folder: Path) -> tuple[float, int]:
    """Run a program in a fresh process with the cache and the modules of a folder; return the numbers it prints."""
    package = str(Path(kernel.__file__).parents[1])
    paths = os.pathsep.join([str(folder), package])
    environment = {"NUMBA_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": paths}
    call = [sys.executable, "-c", PROGRAM.format(**program)]
    deviation, hits = processes.printed(call, cwd=folder, environment=environment).split()
    return float(deviation), int(hits)


def test_it_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    """Its code is compiled in each process: an edit takes effect, and runs without its module go on as before."""
    module = tmp_path / "outside.py"
    module.write_text(FILES["nig.py"], encoding="utf-8")
    inside, _ = _printed(INSIDE, tmp_path)
    before, _ = _printed(OUTSIDE, tmp_path)
    module.write_text(FILES["nig.py"].replace("math.sqrt(time[i]) * z[i]", "0.0 * z[i]"), encoding="utf-8")
    after, _ = _printed(OUTSIDE, tmp_path)
    module.unlink()
    assert after < 0.5 * before
    assert _printed(INSIDE, tmp_path) == (inside, 1)


def test_what_is_approximated_between_steps_is_noted() -> None:
    """Bridges that are not exact are named in the outcome's notes, where they are used."""
    for market, monitoring, noted in (
        (HESTON, "continuous", True),
        (HESTON, "discrete", False),
        (GBM, "continuous", False),
        (NIG, "discrete", False),
    ):
        notes = " ".join(run(market, monitoring=monitoring, paths=16).notes)
        assert ("between its steps is approximated" in notes) is noted


def test_variance_that_grows_is_noted_in_the_outcome() -> None:
    """Of a market whose expected variance grows beyond a tenth within the horizon the notes say by how much."""
    grown = replace(FILTERED, alpha=0.2, beta=0.9)
    size = (np.asarray(FILTERED.residuals) ** 2).mean()
    for steps in (1, 40):
        notes = " ".join(run(grown, horizon=steps * float(FILTERED.dt), steps=steps, paths=16).notes)
        times = (0.2 * size + 0.9) ** steps
        assert (f"{times:.3g} times within the horizon" in notes) is bool(times > 1.1)


def test_several_assets_are_told_apart_from_one() -> None:
    """Coarse bridges of several assets, and diffusions of which no correlation is stated, are named."""
    account = kernel.Account(cash=0.0, positions=[kernel.Linear(name, 1.0) for name in "AB"], maintenance_rate=0.1)
    for volatility, correlation, coarse in ((0.9, 0.5, True), (0.05, 0.5, False), (0.05, 0.0, False)):
        market = kernel.Gbm(
            assets=["A", "B"], spot=1.0, volatility=volatility, correlation=[[1, correlation], [correlation, 1]]
        )
        notes = kernel.simulate(market, account, kernel.Ladder({"call": 2.0}), horizon=1.0, steps=1, paths=16).notes
        assert any("is bridged approximately on several assets" in note for note in notes) is coarse
        assert any("the diffusions of A, B are independent" in note for note in notes) is (correlation == 0)


@pytest.mark.parametrize("record", ["paths", "summary"])
def test_paths_that_end_at_a_price_of_zero_are_counted_in_the_notes(
    record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variance that explodes takes some paths below what single precision carries: the outcome says how many."""
    monkeypatch.setattr(kernel.FilteredHistorical, "log_moments", lambda *_: None)  # or it would be refused
    wild = replace(FILTERED, alpha=0.6, beta=0.8, volatility=2.0)
    horizon = 150 * float(FILTERED.dt)
    whole = run(wild, horizon=horizon, steps=150, paths=4_000, seed=3)
    assert whole.terminal_price is not None
    zeros = np.count_nonzero(whole.terminal_price[0] == 0)
    assert zeros > 0
    notes = run(wild, horizon=horizon, steps=150, paths=4_000, seed=3, record=record).notes
    assert f"{zeros:,} of 4,000 paths end at a price of 0: single precision carries none so low" in notes
    assert not any("price of 0" in note for note in run(GBM, paths=100).notes)

"""simulate() at the door: what it refuses, how it is interrupted, what it hands over."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import kernel
from kernel.simulation.chunks import chunk_size
from tests import processes
from tests.cases import GBM, LADDER, LONG, run


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"horizon": 0.0, "paths": 0, "steps": 1.5}, ["horizon", "steps", "paths"]),
        ({"horizon": float("inf"), "seed": -1}, ["horizon", "seed"]),
        ({"paths": 2**60}, ["paths"]),
        ({"steps": 2**40}, ["steps"]),
        ({"monitoring": "hourly", "precision": "half", "record": "all"}, ["monitoring", "precision", "record"]),
        ({"levels": (0.9, 1.0)}, ["levels"]),
        ({"threads": 0}, ["threads"]),
        ({"levels": "x"}, ["levels"]),
        ({"levels": []}, ["levels"]),
        ({"executor": 5, "progress": 5}, ["executor", "progress"]),
        ({"paths": "many"}, ["paths"]),
    ],
)
def test_wrong_settings_are_named_together(changes: dict[str, Any], fields: list[str]) -> None:
    """Each wrong setting is named, all of them at once, before anything is simulated."""
    with pytest.raises(kernel.InvalidInput) as caught:
        run(GBM, **changes)
    assert [problem.field for problem in caught.value.problems] == fields


def test_positions_have_to_be_on_assets_of_the_market() -> None:
    """Unknown assets and missing rates are named by position."""
    account = kernel.Account(
        cash=1.0, positions=[kernel.Linear("BTC", 1.0), kernel.Linear("DOGE", 1.0)], maintenance_rate={"ETH": 0.01}
    )
    with pytest.raises(kernel.InvalidInput) as caught:
        run(GBM, account)
    assert [problem.field for problem in caught.value.problems] == [
        "account.maintenance_rate",
        "account.positions[1].asset",
    ]


def test_equity_fraction_needs_equity() -> None:
    """Fractions of an opening equity of nothing are refused."""
    account = kernel.Account(cash=-60_000.0, positions=[kernel.Linear("BTC", 1.0)], maintenance_rate=0.01)
    ladder = kernel.Ladder({"half": 0.5}, metric="equity_fraction")
    with pytest.raises(kernel.InvalidInput, match="above 0, not 0"):
        kernel.simulate(GBM, account, ladder, horizon=1.0, steps=1, paths=1)


def test_parts_of_the_wrong_kind_are_named() -> None:
    """Swapped arguments get a sentence, not an attribute error."""
    with pytest.raises(kernel.InvalidInput, match=r"market: must be a kernel\.Market, not Account"):
        kernel.simulate(LONG, GBM, LADDER, horizon=1.0, steps=1, paths=1)  # type: ignore[arg-type]


def test_a_float_counts_paths_when_it_is_whole() -> None:
    """1e3 paths are a thousand."""
    assert run(GBM, paths=1e3).paths == 1_000


def test_an_outcome_is_an_arrow_stream() -> None:
    """Any Arrow library reads an outcome: losses, prices by asset, times by tier with null for never."""
    outcome = run(GBM, paths=5_000)
    table = pa.table(outcome)
    assert table.column_names == ["loss", "terminal_price.BTC", *(f"breach_time.{tier}" for tier in LADDER.names)]
    assert table["breach_time.call"].null_count == np.isnan(outcome.breach_time[1]).sum()
    assert (table["loss"].to_numpy() == outcome.loss).all()
    assert table.equals(outcome.to_arrow())


def test_provenance_tells_runs_apart() -> None:
    """The hash covers what determines the numbers and nothing else."""
    one, same, other = (run(GBM, paths=10, **extra).provenance for extra in ({}, {"threads": 2}, {"seed": 5}))
    assert one["inputs_blake2b"] == same["inputs_blake2b"] != other["inputs_blake2b"]
    assert one["inputs"]["market"]["volatility"] == [0.65]


def test_an_interrupt_stops_within_half_a_second() -> None:
    """Ctrl-C in the middle of hours of work ends it at the next chunk border."""
    program = (
        "import sys, kernel\nfrom tests.cases import GBM, run\n"
        "def told(done, total):\n    print(done, flush=True)\n"
        "try:\n    run(GBM, paths=10**10, steps=50, record='summary', levels=(0.9999,), progress=told)\n"
        "except KeyboardInterrupt:\n    print('interrupted', flush=True)\n"
    )
    with processes.started([sys.executable, "-c", program]) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        started = time.perf_counter()
        while (line := process.stdout.readline()) not in {"interrupted\n", ""}:
            pass
        assert time.perf_counter() - started < 0.5
    assert line == "interrupted\n"


def test_chunks_are_short_also_where_jumps_are_many() -> None:
    """A thousand jumps a path count as the steps that they take the time of."""
    assert chunk_size(10**8, 1, 1, 1_000.0) <= chunk_size(10**8, 20_000, 1, 0.0)
    assert chunk_size(10**8, 1, 1, 0.2) >= 100_000


def test_a_short_run_has_chunks_for_several_threads() -> None:
    """A million paths of one step, or thousands of many, are chunks for many threads; few paths are one chunk."""
    assert 10**6 / chunk_size(10**6, 1, 1, 0.2) >= 15
    assert 40_000 / chunk_size(40_000, 252, 1, 0.0) >= 8
    assert chunk_size(10_000, 1, 1, 0.2) >= 10_000


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's peak memory of a process")
def test_memory_stays_flat(tmp_path: Path) -> None:
    """A hundred million paths as a summary take at most 200 MB more than a million."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom tests.cases import GBM, run\n"
        "run(GBM, paths=int(sys.argv[1]), record='summary', levels=(0.99, 0.999))\n"
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])\n"
    )
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    call = [sys.executable, str(tmp_path / "program.py")]
    peaks = [int(processes.printed([*call, paths])) for paths in ("1000000", "100000000")]
    assert peaks[1] - peaks[0] < 200 * 1024


CALL_OUT = {"call": 2.0, "liquidation": 1.0}


@pytest.mark.parametrize(
    ("cash", "tiers", "notes"),
    [
        (-59_000.0, CALL_OUT, ()),
        (-59_400.0, CALL_OUT, ("the account opens in breach of call, at margin_ratio 2: it breaches at time 0",)),
        (
            -59_700.0,
            {"warning": 5.0, **CALL_OUT},
            ("the account opens in breach of every tier, at margin_ratio 1: each breaches at time 0",),
        ),
        (
            -59_850.0,
            {"warning": 5.0, "call": 2.0, "out": 0.1},
            ("below its requirement of 300, with an equity of 150", "breach of warning, call, at margin_ratio 0.5:"),
        ),
        (-60_000.0, {"out": -0.5}, ("opens insolvent, with an equity of 0",)),
        (
            -61_000.0,
            CALL_OUT,
            ("opens insolvent, with an equity of -1,000", "breach of every tier, at margin_ratio -3.333"),
        ),
    ],
)
def test_an_opening_that_settles_something_is_noted(cash: float, tiers: dict[str, float], notes: tuple[str]) -> None:
    """No equity, a requirement not met, tiers breached from the start: each is a sentence, also of a summary."""
    account = kernel.Account(cash=cash, positions=[kernel.Linear("BTC", 1.0)], maintenance_rate=0.005)
    for record in ("paths", "summary"):
        outcome = kernel.simulate(GBM, account, kernel.Ladder(tiers), horizon="5d", steps=1, paths=100, record=record)
        assert len(outcome.notes) == len(notes)
        assert all(part in note for part, note in zip(notes, outcome.notes, strict=True))
        certain = [tier for tier in tiers if kernel.breach_probability(outcome, tier, by=0.0).value == 1]
        breached = next((note for note in outcome.notes if "in breach of" in note), "")
        assert [tier for tier in tiers if tier in breached or "every tier" in breached] == certain


def test_a_fraction_of_the_equity_opens_at_one() -> None:
    """A tier at the whole opening equity is breached at once, and noted; several assets are as one."""
    market = kernel.Gbm(assets=["A", "B"], spot=100.0, volatility=0.5)
    account = kernel.Account(cash=10.0, positions=[kernel.Linear("B", -1.0, 100.0)], maintenance_rate=0.01)
    ladder = kernel.Ladder({"all": 1.0, "half": 0.5}, metric="equity_fraction")
    outcome = kernel.simulate(market, account, ladder, horizon="5d", steps=1, paths=100)
    assert outcome.notes[0].startswith(
        "the account opens in breach of all, at equity_fraction 1: it breaches at time 0"
    )

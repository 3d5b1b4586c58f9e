"""Inputs at random: a few of each kind here, many behind the slow marker; `docs/robustness.md` counts them."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from kernel.simulation import simulate
from tests.fuzz.harness import Fuzzer, Tally, run_all
from tests.fuzz.kinds import KINDS

FEW = {"configs": 150, "prices": 250, "options": 120, "calls": 300}


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_few_inputs(kind: type[Fuzzer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every input succeeds with legitimate numbers or is refused in plain lines; there are some of both."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(simulate, "new_job", simulate.new_job)  # back after a fuzzer's cap on work
    tally, fuzzer = Tally(), kind(tmp_path, quick=True)
    for index in range(FEW[kind.name]):
        tally.add(fuzzer.try_one(0, index))
    assert not tally.reasons, str(tally)
    assert tally.outcomes["success"] > 0
    assert tally.outcomes["refused"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_many_inputs(kind: type[Fuzzer]) -> None:
    """So does every one of thousands, each within five seconds of processor time and a gigabyte."""
    tally = Tally()
    for verdict in run_all(kind, 1, 3_000):
        tally.add(verdict)
    assert not tally.reasons, str(tally)


class Wrong(Fuzzer):
    """Inputs that fail in every way there is."""

    name, seconds = "wrong", 0.5

    def __init__(self, folder: Path, *, quick: bool = False) -> None:
        super().__init__(folder, quick=quick)
        self.ways = iter((self._raise, self._go_on, self._take, self._die))

    def draw(self, chance: random.Random) -> Callable[[], object]:
        return next(self.ways)

    def attempt(self, drawn: Callable[[], object]) -> bool:
        return bool(drawn())

    def _raise(self) -> None:
        raise KeyError(self.name)

    def _go_on(self) -> None:
        while self.name:
            pass

    def _take(self) -> bytearray:
        return bytearray(2**31)

    def _die(self) -> None:
        os._exit(7)


def test_faults_are_seen() -> None:
    """A traceback, an endless loop, too much memory and a process that dies are each a fault."""
    verdicts = list(run_all(Wrong, 0, 4, processes=1))
    assert [one.index for one in verdicts] == [0, 1, 2, 3]
    assert all(one.outcome == "fault" for one in verdicts)
    whys = ["KeyError", "OutOfTimeError", "MemoryError", "the process died: 7"]
    assert all(one.reason.startswith(why) for one, why in zip(verdicts, whys, strict=True))

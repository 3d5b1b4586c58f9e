"""Inputs drawn at random and tried one by one, each within its time and memory, in a process of its own.

An input's draw depends on the fuzzer's name, the seed and its number alone, so that any of them can be tried again.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import resource
import shutil
import signal
import tempfile
import time
import traceback
import warnings
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from kernel.errors import InvalidInput

SECONDS = 5.0  # of processor time, which others on the machine do not take
PATIENCE = 60.0  # seconds in all: what waits takes no processor time
MEMORY = 2**30  # bytes
_SETTING_UP = 1_800.0  # seconds, with compiling
LONGEST = 2_000  # characters of one line of a message
_SHOWN = 400  # characters of an input in a report


class FaultError(AssertionError):
    """What must not happen to an input that does not raise: a wrong success, a refusal that does not read well."""


class OutOfTimeError(BaseException):
    """Not an Exception, so that nobody takes it for one of his own."""


class Verdict(NamedTuple):
    """What became of an input."""

    index: int
    outcome: str
    """success, refused, or fault."""
    shown: str = ""
    """The input, of a fault."""
    reason: str = ""
    """The fault: its last line, and where it was raised; alike for faults of one kind."""
    trace: str = ""
    seconds: float = 0.0
    memory: int = 0
    """Bytes that the process grew by at its most."""


class Fuzzer(ABC):
    """A kind of inputs."""

    name: str
    seconds = SECONDS

    def __init__(self, folder: Path, *, quick: bool = False) -> None:
        """Take a folder to write in; whoever sets this up also compiles what inputs need.

        Args:
            folder: of its own.
            quick: leave out what needs kernels that other tests do not compile, and what takes long.
        """
        self.folder, self.quick = folder, quick

    @abstractmethod
    def draw(self, chance: random.Random) -> Any:
        """Return an input."""

    @abstractmethod
    def attempt(self, drawn: Any) -> bool:
        """Try an input: whether it succeeded, with legitimate numbers; False if it was refused.

        Raises:
            FaultError: for a wrong success, or a refusal that does not read well.
            InvalidInput: if it was refused.
        """

    def show(self, drawn: Any) -> str:
        """Write an input for people."""
        return repr(drawn)

    def try_one(self, seed: int, index: int) -> Verdict:
        """Draw an input and try it."""
        chance = random.Random(f"{self.name} {seed} {index}")  # noqa: S311 - no secret
        drawn = self.draw(chance)
        start = time.perf_counter()
        try:
            with _limited(self.seconds), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    outcome = "success" if self.attempt(drawn) else "refused"
                except InvalidInput as invalid:
                    check_lines(list(map(str, invalid.problems)))
                    outcome = "refused"
        except (Exception, OutOfTimeError, SystemExit) as error:  # noqa: BLE001 - that is what is looked for
            return Verdict(
                index, "fault", self._shown(drawn), _reason(error), traceback.format_exc(), time.perf_counter() - start
            )
        return Verdict(index, outcome, seconds=time.perf_counter() - start)

    def _shown(self, drawn: Any) -> str:
        try:
            text = self.show(drawn)
        except Exception as error:  # noqa: BLE001 - odd inputs
            text = f"(cannot be shown: {type(error).__name__})"
        text = text.encode("utf-8", "backslashreplace").decode()
        return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]} ... {text[-_SHOWN // 2 :]}"


def check_lines(lines: list[str]) -> None:
    """Check that a refusal reads well: some lines, none of them empty, broken, endless or with control characters.

    Raises:
        FaultError: if it does not.
    """
    if not lines:
        raise FaultError("refused without a word")
    for line in lines:
        if not line.strip():
            raise FaultError("a problem without words")
        if len(line) > LONGEST:
            raise FaultError(f"a problem of more than {LONGEST} characters: {line[:80]}")
        if not line.isprintable():
            raise FaultError(f"a problem of more than one line, or with control characters: {line[:200]!r}")


def _reason(error: BaseException) -> str:
    """Name a fault, and the innermost place of the package that it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if "/kernel/" in frame.filename] or frames
    at = f"{Path(inside[-1].filename).name}:{inside[-1].lineno} {inside[-1].name}" if inside else "?"
    what = str(error).splitlines()[0][:100] if isinstance(error, FaultError) and str(error) else ""
    return f"{type(error).__name__}{f' {what}' if what else ''} at {at}"


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _memory(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    return 0


def _work(kind: type[Fuzzer], seed: int, span: range, out: Connection) -> None:
    """Try a span of inputs; the process may be killed at any of them, and tells beforehand which it is at."""
    pa.set_memory_pool(pa.system_memory_pool())  # others set aside gigabytes of addresses
    folder = Path(tempfile.mkdtemp())
    os.chdir(folder)
    try:
        fuzzer = kind(folder)
        gc.collect()
        for index in span:
            out.send(index)
            limit = _memory("VmData") + MEMORY  # of each input: what libraries keep for the next is not its own
            resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))
            Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak begins anew
            before = _memory("VmRSS")
            verdict = fuzzer.try_one(seed, index)
            out.send(verdict._replace(memory=max(_memory("VmHWM") - before, 0)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Worker:
    """A process that tries a span of inputs."""

    def __init__(self, kind: type[Fuzzer], seed: int, span: range) -> None:
        context = multiprocessing.get_context("spawn")
        self.seed, self.span, self.at = seed, span, span.start
        self.here, there = context.Pipe(duplex=False)
        self.process = context.Process(target=_work, args=(kind, seed, span, there), daemon=True)
        self.process.start()
        there.close()
        self.deadline = time.monotonic() + _SETTING_UP

    def verdict(self) -> Verdict | None:
        """Wait a little for news of the process; None: no verdict yet."""
        try:
            message = self.here.recv() if self.here.poll(0.02) else None
        except EOFError:
            self.process.join()
            return self._ended(f"the process died: {self.process.exitcode}")
        if isinstance(message, Verdict):
            self.at = message.index + self.span.step
            return message
        if message is not None:
            self.at, self.deadline = message, time.monotonic() + PATIENCE
        return self._ended("hangs") if time.monotonic() > self.deadline else None

    def _ended(self, why: str) -> Verdict:
        self.process.kill()
        self.process.join()
        self.at += self.span.step
        shown = f"seed {self.seed}, number {self.at - self.span.step}"
        return Verdict(self.at - self.span.step, "fault", shown, why)

    @property
    def left(self) -> range:
        """Return the inputs that are still to be tried."""
        return range(self.at, self.span.stop, self.span.step)


def run_all(kind: type[Fuzzer], seed: int, count: int, *, first: int = 0, processes: int = 2) -> Iterator[Verdict]:
    """Try inputs in processes of their own; one that dies or hangs is a fault, and the next goes on."""
    spans = [range(first + k, first + count, processes) for k in range(min(processes, count))]
    running = [_Worker(kind, seed, span) for span in spans]
    while running:
        for worker in list(running):
            verdict = worker.verdict()
            if verdict is None:
                continue
            yield verdict
            if worker.left and worker.process.exitcode is None:
                continue
            running.remove(worker)
            worker.process.join()
            if worker.left:
                running.append(_Worker(kind, seed, worker.left))


class Tally:
    """What became of many inputs."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.examples: dict[str, Verdict] = {}
        self.slowest = self.largest = Verdict(-1, "none")

    def add(self, verdict: Verdict) -> None:
        """Count one."""
        self.outcomes[verdict.outcome] += 1
        if verdict.seconds > self.slowest.seconds:
            self.slowest = verdict
        if verdict.memory > self.largest.memory:
            self.largest = verdict
        if verdict.outcome == "fault":
            self.reasons[verdict.reason] += 1
            self.examples.setdefault(verdict.reason, verdict)

    def __str__(self) -> str:
        slowest = f"slowest {self.slowest.seconds:.2f} s (number {self.slowest.index})"
        largest = f"most memory {self.largest.memory / 2**20:.0f} MiB (number {self.largest.index})"
        lines = [f"{dict(self.outcomes)}; {slowest}; {largest}"]
        for reason, count in self.reasons.most_common():
            example = self.examples[reason]
            lines.append(f"{count:6d} {reason}\n       number {example.index}: {example.shown}")
        return "\n".join(lines)

"""The cases of a benchmark run, by name, and how their figures are written."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from kernel.report.numbers import three_figures

_NS = 1e9


class UnusableError(Exception):
    """A run that no report can be made of; the message says why, and what to do."""


class Case(NamedTuple):
    """What one benchmark took: seconds of a call, over its rounds, and what it noted of its work."""

    name: str
    median: float
    low: float  # quartiles
    high: float
    info: dict[str, Any]

    def noted(self, key: str) -> Any:
        """Return something that the benchmark noted.

        Raises:
            UnusableError: if it did not.
        """
        if key not in self.info:
            raise UnusableError(f"the case {self.name!r} has no {key!r} in its extra_info: run bench anew")
        return self.info[key]

    def ns(self, work: str = "steps") -> float:
        """Return nanoseconds for each unit of work."""
        return _NS * self.median / float(self.noted(work))

    def spread(self, work: str = "steps") -> str:
        """Write nanoseconds for each unit of work, with quartiles."""
        scale = _NS / float(self.noted(work))
        return _written(*(scale * one for one in self[1:4]))

    def seconds(self) -> str:
        """Write seconds or milliseconds, with quartiles."""
        scale, unit = (1, "s") if self.median >= 1 else (1e3, "ms")
        return _written(*(scale * one for one in self[1:4])).replace(" ", f" {unit} ", 1)


def _written(median: float, low: float, high: float) -> str:
    return f"{three_figures(median)} ({three_figures(low)} to {three_figures(high)})"


def ratio(value: float) -> str:
    """Write how many times one thing is another."""
    return f"{value:.2f}x" if value < 9.995 else f"{value:.1f}x" if value < 99.95 else f"{value:,.0f}x"


class Run:
    """A benchmark run: its machine, and its cases by name."""

    def __init__(self, report: dict[str, Any]) -> None:
        stated = [_case(one) for one in report["benchmarks"]]
        twice = [name for name, count in Counter(case.name for case in stated).items() if count > 1]
        if twice:
            raise UnusableError(f"two cases are called {twice[0]!r}: a run has each name once")
        self._cases = {case.name: case for case in stated}
        self.machine: dict[str, Any] = report["machine_info"]
        self.date: str = report["datetime"][:10]

    def __getitem__(self, name: str) -> Case:
        if name not in self._cases:
            raise UnusableError(f"the run has no case {name!r}: run all of bench, and look at what it skipped and why")
        return self._cases[name]

    def find(self, name: str) -> Case | None:
        """Return a case that may be absent, such as that of a contender that is not installed."""
        return self._cases.get(name)

    def over(self, name: str, other: str, work: str = "steps") -> str:
        """Write how many times as long a case takes as another, for each unit of work."""
        return ratio(self[name].ns(work) / self[other].ns(work))

    def sized(self, start: str) -> list[Case]:
        """Return the cases whose name is a start and a whole number, by that number."""
        found = {name.removeprefix(start): case for name, case in self._cases.items() if name.startswith(start)}
        return [found[count] for count in sorted((one for one in found if one.isdigit()), key=int)]


def _case(benchmark: dict[str, Any]) -> Case:
    info, stats = benchmark["extra_info"], benchmark["stats"]
    return Case(info.get("name", benchmark.get("name", "")), stats["median"], stats["q1"], stats["q3"], info)


def read(path: Path) -> Run:
    """Read what `pytest bench --benchmark-json` wrote.

    Raises:
        UnusableError: for what is not such a file.
    """
    try:
        return Run(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UnusableError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableError(f"{path} is not what pytest --benchmark-json writes: {error}") from error

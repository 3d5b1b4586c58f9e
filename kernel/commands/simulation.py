"""What the commands share that simulate a config: all checks first, then the paths."""

# ruff: noqa: PLC0415 - imports inside functions: a page of help waits for none of them

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kernel.commands.group import seconds_since_start
from kernel.commands.output import progress

if TYPE_CHECKING:
    from kernel.config.run import Run
    from kernel.errors import Problems
    from kernel.report.introduction import Took
    from kernel.simulation.outcome import Outcome

T = TypeVar("T")
_ELSEWHERE = {"drift": "market.drift"}  # options that state no setting of the simulation


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a command line says of a simulation, by the options of `simulation_options`."""

    config: Path
    market: Path | None
    overrides: Sequence[str]
    executor: str | None
    quiet: bool
    settings: Mapping[str, str | Sequence[str] | None]
    """By the names of further options: what stands in for values of the config."""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Request:
        """Take a request from the options of a command."""
        own = {name: options[name] for name in ("config", "market", "overrides", "executor", "quiet")}
        return cls(**own, settings={name: value for name, value in options.items() if name not in own})

    def prepare(
        self,
        parse: Callable[[Run | None], T],
        output: Path | None = None,
        plot: Path | None = None,
        *,
        paths: bool,
    ) -> tuple[Run, T]:
        """Check all that can be checked before simulating.

        Args:
            parse: reads what the command asks besides, of the run as far as the config is right.
            output: file to write, if any.
            plot: figure to write, if any.
            paths: whether every path has to be kept.

        Raises:
            InvalidInput: with everything that has to be mended.
        """
        from kernel.config.load import load
        from kernel.errors import Problems
        from kernel.tables import check_output

        problems, run, parsed = Problems(), None, None
        given = {name: _toml(value) for name, value in self.settings.items() if value not in {None, ()}}
        stated = [f"{_ELSEWHERE.get(name, f'simulation.{name}')}={value}" for name, value in given.items()]
        with problems.under(""):
            run = load(self.config, [*self.overrides, *stated], self.market)
        with problems.under(""):
            parsed = parse(run)
        read = run.files if run else [self.config]
        if output is not None:
            with problems.under(""):
                check_output(output, spared=read, stdout=True)
        if plot is not None:
            with problems.under(""):
                _check_plot(plot, read)
        if paths and run is not None and run.simulation.get("record") == "summary":
            problems.add("simulation.record", "must be 'paths' for what is to be written, or left out")
        self._check_executor(problems, "threads" in given)
        problems.raise_any()
        assert run is not None  # noqa: S101 - or there were problems
        assert parsed is not None  # noqa: S101 - as above
        return run, parsed

    def _check_executor(self, problems: Problems, threads: bool) -> None:
        if self.executor is None:
            return
        from kernel.simulation.execution.pools import parse_executor

        with problems.under(""):
            parse_executor(self.executor)
        if threads:
            problems.add("threads", "are of no use to --executor: leave out one of them")

    def simulate(self, run: Run, *, paths: bool, **keywords: Any) -> tuple[Outcome, Took]:
        """Simulate a run; return the outcome and the time that it took.

        Args:
            run: that was prepared.
            paths: whether every path is kept.
            keywords: of `kernel.simulate`, in place of what the config states.
        """
        from kernel.report.introduction import Took
        from kernel.simulation.execution.pools import open_executor, parse_executor

        if paths:
            keywords["record"] = "paths"
        start = time.perf_counter()
        with ExitStack() as opened:
            if self.executor is not None:
                keywords["executor"] = opened.enter_context(open_executor(parse_executor(self.executor)))
            update, kernels = opened.enter_context(progress("paths", quiet=self.quiet))
            outcome = run.simulate(**keywords, progress=update)
        seconds = time.perf_counter() - start
        return outcome, Took(seconds, kernels.seconds, kernels.compiled, seconds_since_start())


def _toml(value: str | Sequence[str] | None) -> str | None:
    """Return what an option states as a TOML value, also where it may be given again."""
    if value is None or isinstance(value, str):
        return value
    return value[0] if len(value) == 1 else json.dumps(list(value))


def _check_plot(plot: Path, read: Iterable[Path]) -> None:
    """Check that a figure can be drawn and written."""
    from kernel.figures import SUFFIXES, check_plot
    from kernel.tables import check_output

    check_output(plot, read, suffixes=SUFFIXES, field="plot")
    check_plot()

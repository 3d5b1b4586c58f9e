"""The settings of a simulation, each declared once: checks, config sections and command options follow from it.

It imports nothing that takes long: the command's help is written from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from concurrent.futures import Executor

REQUIRED: Final = object()


class Setting(NamedTuple):
    """A keyword of `simulate`, as it is declared."""

    name: str
    kind: str
    """Of its value: duration, number (a whole one), word, target (a tier or a level) or times; of what only Python
    states also levels, executor or progress."""
    default: Any = REQUIRED
    choices: tuple[str, ...] = ()
    """Of a word."""
    bounds: tuple[int, int] = (0, 0)
    """Of a number: the least and the most that it may be."""
    metavar: str = ""
    """What its option shows in place of the choices; an option it has if there is a help."""
    help: str = ""
    determines: bool = True
    """Whether the numbers of an outcome depend on it, and so the hash of its inputs."""


def _setting(kind: str, default: Any = REQUIRED, **described: Any) -> dict[str, Any]:
    """Declare a setting, but for its name; the default stands here, since a `Settings` states every one, checked."""
    return {"kind": kind, "default": default, **described}


@dataclass(frozen=True, kw_only=True, eq=False)
class Settings:
    """What is asked of a simulation beside its market, account and ladder, checked: `check_simulation` makes it.

    Its fields are keyword arguments of `simulate`, of which it makes the same settings again.
    """

    horizon: float = field(metadata=_setting("duration"))
    """Years."""
    steps: int = field(metadata=_setting("number", bounds=(1, 2**34)))
    paths: int = field(
        metadata=_setting("number", bounds=(1, 2**56), metavar="N", help="Number of paths, such as 1e6.")
    )
    seed: int = field(
        metadata=_setting("number", 0, bounds=(0, 2**64 - 1), metavar="N", help="Seed of the random numbers.")
    )
    monitoring: str = field(
        metadata=_setting(
            "word", "continuous", choices=("continuous", "discrete"), help="When breaches are looked for."
        )
    )
    precision: str = field(
        metadata=_setting("word", "single", choices=("single", "double"), help="Precision of the walk.")
    )
    record: str = field(metadata=_setting("word", None, choices=("paths", "summary")))
    """None, where it is not stated: the least that the estimates need."""
    sampling: str = field(
        metadata=_setting("word", "plain", choices=("plain", "antithetic", "sobol"), help="How normals are drawn.")
    )
    worst: tuple[float, ...] = field(
        metadata=_setting(
            "times",
            False,
            metavar="DURATION|true",
            help="Keep the lowest metric by a time such as 1d, again for more, or over the horizon (true).",
        )
    )
    """Years, each the end of a step; of True the horizon."""
    importance: str | float | None = field(
        metadata=_setting(
            "target",
            None,
            metavar="TIER|LEVEL",
            help="Lead paths to a tier, or to losses beyond a level such as 0.9999, and weigh them.",
        )
    )
    levels: tuple[float, ...] = field(metadata=_setting("levels", (0.95, 0.975, 0.99, 0.995, 0.999)))
    threads: int | None = field(
        metadata=_setting(
            "number",
            None,
            bounds=(1, 4096),
            metavar="N",
            help="Threads; default: all available processors.",
            determines=False,
        )
    )
    executor: Executor | None = field(metadata=_setting("executor", None, determines=False))
    progress: Callable[[int, int], None] | None = field(metadata=_setting("progress", None, determines=False))

    @property
    def worst_steps(self) -> tuple[int, ...]:
        """Return the steps after which the worst metric is kept."""
        return tuple(round(time / self.horizon * self.steps) for time in self.worst)

    def keywords(self) -> dict[str, Any]:
        """Return them as keyword arguments of `simulate`."""
        return {name: getattr(self, name) for name in DECLARED}


DECLARED: Final = {field.name: Setting(field.name, **field.metadata) for field in fields(Settings)}
"""Every keyword of `simulate`, by name."""
SETTINGS: Final = tuple(
    setting for setting in DECLARED.values() if setting.kind not in {"levels", "executor", "progress"}
)
"""Those that a config file's section on the simulation may state."""
OPTIONS: Final = tuple(setting for setting in SETTINGS if setting.help)
"""Those that the command has an option for."""


def least_record(settings: Mapping[str, Any]) -> str:
    """Return which record the estimates of a simulation need.

    Args:
        settings: as they are stated; what is left out stands for its default.

    Example:
        >>> least_record({"sampling": "plain", "importance": "call"})
        'paths'
    """
    sampling, importance = (settings.get(name, DECLARED[name].default) for name in ("sampling", "importance"))
    plain = isinstance(sampling, str) and sampling == "plain"
    return "summary" if plain and importance is None else "paths"

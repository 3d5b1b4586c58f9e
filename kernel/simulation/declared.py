"""The settings of a simulation, each declared once: config files, the command line and the checks follow."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

REQUIRED: Final = object()


class Setting(NamedTuple):
    """A keyword of `simulate` that a config file may state."""

    name: str
    kind: str
    """Of its value in a file: duration, number, word, target (a tier or a level) or times."""
    default: Any = REQUIRED
    choices: tuple[str, ...] = ()
    """Of a word."""
    metavar: str = ""
    """What its option shows in place of the choices; an option it has if there is a help."""
    help: str = ""


SETTINGS = (
    Setting("horizon", "duration"),
    Setting("steps", "number"),
    Setting("paths", "number", metavar="N", help="Number of paths, such as 1e6."),
    Setting("seed", "number", 0, metavar="N", help="Seed of the random numbers."),
    Setting("monitoring", "word", "continuous", ("continuous", "discrete"), help="When breaches are looked for."),
    Setting("precision", "word", "single", ("single", "double"), help="Precision of the walk."),
    Setting("record", "word", None, ("paths", "summary")),  # None: as much as the rest needs
    Setting("sampling", "word", "plain", ("plain", "antithetic", "sobol"), help="How normals are drawn."),
    Setting(
        "importance",
        "target",
        None,
        metavar="TIER|LEVEL",
        help="Lead paths to a tier, or to losses beyond a level such as 0.9999, and weigh them.",
    ),
    Setting(
        "worst",
        "times",
        False,
        metavar="DURATION|true",
        help="Keep the lowest metric by a time such as 1d, again for more, or over the horizon (true).",
    ),
    Setting("threads", "number", None, metavar="N", help="Threads; default: all available processors."),
)
OPTIONS = tuple(one for one in SETTINGS if one.help)


def least_record(settings: dict[str, Any]) -> str:
    """Return which record the estimates of a simulation need.

    Example:
        >>> least_record({"sampling": "plain", "importance": "call"})
        'paths'
    """
    plain = isinstance(settings["sampling"], str) and settings["sampling"] == "plain"
    return "summary" if plain and settings["importance"] is None else "paths"

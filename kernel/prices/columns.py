"""Which columns of a file are prices, and of what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kernel import checks
from kernel.checks.text import brief, near
from kernel.errors import Problems
from kernel.prices.fields import CLOSES, Field, places_of
from kernel.prices.figures import Figures
from kernel.tables import MOST_COLUMNS, Sheet

_SHOWN = 12  # columns

Columns = str | Sequence[str] | Mapping[str, str] | None


class Chosen(NamedTuple):
    """Columns of prices by their assets."""

    places: dict[str, int]
    """In the header."""
    file_asset: str
    """What the file as such is called: the symbol that it states on every row, or its name without suffixes."""
    notes: tuple[str, ...] = ()


def choose(problems: Problems, figures: Figures, fields: Sequence[Field], file_asset: str, columns: Columns) -> Chosen:
    """Take the columns that are stated, or find them out; note what is missing or ambiguous."""
    chosen = _chosen(problems, figures, fields, file_asset, columns)
    if len(chosen.places) <= checks.MOST_ASSETS:
        return chosen
    message = f"{figures.sheet.name} has {len(chosen.places):,} assets: name at most {checks.MOST_ASSETS:,} of them"
    problems.add("columns", message)
    return Chosen({}, file_asset)


def _chosen(problems: Problems, figures: Figures, fields: Sequence[Field], file_asset: str, columns: Columns) -> Chosen:
    if columns is None:
        return _find(problems, figures, fields, file_asset)
    listed = (
        list(columns) if isinstance(columns, Mapping) else checks.listed(problems, "columns", columns, MOST_COLUMNS)
    )
    named = [columns[name] for name in listed] if isinstance(columns, Mapping) else listed
    if not all(isinstance(name, str) for name in (*listed, *named)):
        what = "must be a column's name, a list of them, or a mapping from assets"
        problems.add("columns", f"{what}, not {brief(columns)}")
        return Chosen({}, file_asset)
    if not listed and not problems.found:
        problems.add("columns", "must name at least one column of prices")
    places: dict[str, int] = {}
    for name, column in zip(listed, named, strict=True):
        place = _place(problems, figures.sheet, column)
        if place is not None and isinstance(columns, Mapping):
            places[name] = place
        elif place is not None:
            places[_asset(fields[place], column, file_asset if len(listed) == 1 else column)] = place
    return Chosen(places, file_asset)


def _place(problems: Problems, sheet: Sheet, name: str) -> int | None:
    """Return the place of a column, or of the only one that is so called behind its asset's name."""
    if sheet.header.count(name) == 1:
        return sheet.header.index(name)
    if name in sheet.header:
        problems.add("columns", f"{sheet.name} has more than one column {name!r}")
        return None
    behind = [place for place, title in enumerate(sheet.header) if title.endswith(f":{name}")]
    if len(behind) != 1:
        problems.add("columns", f"{sheet.name} has no column {name!r}{near(name, sheet.header)}")
        return None
    return behind[0]


def _asset(field: Field, column: str, otherwise: str) -> str:
    """Name an asset after its column, unless that is but a field of bars."""
    return field.asset or (otherwise if field.role not in {"", "other"} else column)


def _find(problems: Problems, figures: Figures, fields: Sequence[Field], file_asset: str) -> Chosen:
    """Find prices: bars or closes of one asset or of several, or numbers in columns that are called as assets are."""
    assets = list(dict.fromkeys(field.asset for field in fields if field.asset and field.role in CLOSES))
    own = [place for place, field in enumerate(fields) if not field.asset and field.role in CLOSES]
    if not assets and own:
        assets = [""]
    places, notes, by_field = dict[str, int](), list[str](), places_of(fields)
    for asset in assets:
        place = _closing(notes, figures.sheet, by_field, asset)
        if place is None:
            return _asked(problems, figures, fields, file_asset)
        places[asset or file_asset] = place
    if not assets:
        places = _called(figures, fields)
    return Chosen(places, file_asset, tuple(notes)) if places else _asked(problems, figures, fields, file_asset)


def _closing(notes: list[str], sheet: Sheet, by_field: Mapping[Field, list[int]], asset: str) -> int | None:
    """Return the best closing price of an asset's columns; None: two are equally good."""
    by_role = {role: by_field.get(Field(role, asset), []) for role in CLOSES}
    role = next(role for role in CLOSES if by_role[role])
    if len(by_role[role]) > 1 or (role == "adjusted" and len(by_role["close"]) > 1):
        return None
    place = by_role[role][0]
    if role == "adjusted" and by_role["close"]:
        raw = sheet.header[by_role["close"][0]]
        notes.append(f"{sheet.header[place]!r} is taken, not {raw!r}: it counts dividends and splits.")
    return place


def _called(figures: Figures, fields: Sequence[Field]) -> dict[str, int]:
    """Return the columns of numbers whose names may be assets'; none beside numbers that are known as something else.

    Counters of rows and columns without a name are of no account.
    """
    sheet = figures.sheet
    numeric = [
        place
        for place, field in enumerate(fields)
        if field.role not in {"stamp", "time", "clock"} and figures.is_priced(place) and not figures.is_counter(place)
    ]
    named = [place for place in numeric if _is_title(sheet.header[place])]
    codes = [place for place in named if fields[place].role == "symbol" and not (figures.of(place) % 1 > 0).any()]
    left_out = set(codes)
    named = [place for place in named if place not in left_out]
    if not named or any(fields[place].role not in {"", "symbol"} for place in named):
        return {}
    if len({sheet.header[place] for place in named}) < len(named):
        return {}
    return {sheet.header[place]: place for place in named}


def _is_title(name: str) -> bool:
    return bool(name.strip()) and not name.lower().startswith("unnamed")


def _asked(problems: Problems, figures: Figures, fields: Sequence[Field], file_asset: str) -> Chosen:
    """Ask which columns hold prices, and name them."""
    sheet = figures.sheet
    others = [place for place, field in enumerate(fields) if field.role != "stamp"]
    closing = [sheet.header[place] for place, field in enumerate(fields) if field.role in CLOSES]
    twice = next((name for name, count in Counter(closing).items() if count > 1), None)
    if twice is not None:
        problems.add("columns", f"{sheet.name} has more than one column {twice!r}: leave one out, or rename them")
        return Chosen({}, file_asset)
    names = [repr(sheet.header[place]) for place in others] or ["no other"]
    listed = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    numeric = any(figures.is_priced(place) for place in others)
    what = "which columns hold prices? Name them" if numeric else "no column holds numbers besides the times"
    problems.add("columns", f"{sheet.name}: {what}: it has {listed}")
    return Chosen({}, file_asset)

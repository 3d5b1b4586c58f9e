"""A run from TOML or JSON, every problem at once; the only file that imports pydantic, for shapes."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError, create_model

from kernel import checks
from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.checks.text import brief, near, years
from kernel.config.assembly import AT_SPOT, Run, assemble, assemble_account
from kernel.config.documents import joined, override, read_document
from kernel.config.drift import choose_drift, estimated_drift
from kernel.config.source import plain_document, read_config
from kernel.errors import InvalidInput, Problem, Problems, printable
from kernel.fitting.drift import DRIFTS, Drift
from kernel.instruments import INSTRUMENTS
from kernel.markets import FITTED, MARKETS, Market
from kernel.simulation.settings import REQUIRED, SETTINGS

_MOST = 10**300
_MOST_OVERRIDES = 10_000
_FILE = "market.file"


def load(
    config: str | os.PathLike[str] | Mapping[str, Any],
    overrides: Mapping[str, Any] | Iterable[str] = (),
    market: str | os.PathLike[str] | None = None,
) -> Run:
    """Load what `margin run` simulates: market, account, ladder and settings, checked.

    Args:
        config: a .toml or .json file; a history, or a file of the market, that it names is looked for beside it. Or
            "-" for stdin, TOML or JSON, or a mapping of the sections: for both what they name is looked for in the
            working folder.
        market: a file that `margin fit` wrote, in place of the section [market]; what that states beside a `file`
            of its own, such as a drift, goes on to have the last word.
        overrides: values by path, such as {"market.volatility": 0.8}, or texts such as "market.volatility=0.8".

    Raises:
        InvalidInput: with every problem of every section.

    Example:
        >>> import kernel
        >>> position = {"asset": "BTC", "quantity": 1.0, "entry_price": "spot"}
        >>> config = {
        ...     "market": {"model": "gbm", "assets": ["BTC"], "spot": 60_000.0, "volatility": 0.65},
        ...     "account": {"cash": 6_000.0, "maintenance_rate": 0.005, "positions": [position]},
        ...     "ladder": {"tiers": {"call": 2.0, "liquidation": 1.0}},
        ...     "simulation": {"horizon": "5d", "steps": 1, "paths": 10_000},
        ... }
        >>> run = kernel.load(config, ["simulation.seed=7"])  # or kernel.load("margin.toml", ...)
        >>> run.simulation["seed"], run.levels, run.notes
        (7, (0.95, 0.99), ())
        >>> outcome = run.simulate()  # the same bits as `margin run margin.toml --seed 7`
        >>> round(kernel.breach_probability(outcome, "liquidation").value, 1)
        0.2
    """
    problems, (document, folder, files) = Problems(), read_config(config)
    overrides = _checked_overrides(overrides)
    if market is not None:
        checks.path(problems, "market", market)
        problems.raise_any()
        stated = document.get("market")
        beside = stated if isinstance(stated, dict) and "file" in stated else {}
        document["market"] = {**beside, "file": os.fspath(market)}
    overrides = _pull_file(document, overrides)
    fitted, estimate = _take_market(document, Path() if market is not None else folder)
    override(problems, document, overrides)
    choose_drift(problems, document.get("market"), estimate)
    for name in [name for name in document if name not in _SECTIONS]:
        problems.add(name, f"is not a section{near(name, _SECTIONS)}")
    sections = {name: _checked(problems, name, document.get(name)) for name in _SECTIONS}
    run = assemble(problems, sections, folder)
    notes = run.notes
    if estimate is not None and estimate.assets == run.market.assets:
        notes = (*estimate.notes(run.market.drift), *notes)
    return replace(
        run, files=(*files, *run.files, *fitted), market_file=printable(str(fitted[0])) if fitted else None, notes=notes
    )


def load_account(config: str | os.PathLike[str], market: Market) -> tuple[Account, Ladder]:
    """Read the account and the ladder of a config file, for another market than its own.

    Where the file states opening prices of its own, the account is stated at those: quantities and entry prices are
    taken to the market's prices, so that notionals and leverage stay.

    Args:
        config: the file, or "-" for stdin; its other sections are passed over, but for the opening prices of a market
            of the same assets.
        market: at whose opening prices the account is to be.

    Raises:
        InvalidInput: with every problem of the two sections.

    Example:
        `account, ladder = load_account("margin.toml", market)`
    """
    problems, document = Problems(), read_config(config).document
    sections = {name: _checked(problems, name, document.get(name)) for name in ("account", "ladder")}
    stated = _stated_prices(document.get("market"), market)
    account, ladder = assemble_account(problems, sections, stated)
    ratios = np.asarray(market.spot) / np.asarray(stated.spot)
    return account.revalued(dict(zip(market.assets, ratios.tolist(), strict=True))), ladder


def _stated_prices(section: Any, market: Market) -> Market:
    """Return the market at the opening prices that a config states of the same assets, or as it is."""
    if not isinstance(section, Mapping) or "spot" not in section or section.get("file") is not None:
        return market
    assets = section.get("assets", market.assets)
    stated = [assets] if isinstance(assets, str) else assets
    if not isinstance(stated, list | tuple) or tuple(stated) != tuple(market.assets):
        return market
    return replace(market, spot=section["spot"])


def _checked_overrides(overrides: Any) -> dict[str, Any] | list[str]:
    """Return values by path, or texts.

    Raises:
        InvalidInput: for anything else.
    """
    if isinstance(overrides, Mapping):
        return dict(plain_document(overrides, "overrides"))
    problems = Problems()
    listed = checks.listed(problems, "overrides", overrides, _MOST_OVERRIDES)
    if not all(isinstance(text, str) for text in listed):
        message = "must map paths to values, or be a list of texts such as 'market.volatility=0.8'"
        problems.add("overrides", f"{message}, not {brief(overrides)}")
    problems.raise_any()
    return listed


def _pull_file(document: dict[str, Any], overrides: dict[str, Any] | list[str]) -> Mapping[str, Any] | Iterable[str]:
    """Take over the name of a market's file from the overrides: the others have their places in what it states."""
    if isinstance(overrides, dict):
        named = [value for key, value in overrides.items() if key == _FILE]
        rest: Mapping[str, Any] | Iterable[str] = {key: one for key, one in overrides.items() if key != _FILE}
    else:
        named = [text.partition("=")[2].strip(" \"'") for text in overrides if text.partition("=")[0].strip() == _FILE]
        rest = [text for text in overrides if text.partition("=")[0].strip() != _FILE]
    if named:
        document["market"] = {"file": named[-1]}
    return rest


def _take_market(document: dict[str, Any], folder: Path) -> tuple[tuple[Path, ...], Drift | None]:
    """Put in place of a market's file what it states; what the section states besides has the last word.

    Returns:
        The file, if there is one, and the drift that it says was estimated.
    """
    section = document.get("market")
    if not isinstance(section, dict) or "file" not in section:
        return (), None
    name, rest = section["file"], {key: value for key, value in section.items() if key != "file"}
    if not _is_text(name):
        raise InvalidInput([Problem("market.file", f"must be the name of a file, not {brief(name)}")])
    try:
        file = read_document(folder / name)
    except InvalidInput as invalid:
        raise InvalidInput(
            [Problem("market.file", str(one).replace(": ", " ", 1)) for one in invalid.problems]
        ) from None
    stated = file.get("market")
    if not isinstance(stated, dict):
        message = f"{name} has no section [market], as `margin fit --output` writes it"
        raise InvalidInput([Problem("market.file", message)])
    document["market"] = {**stated, **rest}
    return (folder / name,), estimated_drift(stated, file.get("fit"))


# Kinds of values. What a number may be is for the dataclasses to say.


def _kind(what: str, fits: Callable[[Any], bool]) -> Any:
    def validate(value: Any) -> Any:
        if not fits(value):
            raise ValueError(f"must be {what}, not {brief(value)}")
        return value

    return Annotated[Any, PlainValidator(validate)]


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MOST)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and bool(value) and all(map(fits, value))


def _is_table(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(fits, value.values()))


def _is_numbers(value: Any) -> bool:
    return _is_number(value) or _is_list(value, _is_number) or _is_table(value, _is_number)


def _is_rows(value: Any) -> bool:
    return _is_list(value, lambda row: _is_list(row, _is_number))


def _validate_duration(value: Any) -> Any:
    years(value if isinstance(value, str) else brief(value))  # a bare number: of days, or of years?
    return value


def _validate_step(value: Any) -> Any:
    """Check a market's step: a duration, or the number of years, never a whole one, that `margin fit` writes."""
    return value if isinstance(value, float) else _validate_duration(value)


def _validate_times(value: Any) -> Any:
    """Check true, false, a duration, or a list of them."""
    if not isinstance(value, bool):
        for one in value if isinstance(value, list) else [value]:
            _validate_duration(one)
    return value


_DURATION = Annotated[Any, PlainValidator(_validate_duration)]
_STEP = Annotated[Any, PlainValidator(_validate_step)]
_NUMBER = _kind("a number", _is_number)
_NUMBERS = _kind("a number or a list of numbers, one per asset, or a table of them by asset", _is_numbers)
_DRIFT = _kind(
    f"a number or a list of numbers, one per asset, a table of them by asset, or {' or '.join(map(repr, DRIFTS))}",
    lambda value: _is_numbers(value) or (_is_text(value) and value in DRIFTS),
)
_LEVELS = _kind("a number or a list of numbers", lambda value: _is_number(value) or _is_list(value, _is_number))
_MATRIX = _kind("a list of rows of numbers", _is_rows)
_TEXT = _kind("a text", _is_text)
_NAMES = _kind("a list of names", lambda value: _is_text(value) or _is_list(value, _is_text))
_COLUMNS = _kind("a column's name, or a table of them by asset", lambda one: _is_text(one) or _is_table(one, _is_text))
_RATES = _kind("a number, or a table of them by asset", lambda value: _is_number(value) or _is_table(value, _is_number))
_DAY = _kind("an ISO date", lambda value: _is_text(value) or isinstance(value, date))
_PRICE = _kind(f"a number or {AT_SPOT!r}", lambda value: _is_number(value) or value == AT_SPOT)
_MODEL = _kind(" or ".join(MARKETS), lambda value: _is_text(value) and value in MARKETS)
_FITTED_MODEL = _kind(f"{' or '.join(FITTED)} to be fitted", lambda value: _is_text(value) and value in FITTED)
_TARGET = _kind("a tier, or a level such as 0.9999", lambda value: _is_text(value) or _is_number(value))
_TIMES = Annotated[Any, PlainValidator(_validate_times)]
_BY_KIND = {"duration": _DURATION, "number": _NUMBER, "word": _TEXT, "target": _TARGET, "times": _TIMES}
_POSITION_TYPE = _kind(" or ".join(INSTRUMENTS), lambda value: _is_text(value) and value in INSTRUMENTS)
_BY_ANNOTATION = {
    "Sequence[str]": _NAMES,
    "ArrayLike": _NUMBERS,
    "Matrix | None": _MATRIX,
    "Matrix": _MATRIX,
    "float": _NUMBER,
    "float | str": _STEP,
    "int": _NUMBER,
}


# Sections: their required and their optional keys


def _shape(name: str, required: dict[str, Any], optional: dict[str, Any]) -> type[BaseModel]:
    keys: dict[str, Any] = {key: (kind, ...) for key, kind in required.items()}
    keys |= {key: (kind, None) for key, kind in optional.items()}
    return create_model(name, __config__=ConfigDict(extra="forbid"), **keys)


def _list_of(kind: Any) -> Any:
    return list[kind]


def _table_of(kind: Any) -> Any:
    return dict[str, kind]


def _stated(kind: type[Market]) -> type[BaseModel]:
    """Return the shape of a market by its parameters: the fields of its dataclass."""
    kinds = {one.name: _BY_ANNOTATION[str(one.type)] for one in fields(kind)}
    optional = [one.name for one in fields(kind) if one.default is not MISSING]
    required = {name: one for name, one in kinds.items() if name not in optional}
    return _shape(kind.__name__, {"model": _MODEL, **required}, {name: kinds[name] for name in optional})


_STATED = {name: _stated(kind) for name, kind in MARKETS.items()}
_ALL_STATED = {name: one.annotation for shape in _STATED.values() for name, one in shape.model_fields.items()}
_UNKNOWN_MODEL = _shape("Market", {"model": _MODEL}, {name: Any for name in _ALL_STATED if name != "model"})
_HISTORY = {"column": _COLUMNS, "asset": _TEXT, "time": _TEXT, "first": _DAY, "last": _DAY, "max_gap": _DURATION}
_FITTED = _shape(
    "Fitted",
    {"model": _FITTED_MODEL, "history": _TEXT},
    {**_HISTORY, "drift": _DRIFT, "spot": _NUMBERS},
)
_POSITION = _shape(
    "Position",
    {"asset": _TEXT},
    {"type": _POSITION_TYPE, "quantity": _NUMBER, "notional": _NUMBER, "entry_price": _PRICE},
)
_SECTIONS = {
    "market": _UNKNOWN_MODEL,
    "account": _shape("Account", {"cash": _NUMBER, "maintenance_rate": _RATES, "positions": _list_of(_POSITION)}, {}),
    "ladder": _shape("Ladder", {"tiers": _table_of(_NUMBER)}, {"metric": _TEXT}),
    "simulation": _shape(
        "Simulation",
        {one.name: _BY_KIND[one.kind] for one in SETTINGS if one.default is REQUIRED},
        {one.name: _BY_KIND[one.kind] for one in SETTINGS if one.default is not REQUIRED},
    ),
    "measures": _shape("Measures", {}, {"levels": _LEVELS}),
}
_OPTIONAL_SECTIONS = {"measures"}


def _shape_of(name: str, section: dict[str, Any]) -> type[BaseModel]:
    if name != "market":
        return _SECTIONS[name]
    model = section.get("model")
    return _FITTED if "history" in section else _STATED.get(model if isinstance(model, str) else "", _UNKNOWN_MODEL)


def _checked(problems: Problems, name: str, section: Any) -> dict[str, Any] | None:
    """Return a section without unknown keys, and with NaN for what is missing or of the wrong kind.

    So the checks of the dataclasses can go on to the other fields; each problem is noted here.
    """
    if section is None and name in _OPTIONAL_SECTIONS:
        return {}
    if not isinstance(section, dict):
        message = f"is required: a section [{name}]" if section is None else f"must be a section, not {brief(section)}"
        problems.add(name, message)
        return None
    checked, shape = copy.deepcopy(section), _shape_of(name, section)
    try:
        shape.model_validate(section)
    except ValidationError as invalid:
        errors = sorted(invalid.errors(), key=lambda error: error["type"] == "missing")
        for error in errors:
            _note(problems, name, shape, error)
            _patch(checked, error["loc"], unknown=error["type"] == "extra_forbidden")
    return checked


def _note(problems: Problems, name: str, shape: type[BaseModel], error: Any) -> None:
    """Word an error of pydantic's."""
    *above, key = error["loc"]
    field = joined([name, *error["loc"]])
    if error["type"] == "extra_forbidden":
        problems.add(field, _unknown(str(key), _POSITION if above else shape))
    elif error["type"] == "missing":
        problems.add(field, "is required")
    else:
        cause = error.get("ctx", {}).get("error")
        wanted = "a list of tables" if "list" in error["type"] else "a table of keys and values"
        problems.add(field, str(cause) if cause else f"must be {wanted}, not {brief(error['input'])}")


def _unknown(key: str, shape: type[BaseModel]) -> str:
    if shape is _FITTED and key in _ALL_STATED:
        return "is fitted to the history: leave it out, or leave the history out and state every parameter"
    if shape is not _POSITION and shape is not _FITTED and key in _FITTED.model_fields:
        return "belongs to a market that is fitted: name its file as history"
    if shape in _STATED.values() and key in _ALL_STATED:
        return "belongs to another model: leave it out"
    return f"is not known here{near(key, shape.model_fields)}"


def _patch(section: dict[str, Any], steps: tuple[str | int, ...], *, unknown: bool) -> None:
    place: Any = section
    for step in steps[:-1]:
        place = place[step]
    if unknown:
        del place[steps[-1]]
    else:
        place[steps[-1]] = math.nan

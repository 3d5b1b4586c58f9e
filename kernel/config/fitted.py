"""Markets fitted to price files, for a config file or by themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from kernel.checks.text import snake, system_path
from kernel.errors import InvalidInput, Problem, Problems, printable
from kernel.files import read_content
from kernel.fitting import Fit
from kernel.fitting.drift import drift_of
from kernel.markets import FITTED, Market
from kernel.markets.choice import Choice, choose
from kernel.prices import read_prices, written
from kernel.prices.history import History

NEEDS_SCIPY = 'to be fitted needs SciPy: pip install "margin-kernel[fit]"'
OF_HISTORY = ("time", "first", "last", "max_gap")


class Source(NamedTuple):
    """The history that a market was fitted to."""

    file: str
    blake2b: str
    rows: int
    first: str
    last: str
    dt: float
    """Years between two rows."""
    notes: tuple[str, ...] = ()
    """What was found in the file, and what was done about it."""


class Fitted(NamedTuple):
    """A market fitted to files, and how it was chosen."""

    fit: Fit[Any]
    history: History
    source: Source
    choice: Choice | None
    drift: str
    """One of DRIFTS."""

    @property
    def market(self) -> Market:
        """Return the market for a run: the fitted one, without its drift unless that is to be kept."""
        market: Market = replace(self.fit.market, drift=drift_of(self.fit).chosen(self.drift))
        return market

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what there is to know of the fit, and of the drift."""
        return (*self.fit.notes, *drift_of(self.fit).notes(self.market.drift))

    @property
    def compared(self) -> Mapping[str, Sequence[Fit[Any]]]:
        """Return the fits to be shown side by side, by model."""
        if self.choice is None:
            return {snake(type(self.fit.market).__name__): [self.fit]}
        return self.choice.fits


def fit_files(
    files: Sequence[tuple[str, Path]],
    market: str,
    columns: Mapping[str, str] | str | None,
    settings: Mapping[str, Any],
    drift: str = "zero",
    **options: Any,
) -> Fitted:
    """Fit a market to price files.

    Args:
        files: one, or one for each asset, with the asset's name or "" for the file's own.
        market: its name, or "auto" to choose.
        columns: as `kernel.read_prices` takes them.
        settings: further ones of `kernel.read_prices`, by the names in OF_HISTORY.
        drift: of the market: "zero", or "fitted".
        options: of the market's own fit, such as volatility="ewma".

    Raises:
        InvalidInput: with everything that has to be mended.
    """
    kind = FITTED.get(market)
    history, source = read_files(files, columns, settings)
    try:
        choice = choose(history) if kind is None else None
        fit = choice.fit if choice else kind.fit(history, **options)  # type: ignore[union-attr]
    except ImportError:
        raise InvalidInput([Problem("market", NEEDS_SCIPY)]) from None
    return Fitted(fit, history, source, choice, drift)


def read_files(
    files: Sequence[tuple[str, Path]], columns: Mapping[str, str] | str | None, settings: Mapping[str, Any]
) -> tuple[History, Source]:
    """Read price files, as `fit_files` takes them, and say where the history comes from.

    Raises:
        InvalidInput: with everything that has to be mended.
    """
    paths = [path for _, path in files]
    named = _by_asset(files)
    several: Any = named if any(asset for asset, _ in files) else paths
    history = read_prices(paths[0] if several is paths and len(paths) == 1 else several, columns=columns, **settings)
    return history, _source(", ".join(printable(path.name) for path in paths), paths, history)


def _by_asset(files: Sequence[tuple[str, Path]]) -> dict[str, Path]:
    """Return the files by their assets, each of which may have but one."""
    problems, named = Problems(), dict[str, Path]()
    for asset, path in files:
        name = asset or printable(path.name.partition(".")[0])
        if name in named:
            message = f"{named[name]} and {path} are both of {name}: give each asset one file, as ASSET=FILE"
            problems.add("history", message)
        named.setdefault(name, path)
    problems.raise_any()
    return named


def _source(name: str, paths: Sequence[Path], history: History) -> Source:
    first, last = ("", "") if history.times is None else (written(history.times[0]), written(history.times[-1]))
    content = b"".join(read_content(system_path(path)) for path in paths)
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    return Source(name, digest, len(history.prices), first, last, history.dt, history.notes)


def fitted_market(section: dict[str, Any], folder: Path) -> tuple[Market, Source, tuple[str, ...]]:
    """Read the history that a section names, beside the config file, and fit the section's model to it.

    Returns:
        The market, without drift unless the section states one or asks for the fitted one; where its history comes
        from; and sentences about the drift.
    """
    path = folder / section["history"]
    history = _read(path, section)
    kind = FITTED[section["model"]]
    try:
        fit = kind.fit(history)
    except InvalidInput as invalid:
        raise InvalidInput(
            [Problem("history", f"{path.name}: {field} {message}") for field, message in invalid.problems]
        ) from None
    except ImportError:
        raise InvalidInput([Problem("model", NEEDS_SCIPY)]) from None
    estimate, drift = drift_of(fit), section.get("drift", "zero")
    stated = {"drift": estimate.chosen(drift) if isinstance(drift, str) else drift}
    stated |= {"spot": section["spot"]} if "spot" in section else {}
    market = replace(fit.market, **stated)
    return market, _source(section["history"], [path], history), estimate.notes(market.drift)


def _read(path: Path, section: dict[str, Any]) -> History:
    """Read a history; `asset` names its one column, which else is called as the section or the file calls it."""
    settings, column, asset = (
        {name: section.get(name) for name in OF_HISTORY},
        section.get("column"),
        section.get("asset"),
    )
    if isinstance(column, dict) and asset is not None:
        raise InvalidInput([Problem("asset", "names the one column; several are named in column itself")])
    columns = {asset or column: column} if isinstance(column, str) else column
    try:
        history = read_prices(path, columns=columns, **settings)
    except InvalidInput as invalid:
        raise InvalidInput(
            [Problem({"columns": "column"}.get(field, field), message) for field, message in invalid.problems]
        ) from None
    if asset is None or history.assets == (asset,):
        return history
    if len(history.assets) > 1:
        message = f"names one column, but the file has several ({', '.join(history.assets)}): name one as column"
        raise InvalidInput([Problem("asset", message)])
    return replace(history, assets=(asset,))

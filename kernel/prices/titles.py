"""Names for the columns of files whose header is more than one line, or none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import permutations

import numpy as np

from kernel.errors import InvalidInput, Problem, Problems
from kernel.prices.clocks import read_times
from kernel.prices.fields import CLOSES, fields_of
from kernel.prices.figures import Figures, Numbers
from kernel.tables import Sheet, is_timed

_BARS = ("open", "high", "low", "close")
_ROUNDING = 1e-6  # of the price
_POSSIBLE = 0.99  # of the bars: beyond a slip, an order under which more are impossible is not theirs
_WIDEST = 2.0  # times as high as low: beyond it, one of them is a volume
_CONTINUED = 0.5  # how much nearer to the close before an open is than a close to the open before
_DATE = re.compile(r"\d{8}|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_CLOCK = re.compile(r"\s*([01]?\d|2[0-3])(:[0-5]\d){1,2}\s*|([01]\d|2[0-3])([0-5]\d){1,2}")
_LEVELS = 2  # of a data frame's header
_LEVEL_NAMES = ("", "price", "ticker", "tickers", "symbol", "symbols", "attributes", "field", "asset")


def titled(sheet: Sheet) -> Sheet:
    """Name the columns.

    Raises:
        InvalidInput: if there is no header, and the columns do not tell what they are.
    """
    if sheet.titles is None:
        return sheet
    if not sheet.titles:
        return _barred(sheet)
    if len(sheet.titles) < _LEVELS:
        return sheet
    return _folded(sheet) or _uncovered(sheet)


def _folded(sheet: Sheet) -> Sheet | None:
    """Join a header of two levels, fields and assets, to ASSET:field; a third line names but the times."""
    *above, last = sheet.titles or ()
    named_below = bool(last[0]) and not any(last[1:])
    levels = (above if named_below else [*above, last])[-_LEVELS:]
    if len(levels) < _LEVELS or not all(level[0].lower() in _LEVEL_NAMES and all(level[1:]) for level in levels):
        return None
    has_close = [_has_close(level) for level in levels]
    if has_close[0] == has_close[1]:
        return None
    field, asset = levels if has_close[0] else levels[::-1]
    names = [f"{one}:{name}" for one, name in zip(asset[1:], field[1:], strict=True)]
    return sheet._replace(header=(last[0] if named_below else "date", *names))


def _uncovered(sheet: Sheet) -> Sheet:
    """Find the header above lines that are no rows, such as units; tell what was left out."""
    titles = sheet.titles or ()
    called = [k for k, line in enumerate(titles) if _has_close(line)]
    timed = [k for k, line in enumerate(titles) if any(field.role == "time" for field in fields_of(line))]
    header = next(iter((*called[::-1], *timed[::-1], len(titles) - 1)))
    below = [", ".join(cell for cell in line if cell) for line in titles[header + 1 :]]
    notes = tuple(f"Between its header and its rows {line[:40]!r} was left out." for line in below)
    return sheet._replace(header=titles[header], notes=sheet.notes + notes)


def _has_close(line: Sequence[str]) -> bool:
    return any(field.role in CLOSES for field in fields_of(line)[1:])


def _barred(sheet: Sheet) -> Sheet:
    """Name the columns of bars that have no header, as exchanges write them, by what the bars themselves tell."""
    first = [str(sheet.at(place)[0]).strip() for place in range(len(sheet.header))]
    message = "line 1 must name the columns, not hold the first row"
    if not is_timed(first[0]) or len(first) <= len(_BARS):
        raise InvalidInput([Problem("history", f"{sheet.name}: {message}")])
    figures, moments = Figures(sheet), read_times(Problems(), [], sheet, 0)
    onward = 1 if moments[0] <= moments[-1] else -1
    clock = _DATE.fullmatch(first[0]) and all(_CLOCK.fullmatch(cell) for cell in sheet.at(1))
    for times in (("date", "time"), ("date",)) if clock else (("date",),):
        places = range(len(times), len(times) + len(_BARS))
        if len(first) <= places[-1]:
            continue
        order = _order([figures.of(place)[::onward] for place in places])
        if order is not None:
            rest = sheet.header[places[-1] + 1 :]
            return sheet._replace(header=(*times, *order, *(("volume", *rest[1:]) if rest else ())))
    which = ", ".join(map(repr, sheet.header[1:]))
    why = f"which of {which} is open, high, low or close, the rows do not tell"
    raise InvalidInput([Problem("history", f"{sheet.name}: {message}: {why}")])


def _order(columns: list[Numbers]) -> tuple[str, ...] | None:
    """Return the fields of four columns in the one order in which each bar is possible and opens where one closed.

    In the order of most files, open, high, low and close, bars need not tell open from close as clearly.
    """
    complete = np.isfinite(columns).all(axis=0)
    if complete.mean() < _POSSIBLE:
        return None
    bars = [column[complete] for column in columns]
    possible = [order for order in permutations(_BARS) if _is_possible(dict(zip(order, bars, strict=True)))]
    extremes = {(order.index("high"), order.index("low")) for order in possible}
    usual = _BARS in possible
    if len(extremes) != 1 and not usual:
        return None
    if usual:
        possible = [_BARS, ("close", "high", "low", "open")]
    breaks = {order: _breaks(dict(zip(order, bars, strict=True))) for order in possible}
    best, other = sorted(breaks, key=lambda order: (breaks[order], order != _BARS))
    if breaks[best] <= _CONTINUED * breaks[other]:
        return best
    return best if best == _BARS else None


def _is_possible(bars: dict[str, Numbers]) -> bool:
    """Say whether hardly a bar has its open or close beyond its high or low, and these are near each other."""
    if (bars["low"] <= 0).any() or np.median(bars["high"] / bars["low"]) > _WIDEST:
        return False
    rounding = _ROUNDING * bars["high"]
    above = bars["high"] + rounding >= np.maximum(bars["open"], bars["close"])
    below = bars["low"] - rounding <= np.minimum(bars["open"], bars["close"])
    return bool((above & below).mean() >= _POSSIBLE)


def _breaks(bars: dict[str, Numbers]) -> float:
    """Return how far bars open from where the one before closed: the median move."""
    moves = np.abs(bars["open"][1:] - bars["close"][:-1])
    return float(np.median(moves)) if moves.size else 0.0

"""What columns are called: the fields of bars, in the words of the shops that sell them, and what is no price."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

CLOSES = ("adjusted", "close", "price", "last")
"""Roles of closing prices, the best first."""

_ROLES = {
    "adjusted": "adj close|adjclose|adjusted close|adjusted|close adj|close adjusted|adj closing price",
    "adjusted low": "adj low|adjusted low",
    "adjusted high": "adj high|adjusted high",
    "open": "open|opening|open value|eroffnung|eroffnungskurs|erster|ouv|ouverture|apertura|abertura|otwarcie|开盘",
    "high": "high|hoch|tageshoch|haut|plus haut|maximo|maxima|massimo|najwyzszy|max|最高|最高价",
    "low": "low|tief|tagestief|bas|plus bas|minimo|minima|minimo|najnizszy|min|最低|最低价",
    "close": "close|close/last|closing|close value|schluss|schlusskurs|clot|cloture|cierre|chiusura|fechamento|"
    "slotkoers|zamkniecie|收盘|收盘价",
    "price": "price|spot|spot price|kurs|preis|prix|precio|prezzo|koers",
    "last": "last|px last|last px|ltp|last traded|last trade|settle|settlement|ultimo|zuletzt|letzter",
    "volume": "volume|vol|tickvol|tick volume|volumen|wolumen|成交量",
    "time": "date|timestamp|datetime|date time|open time|time open|unix|unix time|unix timestamp|day|snapped at|"
    "index|observation date|trade date|trading date|trading day|business date|exchange date|effective date|"
    "price date|quote date|gmt time|local time|utc time|datum|fecha|data|dtyyyymmdd|time utc|date utc|"
    "time gmt|period start|start time|start|日期|时间|交易日期",
    "clock": "time|hour|hhmm|hhmmss|uhrzeit|hora|heure|minute",
    "symbol": "symbol|ticker|tic|pair|ts code|code|name|asset|coin|instrument|security|stock|act symbol|isin|sid",
}
_ROLE = {name: role for role, names in reversed(_ROLES.items()) for name in names.split("|")}
_LETTERS = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume", "t": "time"}
_OTHER_WORDS = """
volume vol vols count counts counter number no nr id row rows index rank dividend dividends div split splits
interest oi openint turnover value values amount quantity qty size shares lots lot trades trade deals ticks tick
spread change chg move pct percent percentage return returns ret yield cap marketcap supply factor ratio ask bid
vw vwap wap average avg mean median std stdev volatility variance sma ema wma rsi macd atr obv signal signals weight
weights score flag label target forecast prediction predicted position positions exposure pnl profit equity cash
balance drawdown fee fees time date prev previous pre prior diff difference delta gamma vega theta rho beta alpha
sigma zscore z error rate level data unnamed column col field x y n k test train year month week weekday hour
minute quarter season holiday session strike expiry expiration currency exchange market type series status
condition conditions interval funding basis hash unix timestamp ha
"""
_ALONE = "index market year cash x y k n z ha"
_OTHER = frozenset(_OTHER_WORDS.split())  # of which one makes a name no price
_OTHER_BESIDE = _OTHER - frozenset(_ALONE.split()) | {"open", "high", "low", "close"}  # beside further words
_ENDS = ("open", "high", "low", "close", "price", "bid", "ask")  # written in one word with what they are of
_WITHIN = ("volume", "dividend", "split", "interest", "turnover", "return", "unnamed", "%")
_CURRENCY = re.compile(r"\s*[\(\[]\s*(?:[A-Z]{3,4}|[$€£¥₹])\s*[\)\]]")
_PAIR = re.compile(r"\('([^']*)', '([^']*)'\)")  # how a data frame's two levels are written
_CODE = r"\d{4,6}"  # of an asset


class Field(NamedTuple):
    """What a column is called."""

    role: str
    """A key of _ROLES, "stamp" for what times are read from, "other" for no price, "" for what may name an asset."""
    asset: str = ""
    """Before the colon of ASSET:field, or what stands so; else empty."""


def fields_of(header: Sequence[str]) -> list[Field]:
    """Return the fields of a header's columns.

    Example:
        >>> [field.role for field in fields_of(["Date", "Close/Last", "<VOL>", "Open Interest", "BTC"])]
        ['time', 'close', 'volume', 'other', '']
    """
    lowered = {name.strip().lower() for name in header}
    if {"o", "h", "l", "c"} <= lowered:
        return [Field(_LETTERS.get(name.strip().lower(), "other")) for name in header]
    fields = [_field(name) for name in header]
    if any(field.role in CLOSES for field in fields):
        return fields
    return _affixed(header, fields)


def places_of(fields: Sequence[Field]) -> dict[Field, list[int]]:
    """Return the places of each field, in the order of the columns."""
    places = dict[Field, list[int]]()
    for place, field in enumerate(fields):
        places.setdefault(field, []).append(place)
    return places


def _field(name: str) -> Field:
    pair = _PAIR.fullmatch(name)
    if pair:
        first, second = (_role(name) for name in pair.groups())
        return Field(first, pair[2]) if first else Field(second, pair[1])
    asset, colon, field = name.rpartition(":")
    if colon and _role(field) not in {"", "time", "clock"}:
        return Field(_role(field), asset.strip())
    return Field(_role(name))


def _role(name: str) -> str:
    plain = _plain(name)
    known = _ROLE.get(plain) or _ROLE.get(plain.removesuffix(" price").removesuffix(" px"))
    if known:
        return known
    if plain.startswith("volume "):  # of the asset, of what it is paid in
        return "volume"
    words = re.findall(r"[^\W_]+", plain)
    number = re.fullmatch(r"[-+\d.,e]+", name.strip()) and not re.fullmatch(_CODE, name.strip())
    no_price = _OTHER if len(words) == 1 else _OTHER_BESIDE
    if (
        not words
        or number
        or name in _LETTERS
        or no_price.intersection(words)
        or any(part in plain for part in _WITHIN)
    ):
        return "other"
    if len(words) == 1 and plain not in _ENDS and (plain.startswith(_ENDS) or plain.endswith(_ENDS)):
        return "other"
    return ""


def _plain(name: str) -> str:
    """Write a name in small letters and single words, without brackets, currency, numbering and accents."""
    cut = _CURRENCY.sub("", name).strip().strip("<>*'\" \ufeff")
    cut = re.sub(r"^\d+[a-z]?\. ", "", cut)
    cut = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cut)
    letters = unicodedata.normalize("NFKD", cut).replace("ł", "l")
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter)).lower()
    return re.sub(r"[\s._-]+", " ", plain).strip()


def _affixed(header: Sequence[str], fields: Sequence[Field]) -> list[Field]:
    """Take ASSET_Close, Close_ASSET and the like for ASSET:close, where an asset has bars, or every column is such.

    Elsewhere a name with a field in it is no asset's.
    """
    split = [_split(name) if field.role in {"", "other"} else field for name, field in zip(header, fields, strict=True)]
    bars = Counter(field.asset for field in split if field.asset)
    closes = {field.asset for field in split if field.asset and field.role in CLOSES}
    every = all(field.asset for field in split if field.role not in {"time", "clock", "symbol"})
    taken = {asset for asset in closes if bars[asset] > 1 or every}
    rest = [Field("other") if new.asset else old for new, old in zip(split, fields, strict=True)]
    return [new if new.asset in taken else old for new, old in zip(split, rest, strict=True)]


def _split(name: str) -> Field:
    """Tell the field before or after an asset's name apart from it."""
    for match in re.finditer(r"[._ -]", name):
        before, after = name[: match.start()], name[match.end() :]
        for asset, field in ((before, after), (after, before)):
            role = _role(field)
            if role in {"open", "high", "low", "volume", *CLOSES} and _role(asset) == "":
                return Field(role, asset)
    return Field("")

"""The section [account]: cash, positions, and the margin rule that they are held under."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kernel.accounts import Account
from kernel.config import values
from kernel.config.building import Section, built, is_noted, take
from kernel.config.shapes import Key, Shape, Variants, key, keys_of
from kernel.errors import Problem, Problems
from kernel.instruments import INSTRUMENTS, Instrument, Linear
from kernel.markets import Market

_DEFAULT = "linear"  # of a position that states no type
_AT_SPOT = "spot"  # as an entry price: the market's opening price
_PRICE = values.value(f"a number or {_AT_SPOT!r}", lambda stated: values.is_number(stated) or stated == _AT_SPOT)


def _position_keys(instrument: type) -> dict[str, Key]:
    """Return the keys of a position: the fields of its instrument, its notional as well, and an entry at the spot."""
    keys = keys_of(instrument)
    sizes = {"quantity": keys["quantity"]._replace(required=False), "notional": key(values.NUMBER)}
    entry = {"entry_price": key(_PRICE)} if "entry_price" in keys else {}
    return {**keys, **sizes, **entry}


def account_shape(_: Mapping[str, Any]) -> Shape:
    """Return the shape of the section: the fields of an account, whose positions state instruments of any kind."""
    position = Variants("type", {name: Shape(_position_keys(kind)) for name, kind in INSTRUMENTS.items()}, _DEFAULT)
    return Shape(keys_of(Account, dict.fromkeys(INSTRUMENTS.values(), position)))


def build_account(problems: Problems, section: Section, market: Market | None, assets: Sequence[str]) -> Account | None:
    """Return the account, as far as it can be built.

    Args:
        problems: noted so far; takes those of the account.
        section: its keys known.
        market: at whose opening prices it is; None: it could not be built.
        assets: of the market, as far as they are known.
    """
    if section is None:
        return None
    stated = section["positions"] if isinstance(section["positions"], list) else []
    spots = {} if market is None else dict(zip(market.assets, np.asarray(market.spot).tolist(), strict=True))
    positions = [_position(problems, f"account.positions[{k}]", table, spots) for k, table in enumerate(stated)]
    account = built(problems, "account", Account, {**section, "positions": positions})
    if assets:
        _check_assets(problems, positions, section.get("maintenance_rate"), assets)
    return account


def _check_assets(problems: Problems, positions: Sequence[Instrument], rates: Any, assets: Sequence[str]) -> None:
    """Check names, also for a market or an account that could not be built."""
    further, stand_in = Problems(), dict.fromkeys(rates, 1.0) if isinstance(rates, dict) else 1.0
    if positions:
        Account(cash=0.0, positions=positions, maintenance_rate=stand_in).check_assets(further, assets)
    for name in rates if isinstance(rates, dict) else ():
        if name not in assets:
            message = f"must be for one of the market's assets ({', '.join(assets)})"
            further.add(f"account.maintenance_rate.{name}", message)
    take(problems, further.found)


def _position(problems: Problems, field: str, section: Any, spots: Mapping[str, float]) -> Instrument:
    """Return a position, or one that stands in for it so that the others keep their places."""
    if not isinstance(section, dict):
        return Linear("?", 1.0)
    if ("quantity" in section) == ("notional" in section):
        problems.add(field, "must have either quantity, in units, or notional, in currency")
        section = {"quantity": math.nan, **section}
    asset = section["asset"] if isinstance(section["asset"], str) else "?"
    spot, size = spots.get(asset, 1.0), "quantity" if "quantity" in section else "notional"
    terms = {name: stated for name, stated in section.items() if name not in {"type", "notional"}}
    terms |= {"asset": asset, "quantity": section[size] / (1.0 if size == "quantity" else spot)}
    if terms.get("entry_price") == _AT_SPOT:
        terms["entry_price"] = spot
    further, kind = Problems(), section.get("type", _DEFAULT)
    instrument = INSTRUMENTS[kind if isinstance(kind, str) and kind in INSTRUMENTS else _DEFAULT]
    position = built(further, field, instrument, terms)
    renamed = [Problem(name.replace(".quantity", f".{size}"), message) for name, message in further.found]
    take(problems, [each for each in renamed if not is_noted(problems, field) or not each.field.endswith(size)])
    return position if position is not None else Linear(asset, 1.0)

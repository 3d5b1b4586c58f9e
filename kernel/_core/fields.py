"""Columns of a set of lanes: who needs them declares them, and their roles say when they are copied.

Copying is generated from the roles (`kernel._core.copies`), so that a new column cannot be forgotten in one of its
places.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Role = Literal["tier", "account", "state", "address", "segment", "mark", "block"]
_LINE = 64  # bytes of a line of the cache: columns begin one apart, or all would compete for the same few places
ROLES: tuple[Role, ...] = ("tier", "account", "state", "address", "segment", "mark", "block")


class Field(NamedTuple):
    """A column of a set of lanes, or of what the set holds for each asset.

    Its role is one of:

    - "account": what a lane's tiers are judged by, such as its cash. Goes wherever the lane is copied, and comes back
      where rules may have changed it.
    - "state": what else moves on with the path, such as its log price. Goes along to events, and wherever rules act,
      and comes back.
    - "address": what is so for the whole step, such as the number of the path. Goes wherever the lane is copied.
    - "block": scratch, and what moves in whole blocks alone. Is never copied.

    Three are the walk's own: "tier", the next tier and its level; "segment", what Segment has, for a lane of its own;
    "mark", the book's marks.
    """

    name: str
    role: Role
    kind: Any = None  # a NumPy type; None: the walk's precision
    rows: int = 0  # of a table [row, lane]; 0: one column


class Fields(NamedTuple):
    """What a struct's static method `lane_fields` declares: columns of the lanes, and of each of their assets."""

    lane: tuple[Field, ...] = ()
    asset: tuple[Field, ...] = ()


# Of rules that change accounts: equity and requirement that do not move with prices, over the share k of the positions
# that is left, since cash + k v - level (base + k r) <= 0 is cash / k + v - level (base / k + r) <= 0.
ACCOUNT = (Field("cash", "account"), Field("base", "account"))
NEXT_TIMER = Field("next_timer", "state", np.float64)  # years: rules that declare it act when it is due
TIMED = Fields(
    lane=(
        Field("pinned", "state", np.uint8),  # a timer cuts, or has cut, the diffusion that the lane is in
        Field("timers", "state", np.uint64),  # that have cut it so far
        Field("row", "block", np.uint64),  # address of a cut
    ),
    asset=(
        Field("origin", "block"),  # log price at the start of the segment
        Field("known_end", "state"),  # log price where the diffusion ends
    ),
)


def fields_of(*structs: Any) -> Fields:
    """Collect what structs, and the structs in them, declare.

    Raises:
        TypeError: if two declare columns of one name differently, or a column has no role that it may have.
    """
    lane, asset, waiting = set[Field](), set[Field](), list(structs)
    while waiting:
        struct = waiting.pop()
        declared = struct.lane_fields() if hasattr(struct, "lane_fields") else Fields()
        lane, asset = lane.union(declared.lane), asset.union(declared.asset)
        waiting += [value for value in struct if hasattr(value, "_fields")]
    if NEXT_TIMER in lane:
        lane, asset = lane.union(TIMED.lane), asset.union(TIMED.asset)
    return Fields(_sorted(lane), _sorted(asset))


def _sorted(declared: Iterable[Field]) -> tuple[Field, ...]:
    """Sort fields by name, so that structs with the same needs share one record type and what is compiled for it."""
    for field in declared:
        if field.role not in {"account", "state", "address", "block"}:
            raise TypeError(f"column {field.name} is declared with role {field.role}, which is the walk's own")
    return tuple(sorted(declared, key=lambda field: (field.name, str(field))))


def record(real: np.dtype[Any], width: int, fields: Sequence[Field]) -> np.dtype[np.void]:
    """Lay out columns by their roles, each role's again as bytes of the name that `role_bytes` gives it.

    Raises:
        TypeError: if two have one name.
    """
    names = [field.name for field in fields]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TypeError(f"columns of lanes are declared twice, and differently: {', '.join(twice)}")
    ordered = sorted(fields, key=lambda field: ROLES.index(field.role))
    columns: dict[str, Any] = {}
    ends: dict[str, tuple[int, int]] = {}  # of each role
    offset = 0
    for name, role, kind, rows in ordered:
        column = np.dtype((real if kind is None else kind, (rows, width + _LINE // 4) if rows else (width,)))
        columns[name] = column, offset
        ends[role] = ends.get(role, (offset, 0))[0], offset + column.itemsize
        offset += -(-column.itemsize // _LINE) * _LINE + _LINE
    for role in ROLES[:-1]:
        if role in ends:
            first, last = ends[role]
            columns[role_bytes(role)] = np.dtype((np.uint8, (last - first,))), first
    if "flag" in columns:  # the flags again, eight in one number
        columns["eight_flags"] = np.dtype((np.uint64, (width // 8,))), columns["flag"][1]
    kinds, offsets = zip(*columns.values(), strict=True)
    described: Any = {"names": list(columns), "formats": kinds, "offsets": offsets, "itemsize": offset}
    whole: np.dtype[np.void] = np.dtype(described, align=True)
    return whole


def aligned_zeros(shape: tuple[int, ...], kind: np.dtype[Any]) -> NDArray[Any]:
    """Allocate an array that begins with a line of the cache, as vectors that cross two are read half as fast."""
    size = math.prod(shape) * kind.itemsize
    raw = np.zeros(size + _LINE, np.uint8)
    first = -raw.ctypes.data % _LINE
    return raw[first : first + size].view(kind).reshape(shape)


def role_bytes(role: Role) -> str:
    """Name the bytes of a record that hold the columns of a role."""
    return f"{role}_bytes"

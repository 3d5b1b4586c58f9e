"""Columns of a set of lanes: who needs them declares them, and their roles say when they are copied.

Copying is generated from the roles (`kernel._core.copies`), so that a new column cannot be forgotten in one of its
places.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

Role = Literal["tier", "account", "state", "address", "segment", "mark", "block"]
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
    columns = [
        (name, real if kind is None else kind, (rows, width) if rows else (width,)) for name, _, kind, rows in ordered
    ]
    apart: Any = np.dtype(columns, align=True)
    overlays: dict[str, Any] = {}
    for role in ROLES[:-1]:
        ends = [(apart.fields[one][1], apart.fields[one][0].itemsize) for one, *rest in ordered if rest[0] == role]
        if ends:
            first, (last, size) = ends[0][0], ends[-1]
            overlays[role_bytes(role)] = (np.uint8, (last + size - first,)), first
    if "flag" in apart.fields:  # the flags again, eight in one number
        overlays["eight_flags"] = (np.uint64, (width // 8,)), apart.fields["flag"][1]
    whole: np.dtype[np.void] = np.dtype({**apart.fields, **overlays}, align=True)
    return whole


def role_bytes(role: Role) -> str:
    """Name the bytes of a record that hold the columns of a role."""
    return f"{role}_bytes"

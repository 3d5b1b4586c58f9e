"""Copying lanes between sets: which columns is generated, when compiling, from the roles in the record's type.

A set is copied for one of two purposes. Lanes that breached something are selected to settle their tiers; lanes that
meet an event leave the block to walk by themselves. Without rules that act, each takes along what it needs alone: what
is copied for nothing pushes the block out of the second-level cache, which was measured as a tenth to half of a walk.
"""

from __future__ import annotations

from numba import types
from numba.core import cgutils, typing
from numba.extending import intrinsic, overload

from kernel._core.fields import ROLES, role_bytes
from kernel._core.jit import INNER, block
from kernel._core.operations import NoRules

_EVERYTHING = ROLES[:-1]


def _copy_lane_of(*roles):
    """Make a function that copies, from one lane to another, the columns of some roles."""

    @intrinsic
    def copy_lane(context, source, i, target, j):
        if source != target or not isinstance(source, types.Record):
            raise TypeError(f"lanes are copied between sets of one kind, not from {source} to {target}")
        overlays = [source.fields[name] for name in map(role_bytes, roles) if name in source.fields]
        columns = [
            (field.offset, field.type)
            for name, field in source.fields.items()
            if not name.endswith("_bytes")
            and any(over.offset <= field.offset < over.offset + over.type.nitems for over in overlays)
        ]

        def generate(context, builder, signature, args):
            i, j = (context.cast(builder, args[k], signature.args[k], types.intp) for k in (1, 3))
            for offset, column in columns:
                kind = context.get_data_type(column.dtype)
                first, to = (cgutils.get_record_member(builder, args[k], offset, kind) for k in (0, 2))
                for row in range(column.nitems // column.shape[-1]):
                    here = context.get_constant(types.intp, row * column.shape[-1])
                    value = builder.load(builder.gep(first, [builder.add(here, i)]))
                    builder.store(value, builder.gep(to, [builder.add(here, j)]))
            return context.get_dummy_value()

        return typing.signature(types.none, source, i, target, j), generate

    return copy_lane


def _mover(*roles):
    """Return a body that copies the listed lanes of a set, in order, to the first ones of a set, perhaps the same."""
    copy_lane = _copy_lane_of(*roles)

    def move(rules, lanes, assets, chosen, n, to, to_assets):
        for j in range(n):
            copy_lane(lanes, chosen[j], to, j)
        for a in range(assets.size):
            here, there = assets[a], to_assets[a]
            for j in range(n):
                copy_lane(here, chosen[j], there, j)

    return move


def _returner(*roles):
    """Return a body that copies the first n lanes of a set back to the columns that they came from."""
    copy_lane = _copy_lane_of(*roles)

    def give_back(rules, lanes, assets, n, to, to_assets):
        source = lanes.source
        for j in range(n):
            copy_lane(lanes, j, to, source[j])
        for a in range(assets.size):
            here, there = assets[a], to_assets[a]
            for j in range(n):
                copy_lane(here, j, there, source[j])

    return give_back


copy_segment = _copy_lane_of("segment")
_copy_whole_lane = _copy_lane_of(*_EVERYTHING)


@block
def append_lanes(lanes, assets, n, to, to_assets, first):
    """Copy the first n lanes of a set, whole, to those of another from `first` on."""
    for j in range(n):
        _copy_whole_lane(lanes, j, to, first + j)
    for a in range(assets.size):
        here, there = assets[a], to_assets[a]
        for j in range(n):
            _copy_whole_lane(here, j, there, first + j)


def select(rules, lanes, assets, chosen, n, to, to_assets):
    """Copy the listed lanes to a set that is to be settled, but for their segments."""
    raise NotImplementedError


def keep_breached(rules, lanes, assets, chosen, n, to, to_assets):
    """Copy the listed lanes of a set that is being settled, to its front."""
    raise NotImplementedError


def return_settled(rules, lanes, assets, n, to, to_assets):
    """Copy back what settling has changed of the first n lanes."""
    raise NotImplementedError


def keep_moving(rules, lanes, assets, chosen, n, to, to_assets):
    """Copy the listed lanes of a set that walks from event to event, to its front."""
    raise NotImplementedError


def return_moved(rules, lanes, assets, n, to, to_assets):
    """Copy back what the walk from event to event has changed of the first n lanes."""
    raise NotImplementedError


def leave_block(rules, lanes, assets, chosen, n, to, to_assets):
    """Copy the listed lanes of the block to a set that walks from event to event."""
    raise NotImplementedError


def _by_rules(operation, without, acting):
    """Choose a body, when compiling, by whether there are rules."""

    def choose(rules, *_):
        return without if rules.instance_class is NoRules else acting

    overload(operation, strict=False, jit_options=INNER)(choose)


_move_whole, _leave, _return_acted = (
    _mover(*_EVERYTHING),
    _mover("tier", "account", "state", "address"),
    _returner("tier", "account", "state"),
)
_by_rules(select, _mover("tier", "account", "address", "mark"), _move_whole)
_by_rules(keep_breached, _mover("tier", "account", "address", "segment", "mark"), _move_whole)
_by_rules(return_settled, _returner("tier"), _return_acted)
_by_rules(leave_block, _leave, _leave)
_by_rules(keep_moving, _mover("tier", "account", "state", "address", "mark"), _move_whole)
_by_rules(return_moved, _returner("tier", "state"), _return_acted)

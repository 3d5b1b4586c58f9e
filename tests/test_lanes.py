"""Columns of lanes: who declares them, what is shared, and that copies forget none of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import kernel
from kernel._core.copies import append_lanes, return_moved, select
from kernel._core.fields import ACCOUNT, NEXT_TIMER, ROLES, Field, Fields, fields_of, role_bytes
from kernel._core.jit import entry
from kernel._core.lanes import assets_dtype, lanes_dtype, new_lanes
from kernel._core.operations import NoRules
from tests.cases import BATES, FILTERED, GBM, HESTON, KOU, MERTON
from tests.extending import Idle

REAL = np.dtype(np.float32)
LANES = 37


class Declaring(NamedTuple):
    """A struct with columns of each role that may be declared, tables among them."""

    @staticmethod
    def lane_fields() -> Fields:
        """Declare them."""
        state = Field("deadline", "state", np.float64), Field("stages", "state", np.uint8, 3)
        return Fields(
            lane=(*ACCOUNT, NEXT_TIMER, *state, Field("group", "address", np.uint32), Field("own", "block", None, 2)),
            asset=(Field("scale", "account"), Field("held", "state", None, 2)),
        )


class Clashing(NamedTuple):
    """A struct that declares one of those otherwise."""

    @staticmethod
    def lane_fields() -> Fields:
        """Declare it."""
        return Fields(lane=(Field("deadline", "state", np.float32),))


class Reserved(NamedTuple):
    """A struct that declares what is the walk's own."""

    @staticmethod
    def lane_fields() -> Fields:
        """Declare it."""
        return Fields(lane=(Field("mine", "segment"),))


def declared(market: kernel.Market) -> Fields:
    """Return what a market's step declares."""
    return fields_of(market.step(np.float32, 0.01))


def test_markets_with_the_same_needs_share_a_record_type() -> None:
    """Gbm, Merton and Kou declare nothing; Bates and filtered history what Heston does, however deep."""
    assert {declared(market) for market in (GBM, MERTON, KOU)} == {Fields()}
    assert declared(BATES) == declared(HESTON) == declared(FILTERED)
    for group in ((GBM, MERTON, KOU), (HESTON, BATES, FILTERED)):
        lanes = [lanes_dtype(REAL, 2048, declared(market).lane) for market in group]
        assets = [assets_dtype(REAL, 2048, declared(market).asset) for market in group]
        assert all(kind is kinds[0] for kinds in (lanes, assets) for kind in kinds)


@pytest.mark.parametrize(
    ("structs", "message"),
    [
        ((Declaring(), Clashing()), "declared twice, and differently: deadline"),
        ((Reserved(),), "mine is declared with role segment, which is the walk's own"),
    ],
)
def test_declarations_that_clash_are_refused(structs: tuple[Any, ...], message: str) -> None:
    """Two kinds of one name, and roles that belong to the walk, are told apart by name."""
    with pytest.raises(TypeError, match=message):
        lanes_dtype(REAL, 2048, fields_of(*structs).lane)


@pytest.mark.parametrize("assets", [1, 3])
def test_columns_begin_at_lines_of_the_cache(assets: int) -> None:
    """All columns of all sets begin with a line, and neighbours in other places of the cache."""
    for array in new_lanes(np.float64, assets, fields_of(Declaring()))[:2]:
        offsets = {offset for kind, offset in array.dtype.fields.values() if kind.shape}
        assert all((array.ctypes.data + offset) % 64 == 0 for offset in offsets)
        assert array.dtype.itemsize % 64 == 0
        assert len({offset % 4096 for offset in offsets}) > len(offsets) // 2


append: Any = append_lanes  # the core is typed by its compiler
choose: Any = select
give_back: Any = return_moved


@entry
def _copies(rules: Any, lanes: Any, assets: Any, n: int) -> None:
    append(lanes[0], assets[0], n, lanes[1], assets[1], 2)
    choose(rules, lanes[0], assets[0], lanes[0].chosen, n, lanes[2], assets[2])
    give_back(rules, lanes[2], assets[2], n, lanes[3], assets[3])


@pytest.mark.parametrize("rules", [NoRules(), Idle()], ids=["plain", "acting"])
def test_copies_take_each_column_by_its_role(rules: NamedTuple) -> None:
    """Whole copies leave out scratch alone; a selection and its return take the roles that they are for."""
    lanes, assets, width = new_lanes(np.float32, 2, fields_of(Declaring()))
    random = np.random.default_rng(0)
    for array in (lanes, assets):
        raw = array.view(np.uint8)
        raw[...] = random.integers(0, 256, raw.shape, np.uint8)
    chosen = random.permutation(width)[:LANES]
    lanes["chosen"][0, :LANES], lanes["source"][0, :] = chosen, random.permutation(width)
    before, marks = lanes.copy(), assets.copy()
    _copies(rules, lanes, assets, LANES)
    acting = isinstance(rules, Idle)
    selected = set(ROLES[:-1]) if acting else {"tier", "account", "address", "mark"}
    back = {"tier", "state", "account"} if acting else {"tier", "state"}
    source = before["source"][0, chosen]
    for now, then in ((lanes, before), *((assets[:, a], marks[:, a]) for a in range(2))):
        for name, role in _roles(now.dtype).items():
            expected = [then[name][k].copy() for k in range(4)]
            if role != "block":
                expected[1][..., 2 : 2 + LANES] = then[name][0][..., :LANES]
            if role in selected:
                expected[2][..., :LANES] = then[name][0][..., chosen]
            if role in back:
                expected[3][..., source] = expected[2][..., :LANES]
            for k in range(4):
                assert now[name][k].tobytes() == expected[k].tobytes(), (name, k)


def _roles(kind: np.dtype[Any]) -> dict[str, str]:
    """Return the role of each column of a record: that whose bytes hold it, else "block"."""
    assert kind.fields is not None
    spans = {}
    for role in ROLES[:-1]:
        if role_bytes(role) in kind.fields:
            bytes_of, first = kind.fields[role_bytes(role)][:2]
            spans[role] = range(first, first + bytes_of.itemsize)
    names = [name for name in kind.fields if not name.endswith("_bytes") and name != "eight_flags"]
    return {
        name: next((role for role, span in spans.items() if kind.fields[name][1] in span), "block") for name in names
    }

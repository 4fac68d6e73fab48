"""Changes of a membership compose like the memberships they lead to (G-17)."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from muster.engine.changes import change_between, composed, packed, unpacked

_SETS = st.sets(st.integers(0, 200_000), max_size=30).map(BitMap)


@given(st.lists(_SETS, min_size=1, max_size=6))
def test_changes_in_a_row_are_one_change_from_first_to_last(memberships: list[BitMap]) -> None:
    steps = [change_between(before, after) for before, after in pairwise(memberships)]
    whole = composed(steps)
    assert whole == change_between(memberships[0], memberships[-1])
    assert whole.applied_to(memberships[0]) == memberships[-1]
    assert bool(whole) == (memberships[0] != memberships[-1])


@given(_SETS, _SETS, _SETS)
def test_who_is_taken_out_of_a_change_neither_joined_nor_left(before: BitMap, after: BitMap, gone: BitMap) -> None:
    change = change_between(before, after).without(gone)
    assert change == change_between(before - gone, after - gone)


@given(_SETS)
def test_packed_bitmap_is_read_back(members: BitMap) -> None:
    assert unpacked(packed(members)) == members

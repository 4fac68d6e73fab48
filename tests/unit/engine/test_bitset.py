"""Sets of keys as packed bits, held against Python's sets and roaring bitmaps."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from muster.engine.bitset import Bitset, BitsetBuilder
from muster.engine.membership import MembershipFiles
from muster.engine.overlap import overlap

SIZE = 200_000
KEYS = st.one_of(
    st.sets(st.integers(0, SIZE - 1), max_size=60),
    # Dense runs make containers of both kinds of the roaring format, on both sides of a container's end.
    st.tuples(st.integers(0, 140_000), st.integers(1, 20_000)).map(lambda run: set(range(run[0], run[0] + run[1]))),
)


@given(KEYS, KEYS)
def test_operations_are_those_of_sets(left: set[int], right: set[int]) -> None:
    one, other = Bitset.of(left, SIZE), Bitset.of(right, SIZE)
    assert set(map(int, (one & other).keys())) == left & right
    assert len(one | other) == len(left | right)
    assert len(one - other) == len(left - right)
    assert len(one ^ other) == len(left ^ right)
    assert one.first(5) == sorted(left)[:5]
    assert (min(left | right, default=0) in one) == (min(left | right, default=0) in left)


@given(KEYS)
def test_roaring_bytes_are_what_roaring_reads(keys: set[int]) -> None:
    found = Bitset.of(keys, SIZE)
    assert BitMap.deserialize(found.to_roaring_bytes()) == BitMap(keys)
    assert Bitset.from_roaring(BitMap(keys), SIZE) == found


@given(KEYS, st.integers(1, 300_000))
def test_resizing_keeps_the_keys_that_fit(keys: set[int], size: int) -> None:
    assert set(map(int, Bitset.of(keys, SIZE).resized(size).keys())) == {key for key in keys if key < size}


@given(st.lists(KEYS, min_size=2, max_size=6))
def test_overlap_counts_every_customer_once(groups: list[set[int]]) -> None:
    """G-19"""
    named = {f"grp_{index}": keys for index, keys in enumerate(groups)}
    found = overlap({name: BitMap(keys) for name, keys in named.items()})
    expected: dict[frozenset[str], int] = {}
    for key in set().union(*groups):
        combination = frozenset(name for name, keys in named.items() if key in keys)
        expected[combination] = expected.get(combination, 0) + 1
    assert found == expected


def test_overlap_of_few_among_many() -> None:
    """G-19"""
    groups = {f"grp_{step}": BitMap(range(0, SIZE, step)) for step in (50, 70, 110, 130, 170, 190)}
    found = overlap(groups)
    # 50,050 and 65,450 are the least common multiples, each with three multiples below 200,000; only 0 is in all.
    assert found[frozenset({"grp_50", "grp_70", "grp_110", "grp_130"})] == 3
    assert found[frozenset({"grp_50", "grp_70", "grp_110", "grp_170"})] == 3
    assert found[frozenset(groups)] == 1
    assert sum(found.values()) == len({key for step in (50, 70, 110, 130, 170, 190) for key in range(0, SIZE, step)})


def test_builder_leaves_out_customers_who_came_later() -> None:
    builder = BitsetBuilder(10)
    builder.add(Bitset.of({3, 9, 11}, 20).keys())
    assert list(map(int, builder.build().keys())) == [3, 9]


def test_membership_files_swap_and_sweep(tmp_path: Path) -> None:
    """G-16: a generation is a file of its own; what nothing points to is swept away at the start."""
    files = MembershipFiles(tmp_path)
    for generation in (1, 2, 3):
        files.write("grp_a", generation, Bitset.of({generation}, 10))
    files.write("grp_b", 1, Bitset.of({7}, 10))
    files.sync()
    assert files.read("grp_a", 2) == BitMap({2})
    files.prune("grp_a", 3)
    assert files.sweep({"grp_a": 3}) == 2
    assert files.read("grp_a", 3) == BitMap({3})

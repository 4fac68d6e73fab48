"""The online store against plain sets: what is published is what is read, whatever happens in between (section 7)."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from muster.online.aside import GivenUp
from muster.online.layout import file_of
from muster.online.port import Plan, PlanGroup, PublishedKey, StoreUnreadable, identity_digest, key_digest
from muster.online.publication import Column, Identity, Moved, Publication, Readers
from muster.online.reader import LmdbReader, LmdbView
from muster.online.writer import OnlineWriter

PLAN = Plan((PlanGroup("grp_1", "loyal", 0, "signed"),))


def moved(joined: set[int], left: set[int] = frozenset()) -> Moved:  # type: ignore[assignment]
    return Moved(BitMap(joined), BitMap(left))


def filled(writer: OnlineWriter, members: dict[int, set[int]]) -> None:
    aside = writer.rebuild(1 + max(members, default=0))
    aside.put_masks({bit: BitMap(theirs) for bit, theirs in members.items()})
    aside.switch(Publication(plans={1: PLAN}))


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[OnlineWriter]:
    made = OnlineWriter(tmp_path)
    yield made
    made.close()


@pytest.fixture
def reader(writer: OnlineWriter) -> LmdbView:
    return writer.view()


def bits_of(reader: LmdbView, customer: int) -> set[int]:
    with reader.snapshot() as now:
        mask = now.mask(customer)
    return {bit for bit in range(1024) if mask >> bit & 1}


def test_store_without_rebuild_knows_keys_and_no_plan(writer: OnlineWriter, reader: LmdbView) -> None:
    """E-38: ingest works while nothing can be decided."""
    key = PublishedKey(app=1, source=7, kind="publishable")
    writer.publish_keys({key_digest("mpk_1"): key})
    writer.publish(Publication(plans={1: PLAN}))
    with reader.snapshot() as now:
        assert now.key(key_digest("mpk_1")) == key
        assert now.plan(1) is None


def test_rebuild_puts_everybody_in_their_groups(writer: OnlineWriter, reader: LmdbView) -> None:
    filled(writer, {0: {1, 63, 64, 200_000}, 9: {64}})
    assert {key: bits_of(reader, key) for key in (0, 1, 63, 64, 65, 200_000, 4_000_000_000)} == {
        0: set(), 1: {0}, 63: {0}, 64: {0, 9}, 65: set(), 200_000: {0}, 4_000_000_000: set(),
    }  # fmt: skip  # a table


def test_publication_moves_customers_between_groups(writer: OnlineWriter, reader: LmdbView) -> None:
    filled(writer, {0: {1, 2}, 1: {3}})
    writer.publish(Publication(moved={0: moved({3}, {1}), 1: moved({1}, {3})}))
    assert [bits_of(reader, key) for key in (1, 2, 3)] == [{1}, {0}, {0}]


def test_whole_bit_replaces_whoever_had_it(writer: OnlineWriter, reader: LmdbView) -> None:
    filled(writer, {0: {1, 500_000}, 1: {1}})
    writer.publish(Publication(whole={0: BitMap({2, 900_000})}))
    assert [bits_of(reader, key) for key in (1, 2, 500_000, 900_000)] == [{1}, {0}, set(), {0}]


def test_identity_names_a_customer_until_it_is_taken_away(writer: OnlineWriter, reader: LmdbView) -> None:
    ann, visitor = Identity("external", 0, "ann"), Identity("anonymous", 1, "v-1")
    writer.publish(Publication(identities={ann: 5, visitor: 6}))
    with reader.snapshot() as now:
        assert now.customer(identity_digest(*ann)) == 5
        assert now.customer(identity_digest(*visitor)) == 6
        assert now.customer(identity_digest("anonymous", 2, "v-1")) is None
    writer.publish(Publication(identities={visitor: 5, ann: None}))
    with reader.snapshot() as now:
        assert now.customer(identity_digest(*ann)) is None
        assert now.customer(identity_digest(*visitor)) == 5


def test_identity_is_compared_in_its_composed_form() -> None:
    assert identity_digest("external", 0, "Zoe\u0308") == identity_digest("external", 0, "Zo\u00eb")


def test_forgotten_customer_is_in_nothing(writer: OnlineWriter, reader: LmdbView) -> None:
    """E-35: erased."""
    filled(writer, {0: {1, 2}, 70: {1}})
    writer.publish(Publication(forgotten=BitMap({1, 77_777})))
    assert [bits_of(reader, key) for key in (1, 2)] == [set(), {0}]


@pytest.mark.parametrize("bit", [64, 127, 128, 1_023])
def test_wider_masks_keep_what_was_there(writer: OnlineWriter, reader: LmdbView, bit: int) -> None:
    """E-34: W = 8, 16, ... 128."""
    filled(writer, {0: {1}, 63: {2, 300_000}})
    writer.publish(Publication(moved={bit: moved({2})}))
    assert [bits_of(reader, key) for key in (1, 2, 300_000)] == [{0}, {63, bit}, {63}]
    assert writer.state.width == max(width for width in (8, 16, 32, 64, 128) if width * 4 <= bit)


def test_what_is_published_during_a_rebuild_is_there_after_it(writer: OnlineWriter, reader: LmdbView) -> None:
    """E-34."""
    filled(writer, {0: {1, 2}})
    ann = Identity("external", 0, "ann")
    aside = writer.rebuild(2)
    writer.publish(Publication(moved={0: moved({3}, {1})}, identities={ann: 3}))
    assert [bits_of(reader, key) for key in (1, 2, 3)] == [set(), {0}, {0}]
    aside.put_masks({0: BitMap({1, 2}), 1: BitMap({2})})
    aside.put_identities([(ann, 1), (Identity("external", 0, "bob"), 2)])
    assert [bits_of(reader, key) for key in (1, 2, 3)] == [set(), {0}, {0}]
    aside.switch(Publication(plans={1: PLAN}))
    assert [bits_of(reader, key) for key in (1, 2, 3)] == [set(), {0, 1}, {0}]
    with reader.snapshot() as now:
        assert [now.customer(identity_digest("external", 0, name)) for name in ("ann", "bob")] == [3, 2]


def test_rebuild_that_became_too_narrow_is_given_up(writer: OnlineWriter) -> None:
    aside = writer.rebuild(1)
    writer.publish(Publication(moved={200: moved({1})}))
    with pytest.raises(GivenUp):
        aside.switch(Publication())


def test_generation_counts_publications_and_plans_are_renewed_only_when_they_change(writer: OnlineWriter) -> None:
    """E-33: decoded plans are kept until they are others."""
    filled(writer, {0: {1}})
    first = writer.state
    writer.publish(Publication(moved={0: moved({2})}, plans={1: PLAN}))
    writer.publish_meta({"drained/1": "a:1"})
    assert (writer.state.generation, writer.state.renewed) == (first.generation + 1, first.renewed)
    writer.publish(Publication(plans={1: Plan()}))
    assert (writer.state.generation, writer.state.renewed) == (first.generation + 2, first.generation + 2)


def test_revoked_key_is_gone_and_the_store_says_so(writer: OnlineWriter, reader: LmdbView) -> None:
    """E-35."""
    writer.publish_keys({key_digest("mpk_1"): PublishedKey(app=1, source=7, kind="publishable")})
    before = writer.state.renewed
    writer.publish_keys({})
    with reader.snapshot() as now:
        assert now.key(key_digest("mpk_1")) is None
        assert now.state.renewed > before


def test_failed_publication_changes_nothing(writer: OnlineWriter, reader: LmdbView) -> None:
    filled(writer, {0: {1}})
    before = writer.state
    with pytest.raises(OverflowError):
        writer.publish(Publication(moved={0: moved({2})}, identities={Identity("external", 0, "a"): 2**40}))
    assert writer.state == before
    assert bits_of(reader, 2) == set()


def test_store_remembers_what_it_publishes(tmp_path: Path) -> None:
    first = OnlineWriter(tmp_path)
    filled(first, {0: {1}})
    first.publish(Publication(columns={"grp_1": Column(0, 4)}))
    state = first.state
    first.close()
    second = OnlineWriter(tmp_path)
    assert (second.state, second.columns()) == (state, {"grp_1": Column(0, 4)})
    assert second.members([0, 1]) == {0: BitMap({1}), 1: BitMap()}
    second.close()


@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_unreadable_store_is_set_aside(tmp_path: Path, damage: str) -> None:
    """E-38: at the start, and until it is rebuilt nothing is decided."""
    first = OnlineWriter(tmp_path)
    filled(first, {bit: set(range(100_000)) for bit in range(8)})
    first.close()
    file = file_of(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"\xff" * len(whole))
    with pytest.raises(StoreUnreadable):
        LmdbReader(tmp_path)
    second = OnlineWriter(tmp_path)
    assert not second.state.complete
    assert file.with_suffix(".unreadable").stat().st_size > 0
    second.close()


def test_reader_notices_another_store_in_place(tmp_path: Path) -> None:
    OnlineWriter(tmp_path).close()
    reader = LmdbReader(tmp_path)
    assert reader.is_current()
    file = file_of(tmp_path)
    file.rename(file.with_suffix(".former"))
    assert not reader.is_current()
    reader.close()


def test_nothing_published_yet_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreadable):
        LmdbReader(tmp_path)


def test_another_map_size_is_taken_over(tmp_path: Path) -> None:
    """E-36: a process whose map is smaller than the file reads it all the same."""
    OnlineWriter(tmp_path).close()
    reader = LmdbReader(tmp_path)
    reader._environment.set_mapsize(1 << 20)
    assert bits_of(reader, 999_999) == set()
    program = (
        "import sys; from pathlib import Path; from pyroaring import BitMap;"
        "from muster.online.publication import Publication; from muster.online.writer import OnlineWriter;"
        "OnlineWriter(Path(sys.argv[1])).publish(Publication(whole={0: BitMap(range(1_000_000))}))"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    assert bits_of(reader, 999_999) == {0}
    reader.close()


def test_readers_see_complementary_groups_as_one_whole(writer: OnlineWriter) -> None:
    """E-33: never in both, never in neither."""
    filled(writer, {0: {1}, 1: set()})
    ending = threading.Event()
    seen: set[int] = set()

    def read() -> None:
        reader = writer.view()
        while not ending.is_set():
            with reader.snapshot() as now:
                seen.add(now.mask(1))

    thread = threading.Thread(target=read)
    thread.start()
    for _ in range(300):
        writer.publish(Publication(moved={0: moved(set(), {1}), 1: moved({1})}))
        writer.publish(Publication(moved={0: moved({1}), 1: moved(set(), {1})}))
    ending.set()
    thread.join()
    assert seen <= {0b01, 0b10}


_KEYS = st.integers(0, 200) | st.integers(0, 2_000_000)
_CHANGE = st.tuples(st.integers(0, 200), st.sets(_KEYS, max_size=8), st.sets(_KEYS, max_size=8))
_STEP = st.one_of(
    st.tuples(st.just("move"), st.lists(_CHANGE, max_size=4, unique_by=lambda one: one[0])),
    st.tuples(st.just("whole"), st.tuples(st.integers(0, 200), st.sets(_KEYS, max_size=8))),
    st.tuples(st.just("forget"), st.sets(_KEYS, max_size=8)),
    st.tuples(st.just("rebuild"), st.none()),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(_STEP, max_size=8))
def test_store_equals_plain_sets(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, object]]) -> None:
    """Any history of publications leaves everybody in exactly the groups that sets say."""
    folder = tmp_path_factory.mktemp("store")
    members: dict[int, set[int]] = {bit: set() for bit in range(201)}
    writer = OnlineWriter(folder)
    named: set[int] = set()
    for kind, what in steps:
        if kind == "move":
            changes = {bit: (joined - left, left) for bit, joined, left in what}  # type: ignore[attr-defined]
            writer.publish(Publication(moved={bit: moved(*change) for bit, change in changes.items()}))
            for bit, (joined, left) in changes.items():
                members[bit] = members[bit] - left | joined
                named |= joined | left
        elif kind == "whole":
            bit, theirs = what  # type: ignore[misc]
            writer.publish(Publication(whole={bit: BitMap(theirs)}))
            members[bit] = theirs
            named |= theirs
        elif kind == "forget":
            writer.publish(Publication(forgotten=BitMap(what)))
            members = {bit: theirs - what for bit, theirs in members.items()}  # type: ignore[operator]
        else:
            filled(writer, members)
    writer.close()
    reader = LmdbReader(folder)
    told = {key: bits_of(reader, key) for key in named}
    reader.close()
    assert told == {key: {bit for bit, theirs in members.items() if key in theirs} for key in named}


def test_who_reads_for_long_is_known_by_what_was_published_since(writer: OnlineWriter, reader: LmdbView) -> None:
    """E-36: a state that is read is kept, and the file grows."""
    filled(writer, {0: {5}})
    assert writer.readers().behind == 0
    with reader.snapshot():
        for number in range(3):
            writer.publish_meta({"drained/1": f"file:{number}"})
        assert writer.readers() == Readers(1, 1_024, 3)
    writer.publish_meta({"drained/1": "file:4"})
    assert writer.readers().behind == 0

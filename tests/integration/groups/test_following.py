"""G-15, G-16, G-17, G-23: who is touched, or whose time has come, is evaluated again. Answers are written by hand."""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pyroaring import BitMap

from muster.catalog.actions import create_app, declare_attribute, edit_publisher
from muster.catalog.queries import warehouse_catalog
from muster.customers.privacy.actions.consents import put_consent
from muster.customers.queries import customer_key
from muster.engine.changes import Change, packed
from muster.groups import jobs
from muster.groups.actions import lists
from muster.groups.actions.followed import FOLLOWED
from muster.groups.actions.following import Follower, Sizes, check_agreement, provide_follower
from muster.groups.actions.lists import create_known, put_in_force, write_list
from muster.groups.actions.membership import refresh_groups, sweep_memberships
from muster.groups.actions.segments import change_state, create_segment, edit_group
from muster.groups.hooks import memberships_changed
from muster.groups.models import Group, MembershipChange, MembershipDelta
from muster.groups.queries.evaluation import membership_files, stored_members
from muster.groups.queries.people import members, members_as_of
from muster.groups.queries.recall import members_after
from muster.kernel.clock import clock_of
from muster.rules.standard_events import STANDARD_EVENTS
from muster.team.policies import LOCAL
from muster.warehouse.builder import batch_of
from muster.warehouse.catalog import Trust
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Email, Item, Occurrence
from muster.warehouse.lists.entries import named
from muster.warehouse.lists.files import SCHEMA
from tests.integration.groups.test_overtaken import PLACES, Interrupted
from tests.integration.personas import open_store

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ALL = [Sizes(few=100), Sizes(few=0, share=10), Sizes(few=0, share=0)]
NAMES = ["few", "many", "everybody"]


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Iterator[Time]:
    clock = Time()
    with clock_of(clock):
        yield clock


@pytest.fixture
def warehouse(db: None, tmp_path: Path, time: Time) -> Iterator[DuckDBWarehouse]:
    """ann has one point, bob two, carl three. `rich` have two, `poor` are the others, `friends` are who is rich."""
    with open_store(tmp_path) as opened:
        create_app(LOCAL, key="notes")
        declare_attribute(LOCAL, key="points", type="number")
        edit_publisher(LOCAL, revision=None, minimum_size=0)
        _bring(opened, ann=1, bob=2, carl=3)
        _segment("rich", {"attribute": "points", "op": "gte", "value": 2})
        _segment("poor", {"none": [{"attribute": "points", "op": "gte", "value": 2}]})
        _segment("friends", {"group": "rich"})
        yield opened


def _segment(key: str, match: dict[str, Any]) -> None:
    create_segment(LOCAL, name=key.title(), key=key, definition={"version": 1, "match": match})


_numbers = iter(range(1, 1_000_000))


def _item(who: str, at: datetime, **said: Any) -> Item:
    opened = Occurrence(STANDARD_EVENTS["app_opened"].number, {})
    return Item(
        hash=hashlib.md5(f"{who}{next(_numbers)}".encode()).digest(),
        happened_at=at,
        app=1,
        **{"external_id": who, "event": opened, **said},
    )


def _bring(warehouse: DuckDBWarehouse, **points: int) -> BitMap:
    """What is said last counts."""
    at = NOW - timedelta(seconds=1) + timedelta(microseconds=next(_numbers))
    items = [_item(who, at, traits={"points": many}) for who, many in points.items()]
    return warehouse.append(batch_of(items, NOW), warehouse_catalog()).touched


def _key(who: str) -> int:
    key = customer_key(f"external:{who}")
    assert key is not None
    return key


def _inside(key: str) -> list[str]:
    found = stored_members(Group.objects.get(key=key))
    keys = {who: customer_key(f"external:{who}") for who in ("ann", "bob", "carl", "dora")}
    return [who for who, key in keys.items() if key is not None and key in found]


def _told(key: str) -> list[tuple[str, int, int]]:
    rows = MembershipChange.objects.filter(group__key=key)
    return list(rows.values_list("cause", "joined_count", "left_count"))


@contextmanager
def _listening() -> Iterator[list[dict[str, Change]]]:
    heard: list[dict[str, Change]] = []

    def hear(changes: Mapping[str, Change]) -> None:
        assert not connection.in_atomic_block
        heard.append({Group.objects.get(id=group).key: change for group, change in changes.items()})

    memberships_changed.append(hear)
    try:
        yield heard
    finally:
        memberships_changed.remove(hear)


@pytest.mark.parametrize("sizes", ALL, ids=NAMES)
def test_who_is_touched_moves_and_groups_that_refer_follow_in_the_same_transaction(
    warehouse: DuckDBWarehouse, sizes: Sizes
) -> None:
    touched = _bring(warehouse, ann=5, dora=2)
    with _listening() as heard:
        Follower(sizes).follow(touched)
    assert _inside("rich") == _inside("friends") == ["ann", "bob", "carl", "dora"]
    assert _inside("poor") == []
    both = Change(BitMap([_key("ann"), _key("dora")]), BitMap())
    assert heard == [{"rich": both, "poor": Change(BitMap(), BitMap([_key("ann")])), "friends": both}]
    row = Group.objects.get(key="rich")
    assert (row.size, row.available_customers, row.state, _told("rich")[1:]) == (4, 4, "active", [("data", 2, 0)])


def test_value_that_nobody_foresaw_is_asked_by_the_conditions(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever it is of, everybody else is followed, and they are too."""

    def fails(*_: object) -> None:
        raise ArithmeticError("nobody foresaw it")

    monkeypatch.setattr("muster.groups.actions.following.follower.ask_few", fails)
    with caplog.at_level(logging.ERROR):
        Follower().follow(_bring(warehouse, ann=5))
    assert _inside("rich") == ["ann", "bob", "carl"]
    assert "the compiled conditions are asked instead" in caplog.text


def test_small_change_writes_no_file_and_is_in_every_answer_at_once(warehouse: DuckDBWarehouse, time: Time) -> None:
    files = sorted(membership_files().generations())
    follower = Follower()
    time.now += timedelta(minutes=1)
    follower.follow(_bring(warehouse, ann=2))
    assert sorted(membership_files().generations()) == files
    page = members("rich")
    assert (len(page.items), page.generation) == (3, 1)
    before, recalled = members_as_of("rich", NOW + timedelta(seconds=30))
    assert (len(before.items), len(members_as_of("rich", time.now)[0].items), recalled.exact) == (2, 3, True)
    assert members_after(MembershipChange.objects.filter(group__key="rich").latest("id")) == _stored("rich")


def _stored(key: str) -> BitMap:
    return stored_members(Group.objects.get(key=key))


def test_changes_of_one_minute_are_one_and_told_one_by_one(warehouse: DuckDBWarehouse, time: Time) -> None:
    follower = Follower()
    with _listening() as heard:
        for points in (2, 1, 2):
            time.now += timedelta(seconds=10)
            follower.follow(_bring(warehouse, ann=points))
    assert _told("rich") == [("definition", 2, 0), ("data", 1, 0)]
    assert len(heard) == 3


def test_nobody_touched_stores_and_asks_nothing(warehouse: DuckDBWarehouse, time: Time) -> None:
    follower = Follower()
    follower.follow(_bring(warehouse, ann=2))
    # How old the data of all groups is, it notes itself once in a while.
    follower.advance()
    follower.advance()
    time.now += timedelta(seconds=1)
    with CaptureQueriesContext(connection) as asked:
        follower.advance()
    assert [query["sql"] for query in asked if "data_version" not in query["sql"]] == []


@pytest.mark.parametrize("sizes", ALL, ids=NAMES)
def test_window_expires_to_the_microsecond(warehouse: DuckDBWarehouse, time: Time, sizes: Sizes) -> None:
    """Also of who was touched after everybody was looked at."""
    _segment("fresh", {"event": "app_opened", "when": {"last": "PT30M"}})
    follower = Follower(sizes)
    follower.advance()
    at = NOW - timedelta(minutes=29)
    follower.follow(warehouse.append(batch_of([_item("dora", at)], NOW), warehouse_catalog()).touched)
    assert _inside("fresh") == ["ann", "bob", "carl", "dora"]
    assert follower.next_at is not None
    if sizes.share:
        assert follower.next_at == NOW + timedelta(minutes=1)
    time.now = NOW + timedelta(minutes=1) - timedelta(microseconds=1)
    follower.advance()
    assert _inside("fresh") == ["ann", "bob", "carl", "dora"]
    time.now += timedelta(microseconds=1)
    follower.advance()
    assert (_inside("fresh"), _told("fresh")[-1]) == (["ann", "bob", "carl"], ("time", 0, 1))
    time.now = NOW + timedelta(minutes=30)
    follower.advance()
    assert (_inside("fresh"), _told("fresh")[-1]) == ([], ("time", 0, 3))


def test_who_was_read_ahead_is_read_again_once_anything_is_written(warehouse: DuckDBWarehouse, time: Time) -> None:
    """While all is quiet whoever is due next is read together."""
    _segment("fresh", {"event": "app_opened", "when": {"last": "PT40M"}})
    starts = {f"p{number}": NOW - timedelta(minutes=40 - number) for number in range(1, 6)}
    warehouse.append(batch_of([_item(who, at) for who, at in starts.items()], NOW), warehouse_catalog())
    follower = Follower()
    follower.begin()
    follower.advance()

    def inside_after(minutes: int) -> list[str]:
        time.now = NOW + timedelta(minutes=minutes)
        follower.advance()
        found = stored_members(Group.objects.get(key="fresh"))
        return [who for who in starts if _key(who) in found]

    assert inside_after(1) == ["p2", "p3", "p4", "p5"]
    assert inside_after(2) == ["p3", "p4", "p5"]
    # p4 was read ahead with p2, and comes back before its time is over; p3 was, and does not.
    again = _item("p4", NOW + timedelta(minutes=2))
    follower.follow(warehouse.append(batch_of([again], time.now), warehouse_catalog()).touched)
    assert inside_after(3) == ["p4", "p5"]
    assert inside_after(4) == ["p4", "p5"]
    assert inside_after(5) == ["p4"]
    assert inside_after(42) == []


def test_hours_that_nobody_looked_are_made_up_for(warehouse: DuckDBWarehouse, time: Time) -> None:
    _segment("fresh", {"event": "app_opened", "when": {"last": "P1D"}})
    Follower().advance()
    time.now = NOW + timedelta(days=3)
    # Another process: it knows since when.
    Follower().advance()
    assert _inside("fresh") == []


def test_clock_that_is_set_back_brings_back_who_had_left(warehouse: DuckDBWarehouse, time: Time) -> None:
    _segment("fresh", {"event": "app_opened", "when": {"last": "P1D"}})
    follower = Follower()
    follower.advance()
    time.now = NOW + timedelta(days=2)
    follower.advance()
    assert _inside("fresh") == []
    time.now = NOW + timedelta(hours=3)
    follower.advance()
    assert _inside("fresh") == ["ann", "bob", "carl"]


def test_settings_that_decide_who_is_asked_at_all_are_followed(warehouse: DuckDBWarehouse) -> None:
    follower = Follower()
    follower.advance()
    edit_publisher(LOCAL, revision=None, require_known_age=True)
    follower.advance()
    assert (_inside("rich"), Group.objects.get(key="rich").available_customers) == ([], 0)


def test_withdrawn_consent_is_followed_before_the_call_returns(warehouse: DuckDBWarehouse) -> None:
    """E-35"""
    provide_follower(Follower())
    try:
        put_consent(LOCAL, "external:bob", "profiling", granted=False)
        assert (_inside("rich"), _inside("friends")) == (["carl"], ["carl"])
    finally:
        provide_follower(None)


def test_who_is_merged_leaves_also_what_cannot_be_evaluated(warehouse: DuckDBWarehouse) -> None:
    visitor = [_item("", NOW, external_id=None, anonymous_id="a1", traits={"points": 4})]
    touched = warehouse.append(batch_of(visitor, NOW), warehouse_catalog()).touched
    [key] = touched
    follower = Follower()
    follower.follow(touched)
    assert key in _stored("rich")
    gone = {"version": 1, "match": {"attribute": "gone", "op": "is_set"}}
    Group.objects.filter(key="friends").update(definition=gone, revision=9)
    joined = [_item("bob", NOW, anonymous_id="a1")]
    follower.follow(warehouse.append(batch_of(joined, NOW), warehouse_catalog()).touched)
    assert (key in _stored("rich"), key in _stored("friends")) == (False, False)
    assert (_inside("friends"), Group.objects.get(key="friends").state) == (["bob", "carl"], "failed")


# Lists


@pytest.mark.parametrize("sizes", ALL, ids=NAMES)
def test_pending_address_joins_by_itself(warehouse: DuckDBWarehouse, sizes: Sizes) -> None:
    """G-23: and a segment that refers to the list with it."""
    _list("dora@example.com", "external:carl", "cus_1", "nobody@example.com")
    _segment("testers", {"group": "known"})
    follower = Follower(sizes)
    assert (_inside("known"), Group.objects.get(key="known").pending_count) == (["ann", "carl"], 2)
    unverified = [_item("dora", NOW, emails=(Email("Dora@Example.com"),), trust=Trust.OPEN)]
    follower.follow(warehouse.append(batch_of(unverified, NOW), warehouse_catalog()).touched)
    assert _inside("known") == ["ann", "carl"]
    verified = [_item("dora", NOW, emails=(Email("Dora@Example.com", verified=True),))]
    follower.follow(warehouse.append(batch_of(verified, NOW), warehouse_catalog()).touched)
    assert _inside("known") == _inside("testers") == ["ann", "carl", "dora"]
    assert Group.objects.get(key="known").pending_count == 1


def _list(*entries: str) -> None:
    create_known(LOCAL, name="Known", key="known")
    row = Group.objects.get(key="known")
    known = [named(entry) for entry in entries]
    columns = {"kind": [one.kind for one in known], "entry": entries, "identity": [one.identity for one in known]}
    put_in_force(row, write_list(row, pa.table(columns, schema=SCHEMA).to_batches(), "imp_1"))


def test_list_that_is_edited_is_read_again(warehouse: DuckDBWarehouse) -> None:
    _list("dora@example.com")
    follower = Follower()
    follower.follow(_bring(warehouse, ann=1))
    row = Group.objects.get(key="known")
    put_in_force(row, write_list(row, pa.table(_columns("external:dora"), schema=SCHEMA).to_batches(), "imp_2"))
    follower.follow(_bring(warehouse, dora=1))
    assert _inside("known") == ["dora"]


def test_who_arrives_while_a_list_is_matched_is_on_it_soon_after(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G-15, G-23: the match found nobody, and the follower knew the list of before."""
    _list("external:ann")
    follower = Follower()
    follower.follow(_bring(warehouse, ann=1))
    match = lists.match

    def matches(*told: Any) -> lists.Matched:
        found = match(*told)
        monkeypatch.setattr(lists, "match", match)
        follower.follow(_bring(warehouse, dora=1))
        return found

    monkeypatch.setattr(lists, "match", matches)
    row = Group.objects.get(key="known")
    put_in_force(row, write_list(row, pa.table(_columns("external:dora"), schema=SCHEMA).to_batches(), "imp_2"))
    follower.advance()
    assert _inside("known") == ["dora"]


def _columns(entry: str) -> dict[str, list[Any]]:
    known = named(entry)
    return {"kind": [known.kind], "entry": [entry], "identity": [known.identity]}


# Ranks


def test_ranks_stand_until_a_twentieth_was_touched(warehouse: DuckDBWarehouse) -> None:
    """G-5, G-15: against the threshold of the last evaluation of everybody; it moves with the next."""
    _segment("best", {"attribute": "points", "op": "top_count", "value": 1})
    follower = Follower(Sizes(ranks_share=2))
    follower.follow(_bring(warehouse, ann=3, bob=9))
    follower.advance()
    assert _inside("best") == ["ann", "bob", "carl"]
    moving = Follower(Sizes(ranks_share=0.05, ranks_pause=timedelta()))
    moving.follow(_bring(warehouse, ann=3))
    moving.advance()
    assert _inside("best") == ["bob"]


# Others store meanwhile


@pytest.mark.parametrize("place", PLACES)
def test_edit_sees_who_was_followed_in_between(warehouse: DuckDBWarehouse, place: int) -> None:
    follower = Follower()
    _amid(
        lambda: edit_group(LOCAL, "rich", revision=1, definition=_points(1)),
        lambda: follower.follow(_bring(warehouse, dora=1)),
        place,
    )
    follower.advance()
    assert _inside("rich") == _inside("friends") == ["ann", "bob", "carl", "dora"]


@pytest.mark.parametrize("place", PLACES)
def test_refresh_leaves_who_was_followed_in_between(warehouse: DuckDBWarehouse, place: int) -> None:
    """Nobody who joined is told to have left because a refresh began before."""
    follower = Follower()
    with _listening() as heard:
        _amid(refresh_groups, lambda: follower.follow(_bring(warehouse, dora=3)), place)
        follower.advance()
    assert _inside("rich") == _inside("friends") == ["bob", "carl", "dora"]
    assert heard == [dict.fromkeys(("rich", "friends"), Change(BitMap([_key("dora")]), BitMap()))]


@pytest.mark.parametrize("place", range(1, 12))
def test_follower_sees_what_was_edited_in_between(warehouse: DuckDBWarehouse, place: int) -> None:
    follower = Follower()
    touched = _bring(warehouse, dora=1)
    _amid_queries(
        lambda: follower.follow(touched),
        lambda: edit_group(LOCAL, "rich", revision=1, definition=_points(1)),
        place,
    )
    follower.advance()
    assert _inside("rich") == _inside("friends") == ["ann", "bob", "carl", "dora"]


def _points(least: int) -> dict[str, Any]:
    return {"version": 1, "match": {"attribute": "points", "op": "gte", "value": least}}


def _amid(deed: Callable[[], object], other: Callable[[], object], place: int) -> None:
    clock = Interrupted(other, place)
    with clock_of(clock):
        deed()
    if not clock.happened:
        other()


def _amid_queries(deed: Callable[[], object], other: Callable[[], object], place: int) -> None:
    """`other` before the n-th question to the control database that is asked outside of a transaction."""
    asked = 0
    busy = False

    def ask(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal asked, busy
        if not busy and not connection.in_atomic_block:
            asked += 1
            if asked == place:
                busy = True
                other()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(ask):
        deed()
    if asked < place:
        other()


def test_archived_group_is_left_and_a_restored_one_joined(warehouse: DuckDBWarehouse) -> None:
    everybody = BitMap([_key("bob"), _key("carl")])
    with _listening() as heard:
        change_state(LOCAL, "friends", "archive")
        change_state(LOCAL, "friends", "restore")
    assert heard == [{"friends": Change(BitMap(), everybody)}, {"friends": Change(everybody, BitMap())}]


def test_archived_groups_are_not_followed(warehouse: DuckDBWarehouse) -> None:
    follower = Follower()
    follower.advance()
    change_state(LOCAL, "friends", "archive")
    follower.follow(_bring(warehouse, dora=3))
    assert (_inside("rich"), _inside("friends")) == (["bob", "carl", "dora"], ["bob", "carl"])


# Whether it is right


def test_disagreement_is_repaired_counted_and_said(
    warehouse: DuckDBWarehouse, caplog: pytest.LogCaptureFixture
) -> None:
    """G-15"""
    follower = Follower()
    follower.advance()
    assert check_agreement(follower, patience_seconds=0) == 0
    row = Group.objects.get(key="rich")
    wrong = Change(BitMap([_key("ann")]), BitMap([_key("bob")]))
    MembershipDelta.objects.create(
        group=row, generation=row.generation, joined=packed(wrong.joined), left=packed(wrong.left)
    )
    FOLLOWED.begin_anew()
    # `friends` follow `rich`: who is wrongly in one is not wrongly out of the other.
    provide_follower(follower)
    logger = logging.getLogger("muster.following")
    logger.addHandler(caplog.handler)
    try:
        assert check_agreement(follower, patience_seconds=0) == 2
    finally:
        logger.removeHandler(caplog.handler)
        provide_follower(None)
    assert (_inside("rich"), _told("rich")[-1]) == (["bob", "carl"], ("full", 1, 1))
    assert "2 customers of rich" in caplog.text
    assert check_agreement(follower, patience_seconds=0) == 0


def test_nightly_refresh_checks_first(warehouse: DuckDBWarehouse) -> None:
    class Job:
        def progress(self, done: int, total: int | None = None, text: str = "") -> None:
            pass

    assert jobs.refresh_nightly(Job()) == {"refreshed": 3, "disagreements": 0}  # type: ignore[arg-type]  # as far as needed
    provide_follower(Follower())
    try:
        assert jobs.refresh_nightly(Job()) == {"refreshed": 3, "disagreements": 0}  # type: ignore[arg-type]  # as far as needed
    finally:
        provide_follower(None)


# Folding, and dying in the midst of it


def _crowd(warehouse: DuckDBWarehouse, number: int, points: int) -> BitMap:
    """Enough people that a small change is small no more: every second key, in no order a run could tell."""
    at = NOW - timedelta(seconds=1) + timedelta(microseconds=next(_numbers))
    items = [_item(f"p{n}", at, traits={"points": points}) for n in range(number)]
    return warehouse.append(batch_of(items, NOW), warehouse_catalog()).touched


def test_many_small_changes_are_folded_into_the_next_file(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muster.groups.actions.generations._LEAST_DELTA_BYTES", 10)
    follower = Follower()
    follower.advance()
    for points in (3, 1, 3, 1, 5):
        follower.follow(_crowd(warehouse, 60, points))
    generations = dict(membership_files().generations())
    row = Group.objects.get(key="rich")
    assert (row.generation > 1, row.size, generations[row.id]) == (True, 62, row.generation)
    assert (len(_stored("rich")), len(_stored("poor"))) == (62, 1)
    assert sweep_memberships() > 0
    assert (len(_stored("rich")), len(_stored("poor"))) == (62, 1)
    kept = MembershipDelta.objects.filter(group=row).values_list("generation", flat=True)
    assert all(generation >= row.generation - 1 for generation in kept)


class Died(BaseException):
    """As if the process were no more."""


class Places:
    """Dies before the n-th thing that changes anything: a statement to the database, a file that is written."""

    def __init__(self, last: int) -> None:
        self._last = last
        self.passed = 0

    def note(self) -> None:
        self.passed += 1
        if self.passed == self._last:
            raise Died

    def ask(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(("SELECT", "PRAGMA")):
            self.note()
        answer = execute(sql, params, many, context)
        return answer


_places: list[Places] = []
_FILES = {"open", "os.rename", "os.remove"}


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _places and event in _FILES and str(settings.MUSTER.membership_directory) in str(arguments[0]):
        _places[-1].note()


sys.addaudithook(_hook)


@contextmanager
def _dying(last: int) -> Iterator[Places]:
    places = Places(last)
    _places.append(places)
    try:
        with connection.execute_wrapper(places.ask):
            yield places
    except Died:
        pass
    finally:
        _places.pop()


@pytest.mark.parametrize("least_bytes", [8_192, 0], ids=["beside the file", "as the next file"])
def test_death_at_any_place_of_storing_leaves_the_old_members_or_the_new(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch, least_bytes: int
) -> None:
    """G-16: of all groups together; complements are never both or neither, and the memory is the difference."""
    monkeypatch.setattr("muster.groups.actions.generations._LEAST_DELTA_BYTES", least_bytes)
    place, points = 0, 1
    while True:
        place += 1
        points = 3 - points
        touched = _bring(warehouse, ann=points, dora=3 - points)
        before = _state()
        dying = Follower()
        with _dying(place) as places:
            dying.follow(touched)
        died = places.passed == place
        assert not connection.in_atomic_block
        after = _state()
        assert after["rich"] == after["friends"]
        assert not after["rich"] & after["poor"]
        for key, found in after.items():
            remembered = MembershipChange.objects.filter(group__key=key).latest("id")
            assert (members_after(remembered), remembered.size) == (found, len(found))
            assert Group.objects.get(key=key).size == len(found)
        sweep_memberships()
        assert _state() == after
        expected = {"bob", "carl", "ann" if points == 2 else "dora"}
        if after != before:
            assert set(_inside("rich")) == expected
        # The next process takes up what this one had not stored.
        Follower().follow(touched)
        assert set(_inside("rich")) == set(_inside("friends")) == expected
        if not died:
            break
    assert place > (9 if least_bytes else 15)


def _state() -> dict[str, BitMap]:
    with transaction.atomic():
        return {key: _stored(key) for key in ("rich", "poor", "friends")}

"""G-15, G-16, G-17, G-23: who is touched, or whose time has come, is evaluated again. Answers are written by hand."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pyroaring import BitMap

from muster.catalog.actions import edit_publisher
from muster.catalog.queries import warehouse_catalog
from muster.customers.privacy.actions.consents import put_consent
from muster.engine.changes import Change, packed
from muster.groups import jobs
from muster.groups.actions.followed import FOLLOWED
from muster.groups.actions.following import Follower, Sizes, check_agreement, provide_follower
from muster.groups.actions.segments import change_state
from muster.groups.models import Group, MembershipChange, MembershipDelta
from muster.groups.queries.evaluation import membership_files, stored_members
from muster.groups.queries.people import members, members_as_of
from muster.groups.queries.recall import members_after
from muster.team.policies import LOCAL
from muster.warehouse.builder import batch_of
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.groups.followed import (
    ALL_SIZES,
    NOW,
    SIZE_NAMES,
    Time,
    bring,
    inside,
    item,
    key_of,
    listening,
    segment,
    stored,
    time,
    told,
    warehouse,
)

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["time", "warehouse"]


@pytest.mark.parametrize("sizes", ALL_SIZES, ids=SIZE_NAMES)
def test_who_is_touched_moves_and_groups_that_refer_follow_in_the_same_transaction(
    warehouse: DuckDBWarehouse, sizes: Sizes
) -> None:
    touched = bring(warehouse, ann=5, dora=2)
    with listening() as heard:
        Follower(sizes).follow(touched)
    assert inside("rich") == inside("friends") == ["ann", "bob", "carl", "dora"]
    assert inside("poor") == []
    both = Change(BitMap([key_of("ann"), key_of("dora")]), BitMap())
    assert heard == [{"rich": both, "poor": Change(BitMap(), BitMap([key_of("ann")])), "friends": both}]
    row = Group.objects.get(key="rich")
    assert (row.size, row.available_customers, row.state, told("rich")[1:]) == (4, 4, "active", [("data", 2, 0)])


def test_value_that_nobody_foresaw_is_asked_by_the_conditions(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever it is of, everybody else is followed, and they are too."""

    def fails(*_: object) -> None:
        raise ArithmeticError("nobody foresaw it")

    monkeypatch.setattr("muster.groups.actions.following.follower.ask_few", fails)
    with caplog.at_level(logging.ERROR):
        Follower().follow(bring(warehouse, ann=5))
    assert inside("rich") == ["ann", "bob", "carl"]
    assert "the compiled conditions are asked instead" in caplog.text


def test_small_change_writes_no_file_and_is_in_every_answer_at_once(warehouse: DuckDBWarehouse, time: Time) -> None:
    files = sorted(membership_files().generations())
    follower = Follower()
    time.now += timedelta(minutes=1)
    follower.follow(bring(warehouse, ann=2))
    assert sorted(membership_files().generations()) == files
    page = members("rich")
    assert (len(page.items), page.generation) == (3, 1)
    before, recalled = members_as_of("rich", NOW + timedelta(seconds=30))
    assert (len(before.items), len(members_as_of("rich", time.now)[0].items), recalled.exact) == (2, 3, True)
    assert members_after(MembershipChange.objects.filter(group__key="rich").latest("id")) == stored("rich")


def test_changes_of_one_minute_are_one_and_told_one_by_one(warehouse: DuckDBWarehouse, time: Time) -> None:
    follower = Follower()
    with listening() as heard:
        for points in (2, 1, 2):
            time.now += timedelta(seconds=10)
            follower.follow(bring(warehouse, ann=points))
    assert told("rich") == [("definition", 2, 0), ("data", 1, 0)]
    assert len(heard) == 3


def test_nobody_touched_stores_and_asks_nothing(warehouse: DuckDBWarehouse, time: Time) -> None:
    follower = Follower()
    follower.follow(bring(warehouse, ann=2))
    # How old the data of all groups is, it notes itself once in a while.
    follower.advance()
    follower.advance()
    time.now += timedelta(seconds=1)
    with CaptureQueriesContext(connection) as asked:
        follower.advance()
    assert [query["sql"] for query in asked if "data_version" not in query["sql"]] == []


@pytest.mark.parametrize("sizes", ALL_SIZES, ids=SIZE_NAMES)
def test_window_expires_to_the_microsecond(warehouse: DuckDBWarehouse, time: Time, sizes: Sizes) -> None:
    """Also of who was touched after everybody was looked at."""
    segment("fresh", {"event": "app_opened", "when": {"last": "PT30M"}})
    follower = Follower(sizes)
    follower.advance()
    at = NOW - timedelta(minutes=29)
    follower.follow(warehouse.append(batch_of([item("dora", at)], NOW), warehouse_catalog()).touched)
    assert inside("fresh") == ["ann", "bob", "carl", "dora"]
    assert follower.next_at is not None
    if sizes.share:
        assert follower.next_at == NOW + timedelta(minutes=1)
    time.now = NOW + timedelta(minutes=1) - timedelta(microseconds=1)
    follower.advance()
    assert inside("fresh") == ["ann", "bob", "carl", "dora"]
    time.now += timedelta(microseconds=1)
    follower.advance()
    assert (inside("fresh"), told("fresh")[-1]) == (["ann", "bob", "carl"], ("time", 0, 1))
    time.now = NOW + timedelta(minutes=30)
    follower.advance()
    assert (inside("fresh"), told("fresh")[-1]) == ([], ("time", 0, 3))


def test_who_was_read_ahead_is_read_again_once_anything_is_written(warehouse: DuckDBWarehouse, time: Time) -> None:
    """While all is quiet whoever is due next is read together."""
    segment("fresh", {"event": "app_opened", "when": {"last": "PT40M"}})
    starts = {f"p{number}": NOW - timedelta(minutes=40 - number) for number in range(1, 6)}
    warehouse.append(batch_of([item(who, at) for who, at in starts.items()], NOW), warehouse_catalog())
    follower = Follower()
    follower.begin()
    follower.advance()

    def inside_after(minutes: int) -> list[str]:
        time.now = NOW + timedelta(minutes=minutes)
        follower.advance()
        found = stored_members(Group.objects.get(key="fresh"))
        return [who for who in starts if key_of(who) in found]

    assert inside_after(1) == ["p2", "p3", "p4", "p5"]
    assert inside_after(2) == ["p3", "p4", "p5"]
    # p4 was read ahead with p2, and comes back before its time is over; p3 was, and does not.
    again = item("p4", NOW + timedelta(minutes=2))
    follower.follow(warehouse.append(batch_of([again], time.now), warehouse_catalog()).touched)
    assert inside_after(3) == ["p4", "p5"]
    assert inside_after(4) == ["p4", "p5"]
    assert inside_after(5) == ["p4"]
    assert inside_after(42) == []


def test_hours_that_nobody_looked_are_made_up_for(warehouse: DuckDBWarehouse, time: Time) -> None:
    segment("fresh", {"event": "app_opened", "when": {"last": "P1D"}})
    Follower().advance()
    time.now = NOW + timedelta(days=3)
    # Another process: it knows since when.
    Follower().advance()
    assert inside("fresh") == []


def test_clock_that_is_set_back_brings_back_who_had_left(warehouse: DuckDBWarehouse, time: Time) -> None:
    segment("fresh", {"event": "app_opened", "when": {"last": "P1D"}})
    follower = Follower()
    follower.advance()
    time.now = NOW + timedelta(days=2)
    follower.advance()
    assert inside("fresh") == []
    time.now = NOW + timedelta(hours=3)
    follower.advance()
    assert inside("fresh") == ["ann", "bob", "carl"]


def test_settings_that_decide_who_is_asked_at_all_are_followed(warehouse: DuckDBWarehouse) -> None:
    follower = Follower()
    follower.advance()
    edit_publisher(LOCAL, revision=None, require_known_age=True)
    follower.advance()
    assert (inside("rich"), Group.objects.get(key="rich").available_customers) == ([], 0)


def test_withdrawn_consent_is_followed_before_the_call_returns(warehouse: DuckDBWarehouse) -> None:
    """E-35"""
    provide_follower(Follower())
    try:
        put_consent(LOCAL, "external:bob", "profiling", granted=False)
        assert (inside("rich"), inside("friends")) == (["carl"], ["carl"])
    finally:
        provide_follower(None)


def test_who_is_merged_leaves_also_what_cannot_be_evaluated(warehouse: DuckDBWarehouse) -> None:
    visitor = [item("", NOW, external_id=None, anonymous_id="a1", traits={"points": 4})]
    touched = warehouse.append(batch_of(visitor, NOW), warehouse_catalog()).touched
    [key] = touched
    follower = Follower()
    follower.follow(touched)
    assert key in stored("rich")
    gone = {"version": 1, "match": {"attribute": "gone", "op": "is_set"}}
    Group.objects.filter(key="friends").update(definition=gone, revision=9)
    joined = [item("bob", NOW, anonymous_id="a1")]
    follower.follow(warehouse.append(batch_of(joined, NOW), warehouse_catalog()).touched)
    assert (key in stored("rich"), key in stored("friends")) == (False, False)
    assert (inside("friends"), Group.objects.get(key="friends").state) == (["bob", "carl"], "failed")


def test_ranks_stand_until_a_twentieth_was_touched(warehouse: DuckDBWarehouse) -> None:
    """G-5, G-15: against the threshold of the last evaluation of everybody; it moves with the next."""
    segment("best", {"attribute": "points", "op": "top_count", "value": 1})
    follower = Follower(Sizes(ranks_share=2))
    follower.follow(bring(warehouse, ann=3, bob=9))
    follower.advance()
    assert inside("best") == ["ann", "bob", "carl"]
    moving = Follower(Sizes(ranks_share=0.05, ranks_pause=timedelta()))
    moving.follow(bring(warehouse, ann=3))
    moving.advance()
    assert inside("best") == ["bob"]


def test_archived_group_is_left_and_a_restored_one_joined(warehouse: DuckDBWarehouse) -> None:
    everybody = BitMap([key_of("bob"), key_of("carl")])
    with listening() as heard:
        change_state(LOCAL, "friends", "archive")
        change_state(LOCAL, "friends", "restore")
    assert heard == [{"friends": Change(BitMap(), everybody)}, {"friends": Change(everybody, BitMap())}]


def test_archived_groups_are_not_followed(warehouse: DuckDBWarehouse) -> None:
    follower = Follower()
    follower.advance()
    change_state(LOCAL, "friends", "archive")
    follower.follow(bring(warehouse, dora=3))
    assert (inside("rich"), inside("friends")) == (["bob", "carl", "dora"], ["bob", "carl"])


def test_disagreement_is_repaired_counted_and_said(
    warehouse: DuckDBWarehouse, caplog: pytest.LogCaptureFixture
) -> None:
    """G-15"""
    follower = Follower()
    follower.advance()
    assert check_agreement(follower, patience_seconds=0) == 0
    row = Group.objects.get(key="rich")
    wrong = Change(BitMap([key_of("ann")]), BitMap([key_of("bob")]))
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
    assert (inside("rich"), told("rich")[-1]) == (["bob", "carl"], ("full", 1, 1))
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

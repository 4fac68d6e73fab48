"""What groups tell webhooks: lossless, coalesced, in parts; and next to nothing where nobody wants to know (G-17)."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pyroaring import BitMap

from muster.engine.changes import change_between
from muster.groups.actions.announcing import announce, count_in_news, erase_from_news, tell_news
from muster.groups.actions.many import archive_many, restore_many
from muster.groups.actions.memory import remember
from muster.groups.actions.segments import change_state, delete_group
from muster.groups.models import Group, MembershipNews
from muster.groups.terms import Cause
from muster.kernel.clock import clock_of
from muster.kernel.ids import customer_key_of
from muster.team.policies import LOCAL
from muster.webhooks.actions.webhooks import create_webhook
from muster.webhooks.models import Delivery
from tests.integration.groups.rows import stored_group

pytestmark = pytest.mark.django_db

_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_BOTH = ["group.member_joined", "group.member_left"]
_LIVES = ["group.archived", "group.restored", "group.deleted"]


def _change(group: Group, before: BitMap, after: BitMap, cause: Cause = Cause.DATA, at: datetime = _NOW) -> None:
    """The next membership of a group, as `remember` tells of it."""
    with clock_of(lambda: at):
        announce(group.id, change_between(before, after), cause, at, len(after))


def _tell(at: datetime = _NOW + timedelta(seconds=2)) -> datetime | None:
    with clock_of(lambda: at):
        return tell_news()


def _told() -> list[tuple[str, Any]]:
    bodies = (json.loads(body) for body in Delivery.objects.order_by("created_at", "id").values_list("body", flat=True))
    return [(body["type"], body["data"]) for body in bodies]


@pytest.fixture
def group() -> Group:
    """A list, of which every size is told, that somebody wants to be told of."""
    create_webhook(LOCAL, url="https://crm.example.com/", events=_BOTH)
    return stored_group(1, _NOW)


def test_changes_within_a_second_become_one(group: Group) -> None:
    """1 joined and left again, 2 stayed, 3 left and came back, 4 left."""
    _change(group, BitMap([3, 4]), BitMap([1, 2, 3, 4]))
    _change(group, BitMap([1, 2, 3, 4]), BitMap([2]), at=_NOW + timedelta(seconds=0.5))
    _change(group, BitMap([2]), BitMap([2, 3]), at=_NOW + timedelta(seconds=0.9))
    assert (_tell(_NOW + timedelta(seconds=0.99)), _told()) == (_NOW + timedelta(seconds=1), [])
    assert _tell(_NOW + timedelta(seconds=1)) is None
    common = {"group": {"id": "grp_01", "key": "g01"}, "sequence": 1, "cause": "data", "count": 1, "more": False}
    told = sorted(_told(), key=lambda one: one[0])
    assert told == [
        ("group.member_joined", {**common, "customers": ["cus_2"]}),
        ("group.member_left", {**common, "customers": ["cus_4"]}),
    ]
    assert [(row.due_at, bytes(row.joined), bytes(row.left)) for row in MembershipNews.objects.all()] == [
        (None, b"", b"")
    ]


def test_change_with_another_cause_is_told_apart(group: Group) -> None:
    _change(group, BitMap(), BitMap([1]))
    _change(group, BitMap([1]), BitMap([1, 2]), Cause.DEFINITION)
    _tell()
    assert [(data["cause"], data["customers"], data["sequence"]) for _, data in _told()] == [
        ("data", ["cus_1"], 1),
        ("definition", ["cus_2"], 2),
    ]


def test_data_and_time_take_turns_and_are_told_as_one(group: Group) -> None:
    _change(group, BitMap(), BitMap([1]), Cause.TIME)
    _change(group, BitMap([1]), BitMap([1, 2]), Cause.DATA)
    _change(group, BitMap([1, 2]), BitMap([1, 2, 3]), Cause.TIME)
    _tell()
    assert [(data["cause"], data["customers"]) for _, data in _told()] == [("data", ["cus_1", "cus_2", "cus_3"])]


def test_what_is_only_put_into_the_past_is_no_news(group: Group) -> None:
    """As the sample's past is."""
    remember(group, BitMap(), BitMap([1]), Cause.DATA, _NOW, is_news=False)
    assert (_tell(), _told()) == (None, [])
    remember(group, BitMap([1]), BitMap([1, 2]), Cause.DATA, _NOW)
    _tell(datetime.now(UTC) + timedelta(minutes=1))
    assert [data["customers"] for _, data in _told()] == [["cus_2"]]


def test_body_names_the_instant_of_the_change(group: Group) -> None:
    _change(group, BitMap(), BitMap([1]))
    _tell(_NOW + timedelta(hours=1))
    assert json.loads(Delivery.objects.get().body)["timestamp"] == "2026-11-22T12:00:00.000Z"


def test_longest_ids_fit_into_a_body(group: Group) -> None:
    """1,000 of 11 characters, below 20 KB."""
    highest = 2**32 - 1
    _change(group, BitMap(), BitMap(range(highest - 10_000, highest)))
    _tell()
    sizes = [len(body.encode()) for body in Delivery.objects.values_list("body", flat=True)]
    assert (len(sizes), max(sizes) < 16_000) == (10, True)


def test_one_more_than_is_named_is_told_by_its_number(group: Group) -> None:
    _change(group, BitMap(), BitMap(range(1, 10_002)))
    _tell()
    [(_, data)] = _told()
    assert (data["count"], data["customers"], data["members"]) == (10_001, [], "/api/v1/groups/grp_01/members")


def test_erased_people_are_told_of_no_more(group: Group) -> None:
    """C-45"""
    _change(group, BitMap([7]), BitMap([8, 9]))
    assert (count_in_news(BitMap([7, 9])), erase_from_news(BitMap([7, 9])), count_in_news(BitMap([7, 9]))) == (1, 1, 0)
    _tell()
    assert [(event, data["customers"]) for event, data in _told()] == [("group.member_joined", ["cus_8"])]


def test_deleted_group_is_told_of_no_more(group: Group) -> None:
    _change(group, BitMap(), BitMap([1]))
    group.delete()
    _tell()
    assert _told() == []


def test_life_of_a_group_is_told_in_the_order_of_its_changes() -> None:
    """Also what was kept back when it was archived, and of a group that is gone when it is told."""
    create_webhook(LOCAL, url="https://crm.example.com/", events=[*_BOTH, *_LIVES])
    group = stored_group(1, _NOW)
    _change(group, BitMap(), BitMap([1]))
    change_state(LOCAL, "g01", "archive")
    change_state(LOCAL, "g01", "restore")
    _change(group, BitMap([1]), BitMap([1, 2]))
    delete_group(LOCAL, "g01")
    assert _tell() is None
    told = sorted(_told(), key=lambda one: one[1]["sequence"])
    assert [(event, data["sequence"], data.get("customers")) for event, data in told] == [
        ("group.member_joined", 1, ["cus_1"]),
        ("group.archived", 2, None),
        ("group.restored", 3, None),
        ("group.member_joined", 4, ["cus_2"]),
        ("group.deleted", 5, None),
    ]
    assert told[-1][1] == {"group": {"id": "grp_01", "key": "g01"}, "sequence": 5}


def test_lives_of_many_groups_are_told_of_each() -> None:
    create_webhook(LOCAL, url="https://crm.example.com/", events=_LIVES, subjects=[])
    groups = [stored_group(number, _NOW).id for number in (1, 2)]
    archive_many(LOCAL, groups)
    restore_many(LOCAL, groups)
    told = sorted((data["group"]["key"], data["sequence"], event) for event, data in _told())
    assert told == [
        ("g01", 1, "group.archived"),
        ("g01", 2, "group.restored"),
        ("g02", 1, "group.archived"),
        ("g02", 2, "group.restored"),
    ]


def test_life_that_nobody_wants_is_not_told(group: Group) -> None:
    change_state(LOCAL, "g01", "archive")
    delete_group(LOCAL, "g01")
    assert (_told(), MembershipNews.objects.count()) == ([], 0)


def test_change_that_nobody_wants_costs_one_question() -> None:
    group = stored_group(1, _NOW)
    with CaptureQueriesContext(connection) as asked:
        _change(group, BitMap(), BitMap([1]))
    assert (len(asked), MembershipNews.objects.count()) == (1, 0)
    create_webhook(LOCAL, url="https://crm.example.com/", events=_BOTH, subjects=["g01"])
    other = stored_group(2, _NOW)
    with CaptureQueriesContext(connection) as asked:
        _change(other, BitMap(), BitMap([1]))
    assert (len(asked), MembershipNews.objects.count()) == (1, 0)


class _Followed(TestCase):
    """Hypothesis begins every example with empty tables."""

    @given(
        memberships=st.lists(st.sets(st.integers(1, 8)), min_size=1, max_size=12),
        pauses=st.lists(st.sampled_from([0.1, 0.6, 1.5]), min_size=12, max_size=12),
        causes=st.lists(st.sampled_from([Cause.DATA, Cause.DEFINITION]), min_size=12, max_size=12),
        seed=st.integers(0, 1_000),
    )
    def test_receiver_follows_a_group_whatever_overtakes_what(
        self, memberships: list[set[int]], pauses: list[float], causes: list[Cause], seed: int
    ) -> None:
        """In any order, with repetitions: for each customer the highest sequence counts."""
        create_webhook(LOCAL, url="https://crm.example.com/", events=_BOTH)
        group = stored_group(1, _NOW)
        before, at = BitMap(), _NOW
        for members, pause, cause in zip(memberships, pauses, causes, strict=False):
            after = BitMap(members)
            _change(group, before, after, cause, at)
            before, at = after, at + timedelta(seconds=pause)
            _tell(at)
        _tell(at + timedelta(seconds=2))
        told = _told() * 2
        random.Random(seed).shuffle(told)
        known: dict[str, tuple[int, bool]] = {}
        for event, data in told:
            for one in data["customers"]:
                known[one] = max(known.get(one, (0, False)), (data["sequence"], event == "group.member_joined"))
        members = {customer_key_of(one) for one, (_, is_member) in known.items() if is_member}
        assert members == set(before)

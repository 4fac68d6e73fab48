"""What is remembered grows coarser with age, and nothing of it is lost or turned around (G-17)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pyroaring import BitMap

from muster.groups.actions.memory import KEPT, coalesce, forget_old, remember
from muster.groups.models import Group, MembershipChange, MembershipSnapshot
from muster.groups.queries.history import recall
from muster.groups.terms import Cause, Grain, Kind
from tests.integration.groups.rows import stored_group

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def group(db: None) -> Group:
    return stored_group(1, BEGIN, kind=Kind.SEGMENT, generation=1, size=0)


def _grow(group: Group, count: int, every: timedelta, cause: Cause = Cause.DATA) -> list[datetime]:
    """Somebody joins with every step; answers when."""
    instants = [BEGIN + every * number for number in range(count)]
    for number, at in enumerate(instants):
        remember(group, BitMap(range(number)), BitMap(range(number + 1)), cause, at)
    return instants


def _grains(group: Group) -> list[tuple[str, int]]:
    rows = MembershipChange.objects.filter(group=group)
    return [(row.grain, row.joined_count) for row in rows]


def test_changes_of_one_minute_are_one(group: Group) -> None:
    _grow(group, 7, timedelta(seconds=20))
    assert _grains(group) == [(Grain.MINUTE, 3), (Grain.MINUTE, 3), (Grain.MINUTE, 1)]


def test_changes_grow_coarser_with_age(group: Group) -> None:
    instants = _grow(group, 48, timedelta(minutes=30))
    assert coalesce(BEGIN + timedelta(hours=20)) == 0
    assert coalesce(BEGIN + timedelta(days=3)) == 24
    assert _grains(group) == [(Grain.HOUR, 2)] * 24
    assert coalesce(BEGIN + timedelta(days=40)) == 23
    assert _grains(group) == [(Grain.DAY, 48)]
    told = recall(group, instants[-1])
    assert (told.members, told.grain, told.exact) == (BitMap(range(48)), Grain.DAY, True)


def test_edit_between_two_changes_keeps_its_place(group: Group) -> None:
    remember(group, BitMap(), BitMap([1]), Cause.DATA, BEGIN)
    remember(group, BitMap([1]), BitMap([2]), Cause.DEFINITION, BEGIN + timedelta(minutes=10))
    remember(group, BitMap([2]), BitMap([1, 2]), Cause.DATA, BEGIN + timedelta(minutes=20))
    assert coalesce(BEGIN + timedelta(days=40)) == 0
    for minutes, members in ((5, [1]), (15, [2]), (25, [1, 2])):
        assert recall(group, BEGIN + timedelta(minutes=minutes)).members == BitMap(members)


def test_instant_within_a_coalesced_change_is_told_as_inexact(group: Group) -> None:
    instants = _grow(group, 4, timedelta(minutes=10))
    coalesce(BEGIN + timedelta(days=2))
    remember(group, BitMap(range(4)), BitMap(range(5)), Cause.DATA, BEGIN + timedelta(days=2))
    told = recall(group, instants[-1] + timedelta(hours=1))
    assert (told.recorded_at, told.exact, told.members) == (instants[-1], True, BitMap(range(4)))


def test_clock_that_was_set_back_does_not_turn_history_around(group: Group) -> None:
    remember(group, BitMap(), BitMap([1]), Cause.DATA, BEGIN)
    remember(group, BitMap([1]), BitMap([1, 2]), Cause.LIST, BEGIN - timedelta(hours=3))
    assert list(MembershipChange.objects.values_list("at", flat=True)) == [BEGIN, BEGIN]
    assert recall(group, BEGIN).members == BitMap([1, 2])


def test_snapshots_are_written_when_the_changes_outgrow_them(group: Group) -> None:
    """The past is the same with and without them."""
    members = BitMap()
    seen = []
    for number in range(120):
        following = BitMap(range(number * 7 % 50, number * 7 % 50 + 40))
        remember(group, members, following, Cause.LIST, BEGIN + timedelta(hours=6 * number))
        members = following
        seen.append((BEGIN + timedelta(hours=6 * number), members))
    assert 5 <= MembershipSnapshot.objects.count() <= 30
    assert [recall(group, at).members for at, _ in seen] == [members for _, members in seen]
    MembershipSnapshot.objects.all().delete()
    assert [recall(group, at).members for at, _ in seen] == [members for _, members in seen]


def test_what_is_older_than_400_days_is_forgotten_and_the_rest_stays(group: Group) -> None:
    instants = _grow(group, 30, timedelta(days=20), Cause.LIST)
    now = instants[-1]
    before = {at: recall(group, at).members for at in instants if at >= now - KEPT}
    assert forget_old(now) == 8
    assert {at: recall(group, at).members for at in before} == before
    assert forget_old(now) == 0

"""What a group remembers of its members: every change, coalesced as it ages (G-17). Inside the caller's transaction.

A past membership is the newest snapshot before it plus the changes after that. A snapshot is written when the changes
since the last have outgrown it, at most one a day: the past never costs more than twice what the changes themselves do
(ADR 0012).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce
from itertools import groupby

from django.db import connection, transaction
from django.db.models import Sum
from pyroaring import BitMap

from muster.engine.changes import Change, change_between, composed, packed, unpacked
from muster.groups.actions.announcing import announce_all
from muster.groups.models import Group, MembershipChange, MembershipSnapshot
from muster.groups.queries.recall import KEPT, change_of, members_after
from muster.groups.terms import COALESCED, Cause, Grain

HOURLY_AFTER = timedelta(days=1)
DAILY_AFTER = timedelta(days=30)

_Bucket = Callable[[datetime], tuple[int, ...]]


def _minute(at: datetime) -> tuple[int, ...]:
    return (at.year, at.month, at.day, at.hour, at.minute)


def _hour(at: datetime) -> tuple[int, ...]:
    return _minute(at)[:4]


def _day(at: datetime) -> tuple[int, ...]:
    return _minute(at)[:3]


def remember(row: Group, before: BitMap, after: BitMap, cause: Cause, at: datetime, *, is_news: bool = True) -> None:
    """Appends the change from one membership to the next, if there is one; the first evaluation always is.

    `is_news`: whether webhooks are told; what is only put into the past is none.
    """
    last = MembershipChange.objects.filter(group=row).last()
    change = change_between(before, after)
    if last is not None and not change:
        return
    remember_all({row.id: (change, len(after))}, cause, at, is_news=is_news)
    _snapshot_if_due(MembershipChange.objects.filter(group=row).latest("id"), after)


def remember_all(
    changes: Mapping[str, tuple[Change, int]], cause: Cause, at: datetime, *, is_news: bool = True
) -> None:
    """Of groups that changed together, by id, with their sizes after it; each behind what is remembered last, or
    together with it. Snapshots come with `keep_snapshots`.
    """
    last = last_changes(changes)
    rows = [_appended(group, last.get(group), change, size, cause, at) for group, (change, size) in changes.items()]
    coalesced = [row for row in rows if row.pk is not None]
    if is_news:
        announce_all(changes, cause, max((row.at for row in rows), default=at))
    # A handful of statements for however many groups: an event may move somebody in or out of dozens.
    if coalesced:
        _forget_snapshots([row.pk for row in coalesced])
        MembershipChange.objects.bulk_create(
            coalesced, update_conflicts=True, unique_fields=["id"], update_fields=_REWRITTEN
        )
    MembershipChange.objects.bulk_create([row for row in rows if row.pk is None])


_REWRITTEN = ["cause", "joined", "left", "joined_count", "left_count", "bytes", "at", "size"]


def _appended(
    group: str, last: MembershipChange | None, change: Change, size: int, cause: Cause, at: datetime
) -> MembershipChange:
    # A clock that was set back does not turn history around.
    at = at if last is None else max(at, last.at)
    if last is not None and _coalesces(last, cause, at):
        last.cause = joint_cause(Cause(last.cause), cause)
        return _holding(last, change_of(last).then(change), at, size)
    grain = Grain.MINUTE if cause in COALESCED else Grain.EXACT
    return _holding(MembershipChange(group_id=group, began_at=at, cause=cause, grain=grain), change, at, size)


def last_changes(identifiers: Iterable[str]) -> dict[str, MembershipChange]:
    """By group the change that is remembered last."""
    asked = list(identifiers)
    if not asked:
        return {}
    return {row.group_id: row for row in MembershipChange.objects.raw(_LAST.format(marks=_marks(asked)), asked)}


def _forget_snapshots(changes: Sequence[int]) -> None:
    """Of changes that are not what they were."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET.format(marks=_marks(changes)), changes)


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))


# Every cycle asks these: to have Django put them together anew takes ten times as long as the answer.
_LAST = """
SELECT * FROM groups_membershipchange WHERE id IN (
    SELECT max(id) FROM groups_membershipchange WHERE group_id IN ({marks}) GROUP BY group_id
)"""
_FORGET = "DELETE FROM groups_membershipsnapshot WHERE change_id IN ({marks})"


def joint_cause(first: Cause, second: Cause) -> Cause:
    """Of changes by themselves that become one: data, if any of them came by data."""
    return first if first == second else Cause.DATA


def _coalesces(last: MembershipChange, cause: Cause, at: datetime) -> bool:
    """Data and time take turns many times a minute: they are told as one."""
    return last.grain == Grain.MINUTE and cause in COALESCED and _minute(last.began_at) == _minute(at)


def _holding(row: MembershipChange, change: Change, at: datetime, size: int) -> MembershipChange:
    """The row with these contents; not saved."""
    row.joined, row.left = packed(change.joined), packed(change.left)
    row.joined_count, row.left_count = len(change.joined), len(change.left)
    row.bytes = len(row.joined) + len(row.left)
    row.at, row.size = at, size
    return row


def _snapshot_if_due(row: MembershipChange, members: BitMap) -> None:
    changes = MembershipChange.objects.filter(group=row.group_id)
    # The first change is a snapshot by itself: everybody joined.
    base = MembershipSnapshot.objects.filter(change__group=row.group_id).select_related("change").last()
    newest = base.change if base else changes.first()
    if newest is None or newest.id == row.id or (base and _day(newest.at) == _day(row.at)):
        return
    since = changes.filter(id__gt=newest.id).aggregate(total=Sum("bytes"))["total"] or 0
    snapshot = packed(members)
    if since > len(snapshot):
        MembershipSnapshot.objects.create(change=row, members=snapshot)


def keep_snapshots(members_of: Callable[[Group], BitMap]) -> None:
    """Writes the snapshots that small changes have made due since: to look for them with each would cost more."""
    for row in Group.objects.filter(generation__gt=0):
        with transaction.atomic():
            last = MembershipChange.objects.filter(group=row).last()
            current = Group.objects.filter(id=row.id).first()
            if last is not None and current is not None:
                _snapshot_if_due(last, members_of(current))


def coalesce(now: datetime) -> int:
    """Changes by themselves older than a day by the hour, older than 30 days by the day. Answers how many rows went."""
    gone = 0
    for identifier in Group.objects.values_list("id", flat=True):
        gone += _coalesce(identifier, Grain.MINUTE, Grain.HOUR, now - HOURLY_AFTER, _hour)
        gone += _coalesce(identifier, Grain.HOUR, Grain.DAY, now - DAILY_AFTER, _day)
    return gone


def _coalesce(identifier: str, fine: Grain, coarse: Grain, before: datetime, bucket: _Bucket) -> int:
    """Only neighbours become one: between two changes by data somebody may have edited the definition."""
    rows = MembershipChange.objects.filter(group=identifier).defer("joined", "left")
    first = rows.filter(grain=fine, at__lt=before).first()
    if first is None:
        return 0
    gone = 0
    with transaction.atomic():
        due = list(rows.filter(id__gte=first.id, at__lt=before))
        for (grain, _, _), run in groupby(due, lambda row: (row.grain, _kind(row.cause), bucket(row.began_at))):
            if grain == fine:
                gone += _merge(list(run), coarse)
    return gone


def _kind(cause: str) -> str:
    return Cause.DATA if cause in COALESCED else cause


def _merge(run: list[MembershipChange], grain: Grain) -> int:
    first, last = run[0], run[-1]
    last.grain, last.began_at = grain, first.began_at
    if len(run) == 1:
        last.save(update_fields=["grain"])
        return 0
    last.cause = reduce(joint_cause, (Cause(row.cause) for row in run))
    # A snapshot in the middle is one of an instant that is remembered no more; the last one's stays right.
    whole = MembershipChange.objects.filter(id__in=[row.id for row in run])
    _holding(last, composed(change_of(row) for row in whole), last.at, last.size).save()
    MembershipChange.objects.filter(id__in=[row.id for row in run[:-1]]).delete()
    return len(run) - 1


def forget_old(now: datetime) -> int:
    """Changes older than 400 days go; the last of them stays as the beginning, with all who were members then."""
    gone = 0
    for identifier in Group.objects.values_list("id", flat=True):
        with transaction.atomic():
            rows = MembershipChange.objects.filter(group=identifier)
            base = rows.filter(at__lt=now - KEPT).last()
            older = rows.filter(id__lt=base.id) if base else rows.none()
            if base is None or not older.exists():
                continue
            members = members_after(base)
            gone += older.count()
            older.delete()
            MembershipSnapshot.objects.get_or_create(change=base, defaults={"members": packed(members)})
    return gone


def erase_keys(keys: BitMap) -> int:
    """Takes customers out of all that is remembered; sizes and counts stay as numbers (C-45). Answers the rows."""
    touched = 0
    # The ids are read before anything is written.
    for identifier in list(MembershipChange.objects.values_list("id", flat=True)):
        changed = MembershipChange.objects.get(id=identifier)
        change = change_of(changed)
        if change.joined.intersect(keys) or change.left.intersect(keys):
            kept = change.without(keys)
            changed.joined, changed.left = packed(kept.joined), packed(kept.left)
            changed.bytes = len(changed.joined) + len(changed.left)
            changed.save(update_fields=["joined", "left", "bytes"])
            touched += 1
    for snapshot in MembershipSnapshot.objects.iterator():
        members = unpacked(snapshot.members)
        if members.intersect(keys):
            snapshot.members = packed(members - keys)
            snapshot.save(update_fields=["members"])
            touched += 1
    return touched

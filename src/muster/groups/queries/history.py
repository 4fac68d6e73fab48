"""What a group remembers: its members at a past instant, who joined and left, how large it was (G-17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pyroaring import BitMap

from muster.catalog.queries import publisher
from muster.groups.errors import GroupInactive, ValueNotAllowed
from muster.groups.models import Group, MembershipChange
from muster.groups.policies import Told, told, told_change
from muster.groups.queries.clock import check_instant
from muster.groups.queries.groups import group_row
from muster.groups.queries.recall import KEPT, change_of, members_after
from muster.groups.terms import Grain, Kind
from muster.kernel.ids import customer_id
from muster.kernel.paging import cursor_invalid, decode_cursor, encode_cursor
from muster.kernel.worded import worded

WEEK = 7
"""Days over which joined and left are summed up."""
_MOST_IDS = 1_000


@dataclass(frozen=True)
class Recalled:
    """The members as recorded right after the change of `recorded_at`.

    `grain`: how exact that is. `exact`: no change lies across the asked instant.
    """

    members: BitMap
    as_of: datetime
    recorded_at: datetime
    grain: str
    exact: bool


@dataclass(frozen=True)
class ChangeView:
    """One change as it may be told; `began_at` is before `at` where several were coalesced."""

    id: int
    began_at: datetime
    at: datetime
    cause: str
    grain: str
    size: Told
    joined: Told
    left: Told


@dataclass(frozen=True)
class DayView:
    """A day (UTC): the size at its end, None where nothing is remembered; how many joined and left during it."""

    day: date
    size: Told | None
    joined: Told
    left: Told


@dataclass(frozen=True)
class ChangeDetail:
    """The first thousand of each, and whether these are all."""

    change: ChangeView
    joined: list[str]
    left: list[str]
    complete: bool


def recall(row: Group, as_of: datetime) -> Recalled:
    """The membership that was recorded at an instant; `value_not_allowed` before the group's memory begins."""
    changes = MembershipChange.objects.filter(group=row)
    last = changes.filter(at__lte=check_instant(as_of)).last()
    if last is None:
        first = changes.first()
        begins = (
            worded("begins at {instant}", instant=_plain(first.at))
            if first
            else worded("has not begun: activate it first")
        )
        raise ValueNotAllowed(
            worded(
                "The memory of “{name}” {begins} and goes back {days} days at most.",
                name=row.name,
                begins=begins,
                days=KEPT.days,
            ),
            pointer="/as_of",
        )
    following = changes.filter(id__gt=last.id).first()
    across = following is not None and following.began_at <= as_of
    grain = following.grain if across and following is not None else last.grain
    return Recalled(members_after(last), as_of, last.at, grain, exact=not across)


def check_listable_then(row: Group, members: BitMap) -> None:
    """Nothing is listed of a group that was Small (G-21)."""
    if told(len(members), publisher().minimum_size, Kind(row.kind)).small:
        raise GroupInactive(worded("“{name}” was too small then to list its members.", name=row.name))


def changes_of(
    reference: str, *, may_list: bool, cursor: str | None = None, limit: int = 50
) -> tuple[list[ChangeView], str | None]:
    """One page of changes, newest first."""
    row = group_row(reference)
    rows = MembershipChange.objects.filter(group=row).defer("joined", "left").order_by("-id")
    if cursor:
        rows = rows.filter(id__lt=_position(cursor))
    found = list(rows[: limit + 1])
    following = encode_cursor(found[limit - 1].id) if len(found) > limit else None
    minimum = publisher().minimum_size
    return [_view(row, one, minimum, may_list=may_list) for one in found[:limit]], following


def _position(cursor: str) -> int:
    match decode_cursor(cursor):
        case int(position) if 0 <= position < 2**63 and not isinstance(position, bool):
            return position
    raise cursor_invalid()


def change_of_group(reference: str, number: int) -> ChangeDetail:
    """Who joined and who left with one change, for those who may list the members."""
    row = group_row(reference)
    found = MembershipChange.objects.filter(group=row, id=number).first()
    if found is None:
        raise ValueNotAllowed(
            worded("“{name}” remembers no change {number}.", name=row.name, number=number), code="change_unknown"
        )
    view = _view(row, found, publisher().minimum_size, may_list=True)
    change = change_of(found)
    if view.joined.small:
        return ChangeDetail(view, [], [], complete=False)
    joined, left = [customer_id(key) for key in change.joined[:_MOST_IDS]], change.left[:_MOST_IDS]
    complete = max(len(change.joined), len(change.left)) <= _MOST_IDS
    return ChangeDetail(view, joined, [customer_id(key) for key in left], complete)


def sizes_by_day(reference: str) -> list[tuple[datetime, Told]]:
    """The size at the end of every day (UTC) on which it changed, oldest first: what a chart draws in steps."""
    row = group_row(reference)
    minimum = publisher().minimum_size
    by_day: dict[datetime, int] = {}
    for at, size in MembershipChange.objects.filter(group=row).values_list("at", "size"):
        by_day[at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)] = size
    return [(day, told(size, minimum, Kind(row.kind))) for day, size in by_day.items()]


def days_of(reference: str, first: date, last: date, *, may_list: bool) -> list[DayView]:
    """Every day from `first` to `last`. Whoever a group began with did not join it.

    A day tells no more than the changes of it: where one of them is not told, the sum is not either.
    """
    row = group_row(reference)
    rows = MembershipChange.objects.filter(group=row).defer("joined", "left")
    begins = datetime.combine(first, time(), UTC)
    ends = datetime.combine(last, time(), UTC) + timedelta(days=1)
    beginning = rows.first()
    minimum = publisher().minimum_size
    began = beginning.id if beginning else None
    earlier = rows.filter(at__lt=begins).last()
    size = None if earlier is None else told(earlier.size, minimum, Kind(row.kind))
    views: dict[date, list[ChangeView]] = {}
    for one in rows.filter(at__gte=begins, at__lt=ends):
        view = _after_beginning(row, one, began, minimum, may_list=may_list)
        views.setdefault(one.at.astimezone(UTC).date(), []).append(view)
    found = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        changes = views.get(day, [])
        size = changes[-1].size if changes else size
        joined, left = summed([one.joined for one in changes]), summed([one.left for one in changes])
        found.append(DayView(day, size, joined, left))
    return found


def week_begins(today: date) -> datetime:
    return datetime.combine(today - timedelta(days=WEEK - 1), time(), UTC)


def weeks_of(
    rows: Sequence[Group], changes: Mapping[str, Sequence[Any]], today: date, *, may_list: bool
) -> dict[str, tuple[Told, Told]]:
    """By id: who joined and who left in the seven days (UTC) that end with `today`, as `days_of` tells it.

    `changes`: by group those of at least these days, each with `began_it`: whether its group's memory begins with it.
    """
    minimum = publisher().minimum_size
    begins = week_begins(today)
    found = {}
    for row in rows:
        views = [
            _after_beginning(row, one, one.id if one.began_it else None, minimum, may_list=may_list)
            for one in changes.get(row.id, [])
            if one.at >= begins
        ]
        found[row.id] = summed([one.joined for one in views]), summed([one.left for one in views])
    return found


def _after_beginning(
    row: Group, one: MembershipChange, began: int | None, minimum: int, *, may_list: bool
) -> ChangeView:
    """`began`: the first change that is remembered; whoever a group began with did not join it."""
    view = _view(row, one, minimum, may_list=may_list)
    if one.id == began and one.size == one.joined_count:
        return replace(view, joined=Told(0), left=Told(0))
    return view


def summed(parts: Sequence[Told]) -> Told:
    """The sum of what is told; Small where any part of it is."""
    if any(part.small for part in parts):
        return Told(None, small=True)
    return Told(sum(part.size or 0 for part in parts))


def _view(row: Group, one: MembershipChange, minimum: int, *, may_list: bool) -> ChangeView:
    before = one.size - one.joined_count + one.left_count
    joined, left = told_change(
        one.joined_count, one.left_count, (before, one.size), minimum, Kind(row.kind), may_list=may_list
    )
    size = told(one.size, minimum, Kind(row.kind))
    return ChangeView(one.id, one.began_at, one.at, one.cause, Grain(one.grain), size, joined, left)


def _plain(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

"""Groups as a table shows them: found, sorted and paged, each with its last ninety days."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Max, OuterRef, Subquery, Sum
from django.db.models.functions import TruncDate

from muster.catalog.queries import publisher
from muster.groups import hooks
from muster.groups.models import Group, GroupVersion, MembershipChange
from muster.groups.policies import Told, told, told_change
from muster.groups.queries.groups import GroupView, referred_to, view
from muster.groups.terms import Kind, State

TREND = timedelta(days=90)
TREND_POINTS = 13
RECENT = timedelta(days=7)
_PUT_AWAY = (State.ARCHIVED, State.INACTIVE)


@dataclass(frozen=True)
class Wanted:
    """What is asked of the table; empty texts do not narrow it. `sort`: a key of SORTS, `-` before it for descending.

    `search` looks at name, key and tags, and into definitions (event, attribute, group).
    """

    search: str = ""
    kind: str = ""
    app: str = ""
    state: str = ""
    tag: str = ""
    sort: str = "name"
    page: int = 1
    rows: int = 25


@dataclass(frozen=True)
class Listed:
    """One row. `trend`: the size at thirteen instants of the last ninety days, None where it is not known or told."""

    group: GroupView
    trend: list[int | None]
    joined: Told
    left: Told
    uses: int
    edited_by: str


@dataclass(frozen=True)
class Listing:
    rows: list[Listed]
    total: int
    pages: int
    page: int
    inactive: list[GroupView]
    tags: list[str] = field(default_factory=list)


def _folded(text: str) -> str:
    """Without case and accents: sorted and found alike on every database (D-28)."""
    marks = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in marks if not unicodedata.combining(sign)).casefold()


_Sort = Callable[[Group], Any]
SORTS: Mapping[str, _Sort] = {
    "name": lambda row: _folded(row.name),
    "kind": lambda row: (row.kind, row.app or ""),
    "size": lambda row: row.size if row.size is not None else -1,
    "fresh": lambda row: row.refreshed_at or datetime.min.replace(tzinfo=UTC),
    "edited": lambda row: row.updated_at,
}


def listing(wanted: Wanted, now: datetime, *, may_list: bool) -> Listing:
    """One page of the table, and all inactive segments beside it unless a state was asked for."""
    minimum = publisher().minimum_size
    every = list(Group.objects.all())
    found = _sorted([row for row in every if _is_wanted(row, wanted)], wanted.sort, minimum)
    pages = max(1, -(-len(found) // wanted.rows))
    page = min(max(1, wanted.page), pages)
    shown = found[(page - 1) * wanted.rows : page * wanted.rows]
    inactive = [] if wanted.state else [row for row in every if _is_inactive(row, wanted)]
    return Listing(
        rows=_told(shown, every, minimum, now, may_list=may_list),
        total=len(found),
        pages=pages,
        page=page,
        inactive=[view(row, minimum) for row in _sorted(inactive, "name", minimum)],
        tags=sorted({tag for row in every for tag in row.tags}),
    )


def _is_wanted(row: Group, wanted: Wanted) -> bool:
    state = row.state == wanted.state if wanted.state else row.state not in _PUT_AWAY
    return state and _is_found(row, wanted)


def _is_inactive(row: Group, wanted: Wanted) -> bool:
    return row.state == State.INACTIVE and _is_found(row, wanted)


def _is_found(row: Group, wanted: Wanted) -> bool:
    inside = json.dumps(row.definition, ensure_ascii=False) if row.definition else ""
    text = _folded(" ".join((row.name, row.key, *row.tags, inside)))
    return (
        all(word in text for word in _folded(wanted.search).split())
        and wanted.kind in ("", row.kind)
        and wanted.app in ("", row.app)
        and (not wanted.tag or wanted.tag in row.tags)
    )


def _sorted(rows: list[Group], sort: str, minimum: int) -> list[Group]:
    """Equal ones by name and id. Small sizes are equal: their order would tell of them (G-21)."""
    by_name = sorted(rows, key=lambda row: (_folded(row.name), row.id))
    key = SORTS.get(sort.removeprefix("-"), SORTS["name"])
    if sort.removeprefix("-") == "size":
        return sorted(by_name, key=lambda row: _told_size(row, minimum), reverse=sort.startswith("-"))
    return sorted(by_name, key=key, reverse=sort.startswith("-"))


def _told_size(row: Group, minimum: int) -> int:
    size = told(row.size, minimum, Kind(row.kind))
    return 0 if size.small else -1 if size.size is None else size.size


def _told(rows: list[Group], every: list[Group], minimum: int, now: datetime, *, may_list: bool) -> list[Listed]:
    ids = [row.id for row in rows]
    trends, recent, editors = _trends(rows, minimum, now), _recent(ids, now), _editors(ids)
    uses = _uses(rows, every)
    listed = []
    for row in rows:
        joined, left = recent.get(row.id, (0, 0))
        size = row.size or 0
        told_joined, told_left = told_change(
            joined, left, (size - joined + left, size), minimum, Kind(row.kind), may_list=may_list
        )
        listed.append(
            Listed(view(row, minimum), trends[row.id], told_joined, told_left, uses[row.id], editors.get(row.id, ""))
        )
    return listed


def _trends(rows: list[Group], minimum: int, now: datetime) -> dict[str, list[int | None]]:
    """The size as it was last known at each instant; nothing before the group's memory begins."""
    newest = (
        MembershipChange.objects.filter(group__in=rows)
        .order_by()
        .annotate(day=TruncDate("at", tzinfo=UTC))
        .values("group", "day")
        .annotate(last=Max("id"))
    )
    changes = MembershipChange.objects.filter(id__in=newest.values("last")).order_by("id")
    known: dict[str, list[tuple[datetime, int]]] = {row.id: [] for row in rows}
    for group, at, size in changes.values_list("group_id", "at", "size"):
        known[group].append((at, size))
    points = [now - TREND + TREND * point / (TREND_POINTS - 1) for point in range(TREND_POINTS)]
    return {row.id: [_size_at(known[row.id], point, minimum, Kind(row.kind)) for point in points] for row in rows}


def _size_at(known: list[tuple[datetime, int]], instant: datetime, minimum: int, kind: Kind) -> int | None:
    before = [size for at, size in known if at <= instant]
    return told(before[-1], minimum, kind).size if before else None


def _recent(ids: list[str], now: datetime) -> dict[str, tuple[int, int]]:
    """Joined and left in the last seven days; the first evaluation is no joining."""
    first = MembershipChange.objects.filter(group=OuterRef("group")).order_by("id").values("id")[:1]
    sums = (
        MembershipChange.objects.filter(group__in=ids, at__gte=now - RECENT)
        .exclude(id=Subquery(first))
        .order_by()
        .values("group")
        .annotate(joined=Sum("joined_count"), left=Sum("left_count"))
    )
    return {one["group"]: (one["joined"], one["left"]) for one in sums}


def _editors(ids: list[str]) -> dict[str, str]:
    versions = GroupVersion.objects.filter(group__in=ids).order_by("revision")
    return dict(versions.values_list("group", "saved_by"))


def _uses(rows: list[Group], every: list[Group]) -> dict[str, int]:
    """How many segments and activities refer to each (G-22)."""
    referring = [
        (other.id, referred_to(other.definition))
        for other in every
        if other.definition is not None and other.state != State.ARCHIVED
    ]
    return {
        row.id: sum(1 for other, names in referring if other != row.id and {row.id, row.key} & names)
        + sum(len(ask(row.id)) for ask in hooks.used_by)
        for row in rows
    }

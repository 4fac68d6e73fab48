"""Groups as a table shows them: found, sorted and paged, each with its last ninety days."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, Subquery
from django.db.models.functions import TruncDate

from muster.catalog.queries import publisher
from muster.groups.models import Group, GroupVersion, MembershipChange
from muster.groups.policies import Told, told
from muster.groups.queries.evaluation import Named
from muster.groups.queries.groups import GroupView, referred_to, use_counts, view
from muster.groups.queries.history import week_begins, weeks_of
from muster.groups.terms import Kind, State
from muster.web.asked import once_a_page
from muster.web.charts import SPARK_POINTS

_TREND = timedelta(days=90)
_CHUNK = 500
_PUT_AWAY = (State.ARCHIVED, State.INACTIVE)
_NEVER = datetime.min.replace(tzinfo=UTC)


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
class Line:
    """One row. `trend`: the size at thirteen instants of the last ninety days, None where it is not known or told.

    `joined`, `left`: in the last seven days. `uses`: how many segments and activities refer to it.
    """

    group: GroupView
    trend: list[int | None]
    joined: Told
    left: Told
    uses: int
    edited_by: str


@dataclass(frozen=True)
class Choice:
    """A group as it is chosen from a list."""

    id: str
    key: str
    name: str


@dataclass(frozen=True)
class Listing:
    """`total`: lines on all pages. `inactive`: segments too small to be used, unless a state was asked for.

    `choices`: every group that is not archived, in order of names; `tags`: all that there are;
    `names`: of every group.
    """

    lines: list[Line]
    total: int
    pages: int
    page: int
    inactive: list[GroupView]
    choices: list[Choice]
    tags: list[str]
    names: list[Named]
    minimum_size: int


def _folded(text: str) -> str:
    """Without case and accents: sorted and found alike on every database (D-28)."""
    marks = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in marks if not unicodedata.combining(sign)).casefold()


def _told_size(row: Group, minimum: int) -> int:
    """Small sizes are equal: their order would tell of them (G-21)."""
    size = told(row.size, minimum, Kind(row.kind))
    return 0 if size.small else -1 if size.size is None else size.size


SORTS: Mapping[str, Callable[[Group, int], Any]] = {
    "name": lambda row, _: _folded(row.name),
    "kind": lambda row, _: (row.kind, row.app or ""),
    "size": _told_size,
    "fresh": lambda row, _: row.refreshed_at or _NEVER,
    "edited": lambda row, _: row.updated_at,
}
"""From a row and the smallest size that is told to what is compared."""


@dataclass(frozen=True)
class _Search:
    """`every` group there is by name; `found` of them whatever their state; `shown` in the table, as it is sorted."""

    every: list[Any]
    found: list[Any]
    shown: list[Any]


def listing(wanted: Wanted, now: datetime, *, may_list: bool) -> Listing:
    """One page of the table."""
    minimum = publisher().minimum_size
    search = _search(wanted, minimum)
    shown, every = search.shown, search.every
    pages = max(1, -(-len(shown) // wanted.rows))
    page = min(max(1, wanted.page), pages)
    inactive = [] if wanted.state else [row for row in search.found if row.state == State.INACTIVE]
    return Listing(
        lines=_lines(shown[(page - 1) * wanted.rows : page * wanted.rows], every, minimum, now, may_list=may_list),
        total=len(shown),
        pages=pages,
        page=page,
        inactive=[view(row, minimum) for row in inactive],
        choices=_choices(every),
        tags=sorted({tag for row in every for tag in row.tags}),
        names=_names(every),
        minimum_size=minimum,
    )


def all_lines(wanted: Wanted, now: datetime, *, may_list: bool) -> tuple[list[Named], Iterator[list[Line]]]:
    """The names of every group, and the rows of all pages, some at a time as they are wanted."""
    minimum = publisher().minimum_size
    search = _search(wanted, minimum)
    chunks = (search.shown[start : start + _CHUNK] for start in range(0, len(search.shown), _CHUNK))
    return _names(search.every), (_lines(rows, search.every, minimum, now, may_list=may_list) for rows in chunks)


def matching(wanted: Wanted) -> list[str]:
    """The ids of the rows of all pages."""
    return [row.id for row in _search(wanted, publisher().minimum_size).shown]


def _search(wanted: Wanted, minimum: int) -> _Search:
    newest = GroupVersion.objects.filter(group=OuterRef("id")).order_by("-revision").values("saved_by")[:1]
    every: list[Any] = sorted(Group.objects.annotate(edited_by=Subquery(newest)), key=_by_name)
    names = {reference: row.name for row in every for reference in (row.id, row.key)}
    found = [row for row in every if _is_found(row, wanted, names)]
    shown = [row for row in found if row.state == wanted.state or (not wanted.state and row.state not in _PUT_AWAY)]
    sort = SORTS[wanted.sort.removeprefix("-")]
    shown.sort(key=lambda row: sort(row, minimum), reverse=wanted.sort.startswith("-"))
    return _Search(every, found, shown)


def _names(rows: list[Any]) -> list[Named]:
    return [Named(row.id, row.key, row.name, row.state) for row in rows]


@once_a_page
def choices() -> list[Choice]:
    """Every group that is not archived, in order of names."""
    rows = Group.objects.exclude(state=State.ARCHIVED).only("id", "key", "name", "state")
    return _choices(sorted(rows, key=_by_name))


def _choices(rows: list[Group]) -> list[Choice]:
    return [Choice(row.id, row.key, row.name) for row in rows if row.state != State.ARCHIVED]


def _by_name(row: Group) -> tuple[str, str]:
    return _folded(row.name), row.id


def _is_found(row: Group, wanted: Wanted, names: Mapping[str, str]) -> bool:
    """`names`: of groups by id and key: a definition names them by id, people by name."""
    inside = json.dumps(row.definition, ensure_ascii=False) if row.definition else ""
    inside += " ".join(names.get(one, "") for one in referred_to(row.definition))
    text = _folded(" ".join((row.name, row.key, *row.tags, inside)))
    return (
        all(word in text for word in _folded(wanted.search).split())
        and wanted.kind in ("", row.kind)
        and wanted.app in ("", row.app)
        and (not wanted.tag or wanted.tag in row.tags)
    )


def _lines(rows: list[Any], every: list[Group], minimum: int, now: datetime, *, may_list: bool) -> list[Line]:
    today = now.astimezone(UTC).date()
    changes = _changes(rows, week_begins(today))
    trends = _trends(rows, changes, minimum, now)
    weeks = weeks_of(rows, changes, today, may_list=may_list)
    uses = use_counts(rows, every)
    return [Line(view(row, minimum), trends[row.id], *weeks[row.id], uses[row.id], row.edited_by or "") for row in rows]


def _changes(rows: list[Group], begins: datetime) -> dict[str, list[Any]]:
    """By group, oldest first: the last of each day, and all since an instant."""
    newest = (
        MembershipChange.objects.filter(group__in=rows)
        .order_by()
        .annotate(day=TruncDate("at", tzinfo=UTC))
        .values("group", "day")
        .annotate(last=Max("id"))
    )
    older = MembershipChange.objects.filter(group=OuterRef("group"), id__lt=OuterRef("id"))
    wanted = MembershipChange.objects.filter(Q(id__in=newest.values("last")) | Q(group__in=rows, at__gte=begins))
    found: dict[str, list[Any]] = {row.id: [] for row in rows}
    for one in wanted.annotate(began_it=~Exists(older)).defer("joined", "left").order_by("id"):
        found[one.group_id].append(one)
    return found


def _trends(
    rows: list[Group], changes: Mapping[str, list[Any]], minimum: int, now: datetime
) -> dict[str, list[int | None]]:
    """The size as it was last known at each instant; nothing before the group's memory begins."""
    known = {row.id: [(one.at, one.size) for one in changes[row.id]] for row in rows}
    points = [now - _TREND + _TREND * point / (SPARK_POINTS - 1) for point in range(SPARK_POINTS)]
    return {row.id: [_size_at(known[row.id], point, minimum, Kind(row.kind)) for point in points] for row in rows}


def _size_at(known: list[tuple[datetime, int]], instant: datetime, minimum: int, kind: Kind) -> int | None:
    before = [size for at, size in known if at <= instant]
    return told(before[-1], minimum, kind).size if before else None

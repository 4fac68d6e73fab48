"""Groups as they stand: one, many, their versions and what uses them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from muster.catalog.hooks import Words
from muster.catalog.queries import publisher
from muster.groups import hooks
from muster.groups.errors import GroupUnknown
from muster.groups.models import Group, GroupVersion
from muster.groups.policies import told
from muster.groups.terms import Kind, State
from muster.kernel.paging import cursor_invalid, decode_cursor, encode_cursor
from muster.kernel.worded import worded

_PAGE_SIZE = 50


@dataclass(frozen=True)
class GroupView:
    """A group as it may be told (G-21): `size` None with `small` below the floor, None without it before evaluation."""

    id: str
    key: str
    name: str
    kind: str
    app: str | None
    tags: list[str]
    exposure: str
    template: str
    revision: int
    definition: dict[str, Any] | None
    state: str
    failure: str
    size: int | None
    small: bool
    available_customers: int | None
    available_small: bool
    entries: int
    """Of known groups: entries of the list, and how many of them name nobody yet."""
    pending: int
    data_as_of: datetime | None
    refreshed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    used_by: list[hooks.Use] = field(default_factory=list)


@dataclass(frozen=True)
class GroupPage:
    items: list[GroupView]
    next_cursor: str | None


def group_row(reference: str) -> Group:
    """A group by id or key; `group_unknown` if there is none."""
    row = Group.objects.filter(Q(id=reference) | Q(key=reference)).first()
    if row is None:
        raise GroupUnknown(
            worded("There is no group `{reference}`. The groups are listed at /api/v1/groups.", reference=reference)
        )
    return row


def group(reference: str) -> GroupView:
    row = group_row(reference)
    return view(row, publisher().minimum_size, uses_of(row))


def groups(
    *, cursor: str | None = None, limit: int = _PAGE_SIZE, state: str | None = None, archived: bool = False
) -> GroupPage:
    """One page of groups by name."""
    rows = Group.objects.all() if archived or state == "archived" else Group.objects.exclude(state="archived")
    if state:
        rows = rows.filter(state=state)
    if cursor:
        name, identifier = _position(cursor)
        rows = rows.filter(Q(name__gt=name) | Q(name=name, id__gt=identifier))
    found = list(rows[: limit + 1])
    minimum = publisher().minimum_size
    following = encode_cursor([found[limit - 1].name, found[limit - 1].id]) if len(found) > limit else None
    return GroupPage([view(row, minimum) for row in found[:limit]], following)


def _position(cursor: str) -> tuple[str, str]:
    match decode_cursor(cursor):
        case [str(name), str(identifier)]:
            return name, identifier
    raise cursor_invalid()


def versions(reference: str) -> list[GroupVersion]:
    """Newest first."""
    return list(group_row(reference).versions.all())


def view(row: Group, minimum_size: int, uses: list[hooks.Use] | None = None) -> GroupView:
    kind = Kind(row.kind)
    size = told(row.size, minimum_size, kind)
    available = told(row.available_customers, minimum_size, kind)
    return GroupView(
        id=row.id,
        key=row.key,
        name=row.name,
        kind=row.kind,
        app=row.app,
        tags=row.tags,
        exposure=row.exposure,
        template=row.template,
        revision=row.revision,
        definition=row.definition,
        state=row.state,
        failure=row.failure,
        size=size.size,
        small=size.small,
        available_customers=available.size,
        available_small=available.small,
        entries=row.entry_count,
        pending=row.pending_count,
        data_as_of=row.data_as_of,
        refreshed_at=row.refreshed_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        used_by=uses or [],
    )


def uses_of(row: Group, *, archived: bool = False) -> list[hooks.Use]:
    """Every segment and activity that refers to the group (G-22); with `archived` those put away too."""
    others = Group.objects.exclude(id=row.id).filter(definition__isnull=False)
    segments = [
        hooks.Use("segment", other.id, other.name)
        for other in (others if archived else others.exclude(state=State.ARCHIVED))
        if row.id in referred_to(other.definition) or row.key in referred_to(other.definition)
    ]
    return segments + [use for ask in hooks.used_by for use in ask(row.id)]


def use_counts(rows: Iterable[Group], every: Iterable[Group]) -> dict[str, int]:
    """How many use each of the rows, by id, of all groups at once; whom it counts `uses_of` names (G-22)."""
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


def words_in_use() -> Words:
    """Attributes and events that segments name, those put away too: they may be restored."""
    documents = list(Group.objects.exclude(definition__isnull=True).values_list("definition", flat=True))
    return Words(frozenset(_named(documents, "attribute")), frozenset(_named(documents, "event")))


def _named(document: Any, what: str) -> set[str]:
    """The texts under a field anywhere in a definition's JSON, without needing it to be valid today."""
    if isinstance(document, list):
        return set().union(*(_named(one, what) for one in document))
    if not isinstance(document, dict):
        return set()
    name = document.get(what)
    return _named(list(document.values()), what) | ({name} if isinstance(name, str) else set())


def referred_to(document: Any) -> set[str]:
    """Ids and keys of the groups a definition's JSON refers to, without needing it to be valid today."""
    if isinstance(document, list):
        return set().union(*(referred_to(one) for one in document))
    if not isinstance(document, dict):
        return set()
    if isinstance(document.get("group"), str):
        return {document["group"]}
    return set().union(*(referred_to(one) for one in document.values()))

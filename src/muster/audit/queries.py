"""Reads the trail."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from muster.audit.models import AuditEntry
from muster.kernel.paging import cursor_invalid, decode_cursor, encode_cursor, instant_in
from muster.warehouse.lists.entries import exported

_LINES_A_CHUNK = 1_000
_COLUMNS = ("at", "actor_kind", "actor_id", "actor_label", "action", "thing_kind", "thing_id", "details")


@dataclass(frozen=True)
class Deed:
    """One entry: who did what to which thing."""

    at: datetime
    actor_label: str
    action: str
    thing_kind: str
    thing_id: str
    details: dict[str, Any]
    actor_kind: str = ""
    actor_id: str = ""
    number: int = 0


@dataclass(frozen=True)
class Wanted:
    """Which entries: empty is any. `since` is the first instant, `until` the first that is not wanted any more."""

    actor: str = ""
    action: str = ""
    thing_kind: str = ""
    thing_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class TrailPage:
    """Newest first, with the cursors of what is older and newer, where there is something."""

    items: list[Deed]
    older: str | None
    newer: str | None


def deeds_about(thing_kind: str, thing_id: str, limit: int = 100) -> list[Deed]:
    """What was done to one thing, newest first."""
    return trail(Wanted(thing_kind=thing_kind, thing_id=thing_id), limit=limit).items


def deeds_about_many(things: Mapping[str, Collection[str]], limit: int = 1_000) -> list[Deed]:
    """What was done to things, their ids by kind, newest first; in one question."""
    wanted = Q()
    for kind, ids in things.items():
        wanted |= Q(thing_kind=kind, thing_id__in=list(ids))
    if not wanted:
        return []
    return [_deed(row) for row in AuditEntry.objects.filter(wanted).order_by("-at", "-pk")[:limit]]


def newest_deeds(limit: int = 100) -> list[Deed]:
    """What was done last, newest first."""
    return trail(Wanted(), limit=limit).items


def trail(wanted: Wanted, *, limit: int, before: str | None = None, after: str | None = None) -> TrailPage:
    """One page: the newest, or what is older than one cursor, or what is newer than the other. `cursor_invalid`"""
    entries = _wanted(wanted)
    if after:
        at, number = _position(after)
        rows = list(
            (entries.filter(at=at, pk__gt=number) | entries.filter(at__gt=at)).order_by("at", "pk")[: limit + 1]
        )
        more, rows = len(rows) > limit, rows[:limit][::-1]
        return _page(rows, older=bool(rows), newer=more)
    if before:
        at, number = _position(before)
        entries = entries.filter(at=at, pk__lt=number) | entries.filter(at__lt=at)
    rows = list(entries.order_by("-at", "-pk")[: limit + 1])
    return _page(rows[:limit], older=len(rows) > limit, newer=bool(before))


def choices() -> dict[str, list[str]]:
    """Who, which actions and which kinds of things there are in the trail."""
    return {
        name: list(AuditEntry.objects.order_by(field).values_list(field, flat=True).distinct()[:500])
        for name, field in (("actor", "actor_label"), ("action", "action"), ("thing_kind", "thing_kind"))
    }


def trail_lines(wanted: Wanted) -> Iterator[str]:
    """CSV of everything that is wanted, newest first; no cell is a formula (D-31)."""
    # The mark by which spreadsheets know UTF-8.
    yield "\ufeff" + ",".join(_COLUMNS) + "\r\n"
    cursor: str | None = None
    while True:
        page = trail(wanted, limit=_LINES_A_CHUNK, before=cursor)
        text = io.StringIO(newline="")
        csv.writer(text).writerows(map(_cells, page.items))
        yield text.getvalue()
        if page.older is None:
            return
        cursor = page.older


def _cells(deed: Deed) -> list[str]:
    details = json.dumps(deed.details, ensure_ascii=False, sort_keys=True) if deed.details else ""
    texts = (
        deed.at.isoformat(),
        deed.actor_kind,
        deed.actor_id,
        deed.actor_label,
        deed.action,
        deed.thing_kind,
        deed.thing_id,
        details,
    )
    return [exported(text) for text in texts]


def _wanted(wanted: Wanted) -> Any:
    named = {
        "actor_label": wanted.actor,
        "action": wanted.action,
        "thing_kind": wanted.thing_kind,
        "thing_id": wanted.thing_id,
        "at__gte": wanted.since,
        "at__lt": wanted.until,
    }
    return AuditEntry.objects.filter(**{name: value for name, value in named.items() if value})


def _position(cursor: str) -> tuple[datetime, int]:
    match decode_cursor(cursor):
        case [str(text), int(number)] if not isinstance(number, bool) and 0 <= number < 2**63:
            return instant_in(text), number
    raise cursor_invalid()


def _page(rows: list[AuditEntry], *, older: bool, newer: bool) -> TrailPage:
    def cursor(row: AuditEntry) -> str:
        return encode_cursor([row.at.isoformat(), row.pk])

    return TrailPage(
        [_deed(row) for row in rows],
        cursor(rows[-1]) if older and rows else None,
        cursor(rows[0]) if newer and rows else None,
    )


def _deed(entry: AuditEntry) -> Deed:
    return Deed(
        entry.at,
        entry.actor_label,
        entry.action,
        entry.thing_kind,
        entry.thing_id,
        entry.details,
        entry.actor_kind,
        entry.actor_id,
        entry.pk,
    )

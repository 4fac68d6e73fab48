"""What happened with one customer, put together from all who know of something, newest first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from pyroaring import BitMap

from muster.customers.hooks import Moment, Position, TimelineSource
from muster.customers.models import Import
from muster.customers.queries import warehouse
from muster.kernel.paging import cursor_invalid, decode_cursor, encode_cursor, instant_in
from muster.warehouse.duckdb.timeline import KINDS as _HAPPENINGS
from muster.warehouse.normal.values import text_of

# After every place there is, and before.
_LAST, _FIRST = "\U0010ffff", ""


@dataclass(frozen=True)
class Told:
    """A moment with the kind it is of."""

    kind: str
    moment: Moment


@dataclass(frozen=True)
class TimelinePage:
    """Newest first; the cursors lead to what is older and newer, empty where there is nothing."""

    items: list[Told]
    older: str
    newer: str


def timeline(
    key: int, sources: Iterable[TimelineSource], *, older: str = "", newer: str = "", limit: int = 50
) -> TimelinePage:
    """One page: before the cursor `older`, or after the cursor `newer`, or from now on."""
    position = _position(newer or older)
    forward = bool(newer)
    found: list[Told] = []
    for source in sources:
        bound = _bound(source.kind, position)
        moments = source.find(key, bound, limit + 1, forward)
        found += [Told(source.kind, replace(one, place=f"{source.kind}:{one.place}")) for one in moments]
    found.sort(key=lambda one: (one.moment.at, one.moment.place), reverse=not forward)
    more = len(found) > limit
    shown = found[:limit]
    if forward:
        shown.reverse()
    return TimelinePage(
        shown,
        older=_cursor(shown[-1]) if shown and (more or forward) else "",
        newer=_cursor(shown[0]) if shown and (more if forward else bool(older)) else "",
    )


def _cursor(one: Told) -> str:
    return encode_cursor([one.moment.at.isoformat(), one.moment.place])


def _position(cursor: str) -> Position | None:
    if not cursor:
        return None
    match decode_cursor(cursor):
        case [str(at), str(place)] if ":" in place:
            return instant_in(at).astimezone(UTC), place
    raise cursor_invalid()


def _bound(kind: str, position: Position | None) -> Position | None:
    """The position among the moments of one kind: in the same instant they come before or after those of others."""
    if position is None:
        return None
    at, place = position
    other, _sign, local = place.partition(":")
    if other == kind:
        return at, local
    # All of this kind's moments of the instant are on one side of it.
    return at, _FIRST if (kind > other) else _LAST


def happenings(kind: str) -> Callable[[int, Position | None, int, bool], list[Moment]]:
    """Moments of the warehouse: events, orders or sessions."""

    def find(key: int, position: Position | None, limit: int, newer: bool) -> list[Moment]:
        found = warehouse().happenings(key, [kind], position, limit, newer=newer)
        return [Moment(one.at, one.place, one.event, one.app, details=tuple(_plain(one.properties))) for one in found]

    return find


def _plain(properties: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in sorted(properties.items()):
        text = text_of(value)
        yield name, json.dumps(value, ensure_ascii=False) if text is None else text


def _cut(moments: list[Moment], position: Position | None, limit: int, *, newer: bool) -> list[Moment]:
    """A page of moments that are so few that they are read whole."""
    ordered = sorted(moments, key=lambda one: (one.at, one.place), reverse=not newer)
    if position is not None:
        ordered = [
            one for one in ordered if ((one.at, one.place) > position) == newer and (one.at, one.place) != position
        ]
    return ordered[:limit]


def imports(key: int, position: Position | None, limit: int, newer: bool) -> list[Moment]:
    """Files that brought something of the customer."""
    numbers = {row["import"] for rows in warehouse().raw_rows(BitMap([key]), _WITH_IMPORTS).values() for row in rows}
    rows = Import.objects.filter(number__in=[one for one in numbers if one])
    found = [
        Moment(row.done_at or row.created_at, row.id, _("Import"), details=((row.kind, row.file_name),)) for row in rows
    ]
    return _cut(found, position, limit, newer=newer)


_WITH_IMPORTS = ("seen", "consents")


def consents(key: int, position: Position | None, limit: int, newer: bool) -> list[Moment]:
    """What the customer allowed and refused."""
    rows = warehouse().raw_rows(BitMap([key]), ["consents"])["consents"]
    found = []
    for number, row in enumerate(rows):
        about = ("about", ".".join(part for part in (row["purpose"], row["channel"]) if part))
        title = _("Allowed") if row["granted"] else _("Refused")
        at = datetime.fromisoformat(row["happened_at"])
        found.append(Moment(at, f"{number:06}", title, details=(about,)))
    return _cut(found, position, limit, newer=newer)


SOURCES = (
    TimelineSource("events", _("Events"), icon="activity", scope="customers:read", find=happenings(_HAPPENINGS[0])),
    TimelineSource(
        "orders", _("Orders"), icon="shopping-cart", scope="customers:read", find=happenings(_HAPPENINGS[1])
    ),
    TimelineSource("sessions", _("Sessions"), icon="clock", scope="customers:read", find=happenings(_HAPPENINGS[2])),
    TimelineSource("consents", _("Consents"), icon="circle-check", scope="customers:read", find=consents),
    TimelineSource("imports", _("Imports"), icon="file-import", scope="customers:read", find=imports),
)

"""What was refused, told by keys of apps and of senders instead of numbers."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from muster.catalog.hooks import KeyUse
from muster.catalog.queries import app_keys, app_numbers, source_names
from muster.customers.hooks import current_warehouse
from muster.kernel.clock import system_clock
from muster.kernel.paging import cursor_invalid
from muster.warehouse.messages.checks import id_of
from muster.warehouse.messages.errors import MessageRefused
from muster.warehouse.messages.values import read_value
from muster.warehouse.refused import Asked, Refused
from muster.warehouse.subject import Subject

_A_DAY = timedelta(days=1)
# As far back as is looked for the last use of a key: the table has every message that ever came.
_LOOKED_BACK = timedelta(days=30)


@dataclass(frozen=True)
class RefusedView:
    """`key`: the id of the key it was sent with; None of an import. `item`: as it was sent, if it is to be seen."""

    number: int
    code: str
    app: str | None
    key: str | None
    received_at: datetime
    replayable: bool
    item: str | None


@dataclass(frozen=True)
class VerdictCount:
    app: str | None
    code: str
    count: int
    replayable: int
    newest_at: datetime


@dataclass(frozen=True)
class Sender:
    """A key of an app: how many items that came with it were taken in the last 24 hours, and when the last one."""

    id: str
    kind: str
    revoked: bool
    count: int
    last_at: datetime | None


def senders_of(app: str) -> list[Sender]:
    """Keys in force, and others that something came with."""
    keys = app_keys(app)
    ids = {key.id for key in keys}
    sources = {number: id for number, id in source_names().items() if id in ids}
    since = system_clock() - _A_DAY
    taken = current_warehouse().last_taken(sources, since, since)
    seen = {sources[source]: told for source, told in taken.items()}
    found = []
    for key in keys:
        count, last_at = seen.get(key.id, (0, None))
        if count or key.state == "active":
            found.append(Sender(key.id, key.kind, key.state != "active", count, last_at))
    return found


def key_uses(sources: Collection[int]) -> dict[int, KeyUse]:
    """What came with each in the last 24 hours, and when the last message of the last 30 days."""
    now = system_clock()
    taken = current_warehouse().last_taken(sources, now - _LOOKED_BACK, now - _A_DAY)
    return {source: KeyUse(count, last_at) for source, (count, last_at) in taken.items()}


def refused(asked: Asked, before: Any, limit: int, *, personal: bool) -> list[RefusedView]:
    """Newest first. `before`: the number of the last one seen; `personal`: whether what was sent is shown."""
    if before is not None and (not isinstance(before, int) or not 0 <= before < 2**63):
        raise cursor_invalid()
    apps, senders = _app_keys(), source_names()
    return [
        RefusedView(
            number=one.number,
            code=one.code,
            app=apps.get(one.app),
            key=senders.get(one.source),
            received_at=one.received_at,
            replayable=one.is_replayable,
            item=one.item if personal else None,
        )
        for one in current_warehouse().refused(asked, before, limit)
    ]


def verdict_counts(asked: Asked) -> list[VerdictCount]:
    """By app and verdict, the most frequent first."""
    apps = _app_keys()
    return [
        VerdictCount(apps.get(one.app), one.code, one.count, one.replayable, one.newest_at)
        for one in current_warehouse().refused_counts(asked)
    ]


def refused_of(subject: Subject) -> list[dict[str, Any]]:
    """What was refused of somebody: who is only named in what another person sent is told nothing of it."""
    apps = _app_keys()
    return [
        {"app": apps.get(one.app), "code": one.code, "received_at": _plain(one.received_at), "item": one.item}
        for one in current_warehouse().refused_naming(subject)
        if _is_of(one, subject)
    ]


def _plain(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def _is_of(one: Refused, subject: Subject) -> bool:
    told = json.loads(one.told) if one.told else {}
    try:
        message = read_value((one.item or "").encode())
    except MessageRefused:
        message = None
    if not isinstance(message, dict):
        message = {}
    return (
        told.get("subject") in subject.external_ids
        or id_of(message.get("userId")) in subject.external_ids
        or (one.app, id_of(message.get("anonymousId"))) in subject.anonymous_ids
    )


def _app_keys() -> dict[int, str]:
    return {number: key for key, number in app_numbers().items()}

"""Reads the trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from muster.audit.models import AuditEntry


@dataclass(frozen=True)
class Deed:
    """One entry: who did what to which thing."""

    at: datetime
    actor_label: str
    action: str
    thing_kind: str
    thing_id: str
    details: dict[str, Any]


def deeds_about(thing_kind: str, thing_id: str, limit: int = 100) -> list[Deed]:
    """What was done to one thing, newest first."""
    return _deeds(AuditEntry.objects.filter(thing_kind=thing_kind, thing_id=thing_id), limit)


def newest_deeds(limit: int = 100) -> list[Deed]:
    """What was done last, newest first."""
    return _deeds(AuditEntry.objects.all(), limit)


def _deeds(entries: Any, limit: int) -> list[Deed]:
    return [
        Deed(entry.at, entry.actor_label, entry.action, entry.thing_kind, entry.thing_id, entry.details)
        for entry in entries.order_by("-at", "-id")[:limit]
    ]

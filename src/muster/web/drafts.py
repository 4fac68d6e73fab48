"""Drafts: what somebody typed into a larger form is kept until they save or discard it (D-14)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.db import transaction

from muster.kernel.clock import system_clock
from muster.web.errors import DraftTooLarge
from muster.web.hooks import Asker
from muster.web.models import Draft

KEPT = timedelta(days=30)
LONGEST_BYTES = 64 * 1024


def draft_of(owner: Asker, kind: str, subject: str = "") -> Draft | None:
    """The draft of a form, if one was left in the last 30 days."""
    return Draft.objects.filter(
        owner=_name(owner), kind=kind, subject=subject, saved_at__gt=system_clock() - KEPT
    ).first()


def keep_draft(owner: Asker, kind: str, fields: Any, subject: str = "") -> Draft:
    """Replaces the draft of a form; `draft_too_large` over 64 KiB of JSON, and the one before stays."""
    if len(json.dumps(fields, ensure_ascii=False).encode()) > LONGEST_BYTES:
        raise DraftTooLarge("What you typed is longer than 64 KiB and was not kept as a draft. Save it, or shorten it.")
    now = system_clock()
    named: dict[str, Any] = {"owner": _name(owner), "kind": kind, "subject": subject}
    # Somebody is typing: nearly always there is one, and one statement is all it takes.
    if not Draft.objects.filter(**named).update(fields=fields, saved_at=now):
        with transaction.atomic():
            Draft.objects.filter(saved_at__lte=now - KEPT).delete()
            Draft.objects.update_or_create(**named, defaults={"fields": fields, "saved_at": now})
    return Draft(**named, fields=fields, saved_at=now)


def discard_draft(owner: Asker, kind: str, subject: str = "") -> None:
    Draft.objects.filter(owner=_name(owner), kind=kind, subject=subject).delete()


def _name(owner: Asker) -> str:
    return f"{owner.kind}:{owner.id}"

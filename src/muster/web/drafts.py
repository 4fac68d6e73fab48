"""Drafts: what somebody typed into a larger form is kept until they save or discard it (D-14)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from muster.kernel.clock import system_clock
from muster.web.errors import DraftTooLarge, WebError
from muster.web.hooks import Asker
from muster.web.models import Draft
from muster.web.undo import offer_undo

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


def discard_with_undo(request: HttpRequest, owner: Asker, undo_kind: str, kind: str, subject: str = "") -> None:
    """Discards the draft at once, and has the next page offer it back (D-38). `undo_kind`: of `restore_discarded`."""
    draft = draft_of(owner, kind, subject)
    if draft is None:
        return
    discard_draft(owner, kind, subject)
    given = {"kind": kind, "subject": subject, "fields": draft.fields}
    offer_undo(request, owner, undo_kind, _("The draft was discarded."), given)


def restore_discarded(owner: Any, given: Mapping[str, Any]) -> None:
    """Registered by the room whose form it is, with the scope that the form wants."""
    if draft_of(owner, given["kind"], given["subject"]) is not None:
        raise WebError("There is a newer draft of it.", code="state_conflict")
    keep_draft(owner, given["kind"], given["fields"], given["subject"])


def _name(owner: Asker) -> str:
    return f"{owner.kind}:{owner.id}"

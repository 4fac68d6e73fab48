"""The API's path about the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema

from muster.audit.queries import Wanted, trail
from muster.kernel.worded import worded
from muster.web.errors import RequestInvalid
from muster.web.hooks import check_scope, identify
from muster.web.paging import DEFAULT_LIMIT, Limit, Page
from muster.web.schemas import Instant

router = Router(tags=["audit"])


class DeedOut(Schema):
    at: datetime
    actor_kind: str
    actor_id: str
    actor_label: str
    action: str
    thing_kind: str
    thing_id: str
    details: dict[str, Any]


@router.get("/audit", response=Page[DeedOut], operation_id="list_audit")
def list_audit(
    request: HttpRequest,
    actor: str = "",
    action: str = "",
    thing_kind: str = "",
    thing_id: str = "",
    since: Instant | None = None,
    until: Instant | None = None,
    cursor: str | None = None,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, Any]:
    """Newest first. `until` is not included."""
    check_scope(identify(request), "audit:read")
    for name, instant in (("since", since), ("until", until)):
        if instant is not None and timezone.is_naive(instant):
            raise RequestInvalid(worded("`{name}` needs a zone: 2026-11-21T00:00:00Z.", name=name))
    wanted = Wanted(actor, action, thing_kind, thing_id, since, until)
    page = trail(wanted, limit=limit, before=cursor)
    return {"items": [vars(deed) for deed in page.items], "next_cursor": page.older}

"""Deliveries and their attempts, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from muster.kernel.paging import cursor_invalid, decode_cursor, encode_cursor, instant_and_id
from muster.kernel.worded import worded
from muster.webhooks.errors import WebhookUnknown
from muster.webhooks.models import Attempt, Delivery
from muster.webhooks.queries.webhooks import webhook_row


@dataclass(frozen=True)
class DeliveryView:
    """`status`, `error`: of the last attempt. `reason`: why it ended without being sent. `kept`: its body is there."""

    id: str
    event: str
    subject: str
    state: str
    reason: str
    tries: int
    next_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    status: int | None
    error: str
    kept: bool


@dataclass(frozen=True)
class AttemptView:
    at: datetime
    milliseconds: int
    status: int | None
    error: str
    answer: str


@dataclass(frozen=True)
class DeliveryPage:
    """Newest first, with the cursors of what is older and newer, where there is something."""

    items: list[DeliveryView]
    older: str | None
    newer: str | None


def deliveries(
    webhook_id: str, *, state: str = "", limit: int, before: str | None = None, after: str | None = None
) -> DeliveryPage:
    """One page of a webhook's: the newest, or what is older than one cursor, or newer than the other."""
    rows = _answered(Delivery.objects.filter(webhook=webhook_row(webhook_id)))
    if state:
        rows = rows.filter(state=state)
    if after:
        at, identifier = _position(after)
        newer = rows.filter(created_at=at, id__gt=identifier) | rows.filter(created_at__gt=at)
        found = list(newer.order_by("created_at", "id")[: limit + 1])
        more, found = len(found) > limit, found[:limit][::-1]
        return _page(found, older=bool(found), newer=more)
    if before:
        at, identifier = _position(before)
        rows = rows.filter(created_at=at, id__lt=identifier) | rows.filter(created_at__lt=at)
    found = list(rows.order_by("-created_at", "-id")[: limit + 1])
    return _page(found[:limit], older=len(found) > limit, newer=bool(before))


def delivery_row(webhook_id: str, identifier: str) -> Delivery:
    rows = Delivery.objects.filter(webhook=webhook_id, pk=identifier).select_related("webhook")
    row = _answered(rows).first()
    if row is None:
        webhook_row(webhook_id)
        raise WebhookUnknown(
            worded("The webhook has no delivery {delivery}; they are kept for 30 days.", delivery=identifier),
            code="delivery_unknown",
        )
    return row


def delivery(webhook_id: str, identifier: str) -> DeliveryView:
    return delivery_view(delivery_row(webhook_id, identifier))


def attempts(delivery_id: str, position: Any = None, count: int = 100) -> Sequence[Attempt]:
    """Up to `count` of them, newest first; `position`: those older than this one."""
    rows = Attempt.objects.filter(delivery=delivery_id)
    if position is not None:
        if not isinstance(position, int) or isinstance(position, bool) or not 0 <= position < 2**63:
            raise cursor_invalid()
        rows = rows.filter(id__lt=position)
    return list(rows[:count])


def attempt_view(row: Attempt) -> AttemptView:
    return AttemptView(row.at, row.milliseconds, row.status, row.error, row.answer)


def delivery_view(row: Delivery) -> DeliveryView:
    """Of a row that knows its last attempt, or never had one."""
    return DeliveryView(
        id=row.id,
        event=row.event,
        subject=row.subject,
        state=row.state,
        reason=row.reason,
        tries=row.tries,
        next_at=row.next_at,
        created_at=row.created_at,
        ended_at=row.ended_at,
        status=getattr(row, "last_status", None),
        error=getattr(row, "last_error", None) or "",
        kept=bool(row.body),
    )


def _answered(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    last = Attempt.objects.filter(delivery=OuterRef("pk")).order_by("-id")
    return rows.annotate(last_status=Subquery(last.values("status")[:1]), last_error=Subquery(last.values("error")[:1]))


def _page(rows: list[Delivery], *, older: bool, newer: bool) -> DeliveryPage:
    return DeliveryPage(
        [delivery_view(row) for row in rows],
        _cursor(rows[-1]) if older and rows else None,
        _cursor(rows[0]) if newer and rows else None,
    )


def _cursor(row: Delivery) -> str:
    return encode_cursor([row.created_at.isoformat(), row.id])


def _position(cursor: str) -> tuple[datetime, str]:
    return instant_and_id(decode_cursor(cursor))

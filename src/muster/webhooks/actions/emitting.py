"""Events become deliveries, in the transaction of what happened: what is rolled back is never sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from muster.audit.actions import record
from muster.kernel.clock import system_clock
from muster.kernel.errors import InternalError
from muster.kernel.ids import new_id
from muster.team.policies import Principal, check_scope
from muster.webhooks.actions.waiting import poke_after_commit
from muster.webhooks.models import Delivery, Webhook
from muster.webhooks.policies import check_active
from muster.webhooks.queries.deliveries import DeliveryView, delivery_view
from muster.webhooks.queries.webhooks import wants, webhook_row
from muster.webhooks.terms import BODY_BYTES, TEST, State


def emit(event: str, payloads: Sequence[Mapping[str, Any]], *, subject: str = "", at: datetime | None = None) -> int:
    """One delivery of each payload for every webhook that wants the event about the subject; answers how many.

    In the caller's transaction. A payload is the `data` of a body: a JSON object whose body stays below 20 KB. Whom it
    is about stands in its `customers`, a list of customer ids, and nowhere else: so an erasure finds them.
    """
    rows = [row for row in Webhook.objects.filter(active=True) if wants(row, event, subject)]
    if not rows or not payloads:
        return 0
    bodies = [body_of(event, payload, at or system_clock()) for payload in payloads]
    with transaction.atomic():
        made = [_delivery(row, event, subject, body) for row in rows for body in bodies]
        Delivery.objects.bulk_create(made, batch_size=500)
        poke_after_commit()
    return len(made)


def send_test(actor: Principal, identifier: str) -> DeliveryView:
    """An event that says nothing, to see whether it arrives and is understood."""
    check_scope(actor, "webhooks:write")
    with transaction.atomic():
        row = webhook_row(identifier)
        check_active(row)
        made = _delivery(row, TEST, "", body_of(TEST, {"webhook": row.id}, system_clock()))
        made.save(force_insert=True)
        record(actor, "webhook.tested", "webhook", row.id, {"delivery": made.id})
        poke_after_commit()
    return delivery_view(made)


def body_of(event: str, data: Mapping[str, Any], at: datetime) -> str:
    """As it is signed and sent."""
    instant = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    document = {"type": event, "timestamp": instant, "data": data}
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if len(body.encode()) >= BODY_BYTES:
        raise InternalError(f"the body of {event} has {len(body.encode())} bytes; its room makes several of it")
    return body


def _delivery(row: Webhook, event: str, subject: str, body: str) -> Delivery:
    now = system_clock()
    return Delivery(
        id=new_id("whd"),
        webhook=row,
        event=event,
        subject=subject,
        body=body,
        state=State.WAITING,
        next_at=now,
        created_at=now,
    )

"""Deliveries that are sent once more, under the ids they have."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from muster.audit.actions import record
from muster.kernel.clock import system_clock
from muster.team.policies import Principal, check_scope
from muster.webhooks.actions.waiting import poke_after_commit
from muster.webhooks.errors import NotSendable
from muster.webhooks.models import Delivery
from muster.webhooks.policies import check_active
from muster.webhooks.queries.deliveries import DeliveryView, delivery, delivery_row
from muster.webhooks.queries.webhooks import webhook_row
from muster.webhooks.terms import State

_SCOPE = "webhooks:write"


def replay(actor: Principal, webhook_id: str, delivery_id: str) -> DeliveryView:
    """At once, whatever became of it so far; its attempts begin to count anew."""
    check_scope(actor, _SCOPE)
    with transaction.atomic():
        row = delivery_row(webhook_id, delivery_id)
        check_active(row.webhook)
        if not row.body:
            raise NotSendable("What it said is not kept any more.", code="delivery_gone")
        _send_again([row.id])
        record(actor, "webhook.replayed", "webhook", webhook_id, {"delivery": row.id})
    return delivery(webhook_id, delivery_id)


def replay_failed(actor: Principal, webhook_id: str, since: datetime) -> int:
    """Everything made since an instant that failed or was given up and whose body is there; answers how many."""
    check_scope(actor, _SCOPE)
    with transaction.atomic():
        check_active(webhook_row(webhook_id))
        rows = Delivery.objects.filter(webhook=webhook_id, created_at__gte=since).exclude(body="")
        found = list(rows.filter(state__in=(State.FAILED, State.GIVEN_UP)).values_list("pk", flat=True))
        _send_again(found)
        record(actor, "webhook.replayed", "webhook", webhook_id, {"since": since.isoformat(), "deliveries": len(found)})
    return len(found)


def _send_again(ids: list[str]) -> None:
    for begin in range(0, len(ids), 500):
        Delivery.objects.filter(pk__in=ids[begin : begin + 500]).update(
            state=State.WAITING, reason="", tries=0, next_at=system_clock(), ended_at=None
        )
    poke_after_commit()

"""Webhooks and deliveries in this process, without a worker."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from muster.kernel.clock import system_clock
from muster.team.policies import LOCAL
from muster.webhooks.actions.emitting import emit
from muster.webhooks.actions.sending import note_outcomes
from muster.webhooks.actions.webhooks import create_webhook
from muster.webhooks.channels.requests import Outcome
from muster.webhooks.models import Delivery, Webhook

JOINED = "group.member_joined"


def stored_webhook(url: str = "https://crm.example.com/hook", **fields: Any) -> Webhook:
    made, _ = create_webhook(LOCAL, **{"url": url, "events": [JOINED], **fields})
    return Webhook.objects.get(pk=made.id)


def happened(*customers: str, times: int = 1, subject: str = "grp_1") -> list[Delivery]:
    """Deliveries of an event for whoever wants it."""
    before = set(Delivery.objects.values_list("pk", flat=True))
    for _ in range(times):
        with transaction.atomic():
            emit(JOINED, [{"customers": list(customers or ["cus_1"])}], subject=subject)
    return list(Delivery.objects.exclude(pk__in=before))


def answered(status: int | None, error: str = "", answer: str = "", wait: float | None = None) -> Outcome:
    return Outcome(status, error, answer, 12, wait)


def note(outcome: Outcome, *rows: Delivery, at: datetime | None = None) -> None:
    note_outcomes({row.pk: (at or system_clock(), outcome) for row in rows})

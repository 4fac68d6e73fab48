"""Work on webhooks that nobody waits for."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from muster.kernel.clock import system_clock
from muster.web.hooks import RunningJob
from muster.webhooks.actions.webhooks import forget_old_secrets
from muster.webhooks.models import Delivery
from muster.webhooks.terms import KEPT

_AT_ONCE = 1_000


def keep_deliveries(job: RunningJob) -> dict[str, Any]:
    """Deletes deliveries that are older than 30 days, with their attempts; once a day. None of them still waits."""
    begun, gone = system_clock() - KEPT, 0
    while ids := list(Delivery.objects.filter(created_at__lt=begun).values_list("pk", flat=True)[:_AT_ONCE]):
        job.check()
        with transaction.atomic():
            Delivery.objects.filter(pk__in=ids).delete()
        gone += len(ids)
    return {"deliveries": gone, "secrets": forget_old_secrets()}
